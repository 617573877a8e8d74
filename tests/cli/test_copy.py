"""`dreg copy`, `dreg pull`, `dreg push`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Copied, Tagged
from dreg_client.cli.copy_progress import CopyProgress
from tests.commands import start_limited
from tests.copying.graphs import Graph, content, names
from tests.registries import LAYOUT, ROOT, RunningRegistry

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("home")
SINGLE = names(LAYOUT)["single"]


def test_copy_prints_what_was_copied_with_its_digest(dreg: Run, tmp_path: Path) -> None:
    done = dreg("copy", f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there")

    assert (done.code, done.out) == (0, f"oci:{tmp_path}/there:single@{SINGLE}\n")
    assert done.err == "dreg: copied 4 blobs (3.1 KiB); 0 already there, 0 mounted\n"
    assert names(tmp_path / "there") == {"single": SINGLE}
    again = dreg("copy", f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there")
    assert (again.out, again.err) == (done.out, "dreg: nothing to copy: the destination already has everything\n")


def test_copy_prints_json(dreg: Run, tmp_path: Path) -> None:
    done = dreg("copy", f"oci:{LAYOUT}", f"oci:{tmp_path}/there", "--all-tags", "--format", "json")

    printed = json.loads(done.out)
    assert printed["digests"] == names(LAYOUT) == names(tmp_path / "there")
    assert printed["copied"]["count"] == 14
    assert not printed["dryRun"]


def test_a_dry_run_writes_nothing(dreg: Run, tmp_path: Path) -> None:
    done = dreg("copy", f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there", "--dry-run")

    assert (done.code, done.err) == (0, "dreg: would copy 4 blobs (3.1 KiB); 0 already there, 0 mounted\n")
    assert not (tmp_path / "there").exists()


def test_push_and_pull(dreg: Run, own_registry: RunningRegistry, tmp_path: Path) -> None:
    image = f"{own_registry.address}/acme/web"

    pushed = dreg("push", f"oci:{LAYOUT}:1.4", image)
    pulled = dreg("pull", f"{image}:1.4", cwd=tmp_path)
    one = dreg("pull", f"{image}:1.4", f"oci:{tmp_path}/one:arm", "--platform", "linux/arm64")

    digest = names(LAYOUT)["1.4"]
    assert (pushed.code, pushed.out) == (0, f"{image}:1.4@{digest}\n")
    assert (pulled.code, pulled.out) == (0, f"oci:web:1.4@{digest}\n")
    assert names(tmp_path / "web") == {"1.4": digest}
    assert one.code == 0
    assert names(tmp_path / "one").keys() == {"arm"}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["copy", "oci:{layout}:absent", "oci:{there}"], 4, "absent"),
        (["copy", "oci:{layout}:1.4", "oci:{there}", "--platform", "linux/s390x"], 4, "linux/s390x"),
        (["copy", "oci:{layout}:1.4", "oci:{there}", "--all-tags"], 2, "--all-tags cannot be used with a tag"),
        (["copy", "oci:{layout}:1.4", "docker-archive:{there}.tar"], 8, "choose it with --platform"),
        (["copy", "oci:{layout}:single", "docker-archive:{there}.tar", "--referrers"], 8, "omit --referrers"),
        (["copy", "oci:{layout}:1.4", "oci:{there}@" + SINGLE], 5, "the image to copy from"),
        (["push", "oci:{layout}:1.4", "oci:{there}"], 2, "use dreg copy"),
        (["pull", "oci:{layout}:1.4"], 2, "use dreg copy"),
        (["pull", "acme/web:1.4", "web"], 2, "docker.io/library/web:latest is in a registry; write oci:PATH"),
        (["pull", "acme/web:1.4", "Web"], 2, "Invalid value for 'DESTINATION'"),
        (["cp"], 2, "use dreg copy"),
        (["copy", "oci:{layout}:1.4", "oci:{there}", "--dest-tls-verify=false"], 2, "use --dest-insecure"),
        (["copy", "oci:{layout}:1.4", "oci:{there}", "--all"], 2, "all platforms are copied by default"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else None,
)
def test_errors_say_what_to_do(dreg: Run, tmp_path: Path, arguments: list[str], code: int, told: str) -> None:
    done = dreg(*(it.format(layout=LAYOUT, there=tmp_path / "there") for it in arguments))

    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "there").exists() or names(tmp_path / "there") == {}


def test_pull_copies_all_tags_to_a_layout_that_is_named_after_the_repository(
    dreg: Run, own_registry: RunningRegistry, tmp_path: Path
) -> None:
    image = f"{own_registry.address}/acme/web"
    assert dreg("push", f"oci:{LAYOUT}", image, "--all-tags").code == 0

    done = dreg("pull", image, "--all-tags", cwd=tmp_path)

    assert done.code == 0
    assert names(tmp_path / "web") == names(LAYOUT)


def test_a_new_tag_of_an_image_that_is_there_is_mentioned(dreg: Run, tmp_path: Path) -> None:
    assert dreg("copy", f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there").code == 0

    planned = dreg("copy", f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there:other", "--dry-run")
    done = dreg("copy", f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there:other")

    assert planned.err == "dreg: would write the tag other; the destination already has everything else\n"
    assert done.err == "dreg: wrote the tag other; the destination already has everything else\n"


def test_the_printed_name_in_a_docker_archive_is_the_stored_one(dreg: Run, tmp_path: Path) -> None:
    archive = f"docker-archive:{tmp_path}/y.tar"

    assert dreg("copy", f"oci:{LAYOUT}:single", f"{archive}:1.0").out == f"{archive}:docker.io/library/1.0:latest\n"
    assert dreg("tags", archive).out == "docker.io/library/1.0:latest\n"


def test_several_platforms_in_one_option_are_an_error(dreg: Run, tmp_path: Path) -> None:
    both = ("--platform", "linux/arm64,linux/amd64")
    done = dreg("copy", f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there", *both)
    config = dreg("config", f"oci:{LAYOUT}:1.4", *both)

    assert (done.code, config.code) == (2, 2)
    assert "'linux/arm64,linux/amd64' has several platforms; repeat --platform for each one; see" in done.err
    assert "has several platforms; choose one; see" in config.err


def test_an_ambiguous_source_mentions_all_tags_and_lists_few_images(dreg: Run, tmp_path: Path) -> None:
    graph = Graph()
    for number in range(7):
        graph.tag(graph.image([graph.add(b"%d" % number)]), f"{number}")
        graph.tag(graph.image([graph.add(b"of %d" % number)]), f"sha256-{number:064}.sig")
    here = graph.write(tmp_path / "here")

    done = dreg("copy", f"oci:{here}", f"oci:{tmp_path}/there")

    assert done.code == 7
    assert "the layout contains 14 images; request one of: 0 sha256:" in done.err
    assert done.err.endswith(" and 9 more; --all-tags copies all of them\n")
    assert ".sig" not in done.err
    assert "--all-tags" not in dreg("inspect", f"oci:{here}:absent").err


def test_a_repository_without_latest_mentions_all_tags(
    dreg: Run, own_registry: RunningRegistry, tmp_path: Path
) -> None:
    image = f"{own_registry.address}/acme/untagged"
    assert dreg("push", f"oci:{LAYOUT}:single", f"{image}:1").code == 0

    done = dreg("copy", image, f"oci:{tmp_path}/there")

    assert done.code == 4
    assert f"name one of its tags (dreg tags {image}), or copy all of them with --all-tags" in done.err


def test_a_manifest_of_schema_1_is_not_copied(dreg: Run, tmp_path: Path) -> None:
    graph = Graph()
    old = (ROOT / "fixtures/valid/docker-schema-1-signed.json").read_bytes()
    graph.tag(graph.add(old, "application/vnd.docker.distribution.manifest.v1+prettyjws"), "old")

    done = dreg("copy", f"oci:{graph.write(tmp_path / 'here')}", f"oci:{tmp_path}/there")

    assert (done.code, done.out) == (8, "")
    assert done.err.endswith(
        "schema 1, which cannot be copied, because registries no longer accept it; build the image again\n"
    )


def test_no_clobber_exits_with_7(dreg: Run, tmp_path: Path) -> None:
    assert dreg("copy", f"oci:{LAYOUT}:single", f"oci:{tmp_path}/there:1.4").code == 0

    done = dreg("copy", f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/there", "--no-clobber")
    several = dreg("copy", f"oci:{LAYOUT}", f"oci:{tmp_path}/there", "--no-clobber", "--all-tags")

    assert done.code == 7
    assert "--no-clobber" in done.err
    assert several.code == 0
    assert "tag 1.4 was not replaced" in several.err


def test_credentials_are_looked_up_for_each_registry(
    dreg: Run, password_registry: RunningRegistry, own_registry: RunningRegistry, home: Path
) -> None:
    import base64

    pair = base64.b64encode(b":".join(map(str.encode, password_registry.credentials or ()))).decode()
    (home / "auth.json").write_text(json.dumps({"auths": {password_registry.address: {"auth": pair}}}))
    (home / "auth.json").chmod(0o600)
    names_of = f"{password_registry.address}/acme/web:1.3", f"{own_registry.address}/acme/web:1.3"

    done = dreg("copy", *names_of, "--authfile", str(home / "auth.json"))
    without = dreg("copy", *names_of)

    assert done.code == 0
    assert without.code == 3


def test_an_interrupted_copy_says_so_and_leaves_no_tag(tmp_path: Path) -> None:
    graph = Graph()
    graph.tag(graph.image([graph.add(b"layer" * 100)]), "1")
    source = graph.write(tmp_path / "here")
    layer = next(it for it in content(source).values() if it.startswith(b"layer"))
    path = next(it for it in (source / "blobs/sha256").iterdir() if it.read_bytes() == layer)
    code = SLOW % str(path.name)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, "copy", f"oci:{source}:1", f"oci:{tmp_path}/there"]

    with start_limited(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    assert (process.returncode, out) == (130, "")
    assert err.startswith("dreg: interrupted; the copy is incomplete; no tag was written")
    assert names(tmp_path / "there") == {}
    assert f"sha256:{path.name}" not in content(tmp_path / "there")


SLOW = """
import sys, time
from dreg_client._sync import _compat, file_reader
from dreg_client._sync._compat import sleep
after = file_reader.FileReader.__next__
def slowly(reader):
    if "%.12s" in reader._path:
        print("begun", file=sys.stderr, flush=True)
        sleep(60)
    return after(reader)
