"""Completion: in a real bash, and as zsh and fish ask for it."""

import os
import pty
import shlex
import sys
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

import pytest

from tests.commands import run_limited, start_limited
from tests.registries import RunningRegistry

Run = Callable[..., Any]
ROOT = Path(__file__).parent.parent.parent
MULTI = "oci:fixtures/layouts/multi"
COMPLETE = """
source <(dreg completion bash)
compopt() {{ printf '%s\\n' "compopt $1 $2"; }}
COMP_LINE={line} COMP_POINT={point}
_dreg_completion dreg {replaced}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which there is `dreg`."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/dreg").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dreg_client.cli "$@"\n')
    (tmp_path / "bin/dreg").chmod(0o755)
    return f"{tmp_path}/bin:{os.environ['PATH']}"


@pytest.fixture
def completed(path: str) -> Callable[..., list[str]]:
    """Complete a line in bash, which replaces the text after the last of its `COMP_WORDBREAKS`."""

    def complete(line: str, replaced: str | None = None, folder: Path = ROOT) -> list[str]:
        replaced = line.rpartition(" ")[2].rpartition(":")[2] if replaced is None else replaced
        script = COMPLETE.format(line=shlex.quote(line), point=len(line), replaced=shlex.quote(replaced))
        env = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
        done = run_limited(["bash", "-c", script], env=env, cwd=folder, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]

    return complete


def answered(completed: Callable[..., list[str]], line: str) -> list[str]:
    """What a registry completes. Completion waits two seconds for it, which a busy machine may exceed."""
    for _ in range(5):
        if (names := completed(line)) != [""]:
            return names
    return []


def test_bash_completes_commands(completed: Callable[..., list[str]]) -> None:
    assert completed("dreg val") == ["validate"]
    assert {"tags", "inspect", "blob"} <= set(completed("dreg "))
    assert completed("dreg schema w") == completed("dreg help schema w") == ["write"]


def test_bash_completes_options_and_their_values(completed: Callable[..., list[str]]) -> None:
    assert "--platform" in completed("dreg inspect --p")
    assert completed("dreg tags --format j") == completed("dreg tags --format=j", "j") == ["json"]
    assert completed("dreg config --platform linux/amd") == ["linux/amd64"]
    assert completed("dreg blob x -o READ") == ["compopt -o default", ""]


def test_bash_completes_kinds_of_stores_without_a_space(completed: Callable[..., list[str]]) -> None:
    assert completed("dreg inspect oci") == [*2 * ["compopt -o nospace"], "oci:", "oci-archive:"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("oci:fix", ["fixtures/"]),
        ("oci:fixtures/layouts/mul", ["fixtures/layouts/multi"]),
        (f"{MULTI}:", ["1.4", "single", "nested", "artifact"]),
        (f"{MULTI}:1", ["1.4"]),
        ("oci-archive:fixtures/archives/mul", ["fixtures/archives/multi.oci.tar"]),
        ("docker-archive:fixtures/archives/w", ["fixtures/archives/web.docker.tar"]),
        ("localhost:1/acme/web:1", [""]),
        ("localhost:1/acme/", [""]),
    ],
)
def test_bash_completes_names_with_colons(completed: Callable[..., list[str]], line: str, expected: list[str]) -> None:
    assert [name for name in completed(f"dreg inspect {line}") if not name.startswith("compopt")] == expected


def test_bash_completes_repositories_and_tags_of_a_registry(
    completed: Callable[..., list[str]], open_registry: RunningRegistry
) -> None:
    host = open_registry.address
    port = host.rpartition(":")[2]

    assert {f"{port}/acme/old", f"{port}/acme/web"} <= set(answered(completed, f"dreg tags {host}/acme/"))
    assert answered(completed, f"dreg inspect {host}/acme/web:1") == ["1.3", "1.4"]
    assert answered(completed, f"dreg validate {host}/acme/web:1.4") == ["1.4"]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("oci:fixtures/lay", "dreg tags oci:fixtures/layouts/"),
        (f"{MULTI}:1", f"dreg tags {MULTI}:1.4 "),
        (f'"{MULTI}:1', f'dreg tags "{MULTI}:1.4" '),
    ],
)
def test_an_interactive_bash_completes_names_with_colons(path: str, typed: str, shown: str) -> None:
    ours, its = pty.openpty()
    env = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "TERM": "dumb", "INPUTRC": os.devnull, "COLUMNS": "200"}
    command = ["bash", "--norc", "-i"]
    with (
        start_limited(command, stdin=its, stdout=its, stderr=its, cwd=ROOT, env=env, start_new_session=True) as shell,
        os.fdopen(ours, "r+b", buffering=0) as screen,
    ):
        os.close(its)
        screen.write(b"source <(dreg completion bash); PS1='rea''dy> '\n")
        assert _read_until(screen, "ready> ")
        screen.write(f"dreg tags {typed}\t".encode())
        assert _read_until(screen, shown)
        shell.kill()


def _read_until(screen: FileIO, text: str) -> bool:
    """Read a screen until it shows a text, or for at most 30 seconds."""
    read = b""
    while text.encode() not in read:
        if not select([screen], [], [], 30)[0]:
            return False
        read += screen.read(1024) or b""
    return True


def test_bash_completes_a_layout_to_its_tags(completed: Callable[..., list[str]]) -> None:
    assert "fixtures/layouts/multi:1.4" in completed(f"dreg tags {MULTI}")


def test_bash_completes_where_a_colon_ends_no_word(completed: Callable[..., list[str]]) -> None:
    assert completed(f"dreg tags {MULTI}:1", f"{MULTI}:1") == [f"{MULTI}:1.4"]


def test_bash_completes_files_and_stores_to_validate(completed: Callable[..., list[str]]) -> None:
    assert "fixtures/valid/" in completed("dreg validate fixtures/val")
    assert completed("dreg validate README") == ["README.md"]


@pytest.mark.parametrize(
    ("written", "replaced", "expected"),
    [("oci:a\\ b/m", "a\\ b/m", "a\\ b/my\\ folder/"), ("'oci:a b/m", "oci:a b/m", "oci:a b/my folder/")],
)
def test_bash_completes_names_with_spaces(
    completed: Callable[..., list[str]], tmp_path: Path, written: str, replaced: str, expected: str
) -> None:
    (tmp_path / "a b/my folder").mkdir(parents=True)

    assert completed(f"dreg tags {written}", replaced, tmp_path) == ["compopt -o nospace", expected]


def test_bash_completes_ids_of_rules(completed: Callable[..., list[str]]) -> None:
    assert {"DSC-01", "DSC-02"} <= set(completed("dreg rule DSC-"))
    assert completed("dreg rule dsc-02") == ["DSC-02"]


def test_an_index_that_cannot_be_read_completes_nothing(completed: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"manifests": [7]}')

    assert completed("dreg tags oci:.:", folder=tmp_path) == [""]


@pytest.mark.parametrize(
    ("shell", "words", "expected"),
    [
        ("zsh", "dreg val", "plain\nvalidate\n"),
        ("zsh", "dreg tags oci:fix", "partial\noci:fixtures/\n_"),
        ("fish", "dreg val", "plain,validate\t"),
        ("fish", "dreg tags oci:fix", "plain,oci:fixtures/"),
    ],
)
def test_zsh_and_fish_are_answered(dreg: Run, shell: str, words: str, expected: str) -> None:
    *before, last = words.split()
    position = last if shell == "fish" else str(len(before))
    done = dreg(env={"COMP_WORDS": words, "COMP_CWORD": position, "_DREG_COMPLETE": f"{shell}_complete"})

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(expected)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_asks_by_the_variable_that_dreg_reads(said: Run, shell: str) -> None:
    assert f"_DREG_COMPLETE={shell}_complete" in said("completion", shell).out


def test_zsh_adds_no_space_after_what_more_follows(said: Run) -> None:
    assert '"$type" == "partial"' in said("completion", "zsh").out


def test_fish_keeps_commas_in_names(said: Run) -> None:
    assert 'string split --max 1 -- ","' in said("completion", "fish").out


def test_completion_does_not_read_standard_input(
    completed: Callable[..., list[str]], open_registry: RunningRegistry
) -> None:
    port = open_registry.address.rpartition(":")[2]

    for options in ("-u ada --password-stdin", "--identity-token-stdin"):
        assert f"{port}/acme/old" in answered(completed, f"dreg tags {options} {open_registry.address}/acme/")


def test_completion_does_not_wait_for_a_credential_helper(
    completed: Callable[..., list[str]],
    password_registry: RunningRegistry,
    tmp_path: Path,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    helper = Path(path.partition(":")[0]) / "docker-credential-slow"
    helper.write_text("#!/bin/sh\nexec sleep 100\n")
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text('{"credsStore": "slow"}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    began = monotonic()

    assert completed(f"dreg tags {password_registry.address}/acme/") == [""]
    assert monotonic() - began < 20  # the helper has 30 seconds in other commands


def test_a_shell_that_is_not_known_is_a_mistake(dreg: Run, said: Run) -> None:
    assert said("completion", "tcsh").code == 2
    assert dreg(env={"_DREG_COMPLETE": "tcsh_complete"}).code == 1
