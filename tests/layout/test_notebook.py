"""What a notebook shows of an image."""

import sys
from pathlib import Path

import pytest

from dreg_client import Layout, open_store


def test_a_notebook_shows_the_picture_of_an_image(fixtures: Path) -> None:
    with Layout(fixtures / "layouts/multi") as layout:
        image = layout.get_image("1.4")
        shown = image._repr_html_()

    assert shown is not None
    assert "linux/arm64/v8" in shown
    assert "<html" not in shown


def test_of_a_store_that_is_closed_a_notebook_shows_the_name_alone(fixtures: Path) -> None:
    with open_store(f"oci-archive:{fixtures}/archives/multi.oci.tar") as store:
        image = store.get_image("1.4")

    assert image._repr_html_() is None
    assert repr(image).startswith("Image(")


def test_without_jinja_a_notebook_shows_the_name_alone(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dreg_client.images.html.page", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with Layout(fixtures / "layouts/multi") as layout:
        image = layout.get_image("1.4")

        assert image._repr_html_() is None
