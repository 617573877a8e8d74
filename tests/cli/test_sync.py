"""`dreg sync`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.copying.graphs import Graph, names
from tests.copying.test_prune import layout_of
from tests.registries import LAYOUT, RunningRegistry

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


@pytest.fixture
def older(dreg: Run, tmp_path: Path, there: Path) -> str:
    """A source without a tag that the destination has."""
    assert dreg("sync", layout_of(tmp_path / "before", "1", "2"), f"oci:{there}").code == 0
    return layout_of(tmp_path / "after", "2", "3")


def test_sync_prints_the_tags_that_were_copied(dreg: Run, there: Path) -> None:
    done = dreg("sync", f"oci:{LAYOUT}", f"oci:{there}", "--include", "1.*", "--include", "single")
    again = dreg("sync", f"oci:{LAYOUT}", f"oci:{there}", "--include", "1.*", "--include", "single")

    found = names(LAYOUT)
    assert done.lines == [f"oci:{there}:{tag}@{found[tag]}" for tag in ("1.4", "single")]
    assert done.err.startswith("dreg: copied 2 tags (")
    assert done.err.endswith("); 0 already there, 0 removed, 0 failed\n")
    assert (again.code, again.out) == (0, "")
    assert again.err == "dreg: copied 0 tags (0 B); 2 already there, 0 removed, 0 failed\n"


def test_sync_prints_json(dreg: Run, older: str, there: Path) -> None:
    done = dreg("sync", older, f"oci:{there}", "--prune", "--yes", "--format", "json")

    (printed,) = json.loads(done.out)["repositories"]
    assert (done.code, done.err) == (0, "")
    assert printed["copied"] == {"3": names(there)["3"]}
    assert (printed["skipped"], printed["removed"], printed["failed"]) == (1, ["1"], [])
    assert printed["blobs"]["count"] == 2


def test_a_dry_run_prints_what_would_be_done(dreg: Run, older: str, there: Path) -> None:
    before = names(there)
    done = dreg("sync", older, f"oci:{there}", "--prune", "--dry-run")

    source = names(Path(older.removeprefix("oci:")))
    assert done.lines == [f"copy  oci:{there}:3@{source['3']}", f"remove  oci:{there}:1@{before['1']}"]
    assert done.err == "dreg: would copy 1 tag (1 manifest, 160 B); 1 already there, 1 to remove\n"
    assert names(there) == before


def test_prune_needs_yes_where_nobody_can_be_asked(dreg: Run, older: str, there: Path) -> None:
    done = dreg("sync", older, f"oci:{there}", "--prune")

    assert (done.code, done.out) == (2, "")
    assert "--prune requires --yes" in done.err
    assert names(there).keys() == {"1", "2"}


def test_a_plan_is_saved_shown_and_carried_out(dreg: Run, older: str, there: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"

    saved = dreg("sync", older, f"oci:{there}", "--prune", "--plan", plan)
    assert names(there).keys() == {"1", "2"}
    shown = dreg("sync", "--plan", plan, "--dry-run")
    done = dreg("sync", "--plan", plan)

    assert saved.out == shown.out
    assert json.loads(plan.read_text())["repositories"][0]["removals"][0]["tag"] == "1"
    assert (done.code, done.err) == (
        0,
        f"dreg: removed oci:{there}:1\ndreg: copied 1 tag (1 manifest, 160 B); 1 already there, 1 removed, 0 failed\n",
    )
    assert names(there).keys() == {"2", "3"}


def test_a_file_lists_many_repositories(
    dreg: Run, open_registry: RunningRegistry, older: str, there: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mirror.toml"
    file.write_text(f"""
[defaults]
prune = true

[[sync]]
source = "{older}"
destination = "oci:{there}"

[[sync]]
source = "oci:{tmp_path}/absent"
destination = "oci:{tmp_path}/other"

[[sync]]
source = "{open_registry.address}/acme/web"
destination = "oci:{tmp_path}/web"
semver = "^1.3"
prune = false
""")
    planned = dreg("sync", "--file", file, "--dry-run")
    done = dreg("sync", "--file", file, "--yes")

    assert planned.code == done.code == 1
    assert names(there).keys() == {"2", "3"}
    assert names(tmp_path / "web").keys() == {"1.3", "1.4"}
    assert f"oci:{tmp_path}/absent" in done.err
    assert not (tmp_path / "other").exists()
    assert "copied 3 tags" in done.err
    assert "1 removed, 1 failed" in done.err


def test_an_entry_that_reads_what_another_writes_is_planned_as_far_as_possible(dreg: Run, tmp_path: Path) -> None:
    one, two, file, plan = (tmp_path / name for name in ("one", "two", "mirror.toml", "plan.json"))
    file.write_text(f"""
