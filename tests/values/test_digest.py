"""Digests: the table of verdicts, and proving content by them."""

import hashlib
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Digest
from dreg_client.errors import DigestMismatchError, InvalidDigestError, UnsupportedDigestError
from dreg_client.values.digest import DIGEST_GRAMMAR, KNOWN_DIGEST_PATTERN, digest_fault

_HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize("text", [f"sha256:{_HEX}", f"sha512:{_HEX * 2}", f"blake3:{_HEX}"])
def test_a_digest_of_a_registered_algorithm_is_accepted(text: str) -> None:
    assert digest_fault(text) is None
    assert Digest(text).registered
    assert re.search(KNOWN_DIGEST_PATTERN, text)


@pytest.mark.parametrize(
    "text", ["multihash+base58:Qm1", f"sha384:{_HEX}", "md5:0", "sha256+b64u.unknownlength:a_-=", f"sha256+b64u:{_HEX}"]
)
def test_a_digest_of_another_algorithm_follows_the_grammar_alone(text: str) -> None:
    assert not Digest(text).registered
    assert re.search(DIGEST_GRAMMAR, text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"sha256:{_HEX.upper()}", "DIG-02"),
        (f"sha256:{_HEX[1:]}", "DIG-02"),
        (f"sha256:{_HEX}0", "DIG-02"),
        (f"sha512:{_HEX}", "DIG-02"),
        (f"blake3:{_HEX}0", "DIG-02"),
        (f"sha256:{_HEX[1:]}=", "DIG-02"),
        (f"sha256:{_HEX}\n", "DIG-01"),
        (f" sha256:{_HEX}", "DIG-01"),
        (f"SHA256:{_HEX}", "DIG-01"),
        ("sha256:", "DIG-01"),
        (":abc", "DIG-01"),
        ("sha256", "DIG-01"),
        ("", "DIG-01"),
        (f"sha256+:{_HEX}", "DIG-01"),
        ("sha256+-b:abc", "DIG-01"),
        (f"sha256:{_HEX}:a", "DIG-01"),
        ("sha256:../../../etc/passwd", "DIG-01"),
        ("sha256:a\0b", "DIG-01"),
        ("\uff41:b", "DIG-01"),
        ("a" * 2000 + ":b", "DIG-01"),
        ("a" * (1 << 20), "DIG-01"),
    ],
)
def test_a_text_that_is_no_digest_names_the_rule(text: str, rule: str) -> None:
    with pytest.raises(InvalidDigestError) as refused:
        Digest.parse(text)

    assert refused.value.rule == rule
    assert isinstance(refused.value, ValueError)
    assert len(str(refused.value)) < 300


@given(octets=st.binary(), algorithm=st.sampled_from(["sha256", "sha512"]))
def test_the_digest_of_bytes_is_what_the_standard_library_computes(octets: bytes, algorithm: str) -> None:
    digest = Digest.of(octets, algorithm)

    assert digest == f"{algorithm}:{hashlib.new(algorithm, octets).hexdigest()}"
    assert Digest.parse(digest) == digest
    assert (digest.algorithm, digest.encoded) == tuple(digest.split(":"))
    assert digest.short == digest[: len(algorithm) + 13]
    assert pickle.loads(pickle.dumps(digest)) == digest
    assert type(pickle.loads(pickle.dumps(digest))) is Digest


@given(chunks=st.lists(st.binary()), algorithm=st.sampled_from(["sha256", "sha512"]))
def test_any_chunking_of_content_proves_it(chunks: list[bytes], algorithm: str) -> None:
    verifier = Digest.of(b"".join(chunks), algorithm).verifier()
    for chunk in chunks:
        verifier.update(chunk)

    verifier.verify()
    assert verifier.size == sum(map(len, chunks))


def test_other_content_is_refused_by_name() -> None:
    verifier = Digest.of(b"right").verifier()
    verifier.update(b"wrong")

    with pytest.raises(DigestMismatchError) as refused:
        verifier.verify("blob 1 of here")

    assert refused.value.expected == Digest.of(b"right")
    assert refused.value.actual == Digest.of(b"wrong")
    assert "blob 1 of here" in str(refused.value)


@pytest.mark.parametrize("text", ["md5:d41d8cd9", f"blake3:{_HEX}", "sha256+b64u:x"])
def test_ref_09_nothing_is_proven_by_what_nobody_computes(text: str) -> None:
    digest = Digest(text)

    assert not digest.computable
    with pytest.raises(UnsupportedDigestError):
        digest.verifier()
    with pytest.raises(UnsupportedDigestError):
        Digest.of(b"", digest.algorithm)


def test_a_digest_shows_itself() -> None:
    assert eval(repr(Digest.of(b"")), {"Digest": Digest}) == Digest.of(b"")  # noqa: S307 (our own repr)
