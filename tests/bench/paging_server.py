"""A registry of long lists: `paging_server.py ENTRIES PAGE`. PAGE is the maximum of entries in a page."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Handler(BaseHTTPRequestHandler):
    """Serves lists of tags and repositories; pages are prepared once, so that only the clients are measured."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    entries: int
    largest: int
    pages: dict[str, tuple[bytes, str]]
    asked: int

    def do_GET(self) -> None:
        if self.path == "/asked":
            self._answer(str(Handler.asked).encode(), "")
            Handler.asked = 0
            return
        Handler.asked += 1
        if self.path not in self.pages:
            self.pages[self.path] = self._page()
        self._answer(*self.pages[self.path])

    def _page(self) -> tuple[bytes, str]:
        target = urlsplit(self.path)
        query = parse_qs(target.query)
        member, name = ("repositories", "acme/web-{:06}") if "_catalog" in target.path else ("tags", "1.{}-alpine")
        names = sorted(name.format(number) for number in range(self.entries))
        start = names.index(query["last"][0]) + 1 if "last" in query else 0
        n = min(int(query.get("n", [str(self.largest)])[0]), self.largest)
        page = names[start : start + n]
        more = start + n < self.entries
        link = f'<{target.path}?n={n}&last={page[-1]}>; rel="next"' if more else ""
        return json.dumps({"name": "bench/list", member: page}, separators=(",", ":")).encode(), link

    def _answer(self, octets: bytes, link: str) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(octets)}\r\n"
        self.wfile.write((head + (f"Link: {link}\r\n" if link else "") + "\r\n").encode() + octets)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server calls it so)
        """Write no log."""


def main() -> None:
    """Serve until the process is ended; print the port."""
    Handler.entries, Handler.largest = map(int, sys.argv[1:])
    Handler.pages, Handler.asked = {}, 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        print(httpd.server_port, flush=True)
        httpd.serve_forever()


if __name__ == "__main__":
    main()
