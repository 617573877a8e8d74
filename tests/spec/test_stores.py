"""What every store promises: registries, layouts and archives, sync and async; one test for each promise.

Media differ in what they can hold. `MEDIA` says what each of them has; a test that needs more than the image of one
platform says so by `needs`, and runs on the media that have it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, Platform, aopen_image, aopen_store, errors, open_image, open_store
from tests.spec.media import MEDIA, WHOLE, Medium

NOT_THERE = "sha256:" + "0" * 64
AMD64 = Platform.from_name("linux/amd64")


class Opened:
    """A store, opened in one of the ways; `do` calls a method of it and waits for the result where one must."""

    def __init__(self, name: str, medium: Medium = WHOLE, *, is_async: bool) -> None:
        self.name, self.medium, self.is_async = name, medium, is_async

    def do(self, action: Callable[[Any], Any]) -> Any:
        if self.is_async:
            return asyncio.run(self._do(action))
        with open_store(self.name) as store:
            return action(store)

    async def _do(self, action: Callable[[Any], Any]) -> Any:
        async with aopen_store(self.name) as store:
            result = action(store)
            return await result if isawaitable(result) else result


def needs(*attributes: str) -> pytest.MarkDecorator:
    """Run a test on the media that have all of this."""
    having = [name for name, medium in MEDIA.items() if all(getattr(medium, needed) for needed in attributes)]
    return pytest.mark.parametrize("store", [way for name in having for way in (name, f"async {name}")], indirect=True)


@pytest.fixture(params=[way for name in MEDIA for way in (name, f"async {name}")])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    medium = request.param.removeprefix("async ")
    name: str = request.getfixturevalue("name_of")(medium)
    return Opened(name, MEDIA[medium], is_async=medium != request.param)


def test_tags_are_those_that_were_written(store: Opened) -> None:
    assert set(store.do(lambda it: it.tags())) == store.medium.tags
    assert len(store.do(lambda it: it.tags())) == len(store.medium.tags)


def test_a_tag_resolves_to_the_digest_of_the_bytes(store: Opened) -> None:
    tag = store.medium.index or store.medium.single
    descriptor = store.do(lambda it: it.resolve(tag))
    manifest = store.do(lambda it: it.get_manifest(tag))

    assert (descriptor.digest, descriptor.size, descriptor.media_type) == (
        manifest.digest,
        len(manifest.raw),
        manifest.media_type,
    )
    assert Digest.of(manifest.raw) == manifest.digest
    assert store.do(lambda it: it.get_manifest(str(manifest.digest))) == manifest
    assert store.do(lambda it: it.get_raw_manifest(tag)).raw == manifest.raw
    assert store.do(lambda it: it.check_manifest(tag)) == manifest.digest


@pytest.mark.parametrize("reference", ["none", NOT_THERE])
def test_what_is_not_there_is_not_found(store: Opened, reference: str) -> None:
    assert store.do(lambda it: it.check_manifest(reference)) is None
    for action in ("resolve", "get_manifest", "get_image", "get_raw_manifest", "get_config"):
        with pytest.raises(errors.NotFoundError):
            store.do(lambda it, action=action: getattr(it, action)(reference))


def test_an_address_leads_back_to_the_store(store: Opened) -> None:
    async def asked(it: Any) -> tuple[str, str]:
        return it.name, it.address

    name, address = store.do(asked if store.is_async else lambda it: (it.name, it.address))
    assert address.endswith(name)
    assert store.name in {address, *(f"{kind}:{address}" for kind in ("oci", "oci-archive", "docker-archive"))}


@needs("index")
def test_an_image_with_its_platforms(store: Opened) -> None:
    image = store.do(lambda it: it.get_image("1.4"))

    assert image.platforms == {AMD64, Platform.from_name("linux/arm64"), Platform.from_name("linux/arm/v7")}
    assert image.tag == "1.4"
    assert image.index is not None
    assert image.digest == image.index.digest


def test_an_image_of_one_platform_is_that_image(store: Opened) -> None:
    image = store.do(lambda it: it.get_image(store.medium.single))

    assert image.platforms == {AMD64}
    assert image.tag == store.medium.single
    assert image.index is None
    assert image.digest == image.manifest.digest == store.do(lambda it: it.resolve(store.medium.single)).digest


def test_the_image_of_one_platform(store: Opened) -> None:
    async def by_task(it: Any) -> Any:
        return await (await it.get_image(tag)).get_platform_image("linux/amd64")

    def by_thread(it: Any) -> Any:
        return it.get_image(tag).get_platform_image("linux/amd64")

    tag = store.medium.nested or store.medium.single
    found = store.do(by_task if store.is_async else by_thread)
    assert found.platform == AMD64
    assert found.config.digest == found.manifest.config.digest


@needs("artifact")
def test_an_artifact_is_no_image(store: Opened) -> None:
    with pytest.raises(errors.NotAnImageError):
        store.do(lambda it: it.get_image("artifact"))
    assert store.do(lambda it: it.get_manifest("artifact")).layers


def test_a_blob_whole_in_chunks_and_in_a_file(store: Opened, tmp_path: Path) -> None:
    async def stream_by_task(it: Any) -> bytes:
        async with it.stream_blob(layer) as chunks:
            return b"".join([chunk async for chunk in chunks])

    def stream_by_thread(it: Any) -> bytes:
        with it.stream_blob(layer) as chunks:
            return b"".join(chunks)

    layer = store.do(lambda it: it.get_manifest(store.medium.single)).layers[0]
    whole = store.do(lambda it: it.get_blob(layer.digest))
    assert Digest.of(whole) == layer.digest
    assert store.do(stream_by_task if store.is_async else stream_by_thread) == whole
    assert store.do(lambda it: it.download_blob(layer, tmp_path / "layer")) == layer
    assert store.do(lambda it: it.download_blob(layer.digest, tmp_path / "other", resume=True)).size == layer.size
    assert (tmp_path / "layer").read_bytes() == (tmp_path / "other").read_bytes() == whole
    assert store.do(lambda it: it.has_blob(layer.digest)) is True


def _layout_of(folder: Path, blobs: dict[Digest, bytes]) -> str:
    """A layout of blobs alone, whatever their bytes are."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_bytes(b'{"schemaVersion":2,"manifests":[]}')
    for digest, octets in blobs.items():
        (folder / "blobs" / "sha256" / digest.encoded).write_bytes(octets)
    return f"oci:{folder}"


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("size", [0, 1, 3 * 1024 * 1024])
def test_the_last_chunk_of_a_stream_comes_once_the_digest_was_right(
    tmp_path: Path, size: int, *, is_async: bool
) -> None:
    seen: list[bytes] = []

    def take_as_a_thread(it: Any) -> None:
        with it.stream_blob(wanted) as chunks:
            seen.extend(chunks)

    async def take_as_a_task(it: Any) -> None:
        async with it.stream_blob(wanted) as chunks:
            async for chunk in chunks:
                seen.append(chunk)  # noqa: PERF401 (what comes before an error is looked at)

    good, bad = b"x" * size, Digest(NOT_THERE)
    store = Opened(_layout_of(tmp_path, {Digest.of(good): good, bad: good}), is_async=is_async)
    take = take_as_a_task if is_async else take_as_a_thread
    wanted = Digest.of(good)
    store.do(take)
    assert b"".join(seen) == good
    seen.clear()
    wanted = bad
    with pytest.raises(errors.DigestMismatchError):
        store.do(take)
    assert bool(seen) == (size > 1)
    assert len(b"".join(seen)) < max(size, 1)


