"""`dreg retag`, `prune`, `promote`, `plan`, `apply` and `undo` on layouts and registries."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Layout
from tests.registries import ROOT, RunningRegistry

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("home")
RELEASES = ROOT / "fixtures/layouts/releases"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A layout with the tags of releases, nightly builds and pull requests."""
    return Path(shutil.copytree(RELEASES, tmp_path / "web"))


@pytest.fixture(params=["layout", "registry"])
def repository(request: pytest.FixtureRequest, path: Path, dreg: Run) -> str:
    """The same in a layout, and in a registry that deletes only by digest."""
    if request.param == "layout":
        return f"oci:{path}"
    registry: RunningRegistry = request.getfixturevalue("open_registry")
    name = f"{registry.address}/automate/web"
    copied = dreg("sync", f"oci:{path}", name, "--referrers")
    assert copied.code == 0, copied.err
    stale = {*tags(dreg, name)} - {*tags(dreg, f"oci:{path}")}
    for tag in stale:
        assert dreg("untag", f"{name}:{tag}").code == 0
    assert dreg("sync", f"oci:{path}", name, "--referrers").code == 0
    return name


def tags(dreg: Run, repository: str) -> dict[str, str]:
    """The tags of a repository, with their digests; without digest tags."""
    done = dreg("tags", repository, "--digests", "--no-digest-tags", "--format", "json")
    assert done.code == 0, done.err
    return {each["tag"]: each["digest"] for each in json.loads(done.out)[0]["tags"]}


def test_retag_shows_what_it_would_change_and_then_changes_it(dreg: Run, repository: str) -> None:
    words = ("retag", repository, "{major}.{minor}", "--semver", "*")
    before = tags(dreg, repository)

    shown = dreg(*words)
    assert tags(dreg, repository) == before
    assert (shown.code, dreg(*words, "--exit-code").code) == (0, 9)
    (line,) = shown.lines
    assert line == f"{repository}: move 1.4 from {before['1.4'][:19]} to {before['1.4.2'][:19]}"
    assert shown.err == "dreg: would move 1 tag; to make these changes, add --yes\n"

    done = dreg(*words, "--yes")
    assert (done.code, done.out, done.err) == (0, shown.out, "dreg: moved 1 tag\n")
    assert tags(dreg, repository) == before | {"1.4": before["1.4.2"]}
    assert (dreg(*words, "--exit-code").code, dreg(*words).err) == (0, "dreg: nothing to change\n")


def test_several_templates_make_one_plan(dreg: Run, repository: str) -> None:
    before = tags(dreg, repository)

    done = dreg("retag", repository, "{major}.{minor}", "{major}", "latest", "--semver", "*", "--yes")

    assert (done.code, done.err) == (0, "dreg: moved 3 tags\n")
    assert tags(dreg, repository) == before | dict.fromkeys(("1.4", "1", "latest"), before["1.4.2"])


def test_prune_deletes_images_and_undo_puts_them_back(dreg: Run, repository: str, tmp_path: Path) -> None:
    before, journal = tags(dreg, repository), tmp_path / "changes.jsonl"
    words = ("prune", repository, "--include", "nightly-*", "--keep-last", "10")

    done = dreg(*words, "--yes", "--journal", journal)
    assert (done.code, len(done.lines)) == (0, 2)
    assert all(": delete sha256:" in line and "(its last tag nightly-2024052" in line for line in done.lines)
    assert "dreg: deleted 2 images (" in done.err
    assert f"; to undo this: dreg undo {journal} --yes\n" in done.err
    assert before.keys() - tags(dreg, repository) == {"nightly-20240520", "nightly-20240521"}

    planned = dreg("undo", journal)
    undone = dreg("undo", journal, "--yes")
    assert (planned.code, len(planned.lines)) == (0, 2)
    assert (undone.code, undone.out) == (0, planned.out)
    assert tags(dreg, repository) == before
    assert dreg("undo", journal).err == "dreg: nothing to change\n"


def test_tags_of_unknown_age_are_kept_and_told(dreg: Run, repository: str) -> None:
    done = dreg("prune", repository, "--include", "pr-*", "--older-than", "14d", "--yes", "--untag-only")

    assert done.code == 0
    assert "pr-103" in tags(dreg, repository)
    assert not {"pr-101", "pr-102"} & tags(dreg, repository).keys()
    assert f"dreg: {repository}: kept pr-103: " in done.err
    assert "dreg: removed 2 tags\n" in done.err


