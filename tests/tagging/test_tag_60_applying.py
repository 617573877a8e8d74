"""What may happen while a plan is applied: processes are killed, disks are full, registries and users are hostile."""

import json
import os
import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dreg_client import (
    AddTag,
    DeleteManifest,
    Digest,
    Layout,
    MoveTag,
    RepositoryTagPlan,
    TagPlan,
    Untag,
    apply_plan,
    copy,
    errors,
)
from dreg_client.files.journal_file import JournalFile
from tests.faultserver import Heard, Network, network
from tests.foreign.registry import PlayedRegistry, plain
from tests.kills.processes import Moment, run
from tests.registries import RunningRegistry
from tests.tagging.changing import Doing, Images, LayoutPlace, Place, RegistryPlace, both, filled, lines_of

NUMBERS = count()


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    (tmp_path / "net").mkdir()
    with network(tmp_path / "net") as up:
        yield up


def everything() -> tuple[Images, list[Any]]:
    """Images, and changes of each kind."""
    images = Images("old", "new", "gone", "amd64", "arm64", one=["amd64", "arm64"])
    images.tag("old", "1.4.1", "latest")
    images.tag("new", "1.4.2")
    images.tag("gone", "rc1")
    images.tag("one", "1", "stable")
    return images, [
        AddTag(tag="1.4", digest=images["new"]),
        MoveTag(tag="latest", digest=images["new"], replaces=images["old"]),
        Untag(tag="rc1", digest=images["gone"]),
        DeleteManifest(digest=images["one"], tags=("1", "stable"), platforms=(images["amd64"], images["arm64"])),
    ]


def check_between(place: Place, before: dict[str, str], after: dict[str, str], *, deleted: str) -> None:
    """Check that each tag is as before or as afterwards, apart from the placeholder of a tag that is being deleted."""
    found = place.tags()
    for tag in {*before, *after, *found}:
        if tag != deleted:
            assert found.get(tag) in {before.get(tag), after.get(tag)}, tag
    assert place.has(before["latest"])
    assert place.has(after["latest"])


class Trial:
    """A plan that is applied and undone by commands, which are killed."""

    def __init__(self, folder: Path, make: Callable[[Images], Place]) -> None:
        self.folder = folder
        self.images, changes = everything()
        self.place = make(self.images)
        self.before = self.place.tags()
        (folder / "plan.json").write_text(self.place.plan(*changes).to_json())
        self.after = {"1.4.1": self.before["1.4.1"]} | dict.fromkeys(["1.4", "1.4.2", "latest"], self.before["1.4.2"])

    def apply(self, call: int = 0) -> int:
        words = ["apply", "plan.json", "--yes", "--journal", "changes.jsonl"]
        return self._run(words, call)

    def undo(self, call: int = 0) -> int:
        return self._run(["undo", "changes.jsonl", "--yes"], call)

    def _run(self, words: list[str], call: int) -> int:
        ended = run(words, self.folder, Moment(call=call))
        assert call or ended.code == 0, ended.output
        assert "Traceback" not in ended.output
        return ended.calls

    def check(self, kills: int, to_undo: int) -> None:
        """Kill both commands at some of their calls, run them again, and compare."""
        self.apply(kills)
        check_between(self.place, self.before, self.after, deleted="rc1")
        self.apply()
        assert self.place.tags() == self.after
        self.undo(to_undo)
        check_between(self.place, self.before, self.after, deleted="1.4")
        self.undo()
        assert self.place.tags() == self.before
        assert all(map(self.place.has, [self.images["amd64"], self.images["arm64"], self.images["gone"]]))


def test_tag_60_a_layout_survives_kills_at_any_call(tmp_path: Path) -> None:
    def trial(name: str) -> Trial:
        folder = tmp_path / name
        folder.mkdir()
        return Trial(folder, lambda images: filled(LayoutPlace(folder / "there"), images.graph, folder / "source"))

    first = trial("first")
    calls, undone = first.apply(), first.undo()
    assert calls > 20
    for call in range(random.randrange(2, 24), max(calls, undone), 24):  # noqa: S311 (no secret)
        trial(f"killed-{call}").check(min(call, calls - 1), min(call, undone - 1))


def test_tag_60_a_registry_survives_kills_at_any_call(registry: RunningRegistry, tmp_path: Path) -> None:
    def trial(name: str) -> Trial:
        folder = tmp_path / name
        folder.mkdir()
        place = RegistryPlace(registry, f"killed/{next(NUMBERS)}")
        return Trial(folder, lambda images: filled(place, images.graph, folder / "source"))

    first = trial("first")
    calls, undone = first.apply(), first.undo()
    for call in range(random.randrange(2, 25), max(calls, undone), 25):  # noqa: S311 (no secret)
        trial(f"killed-{call}").check(min(call, calls - 1), min(call, undone - 1))


