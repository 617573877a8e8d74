"""`validate_layout`: each fault of a layout told apart, by its rule and in its words."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import DregError, Layout, Problem, Severity
from dreg_client._sync.validation import FileReport, validate_layout
from dreg_client.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from tests.layout.conftest import Json, LayoutBuilder

GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def problems(layout: Layout | Path, **how: object) -> list[tuple[str, Problem]]:
    """All problems, with the files that have them."""
    opened = layout if isinstance(layout, Layout) else Layout(layout)
    reports: list[FileReport] = list(validate_layout(opened, **how))  # type: ignore[arg-type]
    return [(report.name, problem) for report in reports for problem in report.report.problems]


def told(layout: Layout | Path, **how: object) -> list[str]:
    return [f"{problem.rule} {problem.severity}" for _, problem in problems(layout, **how)]


# --- good ones


@pytest.mark.parametrize("name", ["multi", "windows", "skopeo", "umoci"])
def test_a_good_layout_has_no_problems(fixtures: Path, name: str) -> None:
    layout = Layout(fixtures / "layouts" / name)
    reports = list(validate_layout(layout, complete=True))

    assert [report for report in reports if report.report.problems] == []
    files = {str(path.relative_to(layout.name)) for path in Path(layout.name, "blobs").rglob("*") if path.is_file()}
    assert sorted(report.name for report in reports) == sorted({"index.json", *files})
    assert reports[0].name == "index.json"


def test_documents_are_told_as_the_index_leads_to_them_then_blobs(fixtures: Path) -> None:
    kinds = [report.report.kind for report in validate_layout(Layout(fixtures / "layouts/skopeo"))]

    documents = [kind for kind in kinds if kind]
    assert kinds[: len(documents)] == documents
    assert documents == ["oci-index", "oci-index", *["oci-manifest", "image-config"] * 4]


@pytest.mark.parametrize("name", ["multi", "skopeo", "broken/flipped-byte", "broken/missing-blob"])
def test_jobs_change_neither_result_nor_order(fixtures: Path, name: str) -> None:
    layout = Layout(fixtures / "layouts" / name)

    one, four = (list(validate_layout(layout, jobs=jobs, pedantic=True)) for jobs in (1, 4))
    assert one == four


# --- broken ones, each told apart


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("flipped-byte", "LYT-03 error", f"the {GZIP_LAYER} in blobs/sha256/26fe9296f1a7"),
        ("config-digest", "LYT-03 error", f"the {OCI_CONFIG} in blobs/sha256/26fe9296f1a7"),
        ("missing-blob", "LYT-04 warning", "found no such blob"),
        ("swapped-media-type", "LYT-05 error", f"found {DOCKER_MANIFEST}, expected {OCI_MANIFEST}, as stated in"),
        ("wrong-size", "LYT-05 error", "found 555 bytes, expected 554 bytes, as stated in index.json $.manifests[0]"),
        ("same-name-twice", "LYT-07 warning", 'the name "1.4", which sha256:26fe9296f1a7'),
        ("diff-ids-do-not-fit", "CFG-21 warning", "found 2 layers, expected one layer for each"),
        ("symlink-blob", "LYT-03 error", "it was not read"),
    ],
)
def test_each_fault_is_told_apart(fixtures: Path, name: str, rule: str, said: str) -> None:
    layout = fixtures / "layouts/broken" / name

    assert told(layout) == [rule]
    assert said in str(problems(layout)[0][1])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-index", "is not an image layout: it has no index.json (LYT-02)"),
        ("bad-version", 'found "2.0.0", expected "1.0.0" (LYT-01'),
        ("bad-json-index", "index.json: not a valid oci-index: $: found unterminated string"),
        ("traversal", '$.manifests[0].digest: found "sha256:../../etc/passwd"'),
    ],
)
def test_what_is_no_layout_is_told_apart_when_it_is_opened(fixtures: Path, name: str, said: str) -> None:
    with pytest.raises(DregError) as caught:
        Layout(fixtures / "layouts/broken" / name)

    assert said in str(caught.value)
    assert name in str(caught.value)


# --- what real tools wrote, broken in one place


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def first_image(path: Path) -> tuple[Path, "Json", "Json"]:
    """The file of the first image's manifest, the manifest, and its entry in the document above it."""
    entry = json.loads((path / "index.json").read_bytes())["manifests"][0]
    document = json.loads(blob(path, entry).read_bytes())
    if "manifests" in document:
        entry = document["manifests"][0]
        document = json.loads(blob(path, entry).read_bytes())
    return blob(path, entry), document, entry


