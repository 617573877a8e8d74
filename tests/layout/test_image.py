"""Images: what a tag names, its platforms, and one platform's manifest, config, history and layers."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import Image, Layout, OciManifest, Platform, PlatformImage
from dreg_client.errors import (
    DepthLimitError,
    InvalidDigestError,
    InvalidPlatformError,
    NotAnImageError,
    NotFoundError,
    PlatformNotFoundError,
)
from dreg_client.images.image import Platforms
from tests.layout.counting import CountingLayout

if TYPE_CHECKING:
    from tests.layout.conftest import Json, LayoutBuilder

AMD64, ARM64, ARM = map(Platform.from_name, ("linux/amd64", "linux/arm64", "linux/arm/v7"))


@pytest.fixture
def multi(fixtures: Path) -> CountingLayout:
    return CountingLayout(fixtures / "layouts" / "multi")


@pytest.fixture
def image(multi: CountingLayout) -> Image:
    return multi.get_image("1.4")


# --- the seed's view (rows 33 to 38)


def test_an_image_says_where_it_is_from(image: Image, multi: CountingLayout) -> None:
    assert image.repo == multi.name
    assert image.tag == "1.4"
    assert image.digest == multi.resolve("1.4").digest
    assert image.manifest is None
    assert image.index is not None


@pytest.mark.parametrize("name", ["layers", "config", "history", "size", "steps"])
def test_what_only_one_platform_has_is_advised_to_be_read_there(image: Image, name: str) -> None:
    with pytest.raises(AttributeError, match=rf"get_platform_image\('linux/amd64'\)\.{name}$"):
        getattr(image, name)
    with pytest.raises(AttributeError, match=r"'Image' object has no attribute 'layerz'$"):
        getattr(image, "layerz")  # noqa: B009 (a type checker knows better)


def test_a_platform_is_in_platforms_by_its_text(image: Image) -> None:
    assert "linux/amd64" in image.platforms
    assert "linux/x86_64" in image.platforms
    for text in ("linux/s390x", "linux", "", "?"):
        assert text not in image.platforms


def test_platforms_are_ordered_and_equal_to_a_set(image: Image) -> None:
    expected = {AMD64, ARM64, ARM}

    assert image.platforms == expected
    assert expected == image.platforms
    assert not image.platforms != expected  # noqa: SIM202 (both operators are the claim)
    assert not expected != image.platforms  # noqa: SIM202
    assert image.platforms != {AMD64}
    assert image.platforms == (AMD64, ARM64, ARM)
    assert image.platforms != (ARM64, AMD64, ARM)
    assert image.platforms == frozenset(expected)
    assert [str(platform) for platform in image.platforms] == ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"]
    assert image.platforms == Platforms([AMD64, ARM64, ARM])


def test_platforms_cannot_be_hashed_but_their_tuple_can(image: Image) -> None:
    with pytest.raises(TypeError, match="unhashable type: 'Platforms'"):
        hash(image.platforms)

    assert {tuple(image.platforms): "a key"} == {(AMD64, ARM64, ARM): "a key"}


def test_a_platform_image_is_found_by_platform_by_name_and_by_digest(image: Image) -> None:
    found = image.get_platform_image(ARM64)

    assert image.get_platform_image("linux/arm64") is found
    assert image.get_platform_image("linux/aarch64") is found
    assert image.get_platform_image(str(found.digest)) is found
    assert image.get_platform_image(found.digest) is found
    assert (found.platform, found.config.architecture) == (ARM64, "arm64")
    assert found.digest == found.manifest.digest


def test_platform_images_come_in_document_order(image: Image) -> None:
    assert [found.platform for found in image.get_platform_images()] == [AMD64, ARM64, ARM]


def test_repeated_calls_read_nothing_again(multi: CountingLayout) -> None:
    image = multi.get_image("1.4")
    assert len(multi.read) == 1, "the index: platforms stand in it"

    for _ in range(2):
        for platform in image.platforms:
            image.get_platform_image(platform)
        image.get_platform_images()
    assert set(multi.read.values()) == {1}
    assert len(multi.read) == 1 + 3 * 2


def test_a_single_image_is_read_once(multi: CountingLayout) -> None:
    image = multi.get_image("single")
    image.get_platform_image("linux/amd64")
    image.get_platform_images()

    assert list(multi.read.values()) == [1, 1]


def test_a_single_image_has_one_platform_and_the_real_digest(multi: CountingLayout) -> None:
    image = multi.get_image("single")

    assert image.platforms == {AMD64}
    assert image.index is None
    assert image.manifest is not None
    assert image.digest == multi.resolve("single").digest == image.manifest.digest
    assert image.get_platform_image("linux/amd64").manifest == image.manifest
    assert image.get_platform_image(image.digest).digest == image.digest


def test_an_image_asked_for_by_digest_has_no_tag(multi: CountingLayout) -> None:
    assert multi.get_image(multi.resolve("1.4").digest).tag is None


def test_an_image_of_a_nested_index_has_all_that_is_within(multi: CountingLayout, image: Image) -> None:
    nested = multi.get_image("nested")

    assert nested.digest != image.digest
    assert nested.platforms == image.platforms
    assert nested.get_platform_image("linux/arm/v7") == image.get_platform_image("linux/arm/v7")


def test_attestations_are_no_platforms(image: Image) -> None:
    assert [entry.annotations["vnd.docker.reference.type"] for entry in image.attestations if entry.annotations] == [
        "attestation-manifest"
    ]
    assert not any(platform.is_unknown for platform in image.platforms)
    with pytest.raises(PlatformNotFoundError):
        image.get_platform_image("unknown/unknown")
    with pytest.raises(NotFoundError):
        image.get_platform_image(image.attestations[0].digest)


def test_an_attestation_asked_for_itself_runs_nowhere(multi: CountingLayout, image: Image) -> None:
    attestation = multi.get_image(image.attestations[0].digest)

    assert attestation.platforms == ()
    assert [found.platform for found in attestation.get_platform_images()] == [None]


def test_a_platform_that_is_not_there_is_told_with_those_that_are(image: Image) -> None:
    with pytest.raises(PlatformNotFoundError) as caught:
        image.get_platform_image("linux/s390x")

    assert caught.value.wanted == "linux/s390x"
    assert caught.value.available == ("linux/amd64", "linux/arm64/v8", "linux/arm/v7")


@pytest.mark.parametrize("text", ["linux", "a/b/c/d", "", "/amd64"])
def test_a_text_that_is_no_platform_is_refused(image: Image, text: str) -> None:
    with pytest.raises(InvalidPlatformError):
        image.get_platform_image(text)


def test_a_text_that_is_no_digest_is_refused(image: Image) -> None:
    with pytest.raises(InvalidDigestError):
        image.get_platform_image("sha256:abc")


def test_an_artifact_is_no_image(multi: CountingLayout) -> None:
    with pytest.raises(NotAnImageError) as caught:
        multi.get_image("artifact")

    assert caught.value.media_type == "application/vnd.oci.empty.v1+json"


# --- Windows


def test_two_versions_of_windows_are_two_platforms(fixtures: Path) -> None:
    image = Layout(fixtures / "layouts" / "windows").get_image("1.4")

    names = ["windows(10.0.17763.5830)/amd64", "windows(10.0.20348.2461)/amd64"]
    assert list(map(str, image.platforms)) == names
    assert str(image.get_platform_image("windows/amd64").platform) == names[0]
    assert str(image.get_platform_image("windows(10.0.20348)/amd64").platform) == names[1]
    assert str(image.get_platform_image("windows/amd64:10.0.20348.2461").platform) == names[1]
    with pytest.raises(PlatformNotFoundError):
        image.get_platform_image("windows(10.0.26100)/amd64")


# --- what indexes leave open (D-16, D-17)


def test_an_entry_without_platform_is_known_by_its_config(build: "LayoutBuilder") -> None:
    stated, unstated = build.image("linux/amd64"), build.image("linux/arm64/v8", stated=False)
    build.tag("1.4", build.index(unstated, stated))
    image = build.layout().get_image("1.4")

    assert list(image.platforms) == [ARM64, AMD64]
    assert image.get_platform_image("linux/arm64").digest == unstated["digest"]
    assert image.get_platform_image("linux/arm64").platform == ARM64


def test_what_an_index_states_goes_before_what_configs_say(build: "LayoutBuilder") -> None:
    unstated = build.image("linux/amd64", stated=False)
    stated = build.image("linux/amd64", author="someone")
    build.tag("1.4", build.index(unstated, stated))

    assert build.layout().get_image("1.4").get_platform_image("linux/amd64").digest == stated["digest"]


def test_of_equals_the_first_is_chosen(build: "LayoutBuilder") -> None:
    first, second = build.image("linux/amd64", author="first"), build.image("linux/amd64", author="second")
    build.tag("1.4", build.index(first, second))
    image = build.layout().get_image("1.4")

    assert image.platforms == (AMD64,)
    assert image.get_platform_image("linux/amd64").digest == first["digest"]
    assert image.get_platform_image(second["digest"]).config.author == "second"
    assert len(image.get_platform_images()) == 2


def test_entries_that_are_no_images_are_passed_over(build: "LayoutBuilder") -> None:
    """BuildKit's cache lists layers in an index; others list what nobody here knows."""
    artifact = build.manifest(build.blob(b"{}", "application/vnd.acme.config+json"))
    unknown = build.image("unknown/unknown", stated=False)
    layer, other = build.blob(b"layer"), build.blob(b"what", "application/vnd.acme.what")
    build.tag("1.4", build.index(layer, other, artifact, unknown, build.image()))

    assert build.layout().get_image("1.4").platforms == {AMD64}


