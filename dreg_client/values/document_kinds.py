"""The names of the kinds of documents, without the models that read them: the command line needs no more to parse."""

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
