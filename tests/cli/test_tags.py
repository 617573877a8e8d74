"""`dreg tags` lists what is asked for, and says what a range is."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

TAGS = [
    "1.3",
    "1.4",
    "v1.4.2",
    "1.4.2-rc1",
    "1.5-alpine",
    "1.10",
    "2.0.0",
    "1.4.0.1",
    "latest",
    "sha256-" + "a" * 64,
    f"sha256-{'b' * 64}.sig",
]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A layout with all of them, of one image."""
    layout = Path(__file__).parents[2] / "fixtures/layouts/multi"
    index = json.loads((layout / "index.json").read_text())
    entry = index["manifests"][0]
    named = [{**entry, "annotations": {"org.opencontainers.image.ref.name": tag}} for tag in TAGS]
    (tmp_path / "index.json").write_text(json.dumps({**index, "manifests": named}))
    (tmp_path / "oci-layout").write_text((layout / "oci-layout").read_text())
    (tmp_path / "blobs").symlink_to(layout / "blobs")
    return f"oci:{tmp_path}"


@pytest.mark.parametrize(
    ("options", "listed"),
    [
        ([], TAGS),
        (["--include", "1.4*"], ["1.4", "1.4.2-rc1", "1.4.0.1"]),
        (["--include", "v*", "--include", "LATEST"], ["v1.4.2"]),
        (["--include", "1.*", "--exclude", "*-rc*", "--exclude", "*.0.*"], ["1.3", "1.4", "1.5-alpine", "1.10"]),
        (["--semver", "^1.4"], ["1.4", "v1.4.2", "1.10"]),
        (["--semver", ">=1.4 <1.5"], ["1.4", "v1.4.2"]),
        (["--semver", ">=1.4.2-rc0 <2"], ["v1.4.2", "1.4.2-rc1", "1.10"]),
        (["--semver", "3.x"], []),
        (["--no-digest-tags", "--include", "[l-s]*"], ["latest"]),
    ],
)
def test_tags_are_chosen_by_globs_ranges_and_kind(said: Run, store: str, options: list[str], listed: list[str]) -> None:
    assert said("tags", store, *options).lines == listed
    assert json.loads(said("tags", store, *options, "--format", "json").out) == [{"source": store, "tags": listed}]


def test_of_several_stores_each_is_chosen_from(said: Run, store: str) -> None:
    assert said("tags", store, store, "--semver", "2").lines == [f"{store}:2.0.0"] * 2


@pytest.mark.parametrize("wrong", ["abc", ">=1.2,<2", "^", "1.4 ||| 2"])
def test_an_invalid_range_is_a_usage_error(said: Run, store: str, wrong: str) -> None:
    refused = said("tags", store, "--semver", wrong)

    assert refused.code == 2
    assert "is not a version range" in refused.err
