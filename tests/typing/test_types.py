"""What type checkers know of the public names; each claim is checked by mypy and by pyright, both strict."""

import sys
from pathlib import Path

import pytest

from tests.commands import run_limited

_RIGHT = """
from typing import assert_never, assert_type

from dreg_client import (
    AnyManifest,
    AsyncImage,
    AsyncRegistry,
    Credential,
    Descriptor,
    Digest,
    DockerManifest,
    DockerManifestList,
    Image,
    ImageConfig,
    LegacyManifest,
    Layout,
    OciIndex,
    OciManifest,
    Platform,
    Registry,
    Report,
    Repository,
    aopen_image,
    open_image,
    parse_document,
    parse_manifest,
    validate,
)


def layers(raw: bytes) -> int:
    document = parse_manifest(raw)
    match document:
        case OciManifest() | DockerManifest():
            return len(document.layers)
        case OciIndex() | DockerManifestList():
            return len(document.manifests)
        case _:
            assert_never(document)


def kinds(raw: bytes) -> None:
    assert_type(parse_manifest(raw), AnyManifest)
    assert_type(parse_manifest(raw, legacy=True), AnyManifest | LegacyManifest)
    assert_type(parse_document(raw, kind="oci-index"), OciIndex)
    assert_type(parse_document(raw, kind="image-config"), ImageConfig)
    assert_type(OciManifest.parse(raw), OciManifest)
    assert_type(OciManifest.parse(raw).digest, Digest)
    assert_type(validate(raw), Report)


def registry() -> None:
    with Registry("localhost:5000", credentials=Credential("ada", "secret"), retries=2) as opened:
        web = opened.repository("acme/web")
        assert_type(web, Repository)
        assert_type(web.tags(), tuple[str, ...])
        assert_type(web.get_manifest("1.4"), AnyManifest)
        assert_type(web.get_manifest("1.4", legacy=True), AnyManifest | LegacyManifest)
        assert_type(web.resolve("1.4"), Descriptor)
        assert_type(web.get_image(web.resolve("1.4")), Image)
        assert_type(web.get_config(web.resolve("1.4")), ImageConfig)
        assert_type(web.referrers(web.resolve("1.4")), tuple[Descriptor, ...])
    with open_image("ubuntu:22.04", plain_http=True) as image:
        assert_type(image, Image)
    kept = open_image("oci:build/web:1.4")
    assert_type(kept, Image)
    kept.close()


async def tasks() -> None:
    async with AsyncRegistry("localhost:5000") as opened:
        web = opened.repository("acme/web")
        assert_type(await web.get_manifest("1.4"), AnyManifest)
        async with web.stream_blob("sha256:" + "0" * 64) as chunks:
            assert_type([chunk async for chunk in chunks], list[bytes])
    async with aopen_image("ubuntu:22.04") as image:
        assert_type(image, AsyncImage)
    kept = await aopen_image("oci:build/web:1.4")
    assert_type(kept, AsyncImage)
    await kept.close()


def platforms(layout: Layout) -> bool:
    image = layout.get_image("1.4")
    assert_type(image, Image)
    return image.platforms == {Platform.from_name("linux/amd64")}
"""

_WRONG = {
    "a name that is misspelt": "from dreg_client import parse_manifests\n",
    "an option that there is not": 'from dreg_client import Registry\nRegistry("localhost", plain=True)\n',
    "a kind that there is not": 'from dreg_client import parse_document\nparse_document(b"", kind="oci")\n',
    "a kind that is forgotten": """
from typing import assert_never
from dreg_client import OciIndex, OciManifest, DockerManifest, parse_manifest
document = parse_manifest(b"")
match document:
    case OciManifest() | DockerManifest() | OciIndex():
        pass
    case _:
        assert_never(document)
""",
    "a member that is changed": """
from dreg_client import OciManifest
OciManifest.parse(b"").layers = ()
""",
    "a mapping that is changed": """
from dreg_client import OciManifest
annotations = OciManifest.parse(b"").annotations
if annotations:
    annotations["a"] = "b"
""",
}

_CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file="],
    "pyright": [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
}


@pytest.mark.parametrize("checker", _CHECKERS)
def test_the_types_are_exact_and_what_is_wrong_is_told(checker: str, tmp_path: Path) -> None:
    """One run for both: most of its time goes into the library itself."""
    wrong = {name.replace(" ", "_"): source for name, source in _WRONG.items()}
    for name, source in {"right": _RIGHT, **wrong}.items():
        (tmp_path / f"{name}.py").write_text(source)
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    command = [*_CHECKERS[checker], "right.py", *(f"{name}.py" for name in wrong)]
    done = run_limited(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "right.py:" not in done.stdout, done.stdout
    for name in wrong:
        assert f"{name}.py:" in done.stdout, done.stdout
