"""A storage that is written file by file, as the code of distribution 3.1 writes it on a disk."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dreg_client import Digest
from tests.storage.planted import Tree, write

UUID = "5f1bd3d0-3ef1-4a31-b6b1-c8b3a5f5f6d0"
OCI = "application/vnd.oci.image"
Steps = Iterator[str]
"""What was done, after each change of a file. A server may be killed there."""


class Distribution(Tree):
    """The storage of distribution 3.1 (registry/storage and its driver `filesystem`)."""

    def put_content(self, path: Path, octets: bytes) -> Steps:
        """Write a file under a temporary name, and rename it (`driver.PutContent`)."""
        temporary = write(path.with_name(f"{path.name}.{UUID}.tmp"), octets)
        yield f"wrote {temporary.name}"
        temporary.rename(path)
        yield f"renamed it to {path.name}"

    def linked(self, repository: str, links: str, digest: Digest, target: Digest) -> Steps:
        place = self.repository(repository) / links / digest.algorithm / digest.encoded / "link"
        yield from self.put_content(place, target.encode())

    def uploaded(self, repository: str, octets: bytes, algorithm: str = "sha256") -> Steps:
        """Upload a blob in one part; its link has the digest of the client (`blobWriter.Commit`)."""
        upload = self.repository(repository) / "_uploads" / UUID
        yield from self.put_content(upload / "startedat", b"2026-01-02T03:04:05Z")
        yield from self.put_content(upload / "hashstates/sha256/0", b"state")
        write(upload / "data", octets)
        yield "wrote data"
        yield from self.put_content(upload / "hashstates/sha256" / str(len(octets)), b"state")
        digest, given = Digest.of(octets), Digest.of(octets, algorithm)
        if not self.data(digest).exists():
            self.data(digest).parent.mkdir(parents=True)
            yield "made the directory of the blob"
            (upload / "data").rename(self.data(digest))
            yield "moved data"
        for each in dict.fromkeys((digest, given)):
            yield from self.linked(repository, "_layers", each, digest)
        shutil.rmtree(upload)
        yield "removed the upload"

    def pushed(self, repository: str, document: dict[str, Any], tag: str = "") -> Steps:
        """Store a manifest: its blob, its link, and its tag (`manifestStore.Put`, `tagStore.Tag`)."""
        raw = json.dumps(document).encode()
        digest = Digest.of(raw)
        yield from self.put_content(self.data(digest), raw)
        yield from self.linked(repository, "_manifests/revisions", digest, digest)
        if tag:
            yield from self.linked(repository, f"_manifests/tags/{tag}/index", digest, digest)
            yield from self.put_content(
                self.repository(repository) / f"_manifests/tags/{tag}/current/link", digest.encode()
            )

    def image_pushed(self, repository: str, tag: str, layer: bytes, algorithm: str = "sha256") -> Steps:
        """Push an image of one layer."""
        layers = [Digest.of(layer)]
        config = json.dumps(
            {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": layers}}
        ).encode()
        yield from self.uploaded(repository, layer, algorithm)
        yield from self.uploaded(repository, config)
        document = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": described("config.v1+json", config),
            "layers": [described("layer.v1.tar", layer, algorithm)],
        }
        yield from self.pushed(repository, document, tag)

    def deleted(self, repository: str, tag: str) -> Steps:
        """Delete a manifest, and then its tag (`DeleteManifest`). The directory of the link stays."""
        tags = self.repository(repository) / "_manifests/tags"
        digest = Digest((tags / tag / "current/link").read_text())
        (self.repository(repository) / f"_manifests/revisions/sha256/{digest.encoded}/link").unlink()
        yield "removed the link of the manifest"
        shutil.rmtree(tags / tag)
        yield "removed the tag"

    def collected(self, digests: set[Digest]) -> Steps:
        """Delete blobs, and then the links to them (`MarkAndSweep`)."""
        for digest in digests:
            shutil.rmtree(self.data(digest).parent)
            yield "removed a blob"
        for digest in digests:
            for link in self.v2.glob(f"repositories/**/_layers/sha256/{digest.encoded}/link"):
                link.unlink()
                yield "removed the link of a layer"

    def stored(self) -> set[Digest]:
        """Return the digests of all blobs."""
        return {Digest(f"sha256:{data.parent.name}") for data in self.v2.glob("blobs/sha256/*/*/data")}


def described(kind: str, octets: bytes, algorithm: str = "sha256") -> dict[str, Any]:
    return {"mediaType": f"{OCI}.{kind}", "digest": Digest.of(octets, algorithm), "size": len(octets)}