def blob(path: Path, entry: "Json") -> Path:
    return path / "blobs" / entry["digest"].replace(":", "/")


@pytest.mark.parametrize("name", ["skopeo", "umoci"])
def test_real_layouts_with_one_fault_are_told_apart(copied: Callable[[str], Path], name: str) -> None:
    path = copied(name)
    file, document, entry = first_image(path)

    flip(blob(path, document["layers"][0]))
    assert told(path) == ["LYT-03 error"]
    assert "layer.v1.tar+gzip in" in str(problems(path)[0][1])
    flip(blob(path, document["layers"][0]))

    hidden = blob(path, document["layers"][-1])
    hidden.rename(path / "hidden")
    assert told(path) == ["LYT-04 warning"]
    assert told(path, complete=True) == ["LYT-04 error"]
    (path / "hidden").rename(hidden)

    flip(file)
    assert "LYT-03 error" in told(path)
    assert {name for name, problem in problems(path) if problem.rule == "LYT-03"} == {
        f"blobs/{entry['digest'].replace(':', '/')}"
    }
    flip(file)
    assert told(path, complete=True) == []


@pytest.mark.parametrize("name", ["skopeo", "umoci"])
@pytest.mark.parametrize("media_type", [DOCKER_MANIFEST, "application/vnd.oci.image.index.v1+json"])
def test_real_layouts_with_a_swapped_media_type_say_what_it_should_be(
    copied: Callable[[str], Path], name: str, media_type: str
) -> None:
    """umoci's manifests have no type of their own: their shape tells."""
    path = copied(name)
    index = json.loads((path / "index.json").read_bytes())
    own = index["manifests"][0]["mediaType"]
    if own == media_type:
        media_type = OCI_MANIFEST
    index["manifests"][0]["mediaType"] = media_type
    (path / "index.json").write_text(json.dumps(index))

    found = [problem for _, problem in problems(path) if problem.severity is Severity.ERROR]
    assert [problem.path for problem in found] == ["$.mediaType"]
    assert found[0].rule == ("DKM-02" if (name, media_type) == ("umoci", DOCKER_MANIFEST) else "LYT-05")
    if found[0].rule == "LYT-05":
        assert found[0].found == own
        assert found[0].expected == f"{media_type}, as stated in index.json $.manifests[0]"


# --- rule by rule


def test_lyt_03_what_lies_in_the_place_of_a_blob_must_be_a_file(build: "LayoutBuilder") -> None:
    layer, other = build.blob(b"layer"), build.blob(b"unnamed")
    build.tag("1.4", build.manifest(build.config(), layer))
    for entry in (layer, other):
        build.file(entry).unlink()
    build.file(layer).mkdir()
    os.mkfifo(build.file(other))

    assert told(build.layout()) == ["LYT-03 error", "LYT-03 error"]


def test_lyt_03_blobs_that_nothing_names_are_hashed_too(build: "LayoutBuilder") -> None:
    good, bad = build.blob(b"good"), build.blob(b"bad")
    build.file(bad).write_bytes(b"other")
    (found,) = problems(build.layout())

    assert found[0] == "blobs/" + bad["digest"].replace(":", "/")
    assert (found[1].rule, found[1].severity) == ("LYT-03", Severity.ERROR)
    pedantic = problems(build.layout(), pedantic=True)
    assert {name for name, problem in pedantic if problem.rule == "LYT-08"} == {
        "blobs/" + entry["digest"].replace(":", "/") for entry in (good, bad)
    }


