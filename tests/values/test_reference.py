"""References and the names in them, beyond the table: hostile texts, and what holds for all."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Reference
from dreg_client.errors import InvalidDigestError, InvalidReferenceError
from dreg_client.values.digest import Digest
from dreg_client.values.reference import TAG_PATTERN, RepositoryName, Tag, are_all

_HEX = "ab" * 32
_HOSTS = st.sampled_from(
    [
        "docker.io",
        "ghcr.io",
        "localhost",
        "localhost:5000",
        "[::1]:5000",
        "10.0.0.1:5000",
        "foo",
        "xn--n3h.com",
        "a.b:1",
    ]
)
_TAGS = st.from_regex(TAG_PATTERN, fullmatch=True)
_COMPONENTS = st.from_regex(r"[a-z0-9]{1,5}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,5}){0,3}", fullmatch=True)
_REPOSITORIES = st.builds("/".join, st.lists(_COMPONENTS, min_size=1, max_size=4))


@given(host=_HOSTS, repository=_REPOSITORIES, tag=st.none() | _TAGS, hashed=st.none() | st.binary())
def test_a_reference_survives_its_own_text(host: str, repository: str, tag: str | None, hashed: bytes | None) -> None:
    digest = None if hashed is None else Digest.of(hashed)
    shown_tag = Tag(tag) if tag else (None if digest else Tag("latest"))
    name = f"library/{repository}" if host == "docker.io" and "/" not in repository else repository
    reference = Reference(host, RepositoryName(name), shown_tag, digest)

    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(reference.familiar) == reference
    assert pickle.loads(pickle.dumps(reference)) == reference


@given(text=st.text(max_size=60))
def test_any_text_is_a_reference_or_refused_by_one_error(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReferenceError as refused:
        assert str(refused).isprintable()  # noqa: PT017 (either way is right here)
    else:
        assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize("text", ["r.example/a/../b", "r.example/a/./b", "r.example/a//b", "/a", "r.example/a/"])
def test_ref_01_components_that_lead_elsewhere_are_refused(text: str) -> None:
    with pytest.raises(InvalidReferenceError):
        Reference.parse(text)


@pytest.mark.parametrize("sign", ["%2e%2e", "%2f", "%00", "%", "?x=1", "#x", "\\", ";", " ", "&"])
def test_ref_02_ref_03_signs_of_urls_are_refused_in_repository_and_tag(sign: str) -> None:
    for text in (f"r.example/a{sign}b:t", f"r.example/a:t{sign}x"):
        with pytest.raises(InvalidReferenceError):
            Reference.parse(text)


@pytest.mark.parametrize("control", ["\r", "\n", "\0", "\t", "\x7f", "\x85", "\x9b"])
def test_ref_04_control_characters_are_refused_everywhere_and_never_printed(control: str) -> None:
    for text in (
        f"r.ex{control}ample/a",
        f"r.example/a{control}",
        f"r.example/a:t{control}",
        f"r.example/a@sha256:{control}",
    ):
        with pytest.raises(InvalidReferenceError) as refused:
            Reference.parse(text)
        assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "digest", [f"sha256:{_HEX.upper()}", f"sha256:{_HEX[:-1]}", f"sha256:{_HEX}a", "sha256:", _HEX]
)
def test_ref_07_a_malformed_digest_is_refused(digest: str) -> None:
    with pytest.raises(InvalidDigestError):
        Digest(digest)
    with pytest.raises(InvalidReferenceError) as refused:
        Reference.parse(f"r.example/a@{digest}")
    assert refused.value.part == "digest"


@pytest.mark.parametrize(
    "text",
    [
        "r.example/a:" + "t" * 129,
        "r.example/" + "a" * 256,
        "a" * (1 << 20),
        "a" * 100_000 + "@" * 100_000,
        "a-" * 500_000,
    ],
    ids=["tag", "repository", "mebibyte", "at signs", "separators"],
)
def test_ref_08_what_is_too_long_is_refused_at_once_and_told_shortly(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as refused:
        Reference.parse(text)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "digest", ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha1:da39", f"blake3:{_HEX}", "sha256+b64u:x_="]
)
def test_ref_09_a_digest_of_another_algorithm_is_read(digest: str) -> None:
    assert Reference.parse(f"r.example/a@{digest}").digest == digest


def test_ref_10_beside_a_digest_the_tag_is_checked_too() -> None:
    with pytest.raises(InvalidReferenceError):
        Reference.parse(f"r.example/a:BAD TAG@sha256:{_HEX}")
    assert Reference.parse(f"r.example/a:1.4@sha256:{_HEX}").tag == "1.4"


@pytest.mark.parametrize("text", ["user:pw-secret@r.example/repo", "pw-secret@evil/repo", "https://u:pw-secret@r/x"])
def test_ref_11_user_information_is_refused_and_never_told(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as refused:
        Reference.parse(text)
    assert "pw-secret" not in str(refused.value)
    assert "pw-secret" not in repr(refused.value)


@pytest.mark.parametrize("scheme", ["http://", "https://", "docker://", "oci:", "docker-archive:"])
def test_ref_12_a_scheme_is_refused(scheme: str) -> None:
    with pytest.raises(InvalidReferenceError):
        Reference.parse(f"{scheme}r.example/repo")


@pytest.mark.parametrize("text", ["::1/r", "[::1", "[::1/r", "[fe80::1%eth0]/r", "[v1.x]/r", "[]/r", "[::1]5000/r"])
def test_ref_13_an_address_that_is_none_is_refused(text: str) -> None:
    assert Reference.parse("[::1]:5000/r").registry == "[::1]:5000"
    with pytest.raises(InvalidReferenceError):
        Reference.parse(text)


@pytest.mark.parametrize("port", [":0", ":65536", ":+80", ":", ":80:80", ":\uff18\uff10", ":000080"])
def test_ref_14_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(InvalidReferenceError):
        Reference.parse(f"r.example{port}/a")


def test_ref_15_a_host_outside_of_ascii_is_refused_and_punycode_is_shown_as_it_is() -> None:
    with pytest.raises(InvalidReferenceError):
        Reference.parse("rég.example/a")
    assert str(Reference.parse("xn--rg-bja.example/a")) == "xn--rg-bja.example/a:latest"


def test_ref_16_one_host_has_one_name() -> None:
    hub = {
        Reference.parse(text).registry
        for text in ("alpine", "docker.io/alpine", "index.docker.io/x", "registry-1.docker.io/x")
    }

    assert hub == {"docker.io"}
    assert [Reference.parse(text).registry for text in ("localhost/x", "foo.bar/x", "FOO/x", "a:5000/x")] == [
        "localhost",
        "foo.bar",
        "foo",
        "a:5000",
    ]


@pytest.mark.parametrize("text", ["", "a b", "A", "-a", "a" * 256, "a\n", "a//b"])
def test_a_repository_name_cannot_be_wrong(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as refused:
        RepositoryName(text)
    assert refused.value.part == "repository"


@pytest.mark.parametrize("text", ["", ".a", "-a", "a b", "a\n", "t" * 129, "ü"])
def test_a_tag_cannot_be_wrong(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as refused:
        Tag(text)
    assert refused.value.part == "tag"


_NEARLY_NAMES = st.text("aZ0._-/\n é٣", max_size=6) | st.sampled_from(
    [
        "a" * 128,
        "a" * 129,
        "a" * 255,
        "a" * 256,
        "a/" * 127 + "a",
        "a__b",
        "a___b",
        "a--b",
        "a-_b",
        "a._b",
        "a\n",
        "\na",
    ]
)


def is_each(kind: type[Tag | RepositoryName], texts: list[str]) -> bool:
    try:
        return [kind(text) for text in texts] == texts
    except InvalidReferenceError:
        return False


@given(texts=st.lists(_REPOSITORIES | _TAGS | _NEARLY_NAMES, max_size=3))
@pytest.mark.parametrize("kind", [Tag, RepositoryName])
def test_a_look_at_all_names_takes_what_a_look_at_each_takes(
    kind: type[Tag | RepositoryName], texts: list[str]
) -> None:
    # What is rare in names may need a look at each.
    is_rare = kind is RepositoryName and any("__" in text or "--" in text for text in texts)
    assert are_all(kind, texts) is (is_each(kind, texts) and not is_rare)


@given(first=st.characters(), second=st.characters())
@pytest.mark.parametrize("kind", [Tag, RepositoryName])
def test_no_sign_is_taken_in_a_list_that_is_not_taken_alone(
    kind: type[Tag | RepositoryName], first: str, second: str
) -> None:
    texts = [f"a{first}b", f"a{first}{second}b", f"a{first}"]

    assert not are_all(kind, texts) or is_each(kind, texts)


def test_of_each_sign_a_list_has_the_same_opinion_as_a_name() -> None:
    for kind in (Tag, RepositoryName):
        for sign in map(chr, [*range(0x300), 0x660, 0xD800, 0xFF41, 0x1D7CE]):
            for text in (f"a{sign}b", f"{sign}b", f"a{sign}", sign):
                assert are_all(kind, ["a", text]) is is_each(kind, [text]), (kind, text)


@pytest.mark.parametrize("entry", [None, 5, ["a"], b"a", 1.5])
def test_what_is_no_text_is_looked_at_alone(entry: object) -> None:
    assert not are_all(Tag, ["a", entry])
    assert are_all(Tag, [])
