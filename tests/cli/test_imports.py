"""A command brings in what it needs: told by `sys.modules`, not by a clock."""

import json
import sys

import pytest

from tests.commands import run_limited
from tests.registries import RunningRegistry

HEAVY = {
    "anyio",
    "asyncio",
    "concurrent.futures",
    "dreg_client.errors",
    "httpx",
    "jinja2",
    "multiprocessing",
    "orjson",
    "pydantic",
    "rich",
    "tempfile",
    "traceback",
}
TELL = """
import json, sys
from dreg_client.cli import main
try:
    main()
finally:
    sys.stderr.write(chr(10) + json.dumps([*sys.modules]))
"""


def imported(*arguments: str, among: set[str] = HEAVY) -> set[str]:
    done = run_limited([sys.executable, "-c", TELL, *arguments], capture_output=True, text=True, check=True)
    return among & set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["validate", "--help"], ["inspect", "--help"]])
def test_help_brings_in_nothing_heavy(arguments: list[str]) -> None:
    assert imported(*arguments) == set()


def test_a_document_brings_in_no_network_no_processes_and_no_pictures() -> None:
    brought = imported("validate", "fixtures/valid/oci-manifest.json")

    assert brought - {"tempfile", "traceback"} == {"dreg_client.errors", "orjson", "pydantic"}  # two are pydantic's


def test_an_image_brings_in_neither_network_nor_pictures() -> None:
    assert imported("inspect", "oci:fixtures/layouts/multi:1.4").isdisjoint({"asyncio", "httpx", "jinja2", "rich"})


@pytest.mark.parametrize("word", ["oci:fixtures/layouts/multi:1", ""])
def test_completing_a_name_brings_in_neither_network_nor_models(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    for name, value in (("COMP_WORDS", f"dreg tags {word}"), ("COMP_CWORD", word), ("_DREG_COMPLETE", "bash_complete")):
        monkeypatch.setenv(name, value)

    assert imported(among={"dreg_client._sync", "dreg_client.models", "pydantic", "socket", "ssl"}) == set()


@pytest.mark.parametrize("word", ["localhost:1/acme/web:1", "localhost:1/acme/"])
def test_completing_a_name_in_a_registry_brings_in_no_models(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    for name, value in (("COMP_WORDS", f"dreg tags {word}"), ("COMP_CWORD", word), ("_DREG_COMPLETE", "bash_complete")):
        monkeypatch.setenv(name, value)

    assert imported(among={"pydantic", "httpx"}) == set()


@pytest.mark.parametrize("arguments", ["resolve {}/acme/web:1.4", "tags {}/acme/web", "repos {}"])
def test_what_needs_no_document_brings_in_no_models(open_registry: RunningRegistry, arguments: str) -> None:
    brought = imported(*arguments.format(open_registry.address).split())

    assert brought.isdisjoint({"anyio", "asyncio", "httpx", "multiprocessing", "pydantic"})
    assert ("orjson" in brought) is not arguments.startswith("resolve")


def test_a_manifest_brings_in_no_models_of_configs_and_no_pictures(open_registry: RunningRegistry) -> None:
    others = {"dreg_client.models.config", "dreg_client.models.legacy", "dreg_client.images.view", "jinja2"}

    assert imported("manifest", f"{open_registry.address}/acme/web:1.4", among=others) == set()


@pytest.mark.parametrize("module", ["client", "lists", "manifests", "pool"])
def test_the_sync_client_brings_in_no_models_and_no_event_loop(module: str) -> None:
    tell = f"import json, sys, dreg_client._sync.{module}; print(json.dumps([*sys.modules]))"
    done = run_limited([sys.executable, "-c", tell], capture_output=True, text=True, check=True)

    assert {"anyio", "asyncio", "httpx", "pydantic"}.isdisjoint(json.loads(done.stdout))


def test_without_click_dreg_says_how_to_get_it() -> None:
    without = "import sys; sys.modules['click'] = None; from dreg_client.cli import main; main()"
    done = run_limited([sys.executable, "-c", without], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "dreg: click is not installed; install the command line: pip install 'dreg-client[cli]'\n"


def test_without_jinja_a_page_says_how_to_get_it() -> None:
    without = "import sys; sys.modules['jinja2'] = None; from dreg_client.cli import main; main()"
    arguments = ["inspect", "oci:fixtures/layouts/multi:1.4", "--format", "html"]
    done = run_limited([sys.executable, "-c", without, *arguments], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dreg: Jinja2 (the extra cli) is not installed; install it with: pip install Jinja2\n"