def test_an_index_of_nothing_has_no_platforms(build: "LayoutBuilder") -> None:
    build.tag("1.4", build.index())
    image = build.layout().get_image("1.4")

    assert image.platforms == ()
    assert image.get_platform_images() == ()
    with pytest.raises(PlatformNotFoundError, match="available: none"):
        image.get_platform_image("linux/amd64")


def test_a_config_of_one_platform_is_read_once_for_many_entries(build: "LayoutBuilder") -> None:
    """An index of ten thousand entries that share a large config does not take hours."""
    config = build.config()
    manifests = [build.manifest(config, annotations={"n": str(number)}) for number in range(20)]
    build.tag("1.4", build.index(*manifests, *manifests))
    layout = CountingLayout(build.write())
    layout.get_image("1.4")

    assert set(layout.read.values()) == {1}
    assert len(layout.read) == 1 + 20 + 1


# --- nested indexes


def nested(build: "LayoutBuilder", levels: int) -> "Json":
    entry = build.image()
    for _ in range(levels):
        entry = build.index(entry)
    return entry


def test_mdl_14_eight_levels_of_indexes_are_read(build: "LayoutBuilder") -> None:
    build.tag("1.4", nested(build, 8))

    assert build.layout().get_image("1.4").get_platform_image("linux/amd64")