[[sync]]
source = "oci:{LAYOUT}"
destination = "oci:{one}"

[[sync]]
source = "oci:{one}"
destination = "oci:{two}"
""")
    planned = dreg("sync", "--file", file, "--plan", plan)
    applied = dreg("sync", "--plan", plan)
    again = dreg("sync", "--file", file, "--dry-run")
    done = dreg("sync", "--file", file)

    assert planned.code == 0
    assert f"oci:{two}: this cannot be planned before an earlier entry has written oci:{one}: " in planned.err
    assert applied.code == 1
    assert "has no image layout" in applied.err
    assert "make a new plan" in applied.err
    assert names(one) == names(LAYOUT)
    assert (again.code, len(again.lines)) == (0, len(names(one)))
    assert f"what an earlier entry writes to oci:{one} is not in this plan" in again.err
    assert done.code == 0
    assert names(two) == names(LAYOUT)


def test_one_source_that_fails_for_two_destinations_is_told_twice(dreg: Run, tmp_path: Path) -> None:
    file = tmp_path / "mirror.toml"
    file.write_text(f"""
[defaults]
include = ["single"]
platforms = ["linux/arm64"]

[[sync]]
source = "oci:{LAYOUT}"
destination = "oci:{tmp_path}/one"

[[sync]]
source = "oci:{LAYOUT}"
destination = "oci:{tmp_path}/two"
""")
    for options in ([], ["--dry-run"]):
        done = dreg("sync", "--file", file, *options)

        assert done.code == 1
        for destination in ("one", "two"):
            assert f"dreg: oci:{LAYOUT}:single to oci:{tmp_path}/{destination}: " in done.err
        assert done.err.endswith(" 2 failed\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "sync: is missing"),
        ("sync = []", "sync: expected at least one entry; see"),
        ("[[sync]]\nsource = 'a/b'", "entry 1 of [[sync]] (a/b): destination: is missing; see"),
        (
            "[[sync]]\nsource = 'a/b'\ndestination = 'c/d'\nprun = true",
            "entry 1 of [[sync]] (a/b): prun: there is no member of this name; see",
        ),
        (
            "[[sync]]\nsource = 'a/b'\ndestination = 'c/d'\ninclude = '1'\nregex = 1",
            "entry 1 of [[sync]] (a/b): include: expected a list (and 1 more)",
        ),
        (
            "[[sync]]\nsource = 'a/b'\ndestination = 'c/d'\nprune = 'no'",
            "entry 1 of [[sync]] (a/b): prune: expected true or false",
        ),
        ("[[sync]]\nsource = 'a/b'\ndestination = 'c/d'\nsemver = 'x.y'", "(a/b): 'x.y' is not a version range"),
        ("[[sync]]\nsource = 'a/b'\ndestination = 'c/d'\nplatforms = ['x y']", "entry 1 of [[sync]] (a/b): "),
        (
            "sync = [{source = 'a/b', destination = 'c/d'}, {destination = 'c/d'}]",
            "entry 2 of [[sync]]: source: is missing",
        ),
        ("sync = ['a/b']", "entry 1 of [[sync]]: "),
        ("[sync", "is not valid TOML"),
        ("\udcff", "is not valid UTF-8"),
    ],
)
def test_a_broken_file_is_an_error_that_says_where(dreg: Run, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "mirror.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))

    done = dreg("sync", "--file", file)

    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert str(file) in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "missing SOURCE"),
        (["oci:{layout}"], 2, "missing DESTINATION"),
        (["oci:{layout}:1.4", "oci:{there}"], 2, "without a tag or digest; to choose tags, use --include"),
        (["{layout}", "oci:{there}"], 2, "Invalid value for 'SOURCE': a path must begin with the kind of its store"),
        (
            ["oci:{layout}", "{layout}"],
            2,
            "Invalid value for 'DESTINATION': a path must begin with the kind of its store",
        ),
        (["oci:{layout}", "docker-archive:{there}"], 2, "docker-archive:FILE:acme/web"),
        (["oci:{layout}", "docker-archive:{there}:acme/web", "--prune", "--yes"], 8, "cannot be pruned"),
        (["--file", "{there}", "oci:{layout}", "oci:{there}"], 2, "--file cannot be used with SOURCE"),
        (["--file", "{there}", "--prune"], 2, "--file cannot be used with SOURCE"),
        (["--file", "{there}"], 4, "No such file"),
        (["--plan", "{there}", "--prune"], 2, "a plan that was saved already has all options"),
        (["--plan", "{layout}/index.json"], 2, "is not a valid plan"),
        (["oci:{layout}", "oci:{there}", "--semver", "x.y"], 2, "not a version range"),
        (["oci:{layout}", "oci:{there}", "--regex", "("], 2, "not a regular expression"),
        (["oci:{layout}", "oci:{there}", "--repository", "a"], 2, "whole registry"),
        (["oci:{there}", "oci:{there}2"], 4, "there"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else None,
)
def test_errors_say_what_to_do(dreg: Run, there: Path, arguments: list[str], code: int, told: str) -> None:
    done = dreg("sync", *(it.format(layout=LAYOUT, there=there) for it in arguments))

    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert done.err.count("\n") == 1
    assert not there.exists()


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_dreg_asks_before_it_removes(terminal: Run, older: str, there: Path, answer: str) -> None:
    shown = terminal("sync", older, f"oci:{there}", "--prune", typed=f"{answer}\n")

    assert "Remove these tags? [y/N]" in shown.out
    assert f"remove  oci:{there}:1@" in shown.out
    assert names(there).keys() == ({"2", "3"} if answer == "y" else {"1", "2"})


@pytest.fixture
def partly_absent(older: str, there: Path, tmp_path: Path) -> Path:
    """A file whose first source does not exist."""
    file = tmp_path / "mirror.toml"
    file.write_text(f"""
