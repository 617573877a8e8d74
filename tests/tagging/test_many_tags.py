"""A plan for 500 tags, of which groups share images, while another process moves and deletes tags all the time."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Any

from dreg_client import Digest, Layout, Registry, TagPlan, apply_plan, copy, errors
from dreg_client.protocol.events import Answered, Event
from tests.commands import start_limited
from tests.registries import running
from tests.tagging.repositories import Dated
from tests.tagging.watched import Allowed

ROOT = Path(__file__).parents[2]
GROUP = 5
"""How many tags each image has."""


def graph_of_many() -> Dated:
    """100 images with five tags each: builds of fifty nights, stable ones, and channels; and some of others."""
    graph = Dated()
    for number in range(100):
        day = f"2024-0{1 + number // 28 % 9}-{1 + number % 28:02}T00:00:00Z"
        image = graph.dated([graph.add(b"layer %d" % (number // 10))], number, day)
        kind = "nightly" if number < 50 else "stable" if number < 80 else "channel"
        for each in range(GROUP):
            graph.tag(image, f"{kind}-{number}-{each}")
    for number in range(5):
        graph.tag(graph.dated([], 1000 + number, "2024-12-01T00:00:00Z"), f"own-{number}")
    return graph


@dataclass
class Times:
    """When requests were sent: a listener. Each has its method, the end of its path, its start and its end."""

    all: list[tuple[str, str, float, float]] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Answered):
            now, name = time.monotonic(), event.url.rpartition("/")[2]
            self.all.append((event.method, name, now - event.seconds - 0.01, now))

    def writing(self, tag: str) -> list[tuple[float, float]]:
        """The moments from a HEAD of a tag to the end of the request that writes it."""
        mine = [it for it in self.all if it[1] == tag]
        return [
            (max((head[2] for head in mine if head[0] == "HEAD" and head[3] <= it[3]), default=it[2]), it[3])
            for it in mine
            if it[0] == "PUT"
        ]

    def deleting(self, digest: str) -> list[tuple[float, float]]:
        """The moments from a reading of all tags to the end of the deletion of a manifest."""
        lists = [it[2] for it in self.all if it[1] == "list"]
        ends = [it[3] for it in self.all if it[:2] == ("DELETE", digest)]
        return [(max((each for each in lists if each < end), default=end), end) for end in ends]


@dataclass(frozen=True)
class Write:
    """What the other process did, or tried, with a tag."""

    outcome: str
    start: float
    end: float
    tag: str
    digest: str | None

    def is_within(self, moments: list[tuple[float, float]]) -> bool:
        return any(self.start <= end and start <= self.end for start, end in moments)


@contextmanager
def meddling(store: str, log: Path) -> Iterator[None]:
    """Another process changes tags within the block."""
    command = [sys.executable, "-m", "tests.tagging.meddler", store, str(log), "7"]
    with start_limited(command, stdin=PIPE, stdout=PIPE, cwd=ROOT) as process:
        assert process.stdout.readline() == b"begun\n"
        yield
        process.stdin.close()
        assert process.wait() == 0


def written(log: Path) -> dict[str, list[Write]]:
    """What the other process did, by tag."""
    found: dict[str, list[Write]] = {}
    for line in log.read_text().splitlines():
        what, start, end, tag, digest = json.loads(line)
        if what not in {"begin", "not there"}:
            found.setdefault(tag, []).append(Write(what, start, end, tag, digest))
    return found


def planned(store: Any, tags: dict[str, str]) -> TagPlan:
    """Move 100 tags, delete 20 of images that keep others, and delete 30 images."""
    planner = store.plan()
    for number in range(80, 100):
        for each in range(GROUP):
            planner.move(f"channel-{number}-{each}", to=Digest(tags["stable-75-0"]))
    for number in range(50, 70):
        planner.untag(f"stable-{number}-0")
    planner.prune("nightly-*", keep_last=20)
    return planner.make()  # type: ignore[no-any-return]


def check(plan: TagPlan, result: Any, before: dict[str, str], after: dict[str, str], log: Path, times: Times) -> None:
    """Check that what the other process did stays, and that everything else is as planned or reported."""
    [part], others = plan.repositories, written(log)
    allowed = Allowed.by(part, before)
    failed = result.repositories[0].failed
    lost: list[tuple[str, Any]] = []
    for tag in {*before, *after}:
        now, (seen, wanted) = after.get(tag), allowed.tags.get(tag, (before.get(tag), before.get(tag)))
        if tag not in others:
            lost += [(tag, now)] if now not in ({seen} if tag in failed else {seen, wanted}) else []
            continue
        last = others[tag][-1]
        # docker-registry removes the tags of a manifest after it, all that it had found, whatever they name by now.
        named = {before.get(tag), *(each.digest for each in others[tag])} - {None}
        moments = [*times.writing(tag), *(it for digest in named for it in times.deleting(digest))]
        if last.outcome == "end" and now != last.digest and not last.is_within(moments):
            lost.append((tag, (now, last)))
    assert not lost, lost
    assert {type(each) for each in failed.values()} <= {errors.ConflictError}, failed
    assert len(result.done) + len(result.repositories[0].already) + len(failed) == len(part.changes)
    subjects = {str(it) for it in failed} & others.keys()
    assert subjects, "the other process was too slow to be in conflict"


def test_tag_85_nothing_is_lost_of_a_layout(tmp_path: Path) -> None:
    folder = graph_of_many().write(tmp_path / "layout")
    with Layout(folder) as layout:
        before = {tag: layout.resolve(tag).digest for tag in layout.tags()}
        plan = planned(layout, dict(before))
        with meddling(f"oci:{folder}", tmp_path / "log"):
            result = apply_plan(plan, stores=[layout], journal=tmp_path / "journal.jsonl")
    with Layout(folder) as layout:
        after = {tag: layout.resolve(tag).digest for tag in layout.tags()}
        for digest in {*after.values()}:
            layout.get_manifest(digest)
    check(plan, result, dict(before), dict(after), tmp_path / "log", Times())


def test_tag_85_nothing_is_lost_of_a_registry(tmp_path: Path) -> None:
    folder, times = graph_of_many().write(tmp_path / "layout"), Times()
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as registry, Registry(registry.address, on_event=times) as client:
        copy(f"oci:{folder}", f"{registry.address}/acme/web", tags="all")
        repository = client.repository("acme/web")
        before = {tag: repository.resolve(tag).digest for tag in repository.tags()}
        plan = planned(repository, dict(before))
        times.all.clear()
        with meddling(f"{registry.address}/acme/web", tmp_path / "log"):
            result = apply_plan(plan, stores=[repository], journal=tmp_path / "journal.jsonl")
        after: dict[str, str] = {}
        for tag in repository.tags():
            with suppress(errors.NotFoundError):  # docker-registry lists tags that were set while it deleted a manifest
                after[tag] = repository.get_manifest(tag).digest
    check(plan, result, dict(before), after, tmp_path / "log", times)
