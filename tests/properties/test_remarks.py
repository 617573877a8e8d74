"""Warnings and notes: what is skipped because nothing can be reported there is indeed never reported."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import validate
from dreg_client.errors.problems import Severity
from dreg_client.models.base import StrictModel, members_of
from dreg_client.models.config import ExecutionParameters, Healthcheck, HistoryEntry, ImageConfig, RootFs
from dreg_client.models.descriptor import Descriptor, DocumentPlatform
from dreg_client.models.faults import member_remarks, silent_names
from dreg_client.models.index import DockerManifestList, OciIndex
from dreg_client.models.layout import ImageLayout
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.manifest import DockerConfigDescriptor, DockerManifest, ImageManifest, OciManifest
from dreg_client.values import media_type as types
from tests.properties.test_problem_paths import DOCUMENTS as VALID
from tests.properties.test_problem_paths import OTHERS, PLACES, Path, changed

MODELS: list[type[StrictModel]] = [
    *(Descriptor, DocumentPlatform, DockerConfigDescriptor, OciManifest, DockerManifest, OciIndex, DockerManifestList),
    *(ImageConfig, RootFs, HistoryEntry, ExecutionParameters, Healthcheck, ImageLayout, LegacyManifest),
]
DOUBTFUL: list[object] = [
    *OTHERS,
    *sorted(types.KNOWN),
    "ftp://example.com/",
    "foo:bar",
    "A" * 100_000 + "==",
    {"architecture": "", "os": ""},
    {"architecture": "no-such", "os": "linux"},
    {"": "a", "com.example": "b", "no domain": "c", "org.opencontainers.image.created": "yesterday"},
    {"org.opencontainers.image.base.name": "alpine", "org.opencontainers.image.ref.name": "a b"},
    {"mediaType": types.OCI_EMPTY, "digest": "foo:bar", "size": 3, "data": "e30="},
    {"x": 0, "mediatype": "a/b"},
]


@pytest.mark.parametrize("model", MODELS)
def test_a_member_that_is_skipped_would_not_be_reported_whatever_its_value_is(model: type[StrictModel]) -> None:
    for name in silent_names(model):
        for value in [*DOUBTFUL, DOUBTFUL]:
            assert list(member_remarks(model, name, {name: value}, None, pedantic=True)) == []


@pytest.mark.parametrize("model", MODELS)
def test_a_member_that_contains_objects_is_not_skipped(model: type[StrictModel]) -> None:
    within = {name for name, known in members_of(model).items() if known.model is not None}

    assert not within & silent_names(model)


@pytest.mark.parametrize("model", [OciManifest, DockerManifest])
def test_a_layer_whose_media_type_is_skipped_would_not_be_reported(model: type[ImageManifest]) -> None:
    for media_type in (types.KNOWN | {"application/x.y", ""}) - model.remarkable_types:
        layer = {"mediaType": media_type, "digest": "foo:bar", "size": 3}

        assert list(model.content_remarks(layer, None)) == []


@settings(max_examples=500)
@given(case=st.sampled_from(PLACES), value=st.sampled_from(DOUBTFUL) | st.lists(st.sampled_from(DOUBTFUL), max_size=3))
def test_only_notes_are_left_out_of_a_report_that_is_not_pedantic(case: tuple[str, Path], value: object) -> None:
    kind, place = case
    raw = json.dumps(changed(VALID[kind], place, value, remove=False))
    pedantic = validate(raw, kind=kind, pedantic=True).problems

    found = validate(raw, kind=kind).problems

    assert found == tuple(problem for problem in pedantic if problem.severity is not Severity.NOTE)
