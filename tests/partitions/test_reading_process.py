"""The process that reads files which may end it."""

from collections.abc import Iterator

import pytest

from dreg_client.partitions.run.reading import ReadingProcess


def read(text: str) -> Iterator[str]:
    """Yield the letters of a text, up to a full stop."""
    for letter in text:
        if letter == ".":
            raise OSError(text)
        yield letter


@pytest.fixture
def reading() -> Iterator[ReadingProcess[str, str]]:
    found = ReadingProcess[str, str](read)
    yield found
    found.close()


def test_results_after_an_error_are_those_of_what_is_read_next(reading: ReadingProcess[str, str]) -> None:
    before = list[str]()
    with pytest.raises(OSError, match="ab"):
        before.extend(reading.results("ab.cd"))

    assert [*reading.results("ef")] == ["e", "f"]
    assert [*reading.results("")] == []
    assert [*reading.results("gh")] == ["g", "h"]


def test_results_that_are_not_taken_are_not_among_those_of_what_is_read_next(
    reading: ReadingProcess[str, str],
) -> None:
    results = reading.results("abc")
    assert next(results) == "a"
    results.close()  # type: ignore[attr-defined]

    assert [*reading.results("de")] == ["d", "e"]