def test_promote_copies_to_another_repository_with_signatures(dreg: Run, repository: str, tmp_path: Path) -> None:
    production = f"oci:{tmp_path}/production"
    Layout.create(tmp_path / "production").close()
    words = ("promote", repository, production, "--regex", r"(?P<release>[\d.]+)-rc\.2", "--to", "{release}")

    done = dreg(*words, "--referrers", "--yes")

    found = tags(dreg, production)
    assert done.code == 0, done.err
    assert found == {"1.5.0": tags(dreg, repository)["1.5.0-rc.2"]}
    assert done.lines == [f"{production}: copy {repository}:1.5.0-rc.2 ({found['1.5.0'][:19]}) to 1.5.0"]
    assert done.err == "dreg: copied 1 tag\n"
    assert len(dreg("referrers", f"{production}:1.5.0").lines) == 1


def test_undo_of_a_promotion_says_what_stays(dreg: Run, repository: str, tmp_path: Path) -> None:
    production, journal = f"oci:{tmp_path}/production", tmp_path / "changes.jsonl"
    Layout.create(tmp_path / "production").close()
    words = ("promote", repository, production, "--include", "1.5.0-rc.2", "--referrers", "--yes", "--journal", journal)
    assert dreg(*words).code == 0

    told = "dreg: images that were copied stay, without their new tags, and so do their signatures and digest tags; "
    assert told in dreg("undo", journal).err
    undone = dreg("undo", journal, "--yes")
    assert (undone.code, told in undone.err, tags(dreg, production)) == (0, True, {})
    assert told not in dreg("undo", journal, "--yes").err


def test_prune_without_a_choice_of_tags_says_that_it_concerns_all(dreg: Run, path: Path) -> None:
    words, told = (
        ("prune", f"oci:{path}", "--keep-last", "10"),
        "dreg: this concerns all tags, also releases and latest; ",
    )

    assert dreg(*words).err.startswith(told)
    for more in (["--keep", "latest"], ["--include", "nightly-*"], ["--quiet"], ["--format", "json"]):
        assert told not in dreg(*words, *more).err


def test_a_policy_that_was_interrupted_continues_by_its_journal(dreg: Run, repository: str, tmp_path: Path) -> None:
    before, journal = tags(dreg, repository), tmp_path / "changes.jsonl"
    words = ("prune", repository, "--include", "nightly-*", "--keep-last", "10", "--yes", "--journal", journal)
    assert dreg(*words).code == 0
    after = tags(dreg, repository)
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:1]))  # as if it was killed at once

    assert dreg(*words).err.endswith("already done\n") or dreg(*words).code == 2
    done = dreg("apply", journal, "--yes")

    assert done.code == 0
    assert tags(dreg, repository) == after != before


def test_a_plan_that_was_saved_is_applied_where_nothing_changed_meanwhile(
    dreg: Run, repository: str, tmp_path: Path
) -> None:
    before, plan, journal = tags(dreg, repository), tmp_path / "plan.json", tmp_path / "journal.jsonl"
    saved = dreg("prune", repository, "--include", "pr-*", "--exclude", "pr-103", "--plan", plan)
    assert saved.err.endswith(f"; to make these changes: dreg apply {plan} --yes\n")
    assert dreg("apply", plan).out == saved.out
    assert tags(dreg, repository) == before

    assert dreg("tag", f"{repository}:1.4", "pr-101").code == 0
    done = dreg("apply", plan, "--yes", "--journal", journal)
    again = dreg("apply", plan, "--yes", "--journal", journal)

    assert (done.code, again.code) == (1, 1)
    assert "1 failed (1 conflict)" in done.err
    assert "deleted 1 image" in done.err
    assert tags(dreg, repository) == {
        **{tag: it for tag, it in before.items() if tag != "pr-102"},
        "pr-101": before["1.4"],
    }


