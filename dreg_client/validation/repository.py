"""The checks of a repository, tag by tag: every document, and with `complete` whether layers exist."""

from threading import Lock

from dreg_client import errors
from dreg_client.models import rules
from dreg_client.models.index import AnyManifest
from dreg_client.models.parse import Document, parse_manifest
from dreg_client.protocol.content import RawManifest
from dreg_client.validation.claims import Claim, report_of
from dreg_client.validation.report import Report, validate
from dreg_client.validation.walk import Checks, Step, nested_too_deep
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import CONFIGS, Family


class RepositoryChecks(Checks):
    """The checks of a repository. Each document below tags is reported once, at its first mention.

    Several threads may share it: each walks from another tag.
    """

    verifies_first = True
    reported = (errors.IntegrityError, errors.UnsupportedDigestError, errors.DocumentError)
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
        """Return the report of what a tag names, the document, and whether it is the first tag of it.

        A document that is tagged, and below another one as well, is reported as both: then the order of tags does not
        matter.
        """
        report = validate(found.raw, media_type=found.media_type, pedantic=self.pedantic)
        return report, _parsed(found.raw, found.media_type), self._is_new(found.digest, self._tagged)

    def step(self, claim: Claim) -> Step | Report:
        """Return what to do for a claim."""
        step = self._step(claim)
        if step is Step.SKIP or not self._is_new(claim.descriptor.digest, self._seen):
            return Step.SKIP
        return nested_too_deep(claim) or step

    def _step(self, claim: Claim) -> Step:
        descriptor = claim.descriptor
        match claim.role:
            case "entry":
                return Step.READ if descriptor.family in {Family.MANIFEST, Family.INDEX} else Step.SKIP
            case "config":  # that of an artifact may be anything
                return Step.READ if descriptor.media_type in CONFIGS else Step.SKIP
            case "layer":
                return Step.LOOK if self.complete and not descriptor.urls else Step.SKIP

    def check(self, claim: Claim, raw: bytes) -> tuple[Report, Document | None]:
        """Check a document by its rules, as the media type of its descriptor."""
        media_type = claim.descriptor.media_type
        report = validate(raw, media_type=media_type, pedantic=self.pedantic)
        return report, None if claim.role == "config" else _parsed(raw, media_type)

    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a document that is not the one that its descriptor names."""
        expected = f"the config that {claim.trail} names" if claim.role == "config" else claim.named
        return report_of(claim.descriptor, rules.error("LYT-03", "$", str(failure), expected))

    def _is_new(self, digest: Digest, among: set[Digest]) -> bool:
        with self._lock:
            if digest in among:
                return False
            among.add(digest)
            return True


def _parsed(raw: bytes, media_type: str) -> AnyManifest | None:
    try:
        return parse_manifest(raw, media_type)
    except errors.DregError:
        return None
