"""A server of S3, and what a command needs to use it."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import Request, urlopen

from s3fs import S3FileSystem

from tests.commands import start_limited

_SERVE = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
_RUNNING = re.compile(rb"Running on (http://127\.0\.0\.1:[0-9]+)")


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Attributes:
        url: Its URL.
        environment: The variables with which a process uses it.
    """

    url: str
    environment: Mapping[str, str]

    def put(self, path: str, content: bytes = b"") -> None:
        """Create a bucket, or store an object: `BUCKET` or `BUCKET/KEY`."""
        headers = {"Content-Type": "application/octet-stream"}
        request = Request(f"{self.url}/{path}", content, headers, method="PUT")  # noqa: S310 (our own server)
        with urlopen(request, timeout=30):  # noqa: S310 (as above)
            pass


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Start a server without any bucket."""
    with start_limited(_SERVE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=dict(os.environ)) as process:
        assert process.stderr is not None
        found = next(filter(None, map(_RUNNING.search, process.stderr)))
        threading.Thread(target=process.stderr.read, daemon=True).start()  # its log, which would fill the pipe
        url = found[1].decode()
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "a-secret-key", "AWS_DEFAULT_REGION": "us-east-1"}
        S3FileSystem.clear_instance_cache()  # those of this process use the server of an earlier test
        yield S3Server(url, {"AWS_ENDPOINT_URL": url, **keys})
        process.kill()
