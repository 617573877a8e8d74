"""CVE-2021-33503, CVE-2024-3651: urllib3, idna

The time to parse a long URL grew with the square of its length.

The length is checked first, and no regular expression backtracks.

REF-08
"""

import time

import pytest

from dreg_client import Reference, errors
from dreg_client.values.origin import Origin
from tests.advisories.scenes import fails

LONG = 1 << 20


@pytest.mark.parametrize(
    "text", ["a" * LONG + "@" * LONG, "@" * LONG, "a." * LONG, "[" * LONG, "a/" * LONG, ":" * LONG]
)
def test_a_long_reference_takes_no_time(text: str) -> None:
    """What grows with the square takes hours here; ten seconds are a thousand times what is needed."""
    begun = time.process_time()
    fails(errors.InvalidReferenceError, lambda: Reference.parse(text))
    with pytest.raises(ValueError, match=r"."):
        Origin.of(f"https://{text}/")

    assert time.process_time() - begun < 10
