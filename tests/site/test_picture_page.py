"""The page that `dreg inspect --format html` writes, in a browser."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_limited
from tests.site.conftest import NARROW, ROOT, WIDE

Open = Callable[..., Any]
IMAGES = {
    "multi": "oci:fixtures/layouts/multi:1.4",
    "artifact": "oci:fixtures/layouts/multi:artifact",
    "windows": "oci:fixtures/layouts/windows:1.4",
    "archive": "docker-archive:fixtures/archives/web.docker.tar",
    "problems": "oci:fixtures/layouts/broken/diff-ids-do-not-fit:1.4",
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Draw an image into a file."""
    folder = tmp_path_factory.mktemp("pictures")

    def draw(name: str) -> Path:
        file = folder / f"{name}.html"
        command = [
            sys.executable,
            "-m",
            "dreg_client.cli",
            "inspect",
            IMAGES[name],
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