def test_mdl_14_nine_levels_of_indexes_are_refused(build: "LayoutBuilder") -> None:
    build.tag("1.4", nested(build, 9))

    with pytest.raises(DepthLimitError):
        build.layout().get_image("1.4")


def test_mdl_20_an_index_that_is_listed_twice_is_read_once(build: "LayoutBuilder") -> None:
    inner = build.index(build.image(), build.image("linux/arm64"))
    build.tag("1.4", build.index(inner, inner, build.index(inner)))
    layout = CountingLayout(build.write())
    image = layout.get_image("1.4")

    assert image.platforms == (AMD64, ARM64)
    assert set(layout.read.values()) == {1}


def test_mdl_20_a_subject_is_data(build: "LayoutBuilder") -> None:
    """A manifest can name anything as its subject, also what is of another type, or is not there."""
    missing = {"mediaType": "application/vnd.acme.what", "digest": "sha256:" + "0" * 64, "size": 5}
    build.tag("1.4", build.manifest(build.config(), build.blob(b"layer"), subject=missing))
    manifest = build.layout().get_image("1.4").manifest

    assert isinstance(manifest, OciManifest)
    assert manifest.subject is not None
    assert manifest.subject.digest == missing["digest"]


def test_a_platform_stated_for_an_inner_index_leads_into_it(build: "LayoutBuilder") -> None:
    platform = {"os": "linux", "architecture": "arm64"}
    inner = {**build.index(build.image("linux/arm64", stated=False)), "platform": platform}
    build.tag("1.4", build.index(build.image(), inner))

    assert build.layout().get_image("1.4").get_platform_image("linux/arm64").config.architecture == "arm64"


