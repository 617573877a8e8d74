"""What is shown stays readable, and what is shown as a platform can be given back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.layout.conftest import LayoutBuilder

Run = Callable[..., Any]


@pytest.fixture
def build(tmp_path: Path) -> LayoutBuilder:
    """A layout to assemble."""
    return LayoutBuilder(tmp_path / "layout")


def with_platform(entry: dict[str, Any], **platform: object) -> dict[str, Any]:
    return {**entry, "platform": platform}


def test_each_platform_that_is_listed_can_be_chosen_by_its_text(said: Run, build: LayoutBuilder) -> None:
    """Bottles of Homebrew have versions such as "macOS 14"."""
    platforms: list[dict[str, object]] = [
        {"os": "darwin", "architecture": "arm64", "os.version": "macOS 14"},
        {"os": "darwin", "architecture": "arm64", "os.version": "macOS 15.1"},
        {"os": "windows", "architecture": "amd64", "os.version": "10.0.1", "os.features": ["win32k", "a+b (c)"]},
        {"os": "my os", "architecture": "a/b:c"},
        {"os": "linux", "architecture": "arm", "variant": "v\n7\u202e%"},
    ]
    images = [
        with_platform(build.image(f"linux/amd64/v{number}"), **platform) for number, platform in enumerate(platforms)
    ]
    build.tag("1", build.index(*images))
    source = f"oci:{build.write()}:1"

    listed = said("platforms", source).lines

    assert listed[0] == "darwin(macOS 14)/arm64"
    chosen = [said("resolve", source, "--platform", platform).out.strip() for platform in listed]
    assert chosen == [image["digest"] for image in images]
    assert said("resolve", source, "--platform", "darwin/arm64:macOS 15.1").out.strip() == images[1]["digest"]


def test_a_time_that_no_tool_knew_is_a_dash(said: Run, build: LayoutBuilder) -> None:
    """Go writes its zero time where no time was set."""
    zero = "0001-01-01T00:00:00Z"
    build.tag("1", build.image(created=zero, history=[{"created": zero, "created_by": "c"}]))
    source = f"oci:{build.write()}:1"
    page = said("inspect", source, "--format", "html").out

    assert "  created      -\n" in said("inspect", source).out
    assert "0001" not in page
    assert "<td>-</td>" in page
    assert json.loads(said("inspect", source, "--format", "json").out)["images"][0]["created"] == zero


@pytest.mark.parametrize("member", ["Labels", "Env", "Cmd", "User", "Volumes"])
def test_a_very_long_value_is_cut_in_text_and_whole_in_json(said: Run, build: LayoutBuilder, member: str) -> None:
    """Buildpacks write whole documents into labels."""
    long = "x=" + "y" * 998
    values = {"Labels": {"io.buildpacks.lifecycle.metadata": long}, "User": long, "Volumes": {long: {}}}
    build.tag("1", build.image(config={member: values.get(member, [long])}))
    source = f"oci:{build.write()}:1"
    out = said("inspect", source).out

    assert max(map(len, out.splitlines())) < 300
    assert "y… (1,0" in out
    assert long in said("inspect", source, "--format", "json").out


def test_labels_that_differ_after_the_cut_are_not_the_same(said: Run, build: LayoutBuilder) -> None:
    images = [
        build.image(platform, config={"Labels": {"a": "x" * 1000 + platform, "b": "y"}})
        for platform in ("linux/amd64", "linux/arm64")
    ]
    build.tag("1", build.index(*images))

    assert "the same as the labels" not in said("inspect", f"oci:{build.write()}:1").out


@pytest.mark.parametrize("options", [[], ["--platform", "plan9/amd64"]])
def test_an_error_lists_at_most_ten_platforms(said: Run, build: LayoutBuilder, options: list[str]) -> None:
    build.tag("1", build.index(*(build.image(f"linux/amd64/x{number:02}") for number in range(22))))

    done = said("config", f"oci:{build.write()}:1", *options)

    assert (done.code, done.out) == (4 if options else 7, "")
    assert "linux/amd64/x09 and 12 more" in done.err
    assert "linux/amd64/x10" not in done.err
