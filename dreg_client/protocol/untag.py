"""Delete a tag on a registry that deletes only by digest (distribution-spec "Deleting tags").

The tag is moved to a placeholder, a manifest that no other tag has, which is then deleted by its digest. Decisions are
made here; the module `untag` of the I/O layers sends the requests.
"""

import json
import secrets
from enum import Enum
from typing import Final, cast

from dreg_client import errors
from dreg_client.models.json_text import AmbiguousTextError, read_object
from dreg_client.models.kinds import kind_of
from dreg_client.protocol.changes import is_absent
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.error_responses import CHECK_ADDRESS, place_of, raise_for_status, reported
from dreg_client.protocol.manifests import is_manifest, own_media_type
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.digest import Digest, is_digest
from dreg_client.values.reference import Tag

ANNOTATION: Final = "io.github.djmattyg007.dreg-client.untag"
"""The annotation of a placeholder. Its value is the digest of the original, a space, and a random text."""
_NOT_BY_TAG: Final = frozenset({400, 405, 501})
"""Statuses of registries that delete only by digest: distribution 2.8 treats a tag as an invalid digest (400)."""
_RAISED: Final = frozenset({401, 403, 429})
_LEAVE_OUT: Final = "if the registry deletes by digest, omit placeholder=False"
_TAKES: Final = "untag takes a tag; delete_manifest takes a digest"
_SET_UP: Final = "enable deletion in the registry"


def tag_to_delete(text: str) -> Tag:
    """Parse a tag to be deleted. For a digest or a descriptor, the error says what to call instead."""
    if isinstance(getattr(text, "digest", None), str):
        raise TypeError(f"{_TAKES}, or a Descriptor")
    try:
        return Tag(text)
    except errors.InvalidReferenceError as failure:
        if not is_digest(text):
            raise
        raise errors.InvalidReferenceError(failure.text, failure.part, f"a name, not a digest: {_TAKES}") from None


class TagState(Enum):
    """The manifest that the tag names after its deletion failed."""

    UNKNOWN = "unknown"
    GONE = "nothing"
    KEPT = "the original, which was never replaced"
    RESTORED = "the original, which was restored"
    CHANGED = "a manifest that another client wrote"


def is_unsupported(response: Response) -> bool:
    """Return whether a response to the deletion of a tag means that the registry does not delete tags."""
    return not response.ok and (response.status in _NOT_BY_TAG or reported(response).is_unsupported)


def without_placeholder(response: Response, request: Request) -> errors.UnsupportedError:
    """Return the error for a registry that does not delete tags, if placeholders are not allowed."""
    return _unsupported(request, "the registry does not delete tags", _LEAVE_OUT, response)


def absent_digest() -> Digest:
    """Return a digest that no manifest has."""
    return Digest.of(secrets.token_bytes(32))


def check_probe(response: Response, request: Request, probe: Request) -> None:
    """Check the response to the deletion of a digest that does not exist, which must be 404."""
    if is_absent(response):
        return
    if response.status in _RAISED:
        raise_for_status(response, probe)
    if response.ok:
        reason = "the registry confirms the deletion of a digest that it does not have, so no deletion is reliable"
        raise _unsupported(request, reason, "delete the tag with another client", response)
    raise _unsupported(request, "the registry deletes neither tags nor digests", _SET_UP, response)


def placeholder_of(found: RawManifest, request: Request) -> RawManifest:
    """Return a manifest with the same blobs and its own digest. It has no `subject`, so it is not a referrer."""
    try:
        members = read_object(found.raw)
    except AmbiguousTextError:
        raise _unsupported(request, f"{found.digest} is not a valid JSON object", "") from None
    if not is_manifest(found):
        raise _unsupported(request, f"{found.digest} is not a manifest", CHECK_ADDRESS)
    media_type = found.media_type or own_media_type(found.raw)
    if "legacy-manifest" in {kind_of(members), kind_of(members, media_type)}:
        raise _unsupported(request, f"{found.digest} has schema 1, which registries no longer accept", "")
    original = _original_in(members) or found.digest
    return RawManifest(_replaced(members, f"{original} {secrets.token_hex(16)}"), media_type)


def original_of(manifest: RawManifest) -> Digest | None:
    """Return the digest of the manifest that a placeholder stands for; None if it is not a placeholder."""
    try:
        return _original_in(read_object(manifest.raw))
    except AmbiguousTextError:
        return None


def is_placeholder(found: RawManifest, original: RawManifest) -> bool:
    """Return whether a manifest is exactly a placeholder of another one, not an image that was built from one."""
    try:
        value = _annotations(read_object(found.raw)).get(ANNOTATION)
        return isinstance(value, str) and _replaced(read_object(original.raw), value) == found.raw
    except AmbiguousTextError:
        return False


def _original_in(members: dict[str, object]) -> Digest | None:
    value = _annotations(members).get(ANNOTATION)
    name = value.partition(" ")[0] if isinstance(value, str) else ""
    return Digest(name) if is_digest(name) else None


def _replaced(members: dict[str, object], value: str) -> bytes:
    """Return the bytes of a placeholder with a value of its annotation."""
    members.pop("subject", None)
    members["annotations"] = {**_annotations(members), ANNOTATION: value}
    return json.dumps(members).encode()


def _annotations(members: dict[str, object]) -> dict[str, object]:
    given = members.get("annotations")
    return cast("dict[str, object]", given) if isinstance(given, dict) else {}


def _unsupported(
    request: Request, reason: str, advice: str, response: Response | None = None
) -> errors.UnsupportedError:
    """Return the error for a tag that cannot be deleted. Nothing has been changed."""
    what = f"cannot delete the {request.what} alone, and nothing was changed: {reason}"
    if response is None:
        return errors.UnsupportedError(what, "", advice)
    return errors.UnsupportedError(what, place_of(response), advice, response.status, reported(response).lines)
