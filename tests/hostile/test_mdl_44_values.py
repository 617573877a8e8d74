"""Values that a program passes on, and that are not what the library expects: MDL-44."""

import json
from collections.abc import Callable

import pytest

from dreg_client import OciIndex, Platform, errors, parse_manifest
from dreg_client.values.timestamp import Timestamp
from tests.hostile.registry import DIGEST, MANIFEST

ENDLESS: list[object] = []
ENDLESS.append(ENDLESS)
NOT_JSON = {
    "a huge number": 10**30,
    "a surrogate": "\ud800",
    "bytes": b"x",
    "a set": {1},
    "an object": object(),
    "itself": ENDLESS,
    "keys": {1: 2},
}


@pytest.mark.parametrize("value", NOT_JSON.values(), ids=NOT_JSON)
@pytest.mark.parametrize("name", ["annotations", "unknown"])
def test_mdl_44_a_document_is_built_of_json_values_only(name: str, value: object) -> None:
    members = {"schema_version": 2, "manifests": [], name: {"a": value}}
    with pytest.raises(TypeError, match=f"{name}: a JSON value is expected: "):
        OciIndex.build(**members)


class Longer(bytes):
    """Bytes that state another length, and other content."""

    def __len__(self) -> int:
        return 1

    def __bytes__(self) -> bytes:
        return b"{}"


class Other(str):
    """A string that is encoded as another one."""

    __slots__ = ()

    def encode(self, *_: object, **__: object) -> bytes:
        return b"{}"


@pytest.mark.parametrize("given", [Longer(MANIFEST), Other(MANIFEST.decode())], ids=["bytes", "text"])
def test_mdl_44_what_is_kept_is_what_was_parsed(given: bytes | str) -> None:
    document = parse_manifest(given)

    assert type(document.raw) is bytes
    assert (document.raw, document.size, document.digest) == (MANIFEST, len(MANIFEST), DIGEST)
    assert json.loads(document.raw)["schemaVersion"] == document.schema_version


WRONG: dict[str, Callable[[], object]] = {
    "a number as a date": lambda: Timestamp(1),  # type: ignore[arg-type]
    "no date": lambda: Timestamp(None),  # type: ignore[arg-type]
    "numbers as a platform": lambda: Platform(1, 2),  # type: ignore[arg-type]
    "no variant": lambda: Platform("linux", "arm", None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_mdl_44_the_error_for_another_type_says_what_is_expected(make: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="must be"):
        make()


@pytest.mark.parametrize("features", [5, {"x": 1}, "x", [1], 1.5, True])
def test_mdl_44_features_of_a_platform_are_a_list(features: object) -> None:
    with pytest.raises(errors.InvalidPlatformError):
        Platform.from_mapping({"os": "linux", "architecture": "arm", "os.features": features})


@pytest.mark.parametrize("members", [None, [], "x", 1])
def test_mdl_44_a_platform_is_an_object(members: object) -> None:
    with pytest.raises(errors.InvalidPlatformError):
        Platform.from_mapping(members)  # type: ignore[arg-type]
