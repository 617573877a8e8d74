"""Served content: blobs written to the storage of docker-registry, and servers as processes."""

import gzip
import hashlib
import os
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

from tests.registries import RunningRegistry, make_certificate, running

MEBIBYTE = 1 << 20
_HERE = Path(__file__).parent


def place_blob(own: RunningRegistry, name: str, mebibytes: int) -> str:
    """Add a blob of that many MiB to a repository, without an upload."""
    return _place(own, name, repeat(os.urandom(MEBIBYTE), mebibytes))


def place_layer(own: RunningRegistry, name: str, mebibytes: int) -> tuple[str, int]:
    """Add a gzip-compressed layer, as other tools require; return its digest and size."""
    octets = gzip.compress(os.urandom(mebibytes * MEBIBYTE), 0)
    return _place(own, name, [octets]), len(octets)


def _place(own: RunningRegistry, name: str, chunks: Iterable[bytes]) -> str:
    storage = own.root / "storage/docker/registry/v2"
    found = hashlib.sha256()
    storage.mkdir(parents=True, exist_ok=True)
    new = storage / "new"
    with new.open("wb") as file:
        for chunk in chunks:
            found.update(chunk)
            file.write(chunk)
    encoded = found.hexdigest()
    blob = storage / f"blobs/sha256/{encoded[:2]}/{encoded}"
    link = storage / f"repositories/{name}/_layers/sha256/{encoded}"
    blob.mkdir(parents=True, exist_ok=True)
    link.mkdir(parents=True, exist_ok=True)
    new.rename(blob / "data")
    (link / "link").write_text(f"sha256:{encoded}")
    return f"sha256:{encoded}"


def blob_file(own: RunningRegistry, digest: str) -> Path:
    """Return the path of a blob."""
    encoded = digest.partition(":")[2]
    return own.root / f"storage/docker/registry/v2/blobs/sha256/{encoded[:2]}/{encoded}/data"


@contextmanager
def over_tls(own: RunningRegistry) -> Generator[RunningRegistry]:
    """The same storage behind TLS."""
    root = own.root / "tls"
    root.mkdir()
    (own.root / "storage").mkdir(exist_ok=True)
    (root / "storage").symlink_to(own.root / "storage")
    certificate, key = make_certificate(root, "localhost")
    with running(root, tls={"certificate": str(certificate), "key": str(key)}) as registry:
        registry.ca_file = certificate
        yield registry


@contextmanager
def server(script: str, *arguments: str) -> Generator[str]:
    """Start a server of this folder as a process; yield its address."""
    command = [sys.executable, str(_HERE / script), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"localhost:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()