def test_a_blob_that_is_not_there(store: Opened, tmp_path: Path) -> None:
    assert store.do(lambda it: it.has_blob(NOT_THERE)) is False
    for action in (lambda it: it.get_blob(NOT_THERE), lambda it: it.download_blob(NOT_THERE, tmp_path / "x")):
        with pytest.raises(errors.NotFoundError):
            store.do(action)
    assert not [path for path in tmp_path.iterdir() if "part" in path.name or path.name == "x"]


def test_a_blob_over_the_limit(store: Opened) -> None:
    layer = store.do(lambda it: it.get_manifest(store.medium.single)).layers[0]

    for wanted in (layer, layer.digest):
        with pytest.raises(errors.ResponseTooLargeError):
            store.do(lambda it, wanted=wanted: it.get_blob(wanted, limit=10))


def test_another_size_than_the_descriptor_says(store: Opened) -> None:
    layer = store.do(lambda it: it.get_manifest(store.medium.single)).layers[0]
    wrong = type(layer)(mediaType=layer.media_type, digest=layer.digest, size=layer.size + 1)

    with pytest.raises(errors.SizeMismatchError):
        store.do(lambda it: it.get_blob(wrong))


def test_what_cannot_be_proven_is_not_read(store: Opened) -> None:
    for action in ("get_blob", "referrers"):
        with pytest.raises(errors.UnsupportedDigestError):
            store.do(lambda it, action=action: getattr(it, action)("blake3:" + "0" * 64))


def test_nothing_refers_to_what_nobody_signed(store: Opened) -> None:
    digest = store.do(lambda it: it.resolve(store.medium.single)).digest

    assert store.do(lambda it: it.referrers(digest)) == ()


def test_one_line_of_text_is_an_image(store: Opened) -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with aopen_image(line) as image:
            yield image

    async def read() -> Any:
        async with opened() as image:
            return (await image.get_platform_image(platform)).platform

    line = f"{store.name}:{store.medium.index or store.medium.single}"
    platform = "linux/arm64" if store.medium.index else "linux/amd64"
    if store.is_async:
        assert asyncio.run(read()) == Platform.from_name(platform)
        return
    with open_image(line) as image:
        assert image.get_platform_image(platform).platform == Platform.from_name(platform)


