"""Registries that flood: every command ends by itself, and in little memory: CLI-41 to CLI-43."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from dreg_client import Descriptor, Digest, errors
from dreg_client.protocol.referrers import check_count
from tests.faultserver import Network
from tests.hostile import floods
from tests.hostile.downloads import MIB
from tests.hostile.floods import CATALOG, OF_ALL, Flood
from tests.hostile.measured import Measured, run_measured
from tests.hostile.registry import LAYER_DIGEST, MANIFEST, TAGS, registry_at

MOST = 200 * MIB
IMAGE = "registry.test/acme/web"
DIGESTED = f"{IMAGE}@{Digest.of(MANIFEST)}"
COMMANDS: dict[str, Sequence[str]] = {
    "inspect": ("inspect", f"{IMAGE}:1.4"),
    "tags": ("tags", IMAGE),
    "tags as JSON": ("tags", IMAGE, "--format", "json"),
    "digests": ("tags", IMAGE, "--digests"),
    "resolve": ("resolve", f"{IMAGE}:1.4"),
    "manifest": ("manifest", f"{IMAGE}:1.4"),
    "config": ("config", f"{IMAGE}:1.4"),
    "platforms": ("platforms", f"{IMAGE}:1.4"),
    "history": ("history", f"{IMAGE}:1.4", "--platform", "linux/amd64"),
    "referrers": ("referrers", DIGESTED, "--verify"),
    "repos": ("repos", "registry.test"),
    "validate": ("validate", f"{IMAGE}:1.4"),
    "validate a repository": ("validate", IMAGE, "--format", "json"),
    "validate a registry": ("validate", "registry.test/"),
    "tag": ("tag", f"{IMAGE}:1.4", "new"),
    "untag": ("untag", f"{IMAGE}:1.4"),
    "delete": ("delete", DIGESTED),
}


def flooded(net: Network, flood: Flood, command: str, *, until: int | None = None) -> Measured:
    """Run a command against a registry that floods; it ends, in little memory, and without a traceback."""
    flood(registry_at(net))
    done = run_measured(net, *COMMANDS[command], until=until)
    assert 0 <= done.code < 70 or done.code == 141, done
    assert done.peak < MOST
    assert "Traceback" not in done.err
    return done


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flood", OF_ALL)
def test_cli_41_a_command_ends_by_itself_whatever_floods_it(net: Network, flood: str, command: str) -> None:
    done = flooded(net, OF_ALL[flood], command)

    is_deleted = command == "delete" and flood not in {"error", "not found", "token"}
    assert done.code or is_deleted or command == "validate a registry"


@pytest.mark.parametrize("command", ["tags", "tags as JSON", "digests", "repos"])
@pytest.mark.parametrize("size", [1000, 60_000])
def test_cli_41_the_reader_ends_a_list_of_large_pages(net: Network, command: str, size: int) -> None:
    path, member = (CATALOG, "repositories") if command == "repos" else (TAGS, "tags")
    until = 1 if command == "digests" else 3 * MIB

    assert flooded(net, floods.pages(path, member, size), command, until=until).code == 141


@pytest.mark.parametrize("command", ["tags", "repos", "validate a repository", "validate a registry"])
def test_cli_41_a_list_that_links_to_itself_ends(net: Network, command: str) -> None:
    assert flooded(net, floods.itself, command).code == 5


@pytest.mark.parametrize("flood", [floods.referrers, floods.referrers_of_many], ids=["pages", "entries"])
def test_cli_41_a_list_of_referrers_ends(net: Network, flood: Flood) -> None:
    assert flooded(net, flood, "referrers").code == 5


@pytest.mark.parametrize("command", ["config", "inspect", "validate"])
def test_cli_41_a_config_that_is_longer_than_its_descriptor_is_not_read_to_its_end(net: Network, command: str) -> None:
    assert flooded(net, floods.blob_too_long, command).code in {1, 5}


@pytest.mark.parametrize("path", ["-", "blob"])
def test_cli_41_a_blob_of_unknown_size_takes_little_memory(net: Network, tmp_path: Path, path: str) -> None:
    registry_at(net).on(floods.BLOB, (floods.head("200 OK", floods.CHUNKED), floods.Drip(floods.CHUNK, 1000)))
    to_file = () if path == "-" else ("-o", str(tmp_path / path))

    done = run_measured(net, "blob", IMAGE, LAYER_DIGEST, *to_file, until=100 * MIB)
    assert done.code
    assert done.peak < MOST
    assert not (tmp_path / path).exists()


@pytest.mark.parametrize("command", ["inspect", "platforms", "validate"])
def test_cli_41_an_index_of_very_many_manifests_takes_little_memory(net: Network, command: str) -> None:
    done = flooded(net, lambda host: floods.index_of(host, 2000), command)

    assert done.code == 0


# --- CLI-42


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("has_platforms", [True, False], ids=["platforms", "no platforms"])
def test_cli_42_inspect_reads_a_part_of_an_image_whose_documents_are_huge(
    net: Network, output: str, has_platforms: bool
) -> None:
    floods.index_of(registry_at(net), 30, size=3_500_000, has_platforms=has_platforms)

    done = run_measured(net, "inspect", f"{IMAGE}:1.4", "--format", output)
    assert done.code == 1
    assert done.peak < MOST
    assert done.printed < 30 * MIB


# --- CLI-43


@pytest.mark.parametrize("command", ["validate a repository", "validate a registry"])
def test_cli_43_a_list_without_an_end_is_an_error_before_anything_is_validated(net: Network, command: str) -> None:
    path, member = (CATALOG, "repositories") if command == "validate a registry" else (TAGS, "tags")

    done = flooded(net, floods.pages(path, member, 1000), command)
    assert done.code == 5
    assert "does not end after 1,000 pages" in done.err
    assert net.hosts["registry.test"].asked == [f"GET {path}", *(f"GET {path}?page={page}" for page in range(1, 1000))]


def test_cli_43_tags_that_cannot_be_read_take_no_memory(net: Network) -> None:
    peaks = []
    for many in (100, 1000):
        names = json.dumps({"tags": [f"t{number}" for number in range(many)]}).encode()
        registry = net.hosts.get("registry.test") or registry_at(net)
        registry.on(TAGS, floods.answer(names, "200 OK", floods.JSON))
        done = run_measured(net, "validate", IMAGE, "--format", "json")
        assert done.code == 4
        peaks.append(done.peak)
    assert peaks[1] <= 1.1 * peaks[0]


def test_cli_43_too_many_referrers_are_not_called_bytes() -> None:
    entry = Descriptor(mediaType="a/b", digest=Digest.of(b""), size=0)

    with pytest.raises(errors.TooManyEntriesError, match="more than 1,000 referrers"):
        check_count([entry] * 9000, "https://registry.test/v2/acme/web/referrers")
