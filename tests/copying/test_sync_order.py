"""Which syncs wait for others, and how the failures of several are told apart."""

from pathlib import Path

import pytest

from dreg_client import RepositorySync, SyncResult, errors, sync
from dreg_client.copying.sync_order import batches, written_before
from tests.copying.graphs import names
from tests.copying.test_prune import layout_of


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("oci:there", "oci:./there"),
        ("oci:there", "oci:there/"),
        ("oci:mirrors", "oci:mirrors/acme/web"),
        ("oci:absent", "oci:absent:acme/web"),
        ("oci:there", "oci:there:acme/web"),
        ("oci:there", "oci:linked"),
        ("oci-archive:all.tar:acme/web", "oci-archive:./all.tar:acme/old"),
        ("docker.io/library/web", "web"),
        ("docker.io/acme", "docker://index.docker.io/acme/web"),
        ("localhost:5000", "localhost:5000/acme/web"),
        ("http://localhost:5000/mirror", "localhost:5000/mirror/web"),
    ],
)
def test_what_reads_what_another_writes_starts_after_it(
    written: str, read: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "linked").symlink_to("there")
    ends = [("a.example/x", written), (read, "b.example/y")]

    assert batches(ends) == [range(1), range(1, 2)]
    assert written_before(ends) == ["", written]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("oci:there", "oci:there2"),
        ("oci:there:acme/web", "oci:there:acme/old"),
        ("localhost/acme/web", "localhost:5000/acme/web"),
        ("localhost:5000/library/web", "localhost:5000/web"),
        ("localhost:5000/there", "oci:there"),
    ],
)
def test_what_others_do_not_write_does_not_wait(
    written: str, read: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    ends = [("a.example/x", written), (read, "b.example/y")]

    assert batches(ends) == [range(2)]
    assert written_before(ends) == ["", ""]


def test_a_layout_with_a_slash_is_not_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    layout_of(tmp_path / "source", "1")

    assert sync("oci:source/", "oci:there/").copied == 1
    assert names(tmp_path / "there") == names(tmp_path / "source")


def test_each_failure_of_one_source_and_two_destinations_has_a_name() -> None:
    first, second, other = (errors.DregError(text) for text in ("first", "second", "other"))
    result = SyncResult(
        (
            RepositorySync("oci:s", "oci:one", failed={"1": first, "2": other}),
            RepositorySync("oci:s", "oci:two", failed={"1": second}, failure=other),
            RepositorySync("oci:s", "oci:two", failed={"1": other}),
        )
    )

    assert result.failures == {
        "oci:s:1 to oci:one": first,
        "oci:s:2": other,
        "oci:s": other,
        "oci:s:1 to oci:two": second,
        "oci:s:1 to oci:two (2)": other,
    }
