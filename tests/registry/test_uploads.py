"""Uploads to Debian's docker-registry: every kind of source, every size around a chunk, `kill -9` and `--resume`."""

import asyncio
import io
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Answered, AsyncRegistry, Credential, Digest, Registry, Sent, errors
from dreg_client.protocol.upload_limits import CHUNK
from tests.commands import run_limited, start_limited
from tests.registries import PASSWORD, USER, RunningRegistry, running
from tests.token_server import TokenServer

ROOT = Path(__file__).parents[2]
DREG = [sys.executable, "-m", "dreg_client.cli", "blob", "put"]
PIECE = 1_000_001


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("uploads")) as up:
        yield up


def pieces(raw: bytes) -> Iterator[bytes]:
    return (raw[start : start + PIECE] for start in range(0, len(raw), PIECE))


async def async_pieces(raw: bytes) -> AsyncIterator[bytes]:
    for piece in pieces(raw):
        yield piece


class Unseekable(io.BytesIO):
    """A file that can be read once, as a pipe."""

    def seekable(self) -> bool:
        return False


def in_file(raw: bytes, folder: Path) -> Path:
    path = folder / "content"
    path.write_bytes(raw)
    return path


Make = Callable[[bytes, Path], Any]
SOURCES: dict[str, Make] = {
    "bytes": lambda raw, _: raw,
    "bytearray": lambda raw, _: bytearray(raw),
    "memoryview": lambda raw, _: memoryview(raw),
    "path": in_file,
    "text": lambda raw, folder: str(in_file(raw, folder)),
    "file": lambda raw, _: io.BytesIO(raw),
    "pipe": lambda raw, _: Unseekable(raw),
    "iterator": lambda raw, _: pieces(raw),
    "list": lambda raw, _: [*pieces(raw)],
}
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("source", SOURCES)
def test_a_blob_is_what_was_uploaded(registry: RunningRegistry, tmp_path: Path, source: str, size: int) -> None:
    raw = os.urandom(size)
    with Registry(registry.url) as client:
        repository = client.repository("acme/sources")
        found = repository.push_blob(SOURCES[source](raw, tmp_path), media_type="application/x-test")

        assert found.digest == Digest.of(raw)
        assert (found.size, found.media_type) == (size, "application/x-test")
        assert repository.get_blob(found.digest) == raw


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("source", ["path", "iterator", "async iterator"])
def test_async_code_uploads_the_same(registry: RunningRegistry, tmp_path: Path, source: str, size: int) -> None:
    raw = os.urandom(size)

    async def upload() -> None:
        given = async_pieces(raw) if source == "async iterator" else SOURCES[source](raw, tmp_path)
        async with AsyncRegistry(registry.url) as client:
            repository = client.repository("acme/async")
            assert (await repository.push_blob(given)).digest == Digest.of(raw)
            assert await repository.get_blob(Digest.of(raw)) == raw

    asyncio.run(upload())


def test_a_seekable_file_is_uploaded_from_its_position(registry: RunningRegistry) -> None:
    raw = os.urandom(1000)
    file = io.BytesIO(b"skipped" + raw)
    file.seek(7)
    with Registry(registry.url) as client:
        assert client.repository("acme/web").push_blob(file).digest == Digest.of(raw)


def test_an_existing_blob_is_not_sent_again(registry: RunningRegistry) -> None:
    raw, seen = os.urandom(100_000), list[object]()
    with Registry(registry.url, on_event=seen.append) as client:
        repository = client.repository("acme/again")
        first = repository.push_blob(raw)
        sent = [event for event in seen if isinstance(event, Sent)]
        seen.clear()

        assert repository.push_blob(raw) == first
        assert repository.push_blob(iter([raw])) == first
        assert repository.push_blob(iter(()), digest=first.digest) == first
    assert sent[-1] == Sent(first.digest, 100_000, 100_000, 100_000)
    assert not [event for event in seen if isinstance(event, Sent)]


def test_threads_upload_the_same_blob_once(registry: RunningRegistry) -> None:
    raw, seen = os.urandom(8 * CHUNK), list[object]()
    with Registry(registry.url, on_event=seen.append) as client, ThreadPoolExecutor(4) as threads:
        repository = client.repository("acme/threads")
        found = list(threads.map(repository.push_blob, [raw] * 4))

    assert {each.digest for each in found} == {Digest.of(raw)}
    assert len([event for event in seen if isinstance(event, Answered) and event.method == "PUT"]) == 1


def test_tasks_upload_the_same_blob_once(registry: RunningRegistry) -> None:
    raw, seen = os.urandom(8 * CHUNK), list[object]()

    async def upload() -> None:
        async with AsyncRegistry(registry.url, on_event=seen.append) as client, asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(client.repository("acme/tasks").push_blob(raw))

    asyncio.run(upload())
    assert len([event for event in seen if isinstance(event, Answered) and event.method == "PUT"]) == 1


def test_small_pieces_are_joined(registry: RunningRegistry) -> None:
    raw, seen = os.urandom(200_000), list[object]()
    with Registry(registry.url, on_event=seen.append) as client:
        found = client.repository("acme/bytes").push_blob(raw[at : at + 1] for at in range(len(raw)))

    assert found.digest == Digest.of(raw)
    assert len([event for event in seen if isinstance(event, Sent)]) < 20


