"""The rules that a document can break: their ids, and the clauses of the specification that they come from.

File names without a specification belong to the OCI image specification v1.1.1. "ours" marks rules without a clause.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from dreg_client.errors.problems import Problem, Severity

MOST_REPORTED: Final = 1000
"""The maximum number of reported problems of each severity. One more problem states that the others are omitted."""
_DESCRIPTOR = 'descriptor.md "Properties"'
_PLATFORM = 'image-index.md "platform"'
_MANIFEST = 'manifest.md "Image Manifest Property Descriptions"'
_INDEX = 'image-index.md "Image Index Property Descriptions"'
_CONFIG = 'config.md "Properties"'
_DOCKER_MANIFEST = 'distribution manifest-v2-2 "Image Manifest Field Descriptions"'
_DOCKER_LIST = 'distribution manifest-v2-2 "Manifest List Field Descriptions"'
_LAYOUT = "image-layout.md"
_STORAGE = "distribution registry/storage/paths.go"

CLAUSES: dict[str, str] = {
    "GEN-01": 'considerations.md "JSON" (main), RFC 8259, RFC 7493',
    "GEN-02": 'considerations.md "JSON" (main), RFC 7493 2.3',
    "GEN-03": 'considerations.md "JSON" (main); descriptor.md "Properties": int64',
    "GEN-04": "ours: nesting is limited",
    "GEN-05": 'distribution-spec "Pushing Manifests": at least 4 megabytes',
    "GEN-06": 'ours: distribution-spec "Pulling manifests", CVE-2021-41190',
    "GEN-07": 'distribution-spec "Pulling manifests", "Pushing Manifests"',
    "GEN-08": "ours: Go's JSON decoder ignores letter case, CVE-2021-41190",
    "GEN-09": 'considerations.md "Extensibility"',
    "GEN-10": "image-index.md, manifest.md, config.md: the list is REQUIRED",
    "GEN-11": 'descriptor.md "Properties", "Verification"',
    "GEN-12": "manifest.md: config, unknown types are not parsed",
    "GEN-13": "ours: the length of strings is limited",
    "DIG-01": 'descriptor.md "Digests"',
    "DIG-02": 'descriptor.md "SHA-256", "SHA-512", "BLAKE3" (main)',
    "DIG-03": 'descriptor.md "Registered algorithms"',
    "MED-01": 'descriptor.md "Properties"; RFC 6838 4.2',
    "URI-01": f"{_DESCRIPTOR}: urls; RFC 3986",
    "URI-02": f"{_DESCRIPTOR}: urls",
    "ANN-01": 'annotations.md "Rules"',
    "ANN-02": 'annotations.md "Pre-Defined Annotation Keys"',
    "ANN-03": 'annotations.md "Rules"',
    "TIM-01": f"{_CONFIG}: created; RFC 3339 5.6",
    "DSC-01": f"{_DESCRIPTOR}: mediaType",
    "DSC-02": f"{_DESCRIPTOR}: digest",
    "DSC-03": f"{_DESCRIPTOR}: size",
    "DSC-04": f"{_DESCRIPTOR}: urls",
    "DSC-05": f"{_DESCRIPTOR}: annotations",
    "DSC-06": f"{_DESCRIPTOR}: data; RFC 4648 4",
    "DSC-07": 'descriptor.md "Embedded Content"',
    "DSC-08": f"{_DESCRIPTOR}: artifactType",
    "DSC-09": 'image-index.md "manifests": platform',
    "DSC-10": 'descriptor.md "Digest calculations"',
    "DSC-11": 'layer.md "Non-Distributable Layers"; manifest.md: layers, mediaType',
    "PLT-01": f"{_PLATFORM}: architecture, os",
    "PLT-02": f"{_PLATFORM}: os.version, variant",
    "PLT-03": f"{_PLATFORM}: os.features, features",
    "PLT-04": f"{_PLATFORM}: GOOS, GOARCH",
    "MAN-01": f"{_MANIFEST}: schemaVersion",
    "MAN-02": f"{_MANIFEST}: mediaType",
    "MAN-03": f"{_MANIFEST}: artifactType",
    "MAN-04": 'manifest.md "Guidelines for Artifact Usage"',
    "MAN-05": f"{_MANIFEST}: config",
    "MAN-06": 'manifest.md "Guidance for an Empty Descriptor"',
    "MAN-07": f"{_MANIFEST}: layers",
    "MAN-08": f"{_MANIFEST}: layers, for portability",
    "MAN-09": f"{_MANIFEST}: subject",
    "MAN-10": f"{_MANIFEST}: annotations",
    "MAN-11": f"{_MANIFEST}: config, mediaType",
    "DKM-01": f"{_DOCKER_MANIFEST}: schemaVersion",
    "DKM-02": f"{_DOCKER_MANIFEST}: mediaType",
    "DKM-03": f"{_DOCKER_MANIFEST}: config",
    "DKM-04": f"{_DOCKER_MANIFEST}: layers",
    "DKM-05": f"ours: not defined in {_DOCKER_MANIFEST}",
    "SC1-01": "distribution manifest-v2-1 (deprecated)",
    "IDX-01": f"{_INDEX}: schemaVersion",
    "IDX-02": f"{_INDEX}: mediaType",
    "IDX-03": f"{_INDEX}: manifests",
    "IDX-04": f"{_INDEX}: manifests, mediaType",
    "IDX-05": f"{_INDEX}: platform",
    "IDX-06": f"{_INDEX}: artifactType",
    "IDX-07": f"{_INDEX}: subject",
    "IDX-08": f"{_INDEX}: annotations",
    "IDX-09": "ours: image-index.md, the first match SHOULD be used",
    "IDX-10": "ours: the number of entries is limited",
    "DKL-01": f"{_DOCKER_LIST}: schemaVersion",
    "DKL-02": f"{_DOCKER_LIST}: mediaType",
    "DKL-03": f"{_DOCKER_LIST}: manifests",
    "DKL-04": f"{_DOCKER_LIST}: platform",
    "CFG-01": f"{_CONFIG}: architecture, os",
    "CFG-02": f"{_CONFIG}: created",
    "CFG-03": f"{_CONFIG}: author, variant, os.version",
    "CFG-04": f"{_CONFIG}: os.features",
    "CFG-05": f"{_CONFIG}: rootfs, type",
    "CFG-06": f"{_CONFIG}: rootfs, diff_ids",
    "CFG-07": f"{_CONFIG}: config",
    "CFG-08": f"{_CONFIG}: User, WorkingDir, StopSignal",
    "CFG-09": f"{_CONFIG}: Env",
    "CFG-10": f"{_CONFIG}: Entrypoint, Cmd, Shell, OnBuild",
    "CFG-11": f"{_CONFIG}: ExposedPorts, Volumes",
    "CFG-12": f"{_CONFIG}: ExposedPorts",
    "CFG-13": f"{_CONFIG}: Labels",
    "CFG-14": f"{_CONFIG}: ArgsEscaped",
    "CFG-15": f"{_CONFIG}: Healthcheck; moby image specification v1.2",
    "CFG-16": f"{_CONFIG}: history",
    "CFG-17": f"{_CONFIG}: history, created",
    "CFG-18": f"{_CONFIG}: history, created_by, author, comment",
    "CFG-19": f"{_CONFIG}: history, empty_layer",
    "CFG-20": f"{_CONFIG}: history, empty_layer",
    "CFG-21": 'config.md "Layer DiffID"',
    "LYT-01": f'{_LAYOUT} "oci-layout file"',
    "LYT-02": f'{_LAYOUT} "index.json file"',
    "LYT-03": f'{_LAYOUT} "Blobs"',
    "LYT-04": f'ours: a layout should be complete; {_LAYOUT} "Blobs" allows blobs elsewhere',
    "LYT-05": f"{_DESCRIPTOR}: size, mediaType",
    "LYT-06": "annotations.md: org.opencontainers.image.ref.name",
    "LYT-07": f'ours: {_LAYOUT} "index.json file"',
    "LYT-08": f'ours: {_LAYOUT} "Blobs"',
    "LYT-09": f'{_LAYOUT} "Content"',
    "LYT-10": f'{_LAYOUT} "Blobs"',
    "STO-01": _STORAGE,
    "STO-02": f'{_STORAGE}; descriptor.md "Verification"',
    "STO-03": _STORAGE,
    "STO-04": f"ours: {_STORAGE}",
    "STO-05": f"ours: {_STORAGE}",
    "STO-06": _STORAGE,
    "STO-07": f"ours: {_STORAGE}",
}

_EMPTY = "an empty string is read as the type of the document"
_NULL = "`null` is read as an empty string; values of other types are rejected"
LENIENT_RULES: Final[Mapping[str, str]] = {
    "MED-01": "the text is kept as written",
    "URI-01": "the text is kept as written",
    "ANN-01": _NULL,
    "TIM-01": "the date is read as None",
    "DSC-06": "the text is kept as written, and `embedded` is None",
    "MAN-02": _EMPTY,
    "DKM-02": _EMPTY,
    "IDX-02": _EMPTY,
    "DKL-02": _EMPTY,
    "CFG-13": _NULL,
    "CFG-15": "a negative number is kept; values of other types are rejected",
}
"""The rules whose errors `strict=False` accepts, and how it reads the value.

