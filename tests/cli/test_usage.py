"""Arguments that can only be mistakes are usage errors, before anything is read or written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
MULTI = "oci:fixtures/layouts/multi"
REGISTRY = "localhost:1/acme/web"
EMPTY = [
    ["validate", ""],
    ["validate", "README.md", ""],
    ["validate", "fixtures/valid", "--media-type", ""],
    ["validate", "fixtures/valid", "--field="],
    ["validate", REGISTRY, "--resume", ""],
    ["schema", "write", ""],
    ["schema", "check", ""],
    ["inspect", f"{MULTI}:1.4", "-o", ""],
    ["inspect", f"{MULTI}:1.4", "--output="],
    ["inspect", f"{MULTI}:1.4", "--ref-name", ""],
    ["blob", MULTI, "sha256:" + 64 * "0", "-o", ""],
    ["tags", MULTI, "--include", ""],
    ["tags", MULTI, "--semver", ""],
    ["referrers", f"{MULTI}:1.4", "--artifact-type", ""],
    ["repos", "localhost:1", "--namespace", ""],
    *(["tags", REGISTRY, option, ""] for option in ("--cert", "--key", "--ca-file", "--authfile", "--username")),
    *(["tags", REGISTRY, option, ""] for option in ("--mirror", "--trust-token-host")),
    ["login", "localhost:1", "-u", ""],
]


@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_an_empty_value_is_a_usage_error(said: Run, words: list[str]) -> None:
    told = said(*words)

    assert (told.code, told.out) == (2, "")
    assert "must not be empty" in told.err


@pytest.mark.parametrize("words", [["tags", ""], ["rule", ""], ["repos", ""], ["config", MULTI, "--platform", ""]])
def test_an_empty_value_that_has_no_meaning_is_a_usage_error(said: Run, words: list[str]) -> None:
    assert said(*words).code == 2


def test_help_is_shown_also_with_an_empty_value(said: Run) -> None:
    assert said("validate", "", "--help").code == 0


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_numbers_of_seconds_are_finite(said: Run, number: str) -> None:
    told = said("tags", REGISTRY, "--timeout", number)

    assert (told.code, told.out) == (2, "")
    assert "--timeout" in told.err


@pytest.mark.parametrize(
    ("command", "option"), [("tags", "--retries"), ("validate", "--jobs"), ("blob", "--connections")]
)
@pytest.mark.parametrize("number", ["nan", "inf", "1.5", "-1"])
def test_numbers_of_things_are_whole(said: Run, command: str, option: str, number: str) -> None:
    assert said(command, REGISTRY, option, number).code == 2


def test_resume_is_only_for_registries(said: Run, tmp_path: Path) -> None:
    told = said("validate", "fixtures/valid", MULTI, "--resume", tmp_path / "journal")

    assert (told.code, told.out) == (2, "")
    assert "--resume requires a source in a registry" in told.err


def test_standard_input_is_read_only_once(dreg: Run) -> None:
    twice = dreg("validate", "-", "-", stdin=b"{}")
    as_secret = dreg("validate", "-", REGISTRY, "--identity-token-stdin", stdin=b"{}")

    for told in (twice, as_secret):
        assert (told.code, told.out) == (2, "")
        assert "standard input can be read only once" in told.err
    assert dreg("validate", "-", MULTI, "--identity-token-stdin", stdin=b"{}").code == 1


@pytest.mark.parametrize("command", ["tags", "resolve", "inspect", "validate"])
@pytest.mark.parametrize(
    "options", [["-u", "ada", "--password-stdin"], ["-u", "ada"], ["--key", "key.pem"], ["--trust-token-host", "a/b"]]
)
def test_options_that_are_not_valid_are_reported_once_for_several_sources(
    dreg: Run, command: str, options: list[str]
) -> None:
    told = dreg(command, MULTI, REGISTRY, f"{REGISTRY}2", *options, stdin=b"a\nb\n")

    assert (told.code, told.out) == (2, "")
    assert len(told.err.splitlines()) == 1
    as_json = dreg(command, REGISTRY, f"{REGISTRY}2", *options, "--format", "json", stdin=b"a\nb\n")
    assert json.loads(as_json.err)["exitCode"] == as_json.code == 2
