"""A registry that is watched while a plan is applied or undone, and that another client changes at any moment.

The watch knows what the plan may do. Each request that changes something is compared with what is held at this moment:
a tag is only changed if it names what the plan saw, and a manifest is only deleted if nothing needs it that the plan
does not name. Another client makes its changes before requests, except for the moments that no client of a registry
can close: between the HEAD of a tag and the request that changes it, and between the reading of all tags and the
deletions that it serves.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from dreg_client.protocol.untag import ANNOTATION
from dreg_client.tagging.plan import AddTag, CopyTag, DeleteManifest, MoveTag, RepositoryTagPlan, TagChange, Untag
from tests.faultserver import Heard
from tests.foreign.registry import Held, PlayedRegistry
from tests.tagging import someone
from tests.tagging.repositories import Dated
from tests.tagging.someone import Change

REPOSITORY = "acme/web"
REFERRERS_TAG = re.compile(r"sha256-[0-9a-f]{64}")
_MANIFEST = f"/v2/{REPOSITORY}/manifests/"


@dataclass
class Allowed:
    """What may be changed.

    Attributes:
        tags: For each tag that may be changed: what it must name before, and what it names afterwards; None is nothing.
        deleted: The manifests that may be deleted.
        named: The tags that may go with a manifest, by its digest.
    """

    tags: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    named: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def by(cls, plan: RepositoryTagPlan, seen: Mapping[str, str]) -> "Allowed":
        """What a plan allows that was made when the tags were as `seen`."""
        found = cls()
        for change in plan.changes:
            found._add(change, seen)
        return found

    def _add(self, change: TagChange, seen: Mapping[str, str]) -> None:
        match change:
            case AddTag():
                self.tags[change.tag] = None, change.digest
            case MoveTag() | CopyTag():
                self.tags[change.tag] = change.replaces, change.digest
            case Untag():
                self.tags[change.tag] = change.digest, None
            case DeleteManifest():
                self.tags |= dict.fromkeys(change.tags, (change.digest, None))
                self.tags |= {tag: (seen.get(tag), None) for tag in change.digest_tags}
                about = {seen[tag] for tag in change.digest_tags if tag in seen}
                self.deleted |= {change.digest, *change.platforms, *change.referrers, *about}
                self.named.setdefault(change.digest, set()).update(change.tags)
                for digest in about:
                    self.named.setdefault(digest, set()).update(change.digest_tags)

    @classmethod
    def to_undo(cls, done: Mapping[str, tuple[str | None, str | None]]) -> "Allowed":
        """What undoing allows, given what each tag named before and after it was changed."""
        return cls({tag: (after, before) for tag, (before, after) in done.items()})


@dataclass
class Watch:
    """What is watched, and what another client does meanwhile.

    Attributes:
        registry: The registry.
        graph: All content.
        allowed: What may be changed.
        schedule: The changes of another client that are still to come.
        made: Those that were made.
        faults: What should not have been done.
    """

    registry: PlayedRegistry
    graph: Dated
    allowed: Allowed
    schedule: list[Change]
    made: list[Change] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    count: int = 0
    open: set[str] = field(default_factory=set)  # tags between their HEAD and the request that changes them
    was_read: bool = False  # whether all tags were read, so that deletions may follow

    @property
    def held(self) -> Held:
        return self.registry.held[REPOSITORY]

    @property
    def touched(self) -> set[str]:
        """The tags that another client changed."""
        return {tag for change in self.made for tag in change.tags(self.graph)}

    def __enter__(self) -> Self:
        self.registry.before = self.before
        return self

    def __exit__(self, *_: object) -> None:
        self.registry.before = lambda _: None
        for change in self.schedule:
            self._make(change)

    def __call__(self, _: object) -> None:
        """Ignore an event: changes of another client come before requests."""

    def before(self, heard: Heard) -> None:
        """Make the changes that are due, and check a request."""
        is_reading = heard.method == "GET" and heard.path.endswith("/tags/list") and "last" not in heard.query
        if is_reading:
            self.was_read = False
        for change in [it for it in self.schedule if it.at <= self.count and self._may_happen(it)]:
            self.schedule.remove(change)
            self._make(change)
        self.count += 1
        self.was_read = self.was_read or is_reading
        if heard.path.startswith(_MANIFEST):
            self._check(heard, heard.path.removeprefix(_MANIFEST))

    def _make(self, change: Change) -> None:
        someone.make(change, self.held, self.graph, lists_referrers=self.registry.traits.lists_referrers)
        self.made.append(change)

    def _may_happen(self, change: Change) -> bool:
        if change.kind == "refer" and not self.registry.traits.lists_referrers:
            return False  # registries have no conditional PUT, so nobody can change one referrers tag at once
        if change.tags(self.graph) & self.open:
            return False
        return not (self.was_read and change.needs(self.graph) & self.allowed.deleted)

    # --- what is checked

    def _check(self, heard: Heard, name: str) -> None:
        if heard.method == "HEAD" and ":" not in name:
            before, _ = self.allowed.tags.get(name, (None, None))
            if name in self.allowed.tags and self.held.tags.get(name) == before:
                self.open.add(name)
        elif heard.method == "PUT" and ":" not in name:
            self._check_written(name, heard.body)
            self.open.discard(name)
        elif heard.method == "DELETE" and ":" not in name:
            self._check_untagged(name)
            self.open.discard(name)
        elif heard.method == "DELETE" and name in self.held.manifests:
            self._check_deleted(name)

    def _check_written(self, tag: str, body: bytes) -> None:
        now, digest = self.held.tags.get(tag), f"sha256:{sha256(body).hexdigest()}"
        if REFERRERS_TAG.fullmatch(tag) and b'"manifests"' in body:
            return
        if tag not in self.allowed.tags:
            self._blame(f"{tag} was written, which the plan does not name")
            return
        before, after = self.allowed.tags[tag]
        if is_placeholder(body) and after is not None:
            self._blame(f"a placeholder was written to {tag}, which the plan does not remove")
        elif not is_placeholder(body) and digest not in {after, before}:
            self._blame(f"{tag} was given {digest} in place of {after}")
        elif now not in {before, digest} and not self._is_placeholder(now):
            self._blame(f"{tag} named {now} when it was written; the plan saw {before}")

    def _check_untagged(self, tag: str) -> None:
        now = self.held.tags.get(tag)
        if now is None or (REFERRERS_TAG.fullmatch(tag) and not self._entries(now)):
            return
        if tag not in self.allowed.tags:
            self._blame(f"{tag} was deleted, which the plan does not name")
            return
        before, after = self.allowed.tags[tag]
        if after is not None or now != before:
            self._blame(f"{tag} was deleted, which named {now}; the plan saw {before}, and wants {after}")

    def _check_deleted(self, digest: str) -> None:
        tags = {tag for tag, named in self.held.tags.items() if named == digest}
        if self._is_placeholder(digest):
            if wanted := {tag for tag in tags if self.allowed.tags.get(tag, ("", ""))[1] is not None}:
                self._blame(f"a placeholder was deleted with {wanted}")
        elif tags and all(map(REFERRERS_TAG.fullmatch, tags)) and not self._entries(digest):
            return
        elif digest not in self.allowed.deleted:
            self._blame(f"{digest} was deleted, which the plan does not name")
        else:
            self._check_needs(digest, tags)

    def _check_needs(self, digest: str, tags: set[str]) -> None:
        if lost := tags - self.allowed.named.get(digest, set()):
            self._blame(f"{digest} was deleted with the tags {lost}, which the plan does not name")
        for tag, named in self.held.tags.items():
            if named != digest and not REFERRERS_TAG.fullmatch(tag) and digest in self.held.named(named):
                self._blame(f"{digest} was deleted, although {tag} contains it")
        if lost := {*self.held.referrers(digest)} - self.allowed.deleted:
            self._blame(f"{digest} was deleted, but it has the referrers {lost}, which the plan does not name")

    def _entries(self, digest: str) -> list[object]:
        """What a list of referrers still lists."""
        raw, _ = self.held.manifests.get(digest, (b"{}", ""))
        return [it for it in json.loads(raw).get("manifests", ()) if it["digest"] in self.held.manifests]

    def _is_placeholder(self, digest: str | None) -> bool:
        return is_placeholder(self.held.manifests.get(digest or "", (b"", ""))[0])

    def _blame(self, fault: str) -> None:
        self.faults.append(f"request {self.count}: {fault}")


def is_placeholder(raw: bytes) -> bool:
    """Whether a manifest was written by `untag`, to be deleted in place of another one."""
    return ANNOTATION.encode() in raw
