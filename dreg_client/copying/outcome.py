"""What a copy has done that did not end."""

from collections.abc import Sequence

from dreg_client.errors.stores import listed


def outcome_of(tagged: Sequence[str], blobs: int, *, is_atomic: bool, left_out: Sequence[str] = ()) -> str:
    """Return what a copy that failed or was interrupted has changed, and what the next one will not transfer again.

    Args:
        tagged: The tags that were written.
        blobs: The number of blobs that were transferred.
        is_atomic: Whether nothing stays in the destination, because it is an archive.
        left_out: The digests of the layers that the source does not have.

    Examples:
        >>> outcome_of(["1.4"], 2, is_atomic=False)
        'these tags were already written: 1.4; 2 blobs will not be transferred again'
        >>> outcome_of(["1.4"], 2, is_atomic=True)
        'the archive is as before'
    """
    missing = f"; the source lacks {listed(left_out)}" if left_out else ""
    if is_atomic:
        return f"the archive is as before{missing}"
    written = f"these tags were already written: {listed(tagged)}" if tagged else "no tag was written"
    reusable = f"; {blobs} blob{'' if blobs == 1 else 's'} will not be transferred again" if blobs else ""
    return f"{written}{missing}{reusable}"
