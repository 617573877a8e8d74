"""The front door and the roof: every public name is there, and nothing is imported before it is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dreg_client
from tests.commands import run_limited

HEAVY = {"asyncio", "click", "httpx", "orjson", "pydantic", "rich"}
RUN_DREG = """
import sys
from dreg_client.cli import main
sys.argv = ["dreg", *sys.argv[1:]]
try:
    main()
finally:
    imported = sys.modules.keys() & {*%r}
    sys.stderr.write(chr(10) + __import__("json").dumps(sorted(imported)))
"""
WITHOUT_CLICK = """
import sys
sys.modules["click"] = sys.modules["rich"] = None  # to Python this says: not to be found
from dreg_client.cli import main
main()
"""


@pytest.mark.parametrize("name", dreg_client.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert getattr(dreg_client, name) is not None
    assert name in dir(dreg_client)


@pytest.mark.parametrize("name", ["NotFoundError", "UnsupportedError", "RepositoryValidation", "DregError"])
def test_what_programs_catch_and_use_most_is_imported_from_the_package(name: str) -> None:
    assert name in dreg_client.__all__


@pytest.mark.parametrize("kind", [dreg_client.Registry, dreg_client.AsyncRegistry])
@pytest.mark.parametrize("option", dreg_client.RegistryOptions.__annotations__)
def test_the_help_of_a_registry_lists_its_options(kind: type, option: str) -> None:
    assert f"{option}" in (kind.__doc__ or "").partition("**options")[2].partition("Raises:")[0]


@pytest.mark.parametrize("kind", [dreg_client.Image, dreg_client.AsyncImage])
@pytest.mark.parametrize("name", ["repo", "tag", "digest", "manifest", "index", "attestations", "platforms"])
def test_the_help_of_an_image_lists_its_attributes(kind: type, name: str) -> None:
    assert f"    {name}: " in (kind.__doc__ or "")


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Manifset'"):
        _ = dreg_client.Manifset  # type: ignore[attr-defined]


def test_public_names_are_listed_once_and_in_order() -> None:
    assert dreg_client.__all__ == sorted(set(dreg_client.__all__))


def test_import_dreg_client_imports_nothing_heavy() -> None:
    done = python("import sys, dreg_client; print(*sys.modules)")

    assert set(done.stdout.split()) & HEAVY == set()


def test_validating_a_file_never_imports_httpx(fixtures: Path) -> None:
    document = min((fixtures / "valid").rglob("*.json"))
    done = python(RUN_DREG % HEAVY, "validate", str(document))

    assert done.returncode == 0, done.stderr
    assert imported(done) >= {"click", "orjson", "pydantic"}
    assert imported(done).isdisjoint({"asyncio", "httpx"})


@pytest.mark.parametrize("arguments", [["--help"], ["version"], ["--version"]], ids=" ".join)
def test_help_and_version_import_click_alone(arguments: list[str]) -> None:
    done = python(RUN_DREG % HEAVY, *arguments)

    assert done.returncode == 0, done.stderr
    assert imported(done) == {"click"}


def test_without_its_extra_dreg_says_so_in_one_line() -> None:
    done = python(WITHOUT_CLICK)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "dreg-client[cli]" in done.stderr


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return run_limited(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(json.loads(done.stderr.splitlines()[-1]))
