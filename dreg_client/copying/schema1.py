"""Manifests of Docker's schema 1, which cannot be copied."""

from typing import Final

from dreg_client import errors
from dreg_client.models.descriptor import Descriptor
from dreg_client.values.media_type import Family

_REASON: Final = "which cannot be copied, because registries no longer accept it; build the image again"


def check_is_modern(descriptor: Descriptor) -> None:
    """Raise UnsupportedError for a manifest of schema 1."""
    if descriptor.family is Family.SCHEMA1:
        raise errors.UnsupportedError(f"{descriptor.digest} is a manifest of Docker's schema 1, {_REASON}")
