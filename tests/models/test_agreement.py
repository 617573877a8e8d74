"""Parsing raises exactly when validation finds an error, and the JSON Schema accepts whatever is read."""

import json
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import DregError, parse_document, validate
from dreg_client.models.parse import KINDS

_VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors" / "public.jsonl"
CASES = [json.loads(line) for line in _VECTORS.read_text().splitlines()]
SCHEMAS = {kind: jsonschema.Draft202012Validator(model.model_json_schema()) for kind, model in KINDS.items()}

_VALUES = """
    [null, true, 0, -1, 1, 2, 2.0, 1e3, 9223372036854775808, "", "a", "a/b", "A:b", [], {}, [null], [1],
     {"": ""}, "\\u0000"]
"""
_NAMES = """
    mediaType Layers layers manifests config fsLayers signatures schemaVersion digest \u017fize size data urls
    annotations platform os os.version rootfs history created Env x artifactType subject Labels ExposedPorts
    Healthcheck type diff_ids
""".split()
_TEXTS = [b'"', b"{", b"[", b",", b"\\", b"\\u0000", b"1e400", b"NaN", b" ", b"\xff", b"\xef\xbb\xbf", b"\\ud800"]


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 (any JSON)
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for name, value in inner for found in ((*path, name), *_places(value, (*path, name)))]


def changed_tree(tree: Any, random: Random) -> bytes:  # noqa: ANN401 (any JSON)
    """The document with one member changed, taken away or added."""
    *above, name = random.choice(_places(tree) or [("x",)])
    node = tree
    for step in above:
        node = node[step]
    value = random.choice(json.loads(_VALUES))
    match random.randrange(3):
        case 0:
            node[name] = value
        case 1:
            node.pop(name, None) if isinstance(node, dict) else node.pop(name)
        case _ if isinstance(node, dict):
            node[random.choice(_NAMES)] = value
        case _:
            node.append(value)
    return json.dumps(tree, indent=random.choice([None, 1])).encode()


def changed_text(raw: bytes, random: Random) -> bytes:
    """The text with something put in, or taken out."""
    place = random.randrange(len(raw) + 1)
    return raw[:place] + random.choice([b"", *_TEXTS]) + raw[place + random.choice([0, 0, 1, 5]) :]


def agree(raw: bytes, kind: str | None, media_type: str | None) -> None:
    report = validate(raw, kind=kind, media_type=media_type, pedantic=True)
    try:
        parse_document(raw, media_type, kind=kind)  # type: ignore[call-overload]
    except DregError:
        assert not report.ok
    else:
        assert report.ok
        assert report.kind is not None
        SCHEMAS[report.kind].validate(json.loads(raw))
    assert len({(problem.rule, problem.path) for problem in report.problems}) == len(report.problems)


@settings(max_examples=1500)
@given(
    case=st.sampled_from(CASES),
    served=st.sampled_from(CASES),
    named=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_a_changed_document_is_judged_alike(
    case: dict[str, Any], served: dict[str, Any], named: bool, random: Random
) -> None:
    kind = case["kind"] if named else None
    raw = case["body"].encode("utf-8", "surrogatepass")
    try:
        raw = changed_tree(json.loads(raw), random)
    except (ValueError, TypeError, AttributeError):  # no text of an object
        raw = changed_text(raw, random)

    agree(raw, kind, None)
    agree(raw, kind, served["media_type"] or None)


@settings(max_examples=1500)
@given(case=st.sampled_from(CASES), random=st.randoms(use_true_random=False))
def test_a_changed_text_is_judged_alike(case: dict[str, Any], random: Random) -> None:
    agree(changed_text(case["body"].encode("utf-8", "surrogatepass"), random), case["kind"], None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_no_schema_refuses_a_valid_vector(case: dict[str, Any]) -> None:
    if case["valid"]:
        SCHEMAS[case["kind"]].validate(json.loads(case["body"]))
