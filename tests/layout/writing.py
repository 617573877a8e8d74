"""Layouts that tests write, by threads and by tasks."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from typing import Any

from dreg_client import AsyncLayout, Layout

OCI = "application/vnd.oci.image."
WAYS = ("threads", "tasks")
Json = dict[str, Any]


def sha256(octets: bytes) -> str:
    return "sha256:" + hashlib.sha256(octets).hexdigest()


@dataclass
class Writer:
    """A way to write a layout: each method of it may be called as if it were sync.

    Attributes:
        way: `threads` or `tasks`.
        path: The layout, which is created.
    """

    way: str
    path: Path

    def __post_init__(self) -> None:
        Layout.create(self.path)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments, **options: self.run(lambda layout: getattr(layout, name)(*arguments, **options))

    def run(self, action: Callable[[Any], Any]) -> Any:
        """Do something with the layout; in async code, what it returns may have to be awaited."""
        if self.way == "threads":
            with Layout(self.path) as layout:
                return action(layout)

        async def run() -> Any:
            async with AsyncLayout(self.path) as layout:
                result = action(layout)
                return await result if isawaitable(result) else result

        return asyncio.run(run())

    def file(self, digest: str) -> Path:
        return self.path / "blobs" / digest.replace(":", "/")

    def image(self, tag: str | None = None, layers: tuple[bytes, ...] = (b"layer",), **members: object) -> str:
        """Write an image; return the digest of its manifest."""
        diff_ids = [sha256(layer) for layer in layers]
        config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        named = self.blob(json.dumps(config).encode(), "config.v1+json")
        named_layers = [self.blob(layer, "layer.v1.tar") for layer in layers]
        manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": named, "layers": named_layers}
        return self.document({**manifest, **members}, tag)

    def index(self, *digests: str, tag: str | None = None, **members: object) -> str:
        entries = [self.described(digest) for digest in digests]
        index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": entries}
        return self.document({**index, **members}, tag)

    def described(self, digest: str) -> Json:
        raw = self.file(digest).read_bytes()
        return {"mediaType": json.loads(raw)["mediaType"], "digest": digest, "size": len(raw)}

    def blob(self, octets: bytes, kind: str) -> Json:
        pushed = self.push_blob(octets)
        return {"mediaType": OCI + kind, "digest": str(pushed.digest), "size": pushed.size}

    def document(self, value: Json, tag: str | None = None) -> str:
        return str(self.put_manifest(json.dumps(value).encode(), tag).digest)

    def entries(self) -> list[tuple[str, str | None]]:
        """The digests in `index.json`, each with its name."""
        index = json.loads((self.path / "index.json").read_bytes())
        name = "org.opencontainers.image.ref.name"
        return [(it["digest"], it.get("annotations", {}).get(name)) for it in index["manifests"]]

    def files(self) -> set[str]:
        """The names of the files in `blobs`."""
        return {path.name for path in (self.path / "blobs").rglob("*") if path.is_file()}
