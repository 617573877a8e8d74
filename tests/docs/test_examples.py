"""What README.md and docs/ show runs as it is written, from the root of the checkout."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import put_dreg, run_limited
from tests.docs.pages import ADDRESS, EXAMPLES, PAGES, ROOT, STORAGE, Example, shown
from tests.registries import RunningRegistry, running

_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SCRIPT = re.compile(r"^```bash\n(#!.*?)^```$", re.MULTILINE | re.DOTALL)
_SESSION = re.compile(r"^```bash\n((?!#!).*?)^```$", re.MULTILINE | re.DOTALL)
_TOML = re.compile(r"^```toml\n(.*?\[\[sync\]\].*?)^```$", re.MULTILINE | re.DOTALL)
_TRANSCRIPT = re.compile(r"^```text\n\$ (dreg .*)\n((?:.+\n)+)```$", re.MULTILINE)
_RUNS_DREG = re.compile(r"^(?:.* && )?(?:\.venv/bin/)?(dreg .*)")
_CELL = re.compile(r"^```ipython\n(.*?)^(\w+)\n```$", re.MULTILINE | re.DOTALL)
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAYS_NOTHING = (" -o ", "--format github")
_COPIES = re.compile(r"dreg (?:copy|pull|push|sync) ")
_SUMMARY = re.compile(r"dreg: (?:copied|would \w+|nothing to copy|wrote the tag|removed) ?.*|remove  .*")

IN_ORDER = {"automate-tags", "validate-millions"}
"""Pages whose commands depend on those before them: `test_guides.py` runs them in order."""
SEPARATE = [page for page in PAGES if page.stem not in IN_ORDER]

COMMANDS = sorted(
    {
        found[1].partition(" #")[0].strip()
        for page in SEPARATE
        for block in _SHELL.findall(page.read_text())
        for line in block.splitlines()
        if (found := _RUNS_DREG.match(line))
    }
)
CELLS = sorted({found.groups() for page in PAGES for found in _CELL.finditer(page.read_text())})
SCRIPTS = [found for page in PAGES for found in _SCRIPT.findall(page.read_text())]
SESSIONS = [
    (f"{page.name}-{number}", block)
    for page in SEPARATE
    if page.parent.name in {"guides", "coming-from"}
    for number, block in enumerate(_SESSION.findall(page.read_text()))
]
SYNC_FILES = [block for page in PAGES if page.parent.name == "guides" for block in _TOML.findall(page.read_text())]
TRANSCRIPTS = [found.groups() for page in SEPARATE for found in _TRANSCRIPT.finditer(page.read_text())]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def placed(registry: RunningRegistry) -> Callable[[str], str]:
    """Put the address of a registry with fresh images into an example that uses one."""

    def place(text: str) -> str:
        if ADDRESS in text or STORAGE in text:
            registry.seed()
        return text.replace(ADDRESS, registry.address).replace(STORAGE, str(registry.root / "storage"))

    return place


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a line of a shell where there is a command `dreg`, and what the root of the project has."""
    return shell_in(tmp_path_factory.mktemp("checkout"))


