"""A registry of one blob that limits each connection to RATE MiB a second: `slow_server.py FILE DIGEST RATE`."""

import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_PIECE = 1 << 18


class Handler(BaseHTTPRequestHandler):
    """One connection with a limited rate from its first byte on."""

    protocol_version = "HTTP/1.1"
    path_of_blob: Path
    digest: str
    rate: float

    def do_HEAD(self) -> None:
        self._head(200, self.path_of_blob.stat().st_size)

    def do_GET(self) -> None:
        if self.digest not in self.path:
            self._head(200, 0)
            return
        size = self.path_of_blob.stat().st_size
        asked = re.fullmatch(r"bytes=([0-9]+)-([0-9]*)", self.headers.get("Range", ""))
        start, end = (int(asked[1]), min(int(asked[2] or size), size - 1)) if asked else (0, size - 1)
        ranged = f"bytes {start}-{end}/{size}" if asked else ""
        self._head(206 if asked else 200, end + 1 - start, ranged)
        try:
            self._send(start, end + 1 - start)
        except ConnectionError:
            self.close_connection = True

    def _head(self, status: int, length: int, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Docker-Content-Digest", self.digest)
        self.send_header("ETag", f'"{self.digest}"')
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def _send(self, start: int, length: int) -> None:
        began, sent = time.monotonic(), 0
        with self.path_of_blob.open("rb") as file:
            while sent < length:
                sent += self.connection.sendfile(file, start + sent, min(_PIECE, length - sent))
                time.sleep(max(0.0, began + sent / self.rate - time.monotonic()))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server calls it so)
        """Write no log."""


def main() -> None:
    """Serve until the process is ended; print the port."""
    file, digest, rate = sys.argv[1:]
    Handler.path_of_blob, Handler.digest, Handler.rate = Path(file), digest, float(rate) * (1 << 20)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        print(httpd.server_port, flush=True)
        httpd.serve_forever()


if __name__ == "__main__":
    main()
