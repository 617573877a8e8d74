# Generated from dreg_client/_async/untag.py by tools/generate_sync.py. Do not edit.
"""Delete a tag, directly or by a placeholder (see `protocol.untag`)."""

from dataclasses import dataclass, replace
from typing import Final

from dreg_client import errors
from dreg_client._logging import log
from dreg_client._sync import changes
from dreg_client._sync._compat import run_shielded, sleep
from dreg_client._sync.client import Client
from dreg_client._sync.manifests import get_manifest, named
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.deadlines import CallDeadline
from dreg_client.protocol.manifests import delete_request
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.tag_conflicts import not_as_expected
from dreg_client.protocol.untag import (
    TagState,
    absent_digest,
    check_probe,
    is_placeholder,
    is_unsupported,
    original_of,
    placeholder_of,
    without_placeholder,
)
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName, Tag

_LATE: Final = 1.0
"""The seconds within which a registry completes accepted requests, and requests whose connection was closed."""
_RESCUE: Final = 20.0
"""The seconds that restoring a tag continues after requests began to fail."""


def untag(
    client: Client,
    repository: RepositoryName,
    tag: Tag,
    *,
    placeholder: bool,
    expected: Digest | None = None,
    known: RawManifest | None = None,
) -> None:
    """Delete a tag, and nothing else; with `placeholder`, also if the registry deletes only by digest.

    The caller has just checked that the tag names the `expected` manifest. If more requests are necessary, because the
    registry does not delete tags, this is checked again. `known` is the expected manifest, if a journal has it.
    """
    request = delete_request(repository, tag)
    response = client.send(request)
    if not is_unsupported(response):
        changes.confirm_deleted(client, repository, tag, request, response)
        return
    if not placeholder:
        raise without_placeholder(response, request)
    # Not from a mirror, which may be outdated: this manifest may have to be restored.
    original = get_manifest(client, repository, tag, legacy=True, mirrored=False)
    if expected is not None and not _stands_for(client, repository, original, expected, known):
        raise not_as_expected(tag, original.digest, expected)
    replacement = placeholder_of(original, request)
    _probe(client, repository, request)
    with changes.deleting_alone(client, repository):
        _Untagging(client, repository, tag, original, replacement).run()


def is_unfinished(
    client: Client,
    repository: RepositoryName,
    now: Digest,
    expected: Digest,
    known: RawManifest | None = None,
) -> bool:
    """Return whether a manifest is the placeholder of another one: the deletion of its tag was interrupted.

    `known` is the other one, if the caller has it: some registries delete a manifest with its last tag.
    """
    try:
        found = get_manifest(client, repository, now, legacy=True, mirrored=False)
    except errors.NotFoundError:
        return False
    return _stands_for(client, repository, found, expected, known)


def _stands_for(
    client: Client,
    repository: RepositoryName,
    found: RawManifest,
    expected: Digest,
    known: RawManifest | None = None,
) -> bool:
    """Return whether a manifest is the expected one, or its placeholder."""
    if _is_of(expected, found):
        return True
    if original_of(found) != expected:
        return False
    if known is not None and _is_of(expected, known):
        return is_placeholder(found, known)
    try:
        original = get_manifest(client, repository, expected, legacy=True, mirrored=False)
    except errors.NotFoundError:
        return False
    return is_placeholder(found, original)


def _probe(client: Client, repository: RepositoryName, request: Request) -> None:
    """Check, without any change, whether the registry deletes manifests by digest."""
    probe = replace(delete_request(repository, absent_digest()), absent_is_done=False)
    response = client.send(probe)
    check_probe(response, request, probe)


