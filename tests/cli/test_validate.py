"""`dreg validate`: what it takes, what it finds there, and what it leaves with."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_limited

Run = Callable[..., Any]
GOOD = "fixtures/valid/oci-manifest.json"
BAD = "fixtures/broken/MAN-05-config-missing.json"
MULTI = "oci:fixtures/layouts/multi"
MEASURED = """
import sys
from dreg_client.cli import main
try:
    main()
finally:
    sys.stderr.write(next(line for line in open("/proc/self/status") if line.startswith("VmHWM:")))
"""


@pytest.fixture
def folder(tmp_path: Path, fixtures: Path) -> Path:
    """A folder with a document, a dump, a layout below, and what is none of these."""
    shutil.copy(fixtures / "valid/oci-manifest.json", tmp_path / "b.json")
    (tmp_path / "a.jsonl").write_bytes(b"{}\n")
    (tmp_path / "notes.txt").write_text("no document")
    shutil.copytree(fixtures / "layouts/umoci", tmp_path / "below/umoci")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/c.json").write_text("[]")
    return tmp_path


def found(said: Run, *arguments: str | Path) -> dict[str, dict[str, Any]]:
    """The documents that are told of, by the name of their file."""
    told = json.loads(said("validate", "--format", "json", *arguments).out)
    return {document["source"]: document for document in told["documents"]}


def test_every_good_fixture_is_valid(said: Run) -> None:
    done = said("validate", "fixtures/valid", MULTI, "oci:fixtures/layouts/skopeo", "oci:fixtures/layouts/umoci")

    assert done.code == 0
    assert done.out.count("\n") == 1
    assert "invalid" not in done.out


def test_a_broken_document_leaves_with_1(said: Run) -> None:
    done = said("validate", GOOD, BAD)

    assert done.code == 1
    assert done.lines[-1] == "2 checked: 1 valid, 1 invalid"


def test_a_warning_is_no_error(said: Run) -> None:
    done = said("validate", "fixtures/broken/ANN-02-url-without-scheme.json")

    assert done.code == 0
    assert done.lines[-1] == "1 checked: 1 valid, 1 with warnings"


UNREADABLE = "oci:fixtures/layouts/broken/no-index"


@pytest.mark.parametrize("order", [[BAD, "no/a.json", GOOD, "oci:no/b"], ["no/a.json", "oci:no/b", GOOD, BAD]])
def test_what_cannot_be_read_loses_nothing_else(said: Run, order: list[str]) -> None:
    done = said("validate", *order)

    assert done.code == 1
    assert done.lines[-1] == "2 checked: 1 valid, 1 invalid, 2 not read (no/a.json, oci:no/b)"
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["dreg", "dreg"]


@pytest.mark.parametrize(
    ("code", "sources"),
    [
        (4, ["no/a.json"]),
        (4, ["no/a.json", "oci:no/b"]),
        (1, ["no/a.json", GOOD]),
        (1, ["no/a.json", "localhost:1/x"]),
        (1, ["no/a.json", BAD]),
        (5, [UNREADABLE]),
        (5, [UNREADABLE, "no/a.json", GOOD]),
        (5, ["no/a.json", BAD, UNREADABLE]),
    ],
)
def test_what_is_unreadable_counts_more_than_what_is_invalid_and_some_failures_are_1(
    said: Run, code: int, sources: list[str]
) -> None:
    assert said("validate", *sources, "--retries", "0").code == code


def test_a_file_of_a_folder_that_cannot_be_read_loses_no_other(said: Run, folder: Path) -> None:
    (folder / "0.jsonl").symlink_to(folder / "a.jsonl")
    (folder / "a.jsonl").unlink()
    (folder / "below/x").mkdir()
    (folder / "below/x/oci-layout").write_text("{}")
    done = said("validate", folder)

    assert done.code == 5
    assert f"{folder}/below/x" in done.err
    assert done.lines[-1].endswith(f"valid, 1 not read ({folder}/below/x)")


def test_a_folder_is_what_is_in_it_and_below_but_not_what_is_hidden(said: Run, folder: Path) -> None:
    told = [source.removeprefix(f"{folder}/") for source in found(said, folder)]

    assert told[0] == "a.jsonl"
    assert told[1] == "b.json"
    assert told[2] == "below/umoci/index.json"
    assert {source.split("/")[0] for source in told[3:]} == {"below"}
    assert said("validate", folder / "below").code == 0


def test_a_folder_without_documents_is_a_mistake(said: Run, tmp_path: Path) -> None:
    done = said("validate", tmp_path)

    assert done.code == 2
    assert "nothing to check" in done.err


@pytest.mark.parametrize("name", ["flipped-byte", "wrong-size", "config-digest", "bad-json-index", "traversal"])
def test_a_broken_layout_is_found_out(said: Run, name: str) -> None:
    for source in (f"oci:fixtures/layouts/broken/{name}", f"fixtures/layouts/broken/{name}"):
        assert said("validate", source).code == 1


def test_a_broken_index_of_a_layout_is_told_problem_by_problem(said: Run) -> None:
    name = "fixtures/layouts/broken/bad-json-index"

    assert found(said, f"oci:{name}")[f"{name}/index.json"]["problems"]


def test_a_layout_may_be_told_to_be_complete(said: Run) -> None:
    source = "oci:fixtures/layouts/broken/missing-blob"

    assert said("validate", source).code == 0
    assert said("validate", "--complete", source).code == 1


@pytest.mark.parametrize("options", [[], ["--complete"]])
def test_missing_blobs_are_counted_apart_from_what_was_checked(
    said: Run, tmp_path: Path, fixtures: Path, options: list[str]
) -> None:
    layout = tmp_path / "layout"
    shutil.copytree(fixtures / "layouts/multi", layout)
    whole = json.loads(said("validate", f"oci:{layout}", "--format", "json").out)["summary"]
    layers = [blob for blob in sorted(layout.glob("blobs/sha256/*")) if blob.read_bytes()[:1] != b"{"]
    for number, blob in enumerate(layers[:2], 1):
        blob.unlink()
        done = said("validate", f"oci:{layout}", *options)
        missing, left = ("1 blob missing", "2 blobs missing")[number - 1], whole["checked"] - number

        assert done.lines[-1] == f"{left} checked: {left} valid; {missing}"
        assert f"{blob.name}: missing" in done.out
        assert done.code == (1 if options else 0)
    summary = json.loads(said("validate", f"oci:{layout}", *options, "--format", "json").out)["summary"]
    assert (summary["checked"], summary["missing"], summary["withWarnings"]) == (left, number, 0)


def test_a_tag_narrows_a_layout_down(said: Run) -> None:
    assert len(found(said, f"{MULTI}:single")) < len(found(said, MULTI))
    assert said("validate", f"{MULTI}:9.9").code == 4


def test_an_archive_of_a_layout_is_one(said: Run) -> None:
    assert said("validate", "oci-archive:fixtures/archives/multi.oci.tar").code == 0


def test_a_kind_says_what_each_file_must_be(said: Run) -> None:
    assert said("validate", "fixtures/configs").code == 1
    assert said("validate", "--kind", "image-config", "fixtures/configs").code == 0


def test_a_media_type_says_what_each_file_was_served_as(said: Run) -> None:
    told = found(said, "--media-type", "application/vnd.oci.image.index.v1+json", GOOD)[GOOD]

    assert "GEN-07" in {problem["rule"] for problem in told["problems"]}


# --- dumps


def test_a_dump_is_checked_line_by_line(said: Run) -> None:
    done = said("validate", "--field", "manifest", "--media-type-field", "media_type", "fixtures/dumps/registry.jsonl")

    assert done.code == 1
    assert [line for line in done.lines if line.startswith("fixtures")] == [
        "fixtures/dumps/registry.jsonl:7: invalid (docker-manifest)",
        "fixtures/dumps/registry.jsonl:18: invalid (oci-index)",
    ]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_processes_find_what_one_finds(said: Run, tmp_path: Path, fixtures: Path, jobs: str) -> None:
    lines = (fixtures / "dumps/manifests.jsonl").read_bytes()
    repeated = (5 << 20) // len(lines)
    (tmp_path / "dump.jsonl").write_bytes(b"{}\n" + lines * repeated + b"[]\n")
    done = said("validate", "--jobs", jobs, tmp_path / "dump.jsonl")
    last = repeated * lines.count(b"\n") + 2

    assert [line for line in done.lines if "invalid" in line] == [
        f"{tmp_path}/dump.jsonl:1: invalid",
        f"{tmp_path}/dump.jsonl:{last}: invalid",
        f"{last:,} checked: {last - 2:,} valid, 2 invalid",
    ]


def test_lines_may_come_from_standard_input_or_a_pipe(dreg: Run, fixtures: Path, tmp_path: Path) -> None:
    raw = (fixtures / "dumps/manifests.jsonl").read_bytes() + b"\n\n[]\n"
    by_input = dreg("validate", "--lines", "-", stdin=raw)
    (tmp_path / "raw").write_bytes(raw)
    script = f'cat "$1" | "{sys.executable}" -m dreg_client.cli validate --lines /dev/fd/0'
    by_pipe = run_limited(["sh", "-c", script, "sh", tmp_path / "raw"], capture_output=True, text=True, check=False)

    assert by_input.code == by_pipe.returncode == 1
    assert by_input.lines[-1] == by_pipe.stdout.splitlines()[-1] == "43 checked: 42 valid, 1 invalid"
    assert by_input.lines[0] == "-:45: invalid"


def test_an_option_that_would_say_nothing_is_a_mistake(said: Run) -> None:
    assert said("validate", "--media-type-field", "x", GOOD).code == 2


def test_a_dump_takes_as_much_memory_as_a_tenth_of_it(tmp_path: Path) -> None:
    """ "Flat": peak memory at 10 x the work is at most 1.1 x (decision D-24)."""
    line = '{"schemaVersion": 3}' + 2000 * " " + "\n"
    peaks = []
    for count in (4_000, 40_000):
        with (tmp_path / "dump.jsonl").open("w") as dump:
            dump.writelines(line for _ in range(count))
        peaks.append(peak("validate", "--jobs", "1", "--format", "json", str(tmp_path / "dump.jsonl")))

    assert peaks[1] <= peaks[0] * 1.1


def peak(*arguments: str) -> int:
    """The most memory that a run of dreg held, in kB."""
    done = run_limited([sys.executable, "-c", MEASURED, *arguments], capture_output=True, check=False)

    assert done.returncode == 1
    assert json.loads(done.stdout)["documents"]
    return int(done.stderr.split()[1])


def test_an_archive_without_its_kind_says_what_to_write(said: Run, dreg: Run, fixtures: Path) -> None:
    oci, docker = fixtures / "archives/multi.oci.tar", fixtures / "archives/web.docker.tar"

    assert f"dreg validate oci-archive:{oci}" in said("validate", oci).err
    assert f"dreg inspect docker-archive:{docker}" in said("validate", docker).err
    assert f"dreg validate oci-archive:{oci}" in said("validate", f"docker-archive:{oci}").err
    assert "its store: docker-archive:" in said("manifest", docker).err
    assert f"its store: oci-archive:{oci}:1.4" in said("manifest", f"{oci}:1.4").err
    assert "dreg validate oci-archive:FILE" in dreg("validate", "-", stdin=oci.read_bytes()).err


@pytest.mark.parametrize("name", ["indented.json", "indented.jsonl", "indented"])
def test_an_indented_document_is_one_document_wherever_it_is(
    said: Run, dreg: Run, tmp_path: Path, fixtures: Path, name: str
) -> None:
    """In a file, in one that is named like a dump, in a pipe, and with --lines."""
    path, bad = tmp_path / name, json.loads((fixtures / "broken/MAN-05-config-missing.json").read_bytes())
    path.write_text(json.dumps(bad, indent=2))

    for arguments in ([path], ["--lines", path]):
        assert said("validate", *arguments).lines[-1] == "1 checked: 0 valid, 1 invalid"
    assert dreg("validate", "--lines", "-", stdin=path.read_bytes()).lines[-1] == "1 checked: 0 valid, 1 invalid"
