"""fixtures/serve.sh starts a registry that is as the pages say, and their examples can be tried there in any order."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from dreg_client import Registry
from tests.commands import run_limited, start_limited
from tests.docs.pages import ADDRESS, EXAMPLES, ROOT
from tests.registries import free_port

SERVE = str(ROOT / "fixtures/serve.sh")
TAGS = {
    "acme/old": {"1"},
    "acme/web": {"1.3", "1.4"},
    "solo": {"1"},
    "testns/testrepo": {"1.4", "single"},
}


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Its address and its process, once it says that it is ready; it keeps what it writes in this folder."""
    port = free_port()
    # Who runs the tests may have Ctrl-C ignored, and a shell cannot change what it was given as ignored.
    command = ["env", "--default-signal=INT", SERVE, str(port)]
    env = os.environ | {"TMPDIR": str(folder)}
    with start_limited(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            said = process.stdout.readline()
            assert said.startswith(f"localhost:{port} has "), process.stderr.read()
            yield f"localhost:{port}", process
        finally:
            process.terminate()
            process.wait()
            with suppress(ProcessLookupError):  # nobody is left, where it is right
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "its-own").mkdir()
    return tmp_path / "its-own"


def _tags(address: str) -> dict[str, set[str]]:
    with Registry(address) as registry:
        return {name: set(registry.repository(name).tags()) for name in registry.repositories()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_has_the_images_and_ends_with_all_that_it_began(folder: Path, number: signal.Signals) -> None:
    with served(folder) as (address, process):
        assert _tags(address) == TAGS
        assert list(folder.iterdir())

        process.send_signal(number)

        assert process.wait(60) == 0
        assert not list(folder.iterdir())
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


def test_examples_that_are_tried_one_after_the_other_do_not_disturb_each_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REGISTRY_PASSWORD", "secret")
    examples = [example for example in EXAMPLES if ADDRESS in example.text]
    said = {example.place: example.says for example in examples}

    with served(folder) as (address, _):
        for number in range(2):
            _enter(tmp_path / f"checkout-{number}", monkeypatch)
            assert {example.place: example.printed(address) for example in examples} == said

        left = _tags(address)
        assert left.pop("testns/testrepo") > TAGS["testns/testrepo"], "where the guide tags"
        others = {name: tags for name, tags in TAGS.items() if name != "testns/testrepo"}
        assert {name: left[name] for name in others} == others


def _enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    for name in ("fixtures", "schemas"):
        (folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(folder)


def test_what_is_missing_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "")

    done = run_limited(["/bin/sh", SERVE], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "apt-get install docker-registry skopeo" in done.stderr


def test_a_port_that_is_taken_is_told_and_nobody_else_is_given_the_images(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [SERVE, str(taken.getsockname()[1])]
        env = os.environ | {"TMPDIR": str(folder)}

        done = run_limited(command, env=env, capture_output=True, text=True, check=False)

        assert done.returncode == 1
        assert "address already in use" in done.stderr
        assert not list(folder.iterdir())


def test_a_port_that_is_not_a_number_is_rejected() -> None:
    done = run_limited([SERVE, "web"], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "the port must be a number" in done.stderr
