"""What is shown of an image, read by async code as by sync code."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import DockerArchive, Layout, Platform, aopen_store
from dreg_client._async import image_view as asynchronous
from dreg_client._sync.image_view import view
from dreg_client.errors import NotFoundError, PlatformNotFoundError

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

AMD64, ARM64, S390X = map(Platform.from_name, ("linux/amd64", "linux/arm64", "linux/s390x"))


async def seen_by_async_code(name: str, reference: str, chosen: tuple[Platform, ...] = ()) -> dict[str, object]:
    async with aopen_store(name) as store:
        return await asynchronous.view(store, reference, chosen)


@pytest.mark.parametrize("chosen", [(), (ARM64,), (ARM64, AMD64)], ids=["all", "one", "two"])
@pytest.mark.parametrize("name", ["1.4", "nested", "artifact"])
def test_async_code_shows_the_same(fixtures: Path, name: str, chosen: tuple[Platform, ...]) -> None:
    path = fixtures / "layouts" / "multi"
    with Layout(path) as layout:
        assert asyncio.run(seen_by_async_code(f"oci:{path}", name, chosen)) == view(layout, name, chosen)


def test_async_code_shows_an_archive(fixtures: Path) -> None:
    path = fixtures / "archives" / "web.docker.tar"
    with DockerArchive(path) as archive:
        seen = asyncio.run(seen_by_async_code(f"docker-archive:{path}", ""))

        assert seen == view(archive, "")
    assert seen["writtenByDreg"] is True


def test_a_chosen_platform_that_was_not_pulled_is_told_beside_the_others(build: "LayoutBuilder") -> None:
    here, gone = build.image("linux/amd64"), build.image("linux/arm64")
    build.tag("1.4", build.index(here, gone))
    build.file(gone).unlink()
    seen = view(build.layout(), "1.4", (AMD64, Platform.from_name("linux/x86_64"), ARM64))

    assert [image["digest"] for image in seen["images"]] == [here["digest"]]
    assert [absent["platform"] for absent in seen["missing"]] == ["linux/arm64"]


def test_a_chosen_platform_that_no_index_lists_is_an_error(build: "LayoutBuilder") -> None:
    build.tag("1.4", build.index(build.image("linux/amd64")))

    with pytest.raises(PlatformNotFoundError):
        view(build.layout(), "1.4", (AMD64, S390X))


def test_an_image_of_one_manifest_whose_config_is_gone_shows_its_layers(build: "LayoutBuilder") -> None:
    config, layer = build.config(), build.blob(b"layer")
    build.tag("1.4", build.manifest(config, layer))
    build.file(config).unlink()
    seen = view(build.layout(), "1.4")

    assert [step["digest"] for step in seen["images"][0]["layers"]] == [layer["digest"]]
    assert [(found["rule"], found["severity"], found["digest"]) for found in seen["problems"]] == [
        ("LYT-04", "error", config["digest"])
    ]
    with pytest.raises(NotFoundError):  # it is not known whether it runs there
        view(build.layout(), "1.4", (AMD64,))


@pytest.mark.parametrize("chosen", [(), (AMD64, ARM64)], ids=["all", "chosen"])
def test_async_code_shows_what_is_wrong_as_sync_code_does(build: "LayoutBuilder", chosen: tuple[Platform, ...]) -> None:
    platform = {"os": "linux", "architecture": "arm64"}
    artifact = {**build.manifest(build.blob(b"{}", "application/vnd.acme.config+json")), "platform": platform}
    wrong = build.manifest(build.document({"os": 1}, "application/vnd.oci.image.config.v1+json"))
    build.tag("1.4", build.index(wrong, artifact, build.image("linux/amd64")))
    seen = view(build.layout(), "1.4", chosen)

    assert [other["platform"] for other in seen["others"] if other["digest"] == artifact["digest"]] == ["linux/arm64"]
    assert asyncio.run(seen_by_async_code(f"oci:{build.path}", "1.4", chosen)) == seen


def test_an_attestation_that_is_gone_states_nothing(build: "LayoutBuilder") -> None:
    image = build.image("linux/amd64")
    annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
    attestation = {**build.image("unknown/unknown"), "annotations": annotations}
    build.tag("1.4", build.index(image, attestation))
    build.file(attestation).unlink()
    (found,) = view(build.layout(), "1.4")["attestations"]

    assert (found["platform"], found["subject"], found["predicates"]) == ("linux/amd64", image["digest"], [])
