"""Large blobs are written and hashed by threads while they are read; whatever happens, no thread is left."""

import asyncio
import resource
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, errors
from dreg_client._async.client import AsyncClient
from dreg_client._async.write_behind import AsyncWriteBehind
from dreg_client._sync.write_behind import WriteBehind
from dreg_client.files.partial_file import PartialFile
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from tests.downloads.kinds import Source, run
from tests.raw_server import answer, speaking
from tests.transport.pieces import threads as left

LARGE = bytes(range(256)) * 32_768
DIGEST = Digest.of(LARGE)
SMALL = LARGE[:900_000]
Client = Callable[..., Any]


def threads() -> list[str]:
    """The threads behind a reading that there are now."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dreg-behind")]


def serving(body: bytes, length: int | None = None) -> Any:
    return speaking(lambda head, connection: connection.sendall(answer(body, length=length)))


@pytest.mark.parametrize(("body", "begun"), [(LARGE, True), (SMALL, False)], ids=["large", "small"])
def test_large_blobs_alone_start_threads(client: Client, body: bytes, begun: bool, tmp_path: Path) -> None:
    seen: set[str] = set()
    with serving(body) as server, client(server, on_event=lambda event: seen.update(threads())) as (_, do):
        do(lambda repository: repository.download_blob(Digest.of(body), tmp_path / "blob"))
    assert (tmp_path / "blob").read_bytes() == body
    assert bool(seen) == begun
    assert left() == []


@contextmanager
def no_file_over(size: int) -> Generator[None]:
    """The system writes no more than so many bytes to a file: as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_dld_14_what_cannot_be_written_comes_out_of_the_reading(client: Client, tmp_path: Path) -> None:
    with serving(LARGE) as server, client(server) as (_, do):
        with no_file_over(3_000_000), pytest.raises(errors.LayoutError) as raised:
            do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob"))
        assert isinstance(raised.value.__cause__, OSError)
        assert list(tmp_path.iterdir()) == []
        assert left() == []


def test_what_is_kept_of_a_full_disk_is_a_whole_beginning(client: Client, tmp_path: Path) -> None:
    with serving(LARGE) as server, client(server) as (_, do):
        with no_file_over(3_000_000), pytest.raises(errors.LayoutError):
            do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob", resume=True))
        [part] = tmp_path.iterdir()
        kept = part.read_bytes()
        assert LARGE.startswith(kept)
        assert len(kept) == 3_000_000


def test_behind_a_gap_nothing_is_written(tmp_path: Path) -> None:
    """The disk has room again after it was full: what comes then has lost its place."""
    request = BlobRequest(DIGEST)
    with PartialFile(tmp_path / "blob", request, resume=True, durability="fast", refetches=False) as file:
        file.hash_kept()
        with no_file_over(1_000_000), pytest.raises(errors.LayoutError):
            file.write([LARGE[:2_000_000]])
        file.write([LARGE[2_000_000:]])
        [part] = tmp_path.iterdir()
        assert part.read_bytes() == LARGE[:1_000_000]


def test_other_bytes_leave_nothing(client: Client, tmp_path: Path) -> None:
    with serving(LARGE[:-1] + b"?") as server, client(server) as (_, do):
        with pytest.raises(errors.DigestMismatchError):
            do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob"))
        assert list(tmp_path.iterdir()) == []
        assert left() == []


def test_an_interrupt_leaves_no_thread_and_no_file(client: Client, tmp_path: Path) -> None:
    came: list[int] = []

    def interrupt(event: Any) -> None:
        came.append(getattr(event, "octets", 0))
        if sum(came) > len(LARGE) // 2:
            came.clear()
            raise KeyboardInterrupt

    with serving(LARGE) as server, client(server, on_event=interrupt) as (_, do):
        with pytest.raises(KeyboardInterrupt):
            do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob"))
        assert list(tmp_path.iterdir()) == []
        assert left() == []


def test_a_task_that_is_cancelled_leaves_no_thread_and_no_file(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        half = asyncio.Event()
        come = 0

        def count(event: Any) -> None:
            nonlocal come
            come += getattr(event, "octets", 0)
            if come > len(LARGE) // 2:
                half.set()

        client = AsyncClient(RegistryURL.parse(url), Options(on_event=count))
        reading = asyncio.create_task(Source(client).download_blob(DIGEST, tmp_path / "blob"))
        await half.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await client.aclose()

    held = threading.Event()

    def script(head: bytes, connection: Any) -> None:
        connection.sendall(answer(LARGE[:-1000], length=len(LARGE)))
        held.wait(20)

    with speaking(script) as server:
        asyncio.run(main(server.url))
        held.set()
    assert list(tmp_path.iterdir()) == []
    assert left() == []


def test_blocks_keep_their_order_and_no_more_than_a_few_wait() -> None:
    done: list[bytes] = []
    ahead: list[int] = []
    with WriteBehind(done.extend) as behind:
        for number in range(200):
            behind.put([b"%d" % number])
            ahead.append(number - len(done))
        behind.finish()
    assert done == [b"%d" % number for number in range(200)]
    assert max(ahead) <= 3


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_a_task_has_its_blocks_in_order_too(kind: str) -> None:
    done: list[bytes] = []

    async def main() -> None:
        async with AsyncWriteBehind(done.extend, list) as behind:
            for number in range(200):
                await behind.put([b"%d" % number])
            await behind.finish()

    run(kind, main)
    assert done == [b"%d" % number for number in range(200)]
    assert left() == []


class Interrupting(threading.Thread):
    """A thread whose start is interrupted, before it began or just after."""

    before = False

    def start(self) -> None:
        if self.before:
            raise KeyboardInterrupt
        super().start()
        raise KeyboardInterrupt


@pytest.mark.parametrize("before", [True, False])
def test_an_interrupt_amid_the_start_of_a_thread_leaves_none(monkeypatch: pytest.MonkeyPatch, before: bool) -> None:
    done: list[bytes] = []
    monkeypatch.setattr(Interrupting, "before", before)
    monkeypatch.setattr(threading, "Thread", Interrupting)
    with pytest.raises(KeyboardInterrupt), WriteBehind(done.extend, done.extend) as behind:
        behind.put([b"1"])
    now = list(done)
    assert left() == []
    assert done == now, "what is written once the file is closed"
    assert done in ([], [b"1"])
