"""Layouts and archives whose few bytes are named very many times, and layouts with very many blobs: LAY-43, LAY-46."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from dreg_client import AsyncLayout, Layout, errors, validate_layout
from dreg_client._async import validation as avalidation
from dreg_client._sync import validation
from dreg_client.files.docker_archive import SavedImages
from dreg_client.files.tar import TarFiles
from tests.layout.conftest import REF_NAME, build, tarred
from tests.layout.counting import CountingFiles

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

__all__ = ["build", "tarred"]
MANY = 200


@pytest.fixture(params=["threads", "tasks"])
def way(request: pytest.FixtureRequest) -> str:
    """A way to ask a layout."""
    return str(request.param)


def referrers(way: str, files: CountingFiles, digest: str) -> int:
    if way == "threads":
        return len(Layout(files).referrers(digest))
    return len(asyncio.run(AsyncLayout(files).referrers(digest)))


def validated(way: str, files: CountingFiles) -> int:
    async def by_tasks() -> int:
        return len([report async for report in avalidation.validate_layout(AsyncLayout(files))])

    return asyncio.run(by_tasks()) if way == "tasks" else len(list(validate_layout(Layout(files))))


# --- LAY-43


def test_lay_43_a_referrer_that_is_listed_often_is_read_once(build: "LayoutBuilder", way: str) -> None:
    image = build.image()
    referrer = build.manifest(build.config(), subject=image)
    for number in range(MANY):
        build.tag(f"name-{number}", referrer)
    files = CountingFiles(build.write())

    assert referrers(way, files, image["digest"]) == MANY
    assert files.opened.total() == 1


def test_lay_43_a_referrers_tag_that_is_listed_often_is_read_once(build: "LayoutBuilder", way: str) -> None:
    image = build.image()
    listed = build.index(build.manifest(build.config(), subject=image))
    tag = image["digest"].replace(":", "-")
    build.entries += [{**listed, "annotations": {REF_NAME: tag, "number": str(it)}} for it in range(MANY)]
    files = CountingFiles(build.write())

    assert referrers(way, files, image["digest"]) == 1
    assert files.opened[build.name(listed)] == 2  # as the tag, and as a manifest of the index


def test_lay_43_a_config_that_many_manifests_share_is_parsed_once(build: "LayoutBuilder", way: str) -> None:
    config = build.config()
    for number in range(MANY):
        build.tag(None, build.manifest(config, annotations={"number": str(number)}))
    files = CountingFiles(build.write())

    assert validated(way, files) == MANY + 2
    assert files.opened[build.name(config)] == 2  # for its manifests, and on its own


class CountingTar(TarFiles):
    """An archive that counts how often each of its members is opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.opened: Counter[str] = Counter()

    def open(self, *parts: str) -> BinaryIO:
        self.opened["/".join(parts)] += 1
        return super().open(*parts)


def saved(tarred: Callable[..., Path], images: list[dict[str, Any]], layers: int) -> CountingTar:
    diff_ids = ["sha256:" + f"{number:064x}" for number in range(layers)]
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    contents = json.dumps(images).encode(), json.dumps(config).encode(), gzip.compress(b"layer")
    return CountingTar(tarred(*zip(("manifest.json", "config", "layer"), contents, strict=True)))


def test_lay_43_a_config_that_many_saved_images_share_is_read_once(tarred: Callable[..., Path]) -> None:
    files = saved(tarred, [{"Config": "config", "RepoTags": [f"web:{it}"], "Layers": []} for it in range(MANY)], 0)
    with closing(files):
        images = SavedImages(files)
        with pytest.raises(errors.NotFoundError):
            images.open_blob(images.manifest("web:0").digest, 0)
        assert not images.has_blob(images.manifest("web:1").digest)
    assert files.opened["config"] == 1


def test_lay_43_a_layer_that_one_image_names_often_is_hashed_once(tarred: Callable[..., Path]) -> None:
    files = saved(tarred, [{"Config": "config", "RepoTags": ["web:1"], "Layers": ["layer"] * MANY}], MANY)

    with closing(files):
        assert len(SavedImages(files).manifest("web:1").layers) == MANY
    assert files.opened["layer"] == 1


# --- LAY-46


def test_lay_46_few_of_very_many_blobs_are_hashed_ahead(
    build: "LayoutBuilder", way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MANY):
        build.blob(str(number).encode())
    (build.file(build.blob(b"wrong"))).write_bytes(b"another")
    most = 0

    class Counting(ThreadPoolExecutor):
        def submit(self, *rest: Any, **more: Any) -> Any:
            nonlocal most
            most = max(most, self._work_queue.qsize())
            return super().submit(*rest, **more)

    for module in (validation, avalidation):
        monkeypatch.setattr(module, "ThreadPoolExecutor", Counting)
        monkeypatch.setattr(module, "_AHEAD", 4)
    assert validated(way, CountingFiles(build.write())) == MANY + 2
    assert most <= 4
