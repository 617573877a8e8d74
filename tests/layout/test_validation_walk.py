"""One walk validates every store: layouts as files, and any store tag by tag; sync and async results are equal."""

import threading
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from dreg_client import (
    AsyncLayout,
    DocumentReport,
    Layout,
    RepositoryValidation,
    aopen_store,
    open_store,
    validate_layout,
)
from dreg_client._async.validation import AsyncRepositoryValidation
from dreg_client._async.validation import validate_layout as avalidate_layout
from dreg_client.errors import DigestMismatchError, NotFoundError

if TYPE_CHECKING:
    from tests.layout.conftest import Json, LayoutBuilder

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
BIG = 64 << 20


def by_tag(name: str, **how: bool) -> list[DocumentReport]:
    with open_store(name) as store:
        validation = RepositoryValidation(store, **how)
        return [found for tag in store.tags() for found in validation.tag(tag)]


def rules(reports: list[Any]) -> list[str]:
    return [f"{problem.rule} {problem.severity}" for found in reports for problem in found.report.problems]


# --- tag by tag


@pytest.mark.parametrize("name", ["web", "modern", "legacy"])
def test_a_docker_archive_is_validated_tag_by_tag(fixtures: Path, name: str) -> None:
    reports = by_tag(f"docker-archive:{fixtures}/archives/{name}.docker.tar", complete=True)

    assert rules(reports) == []
    assert {found.report.kind for found in reports} == {"docker-manifest", "image-config"}


def test_a_layout_is_validated_tag_by_tag_by_digests(fixtures: Path) -> None:
    path = fixtures / "layouts/multi"
    reports = by_tag(f"oci:{path}", complete=True)

    with Layout(path) as layout:
        files = {found.report.digest for found in validate_layout(layout) if found.report.kind}
        tags = layout.tags()
    assert {found.report.digest for found in reports} | {layout.index.digest} >= files - {layout.index.digest}
    assert set(tags) == {found.name for found in reports if ":" not in found.name}


@pytest.mark.parametrize("is_complete", [False, True])
def test_what_is_missing_is_reported_by_both_walks(build: "LayoutBuilder", *, is_complete: bool) -> None:
    """Without `complete`, layers are not looked for tag by tag."""
    config, layer = build.config(), build.blob(b"layer")
    gone = build.image("linux/arm64")
    build.tag("1.4", build.index(build.manifest(config, layer), gone))
    for entry in (config, layer, gone):
        build.file(entry).unlink()
    layout = Layout(build.write())

    severity = "error" if is_complete else "warning"
    assert rules(list(validate_layout(layout, complete=is_complete))) == [f"LYT-04 {severity}"] * 3
    reports = by_tag(f"oci:{build.path}", complete=is_complete)
    assert rules(reports) == [f"LYT-04 {severity}"] * (3 if is_complete else 2)
    names = {found.name for found in reports if found.report.problems}
    assert names == {entry["digest"] for entry in ((config, layer, gone) if is_complete else (config, gone))}


def test_other_bytes_are_reported_tag_by_tag_and_not_read_any_further(build: "LayoutBuilder") -> None:
    manifest = build.image()
    build.tag("1.4", build.index(manifest))
    build.file(manifest).write_bytes(build.file(manifest).read_bytes().replace(b"schemaVersion", b"SchemaVersion"))

    index, found = by_tag(f"oci:{build.write()}")
    assert index.report.ok
    assert [problem.rule for problem in found.report.problems] == ["LYT-03"]
    assert found.report.problems[0].expected.endswith("$.manifests")


def test_a_tag_that_cannot_be_read_is_an_error(build: "LayoutBuilder") -> None:
    entry = build.tag("1.4", build.image())
    layout = Layout(build.write())
    build.file(entry).write_bytes(bytes(entry["size"]))

    with pytest.raises(DigestMismatchError):
        list(RepositoryValidation(layout).tag("1.4"))
    with pytest.raises(NotFoundError):
        list(RepositoryValidation(layout).tag("1.5"))


