"""The page that `dreg inspect --format html` writes, in a browser."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_limited
from tests.layout.conftest import OCI, LayoutBuilder, sha256
from tests.site.conftest import NARROW, ROOT, WIDE

Open = Callable[..., Any]
IMAGES = {
    "multi": "oci:fixtures/layouts/multi:1.4",
    "artifact": "oci:fixtures/layouts/multi:artifact",
    "windows": "oci:fixtures/layouts/windows:1.4",
    "archive": "docker-archive:fixtures/archives/web.docker.tar",
    "problems": "oci:fixtures/layouts/broken/diff-ids-do-not-fit:1.4",
}


PLATFORMS = "amd64 arm64/v8 arm/v7 arm/v6 arm/v5 386 ppc64le s390x riscv64 mips64le loong64 mips".split()
LAYERS, LONG = 200, 40
TWO_SCREENS = 1600
FIVE_GIGABYTES, ONE_KILOBYTE = 5_000_000_000, 1_000
WIDTHS = "bars => bars.map(bar => bar.getBoundingClientRect().width)"


def large_layout(path: Path) -> Path:
    """Write an image of many platforms, layers, labels, variables and annotations, half of the layers shared."""
    build = LayoutBuilder(path)
    images = [large_image(build, f"linux/{name}") for name in PLATFORMS]
    attestations = [attestation(build, image["digest"]) for image in images]
    build.tag("1", build.index(*images, *attestations, annotations=long_texts("index")))
    return build.write()


def large_image(build: LayoutBuilder, platform: str) -> dict[str, Any]:
    layers = [large_layer(number, "shared" if number % 2 else platform) for number in range(LAYERS)]
    history = [{"created_by": f"RUN install package-{number} {'and another ' * number}"} for number in range(LAYERS)]
    run = {"Env": [f"{name}={value}" for name, value in long_texts("env").items()], "Labels": long_texts(platform)}
    config = build.config(platform, LAYERS, history=history, config=run)
    entry = build.manifest(config, *layers, annotations=long_texts(f"of-{platform}"))
    system, architecture, variant = (*platform.split("/"), "")[:3]
    named = {"os": system, "architecture": architecture, **({"variant": variant} if variant else {})}
    return {**entry, "platform": named}


def large_layer(number: int, owner: str) -> dict[str, Any]:
    size = FIVE_GIGABYTES if number == 1 else ONE_KILOBYTE
    return {"mediaType": f"{OCI}layer.v1.tar+gzip", "digest": sha256(f"{owner} {number}".encode()), "size": size}


def attestation(build: LayoutBuilder, subject: str) -> dict[str, Any]:
    layer = {"mediaType": "application/vnd.in-toto+json", "digest": sha256(subject.encode()), "size": 1000}
    annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": subject}
    unknown = {"os": "unknown", "architecture": "unknown"}
    return {
        **build.manifest(build.config("unknown/unknown"), layer),
        "platform": unknown,
        "annotations": annotations,
    }


def long_texts(prefix: str) -> dict[str, str]:
    return {f"org.example.{prefix}.{number}": "text " * number for number in range(LONG)}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Draw an image into a file."""
    folder = tmp_path_factory.mktemp("pictures")
    images = IMAGES | {"large": f"oci:{large_layout(folder / 'large')}:1"}

    def draw(name: str) -> Path:
        file = folder / f"{name}.html"
        command = [
            sys.executable,
            "-m",
            "dreg_client.cli",
            "inspect",
            images[name],
            "--format",
            "html",
            "-o",
            str(file),
        ]
        run_limited(command, cwd=ROOT, check=True)
        return file

    return draw


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", IMAGES)
def test_a_picture_fits_asks_nobody_and_can_be_read(
    drawn: Callable[[str], Path], visit: Open, name: str, scheme: str
) -> None:
    file = drawn(name)
    visited = visit(file.as_uri(), scheme)

    assert visited.asked == [file.as_uri()]
    assert visited.overflow(WIDE) == 0
    assert visited.overflow(NARROW) == 0
    assert visited.barriers() == []
    assert visited.complaints == []


def test_bars_are_as_long_as_their_layers_are_large(drawn: Callable[[str], Path], visit: Open) -> None:
    page = visit(drawn("multi").as_uri()).page
    first = page.locator("details").first
    widths = [bar.bounding_box()["width"] for bar in first.locator("summary .bar").all()]

    assert widths[0] / widths[1] == pytest.approx(301 / 180, rel=0.02)


@pytest.mark.parametrize("name", [*IMAGES, "large"])
def test_a_picture_is_two_screens_high_until_something_is_unfolded(
    drawn: Callable[[str], Path], visit: Open, name: str
) -> None:
    visited = visit(drawn(name).as_uri())

    assert visited.page.evaluate("document.documentElement.scrollHeight") <= TWO_SCREENS
    assert visited.overflow(NARROW) == 0


def test_a_kilobyte_is_visible_beside_five_gigabytes(drawn: Callable[[str], Path], visit: Open) -> None:
    page = visit(drawn("large").as_uri()).page
    widths = page.eval_on_selector_all("summary .bar", WIDTHS)
    page.locator(".tree details summary").first.click()
    unfolded = page.eval_on_selector_all(".tree details[open] li .bar", WIDTHS)

    assert len(widths) == len(PLATFORMS) * LAYERS
    assert len(unfolded) == LAYERS
    assert min(widths) >= 2
    assert min(unfolded) >= 2
    assert max(widths) > 20 * min(widths)


def test_a_layer_under_the_pointer_is_named(drawn: Callable[[str], Path], visit: Open) -> None:
    page = visit(drawn("large").as_uri()).page
    bar = page.locator("summary .bar").nth(2)
    bar.hover()

    assert bar.get_attribute("title").startswith("1000 B, sha256:")
