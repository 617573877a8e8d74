"""Referrers in a layout: the manifests with a subject, whether the index lists them or the referrers tag does."""

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.layout.conftest import Json, LayoutBuilder

TYPE = "application/x-signature"
BROKEN = {"annotations": {"n": 1}}


def signature(build: "LayoutBuilder", subject: "Json", **members: object) -> "Json":
    """The entry of a signature of an image; `members` are more of its manifest."""
    empty = build.blob(b"{}", "application/vnd.oci.empty.v1+json")
    return build.manifest(empty, empty, **{"subject": subject, "artifactType": TYPE, **members})


def listed_by_tag(build: "LayoutBuilder", image: "Json", *entries: object) -> None:
    """Put entries into the list under the referrers tag of an image."""
    build.tag(image["digest"].replace(":", "-"), build.index(*entries))  # type: ignore[arg-type]


@pytest.fixture
def image(build: "LayoutBuilder") -> "Json":
    return build.tag("1.4", build.manifest(build.config(), build.blob(b"layer")))


@pytest.mark.parametrize("artifact_type", [None, TYPE])
@pytest.mark.parametrize("by_tag", [False, True], ids=["index", "tag"])
def test_a_malformed_manifest_is_listed_and_hides_no_other(
    build: "LayoutBuilder", image: "Json", caplog: pytest.LogCaptureFixture, artifact_type: str | None, by_tag: bool
) -> None:
    broken, other, right = (
        signature(build, image, **BROKEN),
        build.manifest(build.config(), subject=build.blob(b"another"), **BROKEN),
        signature(build, image),
    )
    if by_tag:
        listed_by_tag(build, image, broken, other, right)
    else:
        build.entries += [broken, other, right]

    found = build.layout().referrers(image["digest"], artifact_type)
    assert [entry.digest for entry in found] == [broken["digest"], right["digest"]]
    [warning] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"{broken['digest']} is malformed" in warning


def test_a_malformed_manifest_of_another_type_is_not_listed(build: "LayoutBuilder", image: "Json") -> None:
    build.entries.append(signature(build, image, **BROKEN))

    assert build.layout().referrers(image["digest"], "application/x-sbom") == ()


@pytest.mark.parametrize(
    "odd",
    [{"artifactType": ""}, {"size": None}, {"mediaType": None}, {"mediaType": "x"}, {"annotations": {"a": 1}}],
    ids=str,
)
def test_a_malformed_entry_under_the_referrers_tag_is_listed_with_a_warning(
    build: "LayoutBuilder", image: "Json", caplog: pytest.LogCaptureFixture, odd: "Json"
) -> None:
    signed = signature(build, image)
    entry = {name: value for name, value in {**signed, **odd}.items() if value is not None}
    other = signature(build, image, annotations={"another": "one"})
    listed_by_tag(build, image, entry, other)

    found = build.layout().referrers(image["digest"])
    assert [(each.digest, each.size, each.artifact_type) for each in found] == [
        (each["digest"], each["size"], TYPE) for each in (signed, other)
    ]
    assert any("is malformed" in record.getMessage() for record in caplog.records)


def test_an_entry_under_the_referrers_tag_without_its_manifest_is_listed_with_a_warning(
    build: "LayoutBuilder", image: "Json", caplog: pytest.LogCaptureFixture
) -> None:
    gone = {**signature(build, image), "artifactType": TYPE}
    build.file(gone).unlink()
    listed_by_tag(build, image, gone)

    assert [entry.digest for entry in build.layout().referrers(image["digest"], TYPE)] == [gone["digest"]]
    assert build.layout().referrers(image["digest"], "application/x-sbom") == ()
    assert any("is not a manifest in this layout" in record.getMessage() for record in caplog.records)


def test_what_has_another_subject_is_not_listed_whatever_the_referrers_tag_says(
    build: "LayoutBuilder", image: "Json"
) -> None:
    listed_by_tag(build, image, signature(build, build.blob(b"another")))

    assert build.layout().referrers(image["digest"]) == ()
