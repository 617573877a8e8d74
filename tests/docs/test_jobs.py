"""The nightly jobs of the guide about tags: the commands of their files run as they are written."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dreg_client import Registry, Repository, copy
from tests.docs.pages import ADDRESS, ROOT
from tests.docs.test_examples import shell_in
from tests.registries import RunningRegistry, running

TEXT = (ROOT / "docs/guides/automate-tags.md").read_text()
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [found.groups() for found in _BLOCK.finditer(TEXT)]
GITHUB, GITLAB = (yaml.safe_load(text) for language, text in BLOCKS if language == "yaml")
INSTALL, CRON = (text for language, text in BLOCKS if language == "shell")
(POLICY,) = (text for language, text in BLOCKS if language == "toml")
_INSTALLS = "pip install 'dreg-client[cli] @ git+https://github.com/djmattyg007/dreg-client@COMMIT'"

Run = Callable[..., None]
Shell = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("registry")) as started:
        started.seed()
        copy(f"oci:{ROOT}/fixtures/layouts/releases", f"{started.address}/testns/testrepo", tags="all")
        yield started


@pytest.fixture
def repository(registry: RunningRegistry) -> Iterator[Repository]:
    with Registry(registry.url) as opened:
        yield opened.repository("testns/testrepo")


@pytest.fixture
def checkout(tmp_path: Path, registry: RunningRegistry) -> Path:
    (tmp_path / "tags.toml").write_text(POLICY.replace(ADDRESS, registry.address))
    return tmp_path


@pytest.fixture
def execute(checkout: Path) -> Shell:
    """Run a script in the checkout."""
    return shell_in(checkout)


@pytest.fixture
def run(execute: Shell) -> Run:
    """Run commands with environment variables in the checkout."""

    def run_there(commands: list[str], environment: dict[str, str]) -> None:
        settings = [f"export {name}='{value}'" for name, value in environment.items()]
        done = execute("\n".join([*settings, *commands]))
        assert done.returncode == 0, done.stdout + done.stderr

    return run_there


def _nightly(repository: Repository) -> int:
    return sum(tag.startswith("nightly-") for tag in repository.iter_tags())


def test_the_workflow_of_github_applies_the_policy_and_keeps_a_journal(
    run: Run, registry: RunningRegistry, repository: Repository, checkout: Path
) -> None:
    before = set(repository.iter_tags())
    job = GITHUB["jobs"]["tags"]
    steps: list[dict[str, Any]] = [step for step in job["steps"] if "run" in step]
    assert steps[0]["run"] == _INSTALLS

    for step in steps[1:]:
        secrets = dict.fromkeys(step.get("env", ()), "secret")
        run([step["run"]], job["env"] | secrets | {"REGISTRY": registry.address})

    assert _nightly(repository) == 10
    assert repository.resolve("1.4").digest == repository.resolve("1.4.2").digest
    assert (checkout / "changes.jsonl").exists()
    run(["dreg undo changes.jsonl --yes"], {})
    assert set(repository.iter_tags()) == before


def test_the_workflow_of_github_asks_for_no_more_than_it_needs() -> None:
    assert GITHUB["permissions"] == {"contents": "read"}
    assert GITHUB[True]["schedule"]  # YAML 1.1 reads the key `on` as true


def test_the_job_of_gitlab_applies_the_policy_and_keeps_a_journal(
    run: Run, registry: RunningRegistry, repository: Repository, checkout: Path
) -> None:
    job = GITLAB["tags"]
    before, *login = job["before_script"]
    assert before == _INSTALLS
    environment = {
        "CI_REGISTRY": registry.address,
        "CI_REGISTRY_USER": "gitlab-ci-token",
        "CI_REGISTRY_PASSWORD": "secret",
    }

    run([*login, *job["script"]], environment)

    assert _nightly(repository) == 10
    assert [tag for tag in repository.iter_tags() if tag.startswith("pr-")] == ["pr-103"]
    assert job["artifacts"]["paths"] == ["changes.jsonl"]
    assert (checkout / "changes.jsonl").exists()


def script_for_cron(checkout: Path) -> str:
    return CRON.replace("/srv/tags", str(checkout)).replace("/opt/dreg/bin/dreg", str(checkout / "dreg"))


def test_the_script_for_cron_applies_the_policy(run: Run, repository: Repository, checkout: Path) -> None:
    run([script_for_cron(checkout)], {})

    assert _nightly(repository) == 10
    assert len(list(checkout.glob("changes-*.jsonl"))) == 1
    assert _INSTALLS.removeprefix("pip ") in INSTALL


def test_the_script_for_cron_does_nothing_while_another_run_is_not_finished(
    execute: Shell, repository: Repository, checkout: Path
) -> None:
    before = _nightly(repository)

    done = execute("\n".join(["exec 8> lock; flock 8", script_for_cron(checkout)]))

    assert (done.returncode, done.stderr) == (1, "the last run is not finished\n")
    assert _nightly(repository) == before


def test_the_jobs_do_the_rest_if_a_tag_cannot_be_changed(
    execute: Shell, repository: Repository, checkout: Path, registry: RunningRegistry
) -> None:
    policy = checkout / "tags.toml"
    rule = '[[policy]]\nrepositories = ["' + registry.address + '/acme/absent"]\n'
    policy.write_text(policy.read_text() + rule + '[[policy.rules]]\naction = "untag"\ninclude = ["x"]\n')

    done = execute(GITLAB["tags"]["script"][0])

    assert (done.returncode, _nightly(repository)) == (1, 10)
    assert f"{registry.address}/acme/absent" in done.stderr
