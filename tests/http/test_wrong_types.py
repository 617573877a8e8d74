"""Arguments of the wrong type: a TypeError that says what is expected, and what to write instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from dreg_client import (
    AsyncHTTPTransport,
    AsyncLayout,
    Descriptor,
    Digest,
    HTTPTransport,
    Layout,
    Platform,
    Reference,
    Registry,
    Repository,
    aopen_store,
    errors,
    open_image,
    open_store,
)
from dreg_client.protocol.options import Options, RegistryOptions

MULTI = "fixtures/layouts/multi"


def web() -> Repository:
    """A repository of a registry that is never asked."""
    return Registry("http://registry.invalid").repository("acme/web")


DESCRIPTOR = Descriptor(mediaType="application/vnd.oci.image.manifest.v1+json", digest=Digest.of(b"{}"), size=2)
CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "a tag as a number": (lambda: web().get_manifest(1.4), "a tag such as '1.4' .*, not float; write '1.4'"),  # type: ignore[call-overload]
    "bytes": (lambda: web().get_manifest(b"1.4"), "not bytes"),  # type: ignore[call-overload]
    "nothing": (lambda: web().get_image(None), "not NoneType"),  # type: ignore[arg-type]
    "raw": (lambda: web().get_raw_manifest(2), "not int; write '2'"),  # type: ignore[arg-type]
    "resolve": (lambda: web().resolve(1.4), "not float"),  # type: ignore[arg-type]
    "check": (lambda: web().check_manifest(1.4), "not float"),  # type: ignore[arg-type]
    "config": (lambda: web().get_config(3), "not int"),  # type: ignore[arg-type]
    "a new tag": (lambda: web().tag("1.4", 2), "a tag is a str, such as '1.4', not int; write '2'"),  # type: ignore[arg-type]
    "tags in a list": (lambda: web().tag("1.4", ["a", "b"]), "pass its items one by one"),  # type: ignore[arg-type]
    "untag": (lambda: web().untag(2), "a tag is a str"),  # type: ignore[arg-type]
    "a manifest's tag": (lambda: web().put_manifest(b'{"schemaVersion":2,"manifests":[]}', 1.4), "not float"),  # type: ignore[arg-type]
    "a manifest as a dict": (lambda: web().put_manifest({}), "parsed JSON has lost the bytes"),  # type: ignore[arg-type]
    "untag a descriptor": (lambda: web().untag(DESCRIPTOR), "untag takes a tag; delete_manifest takes a digest"),  # type: ignore[arg-type]
    "delete": (lambda: web().delete_manifest(2), "a manifest is named here by its digest"),  # type: ignore[arg-type]
    "delete a blob": (lambda: web().delete_blob(None), "a blob is named by its digest"),  # type: ignore[arg-type]
    "a blob": (lambda: web().get_blob(2), "a blob is named by its digest"),  # type: ignore[arg-type]
    "has": (lambda: web().has_blob(b"x"), "not bytes"),  # type: ignore[arg-type]
    "referrers": (lambda: web().referrers(1), "a manifest is named here by its digest, .* not int"),  # type: ignore[arg-type]
    "a layout's referrers": (lambda: Layout(MULTI).referrers(b"1"), "a manifest is named here by its digest"),  # type: ignore[arg-type]
    "a layout's tag": (lambda: Layout(MULTI).get_manifest(1.4), "not float; write '1.4'"),  # type: ignore[call-overload]
    "a layout's image": (lambda: Layout(MULTI).get_image(1.4), "not float"),  # type: ignore[arg-type]
    "a platform": (lambda: Layout(MULTI).get_image("1.4").get_platform_image(("linux", "arm64")), "'linux/arm64'"),  # type: ignore[arg-type]
    "a repository": (lambda: Registry("r.invalid").repository(1), "such as 'acme/web', not int"),  # type: ignore[arg-type]
    "a registry": (lambda: Registry(Path("x")), "a registry is named by a text"),  # type: ignore[arg-type]
    "a path as a store": (lambda: open_store(Path("/build")), "not by PosixPath; for a path: 'oci:/build'"),  # type: ignore[arg-type]
    "a path as an image": (lambda: open_image(Path("/build")), "'oci:PATH:TAG'"),  # type: ignore[arg-type]
    "a reference": (lambda: Reference.parse(1), "'ubuntu:22.04', not int"),  # type: ignore[arg-type]
    "a platform's name": (lambda: Platform.from_name(1), "'linux/arm64', not int"),  # type: ignore[arg-type]
    "a digest": (lambda: Digest(1), "'sha256:...', not int"),  # type: ignore[arg-type]
    "a digest of text": (lambda: Digest.of("{}"), r"text\.encode\(\)"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("call", "said"), CALLS.values(), ids=CALLS.keys())
def test_an_argument_of_the_wrong_type_says_what_is_expected(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        call()


TEXTS: dict[str, tuple[Callable[[], Any], str]] = {
    "untag a digest": (
        lambda: web().untag(str(DESCRIPTOR.digest)),
        "'sha256:.*' is no tag: expected a name, not a digest: untag takes a tag; delete_manifest takes a digest",
    ),
    "delete a tag": (lambda: web().delete_manifest("1.4"), r"'1\.4' is no digest: .*; resolve\('1\.4'\) returns it"),
    "referrers of a tag": (lambda: web().referrers("1.4"), r"; resolve\('1\.4'\) returns it"),
    "a layout's referrers": (lambda: Layout(MULTI).referrers("1.4"), r"; resolve\('1\.4'\) returns it"),
    "a tag in another repository": (
        lambda: web().tag("1.4", "1", "registry.invalid/acme/other:1"),
        "give tags alone, such as 1: this version copies nothing to another repository",
    ),
    "a tag in the same repository": (lambda: web().tag("1.4", "acme/web:1"), "give tags alone"),
}


@pytest.mark.parametrize(("call", "said"), TEXTS.values(), ids=TEXTS.keys())
def test_a_name_of_another_kind_says_what_takes_it(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(errors.DregError, match=said):
        call()


@pytest.mark.parametrize("action", ["get_manifest", "get_image", "get_raw_manifest", "resolve", "has_blob", "get_blob"])
def test_async_code_says_the_same(action: str) -> None:
    async def ask() -> None:
        await getattr(AsyncLayout(MULTI), action)(1.4)

    with pytest.raises(TypeError, match=r"not float; write '1\.4'"):
        anyio.run(ask)
    with pytest.raises(TypeError, match="for a path"):
        aopen_store(Path("/build"))  # type: ignore[arg-type]


OPTIONS: list[tuple[dict[str, object], str]] = [
    ({"verify": False}, "no option verify=; write insecure=True"),
    ({"auth": ("ada", "secret")}, r"write credentials=\(USER, PASSWORD\)"),
    ({"cert": "cert.pem"}, "write client_cert="),
    ({"proxies": {}}, "write proxy=URL"),
    ({"tls": True}, "insecure=True"),
    ({"inscure": True}, "the options are: credentials, "),
    ({"insecure": "no"}, "insecure= takes True or False, not str"),
    ({"mirrors": "https://mirror.example"}, r"mirrors= takes a tuple of texts, .* not str"),
    ({"trusted_token_hosts": "auth.example"}, "trusted_token_hosts= takes a tuple"),
    ({"client_cert": "cert.pem"}, r"client_cert= takes a pair \(CERT, KEY\)"),
    ({"proxy": {"https": "http://proxy"}}, "proxy= takes the URL of one proxy"),
    ({"retries": "3"}, "retries= takes a number, not str"),
    ({"connections": None}, "connections= takes a number, not NoneType"),
    ({"ssl_context": True}, r"ssl_context= takes an ssl\.SSLContext"),
    ({"ca_file": True}, "ca_file= takes the path of a file, not bool"),
    ({"user_agent": b"me"}, "user_agent= takes a text, not bytes"),
    ({"mirrors": (Path("mirror"),)}, "mirrors= takes a tuple of texts, .* not tuple of PosixPath$"),
    ({"trusted_token_hosts": (1,)}, "trusted_token_hosts= takes a tuple of texts"),
    ({"certs_dirs": "/certs"}, "certs_dirs= takes a tuple of paths"),
    ({"max_retry_after": "1"}, "max_retry_after= takes a number of seconds"),
    ({"http": 2}, "http= takes the name of a library"),
    ({"on_event": []}, "on_event= takes what can be called"),
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
