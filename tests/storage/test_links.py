"""Links that a server cannot parse: `validate`, commands that read, and the server agree about them."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dreg_client import RegistryStorage, errors
from tests.registries import running
from tests.storage.planted import Tree

_CONTENTS = {
    "line feed": ("{}\n", r'{} with "\n" after it'),
    "line end of Windows": ("{}\r\n", r'{} with "\r\n" after it'),
    "byte order mark": ("\ufeff{}", r'{} with "\ufeff" before it'),
    "spaces": ("  {} ", r'{} with "  " before it'),
    "text": ("a link to {}", r'"a link to sha256:'),
    "empty": ("", "nothing"),
}


def _tag(tree: Tree) -> Path:
    return tree.repository("acme/web") / "_manifests/tags/1.4/current/link"


@pytest.mark.parametrize("content", _CONTENTS)
def test_val_183_a_link_with_a_digest_and_more_says_what_is_too_much(tree: Tree, content: str) -> None:
    """In `validate` and in commands that read. A description that is cut before the fault would not tell."""
    link, (text, said) = _tag(tree), _CONTENTS[content]
    digest = link.read_text()
    link.write_text(text.format(digest))

    [found] = tree.texts("STO-06")
    assert found.startswith(said.format(digest))
    with RegistryStorage(tree.path) as storage, pytest.raises(errors.LayoutCorruptError) as raised:
        storage.repository("acme/web").get_manifest("1.4")
    assert found in str(raised.value)
    assert "a link must contain a digest, and nothing else (STO-06)" in str(raised.value)


def test_val_183_a_digest_in_upper_case_is_named(tree: Tree) -> None:
    link = _tag(tree)
    link.write_text(upper := f"sha256:{link.read_text()[7:].upper()}")

    assert tree.texts("STO-06") == [f"{upper} in upper case"]


def test_val_183_a_link_of_a_manifest_to_another_one_is_not_read(tree: Tree) -> None:
    other = tree.put_image("acme/web", "1.5", b"another")
    digest = _tag(tree).read_text()
    tree.link("acme/web", "_manifests/revisions", digest, other)

    with RegistryStorage(tree.path) as storage, pytest.raises(errors.LayoutCorruptError, match="STO-06"):
        storage.repository("acme/web").get_manifest(digest)


@pytest.mark.parametrize("end", ["", "\n"])
def test_the_server_does_not_accept_a_line_feed_in_a_link(tree: Tree, tmp_path: Path, end: str) -> None:
    link = _tag(tree)
    link.write_text(f"{link.read_text()}{end}")
    (root := tmp_path / "root").mkdir()
    tree.path.rename(root / "storage")
    with running(root) as registry:
        request = urllib.request.Request(f"{registry.url}/v2/acme/web/manifests/1.4", method="HEAD")  # noqa: S310
        request.add_header("Accept", "application/vnd.oci.image.manifest.v1+json")
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                status = response.status
        except urllib.error.HTTPError as failure:
            status = failure.code

    assert status == (500 if end else 200)
