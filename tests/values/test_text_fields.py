"""Values as fields of a caller's own pydantic models: read from their text, written as it."""

from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from dreg_client import Digest, Platform, Reference
from dreg_client.schemagen import schema
from dreg_client.values.reference import RepositoryName, Tag
from dreg_client.values.timestamp import Timestamp


class Pin(BaseModel):
    """A caller's own record of an image."""

    image: Reference
    digest: Digest
    platforms: list[Platform] = []
    repository: RepositoryName | None = None
    tag: Tag | None = None
    since: Timestamp | None = None


TEXTS: dict[str, Any] = {
    "image": "docker.io/library/ubuntu:22.04",
    "digest": "sha256:" + "a" * 64,
    "platforms": ["linux/arm64", "windows(10.0.20348.2461)/amd64"],
    "repository": "acme/web",
    "tag": "1.4",
    "since": "2024-05-20T08:00:00.123456789Z",
}


def test_a_value_is_read_from_its_text() -> None:
    pin = Pin.model_validate(TEXTS)

    assert pin.image == Reference.parse("ubuntu:22.04")
    assert pin.platforms[0] == Platform.from_name("linux/arm64/v8")
    assert [type(value) for value in (pin.digest, pin.repository, pin.tag, pin.since)] == [
        Digest,
        RepositoryName,
        Tag,
        Timestamp,
    ]


def test_it_is_written_as_its_text() -> None:
    assert Pin.model_validate(TEXTS).model_dump(mode="json") == TEXTS


def test_a_value_itself_is_taken_as_it_is() -> None:
    digest = Digest.of(b"{}")

    assert Pin(image=Reference.parse("ubuntu"), digest=digest).digest is digest


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("image", "https://ubuntu"),
        ("image", 5),
        ("digest", "sha256:abc"),
        ("digest", None),
        ("platforms", ["linux"]),
        ("repository", "Acme"),
        ("tag", "-1"),
        ("since", "yesterday"),
    ],
)
def test_another_text_or_type_is_refused_at_its_place(field: str, wrong: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Pin.model_validate({**TEXTS, field: wrong})

    assert refused.value.errors()[0]["loc"][0] == field


def test_its_schema_says_what_the_text_follows() -> None:
    validator = jsonschema.Draft202012Validator(schema(Pin))

    assert validator.is_valid(TEXTS)
    assert not validator.is_valid({**TEXTS, "digest": "sha256:abc"})
    assert not validator.is_valid({**TEXTS, "tag": "1.4\n"})
    assert not validator.is_valid({**TEXTS, "since": "2023-02-29T00:00:00Z"})
