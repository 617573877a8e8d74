"""What `sync` removes, and when it removes nothing."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import Answered, AsyncLayout, Layout, Registry, SyncPlan, errors, sync
from tests.copying.graphs import Graph, content, names
from tests.copying.sync_flavours import TASKS, Syncs, both
from tests.registries import RunningRegistry, running

NUMBERS = count()
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def there(registry: RunningRegistry) -> str:
    """The name of an empty repository."""
    return f"{registry.address}/pruned/number-{next(NUMBERS)}"


def layout_of(folder: Path, *tags: str) -> str:
    """A layout with an image for each tag; the same tag always stands for the same image."""
    graph = Graph()
    for tag in tags:
        graph.tag(graph.image([graph.add(tag.encode())]), tag)
    return f"oci:{graph.write(folder)}"


def tags_of(name: str) -> set[str]:
    host, _, repository = name.partition("/")
    with Registry(f"http://{host}") as opened:
        return {*opened.repository(repository).tags()}


@both
def test_tags_that_the_source_no_longer_has_are_removed(run: Syncs, there: str, tmp_path: Path) -> None:
    run.sync(layout_of(tmp_path / "before", "1", "2", "3"), there)
    after = layout_of(tmp_path / "after", "2")

    kept = run.sync(after, there)
    pruned = run.sync(after, there, prune=True)
    again = run.sync(after, there, prune=True)

    assert kept.removed == again.removed == 0
    assert {*pruned.repositories[0].removed} == {"1", "3"}
    assert tags_of(there) == {"2"}


@both
def test_only_tags_that_the_filters_match_are_removed(run: Syncs, tmp_path: Path) -> None:
    there = f"oci:{tmp_path}/there"
    run.sync(layout_of(tmp_path / "before", "1.1", "1.2", "2.1", "mine"), there)

    done = run.sync(layout_of(tmp_path / "after", "1.2"), there, tags=["1.*"], prune=True)

    assert done.repositories[0].removed == ("1.1",)
    assert names(tmp_path / "there").keys() == {"1.2", "2.1", "mine"}


@both
def test_an_empty_source_removes_nothing_unless_it_is_allowed(run: Syncs, tmp_path: Path) -> None:
    there = f"oci:{tmp_path}/there"
    run.sync(layout_of(tmp_path / "before", "1", "2"), there)
    empty = layout_of(tmp_path / "empty")

    done = run.sync(empty, there, prune=True)
    assert (done.removed, names(tmp_path / "there").keys()) == (0, {"1", "2"})
    assert "no tag that matches" in done.repositories[0].not_pruned
    unmatched = run.sync(layout_of(tmp_path / "other", "latest"), there, tags=["[0-9]"], prune=True)
    assert unmatched.removed == 0

    assert run.sync(empty, there, prune=True, allow_empty=True).removed == 2
    assert names(tmp_path / "there") == {}


class Listing:
    """A registry whose repository has some tags, and whose list of tags a function returns."""

    def __init__(self, tags: list[str], listed: Any) -> None:
        self.listed = listed
        graph = Graph()
        self.manifests = {tag: graph.blobs[graph.image([graph.add(tag.encode())])["digest"]] for tag in tags}
        self.blobs = graph.blobs

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/tags/list"):
            found: httpx.Response = self.listed(request)
            return found
        reference = path.rpartition("/")[2]
        body = self.manifests.get(reference) or self.blobs.get(reference)
        if body is None:
            return httpx.Response(404)
        return httpx.Response(200, headers={"Content-Type": MANIFEST}, content=body)


def page(*tags: str, **headers: str) -> httpx.Response:
    return httpx.Response(200, headers=headers, content=json.dumps({"name": "acme/web", "tags": tags}).encode())


NEXT = {"Link": '</v2/acme/web/tags/list?last=2>; rel="next"'}


def second_page_fails(request: httpx.Request) -> httpx.Response:
    return httpx.Response(500) if "last" in request.url.params else page("1", "2", **NEXT)


def second_page_is_cut(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b'{"tags": ["3"') if "last" in request.url.params else page("1", "2", **NEXT)


def second_page_needs_a_login(request: httpx.Request) -> httpx.Response:
    return httpx.Response(401) if "last" in request.url.params else page("1", "2", **NEXT)


def second_page_is_the_first_again(request: httpx.Request) -> httpx.Response:
    return page("1", "2", **NEXT)


@pytest.mark.parametrize(
    "listed",
    [second_page_fails, second_page_is_cut, second_page_needs_a_login, second_page_is_the_first_again],
    ids=lambda it: it.__name__,
)
@both
def test_a_list_that_breaks_off_removes_nothing(run: Syncs, there: str, tmp_path: Path, listed: Any) -> None:
    run.sync(layout_of(tmp_path / "before", "1", "2", "3"), there)
    options = {"transport": httpx.MockTransport(Listing(["1", "2", "3"], listed)), "retries": 0}

    with pytest.raises(errors.DregError):
        run.sync("registry.example/acme/web", there, prune=True, source_options=options)

    assert tags_of(there) == {"1", "2", "3"}


@both
def test_a_list_that_lacks_a_tag_of_the_source_removes_nothing(run: Syncs, there: str, tmp_path: Path) -> None:
    run.sync(layout_of(tmp_path / "before", "1", "2", "3"), there)
    registry = Listing(["1", "2", "3"], lambda _: page("1"))

    done = run.sync(
        "registry.example/acme/web",
        there,
        prune=True,
        source_options={"transport": httpx.MockTransport(registry), "retries": 0},
    )

    assert done.removed == 0
    assert "incomplete: it has the tag " in done.repositories[0].not_pruned
    assert tags_of(there) == {"1", "2", "3"}


def test_a_catalog_that_breaks_off_copies_and_removes_nothing(tmp_path: Path) -> None:
    def catalog(request: httpx.Request) -> httpx.Response:
        if "last" in request.url.params:
            return httpx.Response(500)
        link = {"Link": '</v2/_catalog?last=a>; rel="next"'}
        return httpx.Response(200, headers=link, content=b'{"repositories": ["a"]}')

    options: Any = {"transport": httpx.MockTransport(catalog), "retries": 0}
    with pytest.raises(errors.DregError):
        sync("registry.example/", f"oci:{tmp_path}/there", prune=True, source_options=options)
    assert not (tmp_path / "there").exists()


def signature_tag(digest: str) -> str:
    return f"{digest.replace(':', '-')}.sig"


def signed(folder: Path) -> tuple[Path, Graph, dict[str, dict[str, Any]]]:
    """Two images, one of which is also in an index, and the signatures of both."""
    graph = Graph()
    made = {name: graph.image([graph.add(name.encode())]) for name in ("alone", "within")}
    made["index"] = graph.index([made["within"]])
    for name, image in [*made.items()]:
        graph.tag(image, name)
        graph.tag(graph.image([graph.add(f"signature of {name}".encode())]), signature_tag(image["digest"]))
    return graph.write(folder), graph, made


@both
def test_tags_of_signatures_go_only_with_what_they_sign(run: Syncs, there: str, tmp_path: Path) -> None:
    before, _, made = signed(tmp_path / "before")
    run.sync(f"oci:{before}", there)
    signatures = {name: signature_tag(image["digest"]) for name, image in made.items()}
    graph = Graph()
    graph.tag(graph.index([graph.image([graph.add(b"within")])]), "index")  # the same index, without signatures
    after = graph.write(tmp_path / "after")
    assert names(after)["index"] == made["index"]["digest"]

    done = run.sync(f"oci:{after}", there, prune=True)

    # `within` lost its tag, but the index still leads to it, so that its signature stays.
    assert {*done.repositories[0].removed} == {"alone", "within", signatures["alone"]}
    assert tags_of(there) == {"index", signatures["within"], signatures["index"]}


def test_the_image_of_a_removed_tag_keeps_its_other_tags(there: str, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    for tag in ("1", "1.4"):
        graph.tag(image, tag)
    sync(f"oci:{graph.write(tmp_path / 'before')}", there)
    graph.entries.pop()

    done = sync(f"oci:{graph.write(tmp_path / 'after')}", there, prune=True)

    assert done.repositories[0].removed == ("1.4",)
    assert tags_of(there) == {"1"}
    with Registry(f"http://{there.partition('/')[0]}") as opened:
        assert opened.repository(there.partition("/")[2]).get_image("1")


def test_gc_deletes_what_was_pruned_from_a_layout(tmp_path: Path) -> None:
    there = tmp_path / "there"
    sync(layout_of(tmp_path / "before", "1", "2"), f"oci:{there}")
    after = layout_of(tmp_path / "after", "2")

    sync(after, f"oci:{there}", prune=True)
    with Layout(there) as layout:
        layout.gc()

    assert content(there) == content(tmp_path / "after")


@both
def test_a_plan_names_everything_and_changes_nothing(run: Syncs, there: str, tmp_path: Path) -> None:
    run.sync(layout_of(tmp_path / "before", "1", "2", "3"), there)
    graph = Graph()
    graph.tag(graph.image([graph.add(b"2")]), "2")
    new = graph.image([graph.add(b"new layer")])
    config = graph.blobs[graph.named[new["digest"]][0]]
    graph.tag(new, "3")
    graph.tag(new, "4")
    after = f"oci:{graph.write(tmp_path / 'after')}"

    planned = run.plan(after, there, prune=True)

    (plan,) = planned.repositories
    old, found = names(tmp_path / "before"), names(tmp_path / "after")
    assert [(it.tag, it.digest, it.replaces) for it in plan.copies] == [
        ("3", found["3"], old["3"]),
        ("4", found["4"], None),
    ]
    assert [(it.tag, it.digest) for it in plan.skips] == [("2", old["2"])]
    assert [(it.tag, it.digest) for it in plan.removals] == [("1", old["1"])]
    assert (plan.blobs.count, planned.size) == (2, len(config) + len(b"new layer"))
    assert tags_of(there) == {"1", "2", "3"}
    with Registry(f"http://{there.partition('/')[0]}") as opened:
        assert opened.repository(there.partition("/")[2]).resolve("3").digest == old["3"]


@both
def test_a_plan_is_saved_and_applied_later(run: Syncs, there: str, tmp_path: Path) -> None:
    run.sync(layout_of(tmp_path / "before", "1", "2"), there)
    plan = run.plan(layout_of(tmp_path / "after", "2", "3"), there, prune=True)

    done = run.apply(type(plan).from_json(plan.to_json()))
    again = run.apply(plan)

    assert (done.copied, done.skipped, done.removed) == (1, 1, 1)
    assert not done.failures
    assert tags_of(there) == {"2", "3"}
    assert (again.copied, again.removed, dict(again.failures)) == (0, 0, {})


@both
def test_what_changed_since_the_plan_is_left_as_it_is(run: Syncs, tmp_path: Path) -> None:
    there = f"oci:{tmp_path}/there"
    run.sync(layout_of(tmp_path / "before", "gone", "same", "old"), there)
    source = layout_of(tmp_path / "after", "same", "copied", "moved", "deleted")
    plan = run.plan(source, there, prune=True)
    assert {it.tag for it in plan.repositories[0].removals} == {"gone", "old"}

    with Layout(tmp_path / "after") as layout, Layout(tmp_path / "there") as other:
        layout.tag("same", "moved")
        layout.untag("deleted")
        other.tag("same", "old")
    done = run.apply(plan)

    failed = done.repositories[0].failed
    assert {*failed} == {"moved", "deleted", "old"}
    assert all(isinstance(each, errors.ConflictError) for each in failed.values())
    assert [*done.repositories[0].copied] == ["copied"]
    assert done.repositories[0].removed == ("gone",)
    assert names(tmp_path / "there").keys() == {"same", "old", "copied"}


@both
def test_a_plan_removes_nothing_if_the_source_became_empty(run: Syncs, tmp_path: Path) -> None:
    there = f"oci:{tmp_path}/there"
    run.sync(layout_of(tmp_path / "before", "1", "2"), there)
    source = layout_of(tmp_path / "after", "2")
    plan = run.plan(source, there, prune=True)

    with Layout(tmp_path / "after") as layout:
        layout.untag("2")
    done = run.apply(plan)

    assert done.removed == 0
    assert "no tag that matches" in done.repositories[0].not_pruned


@both
def test_a_tag_that_moved_just_before_it_is_removed_stays(run: Syncs, there: str, tmp_path: Path) -> None:
    run.sync(layout_of(tmp_path / "before", "1", "2", "3"), there)
    host, _, repository = there.partition("/")
    moved: list[str] = []

    def move_the_other(event: object) -> None:
        """As soon as one of the two tags is removed, another client moves the other one."""
        if isinstance(event, Answered) and event.method == "DELETE" and not moved:
            with Registry(f"http://{host}") as opened:
                other = "2" if event.url.endswith("/1") else "1"
                moved.append(other)
                opened.repository(repository).tag("3", other)

    done = run.sync(layout_of(tmp_path / "after", "3"), there, prune=True, on_event=move_the_other)

    (other,) = moved
    assert done.removed == 1
    failure = done.repositories[0].failed[other]
    assert isinstance(failure, errors.ConflictError)
    assert "now, and not sha256:" in str(failure)
    assert tags_of(there) == {other, "3"}


@both
def test_a_tag_of_a_layout_that_moved_during_the_copy_stays(run: Syncs, tmp_path: Path) -> None:
    there = tmp_path / "there"
    run.sync(layout_of(there.parent / "before", "1", "gone"), f"oci:{there}")
    source, moved = Listing(["1", "2"], lambda _: page("1", "2")), list[str]()

    def move_meanwhile(request: httpx.Request) -> httpx.Response:
        if "/blobs/" in request.url.path and not moved:
            moved.append("gone")
            with Layout(there) as other:
                other.tag("1", "gone")
        return source(request)

    options = {"transport": httpx.MockTransport(move_meanwhile), "retries": 0}
    with Layout(there) as layout:
        opened = AsyncLayout(there) if run is TASKS else layout
        done = run.sync("registry.example/acme/web", opened, prune=True, source_options=options)

    assert done.copied == 1
    assert isinstance(done.repositories[0].failed["gone"], errors.ConflictError)
    assert names(there).keys() == {"1", "2", "gone"}


@both
def test_a_plan_of_a_source_that_has_several_repositories_now_changes_nothing(run: Syncs, tmp_path: Path) -> None:
    there = f"oci:{tmp_path}/there"
    source = layout_of(tmp_path / "here", "1")
    plan = run.plan(source, there)
    (tmp_path / "here").rename(tmp_path / "web")
    layout_of(tmp_path / "here/web", "1")

    done = run.apply(plan)

    assert isinstance(done.repositories[0].failure, errors.InvalidReferenceError)
    assert not (tmp_path / "there").exists()


def test_a_plan_that_is_not_one_is_an_error() -> None:
    for text in ("", "[]", '{"version": 2}', '{"repositories": [{"source": "oci:a"}]}', '{"removals": []}'):
        with pytest.raises(errors.ConfigError, match="is not a valid plan: "):
            SyncPlan.from_json(text)


def test_a_registry_that_cannot_delete_says_so_and_keeps_its_tags(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry", delete=False) as registry:
        there = f"{registry.address}/acme/web"
        sync(layout_of(tmp_path / "before", "1", "2"), there)

        done = sync(layout_of(tmp_path / "after", "2", "3"), there, prune=True)

        assert (done.copied, done.removed) == (1, 0)
        assert isinstance(done.repositories[0].failed["1"], errors.UnsupportedError)
        assert tags_of(there) == {"1", "2", "3"}
