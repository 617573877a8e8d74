"""The links of an archive: members that stand for other members, by name."""

import posixpath
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from dreg_client.files.beneath import MOST_LINKS, components

_LONGEST: Final = 1024
"""The longest name that is followed through links: each of its components is looked up."""


@dataclass(frozen=True, slots=True)
class MemberLink:
    """A link as its header describes it."""

    name: str
    target: str
    is_hard: bool
    """Whether its target is the name of a member, rather than a path from its own directory."""


class UnsafeLinkError(Exception):
    """A link leads outside, or there is no end to following it; the text says which link, and which of the two."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"has a link that {reason}: {name[:100]!a}")


class MemberLinks:
    """All links of an archive. Each is followed once, so the time is bounded by the size of the archive."""

    def __init__(self, links: Iterable[MemberLink], files: Container[str]) -> None:
        self._links = {link.name: link for link in links}
        self._files = files
        self._reached: dict[str, str] = {}

    def check(self) -> None:
        """Follow all links; raise `UnsafeLinkError` for the first that cannot be followed."""
        for name in self._links:
            self._end_of(name, 0)

    def follow(self, name: str) -> str:
        """Return the name of the member that a checked name leads to, whether there is one or not."""
        return self._follow(name, name, 0) if self._links and len(name) <= _LONGEST else name

    def _follow(self, name: str, path: str, depth: int) -> str:
        reached: list[str] = []
        for part in components(path):
            if part == "..":
                if not reached:
                    raise UnsafeLinkError(name, "leads outside")
                reached.pop()
                continue
            reached.append(part)
            here = "/".join(reached)
            if len(here) > _LONGEST:
                raise UnsafeLinkError(name, f"leads to a name of more than {_LONGEST} characters")
            if here in self._links:
                reached = components(self._end_of(here, depth))
        return "/".join(reached)

    def _end_of(self, name: str, depth: int) -> str:
        """Return where a link leads in the end."""
        if name not in self._reached:
            if depth == MOST_LINKS:
                raise UnsafeLinkError(name, f"leads through more than {MOST_LINKS} others")
            self._reached[name] = self._follow(name, self._path(self._links[name]), depth + 1)
        return self._reached[name]

    def _path(self, link: MemberLink) -> str:
        """Return the target of a link as a path from the root of the archive."""
        if not link.target.startswith("/"):
            return link.target if link.is_hard else f"{posixpath.dirname(link.name)}/{link.target}"
        # Names of members lose a leading `/`, and the target of a hard link is one.
        path = "/".join(components(link.target))
        if link.is_hard and (path in self._files or path in self._links):
            return path
        raise UnsafeLinkError(link.name, "leads outside")
