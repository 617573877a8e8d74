"""What stores promise holds under trio as well as under asyncio."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from dreg_client import Digest, Platform, aopen_image, aopen_store, errors
from tests.spec.media import MEDIA, Medium

NOT_THERE = "sha256:" + "0" * 64
Do = Callable[[Callable[[Any], Awaitable[Any]]], Any]


@pytest.fixture(params=MEDIA)
def medium(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return str(request.param)


@pytest.fixture
def held(medium: str) -> Medium:
    return MEDIA[medium]


@pytest.fixture
def do(name_of: Callable[[str], str], medium: str) -> Do:
    """Does something with a store, under trio."""

    async def done(action: Callable[[Any], Awaitable[Any]]) -> Any:
        async with aopen_store(name_of(medium)) as store:
            return await action(store)

    return lambda action: trio.run(done, action)


def test_tags_are_listed_and_resolve_to_manifests(do: Do, held: Medium) -> None:
    async def read(it: Any) -> Any:
        return await it.tags(), await it.resolve(held.single), await it.get_manifest(held.single)

    tags, descriptor, manifest = do(read)
    assert set(tags) == held.tags
    assert descriptor.digest == manifest.digest == Digest.of(manifest.raw)


def test_an_image_is_opened_by_one_line_of_text(name_of: Callable[[str], str], medium: str, held: Medium) -> None:
    async def read() -> Any:
        async with aopen_image(f"{name_of(medium)}:{held.single}") as image:
            return image, await image.get_platform_image("linux/amd64")

    image, found = trio.run(read)
    assert image.platforms == {found.platform} == {Platform.from_name("linux/amd64")}
    assert found.digest == image.digest


def test_a_blob_is_read_whole_in_chunks_and_to_a_file(do: Do, held: Medium, tmp_path: Path) -> None:
    async def read(it: Any) -> Any:
        layer = (await it.get_manifest(held.single)).layers[0]
        async with it.stream_blob(layer) as chunks:
            streamed = b"".join([chunk async for chunk in chunks])
        return layer, streamed, await it.get_blob(layer), await it.download_blob(layer, tmp_path / "layer")

    layer, streamed, whole, written = do(read)
    assert Digest.of(whole) == layer.digest == written.digest
    assert whole == streamed == (tmp_path / "layer").read_bytes()


def test_what_is_not_there_is_not_found(do: Do) -> None:
    assert do(lambda it: it.check_manifest("none")) is None
    assert do(lambda it: it.has_blob(NOT_THERE)) is False
    for action in (lambda it: it.get_image("none"), lambda it: it.get_blob(NOT_THERE)):
        with pytest.raises(errors.NotFoundError):
            do(action)


def test_a_closed_store_says_so(do: Do, held: Medium) -> None:
    async def close_and_read(it: Any) -> Any:
        await it.close()
        return await it.get_manifest(held.single)

    with pytest.raises(errors.ClosedError):
        do(close_and_read)
