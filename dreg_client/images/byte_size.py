"""Sizes in bytes as text."""

from typing import Final

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def byte_size(octets: int) -> str:
    """Format a number of bytes, in powers of 1024.

    Examples:
        >>> byte_size(532), byte_size(32_654), byte_size(2**63 - 1)
        ('532 B', '31.9 KiB', '8.0 EiB')
    """
    amount, unit = float(octets), 0
    while amount >= 1023.95 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{octets} B" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
