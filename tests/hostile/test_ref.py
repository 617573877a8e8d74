"""Names that lead elsewhere, or are none: REF-01 to REF-16. Nothing is sent: no host sees so much as a connection."""

import base64
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Registry, errors
from dreg_client.values.digest import Digest
from dreg_client.values.reference import Reference
from tests.faultserver import Host, Network, challenge
from tests.hostile.registry import DIGEST, MANIFEST, OCI_MANIFEST, document, registry_at
from tests.hostile.secrets import PASSWORD
from tests.hostile.ways import Way, refused

HEX = "ab" * 32
INVALID = errors.InvalidReferenceError
Rows = dict[str, str]


@pytest.fixture
def hosts(net: Network, monkeypatch: pytest.MonkeyPatch) -> list[Host]:
    """All hosts that a name could lead to; within this process no name is even looked up."""
    names = ("r.example", "evil", "evil.test", "registry.test", "registry-1.docker.io")
    hosts = [net.host(name, scheme=scheme) for name in names for scheme in ("https", "http")]
    look_up = socket.getaddrinfo

    def counted(host: Any, *rest: Any, **named: Any) -> Any:
        hosts[0].connections += 1
        return look_up(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    return hosts


def untouched(hosts: list[Host]) -> bool:
    """Whether nobody was connected to, or looked up."""
    return not any(host.connections for host in hosts)


WRONG: dict[str, Rows] = {
    "ref_01": {
        "two dots": "r.example/a/../b",
        "one dot": "r.example/a/./b",
        "empty": "r.example/a//b",
        "slash first": "/a",
        "slash last": "r.example/a/",
        "dots first": "../r.example/a",
    },
    "ref_02": {
        f"{where} {sign}": text.replace("!", sign)
        for sign in ("%2e%2e", "%2f", "%00", "%")
        for where, text in (("repository", "r.example/a!b:t"), ("tag", "r.example/a:t!x"))
    },
    "ref_03": {
        f"{where} {sign}": text.replace("!", sign)
        for sign in ("?x=1", "#x", "\\", ";", " ", "&")
        for where, text in (("repository", "r.example/a!b:t"), ("tag", "r.example/a:t!x"))
    },
    "ref_04": {
        f"{where} {control!a}": text.replace("!", control)
        for control in ("\r", "\n", "\r\nX: y", "\0", "\t", "\x7f", "\x85", "\x9b")
        for where, text in (
            ("registry", "r.exam!ple/a"),
            ("repository", "r.example/a!b"),
            ("tag", "r.example/a:t!"),
            ("digest", f"r.example/a@sha256:!{HEX}"),
        )
    },
    "ref_07": {
        "upper case": f"r.example/a@sha256:{HEX.upper()}",
        "63 digits": f"r.example/a@sha256:{HEX[:-1]}",
        "65 digits": f"r.example/a@sha256:{HEX}a",
        "no digits": "r.example/a@sha256:",
        "no algorithm": f"r.example/a@{HEX}",
    },
    "ref_08": {
        "tag": "r.example/a:" + "t" * 129,
        "repository": "r.example/" + "a" * 256,
        "at signs": "a" * 50_000 + "@" * 50_000,
        "separators": "r.example/" + "a-" * 50_000,
    },
    "ref_10": {"tag": f"r.example/a:BAD TAG@sha256:{HEX}", "tag of dots": f"r.example/a:..@sha256:{HEX}"},
    "ref_11": {"user": f"user:{PASSWORD}@r.example/repo", "host": f"{PASSWORD}@evil/repo"},
    "ref_12": {"http": "http://r.example/a", "https": "https://r.example/a", "twice": "docker://http://r.example/a"},
    "ref_13": {
        "no brackets": "::1/r",
        "half a bracket": "[::1",
        "zone": "[fe80::1%eth0]/r",
        "future": "[v1.x]/r",
        "IPv4": "[127.0.0.1]/r",
    },
    "ref_14": {port: f"r.example{port}/a" for port in (":0", ":65536", ":+80", ":", ":80:80")},
    "ref_15": {"host": "rég.example/a", "repository": "r.example/é", "looks like e": "r.\u0435xample/a"},
}
ROWS = {f"{case} {row}": text for case, rows in WRONG.items() for row, text in rows.items()}
TYPED = {case: next(reversed(rows.values())) for case, rows in WRONG.items()} | {"ref_04": "r.example/a:t\x7f"}


@pytest.mark.parametrize("text", ROWS.values(), ids=ROWS)
def test_ref_01_to_ref_15_a_name_that_is_none_is_refused_before_anything_is_sent(
    library_way: Way, hosts: list[Host], text: str
) -> None:
    outcome = refused(library_way.named(text), INVALID)

    assert untouched(hosts)
    assert outcome.text.isprintable()
    assert PASSWORD not in outcome.text + repr(outcome.error)


@pytest.mark.parametrize("text", TYPED.values(), ids=TYPED)
def test_ref_01_to_ref_15_the_command_line_refuses_it_too(net: Network, hosts: list[Host], text: str) -> None:
    done = refused(Way("command line", net).named(text), INVALID, errors.InvalidDigestError)

    assert done.exit_code == 2
    assert untouched(hosts)
    assert PASSWORD not in done.text


# --- each part by itself

REPOSITORIES = [
    "a/../b",
    "a//b",
    "/a",
    "a/",
    "..",
    "a%2fb",
    "a?x=1",
    "a#x",
    "a\\b",
    "a\r\nb",
    "a\0",
    "A",
    "é",
    "a" * 256,
]
TAGS = ["../x", "t?x=1", "t#x", "%2e%2e", "t\r\nX", "t\0", "t t", "t&", "t" * 129, "é", ".."]
DIGESTS = [
    f"sha256:{HEX.upper()}",
    f"sha256:{HEX}a",
    f"sha256:{HEX}\n",
    "sha256:",
    "sha256:../../x",
    HEX,
    f"sha256:{HEX}?x",
]
ACTIONS: dict[str, Callable[[Any, str], Any]] = {
    "get_manifest": lambda it, text: it.get_manifest(text),
    "resolve": lambda it, text: it.resolve(text),
    "get_config": lambda it, text: it.get_config(text),
    "tag": lambda it, text: it.tag("1.4", text),
    "untag": lambda it, text: it.untag(text),
}
BY_DIGEST: dict[str, Callable[[Any, str], Any]] = {
    "get_blob": lambda it, text: it.get_blob(text),
    "has_blob": lambda it, text: it.has_blob(text),
    "delete_blob": lambda it, text: it.delete_blob(text),
    "delete_manifest": lambda it, text: it.delete_manifest(text),
    "referrers": lambda it, text: it.referrers(text),
}


@pytest.mark.parametrize("repository", REPOSITORIES, ids=ascii)
def test_ref_01_to_ref_04_a_repository_is_named_rightly_or_not_at_all(
    library_way: Way, hosts: list[Host], repository: str
) -> None:
    library_way.repository = repository

    assert refused(library_way.manifest("1.4"), INVALID).text.isprintable()
    assert untouched(hosts)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_ref_02_to_ref_04_a_tag_is_named_rightly_or_not_at_all(
    library_way: Way, hosts: list[Host], action: Callable[[Any, str], Any]
) -> None:
    for tag in TAGS:
        refused(library_way.ask(lambda it, tag=tag: action(it, tag)), INVALID)
    assert untouched(hosts)


@pytest.mark.parametrize("action", BY_DIGEST.values(), ids=BY_DIGEST)
def test_ref_04_ref_07_a_digest_is_one_or_nothing_is_asked(
    library_way: Way, hosts: list[Host], tmp_path: Path, action: Callable[[Any, str], Any]
) -> None:
    for digest in DIGESTS:
        refused(library_way.ask(lambda it, digest=digest: action(it, digest)), errors.InvalidDigestError)
        refused(library_way.blob(digest, tmp_path / "layer"), errors.InvalidDigestError)
    assert untouched(hosts)
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


REGISTRIES = [
    "regis\ttry.test",
    "registry.test\r\nX: y",
    "registry.test\0",
    "registry.test/a/../b",
    "registry.test?x",
    "registry.test#x",
    "registry.test\\@evil.test",
    "::1",
    "[::1",
    "[::1]x",
    "[fe80::1%eth0]",
    "[v1.x]",
    "[127.0.0.1]",
    "rég.example",
    "docker://registry.test",
    *(f"registry.test{port}" for port in (":0", ":65536", ":+80", ":", ":80:80")),
]


@pytest.mark.parametrize("text", REGISTRIES, ids=ascii)
def test_ref_04_ref_13_ref_14_a_registry_is_named_rightly_or_not_at_all(
    library_way: Way, hosts: list[Host], text: str
) -> None:
    library_way.registry = text

    assert refused(library_way.ping(), INVALID).text.isprintable()
    assert untouched(hosts)


@pytest.mark.parametrize("text", ["user:{}@registry.test", "https://user:{}@registry.test", "u:{}@registry.test/://x"])
def test_ref_11_a_registry_has_no_user_and_the_message_no_password(way: Way, hosts: list[Host], text: str) -> None:
    way.registry = text.format(PASSWORD)

    outcome = refused(way.command("repos", way.registry) if way.name == "command line" else way.ping(), INVALID)
    assert PASSWORD not in outcome.text + repr(outcome.error)
    assert untouched(hosts)


@pytest.mark.parametrize("agent", ["a\r\nX: y", "a\n", "a\0", "a\x7f", "a\x85", "ü", "a\tb"], ids=ascii)
def test_ref_04_a_header_that_is_two_is_refused(hosts: list[Host], agent: str) -> None:
    with pytest.raises(ValueError, match="user_agent"):
        Registry("https://registry.test", user_agent=agent)
    assert untouched(hosts)


# --- REF-08

LONG: dict[str, Callable[[int], str]] = {
    "letters": lambda n: "a" * n,
    "at signs": lambda n: "a" * n + "@" * n,
    "separators": lambda n: "r.example/" + "a-" * n,
    "underscores": lambda n: "r.example/" + "a__" * n + "!",
    "slashes": lambda n: "r.example" + "/a" * n + "/",
    "dots": lambda n: "a." * n + "/x",
    "colons": lambda n: "r.example/a" + ":" * n,
    "digits": lambda n: "r.example/a@sha256:" + "a" * n,
}


def seconds(text: str) -> float:
    """The time of this thread's own that it takes to refuse a text: other processes do not count."""
    began = time.thread_time()
    with pytest.raises(INVALID):
        Reference.parse(text)
    return time.thread_time() - began


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_ref_08_what_is_too_long_is_refused_without_being_searched_through(text: Callable[[int], str]) -> None:
    assert seconds(text(1_000_000)) < 0.1


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_ref_08_what_is_just_not_too_long_is_refused_without_going_back(text: Callable[[int], str]) -> None:
    """The longest text that is looked at: going back over it would take minutes."""
    assert seconds(text(4000)[:4096]) < 0.5


# --- REF-09, REF-10, REF-16

UNPROVABLE = ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha1:" + "a" * 40, f"blake3:{HEX}", "sha256+b64u:abc_"]


@pytest.mark.parametrize("digest", UNPROVABLE)
def test_ref_09_what_nothing_proves_is_asked_of_nobody(
    library_way: Way, hosts: list[Host], tmp_path: Path, digest: str
) -> None:
    for outcome in (
        library_way.named(f"r.example/a@{digest}"),
        library_way.manifest(digest),
        library_way.config(digest),
        library_way.resolve(digest),
        library_way.referrers(digest),
        library_way.blob(digest, tmp_path / "layer"),
    ):
        refused(outcome, errors.UnsupportedDigestError)
    assert untouched(hosts)
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_ref_09_nor_by_the_command_line(net: Network, hosts: list[Host], tmp_path: Path) -> None:
    dreg = Way("command line", net)

    refused(dreg.manifest(UNPROVABLE[0]), errors.UnsupportedDigestError)
    refused(dreg.blob(UNPROVABLE[2], tmp_path / "layer"), errors.UnsupportedDigestError)
    assert untouched(hosts)
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_ref_10_beside_a_digest_a_tag_is_only_a_label(way: Way, net: Network) -> None:
    registry = registry_at(net)

    outcome = way.named(f"registry.test/acme/web:nowhere@{DIGEST}")
    assert outcome.kind is None, outcome.text
    assert not [heard for heard in registry.requests if "nowhere" in heard.target]


HUB = ("acme/web", "docker.io/acme/web", "index.docker.io/acme/web", "DOCKER.io/acme/web")


@pytest.mark.parametrize("name", HUB)
def test_ref_16_docker_hub_is_one_host_for_urls_and_for_credentials(library_way: Way, net: Network, name: str) -> None:
    hub_asks_who_we_are(library_way, net, name)


def test_ref_16_for_the_command_line_too(net: Network) -> None:
    hub_asks_who_we_are(Way("command line", net), net, HUB[0])


def hub_asks_who_we_are(way: Way, net: Network, name: str) -> None:
    """Docker Hub is shown what the file of credentials has for it, under its old name."""
    way.environment = {"DOCKER_CONFIG": str(net.folder), "HOME": str(net.folder), "XDG_RUNTIME_DIR": str(net.folder)}
    shown = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
    auths = {"https://index.docker.io/v1/": {"auth": shown}, "registry-1.docker.io": {"auth": "YTpi"}}
    (net.folder / "config.json").write_text(json.dumps({"auths": auths}))
    (net.folder / "config.json").chmod(0o600)
    hub = registry_at(net, "registry-1.docker.io").on(
        "/v2/acme/web/manifests/latest", challenge("Basic"), document(MANIFEST, OCI_MANIFEST)
    )

    outcome = way.named(name)
    assert outcome.kind is None, outcome.text
    assert set(hub.secrets) == {f"Basic {shown}"}


def test_ref_16_names_of_this_machine_and_of_hosts_are_told_apart() -> None:
    table = {
        "alpine": ("docker.io", "library/alpine"),
        "localhost/x": ("localhost", "x"),
        "foo.bar/x": ("foo.bar", "x"),
        "FOO/x": ("foo", "x"),
        "a:5000/x": ("a:5000", "x"),
        "a:5000": ("docker.io", "library/a"),
    }

    found = {text: Reference.parse(text) for text in table}
    assert {text: (one.registry, str(one.repository)) for text, one in found.items()} == table
    assert found["a:5000"].tag == "5000"
    assert Digest.of(MANIFEST) == DIGEST
