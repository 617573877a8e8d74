"""JSON Schemas (draft 2020-12) generated from the models of documents, and the rulebook.

Examples:
    >>> from dreg_client.schemagen import schema
    >>> schema("oci-manifest")["title"]
    'OCI image manifest'
"""

from dreg_client.schemagen.folder import Stale as Stale
from dreg_client.schemagen.folder import check as check
from dreg_client.schemagen.folder import write as write
from dreg_client.schemagen.rulebook import RuleEntry as RuleEntry
from dreg_client.schemagen.rulebook import RuleFamily as RuleFamily
from dreg_client.schemagen.rulebook import families as families
from dreg_client.schemagen.rulebook import rules as rules
from dreg_client.schemagen.schemas import NAMES as NAMES
from dreg_client.schemagen.schemas import Mode as Mode
from dreg_client.schemagen.schemas import components as components
from dreg_client.schemagen.schemas import schema as schema
from dreg_client.schemagen.schemas import text as text
