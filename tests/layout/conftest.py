"""Layouts and archives that tests assemble by hand, and what several of them share."""

import copy
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Layout
from dreg_client._sync.image_view import view

Json = dict[str, Any]

OCI = "application/vnd.oci.image."
REF_NAME = "org.opencontainers.image.ref.name"
NOBODY = 65534


def sha256(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


@dataclass
class LayoutBuilder:
    """A layout that is written as it is told, right or wrong."""

    path: Path
    entries: list[Json] = field(default_factory=list)

    def blob(self, body: bytes, media_type: str = OCI + "layer.v1.tar", **members: object) -> Json:
        digest = sha256(body)
        file = self.path / "blobs" / digest.replace(":", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        return {"mediaType": media_type, "digest": digest, "size": len(body), **members}

    def document(self, value: Json, media_type: str, **members: object) -> Json:
        return self.blob(json.dumps(value).encode(), media_type, **members)

    def config(self, platform: str = "linux/amd64", diff_ids: int = 1, **members: object) -> Json:
        system, architecture, variant = (*platform.split("/"), "")[:3]
        value: Json = {"os": system, "architecture": architecture, **({"variant": variant} if variant else {})}
        value["rootfs"] = {"type": "layers", "diff_ids": [sha256(b"%d" % number) for number in range(diff_ids)]}
        return self.document({**value, **members}, OCI + "config.v1+json")

    def image(self, platform: str = "linux/amd64", layers: int = 1, *, stated: bool = True, **members: object) -> Json:
        """The entry of an image; `members` are those of its config."""
        blobs = [self.blob(f"{platform} {number}".encode()) for number in range(layers)]
        entry = self.manifest(self.config(platform, layers, **members), *blobs)
        system, architecture, variant = (*platform.split("/"), "")[:3]
        named = {"os": system, "architecture": architecture, **({"variant": variant} if variant else {})}
        return {**entry, "platform": named} if stated else entry

    def manifest(self, config: Json, *layers: Json, **members: object) -> Json:
        media_type = OCI + "manifest.v1+json"
        value = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": list(layers)}
        return self.document({**value, **members}, media_type)

    def index(self, *entries: Json, **members: object) -> Json:
        media_type = OCI + "index.v1+json"
        value = {"schemaVersion": 2, "mediaType": media_type, "manifests": list(entries)}
        return self.document({**value, **members}, media_type)

    def tag(self, name: str | None, entry: Json) -> Json:
        self.entries.append(entry if name is None else {**entry, "annotations": {REF_NAME: name}})
        return entry

    def file(self, entry: Json) -> Path:
        return self.path / "blobs" / entry["digest"].replace(":", "/")

    def name(self, entry: Json) -> str:
        return str(self.file(entry).relative_to(self.path))

    def write(self) -> Path:
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": self.entries}
        (self.path / "index.json").write_text(json.dumps(index))
        return self.path

    def layout(self) -> Layout:
        return Layout(self.write())


@pytest.fixture
def build(tmp_path: Path) -> LayoutBuilder:
    """A layout to assemble."""
    return LayoutBuilder(tmp_path / "layout")


@pytest.fixture
def copied(fixtures: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a layout of the fixtures, to be broken."""
    return lambda name: Path(shutil.copytree(fixtures / "layouts" / name, tmp_path / name, symlinks=True))


@pytest.fixture
def tarred(tmp_path: Path) -> Callable[..., Path]:
    """A tar of members; a member is a name with its bytes, or a header."""

    def write(*members: tuple[str, bytes] | tarfile.TarInfo, form: int = tarfile.GNU_FORMAT, mode: str = "w") -> Path:
        path = tmp_path / "archive.tar"
        with tarfile.open(path, mode, format=form) as archive:  # type: ignore[call-overload]
            for member in members:
                if isinstance(member, tarfile.TarInfo):
                    archive.addfile(member, io.BytesIO(bytes(member.size)))
                    continue
                header = tarfile.TarInfo(member[0])
                header.size = len(member[1])
                archive.addfile(header, io.BytesIO(member[1]))
        return path

    return write


@pytest.fixture
def unprivileged() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """A block in which the permissions of files count, for root, too."""

    @contextmanager
    def block() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)

    return block


@pytest.fixture
def open_build() -> Iterator[LayoutBuilder]:
    """A layout to assemble in a folder that others may look into, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield LayoutBuilder(folder / "layout")
    for directory in folder.glob("**/"):
        directory.chmod(0o755)
    shutil.rmtree(folder)


# --- pages that are drawn of images


VOID = {"meta", "wbr"}  # tags that nothing closes


@dataclass
class Element:
    """A part of a page: its tag, its attributes, and all text below it."""

    tag: str
    attributes: dict[str, str | None]
    above: tuple[str, ...]
    text: str = ""

    def has(self, name: str) -> bool:
        return name in (self.attributes.get("class") or "").split()


@dataclass
class Page(HTMLParser):
    """A page as it is read; a tag that closes another than the one that is open is a failure."""

    elements: list[Element] = field(default_factory=list)
    opened: list[Element] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute of <{tag}> twice: {attrs}"
        element = Element(tag, dict(attrs), tuple(above.tag for above in self.opened))
        self.elements.append(element)
        if tag not in VOID:
            self.opened.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened, f"</{tag}> closes nothing"
        assert self.opened.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.opened:
            element.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def unknown_decl(self, data: str) -> None:
        self.comments.append(data)

    def handle_pi(self, data: str) -> None:
        self.comments.append(data)

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def classed(self, name: str) -> list[Element]:
        return [element for element in self.elements if element.has(name)]

    def headings(self) -> list[Element]:
        return [element for element in self.elements if re.fullmatch(r"h[1-6]", element.tag)]


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert not page.opened, f"never closed: {[element.tag for element in page.opened]}"
    return page


@pytest.fixture(scope="session")
def read_page() -> Callable[[str], Page]:
    """Reads a page, which must be well formed."""
    return read


@pytest.fixture(scope="session")
def problem() -> Json:
    """What is wrong with a document, as it is seen."""
    return {
        "document": "the index",
        "digest": "sha256:" + "0" * 64,
        "rule": "DSC-02",
        "severity": "error",
        "path": "$.config.digest",
        "found": "'sha256:'",
        "expected": "a digest",
        "clause": "descriptor.md, Digests",
        "url": "https://example.org/descriptor.md#digests",
    }


@pytest.fixture(scope="module")
def multi_seen(fixtures: Path) -> Json:
    """What is seen of an image of three platforms."""
    with Layout(fixtures / "layouts" / "multi") as layout:
        return view(layout, "1.4")


@pytest.fixture(scope="module")
def artifact_seen(fixtures: Path) -> Json:
    """What is seen of an artifact."""
    with Layout(fixtures / "layouts" / "multi") as layout:
        return view(layout, "artifact")


@pytest.fixture(scope="module")
def full_seen(multi_seen: Json, artifact_seen: Json, problem: Json) -> Json:
    """An image with all that an image may have, each part of it real or like a real one."""
    seen = copy.deepcopy(multi_seen)
    layer = artifact_seen["artifact"]["layers"][0]
    seen["others"] = [layer]
    seen["missing"] = [{"platform": "linux/s390x", "problem": "there is no blob sha256:0123"}]
    seen["unreadable"] = [{**layer, "platform": "linux/riscv64", "problem": "GEN-01"}]
    seen["subject"] = layer
    seen["problems"] = [problem, {**problem, "document": "linux/amd64", "rule": "MAN-08", "severity": "warning"}]
    seen["images"][0]["author"] = "somebody"
    return seen
