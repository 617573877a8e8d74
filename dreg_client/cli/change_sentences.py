"""Sentences about changes of tags for people to read, safe to show even if a plan is untrusted."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dreg_client.cli.output import counted, visible

if TYPE_CHECKING:
    from dreg_client.tagging.plan import DeleteManifest, TagChange

_NAME: Final = re.compile(r"""[^\s"'`(),;\\]*[^\s"'`(),;:\\]""")
"""A name that can stand in a sentence without quotes. Tags of layouts and paths may be any text."""
_NAMES: Final = ("source", "source_tag", "tag", "needed_by")
_LISTS: Final = ("tags", "other_tags", "digest_tags")
_VERBS: Final = {
    "copy": ("copy", "copied", "tag"),
    "referrers": ("copy referrers of", "copied referrers of", "tag"),
    "tag": ("add", "added", "tag"),
    "move": ("move", "moved", "tag"),
    "untag": ("remove", "removed", "tag"),
    "delete": ("delete", "deleted", "image"),
    "restore": ("restore", "restored", "image"),
}
"""For each action: what would be done, what was done, and to what."""


def name_text(name: str) -> str:
    r"""Return a tag or the name of a repository as it is shown: in quotes if it could be taken for other text.

    Examples:
        >>> print(name_text("1.4"), name_text("oci:build/web"), name_text("1.3 (sha256:0)"), name_text("a\n"))
        1.4 oci:build/web "1.3 (sha256:0)" "a\n"
    """
    return name if name.isprintable() and _NAME.fullmatch(name) else visible(json.dumps(name, ensure_ascii=False))


def sentence(change: "TagChange") -> str:
    """Return what a change does to what. Names in it cannot be mistaken for other words of the sentence."""
    update: dict[str, Any] = {}
    for name in _NAMES:
        if (value := getattr(change, name, None)) is not None:
            update[name] = visible(value) if name == "needed_by" else name_text(value)
    for name in _LISTS:
        if values := getattr(change, name, ()):
            update[name] = tuple(map(name_text, values))
    return visible(str(change.model_copy(update=update)))


def totals(changes: "Sequence[TagChange]", *, done: bool) -> str:
    """Return how many changes of each kind there are; empty if there are none."""
    found = Counter("referrers" if getattr(change, "missing", ()) else change.action for change in changes)
    parts = [
        f"{verbs[done]} {counted(number, verbs[2])}" for action, verbs in _VERBS.items() if (number := found[action])
    ]
    if not parts:
        return ""
    if size := _size(changes):
        parts[-1] += size
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _size(changes: "Sequence[TagChange]") -> str:
    """Return the size of what is deleted and no other image has; empty if it is unknown."""
    from dreg_client.values.sizes import byte_size

    deleted: list[DeleteManifest] = [change for change in changes if change.action == "delete"]
    if not deleted or any(change.size is None for change in deleted):
        return ""
    own = sum((change.size or 0) - (change.shared_size or 0) for change in deleted)
    return f" ({byte_size(own)} that no other image has)"
