"""Platforms: text form, normal form, equality."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Platform
from dreg_client.errors import InvalidPlatformError

_ANY = st.text(st.characters() | st.characters(categories=["Cs"]), min_size=1, max_size=10)
_PARTS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_.-", min_size=1, max_size=12) | _ANY
_INNER = st.text("abc019.-%+()/_ :", min_size=1, max_size=10) | _ANY


@given(
    os=_PARTS,
    architecture=_PARTS,
    variant=st.just("") | _PARTS,
    version=st.just("") | _INNER,
    features=st.lists(_INNER, max_size=3),
)
def test_a_platform_survives_its_own_text(
    os: str, architecture: str, variant: str, version: str, features: list[str]
) -> None:
    platform = Platform(os, architecture, variant, version, features)

    again = Platform.from_name(str(platform))

    assert again == platform
    assert (again.os, again.architecture, again.variant) == (os, architecture, variant)
    assert (again.os_version, again.os_features) == (version, tuple(features))
    assert hash(again) == hash(platform)
    assert pickle.loads(pickle.dumps(platform)) == platform


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        (Platform("darwin", "arm64", os_version="macOS 14"), "darwin(macOS 14)/arm64"),
        (Platform("my os", "a/b:c"), "my%20os/a%2Fb%3Ac"),
        (Platform("linux", "amd64", os_version="\u202e\n"), "linux(%E2%80%AE%0A)/amd64"),
        (Platform("linux", "amd64", os_features=["", "a+b"]), "linux(+a%2Bb)/amd64"),
        (Platform("x" * 5_000, "amd64"), "x" * 5_000 + "/amd64"),
    ],
)
def test_the_text_of_a_platform_is_printable_and_the_one_that_is_read(platform: Platform, text: str) -> None:
    assert str(platform) == text
    assert Platform.from_name(text) == platform


def test_a_platform_requires_no_feature_without_a_name() -> None:
    assert Platform("linux", "amd64", os_features=[""]) == Platform("linux", "amd64")


@given(text=st.text(max_size=40))
def test_any_text_is_a_platform_or_refused_by_one_error(text: str) -> None:
    try:
        platform = Platform.from_name(text)
    except InvalidPlatformError as refused:
        assert str(refused).isprintable()  # noqa: PT017 (either way is right here)
    else:
        assert Platform.from_name(str(platform)) == platform


@pytest.mark.parametrize(
    "text",
    [
        "",
        "linux",
        "linux/",
        "/amd64",
        "linux//v7",
        "linux/arm/v7/x",
        "linux/amd64/",
        "a b/c",
        "linux/arm\n",
        "a/b:",
        "windows()/amd64",
        "windows(+)/amd64",
        "windows(1/amd64",
        "windows1)/amd64",
        "windows(1)/amd64:2",
        "w(%zz)/a",
        "w(%ff)/a",
        "%/a",
        "w( )/a b",
        "x" * (1 << 20),
    ],
)
def test_a_text_that_is_no_platform_is_refused_with_the_text_in_the_message(text: str) -> None:
    with pytest.raises(InvalidPlatformError) as refused:
        Platform.from_name(text)

    assert isinstance(refused.value, ValueError)
    assert text[:20].strip() in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("macos/arm64", "darwin/arm64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64", "linux/amd64"),
        ("Linux/AMD64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/1", "linux/amd64"),
        ("linux/amd64/2", "linux/amd64/v2"),
        ("linux/i386/x", "linux/386"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/5", "linux/arm/v5"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/arm/8", "linux/arm/v8"),
        ("linux/armhf/v6", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/v8.0", "linux/arm64"),
        ("linux/arm64/8.0", "linux/arm64"),
        ("linux/arm64/9", "linux/arm64/v9"),
        ("linux/arm64/v9.0", "linux/arm64/v9"),
        ("linux/arm64/8.2", "linux/arm64/v8.2"),
        ("linux/ppc64le/power8", "linux/ppc64le"),
        ("linux/riscv64/rva20u64", "linux/riscv64"),
        ("linux/mips64le/hardfloat", "linux/mips64le/hardfloat"),
    ],
)
def test_the_normal_form_decides_equality_and_the_spelling_is_kept(text: str, normal: str) -> None:
    platform = Platform.from_name(text)

    assert str(platform.normal) == normal
    assert platform == Platform.from_name(normal)
    assert hash(platform) == hash(Platform.from_name(normal))
    assert platform.name == text
    assert platform.normal.normal == platform.normal


def test_two_windows_versions_stay_two_platforms() -> None:
    older, newer = (Platform.from_name(f"windows(10.0.{build})/amd64") for build in (17763, 20348))

    assert older != newer
    assert len({older, newer, Platform.from_name("windows/amd64")}) == 3


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("windows/amd64:10.0.17763", "windows(10.0.17763)/amd64"),
        ("darwin/arm64:macOS 14", "darwin(macOS%2014)/arm64"),
    ],
)
def test_crane_s_form_of_a_version_is_read(text: str, same: str) -> None:
    assert Platform.from_name(text) == Platform.from_name(same)


def test_a_mapping_of_a_document_is_read() -> None:
    members = {
        "os": "windows",
        "architecture": "amd64",
        "os.version": "10.0.1",
        "os.features": ["win32k"],
        "variant": None,
    }

    assert str(Platform.from_mapping(members)) == "windows(10.0.1+win32k)/amd64"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"os": "linux"},
        {"os": "linux", "architecture": 1},
        {"os": "linux", "architecture": "arm", "os.features": "x"},
    ],
)
def test_a_mapping_that_is_no_platform_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(InvalidPlatformError):
        Platform.from_mapping(members)


def test_unknown_is_told_in_any_letter_case() -> None:
    assert Platform.from_name("Unknown/unknown").is_unknown
    assert not Platform.from_name("linux/unknown").is_unknown


def test_a_platform_cannot_be_changed() -> None:
    platform = Platform.from_name("linux/amd64")

    with pytest.raises(AttributeError):
        platform.os = "windows"
    with pytest.raises(AttributeError):
        del platform.os
    assert repr(platform) == "Platform('linux/amd64')"


def test_this_machine_has_a_platform_that_serves_itself() -> None:
    assert Platform.local() == Platform.from_name(str(Platform.local()))
    assert Platform.local() != "linux/amd64"