def test_lyt_04_whatever_is_missing_is_told_with_who_names_it(build: "LayoutBuilder") -> None:
    config, layer = build.config(), build.blob(b"layer")
    manifest, gone = build.manifest(config, layer), build.image("linux/arm64")
    index = build.tag("1.4", build.index(manifest, gone))
    for entry in (config, layer, gone):
        build.file(entry).unlink()
    expected = {
        build.name(config): f"{build.name(manifest)} $.config",
        build.name(layer): f"{build.name(manifest)} $.layers[0]",
        build.name(gone): f"{build.name(index)} $.manifests[1]",
    }

    found = [(name, problem) for name, problem in problems(build.layout()) if problem.rule == "LYT-04"]
    assert {name: problem.severity for name, problem in found} == dict.fromkeys(expected, Severity.WARNING)
    assert all(problem.expected.endswith(expected[name]) for name, problem in found)
    strict = [problem for _, problem in problems(build.layout(), complete=True) if problem.rule == "LYT-04"]
    assert {problem.severity for problem in strict} == {Severity.ERROR}


@pytest.mark.parametrize("complete", [False, True])
def test_lyt_04_a_subject_and_what_has_urls_may_be_elsewhere(build: "LayoutBuilder", *, complete: bool) -> None:
    foreign = build.blob(b"foreign", urls=["https://example.com/layer"])
    subject = build.image("linux/arm64")
    for entry in (foreign, subject):
        build.file(entry).unlink()
    build.tag("1.4", build.manifest(build.config(), foreign, subject=subject))

    found = problems(build.layout(), complete=complete)
    assert [name for name, _ in found] == []


def test_lyt_05_each_who_names_a_file_must_say_its_size(build: "LayoutBuilder") -> None:
    """The second entry of a document, and the second mention of a layer, are compared as the first are."""
    layer, entry = build.blob(b"layer"), build.image()
    build.tag("a", entry)
    build.tag("b", {**entry, "size": entry["size"] + 1})
    build.tag("c", build.manifest(build.config(diff_ids=2), layer, {**layer, "size": 9}))
    build.tag("d", {**layer, "mediaType": OCI_MANIFEST, "digest": entry["digest"], "size": entry["size"]})
    build.tag("e", build.manifest(build.config(author="x"), {**layer, "digest": entry["digest"], "size": 7}))

    found = problems(build.layout())
    assert [(name, problem.rule) for name, problem in found] == [
        (build.name(entry), "LYT-05"),
        (build.name(layer), "LYT-05"),
        (build.name(entry), "LYT-05"),
    ]
    assert found[0][1].expected.endswith("as stated in index.json $.manifests[1]")
    assert found[1][1].expected.endswith("$.layers[1]")


def test_lyt_06_a_name_out_of_form_warns(build: "LayoutBuilder") -> None:
    build.tag("web 1.4", build.image())

    assert told(build.layout()) == ["LYT-06 warning"]


def test_lyt_07_a_name_twice_warns_until_it_is_asked_for(fixtures: Path) -> None:
    layout = Layout(fixtures / "layouts/broken/same-name-twice")

    assert told(layout) == ["LYT-07 warning"]
    with pytest.raises(ConflictError):
        told(layout, reference="1.4")


def test_lyt_07_a_name_twice_for_one_digest_is_fine(build: "LayoutBuilder") -> None:
    entry = build.image()
    for _ in range(2):
        build.tag("1.4", entry)

    assert told(build.layout()) == []


def test_lyt_08_further_files_beside_blobs_are_no_problem(build: "LayoutBuilder") -> None:
    build.tag("1.4", build.image())
    layout = build.layout()
    (build.path / "manifest.json").write_text("[]")
    (build.path / "other").mkdir()

    assert told(layout) == []
    assert [line for line in told(layout, pedantic=True) if line.startswith("LYT")] == []


def test_lyt_09_the_directory_blobs_is_due_if_empty(build: "LayoutBuilder") -> None:
    """git drops empty directories; `umoci init` makes one."""
    layout = build.layout()

    assert told(layout) == ["LYT-09 warning"]
    (build.path / "blobs/sha256").mkdir(parents=True)
    assert told(layout) == []


