"""Copies of what a hostile registry, layout or destination has: names, bytes and credentials."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, Layout, errors
from tests.faultserver import Host, Network, Piece, answer, refusal, sentence
from tests.faultserver.hosts import Said
from tests.hostile.copies import DESTINATION, Written, copied, files_below, synced
from tests.hostile.registry import (
    BASE,
    BLOB,
    CONFIG,
    DIGEST,
    INDEX,
    LAYER,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    document,
    registry_at,
)
from tests.hostile.secrets import PASSWORD, USER
from tests.hostile.ways import Way

SOURCE = "registry.test/acme/web"
TITLE = "org.opencontainers.image.title"
TITLES = ["../../.ssh/authorized_keys", "/etc/evil", "C:\\evil", "a/../../evil", "CON"]
CATALOG = ["../evil", "acme/../../evil", "/evil", "acme//evil", "Evil", "acme/web/blobs", "acme/web"]


def content(raw: bytes) -> Piece:
    return answer(raw, "200 OK", "Content-Type: application/octet-stream")


def artifact(net: Network, *titles: str) -> bytes:
    """A registry that has an artifact of files with these titles as `acme/web:files`; its manifest."""
    host = registry_at(net)
    tree = json.loads(MANIFEST)
    tree["layers"] = []
    for number, title in enumerate(titles):
        raw = b"file %d" % number
        described = {"mediaType": "text/plain", "digest": str(Digest.of(raw)), "size": len(raw)}
        tree["layers"].append({**described, "annotations": {TITLE: title}})
        host.on(f"{BASE}/blobs/{Digest.of(raw)}", content(raw))
    made = json.dumps(tree).encode()
    for reference in ("files", str(Digest.of(made))):
        host.on(f"{MANIFESTS}/{reference}", document(made))
    return made


def blob_names(*documents: bytes) -> set[str]:
    return {f"there/blobs/sha256/{Digest.of(raw).encoded}" for raw in documents}


def files_of_layout(folder: Path) -> set[str]:
    return {name for name in files_below(folder) if not name.startswith("there/.dreg")} - {
        "there/index.json",
        "there/oci-layout",
    }


# --- names


@pytest.mark.parametrize("title", TITLES)
def test_cli_07_a_title_names_no_file(way: Way, net: Network, tmp_path: Path, title: str) -> None:
    made = artifact(net, title)

    assert copied(way, f"{SOURCE}:files", f"oci:{tmp_path}/there").error is None

    assert files_of_layout(tmp_path) == blob_names(made, CONFIG, b"file 0")


@pytest.mark.parametrize("titles", [("same", "same"), ("same", "SAME")])
def test_cli_08_files_with_one_title_do_not_replace_each_other(
    way: Way, net: Network, tmp_path: Path, titles: tuple[str, str]
) -> None:
    made = artifact(net, *titles)

    assert copied(way, f"{SOURCE}:files", f"oci:{tmp_path}/there").error is None

    assert files_of_layout(tmp_path) == blob_names(made, CONFIG, b"file 0", b"file 1")


def test_copy_40_a_catalog_names_no_directory_outside(way: Way, net: Network, tmp_path: Path) -> None:
    host = registry_at(net)
    host.on("/v2/_catalog", answer(sentence({"repositories": CATALOG}), "200 OK", "Content-Type: application/json"))

    done = synced(way, "registry.test/", f"oci:{tmp_path}/deep/there")

    assert {name.partition("/blobs")[0] for name in files_below(tmp_path) if "/blobs/" in name} == {
        "deep/there/acme/web"
    }
    assert all(name.startswith("deep/there/acme/web/") for name in files_below(tmp_path))
    assert "registry.test/acme/web:1.4" not in done.text  # it was copied; `all` lacks a manifest
    assert not any("evil" in request.lower() for request in host.asked)


@pytest.mark.parametrize("name", ["../../evil", "a b", "1.4\n", "-x"])
def test_copy_41_a_name_in_a_layout_becomes_no_request(way: Way, net: Network, tmp_path: Path, name: str) -> None:
    written = Written(net)
    layout = Layout.create(tmp_path / "here")
    config, layer = layout.push_blob(CONFIG), layout.push_blob(LAYER)
    assert {config.digest, layer.digest} == {Digest.of(CONFIG), LAYER_DIGEST}
    layout.put_manifest(MANIFEST, "1.4")
    layout.close()
    index = json.loads((tmp_path / "here/index.json").read_bytes())
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = name
    (tmp_path / "here/index.json").write_text(json.dumps(index))

    done = copied(way, f"oci:{tmp_path}/here", f"{DESTINATION}/acme/web")

    assert done.kind is errors.InvalidReferenceError
    assert written.order == []


# --- bytes


Breaks: dict[str, Callable[[Any], object]] = {
    "a missing child": lambda host: host,  # the index names a manifest that `registry_at` does not have
    "a missing blob": lambda host: host.on(BLOB, refusal("404 Not Found", "BLOB_UNKNOWN")),
    "a wrong blob": lambda host: host.on(BLOB, content(LAYER[::-1])),
    "a wrong manifest": lambda host: host.on(f"{MANIFESTS}/{DIGEST}", document(MANIFEST + b"\n", OCI_MANIFEST)),
}


@pytest.mark.parametrize("broken", Breaks)
@pytest.mark.parametrize("into", ["registry", "layout"])
def test_dld_19_what_lacks_a_part_is_not_written(
    way: Way, net: Network, tmp_path: Path, broken: str, into: str
) -> None:
    Breaks[broken](registry_at(net))
    written = Written(net)

    done = copied(way, f"{SOURCE}:all", f"oci:{tmp_path}/there" if into == "layout" else f"{DESTINATION}/acme/web")

    assert done.kind is not None
    assert issubclass(done.kind, errors.NotFoundError | errors.IntegrityError)
    assert "no tag was written" in done.text
    assert str(Digest.of(INDEX)) not in written.manifests
    assert "all" not in written.manifests
    if into == "layout":
        assert blob_names(INDEX).isdisjoint(files_below(tmp_path))
        assert json.loads((tmp_path / "there/index.json").read_bytes())["manifests"] == []
    if broken == "a missing child":
        assert str(Digest.of(b"{}")) in done.text


def test_upl_16_children_are_written_first_and_the_tag_last(way: Way, net: Network) -> None:
    host, written = registry_at(net), Written(net)
    index = json.loads(INDEX)
    del index["manifests"][1]
    raw = json.dumps(index).encode()
    for reference in ("all", str(Digest.of(raw))):
        host.on(f"{MANIFESTS}/{reference}", document(raw, OCI_INDEX))

    assert copied(way, f"{SOURCE}:all", f"{DESTINATION}/acme/web:new").error is None

    *blobs, child, tag = written.order
    assert set(blobs) == {str(LAYER_DIGEST), str(Digest.of(CONFIG))}
    assert (child, tag) == (str(DIGEST), "new")
    assert written.manifests["new"] == raw


# --- credentials


def basic(password: str) -> str:
    return f"Basic {b64encode(f'{USER}:{password}'.encode()).decode()}"


def guard(host: Host, expected: str) -> None:
    """Answer only requests with this credential."""

    def guarded(said: Said) -> Said:
        asks = answer(b"", "401 Unauthorized", 'WWW-Authenticate: Basic realm="test"')
        return lambda heard: said(heard) if heard.header("authorization") == expected else asks

    for _, _, answers in host.routes:
        answers[:] = [guarded(said) for said in answers]


def test_copy_42_each_registry_gets_only_its_own_credential(way: Way, net: Network, tmp_path: Path) -> None:
    passwords = {"registry.test": f"{PASSWORD}-1", DESTINATION: f"{PASSWORD}-2"}
    hosts = {"registry.test": registry_at(net), DESTINATION: Written(net).host}
    for name, host in hosts.items():
        guard(host, basic(passwords[name]))
    file = tmp_path / "auth.json"
    auths = {name: {"auth": basic(password).removeprefix("Basic ")} for name, password in passwords.items()}
    file.write_text(json.dumps({"auths": auths}))
    file.chmod(0o600)
    options = {
        f"{side}_options": {"credentials": (USER, passwords[name])}
        for side, name in (("source", "registry.test"), ("destination", DESTINATION))
    }

    done = copied(way, f"{SOURCE}:1.4", f"{DESTINATION}/acme/web:1.4", "--authfile", str(file), **options)

    assert done.error is None
    for name, host in hosts.items():
        assert {*host.secrets} == {basic(passwords[name])}
