"""Strict parsing, compared with a plain model and with validators of the generated JSON Schema."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from statistics import median

import documents
import fastjsonschema
import jsonschema
import orjson
from pydantic import BaseModel
from reference import PlainConfig, PlainIndex, PlainManifest
from tables import Rounds, in_turn, ratios, spread, table, verdict

from dreg_client import ImageConfig, OciIndex, OciManifest, validate

_ROUNDS = 40
_TURN = 0.01


@dataclass(frozen=True)
class _Document:
    """A document, its strict model and a plain one; targets apply to 4 layers."""

    name: str
    raw: bytes
    strict: type[OciManifest | OciIndex | ImageConfig]
    plain: type[BaseModel]
    has_targets: bool = False


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    raced = [(document, in_turn(_contestants(document), rounds=_ROUNDS, turn=_TURN)) for document in _documents()]
    yield _against_plain(raced)
    yield _against_schemas(raced)
    yield _alone(orjson.dumps(documents.manifest(4)))


def _documents() -> Iterator[_Document]:
    four = documents.manifest(4)
    indented = orjson.dumps(four, option=orjson.OPT_INDENT_2)
    yield _Document("manifest, 4 layers", orjson.dumps(four), OciManifest, PlainManifest, has_targets=True)
    yield _Document("the same, indented by 2", indented, OciManifest, PlainManifest, has_targets=True)
    yield _Document("manifest, 50 layers", orjson.dumps(documents.manifest(50)), OciManifest, PlainManifest)
    yield _Document("index of 10", orjson.dumps(documents.index(10)), OciIndex, PlainIndex)
    yield _Document("index of 200", orjson.dumps(documents.index(200)), OciIndex, PlainIndex)
    yield _Document("config, 60 steps", orjson.dumps(documents.config(60)), ImageConfig, PlainConfig)


def _contestants(document: _Document) -> Mapping[str, Callable[[], object]]:
    """Compare validators, each starting from bytes. Those of schemas verify neither the text nor a digest."""
    raw, strict, plain = document.raw, document.strict, document.plain
    schema = strict.model_json_schema()
    compiled = fastjsonschema.compile(schema)
    pure = jsonschema.Draft202012Validator(schema)
    return {
        "plain": lambda: plain.model_validate_json(raw),
        "strict": lambda: strict.parse(raw).digest,
        "fastjsonschema": lambda: compiled(json.loads(raw)),
        "jsonschema": lambda: pure.validate(json.loads(raw)),
    }


def _against_plain(raced: list[tuple[_Document, Rounds]]) -> str:
    rows: list[list[str]] = []
    for document, rounds in raced:
        found = ratios(rounds, "strict", "plain")
        target = verdict(median(found), most=1.8 if document.has_targets else None)
        times = [_microseconds(rounds, name) for name in ("plain", "strict")]
        rows.append([document.name, f"{len(document.raw):,}", *times, spread(found), target])
    head = ["document", "bytes", "`Plain.model_validate_json(raw)`", "`Model.parse(raw).digest`", "ratio", "target"]
    return table("Parsing strictly, compared with a plain pydantic model (microseconds)", head, rows)


def _against_schemas(raced: list[tuple[_Document, Rounds]]) -> str:
    rows: list[list[str]] = []
    for document, rounds in raced:
        row = [document.name, _microseconds(rounds, "strict")]
        for peer, least in (("fastjsonschema", 4), ("jsonschema", 40)):
            found = ratios(rounds, peer, "strict")
            target = verdict(median(found), least=least if document.has_targets else None)
            row += [_microseconds(rounds, peer), spread(found), target]
        rows.append(row)
    head = ["document", "strict", "fastjsonschema", "ratio", "target", "jsonschema", "ratio", "target"]
    return table("`json.loads` and the generated JSON Schema, compared with strict parsing (microseconds)", head, rows)


def _alone(raw: bytes) -> str:
    """Compare the parts of parsing, and alternatives for the same bytes."""
    tree = orjson.loads(raw)
    schema = OciManifest.model_json_schema()
    compiled = fastjsonschema.compile(schema, use_default=False)
    contestants: dict[str, Callable[[], object]] = {
        "`OciManifest.parse(raw).digest`": lambda: OciManifest.parse(raw).digest,
        "`OciManifest.parse(raw)`": lambda: OciManifest.parse(raw),
        "`validate(raw)`, a report with warnings": lambda: validate(raw),
        "only `orjson.loads`": lambda: orjson.loads(raw),
        "only the model, from a parsed tree": lambda: OciManifest.__pydantic_validator__.validate_python(tree),
        "only sha256": lambda: sha256(raw).hexdigest(),
        "only `json.loads`": lambda: json.loads(raw),
        "`json.loads`, fastjsonschema without `use_default`": lambda: compiled(json.loads(raw)),
    }
    rounds = in_turn(contestants, rounds=_ROUNDS, turn=_TURN)
    against = next(iter(contestants))
    rows = [[name, _microseconds(rounds, name), spread(ratios(rounds, name, against))] for name in contestants]
    return table("Parts of parsing, and alternatives: a manifest of 4 layers", ["what", "microseconds", "ratio"], rows)


def _microseconds(rounds: Rounds, name: str) -> str:
    return f"{median(rounds[name]) * 1e6:,.1f}"