The value has the right JSON type, and only its grammar is wrong. Errors that make the content uncertain are never
accepted: digests, sizes, duplicate names, kinds of documents, required members, limits. A wrong `rootfs.type` is not
accepted either, because config.md requires an error.
"""


def _problem(severity: Severity, rule: str, path: str, found: str, expected: str) -> Problem:
    return Problem(rule, severity, path, found, expected, CLAUSES[rule])


error: Final = partial(_problem, Severity.ERROR)  # the document is invalid
warning: Final = partial(_problem, Severity.WARNING)  # the document is valid
note: Final = partial(_problem, Severity.NOTE)  # reported only on request


def first_ones(problems: Iterable[Problem], *, until: Severity = Severity.ERROR) -> list[Problem]:
    """Return the first problem of each rule and path, at most `MOST_REPORTED` of each severity.

    If there are more, one more problem is returned that states it. The search ends when there are more of severity
    `until`.
    """
    first: dict[tuple[str, str], Problem] = {}
    count: dict[Severity, int] = defaultdict(int)
    for problem in problems:
        place, severity = (problem.rule, problem.path), problem.severity
        if place in first:
            continue
        count[severity] += 1
        if count[severity] <= MOST_REPORTED:
            first[place] = problem
        elif count[severity] == MOST_REPORTED + 1:
            end = f"; only the first {MOST_REPORTED + 1:,} {severity}s of this document are listed"
            first[place] = replace(problem, found=problem.found.removesuffix(end) + end)
        if count[until] > MOST_REPORTED:
            break
    return list(first.values())


def has_error(problems: Iterable[Problem]) -> bool:
    """Return whether any problem is an error."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def are_readable(problems: Iterable[Problem]) -> bool:
    """Return whether `strict=False` accepts all errors among the problems."""
    return all(problem.rule in LENIENT_RULES for problem in problems if problem.severity is Severity.ERROR)
