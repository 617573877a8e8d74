"""Downloads that are killed at each call of the file system: `python -m tests.faults.kills WAY URL FOLDER [resume]`.

For each call a line: how the child ended, which file is there, and how many others. It is a process of its own since
nobody should fork one that has threads.
"""

import os
import sys
from pathlib import Path

from tests.faults.blobs import BLOB, OLD, WAYS
from tests.faults.layer import failing, killed

STRANGER = ".blob.0123456789abcdef.part"
CHANGE_NOTHING = frozenset({"fstat", "lseek", "lstat", "read", "stat"})


def main(way: str, url: str, folder: str, resume: str) -> None:
    code, number, root = -1, 0, Path(folder)
    WAYS[way](url, root / "blob")  # what is imported late is imported before the children are there
    while code:
        number += 1
        (root / "blob").write_bytes(OLD)
        code = in_child(number, way, url, root, resume=bool(resume))
        found = {OLD: "old", BLOB: "new"}.get((root / "blob").read_bytes(), "torn")
        left = [path for path in root.iterdir() if path.name not in {"blob", STRANGER}]
        sys.stdout.write(f"{code} {found} {len(left)}\n")
        for path in left if not resume else ():
            path.unlink()


def in_child(number: int, way: str, url: str, root: Path, *, resume: bool) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with failing(root, number, killed, CHANGE_NOTHING):
        WAYS[way](url, root / "blob", resume=resume)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
