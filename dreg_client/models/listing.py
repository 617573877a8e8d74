"""Lists of referrers, in which malformed entries are kept."""

from dataclasses import dataclass
from typing import Final, cast

from pydantic import ValidationError

from dreg_client.errors.problems import Problem, Severity
from dreg_client.models.base import Members
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import OciIndex
from dreg_client.models.json_text import AmbiguousTextError, read_object, serialized
from dreg_client.models.stored import examine
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault

_NO_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class ListedEntry:
    """An entry of a list.

    Attributes:
        descriptor: The descriptor without malformed members; its size is 0 if the media type or the size is missing.
            None if the entry has no valid digest.
        text: The original entry, shortened, for messages.
        problems: The errors of the entry.
    """

    descriptor: Descriptor | None
    text: str
    problems: tuple[Problem, ...] = ()


def read_entries(raw: bytes, most: int) -> tuple[ListedEntry, ...] | None:
    """Parse the entries of an OCI index; return None if other parts are malformed, or it has more than `most`."""
    try:
        tree = read_object(raw)
        OciIndex.from_tree(raw, {**tree, "manifests": []})
    except (AmbiguousTextError, ValidationError):
        return None
    entries = tree.get("manifests")
    if not isinstance(entries, list) or len(cast("list[object]", entries)) > most:
        return None
    return tuple(_read_entry(entry) for entry in cast("list[object]", entries))


def is_incomplete(descriptor: Descriptor) -> bool:
    """Return whether the media type or size of an entry is missing and must be read from the content itself."""
    digest = descriptor.digest
    return descriptor.size == 0 and not (digest.computable and digest == Digest.of(b"", digest.algorithm))


def completed(descriptor: Descriptor, media_type: str, size: int) -> Descriptor:
    """Return an incomplete descriptor with the media type and size of its content."""
    return _with(descriptor, media_type=media_type, size=size)


def unsized(digest: Digest, media_type: str) -> Descriptor:
    """Return the descriptor of a manifest whose size is not known: it is 0."""
    valid: dict[str, object] = {"mediaType": types.OCI_MANIFEST, "digest": digest, "size": 1}
    return _with(Descriptor.from_tree(b"", valid), media_type=media_type or _NO_TYPE, size=0)


def _read_entry(entry: object) -> ListedEntry:
    text = f"{entry!r:.200}"
    if not isinstance(entry, dict):
        return ListedEntry(None, text)
    members = cast("Members", entry)
    raw = serialized(members)
    examined = examine(Descriptor, raw)
    if examined.document is not None:
        return ListedEntry(examined.document, text)
    digest = members.get("digest")
    if not isinstance(digest, str) or digest_fault(digest) is not None:
        return ListedEntry(None, text)
    problems = tuple(problem for problem in examined.problems if problem.severity is Severity.ERROR)
    return _read_malformed(raw, members, text, problems)


def _read_malformed(raw: bytes, members: Members, text: str, problems: tuple[Problem, ...]) -> ListedEntry:
    """Return an entry with its valid members. Media types are kept even if they are malformed."""
    valid: dict[str, object] = {"mediaType": types.OCI_MANIFEST, "digest": members["digest"], "size": 1}
    stated = [name for name in ("size", *members) if name in members and _is_valid(valid, name, members[name])]
    valid |= {name: members[name] for name in stated}
    media_type, artifact_type = members.get("mediaType"), members.get("artifactType")
    descriptor = _with(
        Descriptor.from_tree(raw, valid),
        media_type=media_type if isinstance(media_type, str) and media_type else _NO_TYPE,
        artifact_type=artifact_type if isinstance(artifact_type, str) and artifact_type else None,
    )
    if "size" not in stated or descriptor.media_type == _NO_TYPE:
        descriptor = _with(descriptor, size=0)
    return ListedEntry(descriptor, text, problems)


def _is_valid(valid: dict[str, object], name: str, value: object) -> bool:
    try:
        Descriptor.from_tree(b"", {**valid, name: value})
    except ValidationError:
        return False
    if name == "size":
        valid["size"] = value  # needed to check `data`
    return True


def _with(descriptor: Descriptor, **members: object) -> Descriptor:
    """Return a descriptor with unchecked members, such as a malformed media type or a placeholder size."""
    names = {*descriptor.model_fields_set, *members}
    return Descriptor.model_construct(names, **{**dict(descriptor), **members})
