"""A journal contains its plan, so an interrupted run can be finished without anything else."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import AddTag, aresume_plan, errors, resume_plan
from tests.tagging.changing import THREADS, Images, LayoutPlace, Place, filled, lines_of
from tests.tagging.test_undo import everything, killed_after

Resume = Callable[..., Any]


async def _resumed(*arguments: Any, **named: Any) -> Any:
    return await aresume_plan(*arguments, **named)


def by_tasks(*arguments: Any, **named: Any) -> Any:
    return asyncio.run(_resumed(*arguments, **named))


both = pytest.mark.parametrize("resume", [resume_plan, by_tasks], ids=["threads", "asyncio"])


def made(tmp_path: Path) -> tuple[Images, list[Any], Place, Path]:
    images, changes = everything()
    place = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path)
    return images, changes, place, tmp_path / "changes.jsonl"


@both
def test_a_journal_continues_without_its_plan(resume: Resume, tmp_path: Path) -> None:
    _, changes, place, journal = made(tmp_path)
    THREADS.apply(place.plan(*changes), journal=journal)
    after = place.tags()
    killed_after(journal, 5)

    left = resume(journal, dry_run=True)
    done = resume(journal)
    again = resume(journal)

    assert [change.action for change in left.changes] == ["untag", "delete"]
    assert (dict(done.failures), len(done.done), len(done.repositories[0].already)) == ({}, 0, 4)
    assert (again.done, place.tags()) == ((), after)
    assert resume(journal, dry_run=True).is_empty


@both
def test_what_was_undone_does_not_continue(resume: Resume, tmp_path: Path) -> None:
    _, changes, place, journal = made(tmp_path)
    THREADS.apply(place.plan(*changes), journal=journal)
    THREADS.undo(journal)
    before = journal.read_bytes()

    with pytest.raises(errors.ConfigError, match="were undone; to apply the plan again, name a new file"):
        resume(journal)
    with pytest.raises(errors.FileError, match="does not exist"):
        resume(tmp_path / "other.jsonl")

    assert journal.read_bytes() == before


def test_the_error_for_another_plan_says_how_to_finish_the_first_one(tmp_path: Path) -> None:
    _, changes, place, journal = made(tmp_path)
    THREADS.apply(place.plan(changes[0]), journal=journal)

    with pytest.raises(errors.ConfigError, match=r"to finish that plan, run: dreg apply \S+ --yes"):
        THREADS.apply(place.plan(changes[1]), journal=journal)


def test_a_plan_that_was_changed_in_the_journal_is_rejected(tmp_path: Path) -> None:
    images, changes, place, journal = made(tmp_path)
    THREADS.apply(place.plan(changes[0]), journal=journal)
    start, *lines = lines_of(journal)
    other = AddTag(tag="mine", digest=images["gone"])
    start["contents"]["repositories"][0]["changes"] = [json.loads(other.model_dump_json())]
    journal.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in [start, *lines]))

    with pytest.raises(errors.ConfigError, match="damaged in line 1: the plan does not match its digest"):
        resume_plan(journal)

    assert "mine" not in place.tags()