def test_an_image_that_was_opened_without_a_block_closes_its_store_itself(store: Opened) -> None:
    line = f"{store.name}:{store.medium.index or store.medium.single}"

    async def opened_by_task() -> Any:
        image = await aopen_image(line)
        assert await image.get_platform_images()
        await image.close()
        await image.close()
        return image

    if store.is_async:
        image = asyncio.run(opened_by_task())
        with pytest.raises(errors.ClosedError):
            asyncio.run(image._source.tags())
        return
    image = open_image(line)
    assert image.get_platform_images()
    image.close()
    image.close()
    with pytest.raises(errors.ClosedError):
        image._source.tags()


def test_closing_an_image_that_a_store_returned_leaves_the_store_open(store: Opened) -> None:
    async def by_task(it: Any) -> Any:
        async with await it.get_image(store.medium.single) as image:
            await image.close()
        return await it.tags()

    def by_thread(it: Any) -> Any:
        with it.get_image(store.medium.single) as image:
            image.close()
        return it.tags()

    assert store.do(by_task if store.is_async else by_thread)


def test_a_store_may_be_opened_with_and_without_a_block(store: Opened) -> None:
    async def by_task() -> Any:
        opened = await aopen_store(store.name)
        tags = await opened.tags()
        await opened.close()
        async with aopen_store(store.name) as again:
            return tags, await again.tags()

    if store.is_async:
        one, other = asyncio.run(by_task())
    else:
        opened = open_store(store.name)
        one = opened.tags()
        opened.close()
        with open_store(store.name) as again:
            other = again.tags()
    assert one == other != ()


def test_a_store_that_was_closed_says_so_at_once_and_closing_it_twice_is_harmless(store: Opened) -> None:
    def close_and(then: Callable[[Any], Any]) -> Callable[[Any], Any]:
        async def by_task(it: Any) -> Any:
            await it.close()
            await it.close()
            return await then(it)

        def by_thread(it: Any) -> Any:
            it.close()
            it.close()
            return then(it)

        return by_task if store.is_async else by_thread

    for action in (
        lambda it: it.resolve(store.medium.single),
        lambda it: it.tags(),
        lambda it: it.get_image(store.medium.single),
        lambda it: it.has_blob(NOT_THERE),
        lambda it: it.get_blob(NOT_THERE),
    ):
        with pytest.raises(errors.ClosedError, match="is closed; read what you need before you close it"):
            store.do(close_and(action))


@needs("index")
def test_an_image_whose_store_was_closed_says_so(store: Opened) -> None:
    image = store.do(lambda it: it.get_image("1.4"))

    async def by_task() -> Any:
        return await image.get_platform_image(AMD64)

    with pytest.raises(errors.ClosedError):
        asyncio.run(by_task()) if store.is_async else image.get_platform_image(AMD64)


def test_what_a_descriptor_names_is_what_its_digest_names(store: Opened) -> None:
    index = store.do(lambda it: it.resolve(store.medium.index or store.medium.single))
    single = store.do(lambda it: it.resolve(store.medium.single))
    manifest = store.do(lambda it: it.get_manifest(single))

    assert store.do(lambda it: it.resolve(index)) == index
    assert store.do(lambda it: it.check_manifest(index)) == index.digest
    assert store.do(lambda it: it.get_raw_manifest(index)).digest == index.digest
    image = store.do(lambda it: it.get_image(index))
    assert (image.tag, image.digest) == (None, index.digest)
    assert store.do(lambda it: it.get_config(single)) == store.do(lambda it: it.get_config(store.medium.single))
    assert store.do(lambda it: it.get_config(manifest.config)) == store.do(lambda it: it.get_config(manifest))
    assert store.do(lambda it: it.referrers(index)) == store.do(lambda it: it.referrers(index.digest))
    assert store.do(lambda it: it.has_blob(manifest.config))


@needs("index")
def test_an_image_of_a_descriptor_in_an_index(store: Opened) -> None:
    def chosen(it: Any) -> Any:
        return _by_task(it) if store.is_async else _by_thread(it)

    async def _by_task(it: Any) -> Any:
        image = await it.get_image("1.4")
        return image.index.manifests[0], await image.get_platform_image(image.index.manifests[0])

    def _by_thread(it: Any) -> Any:
        image = it.get_image("1.4")
        return image.index.manifests[0], image.get_platform_image(image.index.manifests[0])

    descriptor, image = store.do(chosen)
    assert image.digest == descriptor.digest


def test_a_descriptor_of_what_is_not_there_is_not_found(store: Opened) -> None:
    nowhere = Descriptor(mediaType="application/vnd.oci.image.manifest.v1+json", digest=Digest(NOT_THERE), size=7)

    assert store.do(lambda it: it.check_manifest(nowhere)) is None
    for action in ("resolve", "get_manifest", "get_image", "get_raw_manifest", "get_config"):
        with pytest.raises(errors.NotFoundError):
            store.do(lambda it, action=action: getattr(it, action)(nowhere))
    assert not store.do(lambda it: it.has_blob(nowhere))
