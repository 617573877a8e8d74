"""Each class of error has its exit code (D-11) and one sentence on standard error, or one line of JSON (CLI-09)."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import errors
from dreg_client.cli.error_messages import exit_code
from tests.commands import run_limited

Run = Callable[..., Any]
MULTI = "oci:fixtures/layouts/multi"
BROKEN = "oci:fixtures/layouts/broken"
ABSENT = "sha256:" + 64 * "0"
SITUATIONS = {
    "a broken document": (1, ["validate", "fixtures/broken/MAN-05-config-missing.json"], None),
    "a broken index of a layout": (1, ["inspect", f"{BROKEN}/bad-json-index"], "InvalidDocumentError"),
    "another media type than was promised": (1, ["manifest", f"{BROKEN}/swapped-media-type"], "MediaTypeMismatchError"),
    "no such option": (2, ["tags", "--colour"], "UsageError"),
    "no such command": (2, ["tag"], "UsageError"),
    "no argument": (2, ["validate"], "UsageError"),
    "no reference": (2, ["resolve", "oci:"], "UsageError"),
    "no digest": (2, ["blob", MULTI, "sha256:12"], "UsageError"),
    "no platform": (2, ["config", MULTI, "--platform", "arm64"], "UsageError"),
    "two names at once": (2, ["resolve", f"{MULTI}:1.4", "--ref-name", "1.4"], "UsageError"),
    "a folder with nothing to check": (2, ["validate", "dreg_client/cli"], "UsageError"),
    "a digest that nothing can compute": (2, ["blob", MULTI, "blake9:abc"], "UnsupportedDigestError"),
    "a file that is not there": (4, ["validate", "no/such.json"], "FileNotFoundError"),
    "a layout that is not there": (4, ["inspect", "oci:no/such"], "NotFoundError"),
    "a tag that is not there": (4, ["resolve", f"{MULTI}:9.9"], "NotFoundError"),
    "a blob that is not there": (4, ["blob", MULTI, ABSENT], "NotFoundError"),
    "a platform that is not there": (4, ["config", f"{MULTI}:1.4", "--platform", "plan9/386"], "PlatformNotFoundError"),
    "a size that is wrong": (5, ["inspect", f"{BROKEN}/wrong-size"], "SizeMismatchError"),
    "other bytes": (5, ["config", f"{BROKEN}/config-digest"], "DigestMismatchError"),
    "no layout": (5, ["inspect", f"{BROKEN}/no-index"], "LayoutCorruptError"),
    "several images for one name": (7, ["resolve", f"{BROKEN}/same-name-twice:1.4"], "ConflictError"),
    "several images without a name": (7, ["inspect", MULTI], "ConflictError"),
    "several platforms": (7, ["config", f"{MULTI}:1.4"], "ConflictError"),
    "a registry that is not there": (6, ["tags", "localhost:1/acme/web", "--retries", "0"], "ConnectError"),
    "an artifact": (8, ["platforms", f"{MULTI}:artifact"], "NotAnImageError"),
    "an archive without manifests": (8, ["validate", "docker-archive:x.tar"], "UnsupportedError"),
}

PRINT_BYTES = {"manifest", "config", "blob"}
FOR_PROGRAMS = {name: it for name, it in SITUATIONS.items() if it[1][0] not in PRINT_BYTES and it[2]}


@pytest.mark.parametrize(("code", "arguments", "error"), SITUATIONS.values(), ids=list(SITUATIONS))
def test_cli_09_an_error_leaves_with_the_code_of_its_class(
    said: Run, code: int, arguments: list[str], error: str
) -> None:
    done = said(*arguments)

    assert done.code == code
    if error:
        assert done.err.startswith("dreg: ")
        assert done.err.count("\n") == 1
        assert "Traceback" not in done.err


@pytest.mark.parametrize(("code", "arguments", "error"), FOR_PROGRAMS.values(), ids=list(FOR_PROGRAMS))
def test_cli_09_an_error_is_one_line_of_json_for_programs(
    said: Run, code: int, arguments: list[str], error: str
) -> None:
    told = json.loads(said(*arguments, "--format", "json").err)

    assert told.pop("source", arguments[-1]) in arguments
    assert told == {"error": error, "exitCode": code, "message": told["message"]}
    assert told["message"]
    assert "\n" not in told["message"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tags", MULTI, "--timeout", "1s"], "'1s': must be a number of seconds, at least 0.1, such as 30"),
        (["tags", MULTI, "--timeout", "0"], "'0': must be a number of seconds, at least 0.1"),
        (["tags", MULTI, "--timeout", "nan"], "'nan': must be a number of seconds, at least 0.1"),
        (["tags", MULTI, "--retries", "1.5"], "'1.5': must be a whole number from 0 to 100, such as 4"),
        (["tags", MULTI, "--retries", "101"], "'101': must be a whole number from 0 to 100, such as 4"),
        (["validate", "fixtures/valid", "--jobs", "0"], "'0': must be a whole number from 1 to 256, such as 4"),
        (["blob", MULTI, ABSENT, "--connections", "x"], "'x': must be a whole number of at least 1, such as 4"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_number_that_is_not_accepted_says_which_are(said: Run, arguments: list[str], expected: str) -> None:
    done = said(*arguments)

    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for '{arguments[-2]}'" in done.err.replace("' / '-j'", "'")
    assert expected in done.err


@pytest.mark.parametrize("situation", ["a broken document", "no such option", "a tag that is not there", "other bytes"])
def test_the_process_leaves_with_that_code(dreg: Run, situation: str) -> None:
    code, arguments, _ = SITUATIONS[situation]

    assert dreg(*arguments).code == code


@pytest.mark.parametrize("arguments", [["--debug", "resolve", f"{MULTI}:9"], ["resolve", f"{MULTI}:9", "--debug"]])
def test_debug_before_or_behind_the_command_shows_where_an_error_comes_from(said: Run, arguments: list[str]) -> None:
    done = said(*arguments)

    assert "Traceback (most recent call last)" in done.err
    assert done.code == 4


def test_a_file_by_the_name_of_an_option_is_no_option(said: Run) -> None:
    assert "Traceback" not in said("validate", "--", "--debug").err


@pytest.mark.parametrize(("options", "shown"), [([], 0), (["--debug"], 1)])
def test_a_bug_of_ours_is_told_as_such(options: list[str], shown: int) -> None:
    broken = "import dreg_client._sync.opening as o; o.open_store = lambda *_, **__: 1 / 0; "
    broken += "from dreg_client.cli import main; main()"
    command = [sys.executable, "-c", broken, *options, "tags", MULTI]
    done = run_limited(command, capture_output=True, text=True, check=False)

    assert done.returncode == 70
    assert "bug in dreg" in done.stderr
    assert done.stderr.count("Traceback") == shown


WITH_A_THREAD = """
import sys, threading
from dreg_client.cli import program
def wait():
    threading.main_thread().join()
    print("the thread ends")
