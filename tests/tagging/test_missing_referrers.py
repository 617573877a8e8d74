"""Promotions with referrers of images that the destination has already."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dreg_client import CopyTag, Layout, Registry, Repository, TagPlan, copy, errors, plan, undo
from tests.registries import RunningRegistry
from tests.tagging.changing import Doing, both
from tests.tagging.stores import Dated, Requests, digest_tag_of, pushed, subject_of


@pytest.fixture(params=["layout", "registry"])
def into(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The store that images are promoted to; nothing is there yet."""
    if request.param == "layout":
        return f"oci:{tmp_path / 'production'}"
    registry: RunningRegistry = request.getfixturevalue("open_registry")
    return f"{registry.address}/production/{tmp_path.name.replace('_', '-').lower()}"


class Signed:
    """A repository with an image of two platforms, which is signed after it was promoted."""

    def __init__(self, folder: Path) -> None:
        self.graph, self._folder, self._written = Dated(), folder, 0
        platforms = [self.graph.dated(architecture=each) for each in ("amd64", "arm64")]
        self.image, self.platform = self.graph.index(platforms), platforms[0]
        self.graph.tag(self.image, "1.4")

    def name(self) -> str:
        self._written += 1
        return f"oci:{self.graph.write(self._folder / f'source-{self._written}')}"

    def refer(self, text: str, subject: str = "image") -> str:
        """Add a referrer of the image or of its first platform; return its digest."""
        to = subject_of(getattr(self, subject))
        return str(self.graph.artifact([self.graph.add(text.encode())], subject=to)["digest"])


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    return Signed(tmp_path)


def promotion(name: str, into: str, *, referrers: bool = True) -> TagPlan:
    return plan([name]).promote("*", into=into, referrers=referrers).make()


@contextmanager
def opened(name: str) -> Iterator[Layout | Repository]:
    if name.startswith("oci:"):
        with Layout(name.removeprefix("oci:")) as layout:
            yield layout
        return
    host, _, rest = name.partition("/")
    with Registry(f"http://{host}") as registry:
        yield registry.repository(rest)


def referrers(name: str, digest: str) -> list[str]:
    with opened(name) as store:
        return sorted(each.digest for each in store.referrers(digest))


@both
def test_a_signature_that_arrives_after_the_image_is_promoted(
    signed: Signed, into: str, tmp_path: Path, run: Doing
) -> None:
    before = signed.refer("first")
    run.apply(promotion(signed.name(), into))
    late, later = signed.refer("second"), signed.refer("third", "platform")
    tag = digest_tag_of(signed.image)
    signed.graph.tag(signed.graph.signature("cosign"), tag)
    name, journal = signed.name(), tmp_path / "changes.jsonl"

    made = promotion(name, into)
    [found] = made.changes
    assert isinstance(found, CopyTag)
    assert found.replaces == found.digest == signed.image["digest"]
    assert found.missing == (*sorted([late, later]), tag)
    assert str(found) == f"copy 3 referrers of {name}:1.4 ({found.digest[:19]}) that 1.4 lacks"

    result = run.apply(made, journal=journal)
    assert (result.done, result.failures) == ((found,), {})
    assert referrers(into, signed.image["digest"]) == sorted([before, late])
    assert referrers(into, signed.platform["digest"]) == [later]
    assert promotion(name, into).is_empty
    assert run.apply(made).repositories[0].already == (found,)
    assert undo(journal, dry_run=True).is_empty


def test_without_referrers_nothing_is_compared(signed: Signed, open_registry: RunningRegistry, tmp_path: Path) -> None:
    name = pushed(signed.graph, open_registry, tmp_path)
    into = f"oci:{tmp_path / 'production'}"
    copy(f"{name}:1.4", f"{into}:1.4")
    signed.refer("late")
    requests = Requests()

    assert plan([name], on_event=requests).promote("*", into=into).make().is_empty
    assert sorted(requests.all) == ["GET tags/list", "HEAD manifests/1.4"]


def test_tag_121_a_digest_tag_of_the_destination_is_never_replaced(signed: Signed, into: str) -> None:
    tag, name = digest_tag_of(signed.image), signed.name()
    copy(f"{name}:1.4", f"{into}:1.4")
    own = signed.graph.signature("of production")
    signed.graph.tag(own, tag)
    copy(f"{signed.name()}:{tag}", f"{into}:{tag}")
    del signed.graph.entries[-1]
    signed.graph.tag(signed.graph.signature("of staging"), tag)

    assert promotion(signed.name(), into).is_empty


def test_missing_referrers_are_not_copied_if_the_tag_was_moved_meanwhile(signed: Signed, into: str) -> None:
    name = signed.name()
    copy(f"{name}:1.4", f"{into}:1.4")
    signed.graph.tag(signed.graph.signature("cosign"), digest_tag_of(signed.image))
    made = promotion(signed.name(), into)
    other = Dated()
    other.tagged("1.4", layer="other")
    signed.graph, image = other, signed.image
    copy(f"{signed.name()}:1.4", f"{into}:1.4")

    result = plan([name]).apply(made)
    assert [type(each) for each in result.failures.values()] == [errors.ConflictError]
    with opened(into) as store:
        assert digest_tag_of(image) not in store.tags()


def test_a_list_that_cannot_be_read_is_a_failure(signed: Signed, into: str, tmp_path: Path) -> None:
    copy(f"{signed.name()}:1.4", f"{into}:1.4")
    signed.refer("late")
    name = signed.name()
    Path(name.removeprefix("oci:"), "blobs", signed.image["digest"].replace(":", "/")).write_text("{}")

    [found] = [each for each in promotion(name, into).repositories if each.repository == into]
    assert (found.changes, [each.tag for each in found.failures]) == ((), ["1.4"])
