"""Debian's docker-registry, started as people run it: open, with passwords, and with a token server behind TLS."""

import atexit
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.commands import run_limited

ROOT = Path(__file__).parent.parent
LAYOUT = ROOT / "fixtures/layouts/multi"
USER, PASSWORD = "ada", "correct-horse"
# What `htpasswd -nbB ada correct-horse` prints; bcrypt is all that the registry takes.
HTPASSWD = "ada:$2y$05$KtGD0rN3EcCAanOUE/s37ujnkULXgli.kP3/b08ITPy1aBN4cGWlO\n"


@dataclass
class RunningRegistry:
    """A registry that is running.

    Attributes:
        address: `localhost:PORT`, or `127.0.0.1:PORT`.
        root: Its folder.
        ca_file: Who signed its certificate, where it has one.
    """

    address: str
    root: Path
    ca_file: Path | None = None
    credentials: tuple[str, str] | None = None
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{'https' if self.ca_file else 'http'}://{self.address}"

    def seed(self) -> None:
        """Hold the images of the examples, and no others."""
        storage = self.root / "storage"
        shutil.rmtree(storage, ignore_errors=True)
        shutil.copytree(_seeded(), storage)

    def push(self, layout: Path, tag: str, name: str) -> None:
        """Copy an image there, with all its platforms, as skopeo does it."""
        command = ["skopeo", "copy", "--quiet", "--all", "--dest-tls-verify=false", "--preserve-digests"]
        if self.credentials:
            command += ["--dest-creds", ":".join(self.credentials)]
        command += [f"oci:{layout}:{tag}", f"docker://{self.address}/{name}"]
        done = run_limited(command, capture_output=True, text=True, check=False, env=_home(self.root))
        assert done.returncode == 0, done.stderr

    def push_all(self, layout: Path, name: str) -> None:
        """Copy all of a layout, as no tool does that walks images: indexes of indexes, too."""
        for blob in (layout / "blobs/sha256").iterdir():
            self.put_blob(name, blob.read_bytes())
        for entry in json.loads((layout / "index.json").read_text())["manifests"]:
            tag = entry["annotations"]["org.opencontainers.image.ref.name"]
            self._put_below(layout, name, tag, entry["digest"])

    def _put_below(self, layout: Path, name: str, reference: str, digest: str) -> None:
        raw = (layout / "blobs" / digest.replace(":", "/")).read_bytes()
        document = json.loads(raw)
        for child in document.get("manifests", ()):
            self._put_below(layout, name, child["digest"], child["digest"])
        self.put_raw(name, reference, raw, document["mediaType"])

    def put(self, name: str, tag: str, document: dict[str, Any]) -> None:
        """Write a manifest, by a client that is not ours."""
        self.put_raw(name, tag, json.dumps(document).encode(), document["mediaType"])

    def put_raw(self, name: str, reference: str, raw: bytes, media_type: str) -> None:
        """Write the bytes of a manifest."""
        url = f"{self.url}/v2/{name}/manifests/{reference}"
        request = urllib.request.Request(url, raw, {"Content-Type": media_type}, method="PUT")  # noqa: S310 (our own)
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 (as above)

    def put_blob(self, name: str, octets: bytes = b"{}") -> None:
        """Write a small blob; a repository is in this registry's catalog once it has one."""
        place = self.start_upload(name)
        digest = hashlib.sha256(octets).hexdigest()
        url = f"{place}{'&' if '?' in place else '?'}digest=sha256:{digest}"
        end = urllib.request.Request(url, octets, {"Content-Type": "application/octet-stream"}, method="PUT")  # noqa: S310
        urllib.request.urlopen(end, timeout=30).close()  # noqa: S310 (as above)

    def start_upload(self, name: str) -> str:
        """Start an upload; return its URL."""
        start = urllib.request.Request(f"{self.url}/v2/{name}/blobs/uploads/", b"", method="POST")  # noqa: S310
        with urllib.request.urlopen(start, timeout=30) as answer:  # noqa: S310 (our own)
            return str(answer.headers["Location"])

    def delete(self, name: str, digest: str) -> None:
        """Delete a manifest."""
        request = urllib.request.Request(f"{self.url}/v2/{name}/manifests/{digest}", method="DELETE")  # noqa: S310
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 (as above)


@cache
def _seeded() -> Path:
    """The storage of a registry with the images of the examples: pushing them again takes longer than most tests."""
    root = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, root)
    with running(root) as registry:
        for name, tag in (("acme/web", "1.4"), ("testns/testrepo", "1.4"), ("testns/testrepo", "single")):
            registry.push(LAYOUT, tag, f"{name}:{tag}")
        for name in ("acme/web:1.3", "acme/old:1", "solo:1"):
            registry.push(LAYOUT, "single", name)
    return root / "storage"


EMPTY_INDEX = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}


def _home(root: Path) -> dict[str, str]:
    """An environment in which no credentials of this machine are found."""
    return {"PATH": os.environ["PATH"], "HOME": str(root), "XDG_RUNTIME_DIR": str(root)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    root: Path,
    *,
    auth: dict[str, Any] | None = None,
    tls: dict[str, str] | None = None,
    delete: bool = True,
    host: str = "localhost",
    access_log: bool = False,
    schema1: bool = False,
) -> Generator[RunningRegistry]:
    """A registry on a free port; it is ended with the block. With `access_log`, the file `log` lists all requests.

    With `schema1`, it also accepts manifests of schema 1.
    """
    port = free_port()
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": not access_log}},
        "storage": {"filesystem": {"rootdirectory": str(root / "storage")}, "delete": {"enabled": delete}},
        "http": {"addr": f"127.0.0.1:{port}", **({"tls": tls} if tls else {})},
        **({"auth": auth} if auth else {}),
        **({"compatibility": {"schema1": {"enabled": True}}} if schema1 else {}),
    }
    (root / "config.yml").write_text(json.dumps(settings))  # YAML takes JSON
    with (root / "log").open("wb") as log:
        command = ["docker-registry", "serve", str(root / "config.yml")]
        process = subprocess.Popen(command, stdout=log, stderr=log)  # no limit: it runs as long as its tests
    try:
        _wait(port, process, root)
        yield RunningRegistry(f"{host}:{port}", root)
    finally:
        process.kill()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], root: Path) -> None:
    end = time.monotonic() + 30
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, (root / "log").read_text()
        assert time.monotonic() < end, "docker-registry does not answer"
        time.sleep(0.01)


@contextmanager
def with_passwords(root: Path) -> Generator[RunningRegistry]:
    """A registry that knows one user."""
    (root / "htpasswd").write_text(HTPASSWD)
    auth = {"htpasswd": {"realm": "tests", "path": str(root / "htpasswd")}}
    with running(root, auth=auth) as registry:
        registry.credentials = USER, PASSWORD
        yield registry


def make_certificate(root: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this machine, signed by itself, and its key."""
    cert, key = root / f"{name}.crt", root / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    run_limited(command, check=True, capture_output=True)
    return cert, key
