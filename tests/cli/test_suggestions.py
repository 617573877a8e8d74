"""A wrong command or option is a usage error that names the right one."""

from collections.abc import Callable
from typing import Any

import pytest

from dreg_client.cli.app import COMMANDS
from dreg_client.cli.suggestions import OTHER_NAMES

Run = Callable[..., Any]
MULTI = "oci:fixtures/layouts/multi"
WORDS = {
    "ls": "to list tags, use dreg tags; to list repositories, use dreg repos",
    "digest": "use dreg resolve",
    "catalog": "use dreg repos",
    "verify": "use dreg validate",
    "check": "use dreg validate",
    "lint": "use dreg validate",
    "export": "to copy an image, use dreg copy; to write it to an image layout, use dreg pull",
    "rm": "to delete a tag, use dreg untag; to delete a manifest or blob, use dreg delete",
    "show": "use dreg inspect",
    "info": "use dreg inspect",
    "rules": "use dreg rule",
    "schemas": "use dreg schema",
    "cleanup": "use dreg prune",
    "retention": "use dreg prune",
    "gcr-cleaner": "use dreg prune",
    "rollback": "use dreg undo",
    "rmi": "use dreg delete",
    "list-tags": "use dreg tags",
    "head": "to print a digest, use dreg resolve",
}
OPTIONS = {
    "--user": (["tags", "--user", "ada"], "use --username USER --password-stdin"),
    "--password": (["login", "r.test", "--password", "x"], "use --username USER --password-stdin"),
    "--creds": (["inspect", "--creds=ada:x"], "use --username USER --password-stdin"),
    "--json": (["tags", MULTI, "--json"], "use --format json"),
    "--output": (["tags", MULTI, "--output", "json"], "use --format json"),
    "-o": (["resolve", "-o", "json"], "use --format json"),
    "--tls-verify": (
        ["tags", "--tls-verify=false"],
        "use --insecure to skip certificate checks, or --plain-http for HTTP",
    ),
    "--no-verify": (
        ["manifest", "--no-verify"],
        "use --raw to print an invalid document; to skip certificate checks, use --insecure",
    ),
    "--raw": (["inspect", "--raw", MULTI], "to print the manifest or index, use dreg manifest"),
    "-V": (["-V"], "use --version"),
    "--username": (["copy", "--username", "ada"], "log in with: dreg login REGISTRY"),
    "--preserve-digests": (["copy", "--preserve-digests"], "digests are always preserved"),
    "--dry-run": (["prune", "--dry-run"], "nothing is changed without --yes"),
    "--grace": (["prune", "--grace", "24h"], "use --older-than AGE, such as 14d"),
    "--force": (["copy", "--force"], "tags are replaced by default, unless --no-clobber is given"),
}


UNDER = {
    "blob get": "use dreg blob SOURCE@DIGEST",
    "blob push": "use dreg blob put",
    "manifest fetch": "use dreg manifest SOURCE",
    "manifest push": "use dreg manifest put",
    "tag rm": "use dreg untag REGISTRY/REPOSITORY:TAG",
    "tag ls": "use dreg tags REGISTRY/REPOSITORY",
}


@pytest.mark.parametrize(("words", "advice"), UNDER.items())
def test_a_command_below_another_is_translated(said: Run, words: str, advice: str) -> None:
    done = said(*words.split(), "acme/web", "web.json")

    assert (done.code, done.out) == (2, "")
    assert done.err == f"dreg: No such command '{words}'; {advice}; see: dreg {words.split(maxsplit=1)[0]} --help\n"


@pytest.mark.parametrize(("word", "advice"), WORDS.items())
def test_a_command_of_another_tool_is_translated(said: Run, word: str, advice: str) -> None:
    done = said(word, MULTI)

    assert (done.code, done.out) == (2, "")
    assert done.err == f"dreg: No such command '{word}'; {advice}; see: dreg --help\n"


def test_an_image_without_a_command_is_to_be_inspected(said: Run) -> None:
    told = said("ubuntu:22.04")

    assert told.err == "dreg: No such command 'ubuntu:22.04'; to show an image, use dreg inspect; see: dreg --help\n"


def test_no_command_has_the_name_of_another_tool() -> None:
    assert not OTHER_NAMES.keys() & COMMANDS.keys()


@pytest.mark.parametrize(("word", "meant"), [("tgas", "tags"), ("valdiate", "validate"), ("inpsect", "inspect")])
def test_a_mistyped_command_is_corrected(said: Run, word: str, meant: str) -> None:
    done = said(word)

    assert done.code == 2
    assert done.err == f"dreg: No such command '{word}' (did you mean '{meant}'?); see: dreg --help\n"
    assert said("xyzzy").err == "dreg: No such command 'xyzzy'; see: dreg --help\n"


@pytest.mark.parametrize(("name", "words", "advice"), [(name, *found) for name, found in OPTIONS.items()])
def test_an_option_of_another_tool_is_translated(said: Run, name: str, words: list[str], advice: str) -> None:
    done = said(*words)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"dreg: No such option '{name}'; {advice}; see: dreg")


def test_a_mistyped_option_is_corrected(said: Run) -> None:
    assert "No such option '--formt' (did you mean '--format'?); see: dreg tags" in said("tags", "--formt", "x").err


def test_the_case_of_letters_does_not_matter(said: Run) -> None:
    assert "No such command 'TAGS' (did you mean 'tags'?)" in said("TAGS").err
    assert "No such option '--JSON'; use --format json" in said("tags", "--JSON").err
    assert "No such option '--Formt' (did you mean '--format'?)" in said("tags", "--Formt").err


@pytest.mark.parametrize("words", [["x" * 5000], ["tags", "--" + "x" * 5000], ["schema", "x" * 5000]])
def test_a_long_name_is_shortened(said: Run, words: list[str]) -> None:
    told = said(*words)

    assert told.code == 2
    assert "xxx…'" in told.err
    assert len(told.err) < 150


def test_an_option_before_its_command_is_pointed_behind_it(said: Run) -> None:
    assert "No such option '--json'; write the options of a command after its name;" in said("--json", "tags").err


def test_output_names_a_file_not_a_format(said: Run) -> None:
    done = said("inspect", f"{MULTI}:1.4", "-o", "json")

    assert done.code == 2
    assert "--output is a file; for a format, use --format json; for a file, -o ./json" in done.err
