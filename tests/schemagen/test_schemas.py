"""A schema accepts each document that its model accepts, and refuses what JSON Schema has words for."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import Digest, parse_document, validate
from dreg_client.errors.problems import SITE
from dreg_client.schemagen import NAMES, Mode, rules, schema
from tests.changes import changed_tree

Accepts = Callable[[str, Any], bool]
FIXTURES = Path(__file__).parents[2] / "fixtures"
MANIFESTS = ("oci-manifest", "oci-index", "docker-manifest", "docker-manifest-list")


@dataclass(frozen=True)
class Case:
    """A document, and what it is read as."""

    name: str
    kind: str
    raw: bytes
    tree: Any


def read(raw: bytes) -> Any:
    """What a parser makes of the text; None where it makes nothing that is Unicode."""
    try:
        tree = json.loads(raw)
        json.dumps(tree, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return tree


def cases() -> list[Case]:
    """The vectors and the broken documents, as far as JSON parsers read them."""
    vectors = [json.loads(line) for line in (FIXTURES / "vectors/public.jsonl").read_text("utf-8").splitlines()]
    broken = [json.loads(line) for line in (FIXTURES / "broken/index.jsonl").read_text("utf-8").splitlines()]
    texts = [(row["id"], row["kind"], row["body"].encode("utf-8", "surrogatepass")) for row in vectors]
    texts += [(row["file"], row["kind"], (FIXTURES / "broken" / row["file"]).read_bytes()) for row in broken]
    return [Case(*text, tree) for text in texts if text[1] in NAMES and (tree := read(text[2])) is not None]


CASES = cases()
BEYOND = {entry.id for entry in rules().values() if entry.beyond_schema}
QUICK = {name: jsonschema_rs.Draft202012Validator(schema(name)) for name in NAMES}
WRITTEN = {name: jsonschema_rs.Draft202012Validator(schema(name, mode="serialization")) for name in NAMES}


def errors(raw: bytes, kind: str | None) -> set[str]:
    return {problem.rule for problem in validate(raw, kind=kind).errors}


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_of_draft_2020_12_that_needs_nothing_else(name: str, mode: Mode) -> None:
    found = schema(name, mode=mode)
    jsonschema.Draft202012Validator.check_schema(found)
    jsonschema_rs.meta.validate(found)

    folder = "schemas/" if mode == "validation" else "schemas/serialization/"
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["$id"] == f"{SITE}{folder}{name}.json"
    assert found["title"]
    assert found["description"]
    assert set(referred(found)) <= {f"#/$defs/{each}" for each in found.get("$defs", ())}


def referred(part: object) -> list[str]:
    """All references in a schema."""
    if isinstance(part, list):
        return [found for each in part for found in referred(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for each in part.values() for found in referred(each)]


@pytest.mark.parametrize("name", NAMES)
def test_its_examples_are_accepted_by_it_and_by_the_model(name: str, accepts: Accepts) -> None:
    examples = schema(name)["examples"]

    assert examples
    for example in examples:
        assert accepts(name, example)
        assert validate(json.dumps(example), kind=None if name == "manifest" else name, pedantic=True).problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_each_member_says_what_it_is_and_which_rule_it_has(name: str) -> None:
    found = schema(name)
    for own in (found, *found.get("$defs", {}).values()):
        for member, part in own.get("properties", {}).items():
            assert part["description"], member
            assert part["$comment"].partition(":")[0] in rules(), member


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_schema_refuses_what_it_has_words_for_and_nothing_that_is_valid(case: Case, accepts: Accepts) -> None:
    broken = errors(case.raw, case.kind)

    assert accepts(case.kind, case.tree) or broken
    if broken - BEYOND:
        assert not accepts(case.kind, case.tree)


@pytest.mark.parametrize("case", [case for case in CASES if case.kind in MANIFESTS], ids=lambda case: case.name)
def test_the_schema_of_any_manifest_accepts_what_parse_manifest_does(case: Case, accepts: Accepts) -> None:
    broken = errors(case.raw, None)

    assert accepts("manifest", case.tree) or broken
    if broken - BEYOND or broken == {"GEN-12"}:
        assert not accepts("manifest", case.tree)


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_schema_of_any_manifest_tells_what_is_wrong_with_the_kind_that_is_meant(name: str) -> None:
    document = json.loads(json.dumps(schema(name)["examples"][0]))
    (document.get("layers") or document["manifests"])[0]["size"] = "7143"
    (found,) = jsonschema.Draft202012Validator(schema("manifest")).iter_errors(document)

    assert list(found.absolute_path)[1:] == [0, "size"]
    assert found.message == "'7143' is not of type 'integer'"


@settings(max_examples=3000)
@given(case=st.sampled_from(CASES), random=st.randoms(use_true_random=False))
def test_a_changed_document_is_judged_alike(case: Case, random: Random) -> None:
    try:
        raw = changed_tree(json.loads(case.raw), random)
    except (TypeError, AttributeError):
        return
    tree = read(raw)
    if not isinstance(tree, dict):
        return
    broken = errors(raw, case.kind)
    accepted = QUICK[case.kind].is_valid(tree)

    assert accepted or broken
    assert not (accepted and broken - BEYOND)


VALID = [case for case in CASES if case.kind != "legacy-manifest" and not errors(case.raw, case.kind)]


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_what_is_written_of_a_document_follows_the_schema_of_what_is_written(case: Case) -> None:
    document: Any = parse_document(case.raw, kind=case.kind)  # type: ignore[call-overload]

    WRITTEN[case.kind].validate(document.model_dump(mode="json"))
    if case.kind in MANIFESTS:
        WRITTEN["manifest"].validate(document.model_dump(mode="json"))


def test_where_null_is_read_as_a_list_it_is_not_written() -> None:
    document = {**schema("oci-index")["examples"][0], "manifests": None}

    assert QUICK["oci-index"].is_valid(document)
    assert not WRITTEN["oci-index"].is_valid(document)


# --- the list of rules that no schema says


@pytest.mark.parametrize("rule", sorted(BEYOND - {"GEN-05", "GEN-11", "GEN-12", "GEN-13"}))
def test_a_rule_that_is_told_to_be_beyond_schemas_is(rule: str, accepts: Accepts) -> None:
    """There is a document that breaks this rule alone, and that its schema accepts."""
    integers = {name: {**schema(name)["examples"][0], "schemaVersion": 2.0} for name in MANIFESTS}
    more = [Case(name, name, json.dumps(tree).encode(), tree) for name, tree in integers.items()]
    served = [
        Case("GEN-07", "oci-manifest", *([json.dumps(tree).encode(), tree]))
        for tree in schema("oci-manifest")["examples"]
    ]
    found = [
        case for case in (*CASES, *more) if errors(case.raw, case.kind) == {rule} and accepts(case.kind, case.tree)
    ]
    if rule == "GEN-07":
        found = [
            case for case in served if not validate(case.raw, media_type="application/vnd.oci.image.index.v1+json").ok
        ]

    assert found


def test_bounds_and_proofs_of_bytes_are_beyond_schemas(accepts: Accepts) -> None:
    tree = schema("oci-index")["examples"][0]
    long = {**tree, "annotations": {"com.example.long": "é" * 600_000}}

    assert accepts("oci-index", tree)
    assert not validate(json.dumps(tree), limit=100).ok
    assert not validate(json.dumps(tree), expect=Digest.of(b"other bytes")).ok
    assert accepts("oci-index", long)
    assert [problem.rule for problem in validate(json.dumps(long, ensure_ascii=False)).errors] == ["GEN-13"]
    assert accepts("legacy-manifest", {"mediaType": "application/vnd.oci.artifact.manifest.v1+json"})