[defaults]
prune = true

[[sync]]
source = "oci:{tmp_path}/absent"
destination = "oci:{tmp_path}/other"

[[sync]]
source = "{older}"
destination = "oci:{there}"
""")
    return file


def test_what_failed_when_a_plan_was_made_fails_when_it_is_carried_out(
    dreg: Run, partly_absent: Path, there: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"

    planned = dreg("sync", "--file", partly_absent, "--plan", plan)
    done = dreg("sync", "--plan", plan)
    as_json = dreg("sync", "--plan", plan, "--format", "json")

    assert planned.code == done.code == as_json.code == 1
    assert names(there).keys() == {"2", "3"}
    assert f"dreg: oci:{tmp_path}/absent: " in planned.err
    assert "the path does not exist; this was so when the plan was made; make a new plan\n" in done.err
    assert done.err.endswith("1 already there, 1 removed, 1 failed\n")
    absent, _ = json.loads(as_json.out)["repositories"]
    assert [(each["tag"], each["error"]) for each in absent["failed"]] == [(None, "DregError")]


@pytest.mark.parametrize("answer", ["y", "n"])
def test_dreg_shows_what_failed_before_it_asks(
    terminal: Run, partly_absent: Path, there: Path, tmp_path: Path, answer: str
) -> None:
    shown = terminal("sync", "--file", partly_absent, typed=f"{answer}\n", columns=1000)

    assert shown.code == 1
    before, _, after = shown.out.partition("Remove these tags?")
    assert f"dreg: oci:{tmp_path}/absent: " in before
    assert f"remove  oci:{there}:1@" in before
    assert ("1 removed, 1 failed" in after) == (answer == "y")


def test_a_plan_says_how_to_prune_in_the_words_of_the_command_line(
    dreg: Run, older: str, there: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"

    dreg("sync", older, f"oci:{there}", "--prune", "--include", "x*", "--plan", plan)
    done = dreg("sync", "--plan", plan)

    assert json.loads(plan.read_text())["repositories"][0]["notPruned"].endswith("with --allow-empty")
    assert "no tag was removed, because the source has no tag that matches; " in done.err


def test_sync_says_where_no_tag_matches(dreg: Run, older: str, there: Path) -> None:
    done = dreg("sync", older, f"oci:{there}", "--include", "x*")

    assert done.code == 0
    assert done.err.splitlines() == [
        f"dreg: there is no tag that matches in {older}",
        "dreg: copied 0 tags (0 B); 0 already there, 0 removed, 0 failed",
    ]


def test_sync_says_that_no_repository_matches(dreg: Run, open_registry: RunningRegistry, there: Path) -> None:
    done = dreg("sync", open_registry.address, f"oci:{there}", "--repository", "absent/*")

    assert done.err.startswith("dreg: there is no repository that matches\n")


def test_signatures_that_are_new_are_counted(dreg: Run, there: Path, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    graph.tag(image, "1")
    dreg("sync", f"oci:{graph.write(tmp_path / 'before')}", f"oci:{there}", "--referrers")
    graph.artifact([graph.add(b"signature")], subject=image)
    command = ("sync", f"oci:{graph.write(tmp_path / 'after')}", f"oci:{there}", "--referrers")

    planned = dreg(*command, "--dry-run")
    done = dreg(*command)
    again = dreg(*command)

    assert planned.err == "dreg: would copy 0 tags (1 manifest, 11 B); 1 already there, 0 to remove\n"
    assert done.err == "dreg: copied 0 tags (1 manifest, 11 B); 1 already there, 0 removed, 0 failed\n"
    assert again.err == "dreg: copied 0 tags (0 B); 1 already there, 0 removed, 0 failed\n"
