"""`dreg validate` on repositories and registries."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import __version__
from tests.registries import EMPTY_INDEX, LAYOUT, RunningRegistry

pytestmark = pytest.mark.usefixtures("home")
Run = Callable[..., Any]


def test_a_repository_and_a_registry_are_validated(said: Run, web: str, own_registry: RunningRegistry) -> None:
    assert said("validate", f"{web}:1.4").lines[-1] == "9 checked: 9 valid"
    own_registry.push(LAYOUT, "1.4", "acme/web:1.4")
    own_registry.push(LAYOUT, "single", "solo:1")
    broken = json.loads((LAYOUT / "index.json").read_text()) | {"manifests": [], "annotations": {"a": 7}}
    own_registry.put("acme/web", "broken", broken)
    told = said("validate", f"{own_registry.address}/", "--format", "json")

    assert told.code == 1
    [invalid] = [entry for entry in json.loads(told.out)["documents"] if not entry["ok"]]
    assert invalid["source"] == f"{own_registry.address}/acme/web:broken"
    assert said("validate", own_registry.address).code == 1
    assert said("validate", f"docker://{own_registry.address}/solo").code == 0
    assert said("validate", f"{own_registry.address}/none").code == 4


def test_a_repository_that_has_only_blobs_is_valid_where_the_catalog_lists_it(
    said: Run, own_registry: RunningRegistry
) -> None:
    own_registry.push(LAYOUT, "single", "solo:1")
    own_registry.put_blob("only/blobs")
    told = said("validate", f"{own_registry.address}/")

    assert (told.code, told.err) == (0, "")
    assert said("validate", f"{own_registry.address}/only/blobs").code == 4, "it was named, and has no tags"


def test_what_is_missing_is_told(said: Run, own_registry: RunningRegistry) -> None:
    own_registry.push(LAYOUT, "single", "acme/web:1")
    layer = json.loads(said("manifest", f"{own_registry.address}/acme/web:1").out)["layers"][0]["digest"]
    assert said("validate", f"{own_registry.address}/acme/web", "--complete").code == 0
    assert said("delete", f"{own_registry.address}/acme/web", "--blob", layer).out.strip() == layer

    assert said("validate", f"{own_registry.address}/acme/web").code == 0
    missing = said("validate", f"{own_registry.address}/acme/web", "--complete")
    assert missing.code == 1
    assert "LYT-04" in missing.out


def test_a_validation_goes_on_where_it_was_interrupted(
    said: Run, own_registry: RunningRegistry, tmp_path: Path
) -> None:
    journal = tmp_path / "progress"
    for number in range(5):
        own_registry.put("acme/web", f"t{number}", {**EMPTY_INDEX, "annotations": {"n": str(number)}})
    place = f"{own_registry.address}/acme/web"
    options = {"complete": False, "pedantic": False, "dreg": __version__}
    found = _found(f"{place}:t1", said("resolve", f"{place}:t1").out.strip())
    done = {"repository": place, "options": options, "findings": [found]}
    header = {"journal": "dreg validate --resume", "version": 1}
    journal.write_text(f'{json.dumps(header)}\n{json.dumps(done)}\n{{"tag": "cut sho')

    told = said("validate", place, "--resume", journal)
    assert told.code == 1, "what was found before the interruption counts"
    assert "GEN-99" in told.out
    assert told.lines[-1].startswith("5 checked")
    assert not journal.exists()


def _found(source: str, digest: str) -> dict[str, Any]:
    problem = {"rule": "GEN-99", "severity": "error", "path": "$", "found": "a", "expected": "b", "clause": "c"}
    return {"source": source, "kind": "oci-index", "digest": digest, "size": 7, "problems": [problem]}