def shell_in(folder: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Return a function that runs a script in a folder with a command `dreg`, and what the root of the project has."""
    for name in ("fixtures", "schemas"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "manifests").symlink_to(ROOT / "fixtures/valid")
    (folder / "password.txt").write_text("secret\n")
    inherited = [put_dreg(folder)]
    env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    env["REGISTRY_PASSWORD"] = "secret"

    def run_there(line: str) -> subprocess.CompletedProcess[str]:
        script = ["bash", "-euo", "pipefail", "-c", line]
        return run_limited(script, cwd=folder, env=env, pass_fds=inherited, capture_output=True, text=True, check=False)

    return run_there


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_an_example_prints_what_it_says(
    example: Example, monkeypatch: pytest.MonkeyPatch, placed: Callable[[str], str], tmp_path: Path
) -> None:
    for name in ("fixtures", "schemas"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REGISTRY_PASSWORD", "secret")

    assert Example(example.place, placed(example.text)).printed(ADDRESS) == example.says


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_pages_succeeds(
    command: str, run: Callable[..., subprocess.CompletedProcess[str]], placed: Callable[[str], str]
) -> None:
    done = run(placed(command))

    assert done.returncode == 0, done.stdout + done.stderr
    if _COPIES.match(command):
        assert done.stderr
        assert all(_SUMMARY.fullmatch(line) for line in done.stderr.splitlines()), done.stderr
        return
    assert done.stdout or any(word in command for word in _SAYS_NOTHING)
    warns = command.startswith("dreg login") and done.stderr.endswith("unencrypted, encoded with base64\n")
    assert not _SUMMARY.sub("", done.stderr).strip() or warns


@pytest.mark.parametrize("script", [pytest.param(block, id=place) for place, block in SESSIONS])
def test_commands_that_follow_each_other_succeed(script: str, placed: Callable[[str], str], tmp_path: Path) -> None:
    done = shell_in(tmp_path)(placed(script))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", SYNC_FILES)
def test_a_sync_file_of_the_guides_is_carried_out(text: str, placed: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "mirror.toml").write_text(placed(text))

    done = shell_in(tmp_path)("dreg sync --file mirror.toml --yes")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("@sha256:") > 1


@pytest.mark.parametrize(("command", "said"), TRANSCRIPTS)
def test_a_command_says_what_the_pages_show(
    command: str, said: str, run: Callable[..., subprocess.CompletedProcess[str]], placed: Callable[[str], str]
) -> None:
    done = run(placed(command))

    assert shown(done.stdout + done.stderr) == said


def test_the_release_script_moves_the_tags_and_removes_the_candidate(
    run: Callable[[str], subprocess.CompletedProcess[str]], placed: Callable[[str], str], tmp_path: Path
) -> None:
    (text,) = SCRIPTS
    script = tmp_path / "release.sh"
    script.write_text(text)
    repository = placed(f"{ADDRESS}/testns/testrepo")
    run(f"dreg tag {repository}:1.4 1.4.0-rc.1")

    done = run(f"sh {script} {repository} 1.4.0-rc.1")

    assert done.returncode == 0, done.stderr
    assert set(run(f"dreg tags {repository}").stdout.split()) == {"1", "1.4", "latest", "single"}
    again = run(f"sh {script} {repository} 1.4.0-rc.1")
    assert again.returncode == 0
    assert "nothing to release" in again.stderr


SETTINGS = [yaml.safe_load(block) for page in SEPARATE for block in _YAML.findall(page.read_text())]
STEPS = [
    step["run"]
    for setting in SETTINGS
    for job in setting.get("jobs", {}).values()
    for step in job["steps"]
    if step.get("run", "").startswith("dreg ")
]


@pytest.mark.parametrize("command", STEPS)
def test_a_step_of_a_workflow_succeeds(command: str, run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run(command)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hooks_that_the_pages_name_are_there() -> None:
    offered = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    named = {hook["id"] for setting in SETTINGS for repo in setting.get("repos", ()) for hook in repo["hooks"]}

    assert named
    assert named <= offered


def test_there_are_commands_and_transcripts_to_run() -> None:
    assert len(COMMANDS) > 20
    assert len(TRANSCRIPTS) > 2
    assert len(SESSIONS) > 5
    assert SYNC_FILES
    assert STEPS


def test_the_first_command_of_the_readme_sets_up_validates_and_inspects() -> None:
    first = re.search(r"```sh\n(.*)\n```", PAGES[0].read_text())

    assert first is not None
    setup, *commands = first[1].split(" && ")
    assert setup == ".ci/setup"
    assert [command.split()[:2] for command in commands] == [
        [".venv/bin/dreg", "validate"],
        [".venv/bin/dreg", "inspect"],
    ]


@pytest.mark.parametrize(("code", "shown_name"), CELLS)
def test_a_cell_of_a_notebook_shows_an_image(code: str, shown_name: str, placed: Callable[[str], str]) -> None:
    names: dict[str, Any] = {}
    exec(placed(code), names)  # noqa: S102 (our own pages)
    image = names[shown_name]
    try:
        assert "linux/arm64" in image._repr_html_()
    finally:
        image._source._client.close()
