"""What is remembered has a bound: the oldest makes room for the new."""

from dreg_client.values.latest import Latest


def test_a_new_value_takes_the_place_of_the_oldest_alone() -> None:
    kept = Latest[int, str](3)
    for number in range(4):
        kept.put(number, str(number))

    assert [kept.get(number) for number in range(4)] == [None, "1", "2", "3"]
    assert len(kept) == 3


def test_a_value_of_the_same_key_takes_no_other_place() -> None:
    kept = Latest[int, str](2)
    for value in ("a", "b"):
        kept.put(1, value)
        kept.put(2, value)

    assert (kept.get(1), kept.get(2)) == ("b", "b")


def test_what_is_forgotten_is_gone() -> None:
    kept = Latest[int, str](2)
    kept.put(1, "a")
    kept.clear()

    assert (len(kept), kept.get(1)) == (0, None)


def test_the_oldest_make_room_for_a_large_one() -> None:
    kept = Latest[int, str](10, 10, len)
    for number in range(4):
        kept.put(number, "xyz")

    assert [*kept] == [1, 2, 3]
    kept.put(4, "x" * 10)
    assert [*kept] == [4]
    kept.put(5, "x" * 11)
    assert not kept
