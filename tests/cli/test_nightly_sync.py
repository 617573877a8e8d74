"""A nightly `dreg sync --file` of many repositories, some of which fail or change meanwhile."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Layout, Registry, sync
from tests.copying.graphs import names
from tests.copying.test_prune import layout_of
from tests.registries import running

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("home")
JOB = """
[[sync]]
source = "{source}"
destination = "oci:{mirrors}/{name}"
"""


class Mirror:
    """Twenty jobs: eighteen repositories of a registry, one that does not exist, and a layout without tags."""

    def __init__(self, registry: str, folder: Path) -> None:
        self.registry, self.mirrors, self.file = registry, folder / "mirrors", folder / "mirror.toml"
        self.applications = [f"app-{number}" for number in range(18)]
        source = layout_of(folder / "app", "0.9.0", "1.0.0", "1.1.0", "2.0.0", "latest")
        for name in self.applications:
            sync(source, f"{registry}/acme/{name}")
        jobs = {name: f"{registry}/acme/{name}" for name in (*self.applications, "absent")}
        jobs["empty"] = layout_of(folder / "empty")
        sync(layout_of(folder / "older", "1.0.0"), f"oci:{self.mirrors}/empty")
        text = "[defaults]\nsemver = '^1'\nprune = true\n"
        text += "".join(JOB.format(source=jobs[name], mirrors=self.mirrors, name=name) for name in jobs)
        self.file.write_text(text)

    def tags(self, name: str) -> set[str]:
        return {*names(self.mirrors / name)}

    def change_source(self, name: str, *, remove: str = "", add: str = "", image: str = "latest") -> None:
        with Registry(f"http://{self.registry}") as opened:
            repository = opened.repository(f"acme/{name}")
            if remove:
                repository.untag(remove)
            if add:
                repository.tag(image, add)


@pytest.fixture
def mirror(dreg: Run, tmp_path: Path) -> Iterator[Mirror]:
    """All repositories as they are after the first night."""
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as registry:
        found = Mirror(registry.address, tmp_path)
        first = dreg("sync", "--file", found.file, "--yes")
        assert first.code == 1
        assert len(first.lines) == 2 * 18
        assert (
            f"dreg: oci:{tmp_path}/empty: no tag was removed, because the source has no tag that matches" in first.err
        )
        assert f"dreg: {registry.address}/acme/absent: " in first.err
        assert first.err.endswith("; 0 already there, 0 removed, 1 failed\n")
        yield found


def test_a_nightly_mirror_survives_failures_and_changes(dreg: Run, mirror: Mirror, tmp_path: Path) -> None:
    assert all(mirror.tags(name) == {"1.0.0", "1.1.0"} for name in mirror.applications)
    for name in ("app-3", "app-5"):
        mirror.change_source(name, remove="1.0.0")
    for name in ("app-4", "app-6"):
        mirror.change_source(name, add="1.2.0")
    planned = dreg("sync", "--file", mirror.file, "--plan", tmp_path / "plan.json")
    with Layout(mirror.mirrors / "app-3") as layout:
        layout.tag("1.1.0", "1.0.0")
    mirror.change_source("app-4", add="1.2.0", image="2.0.0")
    applied = dreg("sync", "--plan", tmp_path / "plan.json", "--format", "json")

    assert (planned.code, applied.code) == (1, 1)
    assert sorted(line.split()[0] for line in planned.lines) == ["copy", "copy", "remove", "remove"]
    assert failed_in(applied.out) == {
        "app-3": {"1.0.0": "ConflictError"},
        "app-4": {"1.2.0": "ConflictError"},
        "absent": {None: "DregError"},
    }
    found = {name: mirror.tags(name) for name in ("app-3", "app-5", "app-6", "empty")}
    assert found["app-3"] == {"1.0.0", "1.1.0"}
    assert found["app-5"] == {"1.1.0"}
    assert found["app-6"] == {"1.0.0", "1.1.0", "1.2.0"}
    assert found["empty"] == {"1.0.0"}


def test_the_next_night_does_what_a_change_has_prevented(dreg: Run, mirror: Mirror) -> None:
    mirror.change_source("app-3", remove="1.0.0")
    mirror.change_source("app-4", add="1.2.0")

    last = dreg("sync", "--file", mirror.file, "--yes")

    assert [line.partition("@")[0] for line in last.lines] == [f"oci:{mirror.mirrors}/app-4:1.2.0"]
    assert last.err.endswith("1 removed, 1 failed\n")
    assert mirror.tags("app-3") == {"1.1.0"}


def failed_in(printed: str) -> dict[str, dict[str | None, str]]:
    """Return the errors of each repository, by tag."""
    done = {each["source"].rpartition("/")[2]: each["failed"] for each in json.loads(printed)["repositories"]}
    return {name: {it["tag"]: it["error"] for it in failed} for name, failed in done.items() if failed}
