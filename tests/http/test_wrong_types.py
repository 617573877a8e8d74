"""Arguments of the wrong type: a TypeError that says what is expected, and what to write instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from dreg_client import (
    AsyncHTTPTransport,
    AsyncLayout,
    AsyncRegistry,
    Descriptor,
    Digest,
    DockerArchive,
    DregError,
    HTTPTransport,
    Layout,
    OciIndex,
    Platform,
    Reference,
    Registry,
    Repository,
    aopen_image,
    aopen_store,
    errors,
    open_image,
    open_store,
    parse_document,
    parse_manifest,
    validate_file,
    validate_lines,
)
from dreg_client.errors import InvalidReferenceError, UnsupportedMediaTypeError
from dreg_client.protocol.options import Options, RegistryOptions

MULTI = "fixtures/layouts/multi"
ARCHIVE = "fixtures/archives/web.docker.tar"
INDEX = b'{"schemaVersion":2,"manifests":[]}'
NOTHING = Digest.of(b"nothing")
CHOICE = "verify= takes False, True or 'strict', not 'Strict'"
STRICT = "strict= takes True or False, not "


def web() -> Repository:
    """A repository of a registry that is never asked."""
    return Registry("http://registry.invalid").repository("acme/web")


DESCRIPTOR = Descriptor(mediaType="application/vnd.oci.image.manifest.v1+json", digest=Digest.of(b"{}"), size=2)
CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "a tag as a number": (lambda: web().get_manifest(1.4), "a tag such as '1.4', .*, not float; write '1.4'"),  # type: ignore[call-overload]
    "bytes": (lambda: web().get_manifest(b"1.4"), "not bytes"),  # type: ignore[call-overload]
    "nothing": (lambda: web().get_image(None), "not NoneType"),  # type: ignore[arg-type]
    "raw": (lambda: web().get_raw_manifest(2), "not int; write '2'"),  # type: ignore[arg-type]
    "resolve": (lambda: web().resolve(1.4), "not float"),  # type: ignore[arg-type]
    "check": (lambda: web().check_manifest(1.4), "not float"),  # type: ignore[arg-type]
    "config": (lambda: web().get_config(3), "not int"),  # type: ignore[arg-type]
    "a new tag": (lambda: web().tag("1.4", 2), "a tag must be a str, such as '1.4', not int; write '2'"),  # type: ignore[arg-type]
    "tags in a list": (lambda: web().tag("1.4", ["a", "b"]), "pass one item at a time"),  # type: ignore[arg-type]
    "untag": (lambda: web().untag(2), "a tag must be a str"),  # type: ignore[arg-type]
    "a manifest's tag": (lambda: web().put_manifest(b'{"schemaVersion":2,"manifests":[]}', 1.4), "not float"),  # type: ignore[arg-type]
    "a manifest and its tag the wrong way round": (
        lambda: web().put_manifest("1.4", INDEX),  # type: ignore[arg-type]
        r"the document comes first: put_manifest\(document, '1.4'\)",
    ),
    "a stream that is not opened": (
        lambda: list(web().stream_blob(NOTHING)),
        r"open the blob first: with store\.stream_",
    ),  # type: ignore[call-overload]
    "a manifest as a dict": (lambda: web().put_manifest({}), "parsed JSON has lost the exact bytes"),  # type: ignore[arg-type]
    "untag a descriptor": (lambda: web().untag(DESCRIPTOR), "untag takes a tag; delete_manifest takes a digest"),  # type: ignore[arg-type]
    "delete": (lambda: web().delete_manifest(2), "a manifest must be given here as its digest"),  # type: ignore[arg-type]
    "delete a blob": (lambda: web().delete_blob(None), "a blob must be given as its digest"),  # type: ignore[arg-type]
    "a blob": (lambda: web().get_blob(2), "a blob must be given as its digest"),  # type: ignore[arg-type]
    "has": (lambda: web().has_blob(b"x"), "not bytes"),  # type: ignore[arg-type]
    "referrers": (lambda: web().referrers(1), "a manifest must be given here as its digest .*, not int"),  # type: ignore[arg-type]
    "a layout's referrers": (lambda: Layout(MULTI).referrers(b"1"), "a manifest must be given here as its digest"),  # type: ignore[arg-type]
    "a layout's tag": (lambda: Layout(MULTI).get_manifest(1.4), "not float; write '1.4'"),  # type: ignore[call-overload]
    "a layout's image": (lambda: Layout(MULTI).get_image(1.4), "not float"),  # type: ignore[arg-type]
    "a platform": (lambda: Layout(MULTI).get_image("1.4").get_platform_image(("linux", "arm64")), "'linux/arm64'"),  # type: ignore[arg-type]
    "a repository": (lambda: Registry("r.invalid").repository(1), "such as 'acme/web', not int"),  # type: ignore[arg-type]
    "a registry": (lambda: Registry(Path("x")), "a registry must be a str"),  # type: ignore[arg-type]
    "a path as a store": (lambda: open_store(Path("/build")), "not PosixPath; for a path: 'oci:/build'"),  # type: ignore[arg-type]
    "a path as an image": (lambda: open_image(Path("/build")), "'oci:PATH:TAG'"),  # type: ignore[arg-type]
    "a reference": (lambda: Reference.parse(1), "'ubuntu:22.04', not int"),  # type: ignore[arg-type]
    "a platform's name": (lambda: Platform.from_name(1), "'linux/arm64', not int"),  # type: ignore[arg-type]
    "a digest": (lambda: Digest(1), "'sha256:...', not int"),  # type: ignore[arg-type]
    "misspelt verification": (lambda: Layout(MULTI).referrers(NOTHING, verify="Strict"), CHOICE),  # type: ignore[arg-type]
    "verification by a registry": (lambda: web().referrers(NOTHING, verify="yes"), "'strict', not 'yes'"),  # type: ignore[arg-type]
    "no verification": (lambda: web().referrers(NOTHING, verify=None), "not None"),  # type: ignore[arg-type]
    "verification by a number": (lambda: web().referrers(NOTHING, verify=1), "not 1$"),  # type: ignore[arg-type]
    "misspelt durability": (lambda: Layout(MULTI).download_blob(NOTHING, "x", durability="Full"), "'full' or 'fast'"),  # type: ignore[arg-type]
    "resuming": (lambda: Layout(MULTI).download_blob(NOTHING, "x", resume="no"), "resume= takes True or False"),  # type: ignore[arg-type]
    "a placeholder": (lambda: web().untag("1.4", placeholder="no"), "placeholder= takes True or False"),  # type: ignore[arg-type]
    "a strict registry": (lambda: Registry("r.invalid", strict="no"), STRICT),  # type: ignore[arg-type]
    "a strict repository": (lambda: open_store("r.invalid/a", strict=None), STRICT),  # type: ignore[arg-type]
    "a strict layout": (lambda: Layout(MULTI, strict=0), STRICT),  # type: ignore[arg-type]
    "a strict archive": (lambda: DockerArchive(ARCHIVE, strict=None), STRICT),  # type: ignore[arg-type]
    "a strict image": (lambda: open_image(f"oci:{MULTI}:1.4", strict="no"), STRICT),  # type: ignore[arg-type]
    "a strict manifest": (lambda: parse_manifest(INDEX, strict=None), STRICT),  # type: ignore[call-overload]
    "a strict document": (lambda: parse_document(INDEX, kind="oci-index", strict=None), STRICT),  # type: ignore[call-overload]
    "a strict model": (lambda: OciIndex.parse(INDEX, strict="no"), STRICT),  # type: ignore[arg-type]
    "a type in a list": (
        lambda: Layout(MULTI).referrers(NOTHING, ["a/b"]),
        "artifact_type= must be a media type as a str",
    ),  # type: ignore[arg-type]
    "lines by their path": (lambda: validate_lines(Path("x")), "for a path, use validate_file"),  # type: ignore[arg-type]
    "a file of None": (lambda: validate_file(None), "validate_file takes a path, not NoneType"),  # type: ignore[arg-type]
    "a manifest by a number": (lambda: web().delete_manifest(5), "not int$"),  # type: ignore[arg-type]
    "a digest of text": (lambda: Digest.of("{}"), r"text\.encode\(\)"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("call", "said"), CALLS.values(), ids=CALLS.keys())
def test_an_argument_of_the_wrong_type_says_what_is_expected(call: Callable[[], Any], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said) as refused:
        call()
    assert not isinstance(refused.value, DregError)


TEXTS: dict[str, tuple[Callable[[], Any], str]] = {
    "untag a digest": (
        lambda: web().untag(str(DESCRIPTOR.digest)),
        "is not a valid tag: expected a name, not a digest: untag takes a tag; delete_manifest takes a digest",
    ),
    "delete a tag": (
        lambda: web().delete_manifest("1.4"),
        r"'1\.4' is not a valid digest: .*; resolve\('1\.4'\) returns it",
    ),
    "referrers of a tag": (lambda: web().referrers("1.4"), r"; resolve\('1\.4'\) returns it"),
    "a layout's referrers": (lambda: Layout(MULTI).referrers("1.4"), r"; resolve\('1\.4'\) returns it"),
    "a tag in another repository": (
        lambda: web().tag("1.4", "1", "registry.invalid/acme/other:1"),
        "expected a tag without a repository, such as 1; copying to another repository is not supported",
    ),
    "a tag in the same repository": (lambda: web().tag("1.4", "acme/web:1"), "a tag without a repository"),
}


@pytest.mark.parametrize(("call", "said"), TEXTS.values(), ids=TEXTS.keys())
def test_a_name_of_another_kind_says_what_takes_it(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(errors.DregError, match=said):
        call()


@pytest.mark.parametrize("action", ["get_manifest", "get_image", "get_raw_manifest", "resolve", "has_blob", "get_blob"])
def test_async_code_says_the_same(action: str) -> None:
    async def ask() -> None:
        await getattr(AsyncLayout(MULTI), action)(1.4)

    said = "not float$" if action.endswith("_blob") else r"not float; write '1\.4'$"
    with pytest.raises(TypeError, match=said):
        anyio.run(ask)
    with pytest.raises(TypeError, match="for a path"):
        aopen_store(Path("/build"))  # type: ignore[arg-type]


def test_async_code_verifies_no_less_than_it_is_asked_for() -> None:
    async def ask() -> None:
        await AsyncLayout(MULTI).referrers(NOTHING, verify="Strict")  # type: ignore[arg-type]

    with pytest.raises(ValueError, match=CHOICE):
        anyio.run(ask)
    with pytest.raises(TypeError, match=STRICT):
        AsyncRegistry("r.invalid", strict="no")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("UP/x", "lower-case letters, as in 'up/x'"),
        ("acme/web:1.4", r"repository\('acme/web'\)\.get_image\('1\.4'\)"),
        (f"acme/web@{NOTHING}", r"repository\('acme/web'\)\.get_image\('sha256:"),
    ],
)
def test_the_name_of_a_repository_says_what_to_write(given: str, said: str) -> None:
    with pytest.raises(InvalidReferenceError, match=said):
        Registry("r.invalid").repository(given)


@pytest.mark.parametrize("host", ["localhost:5071", "registry.example"])
def test_a_path_behind_a_host_is_a_repository_or_part_of_a_url(host: str) -> None:
    scheme = "http" if host.startswith("localhost") else "https"
    meant = rf"Registry\('{host}'\)\.repository\('acme/web'\); for a base path, {scheme}://{host}/acme/web$"
    with pytest.raises(InvalidReferenceError, match=meant):
        Registry(f"{host}/acme/web")


def test_a_document_that_does_not_say_what_it_is_names_a_parameter_that_there_is() -> None:
    for call in (parse_manifest, web().put_manifest):
        with pytest.raises(UnsupportedMediaTypeError, match=r"media_type= as one of: application/"):
            call(b"{}")
    with pytest.raises(UnsupportedMediaTypeError, match=r"kind= as one of: descriptor, "):
        parse_document(b"{}")


def test_an_image_that_is_not_awaited_says_so() -> None:
    opening = aopen_image(f"oci:{MULTI}:1.4")
    with pytest.raises(AttributeError, match="'platforms'; open it with await"):
        opening.platforms  # type: ignore[attr-defined]  # noqa: B018 (it is read)


@pytest.mark.parametrize("host", ["https://x", "auth.example/token", "auth.example:x", "a b", "ada@auth.example", ""])
def test_a_trusted_host_is_a_host_with_or_without_a_port(host: str) -> None:
    with pytest.raises(ValueError, match=r"trusted_token_hosts= takes HOST or HOST:PORT, such as .*, not "):
        Registry("r.invalid", trusted_token_hosts=("auth.example:8443", host))


OPTIONS: list[tuple[dict[str, object], str]] = [
    ({"verify": False}, "no option verify=; write insecure=True"),
    ({"auth": ("ada", "secret")}, r"write credentials=\(USER, PASSWORD\)"),
    ({"cert": "cert.pem"}, "write client_cert="),
    ({"proxies": {}}, "write proxy=URL"),
    ({"tls": True}, "insecure=True"),
    ({"inscure": True}, "the options are: credentials, "),
    ({"insecure": "no"}, "insecure= takes True or False, not str"),
    ({"mirrors": "https://mirror.example"}, r"mirrors= takes a tuple of URLs or Mirrors, .* not str"),
    ({"trusted_token_hosts": "auth.example"}, "trusted_token_hosts= takes a tuple"),
    ({"client_cert": "cert.pem"}, r"client_cert= takes a pair \(CERT, KEY\)"),
    ({"proxy": {"https": "http://proxy"}}, "proxy= takes the URL of one proxy"),
    ({"retries": "3"}, "retries= takes a number, not str"),
    ({"connections": None}, "connections= takes a number, not NoneType"),
    ({"ssl_context": True}, r"ssl_context= takes an ssl\.SSLContext"),
    ({"ca_file": True}, "ca_file= takes the path of a file, not bool"),
    ({"user_agent": b"me"}, "user_agent= takes a str, not bytes"),
    ({"mirrors": (Path("mirror"),)}, "mirrors= takes a tuple of URLs or Mirrors, .* not tuple of PosixPath$"),
    ({"trusted_token_hosts": (1,)}, "trusted_token_hosts= takes a tuple of str"),
    ({"certs_dirs": "/certs"}, "certs_dirs= takes a tuple of paths"),
    ({"max_retry_after": "1"}, "max_retry_after= takes a number of seconds"),
    ({"http": 2}, "http= takes 'httpx' or 'httpx2'"),
    ({"on_event": []}, "on_event= takes a function that accepts an event"),
    ({"auth_service": "token"}, "auth_service= takes an object with request_token"),
    ({"credentials": "ada"}, "credentials= takes a pair"),
    ({"timeout": (3, 10)}, "timeout= must be Timeouts, or a number of seconds"),
]


def named(part: dict[str, object] | str) -> str:
    return "" if isinstance(part, str) else ",".join(f"{name}-{type(value).__name__}" for name, value in part.items())


@pytest.mark.parametrize(("given", "said"), OPTIONS, ids=named)
def test_an_option_of_another_library_or_of_the_wrong_type_says_what_to_write(given: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        Registry("registry.invalid", **given)
    assert "secret" not in str(caught.value)
    with pytest.raises(TypeError, match=said):
        open_store("registry.invalid/acme/web", **given)
    if given.keys() <= RegistryOptions.__annotations__.keys():
        with pytest.raises(TypeError, match=said):
            Options(**given)


def test_a_transport_for_httpx_checks_the_types_of_its_options() -> None:
    for transport in (HTTPTransport, AsyncHTTPTransport):
        with pytest.raises(TypeError, match="ca_file= takes the path of a file, not bool"):
            transport(ca_file=True)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"client_cert= takes a pair"):
            transport(client_cert="cert.pem")  # type: ignore[arg-type]
