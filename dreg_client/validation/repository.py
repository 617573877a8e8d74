"""The checks of a repository: every document below every tag, and with `complete`, whether layers exist."""

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
    """The checks of a repository. Each document is reported once. Threads may share an instance."""

    verifies_first = True
    reported: ClassVar[tuple[type[errors.DregError], ...]] = (
        errors.IntegrityError,
        errors.UnsupportedDigestError,
        errors.DocumentError,
    )
    absent = "no such manifest or blob"

    def __init__(self, *, complete: bool, pedantic: bool) -> None:
        super().__init__(complete=complete, pedantic=pedantic)
        self._tagged: set[Digest] = set()
        self._seen: set[Digest] = set()
        self._lock = Lock()  # held for one set operation, never while waiting

    def trail(self, digest: Digest, path: str, position: int | None = None) -> str:  # noqa: ARG002 (layouts name items)
        """Return the name of a member of a document in reports."""
        return f"{digest.short} {path}"

    def check_tagged(self, found: RawManifest) -> tuple[Report, AnyManifest | None, bool]:
        """Return the report of a tagged document, the document, and whether no earlier tag had the same digest."""
        # A document that is tagged and also below another one is reported for both, in any order of the tags.
        return *self._checked(found.raw, found.media_type, found.digest), self._is_new(found.digest, self._tagged)

    def step(self, claim: Claim) -> Step | Report:
        """Return the next step for a claim."""
        descriptor = claim.descriptor
        if claim.role == "layer":
            step = Step.LOOK if self.complete and not descriptor.urls else Step.SKIP
        elif claim.role == "config":  # the config of an artifact may have any format
            step = Step.READ if claim.family is Family.CONFIG else Step.SKIP
        else:
            step = Step.READ if claim.family in {Family.MANIFEST, Family.INDEX} else Step.SKIP
        if step is Step.SKIP or not self._is_new(descriptor.digest, self._seen):
            return Step.SKIP
        return nested_too_deep(claim) or step

    def check(self, claim: Claim, raw: bytes) -> tuple[Report, Document | None]:
        """Validate a document with the media type of its descriptor, if that has one."""
        digest = claim.descriptor.digest
        if claim.role == "config":
            return validate(raw, kind="image-config", expect=digest, pedantic=self.pedantic), None
        return self._checked(raw, claim.descriptor.media_type or None, digest)

    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a document that does not match its descriptor."""
        expected = f"the config in {claim.trail}" if claim.role == "config" else claim.named
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
