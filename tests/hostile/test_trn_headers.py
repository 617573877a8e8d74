"""What goes out: one place sends, and no header but ours (TRN-01, TRN-27)."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dreg_client
from dreg_client import Credential, errors
from dreg_client.protocol.options import USER_AGENT
from tests.faultserver import Heard, Network, answer, challenge, redirect, sentence
from tests.hostile.registry import (
    BASE,
    BLOB,
    DIGEST,
    INDEX,
    LAYER,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    TAGS,
    document,
    registry_at,
)
from tests.hostile.secrets import PASSWORD, REFRESH, TOKEN, USER
from tests.hostile.ways import Way, refused

PACKAGE = Path(dreg_client.__file__).parent
EACH = {"host", "user-agent", "accept-encoding"}
LIBRARIES = ["httpx", "httpx2"]


def served(net: Network) -> Any:
    """A registry that takes and deletes, too, and has referrers."""
    registry = registry_at(net).on(f"{BASE}/referrers/*", document(INDEX, OCI_INDEX))
    registry.on(f"{MANIFESTS}/new", answer(b"", 201), method="PUT")
    registry.on(f"{MANIFESTS}/{DIGEST}", answer(b"", 202), method="DELETE")
    return registry.on(BLOB, answer(LAYER), answer(LAYER[800:], 206, "Content-Range: bytes 800-1599/1600"))


def may_have(heard: Heard) -> set[str]:
    """Which headers a request may have."""
    return EACH | ({"content-type", "content-length"} if heard.body else {"accept", "range", "content-length"})


@pytest.mark.parametrize("http", LIBRARIES)
def test_trn_01_no_header_but_ours_goes_out(library_way: Way, net: Network, tmp_path: Path, http: str) -> None:
    registry = served(net)
    library_way.options["http"] = http

    done = [
        library_way.ping(),
        library_way.tags(),
        library_way.repositories(),
        library_way.resolve("1.4"),
        library_way.manifest("1.4"),
        library_way.config("1.4"),
        library_way.referrers(DIGEST),
        library_way.blob(LAYER_DIGEST, tmp_path / "layer"),
        library_way.all_of(lambda it: it.repository("acme/web").get_blob(LAYER_DIGEST, limit=10**6)),
        library_way.tag("1.4", "new"),
        library_way.delete(DIGEST),
    ]
    assert [outcome.error for outcome in done[:8] + done[9:]] == [None] * 10
    for heard in registry.requests:
        names = [name for name, _ in heard.headers]
        assert EACH <= set(names) <= may_have(heard), str(heard)
        assert len(names) == len(set(names)), "each once"
        assert heard.header("user-agent") == USER_AGENT
        assert heard.header("accept-encoding") == "identity"
        assert heard.header("host") == "registry.test"
        assert heard.header("accept") != "*/*"


def test_trn_01_nor_by_the_command_line(way: Way, net: Network, tmp_path: Path) -> None:
    registry = served(net)

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert way.tag("1.4", "new").error is None
    assert registry.requests
    assert all({name for name, _ in heard.headers} <= may_have(heard) for heard in registry.requests)


@pytest.mark.parametrize("http", LIBRARIES)
def test_trn_01_a_port_that_is_not_the_scheme_s_own_is_in_host(library_way: Way, net: Network, http: str) -> None:
    registry = registry_at(net, port=5000)
    library_way.registry, library_way.options["http"] = "https://registry.test:5000", http

    library_way.tags()
    assert registry.requests[0].header("host") == "registry.test:5000"


@pytest.mark.parametrize("http", LIBRARIES)
def test_trn_01_of_a_request_for_a_token_too(library_way: Way, net: Network, http: str) -> None:
    registry_at(net).on(TAGS, challenge('Bearer realm="https://auth.registry.test/token"'))
    tokens = net.host("auth.registry.test").on("/token", answer(sentence({"token": TOKEN})))
    library_way.options |= {"http": http, "credentials": Credential(USER, PASSWORD)}
    library_way.tags()
    library_way.options |= {"credentials": Credential(identity_token=REFRESH)}
    library_way.tags()

    by_password, by_token = tokens.requests
    assert {name for name, _ in by_password.headers} == EACH | {"authorization"}
    assert {name for name, _ in by_token.headers} == EACH | {"content-type", "content-length"}
    assert (by_password.method, by_token.method) == ("GET", "POST")
    assert REFRESH not in by_token.target


@pytest.mark.parametrize("http", LIBRARIES)
def test_trn_01_what_goes_along_to_another_host(library_way: Way, net: Network, tmp_path: Path, http: str) -> None:
    """Which part is wanted, and what may be kept: nothing that says who asks."""
    registry_at(net).on(BLOB, challenge("Basic"), redirect("https://cdn.test/layer"))
    cdn = net.host("cdn.test").on("/layer", answer(LAYER[1000:], 206, "Content-Range: bytes 1000-1599/1600"))
    library_way.options |= {"http": http, "credentials": Credential(USER, PASSWORD), "user_agent": "mine/1"}

    (tmp_path / f".{LAYER_DIGEST.algorithm}-{LAYER_DIGEST.encoded}.part").write_bytes(LAYER[:1000])
    assert library_way.blob(LAYER_DIGEST, tmp_path / "layer", resume=True).error is None
    [heard] = cdn.requests
    assert {name for name, _ in heard.headers} <= EACH | {"range", "accept", "connection"}
    assert (heard.header("user-agent"), heard.header("range")) == ("mine/1", "bytes=1000-")


# --- netrc


@pytest.mark.parametrize("http", LIBRARIES)
def test_trn_27_no_netrc_is_read(library_way: Way, net: Network, http: str) -> None:
    library_way.options["http"] = http
    netrc_is_not_read(library_way, net)


def test_trn_27_nor_by_the_command_line(way: Way, net: Network) -> None:
    netrc_is_not_read(way, net)


def netrc_is_not_read(way: Way, net: Network) -> None:
    file = net.folder / ".netrc"
    file.write_text(
        "".join(f"machine {name} login {USER} password {PASSWORD}\n" for name in ("registry.test", "cdn.test"))
    )
    file.chmod(0o600)
    registry = registry_at(net).on(TAGS, challenge("Basic")).on(BLOB, redirect("https://cdn.test/layer"))
    cdn = net.host("cdn.test").on("/layer", challenge("Basic"))
    way.environment |= {"HOME": str(net.folder), "NETRC": str(file), "REQUESTS_CA_BUNDLE": "/nowhere"}

    refused(way.tags(), errors.UnauthorizedError)
    refused(way.blob(LAYER_DIGEST, net.folder / "layer"), errors.UnauthorizedError)
    assert registry.secrets + cdn.secrets == []
    assert cdn.requests


# --- one place sends


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in PACKAGE.rglob("*.py"):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def called(tree: ast.AST) -> Iterator[str]:
    """The last name of each thing that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


def test_no_client_of_the_http_library_is_made() -> None:
    """It would follow redirects, keep cookies, read netrc and log whole URLs (TRN-09)."""
    made = {name for name, tree in trees() if {"Client", "AsyncClient", "HTTPStatusError"} & set(called(tree))}

    assert made == {"partitions/run/cluster.py"}  # Dask's
    assert importlib.util.find_spec("httpx") is not None


def test_what_is_written_says_what_it_is(library_way: Way, net: Network) -> None:
    registry = served(net)

    library_way.tag("1.4", "new")
    [put] = [heard for heard in registry.requests if heard.method == "PUT"]
    assert (put.body, put.header("content-type")) == (MANIFEST, OCI_MANIFEST)
    assert put.header("content-length") == str(len(MANIFEST))
    assert put.header("transfer-encoding") is None
