"""Manifests of Docker's schema 1, which cannot be copied."""

from typing import Final

from dreg_client import errors
from dreg_client.models.descriptor import Descriptor
from dreg_client.values.media_type import Family

_ADVICE: Final = "schema 1 cannot be copied, because registries no longer accept it; build the image again"


def check_is_modern(descriptor: Descriptor) -> None:
    """Raise UnsupportedMediaTypeError for a manifest of schema 1."""
    if descriptor.family is Family.SCHEMA1:
        raise errors.UnsupportedMediaTypeError(descriptor.media_type, descriptor.digest, _ADVICE)
