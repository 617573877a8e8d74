"""Standard streams that are closed or fail: CLI-16. Each command works, and exits with its own code."""

import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from tests.commands import run_limited
from tests.faultserver import Network
from tests.hostile.registry import LAYER, LAYER_DIGEST, registry_at
from tests.hostile.secrets import PASSWORD, USER

ROOT = Path(__file__).parents[2]
MULTI = "oci:fixtures/layouts/multi"
CLOSED = {"in": "<&-", "out": ">&-", "err": "2>&-"}
SETS = [names for count in (1, 2, 3) for names in combinations(CLOSED, count)]
WEB = "registry.test/acme/web"
COMMANDS: dict[str, tuple[str, int]] = {
    "tags": (f"tags {MULTI}", 0),
    "no such layout": ("tags oci:no/such", 4),
    "no such option": ("tags --no-such", 2),
    "nothing": ("", 2),
    "help": ("--help", 0),
    "validate": ("validate fixtures/valid", 0),
    "invalid": ("validate fixtures/broken/MAN-05-config-missing.json", 1),
    "inspect": (f"inspect {MULTI}:1.4", 0),
    "blob": ("blob oci:fixtures/layouts/multi -o {folder}/layer $(cat {folder}/digest)", 0),
    "debug": ("tags --debug oci:no/such", 4),
    "registry": (f"tags --debug --retries 0 --ca-file {{ca}} {WEB}", 0),
    "no such repository": ("tags --retries 0 --ca-file {ca} registry.test/no/such", 4),
}


def run(command: str, net: Network, redirections: str) -> "subprocess.CompletedProcess[bytes]":
    words = f'exec "{sys.executable}" -m dreg_client.cli {command} {redirections}'
    return run_limited(
        ["sh", "-c", words],
        capture_output=True,
        input=b"",
        cwd=ROOT,
        env=net.environment(),
        check=False,
    )


@pytest.mark.parametrize("closed", SETS, ids="+".join)
@pytest.mark.parametrize("name", ["no such layout", "registry"])
def test_cli_16_any_streams_may_be_closed(net: Network, tmp_path: Path, closed: tuple[str, ...], name: str) -> None:
    check(net, tmp_path, closed, name)


@pytest.mark.parametrize("name", COMMANDS)
def test_cli_16_each_command_exits_with_its_code_if_standard_error_is_closed(
    net: Network, tmp_path: Path, name: str
) -> None:
    check(net, tmp_path, ("err",), name)


def check(net: Network, folder: Path, closed: tuple[str, ...], name: str) -> None:
    registry_at(net)
    command, code = COMMANDS[name]
    (folder / "digest").write_text("sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3")
    if code == 0 and "out" in closed:
        code = 5  # the output is lost
    command = command.format(folder=folder, ca=net.ca_file)
    done = run(command, net, " ".join(CLOSED[stream] for stream in closed))

    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr or "--debug" in command
    assert not (done.stdout if "out" in closed else b"")
    assert not (done.stderr if "err" in closed else b"")


@pytest.mark.parametrize("name", ["no such layout", "nothing", "debug", "registry"])
def test_cli_16_a_standard_error_that_takes_nothing_changes_no_code(net: Network, tmp_path: Path, name: str) -> None:
    registry_at(net)
    (tmp_path / "digest").write_text("sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3")
    command, code = COMMANDS[name]
    done = run(command.format(folder=tmp_path, ca=net.ca_file), net, "2>/dev/full")

    assert done.returncode == code


@pytest.mark.parametrize("closed", SETS, ids="+".join)
def test_cli_16_nothing_goes_to_a_file_that_has_the_number_of_a_closed_stream(
    net: Network, tmp_path: Path, closed: tuple[str, ...]
) -> None:
    registry_at(net)
    words = f"blob --debug --ca-file {net.ca_file} {WEB}@{LAYER_DIGEST} -o {tmp_path}/layer"
    done = run(words, net, " ".join(CLOSED[stream] for stream in closed))

    assert done.returncode == 0
    assert (tmp_path / "layer").read_bytes() == LAYER


def test_cli_16_a_login_works_without_standard_error(net: Network, tmp_path: Path) -> None:
    registry_at(net)
    (tmp_path / "password").write_text(PASSWORD)
    file = tmp_path / "auth.json"
    words = f"login registry.test --ca-file {net.ca_file} --authfile {file} -u {USER} --password-stdin"
    done = run(words, net, f"2>&- <{tmp_path}/password")

    assert done.returncode == 0
    assert file.stat().st_uid == os.geteuid()
