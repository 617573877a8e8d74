"""JSON Schemas (draft 2020-12) of documents, generated from their models, and the rulebook.

Examples:
    >>> from dreg_client.schemagen import schema
    >>> schema("oci-manifest")["title"]
    'OCI image manifest'
"""

from dreg_client.schemagen.folder import Stale, check, write
from dreg_client.schemagen.openapi import components
from dreg_client.schemagen.rulebook import RuleEntry, RuleFamily, families, rules
from dreg_client.schemagen.schemas import NAMES, Mode, schema, text

__all__ = [
    "NAMES",
    "Mode",
    "RuleEntry",
    "RuleFamily",
    "Stale",
    "check",
    "components",
    "families",
    "rules",
    "schema",
    "text",
    "write",
]