file_reader.FileReader.__next__ = slowly
from dreg_client.cli import main
main()
"""


def test_bars_are_drawn_on_a_terminal(terminal: Run, tmp_path: Path) -> None:
    graph = Graph()
    graph.tag(graph.image([graph.add(bytes([number]) * (1 << 20)) for number in range(3)]), "1")
    source = graph.write(tmp_path / "here")
    code = "from dreg_client.cli import copy_progress, main\ncopy_progress._PATIENCE = copy_progress._PAUSE = 0\nmain()"

    shown = terminal(
        "copy", f"oci:{source}:1", f"oci:{tmp_path}/there", columns=100, command=[sys.executable, "-c", code]
    )

    assert shown.code == 0
    assert "blobs" in shown.out
    assert "MiB" in shown.out
    assert "copied 4 blobs" in shown.out


def test_an_archive_must_be_a_file(dreg: Run) -> None:
    done = dreg("copy", f"oci:{LAYOUT}:single", "oci-archive:/dev/null")

    assert done.code == 5
    assert done.err == "dreg: /dev/null: cannot be written: it is not a regular file; pass the path of a file\n"


def test_a_manifest_of_unknown_kind_needs_a_media_type(dreg: Run, own_registry: RunningRegistry) -> None:
    done = dreg("manifest", "put", f"{own_registry.address}/acme/web:1", "-", stdin=b"{}")

    assert done.code == 1
    assert "specify --media-type as one of" in done.err


@pytest.mark.parametrize("command", ["copy", "push", "sync"])
def test_copies_take_upload_hosts(dreg: Run, own_registry: RunningRegistry, command: str) -> None:
    source = f"oci:{LAYOUT}" if command == "sync" else f"oci:{LAYOUT}:single"
    there = f"{own_registry.address}/acme/hosts"

    assert dreg(command, source, there, "--upload-host", "uploads.example:5000").code == 0
    wrong = dreg(command, source, there, "--upload-host", "https://uploads.example")
    assert wrong.code == 2
    assert "--upload-host" in wrong.err


def test_copy_of_all_tags_copies_the_others_and_exits_with_the_code_of_the_error(dreg: Run, tmp_path: Path) -> None:
    graph = Graph()
    graph.tag(graph.image([lost := graph.add(b"lost")]), "bad")
    graph.tag(graph.image([graph.add(b"kept")]), "good")
    source = graph.write(tmp_path / "here")
    (source / "blobs" / lost["digest"].replace(":", "/")).unlink()

    done = dreg("copy", f"oci:{source}", f"oci:{tmp_path}/there", "--all-tags")

    assert done.code == 4
    assert "not copied: bad; these tags were already written: good" in done.err
    assert names(tmp_path / "there").keys() == {"good"}


def test_an_interruption_tells_which_tags_were_written() -> None:
    progress = CopyProgress(is_atomic=False)
    progress.listen(Copied("sha256:0", 5, "copied"))
    progress.listen(Tagged("1.4", "sha256:0"))

    expected = "these tags were already written: 1.4; 1 blob will not be transferred again"
    assert progress.outcome() == f"the copy is incomplete; {expected}"
