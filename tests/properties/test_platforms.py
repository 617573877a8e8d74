"""Platforms of an image beside the collections that they compare with."""

from collections.abc import Collection, Hashable

from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Platform
from dreg_client.images.image import Platforms

# Few platforms, and two spellings of one, so that equal collections are frequent.
PLATFORM = st.sampled_from(["linux/amd64", "linux/x86_64", "linux/arm64", "linux/arm64/v8", "linux/arm/v7"]).map(
    Platform.from_name
)
COLLECTION = st.builds(
    lambda kind, items: kind(items),
    st.sampled_from([Platforms, tuple, list, set, frozenset, lambda items: dict.fromkeys(items).keys()]),
    st.lists(PLATFORM, max_size=3),
)


@given(COLLECTION, COLLECTION)
def test_what_is_equal_and_can_be_hashed_has_one_hash(one: Collection[Platform], other: Collection[Platform]) -> None:
    if one == other and isinstance(one, Hashable) and isinstance(other, Hashable):
        assert hash(one) == hash(other)


@given(COLLECTION, COLLECTION)
def test_equality_has_no_sides(one: Collection[Platform], other: Collection[Platform]) -> None:
    assert (one == other) is (other == one)
    assert (one != other) is not (one == other)


@given(st.lists(PLATFORM, max_size=3), st.lists(PLATFORM, max_size=3))
def test_platforms_equal_what_they_would_equal_as_a_tuple_and_as_a_set(
    one: list[Platform], other: list[Platform]
) -> None:
    platforms = Platforms(one)

    assert (platforms == tuple(other)) is (platforms == Platforms(other)) is (one == other)
    assert (platforms == set(other)) is (platforms == frozenset(other)) is (set(one) == set(other))
    assert platforms != one
