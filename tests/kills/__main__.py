"""Kill commands at random moments: `python -m tests.kills [--kills N] [--seed SEED] [--only TEXT] [--disk FOLDER]`.

After each kill, the destination must be as before or complete: each tag that is visible leads to a complete image, and
no tag is lost. The next run must complete it, and write nothing again that was there.

Besides, commands get other signals, their outputs are closed, and with `--disk`, a folder on a small disk of its own,
the disk is full.
"""

import argparse
import random
import secrets
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.commands import run_limited
from tests.kills.jobs import JOBS, Job, Place, World, world
from tests.kills.processes import Ended, Moment, import_all, run
from tests.kills.stores import PLACEHOLDER, State

SIGNALS: Final = ((signal.SIGINT,), (signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGINT, signal.SIGINT))
CODES: Final = {0, 130, 143, 129, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP}


@dataclass(frozen=True)
class Complete:
    """A run that nothing interrupts.

    Attributes:
        before: What is visible before.
        after: What is visible afterwards.
        ended: How it ended.
    """

    before: State
    after: State
    ended: Ended


class Trial:
    """Interruptions of one job, one after another, and the run that completes it."""

    def __init__(self, made: World, job: Job, folder: Path, complete: Complete) -> None:
        folder.mkdir()
        self._job, self._folder, self._complete = job, folder, complete
        self._place: Place = job.place(made, folder)
        self._words = job.words(made, self._place)
        # What a command deletes may be gone already.
        self._codes = CODES | ({4} if job.name in {"untag", "delete"} else set())

    def interrupt(self, moment: Moment) -> None:
        left = {*self._place.left()}
        ended = run(self._words, self._folder, moment)
        assert "Traceback" not in ended.output, ended.output
        if moment.room is not None:
            assert ended.code in {0, 1, 4, 5}, f"exit code {ended.code}: {ended.output}"
            assert left >= {*self._place.left()}, f"temporary files: {self._place.left()}"
            assert ended.code in {0, 4} or "No space left on device" in ended.output, ended.output
        if signal.SIGKILL not in moment.signals:
            assert ended.code in self._codes, f"exit code {ended.code}: {ended.output}"
            if len(moment.signals) == 1 and ended.code in {130, 143, 129}:
                assert left >= {*self._place.left()}, f"temporary files: {self._place.left()}"
        self._check(self._place.state())

    def _check(self, state: State) -> None:
        before, after = self._complete.before, self._complete.after
        for tag in before.keys() | after.keys() | state.keys():
            expected = {before.get(tag), after.get(tag)} | ({PLACEHOLDER} if tag not in after else set())
            assert state.get(tag) in expected, f"{tag}: {state.get(tag)}"

    def complete(self) -> None:
        blobs = self._place.blobs()
        ended = run(self._words, self._folder)
        assert ended.code in self._codes & {0, 4}, f"the next run exits with {ended.code}: {ended.output}"
        state = self._place.state()
        assert state == self._complete.after, f"{state}, not {self._complete.after}: {ended.output}"
        again = {digest for digest, number in self._place.blobs().items() if blobs.get(digest, number) != number}
        assert not (again and self._place.keeps_blobs), f"written again: {again}"
        self._read_by_skopeo()
        self._place.finish()

    def _read_by_skopeo(self) -> None:
        tag = next(iter(self._complete.after), "")
        if self._place.name.startswith("oci:") and tag:
            run_limited(["skopeo", "inspect", "--raw", f"{self._place.name}:{tag}"], check=True, capture_output=True)


def complete(made: World, job: Job, folder: Path) -> Complete:
    """Run a job without an interruption."""
    folder.mkdir()
    place = job.place(made, folder)
    before, words = place.state(), job.words(made, place)
    ended = run(words, folder)
    assert ended.code == 0, ended.output
    after = place.state()
    assert after != before or job.name == "gc", "the job changes nothing"
    shutil.rmtree(folder)
    return Complete(before, after, ended)


def moments(randoms: random.Random, usual: Ended, *, on_disk: bool) -> Iterator[Moment]:
    """One to three interruptions: kills at a call or after a time, signals, closed outputs, a full disk."""
    for _ in range(randoms.choice((1, 1, 1, 2, 3))):
        kind = randoms.randrange(12 if on_disk else 10)
        seconds = randoms.uniform(0, 1.1 * usual.seconds)
        if kind < 5:
            yield Moment(call=randoms.randint(1, usual.calls))
        elif kind < 8:
            yield Moment(seconds=seconds)
        elif kind < 9:
            yield Moment(seconds=seconds, signals=randoms.choice(SIGNALS))
        elif kind < 10:
            yield Moment(is_heard=False)
        else:
            yield Moment(room=randoms.randint(0, 3_000_000))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--only", default="")
    parser.add_argument("--disk", type=Path)
    options = parser.parse_args()
    say(f"seed {options.seed}")
    import_all()
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as made:
        failed = _run(made, options)
    return int(failed > 0)


def _run(made: World, options: argparse.Namespace) -> int:
    randoms = random.Random(options.seed)  # noqa: S311 (no secret)
    jobs = [it for it in JOBS if options.only in it.name]
    randoms.shuffle(jobs)
    known: dict[str, Complete] = {}
    number = done = failed = 0
    while done < options.kills:
        job = jobs[number % len(jobs)]
        number += 1
        folder = (options.disk or made.root) / f"trial-{number}"
        if job.name not in known:
            known[job.name] = complete(made, job, made.root / f"complete-{number}")
        told: list[str] = []
        try:
            trial = Trial(made, job, folder, known[job.name])
            for moment in moments(randoms, known[job.name].ended, on_disk=options.disk is not None):
                told.append(str(moment))
                done += 1
                trial.interrupt(moment)
            trial.complete()
        except (AssertionError, OSError, ValueError, KeyError):
            failed += 1
            say(f"trial {number}: {job.name}: {', '.join(told)}\n{traceback.format_exc(limit=3)}")
        shutil.rmtree(folder)
    say(f"{done} interruptions in {number} trials, {failed} failures")
    return failed


if __name__ == "__main__":
    sys.exit(main())
