"""Where a document is wrong: each problem names one place that the document has, and no fault is reported twice."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import Digest, validate
from dreg_client.errors import InvalidDocumentError
from dreg_client.errors.problems import Problem, Severity
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.manifest import OciManifest

Path = tuple[int | str, ...]
OCI, DOCKER = "application/vnd.oci.", "application/vnd.docker."
TEXTS = {"org.opencontainers.image.url": "https://example.com/", "example.with a space": ""}
PLATFORM = {
    "architecture": "amd64",
    "os": "windows",
    "os.version": "10.0",
    "os.features": ["win32k"],
    "variant": "v2",
    "features": ["sse4"],
}


def descriptor(media_type: str, **members: object) -> dict[str, Any]:
    return {
        "mediaType": media_type,
        "digest": Digest.of(b"{}"),
        "size": 2,
        "urls": ["https://example.com/blob"],
        "annotations": TEXTS,
        "data": "e30=",
        **members,
    }


ENTRY = descriptor(OCI + "image.manifest.v1+json", artifactType="application/x.y", platform=PLATFORM)
LAYER = descriptor(OCI + "image.layer.v1.tar")
OWN = {"subject": ENTRY, "annotations": TEXTS, "artifactType": "application/x.y", "x": {"y": [1]}}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "descriptor": ENTRY,
    "oci-manifest": {
        "schemaVersion": 2,
        "mediaType": OCI + "image.manifest.v1+json",
        "config": descriptor(OCI + "image.config.v1+json"),
        "layers": [LAYER, LAYER],
        **OWN,
    },
    "docker-manifest": {
        "schemaVersion": 2,
        "mediaType": DOCKER + "distribution.manifest.v2+json",
        "config": descriptor(DOCKER + "container.image.v1+json"),
        "layers": [LAYER],
        **OWN,
    },
    "oci-index": {"schemaVersion": 2, "mediaType": OCI + "image.index.v1+json", "manifests": [ENTRY, LAYER], **OWN},
    "docker-manifest-list": {
        "schemaVersion": 2,
        "mediaType": DOCKER + "distribution.manifest.list.v2+json",
        "manifests": [ENTRY],
    },
    "image-config": {
        **PLATFORM,
        "created": "2024-05-20T08:00:00Z",
        "author": "A",
        "rootfs": {"type": "layers", "diff_ids": [Digest.of(b"")]},
        "config": {
            "User": "u",
            "ExposedPorts": {"80/tcp": {}},
            "Env": ["A=b"],
            "Entrypoint": ["/bin/sh"],
            "Cmd": ["-c"],
            "Volumes": {"/v w": {}},
            "Labels": {"a": "b"},
            "ArgsEscaped": True,
            "Healthcheck": {"Test": ["NONE"], "Interval": 1, "Retries": 3},
        },
        "history": [{"created": "2024-05-20T08:00:00Z", "created_by": "c", "empty_layer": False}],
    },
    "image-layout": {"imageLayoutVersion": "1.0.0"},
    "legacy-manifest": {
        "schemaVersion": 1,
        "name": "a",
        "tag": "b",
        "architecture": "amd64",
        "fsLayers": [{"blobSum": Digest.of(b"")}],
        "history": [{"v1Compatibility": "{}"}],
        "signatures": [],
    },
}
OTHERS: list[object] = [
    None, True, 0, 2, -1, 2**70, 1.5, "", "text", "\0", [], [None], [""], [[]], [{}], {}, {"a": 1}, {"mediaType": []},
]  # fmt: skip


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """All places of a document, except the document itself."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in members:
        yield (*path, step)
        yield from places(inner, (*path, step))


PLACES = [(kind, place) for kind, document in DOCUMENTS.items() for place in places(document)]


def changed(document: Any, place: Path, value: object, *, remove: bool) -> Any:
    tree = deepcopy(document)
    *outer, last = place
    inner = tree
    for step in outer:
        inner = inner[step]
    if remove:
        del inner[last]
    else:
        inner[last] = value
    return tree


MISSING = None  # what is missing has no members and no entries, so a further step from it is an error
STEP = re.compile(r'\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]')


def steps(path: str) -> Path:
    """The steps of a problem's path: names of members and positions in lists."""
    assert path.startswith("$")
    found = list(STEP.finditer(path, 1))
    assert "$" + "".join(step[0] for step in found) == path, f"{path} is not a path"
    return tuple(int(step[2]) if step[2] else step[1] or json.loads(step[3]) for step in found)


def value_at(document: Any, path: Path) -> Any:
    """The value at a path, or that of a missing member; any other path is an error."""
    for step in path:
        document = document.get(step, MISSING) if isinstance(document, dict) else document[step]
    return document


def check(problems: tuple[Problem, ...], document: Any) -> None:
    for problem in problems:
        value_at(document, steps(problem.path))
    errors = Counter(problem.path for problem in problems if problem.severity is Severity.ERROR)
    assert not [path for path, count in errors.items() if count > 1], problems
    rules = Counter((problem.path, problem.rule) for problem in problems)
    assert not [place for place, count in rules.items() if count > 1], problems


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_documents_to_change_are_valid(kind: str) -> None:
    assert validate(json.dumps(DOCUMENTS[kind]), kind=kind).errors == ()


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_each_problem_of_a_wrong_value_or_of_a_missing_member_names_a_place_of_the_document_once(kind: str) -> None:
    for place in places(DOCUMENTS[kind]):
        for value in OTHERS:
            tree = changed(DOCUMENTS[kind], place, value, remove=False)
            check(validate(json.dumps(tree), kind=kind, pedantic=True).problems, tree)
        tree = changed(DOCUMENTS[kind], place, None, remove=True)
        check(validate(json.dumps(tree), kind=kind, pedantic=True).problems, tree)


@settings(max_examples=500)
@given(
    case=st.sampled_from(PLACES),
    value=st.recursive(
        st.sampled_from(OTHERS) | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a b", "mediaType", "digest", "size", "os", "Env", "\0"]), inner)
        ),
        max_leaves=5,
    ),
)
def test_each_problem_of_any_value_names_a_place_of_the_document_once(case: tuple[str, Path], value: object) -> None:
    kind, place = case
    tree = changed(DOCUMENTS[kind], place, value, remove=False)
    check(validate(json.dumps(tree), kind=kind, pedantic=True).problems, tree)


class Mine(OciManifest, frozen=True):
    """A caller's own kind of manifest, whose members have unions that pydantic names in its locations."""

    one: int | list[int] | Descriptor | None = None
    other: Annotated[Literal["a"] | dict[str, int | bool], "a mark"] = "a"


ACCEPTED: dict[str, list[object]] = {"one": [None, 0, 2, -1, 2**70, []], "other": [{}, {"a": 1}]}


@pytest.mark.parametrize("value", OTHERS)
@pytest.mark.parametrize("name", ACCEPTED)
def test_a_problem_of_a_union_names_the_member_and_no_branch_of_the_union(name: str, value: object) -> None:
    tree = {**DOCUMENTS["oci-manifest"], name: value}
    if value in ACCEPTED[name]:
        assert Mine.parse(json.dumps(tree)).raw == json.dumps(tree).encode()
        return
    with pytest.raises(InvalidDocumentError) as failure:
        Mine.parse(json.dumps(tree))
    check(failure.value.problems, tree)
    assert any(problem.path.startswith(f"$.{name}") for problem in failure.value.problems)