@pytest.mark.parametrize("levels", [8, 9])
def test_indexes_are_nested_as_deep_tag_by_tag_as_in_a_layout(build: "LayoutBuilder", levels: int) -> None:
    entry = build.image()
    for _ in range(levels):
        entry = build.index(entry)
    build.tag("1.4", entry)
    layout = Layout(build.write())

    expected = ["GEN-04 error"] * (levels > 8)
    assert rules(list(validate_layout(layout))) == expected
    reports = by_tag(f"oci:{build.path}")
    assert rules(reports) == expected
    if expected:
        assert reports[-1].report.problems[0].found.startswith("an index at level 9, from sha256:")


def test_threads_that_share_a_validation_report_each_document_once(build: "LayoutBuilder") -> None:
    shared = [build.image(f"linux/{name}") for name in ("amd64", "arm64", "s390x")]
    for number in range(40):
        build.tag(f"1.{number}", build.index(*shared, annotations={"n": str(number)}))
    validation = RepositoryValidation(Layout(build.write()))
    found: list[str] = []

    def look(tags: list[str]) -> None:
        for tag in tags:
            found.extend(it.name for it in validation.tag(tag))

    threads = [Thread(target=look, args=([f"1.{number}" for number in range(first, 40, 4)],)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 40 + 2 * len(shared)


# --- sync and async


@BACKENDS
@pytest.mark.parametrize("name", ["multi", "skopeo", "broken/flipped-byte", "broken/missing-blob", "broken/wrong-size"])
def test_a_layout_is_validated_alike_by_async_code(fixtures: Path, name: str, backend: str) -> None:
    path = fixtures / "layouts" / name

    async def validated() -> list[Any]:
        async with AsyncLayout(path) as layout:
            return [found async for found in avalidate_layout(layout, pedantic=True, jobs=3)]

    with Layout(path) as layout:
        assert anyio.run(validated, backend=backend) == list(validate_layout(layout, pedantic=True))


@BACKENDS
@pytest.mark.parametrize("kind", ["oci:{}/layouts/multi", "docker-archive:{}/archives/web.docker.tar"])
def test_a_store_is_validated_alike_by_async_code_tag_by_tag(fixtures: Path, kind: str, backend: str) -> None:
    name = kind.format(fixtures)

    async def validated() -> list[DocumentReport]:
        async with aopen_store(name) as store:
            validation = AsyncRepositoryValidation(store, complete=True)
            return [found for tag in await store.tags() async for found in validation.tag(tag)]

    assert anyio.run(validated, backend=backend) == by_tag(name, complete=True)


# --- hashing ends when its reports are not wanted any more


@pytest.fixture
def large(build: "LayoutBuilder") -> Path:
    """A layout with a small layer, and large ones that would take some time to hash."""
    sizes: list[Json] = [build.blob(b"first")]
    for number in range(6):
        entry = build.blob(b"%d" % number)
        with build.file(entry).open("r+b") as file:
            file.truncate(16 * BIG)  # sparse
        sizes.append({**entry, "size": 16 * BIG})
    build.tag("1.4", build.manifest(build.config(diff_ids=7), *sizes))
    return build.write()


def hashing() -> list[Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def read_until_the_first_layer(reports: Callable[[], Any]) -> None:
    found = reports()
    while found.report.kind is not None:
        found = reports()
    assert found.report.size == 5
    assert hashing()


def test_a_validation_that_is_left_early_ends_its_threads(large: Path) -> None:
    with Layout(large) as layout:
        reports = validate_layout(layout, jobs=2)
        read_until_the_first_layer(lambda: next(reports))
        reports.close()  # type: ignore[attr-defined]
    assert not hashing()


@BACKENDS
def test_an_async_validation_that_is_left_early_ends_its_threads(large: Path, backend: str) -> None:
    async def left_early() -> None:
        async with AsyncLayout(large) as layout:
            reports = avalidate_layout(layout, jobs=2)
            async for found in reports:
                if found.report.kind is None:
                    assert hashing()
                    break
            await reports.aclose()  # type: ignore[attr-defined]
        assert not hashing()

    anyio.run(left_early, backend=backend)


@BACKENDS
def test_a_cancelled_validation_ends_its_threads(large: Path, backend: str) -> None:
    async def cancelled() -> None:
        async with AsyncLayout(large) as layout:
            with anyio.move_on_after(0.3) as scope:
                async for _ in avalidate_layout(layout, jobs=2):
                    pass
            assert scope.cancelled_caught
            await anyio.sleep(1)
            assert not hashing()

    anyio.run(cancelled, backend=backend)
