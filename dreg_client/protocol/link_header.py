"""The `Link` header, which leads from page to page (RFC 8288; distribution-spec "Listing Tags")."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from dreg_client.errors import CrossOriginError, ProtocolError
from dreg_client.protocol.messages import Response
from dreg_client.values.origin import Origin, joined, without_query

_LONGEST: Final = 8192
_TARGET: Final = re.compile(r"[\s,]*<([^<>\s]*)>")
_PARAMETER: Final = re.compile(r"\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]+))?")
_TRAILING: Final = re.compile(r"\s*;(?=\s*(?:,|$))")
_ESCAPED: Final = re.compile(r"\\(.)")


def next_target(response: Response) -> str | None:
    """Return the URL of the next page, on the registry itself; None if this was the last one."""
    lines = response.headers.all("link")
    if sum(map(len, lines)) > _LONGEST:
        raise ProtocolError(f"Link is longer than {_LONGEST} characters", response.where)
    for line in lines:
        for target, relations in [*_links(line, response.where)]:
            if "next" in relations:
                return _of_registry(joined(response.url, target), response)
    return None


def _links(line: str, where: str) -> Iterator[tuple[str, list[str]]]:
    """Yield targets and their relations; a target without any is taken for the next page, as it is meant."""
    position = 0
    while line[position:].strip(" \t,"):
        target = _TARGET.match(line, position)
        if target is None:
            raise ProtocolError('Link does not follow RFC 8288: <TARGET>; rel="next" is due', where)
        position = target.end()
        relations: list[str] | None = None
        while parameter := _PARAMETER.match(line, position):
            position = parameter.end()
            if parameter[1].lower() == "rel" and relations is None:
                value = parameter[2] or ""
                relations = (_ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value).lower().split()
        while trailing := _TRAILING.match(line, position):  # a parameter without a name (RFC 8288 appendix B.3)
            position = trailing.end()
        yield target[1], ["next"] if relations is None else relations


def _of_registry(url: str, response: Response) -> str:
    """Return the page on the registry itself: a proxy may lose the scheme (UPL-03), but the host must be the same."""
    origin = Origin.of(response.registry)
    try:
        target = Origin.of(url)
    except ValueError as fault:
        raise ProtocolError(f"Link leads to no URL: {fault}", response.where) from None
    lost_scheme = target.host == origin.host and target.scheme == "http" and target.port in {80, origin.port}
    if target != origin and not lost_scheme:
        raise CrossOriginError(response.where, without_query(url), "pages are read from the registry itself alone")
    parts = urlsplit(url)
    return f"{origin}{parts.path}" + (f"?{parts.query}" if parts.query else "")
