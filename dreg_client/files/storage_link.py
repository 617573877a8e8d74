"""Read a link in the storage of a registry, which a server may be writing. All that read links do it here."""

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from dreg_client.errors import LayoutCorruptError, LayoutError, ResponseTooLargeError, UnsafePathError
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.values.digest import SHA256, Digest, is_registered_digest

_LONGEST: Final = 1024
_PAUSES: Final = (0.001, 0.01, 0.05, 0.2, 0.5)
_RECENT: Final = 60
"""The number of seconds during which a file counts as just changed."""


class Link(NamedTuple):
    """A link that was read: the digest in it; otherwise what was found in its place.

    Attributes:
        target: The digest; None if the link is malformed (STO-06).
        found: What is in its place.
        failure: The error, if it is not a regular file.
    """

    target: Digest | None
    found: str = ""
    failure: LayoutError | None = None


def settled_link(
    held: HeldDirectory, parts: tuple[str, ...], text: str = "", *, may_follow: bool = False
) -> Link | None:
    """Read a link; None if there is none. One that may be half-written is read again.

    Args:
        held: A directory above the link.
        parts: The path of the link below that directory.
        text: The digest that it must contain, if its path names one. If that is of another algorithm than sha256, a
            sha256 digest is accepted: distribution stores all blobs by their sha256 digest.
        may_follow: Whether to wait for a link that does not exist. A server writes the directory of a tag before it.

    Raises:
        LayoutError: It cannot be read.
    """
    link = None
    for _ in attempts():
        link = read_link(held, parts, text)
        if not may_follow if link is None else link.target is not None or not is_recent(held, parts):
            break
    return link


def attempts() -> Iterator[None]:
    """Yield for each attempt to read what may be half-written, with pauses between them.

    Distribution 2 empties a file before it writes it.
    """
    yield
    for pause in _PAUSES:
        time.sleep(pause)
        yield


def is_recent(held: HeldDirectory, parts: tuple[str, ...]) -> bool:
    """Return whether a file was changed just now."""
    status = held.status(*parts)
    return status is not None and status.modified is not None and time.time() - status.modified < _RECENT


def is_damage(failure: LayoutError) -> bool:
    """Return whether an error tells what a file is. Otherwise it could not be read, which says nothing about it."""
    return isinstance(failure, UnsafePathError | LayoutCorruptError)


def read_link(held: HeldDirectory, parts: tuple[str, ...], text: str = "") -> Link | None:
    """Read a link once; see `settled_link`."""
    try:
        raw = held.read(*parts, limit=_LONGEST)
    except FileNotFoundError:
        return None
    except ResponseTooLargeError as failure:
        return Link(None, f"{failure.size} bytes")
    except LayoutError as failure:
        if not is_damage(failure):
            raise
        return Link(None, f"a link that {failure.reason}", failure)
    found = raw.decode("utf-8", "surrogateescape")
    if not is_registered_digest(found):
        return Link(None, _shown(found))
    digest = Digest(found)
    if text and digest != text and (digest.algorithm != SHA256 or text.startswith(SHA256)):
        return Link(None, f"{digest}, another digest than that of its path")
    return Link(digest)


def _shown(found: str) -> str:
    """Describe a malformed link. Of one that contains a digest and more, this is what the server does not accept."""
    # Imported here because most links are valid.
    from dreg_client.models.paths import show  # noqa: PLC0415

    if not found:
        return "nothing"
    for digest in (found.strip(), found.strip("\ufeff")):
        if is_registered_digest(digest):
            before, _, after = found.partition(digest)
            return f"{digest} with {show(before or after)} {'before' if before else 'after'} it"
    return f"{found.strip()} in upper case" if is_registered_digest(found.strip().lower()) else show(found)
