"""Choosing a platform: every row of the table, and what holds for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Platform
from dreg_client.values.platform import choose

Row = tuple[int, str, tuple[str | None, ...], int | None]

# number, wanted, candidates in order (None: an entry without a platform), position of the chosen one
ROWS: list[Row] = [
    (1, "linux/amd64", ("linux/amd64",), 0),
    (
        2,
        "linux/amd64",
        (
            "linux/arm64",
            "linux/amd64",
        ),
        1,
    ),
    (
        3,
        "linux/amd64",
        (
            "linux/amd64",
            "linux/amd64",
        ),
        0,
    ),
    (4, "linux/x86_64", ("linux/amd64",), 0),
    (5, "Linux/AMD64", ("linux/amd64",), 0),
    (6, "linux/amd64/v1", ("linux/amd64",), 0),
    (7, "linux/amd64", ("linux/amd64/v1",), 0),
    (8, "linux/amd64", ("linux/amd64/v2",), None),
    (
        9,
        "linux/amd64",
        (
            "linux/amd64/v3",
            "linux/amd64",
        ),
        1,
    ),
    (
        10,
        "linux/amd64/v3",
        (
            "linux/amd64",
            "linux/amd64/v2",
            "linux/amd64/v3",
        ),
        2,
    ),
    (
        11,
        "linux/amd64/v3",
        (
            "linux/amd64/v4",
            "linux/amd64",
        ),
        1,
    ),
    (12, "linux/amd64/v2", ("linux/amd64/v3",), None),
    (
        13,
        "linux/amd64/v4",
        (
            "linux/amd64/v1",
            "linux/amd64",
        ),
        0,
    ),
    (14, "linux/amd64", ("linux/386",), None),
    (15, "linux/arm64", ("linux/arm64/v8",), 0),
    (16, "linux/arm64/v8", ("linux/arm64",), 0),
    (17, "linux/aarch64", ("linux/arm64/v8",), 0),
    (
        18,
        "linux/arm64",
        (
            "linux/arm64/v8",
            "linux/arm64",
        ),
        0,
    ),
    (19, "linux/arm64", ("linux/arm64/v8.1",), None),
    (
        20,
        "linux/arm64/v8.2",
        (
            "linux/arm64",
            "linux/arm64/v8.1",
        ),
        1,
    ),
    (
        21,
        "linux/arm64/v9",
        (
            "linux/arm64/v8.6",
            "linux/arm64",
        ),
        1,
    ),
    (
        22,
        "linux/arm64/v9.2",
        (
            "linux/arm64/v8.7",
            "linux/arm64/v9",
        ),
        1,
    ),
    (23, "linux/arm64/v9.0", ("linux/arm64/v9",), 0),
    (24, "linux/arm64", ("linux/arm/v7",), None),
    (25, "linux/arm64", ("linux/arm/v8",), None),
    (26, "linux/arm", ("linux/arm/v7",), 0),
    (27, "linux/arm/v7", ("linux/arm",), 0),
    (28, "linux/arm", ("linux/arm/v6",), 0),
    (29, "linux/arm", ("linux/arm/v8",), None),
    (
        30,
        "linux/arm/v7",
        (
            "linux/arm/v5",
            "linux/arm/v6",
            "linux/arm/v7",
        ),
        2,
    ),
    (
        31,
        "linux/arm/v6",
        (
            "linux/arm/v7",
            "linux/arm/v5",
        ),
        1,
    ),
    (32, "linux/arm/v6", ("linux/arm",), None),
    (
        33,
        "linux/arm/v8",
        (
            "linux/arm/v6",
            "linux/arm/v7",
        ),
        1,
    ),
    (
        34,
        "linux/armhf",
        (
            "linux/arm/v6",
            "linux/arm/v7",
        ),
        1,
    ),
    (
        35,
        "linux/arm/v4",
        (
            "linux/arm/v5",
            "linux/arm/v4",
        ),
        1,
    ),
    (
        36,
        "linux/ppc64le/power10",
        (
            "linux/ppc64le",
            "linux/ppc64le/power9",
        ),
        1,
    ),
    (37, "linux/mips64le", ("linux/mips64le/hardfloat",), None),
    (
        38,
        "linux/amd64",
        (
            None,
            "linux/amd64",
        ),
        1,
    ),
    (39, "linux/amd64", (None,), None),
    (40, "linux/amd64", ("unknown/unknown",), None),
    (41, "unknown/unknown", ("unknown/unknown",), None),
    (
        42,
        "linux/amd64",
        (
            "unknown/unknown",
            "linux/amd64",
            "unknown/unknown",
        ),
        1,
    ),
    (43, "linux/amd64", ("windows/amd64",), None),
    (44, "darwin/arm64", ("linux/arm64",), None),
    (45, "macos/arm64", ("darwin/arm64",), 0),
    (
        46,
        "windows/amd64",
        (
            "windows(10.0.17763.1)/amd64",
            "windows(10.0.20348.1)/amd64",
        ),
        0,
    ),
    (
        47,
        "windows(10.0.20348)/amd64",
        (
            "windows(10.0.17763.1)/amd64",
            "windows(10.0.20348.1)/amd64",
        ),
        1,
    ),
    (
        48,
        "windows(10.0.20348.9)/amd64",
        (
            "windows(10.0.17763.9)/amd64",
            "windows(10.0.20348.643)/amd64",
        ),
        1,
    ),
    (49, "windows(10.0.2034)/amd64", ("windows(10.0.20348.643)/amd64",), None),
    (50, "windows(10.0.26100)/amd64", ("windows(10.0.20348.643)/amd64",), None),
    (51, "windows(10.0.17763)/amd64", ("windows/amd64",), 0),
    (
        52,
        "windows(10.0.17763)/amd64",
        (
            "windows/amd64",
            "windows(10.0.17763.1)/amd64",
        ),
        1,
    ),
    (53, "windows/amd64:10.0.17763", ("windows(10.0.17763.1)/amd64",), 0),
    (
        54,
        "windows/amd64",
        (
            "windows(+win32k)/amd64",
            "windows/amd64",
        ),
        0,
    ),
    (
        55,
        "windows(+win32k)/amd64",
        (
            "windows/amd64",
            "windows(+win32k)/amd64",
        ),
        1,
    ),
    (56, "windows(+other)/amd64", ("windows(+win32k)/amd64",), None),
    (
        57,
        "linux/amd64",
        (
            "linux(+erofs)/amd64",
            "linux/amd64",
        ),
        1,
    ),
    (58, "linux/amd64", ("linux(+erofs)/amd64",), 0),
    (
        59,
        "linux(+erofs)/amd64",
        (
            "linux/amd64",
            "linux(+erofs)/amd64",
        ),
        1,
    ),
    (60, "linux(6.1)/amd64", ("linux/amd64",), 0),
]

_NAMES = st.builds(
    "/".join,
    st.tuples(
        st.sampled_from(["linux", "windows", "darwin", "Linux", "macos", "unknown"]),
        st.sampled_from(["amd64", "x86_64", "arm", "arm64", "aarch64", "386", "ppc64le", "riscv64", "unknown"]),
    ),
)
_PLATFORMS = st.builds(
    lambda name, variant, version, features: Platform(*name.split("/"), variant, version, features),
    _NAMES,
    st.sampled_from(["", "v1", "v2", "v7", "v8", "v8.2", "v9", "power9", "8", "odd"]),
    st.sampled_from(["", "10.0", "10.0.17763", "10.0.17763.1", "6.1"]),
    st.lists(st.sampled_from(["win32k", "erofs"]), max_size=2).map(tuple),
)


@pytest.mark.parametrize(
    ("number", "wanted", "candidates", "position"),
    ROWS,
    ids=lambda value: f"P-{value}" if isinstance(value, int) else "",
)
def test_choose_takes_the_best_candidate(
    number: int, wanted: str, candidates: tuple[str | None, ...], position: int | None
) -> None:
    platforms = [Platform.from_name(name) if name else None for name in candidates]

    assert choose(Platform.from_name(wanted), platforms) == position, f"row P-{number}"


@given(wanted=_PLATFORMS, candidates=st.lists(st.none() | _PLATFORMS, max_size=6))
def test_choose_is_total_and_crosses_neither_system_nor_architecture(
    wanted: Platform, candidates: list[Platform | None]
) -> None:
    position = choose(wanted, candidates)

    assert position == choose(wanted, candidates)
    if position is not None:
        chosen = candidates[position]
        assert chosen is not None
        assert chosen.normal_name[:2] == wanted.normal_name[:2]
        assert not chosen.is_unknown


@given(wanted=_PLATFORMS, candidates=st.lists(_PLATFORMS, max_size=6))
def test_choose_takes_the_first_of_equals(wanted: Platform, candidates: list[Platform]) -> None:
    position = choose(wanted, candidates)

    assert choose(wanted, [*candidates, *candidates]) == position


@given(platform=_PLATFORMS)
def test_a_platform_serves_itself_unless_it_is_unknown(platform: Platform) -> None:
    assert choose(platform, [None, platform]) == (None if platform.is_unknown else 1)


def test_every_row_is_here_once() -> None:
    assert [row[0] for row in ROWS] == list(range(1, 61))


@pytest.mark.parametrize(
    ("wanted", "candidate", "serves"),
    [
        ("v9", "v8.5", True),
        ("v9", "v8.6", False),
        ("v9.2", "v8.7", True),
        ("v9.2", "v8.8", False),
        ("v9.2", "v9.3", False),
        ("v9.6", "v8.9", True),
        ("v8.9", "v8.9", True),
        ("v8.3", "v8.4", False),
    ],
)
def test_armv9_stands_above_armv8_five_minors_on(wanted: str, candidate: str, serves: bool) -> None:
    chosen = choose(Platform.from_name(f"linux/arm64/{wanted}"), [Platform.from_name(f"linux/arm64/{candidate}")])

    assert (chosen == 0) is serves