class FullDisk:
    """A disk that takes some more writes."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def write(self, file: int, octets: bytes) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError(28, os.strerror(28))
        return _WRITE(file, octets)


_WRITE = os.write


@pytest.mark.parametrize("writes", [0, 1, 2])
@both
def test_tag_61_nothing_is_changed_that_the_journal_cannot_record(
    run: Doing, writes: int, net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, changes = everything()
    registry = played(net, images, tmp_path)
    before = dict(registry.held["acme/web"].tags)
    plan = TagPlan(repositories=(RepositoryTagPlan(repository=f"{registry.name}/acme/web", changes=(changes[0],)),))
    journal = tmp_path / "changes.jsonl"
    monkeypatch.setattr("dreg_client.files.journal_file.os.write", FullDisk(writes).write)

    if writes == 0:
        with pytest.raises(errors.FileError, match="No space left on device"):
            run.apply(plan, journal=journal, plain_http=True)
    else:
        done = run.apply(plan, journal=journal, plain_http=True)
        (failure,) = done.failures.values()
        assert isinstance(failure, errors.FileError)
        assert ("nothing was changed" in str(failure)) == (writes == 1)

    assert (registry.held["acme/web"].tags == before) == (writes < 2)
    assert all(line["kind"] in {"start", "step"} for line in lines_of(journal))
    monkeypatch.undo()
    again = run.apply(plan, journal=journal, plain_http=True)
    assert not again.failures
    assert registry.held["acme/web"].tags["1.4"] == images["new"]


def _linked(path: Path) -> None:
    (path.parent / "other").write_bytes(b"")
    path.symlink_to(path.parent / "other")


def _twice(path: Path) -> None:
    (path.parent / "other").write_bytes(b"")
    path.hardlink_to(path.parent / "other")


def _writable(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


@pytest.mark.parametrize("prepare", [_linked, _twice, _writable, os.mkfifo])
def test_tag_62_a_journal_that_others_can_change_is_rejected(prepare: Any, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path), tmp_path / "changes.jsonl"
    before = place.tags()
    prepare(journal)

    with pytest.raises(errors.ConfigError, match="it was not changed; name a new file"):
        apply_plan(place.plan(*changes), journal=journal)

    assert place.tags() == before


@both
def test_tag_63_two_processes_cannot_share_a_journal(run: Doing, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path), tmp_path / "changes.jsonl"
    opened = JournalFile(journal)

    for call in (lambda: run.apply(place.plan(*changes), journal=journal), lambda: run.undo(journal)):
        with pytest.raises(errors.ConfigError, match="is in use by another process"):
            call()
    opened.close()
    assert not run.apply(place.plan(*changes), journal=journal).failures


@both
def test_tag_64_a_journal_that_was_changed_restores_nothing(run: Doing, tmp_path: Path) -> None:
    images, changes = everything()
    place, journal = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path), tmp_path / "changes.jsonl"
    run.apply(place.plan(changes[3]), journal=journal)
    lines = lines_of(journal)
    for raw, error in (("e30=", errors.DigestMismatchError), ("%%%", errors.ConfigError)):
        lines[1]["manifests"][0]["raw"] = raw
        journal.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in lines[:3]))

        (failure,) = run.undo(journal).failures.values()

        assert isinstance(failure, error)
        assert "1" not in place.tags()


def played(net: Network, images: Images, folder: Path, profile: str = "olareg") -> PlayedRegistry:
    registry = plain(net, profile)
    layout = images.graph.write(folder / "source")
    copy(f"oci:{layout}", f"{registry.name}/acme/web", tags="all", plain_http=True)
    registry.host.requests.clear()
    return registry


@both
def test_tag_65_a_registry_that_keeps_tagged_manifests_loses_only_the_tags_that_the_plan_names(
    run: Doing, net: Network, tmp_path: Path
) -> None:
    images, changes = everything()
    registry = played(net, images, tmp_path, "gcr")
    held = registry.held["acme/web"]
    plan = TagPlan(repositories=(RepositoryTagPlan(repository=f"{registry.name}/acme/web", changes=(changes[3],)),))
    journal = tmp_path / "changes.jsonl"
    before = dict(held.tags)

    done = run.apply(plan, journal=journal, plain_http=True)

    assert not done.failures
    assert {*held.tags} == {"1.4.1", "latest", "1.4.2", "rc1"}
    assert images["one"] not in held.manifests
    assert not run.undo(journal, plain_http=True).failures
    assert held.tags == before


@both
def test_tag_65_a_tag_that_appears_meanwhile_keeps_its_manifest(run: Doing, net: Network, tmp_path: Path) -> None:
    images, changes = everything()
    registry = played(net, images, tmp_path, "gcr")
    held = registry.held["acme/web"]
    plan = TagPlan(repositories=(RepositoryTagPlan(repository=f"{registry.name}/acme/web", changes=(changes[3],)),))

    def before(heard: Heard) -> None:
        if heard.method == "DELETE":
            held.tags["mine"] = images["one"]

    registry.before = before

    done = run.apply(plan, plain_http=True)

    assert done.failures
    assert held.tags["mine"] == images["one"]
    assert images["one"] in held.manifests


@both
def test_tag_65_tags_that_are_lost_because_an_index_without_a_tag_keeps_their_manifest_come_back(
    run: Doing, net: Network, tmp_path: Path
) -> None:
    images, changes = everything()
    images.made["other"] = images.graph.index([images.made["one"]])
    images.tag("other", "2")
    registry = played(net, images, tmp_path, "gcr")
    held = registry.held["acme/web"]
    del held.tags["2"]
    plan = TagPlan(repositories=(RepositoryTagPlan(repository=f"{registry.name}/acme/web", changes=(changes[3],)),))
    journal = tmp_path / "changes.jsonl"
    before = dict(held.tags)

    (failure,) = run.apply(plan, journal=journal, plain_http=True).failures.values()

    assert "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE" in str(failure)
    assert "a part of it was deleted" in str(failure)
    assert held.tags != before
    assert not run.undo(journal, plain_http=True).failures
    assert held.tags == before


@pytest.mark.parametrize("broken", ["tag", "index"])
@both
def test_tag_66_what_cannot_be_read_keeps_all_manifests(run: Doing, broken: str, net: Network, tmp_path: Path) -> None:
    images, changes = everything()
    images.made["two"] = images.graph.index([images.made["old"]])
    images.tag("two", "2")
    registry = played(net, images, tmp_path)
    held = registry.held["acme/web"]
    before = {*held.manifests}
    reference = "1.4.1" if broken == "tag" else images["two"]
    registry.host.on(f"/v2/acme/web/manifests/{reference}", b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    plan = TagPlan(repositories=(RepositoryTagPlan(repository=f"{registry.name}/acme/web", changes=tuple(changes)),))

    done = run.apply(plan, plain_http=True)

    assert (len(done.done), {*held.manifests}) == (3, before)
    (failure,) = done.failures.values()
    assert "no manifest was deleted, because something that cannot be read may need it" in str(failure)


@both
def test_tag_67_a_tag_that_is_not_a_digest_tag_does_not_go_with_a_manifest(run: Doing, tmp_path: Path) -> None:
    images, changes = everything()
    place = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path)
    before = place.tags()

    plan = place.plan(changes[3].model_copy(update={"digest_tags": ("latest",)}))
    with pytest.raises(errors.ConfigError, match="'latest' is not a digest tag about a manifest of this change"):
        run.apply(plan)

    assert place.tags() == before


@both
def test_tag_68_names_that_are_not_tags_are_not_requested(run: Doing, net: Network, tmp_path: Path) -> None:
    images, changes = everything()
    registry = played(net, images, tmp_path)
    listing = json.dumps({"name": "acme/web", "tags": ["1.4.1", "../../other"]}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(listing)}\r\n\r\n"
    registry.host.on("/v2/acme/web/tags/list", head.encode() + listing)
    plan = TagPlan(repositories=(RepositoryTagPlan(repository=f"{registry.name}/acme/web", changes=(changes[3],)),))

    done = run.apply(plan, plain_http=True)

    assert len(done.done) == 1
    assert not [heard for heard in registry.host.requests if "other" in heard.path]


def test_tag_69_a_layout_keeps_a_manifest_that_gets_a_name_between_reading_and_deletion(tmp_path: Path) -> None:
    images, _ = everything()
    place = filled(LayoutPlace(tmp_path / "there"), images.graph, tmp_path)
    with Layout(tmp_path / "there") as layout:
        layout.tag(str(images["one"]), "mine")
        with pytest.raises(errors.ConflictError, match="has the name mine now"):
            layout.destination.delete_manifest(Digest(images["one"]), tags=("1", "stable"))

    assert place.tags()["mine"] == images["one"]