# --- sparse layouts


def test_missing_children_leave_the_others_usable(build: "LayoutBuilder") -> None:
    """`docker save` and `skopeo copy` of one platform keep the whole index."""
    here, gone = build.image("linux/amd64"), build.image("linux/arm64")
    unstated, inner = build.image("linux/s390x", stated=False), build.index(build.image("linux/ppc64le"))
    build.tag("1.4", build.index(gone, unstated, inner, here))
    for entry in (gone, unstated, inner):
        build.file(entry).unlink()
    image = build.layout().get_image("1.4")

    assert image.platforms == {AMD64, ARM64}
    assert image.get_platform_image("linux/amd64").digest == here["digest"]
    with pytest.raises(NotFoundError, match=gone["digest"]):
        image.get_platform_image("linux/arm64")
    with pytest.raises(PlatformNotFoundError):
        image.get_platform_image("linux/ppc64le")


def test_children_that_nothing_can_prove_leave_the_others_usable(build: "LayoutBuilder") -> None:
    unproven = {**build.image("linux/arm64", stated=False), "digest": "blake3:" + "0" * 64}
    build.tag("1.4", build.index(unproven, build.image()))

    assert build.layout().get_image("1.4").platforms == {AMD64}


# --- one platform's image


def test_layers_history_and_size_are_those_of_the_documents(image: Image) -> None:
    found = image.get_platform_image("linux/amd64")

    assert isinstance(found, PlatformImage)
    assert found.layers == found.manifest.layers
    assert found.history == found.config.history
    assert found.size == sum(layer.size for layer in found.layers) == found.manifest.image_size


def test_steps_pair_instructions_with_the_layers_that_they_made(image: Image) -> None:
    found = image.get_platform_image("linux/amd64")

    assert tuple(step.layer for step in found.steps if step.layer) == found.layers
    assert tuple(step.entry for step in found.steps) == found.history
    told = {step.entry.clean_created_by: step.layer is not None for step in found.steps if step.entry}
    assert told["USER web"] is False
    assert told["COPY --chmod=755 web /bin/web"] is True


@pytest.mark.parametrize(
    ("history", "shape"),
    [
        ([], "LL"),
        ([{"created_by": "one"}], "LLH"),
        ([{"created_by": "one"}, {"empty_layer": True}, {"created_by": "two"}], "BHB"),
        ([{}, {}, {}], "LLHHH"),
    ],
    ids=["none", "too few", "fitting", "too many"],
)
def test_cfg_20_history_that_does_not_fit_stands_apart(
    build: "LayoutBuilder", history: list["Json"], shape: str
) -> None:
    build.tag("1.4", build.image(layers=2, history=history))
    found = build.layout().get_image("1.4").get_platform_images()[0]

    kinds = {(True, True): "B", (True, False): "H", (False, True): "L"}
    assert "".join(kinds[step.entry is not None, step.layer is not None] for step in found.steps) == shape


def test_a_config_without_names_has_no_platform_and_still_is_an_image(build: "LayoutBuilder") -> None:
    """CFG-01: empty names warn."""
    build.tag("1.4", build.manifest(build.config("/"), build.blob(b"layer")))
    image = build.layout().get_image("1.4")

    assert image.platforms == ()
    assert [found.platform for found in image.get_platform_images()] == [None]


def test_views_say_what_they_are(image: Image) -> None:
    assert repr(image).endswith("1.4, linux/amd64, linux/arm64/v8, linux/arm/v7)")
    assert "3 layers" in repr(image.get_platform_image("linux/amd64"))
