"""The names of the kinds of documents; a module without models, so that the command line can import it quickly."""

from typing import Final, Literal, get_args

Kind = Literal[
    "descriptor",
    "oci-manifest",
    "docker-manifest",
    "oci-index",
    "docker-manifest-list",
    "image-config",
    "image-layout",
    "legacy-manifest",
]
KIND_NAMES: Final[tuple[Kind, ...]] = get_args(Kind)
