"""Media types: their grammar, and the families of those that we know."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client.values import media_type as types
from dreg_client.values.media_type import MEDIA_TYPE_PATTERN, Family, essence, family, is_media_type


@pytest.mark.parametrize(
    "text", [*sorted(types.KNOWN), "a/b", "text/plain", "x" * 127 + "/" + "y" * 127, "a!#$&^_.+-/b!#$&^_.+-"]
)
def test_med_01_a_media_type_has_a_type_and_a_subtype(text: str) -> None:
    assert is_media_type(text)
    assert re.search(MEDIA_TYPE_PATTERN, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a/",
        "/b",
        "a/b/c",
        "a b/c",
        "a/b; charset=utf-8",
        "*/*",
        ".a/b",
        "a/.b",
        "a/b\n",
        "ä/b",
        "x" * 128 + "/y",
        "a/" + "y" * 128,
        "a" * (1 << 20),
    ],
)
def test_med_01_anything_else_is_none(text: str) -> None:
    assert not is_media_type(text)


def test_each_known_type_has_the_family_of_the_table() -> None:
    families = {
        Family.INDEX: types.INDEXES,
        Family.MANIFEST: types.MANIFESTS,
        Family.SCHEMA1: types.SCHEMA1,
        Family.CONFIG: types.CONFIGS,
        Family.LAYER: types.LAYERS,
        Family.NONDISTRIBUTABLE: types.NONDISTRIBUTABLE_LAYERS,
        Family.EMPTY: {types.OCI_EMPTY},
        Family.LAYOUT: {types.OCI_LAYOUT},
        Family.DESCRIPTOR: {types.OCI_DESCRIPTOR},
        Family.OTHER: {types.OCI_ARTIFACT_MANIFEST, types.DOCKER_PLUGIN_CONFIG},
    }

    for expected, members in families.items():
        assert {family(member) for member in members} == {expected}
    assert set.union(*map(set, families.values())) == types.KNOWN


@given(parameters=st.text(), upper=st.booleans())
def test_the_essence_is_without_parameters_and_letter_case(parameters: str, upper: bool) -> None:
    served = types.OCI_INDEX.upper() if upper else types.OCI_INDEX

    assert essence(f" {served} ;{parameters}") == types.OCI_INDEX
