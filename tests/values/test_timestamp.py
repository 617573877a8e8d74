"""Dates and times: RFC 3339 to the letter, of days that exist."""

import calendar
import pickle
import re
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client.values.timestamp import TIMESTAMP_PATTERN, Timestamp


@given(year=st.integers(0, 9999), month=st.integers(0, 13), day=st.integers(0, 32))
def test_a_day_is_accepted_exactly_when_the_calendar_has_it(year: int, month: int, day: int) -> None:
    leap_year_like = 2000 if calendar.isleap(year) else 2001  # Python's calendar has no year 0
    exists = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(leap_year_like, month)[1]

    found = re.fullmatch(TIMESTAMP_PATTERN, f"{year:04}-{month:02}-{day:02}T00:00:00Z")

    assert (found is not None) is exists


@given(moment=st.datetimes(timezones=st.just(UTC)), digits=st.integers(0, 9))
def test_a_moment_survives_its_text(moment: object, digits: int) -> None:
    text = str(moment).replace(" ", "T").removesuffix("+00:00")
    text += ("0" * digits if "." in text else "") + "Z"

    assert Timestamp(text).datetime == moment
    assert pickle.loads(pickle.dumps(Timestamp(text))) == text


@pytest.mark.parametrize(
    "text",
    [
        "2006-01-02T15:04:05Z",
        "2024-02-29t23:59:59.999999999-00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:60z",
        "0000-02-29T00:00:00+23:59",
        "2000-02-29T00:00:00.0Z",
        "2024-01-01T00:00:00." + "1" * 40 + "Z",
    ],
)
def test_a_date_of_the_grammar_is_accepted_and_has_a_moment(text: str) -> None:
    assert Timestamp(text) == text
    assert Timestamp(text).datetime.tzinfo is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-01-01",
        "2024-01-01T10:00:00",
        "2024-01-01 10:00:00Z",
        "2024-01-01T10:00:61Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T10:60:00Z",
        "2024-01-01T10:00:00+24:00",
        "2024-01-01T10:00:00+0200",
        "2024-1-01T10:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "12024-01-01T00:00:00Z",
        "\u0662024-01-01T00:00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00Z\n",
        " 2024-01-01T00:00:00Z",
        "1700000000",
        "x" * (1 << 20),
    ],
)
def test_tim_01_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="TIM-01"):
        Timestamp(text)


def test_a_leap_second_is_the_second_after_it() -> None:
    assert Timestamp("2016-12-31T23:59:60Z").datetime == Timestamp("2017-01-01T00:00:00Z").datetime
    assert repr(Timestamp("2017-01-01T00:00:00Z")) == "Timestamp('2017-01-01T00:00:00Z')"
