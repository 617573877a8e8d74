"""What a strict parse costs, and what peers take for less."""

import json
from collections.abc import Iterator
from statistics import median

import fastjsonschema
import jsonschema
import orjson
from reference import PlainManifest
from tables import Rounds, in_turn, ratios, spread, table

from dreg_client import ImageConfig, OciIndex, OciManifest, validate
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST

_ROUNDS = 25


def tables() -> Iterator[str]:
    """All tables of this suite."""
    compact = orjson.dumps(manifest(4))
    yield _against_pydantic(compact, "4 layers, compact")
    yield _against_pydantic(orjson.dumps(manifest(4), option=orjson.OPT_INDENT_2), "4 layers, indented by two")
    yield _against_pydantic(orjson.dumps(manifest(50)), "50 layers, compact")
    yield _against_schemas(compact)
    yield _each_kind()


def descriptor(media_type: str, number: int) -> dict[str, object]:
    """A descriptor whose digest nobody else has."""
    return {"mediaType": media_type, "digest": Digest.of(str(number).encode()), "size": 32_654 + number}


def manifest(layers: int) -> dict[str, object]:
    """A manifest as builders write it."""
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG, 0),
        "layers": [descriptor(OCI_LAYER_GZIP, number) for number in range(1, layers + 1)],
    }


def index(entries: int) -> dict[str, object]:
    """An index with a platform an entry."""
    platforms = [{"architecture": name, "os": "linux"} for name in ("amd64", "arm64", "s390x", "ppc64le")]
    listed = [{**descriptor(OCI_MANIFEST, number), "platform": platforms[number % 4]} for number in range(entries)]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}


def config(steps: int) -> dict[str, object]:
    """An image config with a history."""
    entry = {"created": "2024-05-20T08:00:00.123456789Z", "created_by": "RUN /bin/sh -c make # buildkit"}
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [Digest.of(str(step).encode()) for step in range(steps)]},
        "history": [entry] * steps,
    }


def _against_pydantic(raw: bytes, what: str) -> str:
    """All that `parse` proves, against a plain model that reads the same fields."""
    contestants = {
        "plain": lambda: PlainManifest.model_validate_json(raw),
        "strict": lambda: OciManifest.parse(raw).digest,
        "validate": lambda: validate(raw),
    }
    rounds = in_turn(contestants, number=2000, rounds=_ROUNDS)
    rows = [
        ["`model_validate_json` of a plain model (tests/bench/reference.py)", _microseconds(rounds, "plain"), "1", ""],
        ["`OciManifest.parse(raw).digest`", _microseconds(rounds, "strict"), _ratio(rounds, "strict", "plain"), "1.8"],
        [
            "`validate(raw)`: a report with warnings",
            _microseconds(rounds, "validate"),
            _ratio(rounds, "validate", "plain"),
            "",
        ],
    ]
    return table(f"Parsing a manifest of {what} ({len(raw)} bytes)", ["what", "microseconds", "ratio", "at most"], rows)


def _against_schemas(raw: bytes) -> str:
    """The same document through validators of the generated JSON Schema; they prove neither text nor digest."""
    schema = OciManifest.model_json_schema()
    compiled = fastjsonschema.compile(schema)
    pure = jsonschema.Draft202012Validator(schema)
    contestants = {
        "strict": lambda: OciManifest.parse(raw).digest,
        "fastjsonschema": lambda: compiled(json.loads(raw)),
        "jsonschema": lambda: pure.validate(json.loads(raw)),
    }
    rounds = in_turn(contestants, number=200, rounds=_ROUNDS)
    rows = [["`OciManifest.parse(raw).digest`", _microseconds(rounds, "strict"), "1", ""]]
    for peer, least in (("fastjsonschema", "4"), ("jsonschema", "40")):
        rows.append(
            [f"{peer} on the generated schema", _microseconds(rounds, peer), _ratio(rounds, peer, "strict"), least]
        )
    return table("The same manifest through its JSON Schema", ["what", "microseconds", "ratio", "at least"], rows)


def _each_kind() -> str:
    documents = {
        "index of 10": (OciIndex, index(10)),
        "index of 200": (OciIndex, index(200)),
        "config of 60 steps": (ImageConfig, config(60)),
    }
    rows: list[list[str]] = []
    for name, (model, tree) in documents.items():
        raw = orjson.dumps(tree)
        rounds = in_turn({"parse": lambda m=model, r=raw: m.parse(r).digest}, number=100, rounds=_ROUNDS)
        rows.append(
            [name, str(len(raw)), _microseconds(rounds, "parse"), f"{median(rounds['parse']) / len(raw) * 1024e6:.1f}"]
        )
    return table("Other documents", ["what", "bytes", "microseconds", "microseconds a KiB"], rows)


def _microseconds(rounds: Rounds, name: str) -> str:
    return f"{median(rounds[name]) * 1e6:.1f}"


def _ratio(rounds: Rounds, name: str, against: str) -> str:
    return spread(ratios(rounds, name, against))
