"""The links of an archive: members that refer to other members by name."""

import posixpath
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from dreg_client.files.beneath import MOST_LINKS, components

_LONGEST: Final = 1024
"""The maximum length of a name that is followed through links, since each of its components is looked up."""
MOST_STEPS: Final = 2_000_000
"""The maximum total number of components in the targets of all links: 10 for each possible member."""


@dataclass(frozen=True, slots=True)
class MemberLink:
    """A link as its header describes it."""

    name: str
    target: str
    is_hard: bool
    """Whether the target is the name of a member; otherwise it is relative to the directory of the link."""


class UnsafeLinkError(Exception):
    """A link leads outside, or following it exceeds a limit. The message continues a sentence about the archive."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"has a link that {reason}: {name[:100]!a}")


class MemberLinks:
    """All links of an archive. Each is followed once, and `MOST_STEPS` limits the time."""

    def __init__(self, links: Iterable[MemberLink], files: Container[str]) -> None:
        self._links = {link.name: link for link in links}
        self._files = files
        self._reached: dict[str, str] = {}
        self._steps = 0
        self._followed = ("", "")
        """The last directory and its target, as a cache: successive names are mostly in the same directory."""

    def check(self) -> None:
        """Follow all links; raise `UnsafeLinkError` for the first one that cannot be followed."""
        for name in self._links:
            self._end_of(name, 0)

    def follow(self, name: str) -> str:
        """Return the name of the member that a name leads to. The member may not exist.

        Raises:
            UnsafeLinkError: The name leads to one that is too long.
        """
        if not self._links or len(name) > _LONGEST:
            return name
        parent, _, last = name.rpartition("/")
        known, place = self._followed
        if parent != known:
            place = self._follow(name, parent, 0)
            self._followed = parent, place
        return self._follow_last(name, f"{place}/{last}" if place else last, 0)

    def _follow(self, name: str, path: str, depth: int) -> str:
        here = ""
        for part in components(path):
            if part == "..":
                if not here:
                    raise UnsafeLinkError(name, "leads outside")
                here = here.rpartition("/")[0]
                continue
            # The string grows by one component. Joining all of them each time takes minutes for a hostile archive.
            here = self._follow_last(name, f"{here}/{part}" if here else part, depth)
        return here

    def _follow_last(self, name: str, here: str, depth: int) -> str:
        """Return where a path leads if only its last component may be a link."""
        if len(here) > _LONGEST:
            raise UnsafeLinkError(name, f"leads to a name longer than {_LONGEST} characters")
        return self._end_of(here, depth) if here in self._links else here

    def _end_of(self, name: str, depth: int) -> str:
        """Return where a link finally leads."""
        if name not in self._reached:
            if depth == MOST_LINKS:
                raise UnsafeLinkError(name, f"leads through more than {MOST_LINKS} links")
            path = self._path(self._links[name])
            self._steps += path.count("/") + 1
            if self._steps > MOST_STEPS:
                raise UnsafeLinkError(name, f"exceeds the limit of {MOST_STEPS} path components in all links")
            self._reached[name] = self._follow(name, path, depth + 1)
        return self._reached[name]

    def _path(self, link: MemberLink) -> str:
        """Return the target of a link as a path from the root of the archive."""
        if not link.target.startswith("/"):
            return link.target if link.is_hard else f"{posixpath.dirname(link.name)}/{link.target}"
        # The target of a hard link is the name of a member, and those lose a leading `/`.
        path = "/".join(components(link.target))
        if link.is_hard and (path in self._files or path in self._links):
            return path
        raise UnsafeLinkError(link.name, "leads outside")
