"""`dreg usage`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Layout
from tests.copying.graphs import Graph
from tests.registries import LAYOUT, ROOT

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("home")
RELEASES = f"oci:{ROOT}/fixtures/layouts/releases"


def test_the_tag_that_frees_most_is_first(dreg: Run) -> None:
    header, *rows, total = dreg("usage", RELEASES).lines

    assert header.split() == ["TAG", "DIGEST", "SIZE", "SHARED", "FREED", "IMAGE", "PLATFORMS", "CREATED", "OLDEST"]
    assert rows[0].split() == [
        *("1.5.0-rc.2", "sha256:b6cb5c68366c", "2.6", "KiB", "164", "B", "3.1", "KiB", "3.1", "KiB", "2"),
        *("2024-06-17", "2024-06-17"),
    ]
    nothing_freed = {row.split()[0] for row in rows if "  0 B  " in row}
    assert nothing_freed == {"1.3.9", "1.3", "1.4.1", "latest", "1.4", "1"}
    assert total == "25 tags, 30.4 KiB in 57 blobs and 34 manifests"


def test_a_date_that_is_not_known_is_a_hyphen(dreg: Run) -> None:
    (row,) = (line for line in dreg("usage", RELEASES).lines if line.startswith("pr-103 "))

    assert row.split()[-2:] == ["-", "-"]


def test_platforms_have_rows_of_their_own(dreg: Run) -> None:
    lines = dreg("usage", f"oci:{LAYOUT}", "--platforms").lines
    (start,) = (number for number, line in enumerate(lines) if line.startswith("1.4 "))

    assert [line.split()[0] for line in lines[start + 1 : start + 4]] == [
        "linux/amd64",
        "linux/arm64/v8",
        "linux/arm/v7",
    ]


def test_several_repositories_have_their_names(dreg: Run, web: str) -> None:
    done = dreg("usage", web, f"oci:{LAYOUT}")

    assert done.code == 0
    assert [line.partition(": ")[0] for line in done.lines if " tags, " in line] == [web, f"oci:{LAYOUT}"]
    assert any(line.startswith(f"{web}:1.3 ") for line in done.lines)


def test_json_has_exact_sizes(dreg: Run, web: str) -> None:
    (found,) = json.loads(dreg("usage", web, "--format", "json").out)

    by_tag = {each["tag"]: each for each in found["tags"]}
    assert (found["source"], found["repository"]) == (web, web)
    assert found["size"] > by_tag["1.4"]["size"] > by_tag["1.4"]["sharedSize"] > 0
    assert len(by_tag["1.4"]["platforms"]) == 3
    assert by_tag["1.3"]["created"] == by_tag["1.3"]["oldest"] == found["newest"]


def test_a_tag_that_cannot_be_read_is_reported_and_the_others_are_shown(dreg: Run, tmp_path: Path) -> None:
    graph = Graph()
    good, bad = graph.image([graph.add(b"one")]), graph.image([graph.add(b"two")])
    graph.tag(good, "good")
    graph.tag(bad, "bad")
    path = graph.write(tmp_path / "web")
    with Layout(path) as layout:
        digest = layout.resolve("bad").digest
    (path / "blobs" / digest.algorithm / digest.encoded).unlink()

    done = dreg("usage", f"oci:{path}")

    assert done.code == 1
    assert [line.split()[0] for line in done.lines] == ["TAG", "good", "1"]
    assert f"dreg: oci:{path}:bad: " in done.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["usage"], 2, "REPOSITORY"),
        (["usage", f"oci:{LAYOUT}:1.4"], 2, "without '1.4'"),
        (["usage", "oci:absent"], 4, "absent"),
    ],
)
def test_errors_say_what_to_do(dreg: Run, words: list[str], code: int, told: str) -> None:
    done = dreg(*words)

    assert (done.code, done.out) == (code, "")
    assert told in done.err