@pytest.mark.parametrize(
    "name", ["file", "sha256/.tmp123", "sha256/abc", "sha256/a/b", "SHA256/x", "sha256:" + "0" * 64, "sha256/\udcff"]
)
def test_lyt_10_a_name_that_makes_no_digest_warns(build: "LayoutBuilder", name: str) -> None:
    layout = build.layout()
    file = build.path / "blobs" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")

    (found,) = problems(layout)
    assert (found[1].rule, found[1].severity) == ("LYT-10", Severity.WARNING)
    assert str(found[1]).isprintable()
    found[0].encode()


@pytest.mark.parametrize("name", [".DS_Store", "._sha256", "sha256/.DS_Store", "sha256/._abc"])
def test_lyt_10_a_file_that_macos_adds_is_a_note(build: "LayoutBuilder", name: str) -> None:
    layout = build.layout()
    file = build.path / "blobs" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")

    assert told(layout) == []
    assert told(layout, pedantic=True) == ["LYT-10 note"]


def test_lyt_10_a_link_to_a_directory_is_named_and_not_entered(build: "LayoutBuilder", tmp_path: Path) -> None:
    layout = build.layout()
    (build.path / "blobs").mkdir()
    (build.path / "blobs/sha256").symlink_to(tmp_path)

    assert [name for name, _ in problems(layout)] == ["blobs/sha256"]


def test_cfg_21_is_told_at_the_manifest(build: "LayoutBuilder") -> None:
    manifest = build.manifest(build.config(diff_ids=3), build.blob(b"layer"))
    build.tag("1.4", manifest)
    (found,) = problems(build.layout())

    assert found[0] == build.name(manifest)
    assert (found[1].rule, found[1].path, found[1].found) == ("CFG-21", "$.layers", "1 layers")


def test_a_document_that_is_too_large_is_told_so(build: "LayoutBuilder") -> None:
    entry = build.tag("1.4", build.image())
    os.truncate(build.file(entry), (4 << 20) + 1)

    assert "GEN-05 error" in told(build.layout())


def test_a_broken_document_has_all_its_problems_told(build: "LayoutBuilder") -> None:
    config = build.document({"os": 1, "rootfs": {"type": "layers", "diff_ids": ["x"]}}, OCI_CONFIG)
    build.tag("1.4", build.manifest(config))

    found = {problem.rule for name, problem in problems(build.layout()) if name == build.name(config)}
    assert found == {"CFG-01", "DIG-01"}


def test_eight_levels_of_indexes_are_fine_and_nine_are_an_error(build: "LayoutBuilder") -> None:
    entry = build.image()
    for _ in range(8):
        entry = build.index(entry)
    build.tag("1.4", entry)
    assert told(build.layout()) == []

    build.tag("1.5", build.index(entry))
    layout = build.layout()
    assert told(layout) == []  # the walk was there before
    assert told(layout, reference="1.5") == ["GEN-04 error"]


def test_one_reference_is_validated_alone(copied: Callable[[str], Path]) -> None:
    path = copied("multi")
    layout = Layout(path)
    single = layout.get_image("single").get_platform_images()[0]
    flip(path / "blobs/sha256" / single.layers[1].digest.encoded)

    assert told(layout, reference="single") == ["LYT-03 error"]
    assert told(layout, reference="1.4") == []
    assert told(layout, reference=str(single.digest)) == ["LYT-03 error"]
    names = [report.name for report in validate_layout(layout, reference="single")]
    assert len(names) == len(set(names)) == 2 + len(single.layers)
    with pytest.raises(NotFoundError):
        told(layout, reference="1.5")


def test_notes_are_told_to_pedants_alone(fixtures: Path) -> None:
    layout = Layout(fixtures / "layouts/umoci")

    assert told(layout) == []
    assert set(told(layout, pedantic=True)) == {"IDX-02 note", "MAN-02 note"}


def test_an_index_of_many_entries_is_validated_as_it_is_read(build: "LayoutBuilder") -> None:
    """IDX-10 and GEN-05 do not bind `index.json`."""
    entry = build.image()
    build.entries = [entry] * 30_000

    assert told(build.layout()) == []
