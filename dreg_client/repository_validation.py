"""Validation of a repository: what each tag names, all documents below it, and how they fit together."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from dreg_client import errors
from dreg_client.asks import Named, RawManifest, config_of, name_in, proven_bytes, raw_manifest
from dreg_client.errors.problems import Problem
from dreg_client.models import rules
from dreg_client.models.config import layer_count_remarks
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import parse_manifest
from dreg_client.store import Store
from dreg_client.validation.report import Report, validate
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import CONFIGS, Family

MAX_NESTED: Final = 8


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """What came of one document.

    Attributes:
        name: The tag, or the digest of what is below one.
        report: What is wrong with it.
    """

    name: str
    report: Report


@dataclass(slots=True)
class RepositoryValidation:
    """The validation of one store, tag by tag; any number of threads may share it.

    Attributes:
        store: The store.
        complete: Whether what documents name must be there (LYT-04). Only then are layers looked for;
            they are never read.
        pedantic: Whether notes are reported, too.
    """

    store: Store
    complete: bool = False
    pedantic: bool = False
    _tagged: set[Digest] = field(default_factory=set[Digest])
    _seen: set[Digest] = field(default_factory=set[Digest])
    _own: Lock = field(default_factory=Lock, repr=False)

    def tag(self, name: Named) -> Iterator[DocumentReport]:
        """Validate what a tag, a digest or a descriptor names, and all below it that was not seen yet.

        Raises:
            DregError: The tag itself cannot be read.
        """
        found = self.store.run(raw_manifest(name))
        report = validate(found.raw, media_type=found.media_type, pedantic=self.pedantic)
        is_new = self._is_new(found.digest, self._tagged)
        yield DocumentReport(name_in(name), self._fitting(report, found))
        if is_new:
            yield from self._below(found, 1)

    def _below(self, found: RawManifest, depth: int) -> Iterator[DocumentReport]:
        match _parsed(found):
            case Index() as index:
                for entry in index.manifests:
                    yield from self._child(entry, f"{found.digest.short} $.manifests", depth)
            case ImageManifest() as manifest:
                yield from self._config(manifest)
                yield from self._content(manifest)
            case None:
                pass

    def _child(self, entry: Descriptor, trail: str, depth: int) -> Iterator[DocumentReport]:
        if entry.family not in {Family.MANIFEST, Family.INDEX} or not self._is_new(entry.digest):
            return
        if depth > MAX_NESTED:
            yield _lone(
                entry, rules.error("GEN-04", "$", f"an index at level {depth}, see {trail}", f"at most {MAX_NESTED}")
            )
            return
        try:
            found = self.store.run(raw_manifest(entry))
        except errors.NotFoundError:
            yield _lone(entry, self._missing(entry, trail))
        except (errors.IntegrityError, errors.UnsupportedDigestError, errors.DocumentError) as failure:
            yield _lone(entry, rules.error("LYT-03", "$", str(failure), f"the {entry.media_type} that {trail} names"))
        else:
            report = validate(found.raw, media_type=entry.media_type, pedantic=self.pedantic)
            yield DocumentReport(entry.digest, self._fitting(report, found))
            yield from self._below(found, depth + 1)

    def _config(self, manifest: ImageManifest) -> Iterator[DocumentReport]:
        """The config of an image; that of an artifact is whatever it is."""
        config = manifest.config
        if config.media_type not in CONFIGS or not self._is_new(config.digest):
            return
        trail = f"{manifest.digest.short} $.config"
        try:
            raw = self.store.run(proven_bytes(config, limit=MAX_DOCUMENT, is_blob=True))
        except errors.NotFoundError:
            yield _lone(config, self._missing(config, trail))
        except (errors.IntegrityError, errors.UnsupportedDigestError) as failure:
            yield _lone(config, rules.error("LYT-03", "$", str(failure), f"the config that {trail} names"))
        else:
            report = validate(raw, media_type=config.media_type, pedantic=self.pedantic)
            yield DocumentReport(config.digest, report)

    def _content(self, manifest: ImageManifest) -> Iterator[DocumentReport]:
        """Whether the layers are there; they are not read."""
        for layer in manifest.layers if self.complete else ():
            if layer.urls or not self._is_new(layer.digest):
                continue
            if not self.store.has_blob(layer.digest):
                yield _lone(layer, self._missing(layer, f"{manifest.digest.short} $.layers"))

    def _is_new(self, digest: Digest, among: set[Digest] | None = None) -> bool:
        """Whether nobody has come to it yet; what is tagged, and below another one as well, is told as both."""
        seen = self._seen if among is None else among
        with self._own:
            if digest in seen:
                return False
            seen.add(digest)
            return True

    def _missing(self, entry: Descriptor, trail: str) -> Problem:
        verdict = rules.error if self.complete else rules.warning
        return verdict("LYT-04", "$", "no such thing here", f"the {entry.media_type} that {trail} names")

    def _fitting(self, report: Report, found: RawManifest) -> Report:
        """CFG-21: as many diff_ids as layers; what is wrong with the config itself is told at its own place."""
        manifest = _parsed(found)
        if not isinstance(manifest, ImageManifest) or manifest.config.media_type not in CONFIGS:
            return report
        try:
            config = self.store.run(config_of(manifest))
        except errors.DregError:
            return report
        return replace(report, problems=(*report.problems, *layer_count_remarks(config, len(manifest.layers))))


def _parsed(found: RawManifest) -> AnyManifest | None:
    try:
        return parse_manifest(found.raw, found.media_type)
    except errors.DregError:
        return None


def _lone(entry: Descriptor, problem: Problem) -> DocumentReport:
    return DocumentReport(entry.digest, Report(None, entry.digest, entry.size, (problem,)))
