"""The tags under which cosign keeps signatures, attestations and SBOMs of a manifest."""

from typing import Final

from dreg_client.values.digest import Digest

_SUFFIXES: Final = (".sig", ".att", ".sbom")


def cosign_tags(digest: Digest) -> tuple[str, ...]:
    """Return the tags that cosign writes about a manifest.

    Examples:
        >>> cosign_tags(Digest.of(b"{}"))[0]
        'sha256-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a.sig'
    """
    return tuple(f"{digest.algorithm}-{digest.encoded}{suffix}" for suffix in _SUFFIXES)
