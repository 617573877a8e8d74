"""The page that `dreg report --format html` writes, in a browser."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_limited
from tests.partitions.written import two_reports
from tests.site.conftest import NARROW, ROOT, WIDE

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two partitions, one of which broke off, and of a damaged file."""
    folder = tmp_path_factory.mktemp("pages")
    (two_reports(folder / "reports") / "damaged.parquet").touch()
    file = folder / "report.html"
    command = [sys.executable, "-m", "dreg_client.cli", "report", folder / "reports", "--format", "html", "-o", file]
    assert run_limited(command, cwd=ROOT, capture_output=True, check=False).returncode == 5
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_fits_asks_nobody_and_can_be_read(page: Path, visit: Open, scheme: str) -> None:
    visited = visit(page.as_uri(), scheme)

    assert visited.asked == [page.as_uri()]
    assert visited.overflow(WIDE) == 0
    assert visited.overflow(NARROW) == 0
    assert visited.barriers() == []
    assert visited.complaints == []


def test_a_rule_leads_to_its_example(page: Path, visit: Open) -> None:
    visited = visit(page.as_uri())
    visited.page.get_by_role("link", name="ANN-01").first.click()

    assert visited.page.url == f"{page.as_uri()}#rule-2"
    assert visited.page.locator("#rule-2").is_visible()


def test_a_printed_report_is_dark_on_white(page: Path, visit: Open) -> None:
    printed = visit(page.as_uri(), "dark").page
    printed.emulate_media(media="print")
    style = printed.evaluate(
        "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.querySelector('main')))"
    )

    assert style == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
