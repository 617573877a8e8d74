"""Each policy of the page about clean-up policies, planned over a real repository: what the other tool would delete."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dreg_client import Layout, OciManifest, copy
from dreg_client.tagging.plan import DeleteManifest, TagPlan, Untag
from tests.docs.pages import ADDRESS, ROOT
from tests.docs.test_examples import shell_in
from tests.registries import RunningRegistry, running

PAGE = ROOT / "docs/guides/clean-up-policies.md"
_SECTION = re.compile(r"^## ([^\n]+)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_POLICY = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
POLICIES = {found[1]: _POLICY.findall(found[2]) for found in _SECTION.finditer(PAGE.read_text())}

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
AGES = {
    "latest": 1,
    "v1.0.0": 300,
    "v1.1.0": 200,
    "v1.2.0": 100,
    **{f"nightly-{age:02}": age for age in (1, 2, 3, 4, 6, 8, 15, 16)},
    "pr-1": 30,
    "pr-2": 20,
    "pr-3": 2,
    "main": 40,
}
"""The tags of the repository, and how many days ago their images were built."""
UNDATED = "pr-0"

REMOVED = {
    "GitLab": {"nightly-15", "nightly-16", "pr-1", "pr-2", "main"},
    "Harbor": {"nightly-08", "nightly-15", "nightly-16", "pr-1", "pr-2", "pr-3", "pr-0", "main"},
    "Amazon ECR": {"nightly-15", "nightly-16", "pr-1"},
    "gcr-cleaner": {"pr-1", "pr-2"},
    "regctl, regsync and regbot": {"v1.0.0"},
}
"""What the policy of each section removes."""
UNTAGGED_ONLY = {"GitLab"}
"""The sections whose policies delete no images."""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("registry")) as started:
        layout = tmp_path_factory.mktemp("layout") / "app"
        _build(layout)
        copy(f"oci:{layout}", f"{started.address}/acme/app", tags="all")
        yield started


def _build(path: Path) -> None:
    now = datetime.now(UTC)
    with Layout.create(path) as layout, layout.writing():
        for tag, age in AGES.items():
            _push(layout, tag, now - timedelta(days=age, minutes=1))
        _push(layout, UNDATED, datetime(1970, 1, 1, tzinfo=UTC))


def _push(layout: Layout, tag: str, created: datetime) -> None:
    config = {
        "created": created.isoformat(),
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": []},
        "config": {"Labels": {"tag": tag}},
    }
    stored = layout.push_blob(json.dumps(config).encode(), media_type=CONFIG)
    manifest = OciManifest.build(schema_version=2, media_type=MANIFEST, config=stored, layers=[])
    layout.put_manifest(manifest, tag)


@pytest.mark.parametrize("section", REMOVED)
def test_a_policy_of_the_page_removes_what_the_other_tool_would(
    section: str, registry: RunningRegistry, tmp_path: Path
) -> None:
    (text,) = POLICIES[section]
    (tmp_path / "tags.toml").write_text(text.replace(ADDRESS, registry.address))

    done = shell_in(tmp_path)("dreg plan tags.toml --plan plan.json")

    assert done.returncode == 0, done.stderr
    changes = TagPlan.from_json((tmp_path / "plan.json").read_bytes()).changes
    assert {tag for change in changes for tag in _removed(change)} == REMOVED[section]
    kinds = {type(change) for change in changes}
    assert kinds == {Untag if section in UNTAGGED_ONLY else DeleteManifest}


def _removed(change: object) -> tuple[str, ...]:
    match change:
        case DeleteManifest():
            return change.tags
        case Untag():
            return (change.tag,)
        case _:
            raise AssertionError(change)


def test_each_section_about_a_tool_has_one_policy() -> None:
    assert {section: len(found) for section, found in POLICIES.items() if found} == dict.fromkeys(REMOVED, 1)