def test_json_of_a_result_has_what_was_done_and_what_failed(dreg: Run, repository: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    dreg("prune", repository, "--include", "pr-*", "--exclude", "pr-103", "--untag-only", "--plan", plan)
    dreg("tag", f"{repository}:1.4", "pr-101")

    done = dreg("apply", plan, "--yes", "--format", "json")

    (found,) = json.loads(done.out)["repositories"]
    assert found.keys() == {"repository", "done", "already", "failed", "failure"}
    assert (found["repository"], found["failure"], found["already"]) == (repository, None, [])
    assert [(each["action"], each["tag"]) for each in found["done"]] == [("untag", "pr-102")]
    assert [(each["subject"], each["error"], each["exitCode"]) for each in found["failed"]] == [
        ("pr-101", "ConflictError", 7)
    ]
    assert json.loads(done.err)["source"] == f"{repository}:pr-101"


def test_a_policy_is_planned_explained_and_applied(dreg: Run, repository: str, tmp_path: Path) -> None:
    before, file = tags(dreg, repository), tmp_path / "tags.toml"
    text = (ROOT / "fixtures/policies/releases.toml").read_text()
    file.write_text(text.replace("oci:build/releases", repository))

    planned = dreg("plan", file, "--exit-code")
    explained = dreg("plan", file, "--explain", "nightly-20240520")
    as_json = dreg("plan", file, "--explain", "latest", "--format", "json")
    done = dreg("apply", file, "--yes")

    assert planned.code == 9
    assert planned.err.endswith(f"; to make these changes: dreg apply {file} --yes\n")
    assert explained.code == as_json.code == 0
    assert explained.lines[0].startswith(f"{repository}:nightly-20240520: ")
    assert f"{repository}:nightly-20240520: plan: the image sha256:" in explained.lines[-1]
    assert explained.lines[-1].endswith(" is deleted")
    assert json.loads(as_json.out)[0].keys() == {"repository", "tag", "sentences"}
    assert (done.code, done.out) == (0, planned.out)
    after = tags(dreg, repository)
    assert after["1.4"] == before["1.4.2"]
    assert before.keys() - after.keys() == {"nightly-20240520", "nightly-20240521", "pr-101", "pr-102"}


def test_explain_takes_a_glob_and_names_what_is_missing(dreg: Run, repository: str, tmp_path: Path) -> None:
    file = tmp_path / "tags.toml"
    file.write_text(
        f'[[policy]]\nrepositories = ["{repository}"]\n'
        '[[policy.rules]]\naction = "untag"\ninclude = ["pr-101", "rp-*"]\n'
        '[[policy.rules]]\naction = "keep"\ninclude = ["rp-*"]\n'
    )

    found = dreg("plan", file, "--explain", "pr-10[12]")
    assert (found.code, sorted({line.partition(": ")[0] for line in found.lines})) == (
        0,
        [f"{repository}:pr-101", f"{repository}:pr-102"],
    )
    missing = dreg("plan", file, "--explain", "absent")
    assert (missing.code, missing.out) == (4, "")
    assert f"{file} has no tag absent" in missing.err
    planned = dreg("plan", file)
    assert planned.code == 0
    assert f"dreg: warning: {repository}: rule 2 (keep rp-*) matches no tag\n" in planned.err


def test_a_plan_says_which_glob_chose_no_repository(dreg: Run, open_registry: RunningRegistry, tmp_path: Path) -> None:
    file, plan = tmp_path / "tags.toml", tmp_path / "plan.json"
    rule = '[[policy.rules]]\naction = "untag"\ninclude = ["pr-101"]\n'
    file.write_text(f'[[policy]]\nrepositories = ["{open_registry.address}/absent/*"]\n{rule}')
    assert dreg("plan", file).code == 4

    file.write_text(f'[[policy]]\nrepositories = ["{open_registry.address}/absent/*", "oci:{RELEASES}"]\n{rule}')
    planned = dreg("plan", file, "--plan", plan)
    assert (planned.code, len(planned.lines)) == (1, 1)
    assert "has no repository that matches absent/*; list its repositories with: dreg repos" in planned.err
    assert dreg("apply", plan).code == 1


def test_quiet_prints_only_what_failed(dreg: Run, repository: str) -> None:
    done = dreg("prune", repository, "--include", "pr-*", "--older-than", "1d", "--yes", "--quiet")

    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["prune", "{it}"], 2, "without conditions, all tags would be removed; choose tags"),
        (["prune", "{it}", "--untagged"], 2, "to delete only images without a tag, add --exclude '*'"),
        (["prune", "{it}", "--keep-last", "1", "--untagged", "--untag-only"], 2, "cannot be used with --untag-only"),
        (["prune", "{it}", "--older-than", "5"], 2, "expected hours, days or weeks"),
        (["prune", "{it}", "--keep", "3"], 2, "to keep the newest 3 images, use --keep-last 3"),
        (["prune", "{it}", "--keep-last", "x"], 2, "must be a whole number"),
        (["prune", "{it}:1.4", "--keep-last", "1"], 2, "without '1.4'"),
        (["prune", "docker-archive:web.tar", "--keep-last", "1"], 8, "dreg can only change registries and layouts"),
        (["prune"], 2, "REPOSITORY"),
        (["retag", "{it}", "{{nothing}}"], 2, "has the unknown field {nothing}"),
        (["retag", "{it}", "a b"], 2, "makes no valid tag"),
        (["promote", "{it}", "{it}:1", "--include", "1*"], 2, "without '1'"),
        (["plan", "absent.toml"], 4, "absent.toml"),
        (["plan", "fixtures/policies/releases.toml", "--explain", "1", "--exit-code"], 2, "--explain cannot be used"),
        (["plan", "fixtures/layouts/releases/index.json"], 2, "to show a plan that was saved, run: dreg apply"),
        (["undo", "absent.jsonl"], 4, "absent.jsonl"),
        (["undo", "fixtures/policies/releases.toml"], 2, "releases.toml"),
    ],
)
def test_errors_say_what_to_do(dreg: Run, path: Path, words: list[str], code: int, told: str) -> None:
    done = dreg(*(word.format(it=f"oci:{path}") for word in words))

    assert (done.code, done.out) == (code, ""), done.err
    assert told in done.err
    assert done.err.count("\n") == 1
