"""Documents that are none, as a registry serves them and as a layout holds them."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreg_client import Digest, Layout, errors
from tests.hostile.registry import CONFIG, LAYER, OCI_INDEX, OCI_MANIFEST
from tests.hostile.ways import Outcome, Way
from tests.http.documents import LAYER_TYPE, OCI_CONFIG, described

Json = dict[str, Any]
INVALID, AMBIGUOUS = errors.InvalidDocumentError, errors.AmbiguousDocumentError


def config(**members: object) -> Json:
    """A config's descriptor with other members; None leaves one out."""
    return {name: value for name, value in {**described(CONFIG, OCI_CONFIG), **members}.items() if value is not None}


def manifest(**members: object) -> Json:
    """A manifest with other members."""
    layers = [described(LAYER, LAYER_TYPE)]
    return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config(), "layers": layers, **members}


def index(*entries: Json, **members: object) -> Json:
    """An index of these entries."""
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries), **members}


def text(tree: object) -> bytes:
    """A document's bytes."""
    return json.dumps(tree).encode()


def beside(value: str) -> bytes:
    """A manifest with an unknown member, whose value is written like this."""
    return text(manifest())[:-1] + f',"x":{value}}}'.encode()


def with_data(data: str, **members: object) -> bytes:
    """A manifest whose config says that it is here already."""
    return text(manifest(config=config(data=data, **members)))


def _doubled(member: str) -> bytes:
    written = json.dumps({member: config()[member]})[1:-1]
    return text(manifest()).replace(written.encode(), f"{written}, {written}".encode(), 1)


ENTRY = described(b"{}", OCI_MANIFEST)
EMPTY = {"digest": str(Digest.of(b"{}")), "size": 2}
BAD: dict[str, dict[str, tuple[bytes, type[errors.DregError]]]] = {
    "mdl_01": {
        "manifest and index": (text(manifest(manifests=[])), AMBIGUOUS),
        "manifest and schema 1": (text(manifest(fsLayers=[])), AMBIGUOUS),
        "index and layers": (text(index(layers=[])), AMBIGUOUS),
        "index and config": (text(index(config=config())), AMBIGUOUS),
        "index and schema 1": (text(index(fsLayers=[])), AMBIGUOUS),
    },
    "mdl_04": {
        "at the top": (b'{"schemaVersion": 2, ' + text(manifest())[1:], AMBIGUOUS),
        "digest": (_doubled("digest"), AMBIGUOUS),
        "size": (_doubled("size"), AMBIGUOUS),
        "escaped": (beside('{"a": 1, "\\u0061": 1}'), AMBIGUOUS),
    },
    "mdl_08": {
        "missing": (text(manifest(config=config(size=None))), INVALID),
        "negative": (text(manifest(config=config(size=-1))), INVALID),
        "beyond": (text(manifest(config=config(size=1 << 63))), INVALID),
    },
    "mdl_09": {
        name: (text(manifest(config=config(digest=digest))), INVALID)
        for name, digest in {
            "dots": "sha256:../../../etc/passwd",
            "slash": "sha256:/etc/passwd",
            "NUL": f"sha256:{'a' * 63}\0",
            "space": f"sha256:{'a' * 63} ",
            "line feed": f"sha256:{'a' * 64}\n",
            "query": f"sha256:{'a' * 64}?x",
        }.items()
    },
    "mdl_10": {
        "no base64": (with_data("e30", **EMPTY), INVALID),
        "URL base64": (with_data("e3-_", **EMPTY), INVALID),
        "wrong length": (with_data(base64.b64encode(b"{} ").decode(), **EMPTY), INVALID),
        "wrong digest": (with_data(base64.b64encode(b"[]").decode(), **EMPTY), INVALID),
    },
    "mdl_11": {"lists": (b"[" * 200_000, INVALID), "objects": (b'{"a":' * 200_000, INVALID)},
    "mdl_12": {
        "NaN": (beside("NaN"), INVALID),
        "Infinity": (beside("-Infinity"), INVALID),
        "too large": (beside("1e999"), INVALID),
        "5,000 digits": (beside("9" * 5000), INVALID),
        "surrogate": (beside('"\\ud800"'), INVALID),
        "NUL": (beside('"\\u0000"'), INVALID),
        "behind it": (text(manifest()) + b"x", INVALID),
        "two": (text(manifest()) + text(manifest()), INVALID),
        "a mark": (b"\xef\xbb\xbf" + text(manifest()), INVALID),
        "no text": (b"\xff" + text(manifest()), INVALID),
        "nothing": (b"", INVALID),
    },
    "mdl_14": {"10,001 entries": (text(index(*([ENTRY] * 10_001))), INVALID)},
}
ROWS = {f"{case} {row}": there for case, rows in BAD.items() for row, there in rows.items()}
TYPED = {case: next(reversed(rows.values())) for case, rows in BAD.items()}


def type_of(raw: bytes) -> str:
    """What a document is served as."""
    return OCI_INDEX if OCI_INDEX.encode() in raw[:200] else OCI_MANIFEST


@dataclass
class Written:
    """A layout with one document, tagged `bad`, and the blobs that it is of."""

    path: Path

    def hold(self, raw: bytes, media_type: str, *blobs: bytes) -> "Written":
        """Write it."""
        (self.path / "blobs" / "sha256").mkdir(parents=True)
        for octets in (raw, CONFIG, LAYER, *blobs):
            (self.path / "blobs" / "sha256" / Digest.of(octets).encoded).write_bytes(octets)
        named = {"annotations": {"org.opencontainers.image.ref.name": "bad"}}
        (self.path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (self.path / "index.json").write_bytes(text(index({**described(raw, media_type), **named})))
        return self

    def ask(self, way: Way, action: Callable[[Any], Any], command: str) -> Outcome:
        """Read it by the library, or by the command line."""
        if way.name == "command line":
            return way.command(command, f"oci:{self.path}:bad")
        try:
            with Layout(self.path) as layout:
                return Outcome(action(layout))
        except errors.DregError as failure:
            return Outcome(error=failure, kind=type(failure), text=str(failure))
