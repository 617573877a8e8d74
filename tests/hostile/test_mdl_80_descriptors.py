"""Descriptors and documents whose values were never checked: MDL-80 to MDL-82."""

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from dreg_client import Descriptor, Digest, OciIndex, aopen_store, errors, open_store, parse_manifest
from tests.layout.conftest import build

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

__all__ = ["build"]
DATA = b"hello"
INDEX = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'


def embedding(digest: str) -> Descriptor:
    data = base64.b64encode(DATA).decode()
    return Descriptor.parse(json.dumps({"mediaType": "a/b", "digest": digest, "size": len(DATA), "data": data}))


# --- MDL-80


@pytest.mark.parametrize("digest", ["blake3:" + "0" * 64, "foo:abc", "md5:" + "0" * 32])
def test_mdl_80_embedded_data_that_cannot_be_verified_is_not_returned(digest: str) -> None:
    descriptor = embedding(digest)

    with pytest.raises(errors.UnsupportedDigestError):
        _ = descriptor.embedded
    assert ("DSC-07", "content that cannot be verified") in [(it.rule, it.found) for it in descriptor.problems]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_mdl_80_data_that_was_verified_is(algorithm: str) -> None:
    descriptor = embedding(Digest.of(DATA, algorithm))

    assert descriptor.embedded == DATA
    assert descriptor.problems == ()


def test_mdl_80_data_that_was_never_verified_is_compared_with_the_digest() -> None:
    data = base64.b64encode(DATA).decode()
    unchecked = Descriptor.model_construct(media_type="a/b", digest=Digest.of(b"other"), size=5, data=data)

    with pytest.raises(errors.DigestMismatchError):
        _ = unchecked.embedded


# --- MDL-81


def test_mdl_81_no_copy_has_unchecked_values() -> None:
    document: Any = parse_manifest(INDEX)
    descriptor: Any = embedding(Digest.of(DATA))

    for model in (document, descriptor):
        assert model.copy() is model
        assert model.copy(deep=True) is model
        for choice in ({"update": {"digest": "sha256:../x"}}, {"exclude": {"size"}}, {"include": {"size"}}):
            with pytest.raises(TypeError, match="immutable"):
                model.copy(**choice)


@pytest.mark.parametrize("digest", ["sha256:../../../secret", "sha256:" + "0" * 64, None, 5], ids=str)
@pytest.mark.parametrize(
    "method", ["get_blob", "has_blob", "get_manifest", "get_config", "get_raw_manifest", "referrers"]
)
@pytest.mark.parametrize("way", ["threads", "tasks"])
def test_mdl_81_a_store_rejects_a_descriptor_without_a_valid_digest(
    build: "LayoutBuilder", way: str, method: str, digest: object
) -> None:
    given = Descriptor.model_construct(media_type="a/b", digest=digest, size=5)
    name = f"oci:{build.write()}"

    async def by_tasks() -> None:
        async with aopen_store(name) as store:
            await getattr(store, method)(given)

    def by_threads() -> None:
        with open_store(name) as store:
            getattr(store, method)(given)

    with pytest.raises(errors.InvalidDigestError, match="model_construct checks nothing"):
        asyncio.run(by_tasks()) if way == "tasks" else by_threads()


# --- MDL-82


@pytest.mark.parametrize("name", ["_raw", "_digest", "_problems"])
def test_mdl_82_the_bytes_of_a_document_cannot_be_replaced(name: str) -> None:
    document = parse_manifest(INDEX)
    digest, problems = document.digest, document.problems

    with pytest.raises(ValidationError, match="frozen"):
        setattr(document, name, b"evil")
    with pytest.raises(ValidationError, match="frozen"):
        delattr(document, name)
    assert isinstance(document, OciIndex)
    assert (document.raw, document.digest, document.problems) == (INDEX, digest, problems)