threading.Thread(target=wait).start()
program()
"""


@pytest.mark.parametrize(("words", "code"), [(["tags", MULTI], 0), (["tags"], 2)])
def test_the_program_exits_when_all_output_is_written_and_all_threads_have_ended(words: list[str], code: int) -> None:
    done = run_limited([sys.executable, "-c", WITH_A_THREAD, *words], capture_output=True, text=True, check=False)

    assert done.returncode == code
    assert done.stdout.endswith("the thread ends\n")
    assert ("nested\n" in done.stdout) == (code == 0)


def test_without_a_command_the_help_goes_to_standard_error(said: Run) -> None:
    done = said()

    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("Usage: dreg ")


WITHOUT_HTTPX2 = """
import sys
sys.modules["httpx2"] = None  # to Python this says: not to be found
from dreg_client.cli import main
main()
"""


def test_a_library_that_is_not_installed_is_a_usage_error_and_says_how_to_install_it() -> None:
    command = [sys.executable, "-c", WITHOUT_HTTPX2, "tags", "localhost:1/acme/web", "--format", "json"]
    done = run_limited(command, capture_output=True, text=True, check=False, env={**os.environ, "DREG_HTTP": "httpx2"})
    told = json.loads(done.stderr)

    assert (done.returncode, told["error"], told["exitCode"]) == (2, "MissingLibraryError", 2)
    assert told["message"] == "httpx2 (the extra httpx2) is not installed; install it with: pip install httpx2"
    assert not issubclass(errors.MissingLibraryError, errors.AuthError)


@pytest.mark.parametrize("error", [errors.FileError, errors.WorkerKilledError])
def test_a_file_or_a_process_that_fails_has_the_code_of_a_store_that_does(error: type[errors.DregError]) -> None:
    assert exit_code(error("a file", "a reason")) == exit_code(errors.LayoutError("a file", "a reason")) == 5
    assert not issubclass(error, errors.LayoutError)


@pytest.mark.parametrize("source", ["fixtures/layouts/multi", "fixtures/layouts/multi:1.4"])
def test_a_path_without_its_kind_is_told_what_to_write(said: Run, source: str) -> None:
    assert f"begin with the kind of its store: oci:{source}" in said("inspect", source).err


def test_the_rest_of_what_is_wrong_is_a_command_away(said: Run, tmp_path: Path, fixtures: Path) -> None:
    (tmp_path / "oci-layout").write_bytes((fixtures / "layouts/multi/oci-layout").read_bytes())
    (tmp_path / "index.json").write_text('{"schemaVersion": 2, "manifests": [{"size": 1.5}]}')

    done = said("tags", f"oci:{tmp_path}")

    assert done.code == 1
    assert "dreg validate shows" in done.err
    assert ".problems" not in done.err