@dataclass(slots=True)
class _Untagging:
    """A tag that is moved to a placeholder, which is then deleted. After a failure, the tag is moved back."""

    client: Client
    repository: RepositoryName
    tag: Tag
    original: RawManifest
    placeholder: RawManifest
    is_written: bool = False  # whether the registry has confirmed the placeholder
    stored: str = ""  # the digest of the manifest that the registry stored instead of the placeholder
    state: TagState = TagState.UNKNOWN  # after a failure
    found: Digest | None = None  # the digest that the tag named after a failure
    unrestored: str = ""  # why the original could not be restored

    def run(self) -> None:
        """Delete the tag.

        Raises:
            ConflictError: Another client changed the tag.
            ProtocolError: The registry accepted the deletion of the placeholder, but did not carry it out.
            DregError: A request failed. The message states what the tag names now.
        """
        self._check_unchanged(self._named())
        try:
            digest, _ = self._put(self.placeholder)
            self.is_written = True
            where = changes.delete_manifest(self.client, self.repository, digest).where
            self._check_gone(where)
        except errors.DregError as failure:
            self._note_stored(failure)
            self._restore(may_come_late=isinstance(failure, errors.TransportError | errors.ServerError))
            if self.state is not TagState.GONE:
                explained = self._explained(failure)
                explained.add_outcome(self._outcome)
                if explained is failure:
                    raise
                raise explained from failure
        except BaseException as interrupt:
            self._restore(may_come_late=True)
            self._note_outcome(interrupt)
            raise

    def _check_gone(self, where: str) -> None:
        """Check that the tag is gone. 202 only means that a deletion was accepted; it may happen late, or never."""
        found = self._named()
        if found is not None:
            sleep(_LATE)
            found = self._named()
        if found is None:
            return
        if _is_of(found, self.placeholder):
            reason = f"the registry accepted the deletion of {found}, but has not carried it out"
            raise errors.ProtocolError(reason, where)
        raise errors.ConflictError(f"{self._name} names another manifest after its placeholder was deleted")

    def _note_stored(self, failure: errors.DregError) -> None:
        """If the registry changed the placeholder, remember the digest that it stored instead."""
        if isinstance(failure, errors.DigestMismatchError) and not self.is_written:
            self.stored = failure.actual
            failure.add_outcome("this registry changes manifests that it stores, so a placeholder cannot be used")

    def _explained(self, failure: errors.DregError) -> errors.DregError:
        """Return the error for a tag that was not deleted."""
        if self.is_written or not isinstance(failure, errors.RegistryError):
            return failure
        cannot = f"cannot delete the tag {self._name} alone, and nothing was changed"
        return changes.explained(self.client, self.repository, self.original, failure, cannot)

    def _check_unchanged(self, found: Digest | None) -> None:
        if found is not None and _is_of(found, self.original):
            return
        now = f"names {found} now" if found else "does not exist now"
        reason = f"{self._name} {now}, but named {self.original.digest} a moment before"
        raise errors.ConflictError(f"{reason}; it was not changed; try again")

    def _restore(self, *, may_come_late: bool) -> None:
        """If the tag names the placeholder, restore the original. Determine the state. Only interrupts are raised."""
        rescue = CallDeadline(patience=_RESCUE)  # instead of the deadline of the call
        rescue.allow(self.client.budget)
        try:
            delay = _LATE if may_come_late and not self.is_written else 0.0
            run_shielded(self._put_back, delay, deadline=rescue)
        except Exception as failure:  # noqa: BLE001 (the first failure is raised, and mentions this one)
            self.unrestored = str(failure)
        except BaseException as interrupt:
            self._note_outcome(interrupt)
            raise

    def _put_back(self, delay: float) -> None:
        self.state = TagState.UNKNOWN  # unless this method completes
        self.found = self._named()
        if delay and self._has(self.original):
            sleep(delay)  # the registry may still write a placeholder whose response was lost
            self.found = self._named()
        if self.found is None:
            self.state = TagState.GONE
        elif self._has(self.original):
            self.state = TagState.KEPT
        elif self._has(self.placeholder) or self.found == self.stored:
            self._put_original()
            self.state = TagState.RESTORED
        else:
            self.state = TagState.CHANGED

    def _put_original(self) -> None:
        try:
            self._put(self.original)
        except errors.DigestMismatchError:  # a registry may state a wrong digest, but store the right bytes
            self.found = self._named()
            if not self._has(self.original):
                raise

    def _has(self, manifest: RawManifest) -> bool:
        return self.found is not None and _is_of(self.found, manifest)

    def _note_outcome(self, interrupt: BaseException) -> None:
        interrupt.add_note(self._outcome)
        log.warning("untag was interrupted: %s", self._outcome)

    @property
    def _outcome(self) -> str:
        """The current state of the tag, with the command that restores it if necessary."""
        before = self.original.digest
        restore = f"dreg tag {self.client.registry.name}/{self.repository}@{before} {self.tag}"
        match self.state:
            case TagState.GONE:
                return f"{self._name} was deleted; it named {before}"
            case TagState.KEPT:
                return f"{self._name} still names {before}"
            case TagState.RESTORED:
                return f"{self._name} names {before} again"
            case TagState.CHANGED:
                cause = "another client changed it, or the registry changes manifests that it stores"
                now = f"{self._name} now names {self.found}, which is neither the original nor the placeholder"
                return f"{now}: {cause}; to restore the original: {restore}"
            case TagState.UNKNOWN:
                why = f", because it could not be restored ({self.unrestored})" if self.unrestored else ""
                return f"{self._name} may now name a placeholder{why}; to restore the original: {restore}"

    def _named(self) -> Digest | None:
        return named(self.client, self.repository, self.tag)

    def _put(self, manifest: RawManifest) -> tuple[Digest, Response]:
        media_type = self.placeholder.media_type  # the original's, even if the registry does not state it
        return changes.put_manifest(self.client, self.repository, self.tag, manifest.raw, media_type)

    @property
    def _name(self) -> str:
        return f"{self.repository}:{self.tag}"


def _is_of(digest: Digest, manifest: RawManifest) -> bool:
    """Return whether a digest, of any supported algorithm, is that of a manifest."""
    return digest.computable and digest == Digest.of(manifest.raw, digest.algorithm)
