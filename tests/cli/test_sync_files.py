"""Sync files and plans as `dreg sync` reads them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.copying.test_prune import layout_of

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


@pytest.fixture
def older(dreg: Run, tmp_path: Path, there: Path) -> str:
    """A source without a tag that the destination has."""
    assert dreg("sync", layout_of(tmp_path / "before", "1", "2"), f"oci:{there}").code == 0
    return layout_of(tmp_path / "after", "2", "3")


def test_the_schema_of_the_file_accepts_what_dreg_accepts(dreg: Run) -> None:
    import tomllib

    import jsonschema

    schema = json.loads(dreg("schema", "show", "sync-file").out)
    valid = tomllib.loads("[[sync]]\nsource = 'a/b'\ndestination = 'c/d'\nallow-empty = true\ninclude = ['1.*']")
    jsonschema.validate(valid, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"sync": [{**valid["sync"][0], "prun": True}]}, schema)


def test_the_schema_of_plans_accepts_a_plan_that_was_saved(dreg: Run, older: str, there: Path, tmp_path: Path) -> None:
    import jsonschema

    dreg("sync", older, f"oci:{there}", "--prune", "--plan", tmp_path / "plan.json")
    saved = json.loads((tmp_path / "plan.json").read_text())
    schema = json.loads(dreg("schema", "show", "sync-plan").out)

    jsonschema.validate(saved, schema)
    for name, wrong in (("copies", {}), ("notPruned", None), ("tags", []), ("blobs", {"count": "1"})):
        changed = {**saved, "repositories": [{**saved["repositories"][0], name: wrong}]}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(changed, schema)
        (tmp_path / "changed.json").write_text(json.dumps(changed))
        refused = dreg("sync", "--plan", tmp_path / "changed.json")
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert "is not a valid plan: repositories.0." in refused.err
        assert "dreg schema show sync-plan" in refused.err


def test_a_nested_toml_file_is_not_valid(dreg: Run, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text("a=" + "[" * 3000 + "]" * 3000)
    done = dreg("sync", "--file", tmp_path / "t.toml")

    assert done.code == 2
    assert "is not valid TOML" in done.err


def test_a_plan_must_state_its_version(dreg: Run, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("{}")
    done = dreg("sync", "--plan", tmp_path / "p.json")

    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("p.json is not a valid plan: it does not state its version\n")


def test_two_entries_do_not_prune_the_tags_of_each_other(dreg: Run, tmp_path: Path) -> None:
    entry = '[[sync]]\nsource = "oci:{}"\ndestination = "oci:there"\nprune = true\n'
    (tmp_path / "t.toml").write_text(entry.format("one") + entry.format("two"))
    done = dreg("sync", "--file", tmp_path / "t.toml", "--yes", cwd=tmp_path)

    assert (done.code, done.out) == (2, "")
    assert "entry 1 also prunes oci:there with the same filters" in done.err

    other = entry.format("two") + 'include = ["2.*"]\n'
    (tmp_path / "t.toml").write_text(entry.format("one") + other)
    assert "also prunes" not in dreg("sync", "--file", tmp_path / "t.toml", "--yes", cwd=tmp_path).err


def test_a_name_that_is_not_utf_8_is_not_in_a_plan(dreg: Run, older: str, tmp_path: Path) -> None:
    for words in (["--plan", tmp_path / "plan.json"], ["--dry-run", "--format", "json"]):
        done = dreg("sync", older, f"oci:{tmp_path}/\udcff", *words)

        assert (done.code, done.out) == (2, "")
        assert "\\xff cannot be in a plan, because its name is not UTF-8" in done.err
