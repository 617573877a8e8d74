"""Names that a shell would expand: what an interactive bash inserts reaches the command unchanged."""

import json
import os
import pty
import sys
from pathlib import Path
from select import select

from tests.commands import ROOT, start_limited

NAMES = [
    "$(touch LIVE)",
    "a`touch LIVE`",
    "b\\;touch LIVE",
    "ex!!x",
    "sp ace",
    "trail,",
    "~root",
    'c"d',
    "it's",
    "{a,b}",
]
INSERTED = {
    '"oci:store:$': "oci:store:$(touch LIVE)",
    "'oci:store:$": "oci:store:$(touch LIVE)",
    "oci:store:\\$": "oci:store:$(touch LIVE)",
    '"files/\\$': "files/$(touch LIVE)",
    "'oci:store:ex": "oci:store:ex!!x",
    "oci:store:ex": "oci:store:ex!!x",
    '"oci:store:ex"': "oci:store:ex!!x",
    '"oci:store:c': 'oci:store:c"d',
    "'oci:store:i": "oci:store:it's",
    '"oci:store:i': "oci:store:it's",
    '"oci:sto"re:sp': "oci:store:sp ace",
    "oci:store:\\{": "oci:store:{a,b}",
    "files/tr": "files/trail,",
    "~": "~root",
    "~/a\\ fi": "HOME/a file,",
}
LEFT_OUT = {"oci:store:a": "oci:store:a", "oci:store:b": "oci:store:b", '"oci:store:ex\t"': "oci:store:ex"}
"""Names that cannot be escaped exactly in each place where bash may insert them."""
COMMAND = ["bash", "--norc", "-i"]
DREG = """#!/bin/sh
[ "$_DREG_COMPLETE$1" = validate ] && exec printf 'got %s<<\\n' "$2"
exec "{python}" -m dreg_client.cli "$@"
"""


def _prepare(folder: Path) -> None:
    """Write a layout and a folder that have all names, and a `dreg` that prints the argument of `dreg validate`."""
    for place in ("bin", "work/store", "work/files", "home"):
        (folder / place).mkdir(parents=True)
    (folder / "bin/dreg").write_text(DREG.format(python=sys.executable))
    (folder / "bin/dreg").chmod(0o755)
    entries = [{"annotations": {"org.opencontainers.image.ref.name": name}} for name in NAMES]
    (folder / "work/store/index.json").write_text(json.dumps({"manifests": entries}))
    for name in NAMES:
        (folder / "work/files" / name).touch()
    (folder / "work/~root").touch()
    (folder / "home/a file,").touch()


def test_what_bash_inserts_is_the_name_and_is_never_executed(tmp_path: Path) -> None:
    _prepare(tmp_path)
    ours, its = pty.openpty()
    env = os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    env |= {"TERM": "dumb", "INPUTRC": os.devnull, "HOME": str(tmp_path / "home"), "LC_ALL": "C.UTF-8"}
    expected = {typed: name.replace("HOME", str(tmp_path / "home")) for typed, name in (INSERTED | LEFT_OUT).items()}
    with (
        start_limited(
            COMMAND, stdin=its, stdout=its, stderr=its, cwd=tmp_path / "work", env=env, start_new_session=True
        ) as shell,
        os.fdopen(ours, "r+b", buffering=0) as screen,
    ):
        os.close(its)
        screen.write(b"source <(dreg completion bash)\n")
        found: dict[str, str] = {}
        for typed in expected:
            key = "" if "\t" in typed else "\t"
            screen.write(f"dreg validate {typed}{key}\n".encode())
            shown = b""
            while b"<<\r\n" not in shown and select([screen], [], [], 30)[0]:
                shown += screen.read(1024) or b""
            found[typed] = shown.decode().rpartition("\ngot ")[2].partition("<<")[0]
        shell.kill()

    assert found == expected
    assert not [*tmp_path.rglob("LIVE")]
