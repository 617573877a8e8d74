"""Plans of tag changes as `dreg apply` shows them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.tagging.plan import (
    AddTag,
    CopyTag,
    DeleteManifest,
    KeptTag,
    MoveTag,
    RepositoryTagPlan,
    TagChange,
    TagPlan,
    Untag,
)
from dreg_client.values.digest import Digest

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("home")
REPOSITORY = '{"version": 1, "repositories": [{"repository": "a", "changes": ['
A, B, C = (Digest(f"sha256:{letter * 64}") for letter in "abc")
ALL: tuple[TagChange, ...] = (
    CopyTag(source="oci:build/staging", source_tag="1.5.0-rc.2", tag="1.5.0", digest=A),
    AddTag(tag="1.5", digest=A),
    MoveTag(tag="latest", digest=A, replaces=B, other_tags=("1.4",)),
    Untag(tag="1.3-rc1", digest=C, other_tags=("1.3",)),
    DeleteManifest(digest=C, tags=("pr-1",), platforms=(A, B), referrers=(B,), size=430 << 20, shared_size=120 << 20),
)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Save a plan of one repository."""

    def save(*changes: TagChange, repository: str = "oci:build/web", **more: Any) -> Path:
        plan = TagPlan(repositories=(RepositoryTagPlan(repository=repository, changes=changes, **more),))
        path = tmp_path / "plan.json"
        path.write_text(plan.to_json())
        return path

    return save


def test_a_plan_is_a_sentence_for_each_change_and_a_line_of_totals(dreg: Run, saved: Callable[..., Path]) -> None:
    shown = dreg("apply", saved(*ALL))

    assert shown.code == 0
    assert shown.lines == [f"oci:build/web: {change}" for change in ALL]
    assert shown.lines[3].endswith("untag 1.3-rc1 (sha256:cccccccccccc, also tagged 1.3: the image stays)")
    assert shown.err == (
        "dreg: would copy 1 tag, add 1 tag, move 1 tag, remove 1 tag and delete 1 image (310.0 MiB that no other image "
        "has); to make these changes, add --yes\n"
    )


def test_json_output_is_the_plan(dreg: Run, saved: Callable[..., Path]) -> None:
    path = saved(*ALL)
    shown = dreg("apply", path, "--format", "json")

    assert (shown.out, shown.err) == (path.read_text(), "")


def test_the_exit_code_tells_whether_there_is_something_to_change(dreg: Run, saved: Callable[..., Path]) -> None:
    assert dreg("apply", saved(), "--exit-code").code == 0
    assert dreg("apply", saved(ALL[1])).code == 0
    assert dreg("apply", saved(ALL[1]), "--exit-code").code == 9
    assert dreg("apply", saved(failures=(PlannedFailure(tag="1", reason="unreadable"),)), "--exit-code").code == 1


def test_a_plan_without_changes_says_so(dreg: Run, saved: Callable[..., Path]) -> None:
    shown = dreg("apply", saved())

    assert (shown.code, shown.out, shown.err) == (0, "", "dreg: nothing to change\n")


