"""What is visible in a store, read without our own code: all that a tag leads to must be there, with its digest."""

import json
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

State = dict[str, str]
"""The digest of each tag."""
PLACEHOLDER: Final = "a placeholder"
"""What a tag names while it is deleted in a registry that deletes only by digest."""
NAME: Final = "org.opencontainers.image.ref.name"
_MANIFESTS: Final = ", ".join(
    f"application/vnd.{it}+json"
    for it in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)


def digest_of(octets: bytes) -> str:
    return f"sha256:{sha256(octets).hexdigest()}"


def verified(octets: bytes, digest: str) -> bytes:
    assert digest_of(octets) == digest, f"{digest} has other bytes"
    return octets


def walk(descriptors: Iterable[dict[str, Any]], read: Callable[[str, bool], bytes]) -> dict[str, int]:
    """All that some manifests lead to, with sizes; `read` gets a digest, and whether it is a manifest."""
    found: dict[str, int] = {}
    ahead = [(it, True) for it in descriptors]
    while ahead:
        descriptor, is_manifest = ahead.pop()
        digest = descriptor["digest"]
        if digest in found:
            continue
        octets = verified(read(digest, is_manifest), digest)
        assert len(octets) == descriptor["size"], f"{digest} has another size"
        found[digest] = len(octets)
        if is_manifest:
            document = json.loads(octets)
            ahead += [(it, True) for it in document.get("manifests", ())]
            ahead += [(it, False) for it in (document.get("config"), *document.get("layers", ())) if it]
    return found


# --- layouts


def layout_closure(path: Path) -> dict[str, int]:
    """All that `index.json` leads to."""
    entries = json.loads((path / "index.json").read_bytes())["manifests"]
    return walk(entries, lambda digest, _: (path / "blobs" / digest.replace(":", "/")).read_bytes())


def layout_state(path: Path) -> State:
    if not (path / "index.json").exists():
        return {}
    assert json.loads((path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    for file in (path / "blobs").glob("*/*"):
        if not file.name.endswith(".part"):
            verified(file.read_bytes(), f"sha256:{file.name}")
    layout_closure(path)
    entries = json.loads((path / "index.json").read_bytes())["manifests"]
    named = [(it["annotations"][NAME], it["digest"]) for it in entries if NAME in it.get("annotations", {})]
    assert len(named) == len(dict(named)), "a tag is listed twice"
    return dict(named)


def layout_blobs(path: Path) -> dict[str, int]:
    """The files of blobs, with their numbers in the file system."""
    return {f"sha256:{it.name}": it.stat().st_ino for it in (path / "blobs").glob("*/*") if it.name[0] != "."}


# --- archives


def archive_state(path: Path) -> State:
    """The tags of an archive of either kind, and the digest of the file."""
    if not path.exists():
        return {}
    with tarfile.open(path) as tar:
        members = {it.name: tar.extractfile(it).read() for it in tar.getmembers()}  # type: ignore[union-attr]
    for name, octets in members.items():
        if name.startswith("blobs/"):
            verified(octets, name.removeprefix("blobs/").replace("/", ":"))
    if "index.json" in members:
        entries = json.loads(members["index.json"])["manifests"]
        walk(entries, lambda digest, _: members[f"blobs/{digest.replace(':', '/')}"])
    else:
        for image in json.loads(members["manifest.json"]):
            assert {image["Config"], *image["Layers"]} <= members.keys(), "a layer is missing"
    return {"": digest_of(path.read_bytes())}


# --- registries


def get(url: str) -> bytes | None:
    request = urllib.request.Request(url, headers={"Accept": _MANIFESTS})  # noqa: S310 (a registry of the tests)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (as above)
            found: bytes = answer.read()
            return found
    except urllib.error.HTTPError as failure:
        failure.close()
        if failure.code == 404:
            return None
        raise


def registry_state(url: str) -> State:
    """The tags of a repository: `http://HOST/v2/NAME`."""
    listed = get(f"{url}/tags/list")
    found: State = {}
    for tag in json.loads(listed)["tags"] or () if listed else ():
        raw = get(f"{url}/manifests/{tag}")
        assert raw is not None, f"{tag} is listed, but has no manifest"
        found[tag] = digest_of(raw)
        if "io.github.djmattyg007.dreg-client.untag" in json.loads(raw).get("annotations", {}):
            found[tag] = PLACEHOLDER
            continue

        walk([{"digest": found[tag], "size": len(raw)}], partial(_read, url))
    return found


def _read(url: str, digest: str, is_manifest: bool) -> bytes:
    octets = get(f"{url}/{'manifests' if is_manifest else 'blobs'}/{digest}")
    assert octets is not None, f"{digest} is missing"
    return octets
