"""The checks of a repository, tag by tag: every document, and with `complete` whether layers exist."""

from threading import Lock
from typing import ClassVar

from dreg_client import errors
from dreg_client.models import rules
from dreg_client.models.index import AnyManifest
from dreg_client.models.parse import Document, parse_manifest
from dreg_client.protocol.content import RawManifest
from dreg_client.validation.report import Report, validate
from dreg_client.validation.walk import Checks, Claim, Step, nested_too_deep, report_of
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family


class RepositoryChecks(Checks):
    """The checks of a repository; threads may share it. Each document below tags is reported at its first mention."""

    verifies_first = True
    reported: ClassVar[tuple[type[errors.DregError], ...]] = (
        errors.IntegrityError,
        errors.UnsupportedDigestError,
        errors.DocumentError,
    )
    absent = "no such thing here"

    def __init__(self, *, complete: bool, pedantic: bool) -> None:
        super().__init__(complete=complete, pedantic=pedantic)
        self._tagged: set[Digest] = set()
        self._seen: set[Digest] = set()
        self._lock = Lock()  # held for one set operation, never while waiting

    def trail(self, digest: Digest, path: str, position: int | None = None) -> str:  # noqa: ARG002 (layouts name items)
        """Return what reports call a member of a document."""
        return f"{digest.short} {path}"

    def check_tagged(self, found: RawManifest) -> tuple[Report, AnyManifest | None, bool]:
        """Return the report of what a tag names, the document, and whether it is the first tag of it."""
        # A document that is tagged and also below another one is reported as both: the order of tags does not matter.
        return *self._checked(found.raw, found.media_type, found.digest), self._is_new(found.digest, self._tagged)

    def step(self, claim: Claim) -> Step | Report:
        """Return what to do for a claim."""
        descriptor = claim.descriptor
        if claim.role == "layer":
            step = Step.LOOK if self.complete and not descriptor.urls else Step.SKIP
        elif claim.role == "config":  # that of an artifact may be anything
            step = Step.READ if claim.family is Family.CONFIG else Step.SKIP
        else:
            step = Step.READ if claim.family in {Family.MANIFEST, Family.INDEX} else Step.SKIP
        if step is Step.SKIP or not self._is_new(descriptor.digest, self._seen):
            return Step.SKIP
        return nested_too_deep(claim) or step

    def check(self, claim: Claim, raw: bytes) -> tuple[Report, Document | None]:
        """Check a document by its rules, as the media type of its descriptor, if it says one."""
        digest = claim.descriptor.digest
        if claim.role == "config":
            return validate(raw, kind="image-config", expect=digest, pedantic=self.pedantic), None
        return self._checked(raw, claim.descriptor.media_type or None, digest)

    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a document that is not the one that its descriptor names."""
        expected = f"the config that {claim.trail} names" if claim.role == "config" else claim.named
        return report_of(claim, rules.error("LYT-03", "$", str(failure), expected))

    def _checked(self, raw: bytes, media_type: str | None, digest: Digest) -> tuple[Report, AnyManifest | None]:
        report = validate(raw, media_type=media_type, expect=digest, pedantic=self.pedantic)
        try:
            return report, parse_manifest(raw, media_type, strict=False)
        except errors.DregError:
            return report, None

    def _is_new(self, digest: Digest, among: set[Digest]) -> bool:
        with self._lock:
            is_new = digest not in among
            among.add(digest)
            return is_new
