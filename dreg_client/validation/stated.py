"""Validate a document with what its store states about it, such as the columns beside it."""

from typing import Final

from dreg_client.models import rules
from dreg_client.models.kinds import KIND_NAMES
from dreg_client.models.paths import show
from dreg_client.validation.dumps import LineRules
from dreg_client.validation.report import NO_BYTES, Report, validate
from dreg_client.values.digest import Digest


def validate_as(raw: bytes, kind: str | None, media_type: str | None, how: LineRules) -> Report:
    """Validate a document. A kind that is unknown is a problem (GEN-12), not an error.

    Args:
        raw: The document.
        kind: The kind as stored; if None or empty, that of `how` applies.
        media_type: The media type as stored; if None or empty, that of `how` applies.
        how: How to validate it.
    """
    kind, media_type = kind or how.kind, media_type or how.media_type
    if kind is not None and kind not in KIND_NAMES:
        unknown = rules.error("GEN-12", "$", f"the kind {show(kind)}", f"a known kind: {', '.join(KIND_NAMES)}")
        return Report(None, Digest.of(raw), len(raw), (unknown,))
    return validate(raw, media_type=media_type or None, kind=kind, pedantic=how.pedantic)


NULL_REPORT: Final = Report(None, NO_BYTES, 0, (rules.error("GEN-01", "$", "null", "a JSON document"),))
"""The report of a null in place of a document."""
