"""The storage of a registry with planted faults, and what a check of it finds."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreg_client import Digest
from dreg_client.errors import LayoutError
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import reports_in
from dreg_client.partitions.partition import PartitionRules
from dreg_client.partitions.row import RowReport
from dreg_client.validation.dumps import LineRules

OLD = time.time() - 7 * 86400
"""A week ago."""
GONE = Digest.of(b"a blob that no storage has")


@dataclass(frozen=True, order=True)
class Found:
    """A problem: its rule and severity, the source relative to the tree or the storage, and the bytes."""

    rule: str
    severity: str
    source: str
    size: int = 0


@dataclass(frozen=True)
class Tree:
    """The storage at a path."""

    path: Path

    @property
    def v2(self) -> Path:
        return self.path / "docker/registry/v2"

    @property
    def name(self) -> str:
        return f"registry-storage:{self.path}"

    def age(self) -> "Tree":
        """Make all blobs a week old, as if nothing had been pushed since."""
        for data in self.v2.glob("blobs/*/*/*/data"):
            age(data)
        return self

    def repository(self, name: str) -> Path:
        return self.v2 / "repositories" / name

    def data(self, digest: Digest | str) -> Path:
        digest = Digest(digest)
        return self.v2 / "blobs" / digest.algorithm / digest.encoded[:2] / digest.encoded / "data"

    def put_blob(self, octets: bytes, digest: Digest | None = None) -> Digest:
        """Store a blob under its digest, or another one; it is a week old."""
        digest = digest or Digest.of(octets)
        write(self.data(digest), octets)
        age(self.data(digest))
        return digest

    def link(self, repository: str, links: str, digest: Digest | str, content: str | None = None) -> Path:
        """Write a link, as distribution does: without a line feed."""
        digest = Digest(digest)
        place = self.repository(repository) / links / digest.algorithm / digest.encoded / "link"
        return write(place, (digest if content is None else content).encode())

    def tag(self, repository: str, tag: str, digest: Digest | str) -> Path:
        """Write the links of a tag; return the current one."""
        self.link(repository, f"_manifests/tags/{tag}/index", digest)
        return write(self.repository(repository) / f"_manifests/tags/{tag}/current/link", digest.encode())

    def put_image(self, repository: str, tag: str, *layers: bytes, **members: Any) -> Digest:
        """Store an image with a config and layers."""
        digests = [Digest.of(layer) for layer in layers]
        diff_ids = {"type": "layers", "diff_ids": digests}
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": diff_ids}).encode()
        kinds = [(config, "config"), *((layer, "layer") for layer in layers)]
        stated = [
            {
                "mediaType": f"application/vnd.oci.image.{'config.v1+json' if kind == 'config' else 'layer.v1.tar'}",
                "digest": self.put_blob(octets),
                "size": len(octets),
            }
            for octets, kind in kinds
        ]
        for each in stated:
            self.link(repository, "_layers", str(each["digest"]))
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": stated[0],
            "layers": stated[1:],
            **members,
        }
        digest = self.put_blob(json.dumps(manifest).encode())
        self.link(repository, "_manifests/revisions", digest)
        self.tag(repository, tag, digest)
        return digest

    def put_document(self, repository: str, **members: Any) -> dict[str, Any]:
        """Store an index or a manifest, and link it; return its descriptor."""
        raw = json.dumps({"schemaVersion": 2, **members}).encode()
        digest = self.put_blob(raw)
        self.link(repository, "_manifests/revisions", digest)
        return {"mediaType": members["mediaType"], "digest": digest, "size": len(raw)}

    def put_upload(self, repository: str, octets: bytes, started: str) -> Path:
        """Leave an upload behind."""
        place = self.repository(repository) / "_uploads/0c6f1bd3-3ef1-4a31-b6b1-c8b3a5f5f6d0"
        write(place / "startedat", started.encode())
        write(place / "data", octets)
        (place / "hashstates/sha256").mkdir(parents=True)
        write(place / "hashstates/sha256/0", b"state")
        return place

    def problems(
        self,
        repository: str = "",
        *,
        complete: bool = False,
        blobs: bool = False,
        pedantic: bool = False,
        failures: list[str] | None = None,
    ) -> list[Found]:
        """Check the storage in partitions; return all problems. `failures` gets the errors of partitions."""
        rules = PartitionRules(LineRules(pedantic=pedantic), complete=complete, blobs=blobs)
        found = list[Found]()
        for row in self._rows(repository, rules, failures):
            place = row.source.removeprefix(f"{self.v2}/").removeprefix(f"{self.name}/")
            found += (Found(it.rule, str(it.severity), place, row.report.size) for it in row.report.problems)
        return sorted(found)

    def texts(self, rule: str, *, pedantic: bool = False) -> list[str]:
        """Check the storage in partitions, ignoring their errors; return what was found against a rule."""
        rows = self._rows("", PartitionRules(LineRules(pedantic=pedantic)), [])
        return [problem.found for row in rows for problem in row.report.problems if problem.rule == rule]

    def _rows(self, repository: str, rules: PartitionRules, failures: list[str] | None) -> Iterator[RowReport]:
        for partition in find_partitions([f"{self.name}{repository and f'/{repository}'}"], rules):
            try:
                yield from reports_in(partition, rules)
            except LayoutError as failure:
                if failures is None:
                    raise
                failures.append(str(failure))


def write(path: Path, octets: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    return path


def age(path: Path) -> None:
    os.utime(path, (OLD, OLD))


def copied(storage: Path, to: Path) -> Tree:
    """Copy a storage."""
    shutil.copytree(storage, to)
    return Tree(to)