def test_a_blob_is_mounted_from_another_repository(registry: RunningRegistry) -> None:
    raw = os.urandom(100_000)
    with Registry(registry.url) as client:
        digest = client.repository("acme/base").push_blob(raw).digest
        seen = list[object]()
    with Registry(registry.url, on_event=seen.append) as client:
        web = client.repository("acme/mounted")
        assert web.push_blob(raw, mount_from="acme/base").digest == digest
        assert web.get_blob(digest) == raw
        assert client.repository("acme/other").mount_blob(digest, "acme/base")
        assert not client.repository("acme/other").mount_blob(Digest.of(b"absent"), "acme/base")
    assert not [event for event in seen if isinstance(event, Sent)]


def test_a_token_for_both_repositories_is_requested_to_mount(
    token_registry: tuple[RunningRegistry, TokenServer],
) -> None:
    own, tokens = token_registry
    raw = os.urandom(1000)
    with Registry(own.url, ca_file=str(own.ca_file), credentials=Credential(USER, PASSWORD)) as client:
        digest = client.repository("acme/base").push_blob(raw).digest
        tokens.asked.clear()
        assert client.repository("acme/mounted").mount_blob(digest, "acme/base")
        assert client.repository("acme/mounted").push_blob(os.urandom(CHUNK + 1)).size == CHUNK + 1
    assert "basic repository:acme/base:pull repository:acme/mounted:pull,push" in tokens.asked


@pytest.mark.parametrize(
    "source", [1, None, object(), io.StringIO("text"), ["text"]], ids=lambda source: type(source).__name__
)
def test_what_is_no_content_is_a_type_error(registry: RunningRegistry, source: Any) -> None:
    with Registry(registry.url) as client, pytest.raises(TypeError, match="the content of a blob must be bytes"):
        client.repository("acme/web").push_blob(source)


def test_a_file_that_cannot_be_read_is_an_error_of_ours(registry: RunningRegistry, tmp_path: Path) -> None:
    with Registry(registry.url) as client:
        for path in (tmp_path / "absent", tmp_path):
            with pytest.raises(errors.FileError, match="cannot be read"):
                client.repository("acme/web").push_blob(path)


def test_an_error_of_the_caller_s_iterator_cancels_the_upload(registry: RunningRegistry) -> None:
    def broken() -> Iterator[bytes]:
        yield os.urandom(CHUNK + 1)
        raise LookupError("mine")

    with Registry(registry.url) as client, pytest.raises(LookupError, match="mine"):
        client.repository("acme/broken").push_blob(broken())
    uploads = registry.root / "storage/docker/registry/v2/repositories/acme/broken/_uploads"
    assert not [*uploads.rglob("data")]


# --- `kill -9`


def environment(state: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(state), "XDG_STATE_HOME": str(state), "PYTHONPATH": str(ROOT)}


def test_a_killed_upload_goes_on_after_the_last_chunk(registry: RunningRegistry, tmp_path: Path) -> None:
    raw = os.urandom(2 * CHUNK + 5)
    path, pipe, state = in_file(raw, tmp_path), tmp_path / "pipe", tmp_path / "state"
    os.mkfifo(pipe)
    words = [f"{registry.address}/acme/killed", str(pipe), "--digest", Digest.of(raw), "--resume"]
    with start_limited([*DREG, *words], env=environment(state), cwd=tmp_path) as process, pipe.open("wb") as writer:
        writer.write(raw[: CHUNK + 1])
        writer.write(raw[CHUNK + 1 : 2 * CHUNK])  # read once the first chunk has arrived and been noted
        writer.flush()
        process.kill()
        assert process.wait(60) == -9
    (kept,) = (state / "dreg/uploads").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700

    words[1] = str(path)
    done = run_limited(
        [*DREG, "--debug", *words], env=environment(state), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{Digest.of(raw)}\n", done.stderr
    requests = [line.split()[2] for line in done.stderr.splitlines() if line.startswith("dreg: debug: ")]
    assert requests == ["HEAD", "GET", "PATCH", "PATCH", "PUT"]
    assert not [*kept.parent.iterdir()]
    with Registry(registry.url) as client:
        assert client.repository("acme/killed").get_blob(Digest.of(raw)) == raw


@pytest.mark.parametrize("moment", ["HEAD", "POST", "PATCH", "PUT"])
def test_a_killed_upload_is_completed_by_the_same_command(
    registry: RunningRegistry, tmp_path: Path, moment: str
) -> None:
    raw = os.urandom(2 * CHUNK)
    words = [f"{registry.address}/acme/moments", str(in_file(raw, tmp_path)), "--resume", "--format", "json"]
    env = environment(tmp_path / "state")
    with start_limited([*DREG, "--debug", *words], env=env, cwd=tmp_path, stderr=-1, stdout=-3) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if f" {moment} ".encode() in line:
                process.kill()
                break
        process.stderr.close()

    done = run_limited([*DREG, *words], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["digest"] == Digest.of(raw)
    with Registry(registry.url) as client:
        assert client.repository("acme/moments").get_blob(Digest.of(raw)) == raw


def test_an_upload_that_the_registry_has_dropped_starts_over_and_says_so(
    registry: RunningRegistry, tmp_path: Path
) -> None:
    raw = os.urandom(2 * CHUNK)
    words = [f"{registry.address}/acme/dropped", str(in_file(raw, tmp_path)), "--resume"]
    env = environment(tmp_path / "state")
    with start_limited([*DREG, "--debug", *words], env=env, cwd=tmp_path, stderr=-1, stdout=-3) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if b" PATCH " in line)
        process.kill()
        process.stderr.close()
    shutil.rmtree(registry.root / "storage/docker/registry/v2/repositories/acme/dropped")

    done = run_limited([*DREG, *words], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, f"{Digest.of(raw)}\n")
    assert done.stderr == "dreg: warning: the registry has dropped the earlier upload; starting over\n"
