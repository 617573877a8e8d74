"""Change the text of an `index.json`: what other tools wrote into it stays as it is, known or not."""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self, cast

from dreg_client.models.annotations import REF_NAME
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.json_text import AmbiguousTextError, read_members
from dreg_client.models.layout import OTHER_NAME, names_in
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import OCI_INDEX
from dreg_client.values.tag_condition import TagCondition

Json = dict[str, object]
MARKER: Final = b'{"imageLayoutVersion":"1.0.0"}'
"""The content of `oci-layout`."""
EMPTY: Final = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}, separators=(",", ":")).encode()
"""The index of a new layout."""


class Naming(NamedTuple):
    """A name for a manifest, if the manifests that have it now meet a condition."""

    entry: Descriptor
    name: str
    condition: TagCondition = TagCondition()


class Met(NamedTuple):
    """What became of the conditions of names.

    Attributes:
        given: The names that can be given.
        kept: The names that cannot, with what they name now (see `TagCondition.unmet_by`).
        done: The names that need no change.
    """

    given: list[Naming]
    kept: dict[str, str]
    done: list[str]


@dataclass(slots=True)
class IndexText:
    """The members and entries of an `index.json` that is to be changed.

    Attributes:
        members: All members of the document.
        entries: Its entries; the methods replace the list.
    """

    members: Json
    entries: list[Json] = field(default_factory=list[Json])

    @classmethod
    def parse(cls, raw: bytes) -> Self | None:
        """Parse an index; None if it cannot be changed without altering what others wrote, because it is not valid."""
        try:
            members = read_members(raw)
        except AmbiguousTextError:
            return None
        entries = members.get("manifests")
        if not isinstance(entries, list) or not all(isinstance(it, dict) for it in cast("list[object]", entries)):
            return None
        return cls(members, cast("list[Json]", entries))

    def text(self) -> bytes:
        """Return the document."""
        members = {**self.members, "manifests": self.entries}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()

    def add_all(self, entries: Collection[Descriptor]) -> bool:
        """Add entries without names, unless there are some of their digests; return whether anything changed."""
        present = {str(it.get("digest")) for it in self.entries}
        new = {entry.digest: entry for entry in entries if entry.digest not in present}
        self.entries += map(_members_of, new.values())
        return bool(new)

    def name_all(self, entries: Iterable[tuple[Descriptor, str]]) -> bool:
        """Add entries with names, or name those that have none; return whether anything changed.

        Entries of other digests lose these names; those that have no other name are removed. Of several entries for one
        name, the last counts.
        """
        wanted = {name: entry for entry, name in entries}
        if not wanted:
            return False
        others = self._without_names(lambda name, it: name in wanted and wanted[name].digest != it.get("digest"))
        is_changed = others != self.entries
        self.entries = others
        present = {_ref_name(it) for it in others}
        unnamed = {str(it.get("digest")): it for it in reversed(others) if not names_in(annotations(it))}
        for name, entry in wanted.items():
            if name not in present:
                if (found := unnamed.pop(entry.digest, None)) is None:
                    self.entries.append(found := _members_of(entry))
                found["annotations"] = {**annotations(found), REF_NAME: name}
                is_changed = True
        return is_changed

    def meeting(self, namings: Iterable[Naming]) -> Met:
        """Return the names that can be given, and those that cannot."""
        present: dict[str, set[str]] = {}
        for it in self.entries:
            for name in names_in(annotations(it)):
                present.setdefault(name, set()).add(str(it.get("digest")))
        met = Met([], {}, [])
        for naming in namings:
            found, new = present.get(naming.name, set()), naming.entry.digest
            if (unmet := naming.condition.unmet_by(found, new)) is not None:
                met.kept[naming.name] = unmet
            elif naming.condition.is_done(found, new):
                met.done.append(naming.name)
            else:
                met.given.append(naming)
                present[naming.name] = {new}
        return met

    def remove_name(self, name: str) -> bool:
        """Remove a name, and the entries that have no other; return whether any entry had it."""
        others = self._without_names(lambda found, _: found == name)
        if others == self.entries:
            by_containerd = [it for it in self.entries if _other_name(it) == name]
            others = [it for it in self.entries if it not in by_containerd]
        is_changed = len(others) != len(self.entries) or others != self.entries
        self.entries = others
        return is_changed

    def remove(self, digests: Collection[Digest]) -> bool:
        """Remove all entries with these digests; return whether there were any."""
        kept = [it for it in self.entries if it.get("digest") not in digests]
        is_changed = len(kept) != len(self.entries)
        self.entries = kept
        return is_changed

    def remove_unnamed(self, digests: Collection[Digest]) -> bool:
        """Remove the entries with these digests that have no name; return whether there were any."""
        kept = [it for it in self.entries if it.get("digest") not in digests or names_in(annotations(it))]
        is_changed = len(kept) != len(self.entries)
        self.entries = kept
        return is_changed

    def _without_names(self, is_lost: Callable[[str, Json], bool]) -> list[Json]:
        """Return the entries without those that lose their only name; entries that containerd names lose only this."""
        found: list[Json] = []
        for entry in self.entries:
            name = _ref_name(entry)
            if name is None or not is_lost(name, entry):
                found.append(entry)
            elif _other_name(entry) not in {None, name}:
                rest = {key: value for key, value in annotations(entry).items() if key != REF_NAME}
                found.append({**entry, "annotations": rest})
        return found


def annotations(entry: Json) -> Json:
    """Return the annotations of an entry."""
    found = entry.get("annotations")
    return cast("Json", found) if isinstance(found, dict) else {}


def _ref_name(entry: Json) -> str | None:
    """Return the name of an entry (annotations.md: org.opencontainers.image.ref.name)."""
    name = annotations(entry).get(REF_NAME)
    return name if isinstance(name, str) else None


def sort_key(entry: Json) -> tuple[str, str, str]:
    """Return a key to sort entries: by name, then by digest."""
    return str(_ref_name(entry) or ""), str(_other_name(entry) or ""), str(entry.get("digest"))


def _other_name(entry: Json) -> object:
    return annotations(entry).get(OTHER_NAME)


def _members_of(entry: Descriptor) -> Json:
    return entry.model_dump(mode="json", by_alias=True, exclude_none=True)
