"""Destinations that others change or read meanwhile, that are links, or that are the source of the copy."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from dreg_client import Layout, copy
from tests.commands import run_limited, start_limited
from tests.kills.pictures import write_garbage, write_new
from tests.kills.stores import layout_closure, layout_state
from tests.registries import ROOT

DREG = [sys.executable, "-m", "dreg_client.cli"]
ROUNDS = """
import sys
from dreg_client import Layout, copy
source, there, process, rounds = sys.argv[1:]
for number in range(int(rounds)):
    tag = f"p{process}-{number % 2}"
    copy(f"{source}:1.{4 + number % 2}", f"{there}:{tag}")
    if number % 3 == 0:
        with Layout(there.removeprefix("oci:")) as layout:
            layout.untag(tag)
"""


def test_gc_never_deletes_what_a_running_copy_needs(tmp_path: Path) -> None:
    source, there = write_new(tmp_path / "new", 20_000), write_garbage(tmp_path / "there", 20_000)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                start_limited(
                    [sys.executable, "-c", ROUNDS, f"oci:{source}", f"oci:{there}", str(number), "9"], cwd=ROOT
                )
            )
            for number in range(3)
        ]
        while any(writer.poll() is None for writer in writers):
            with Layout(there) as layout:
                layout.gc()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    state = layout_state(there)  # everything that a tag leads to is there
    assert {f"p{number}-{tag}" for number in range(3) for tag in (0, 1)} - state.keys() <= {"p0-0", "p1-0", "p2-0"}
    with Layout(there) as layout:
        layout.gc()
    assert {f"sha256:{file.name}" for file in (there / "blobs/sha256").iterdir()} == layout_closure(there).keys()


def test_two_copies_to_one_archive_lose_no_image(tmp_path: Path) -> None:
    """The second one to finish is an error, and replaces nothing; run again, it is complete."""
    source, there = write_new(tmp_path / "new", 200_000), tmp_path / "there.tar"
    commands = [
        [*DREG, "copy", f"oci:{source}:{tag}", f"oci-archive:{there}:{tag}", "--format", "json"]
        for tag in ("1.4", "1.5")
    ]
    with ExitStack() as stack:
        both = [stack.enter_context(start_limited(each, cwd=ROOT, stdout=-1, stderr=-1)) for each in commands]
        said = [process.communicate()[1] for process in both]
    codes = {process.returncode for process in both}
    assert codes <= {0, 7}, said
    for command in commands:
        run_limited(command, cwd=ROOT, check=True, capture_output=True)
    listed = json.loads(run_limited(["tar", "-xOf", str(there), "index.json"], capture_output=True, check=True).stdout)
    assert len(listed["manifests"]) == 2
    assert not [*tmp_path.glob("*.part")]


def test_a_destination_that_is_the_source_stays_as_it_is(tmp_path: Path) -> None:
    there = write_new(tmp_path / "new", 1000)
    before = (there / "index.json").read_bytes()

    done = copy(f"oci:{there}", f"oci:{there}", tags="all", referrers=True)

    assert done.copied.count == 0
    assert layout_state(there).keys() == {"1.4", "1.5"}
    assert json.loads(before)["manifests"][0] in json.loads((there / "index.json").read_bytes())["manifests"]


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_an_archive_that_is_the_source_stays_as_it_is(tmp_path: Path, kind: str) -> None:
    source, there = write_new(tmp_path / "new", 1000), tmp_path / "there.tar"
    tag = "1.4" if kind == "oci-archive" else "localhost:5000/acme/web:1.4"
    options = {"platforms": ["linux/amd64"]}
    copy(f"oci:{source}:1.4", f"{kind}:{there}:{tag}", **options)  # type: ignore[arg-type]
    before = there.read_bytes()

    copy(f"{kind}:{there}:{tag}", f"{kind}:{there}:{tag}")

    assert there.read_bytes() == before


@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive"])
def test_a_link_as_destination_stays_a_link(tmp_path: Path, kind: str) -> None:
    source, link = write_new(tmp_path / "new", 1000), tmp_path / "link"
    link.symlink_to("there")
    if kind == "oci":
        (tmp_path / "there").mkdir()

    copy(f"oci:{source}:1.4", f"{kind}:{link}:acme", platforms=["linux/amd64"])

    assert link.is_symlink()
    assert (tmp_path / "there").exists()
    assert not [*tmp_path.rglob("*.part")]
