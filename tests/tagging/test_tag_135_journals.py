"""Lines of journals that are cancelled or too long."""

from pathlib import Path

import anyio
import pytest

from dreg_client import AddTag, Digest, errors
from dreg_client._async.changes_journal import AsyncJournal
from dreg_client._sync.changes_journal import Journal
from dreg_client.files.journal_file import JournalFile
from dreg_client.tagging.journal import JournalRecord, StepLine


def step(number: int, tag: str = "1.0") -> StepLine:
    return StepLine(step=number, repository="oci:web", change=AddTag(tag=tag, digest=Digest.of(b"")))


def written(path: Path) -> list[int]:
    return [StepLine.model_validate_json(line).step for line in path.read_text().splitlines()]


def test_tag_135_a_line_is_on_disk_though_another_task_that_would_write_it_is_cancelled(tmp_path: Path) -> None:
    path, returned = tmp_path / "changes.jsonl", list[int]()

    async def write(journal: AsyncJournal, number: int) -> None:
        await journal.write(step(number))
        assert number in written(path)
        returned.append(number)

    async def main() -> None:
        journal = AsyncJournal(JournalFile(path), JournalRecord())
        first = anyio.CancelScope()

        async def cancellable() -> None:
            with first:
                await write(journal, 1)

        async with anyio.create_task_group() as group:
            async with journal._lock:  # another line is being written
                group.start_soon(cancellable)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(write, journal, 2)
                await anyio.wait_all_tasks_blocked()
            first.cancel()  # it has just been given the lock

    anyio.run(main)

    assert returned == [2]
    assert written(path) == [2]


def test_tag_136_a_line_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "changes.jsonl"
    journal = Journal(JournalFile(path, longest=400), JournalRecord())
    journal.write(step(1))

    with pytest.raises(errors.FileError, match="the limit is 400 bytes"):
        journal.write(step(2, "t" * 400))

    journal.write(step(3))
    assert written(path) == [1, 3]