def test_tag_149_an_empty_file_is_said_to_be_empty(dreg: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("\n")

    shown = dreg("apply", tmp_path / "plan.json")

    assert shown.code == 2
    assert shown.err == f"dreg: {tmp_path / 'plan.json'} is empty; name a plan, a policy or a journal\n"


def test_tags_that_are_kept_and_those_that_cannot_be_read_are_told_once_for_each_reason(
    dreg: Run, saved: Callable[..., Path]
) -> None:
    kept = tuple(KeptTag(tag=f"n{number}", digest=A, reason="its date is unknown") for number in range(12))
    failures = (PlannedFailure(tag="1.0", reason="timed out; allow more with timeout="),)
    shown = dreg("apply", saved(kept=kept, failures=failures))

    assert shown.code == 1
    assert shown.err.splitlines() == [
        "dreg: oci:build/web: kept n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 2 more: its date is unknown",
        "dreg: oci:build/web:1.0: timed out; allow more with --timeout",
        "dreg: nothing to change; 12 kept; 1 failed",
    ]


def test_a_terminal_gets_a_table_with_colours_for_what_is_removed(terminal: Run, saved: Callable[..., Path]) -> None:
    shown = terminal("apply", saved(*ALL), columns=60).out

    assert "\x1b[1moci:build/web\x1b[0m" in shown
    assert "\x1b[31muntag" in shown
    assert "\x1b[1;31mdelete" in shown
    assert all(
        len(line) <= 60
        for line in terminal("apply", saved(*ALL), columns=60, env={"NO_COLOR": "1"}).out.split("\n")[:12]
    )


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("1\x1b[2K\r2", r'"1\u001b[2K\r2"'),
        ("1 (sha256:0, also tagged 1.3: the image stays)", '"1 (sha256:0, also tagged 1.3: the image stays)"'),
        ("\u202e1", r'"\u202e1"'),
        ("", '""'),
        ('a"b', r'"a\"b"'),
    ],
)
def test_tag_70_a_name_in_a_plan_cannot_be_taken_for_other_words(
    dreg: Run, terminal: Run, saved: Callable[..., Path], tag: str, told: str
) -> None:
    path = saved(Untag(tag=tag, digest=A, other_tags=(tag,)), repository=f"oci:{tag or 'x'}")

    shown = dreg("apply", path)
    on_terminal = terminal("apply", path, columns=300, env={"NO_COLOR": "1"}).out

    assert shown.lines[0].endswith(f"untag {told} (sha256:aaaaaaaaaaaa, also tagged {told}: the image stays)")
    assert all(character.isprintable() or character == "\n" for character in shown.out + on_terminal)
    assert told in on_terminal


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "it does not state its version"),
        ('{"version": 2}', "version: "),
        (
            f'{REPOSITORY}{{"action": "rm"}}]}}]}}',
            "repositories.0.changes.0",
        ),
        (
            f'{REPOSITORY}{{"action": "tag", "tag": "1", "digest": "x"}}]}}]}}',
            "digest",
        ),
    ],
)
def test_a_plan_that_is_not_valid_is_an_error(dreg: Run, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    shown = dreg("apply", tmp_path / "plan.json", "--yes")

    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert "plan.json is not a valid plan: " in shown.err
    assert told in shown.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--journal", "j"], 2, "--journal requires --yes"),
        (["--yes", "--exit-code"], 2, "--exit-code cannot be used with --yes"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(
    dreg: Run, saved: Callable[..., Path], words: list[str], code: int, told: str
) -> None:
    shown = dreg("apply", saved(*ALL), *words)

    assert (shown.code, shown.out) == (code, "")
    assert told in shown.err


def test_all_of_a_plan_is_shown_in_json(dreg: Run, saved: Callable[..., Path]) -> None:
    shown = json.loads(dreg("apply", saved(ALL[4]), "--format", "json").out)

    assert shown["repositories"][0]["changes"][0]["platforms"] == [A, B]


@pytest.mark.parametrize(
    ("repository", "told"),
    [
        ("acme/web", "repositories.0.repository: 'acme/web' must be written in full: 'docker.io/acme/web'"),
        ("localhost:5000/acme/web:1.4", "without a tag or digest"),
        ("oci:build/web:1.4", "without a tag or digest"),
        ("oci-archive:web.tar", "must be a repository or a layout"),
        ("./web", "repositories.0.repository: "),
        ("", "repositories.0.repository: "),
    ],
)
def test_tag_71_a_plan_must_name_what_it_changes_in_full(
    dreg: Run, saved: Callable[..., Path], repository: str, told: str
) -> None:
    for plan in (
        saved(ALL[1], repository=repository),
        saved(ALL[0].model_copy(update={"source": repository})),
    ):
        shown = dreg("apply", plan, "--yes")

        assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
        assert told.replace("repository:", "") in shown.err.replace("changes.0.source:", "").replace("repository:", "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (AddTag(tag="a b", digest=A), "changes.0.tag: "),
        (AddTag(tag="../latest", digest=A), "changes.0.tag: "),
        (MoveTag(tag="", digest=A, replaces=B), "changes.0.tag: "),
        (
            DeleteManifest(digest=A, digest_tags=("latest",)),
            "'latest' is not a digest tag about a manifest of this change",
        ),
        (DeleteManifest(digest=A, digest_tags=(f"sha256-{B.encoded}.sig",)), "is not a digest tag about a manifest"),
    ],
)
def test_tag_72_a_plan_has_no_tags_that_are_not_valid_or_not_shown(
    dreg: Run, saved: Callable[..., Path], change: TagChange, told: str
) -> None:
    shown = dreg("apply", saved(change))

    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
    assert told in shown.err
