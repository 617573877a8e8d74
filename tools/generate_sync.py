"""Generate `dreg_client/_sync` from `dreg_client/_async`.

Code is translated token by token: `async` and `await` are dropped, and names are replaced by the table `NAMES` of
`sync_translation` or by dropping `Async` at their beginning. Docstrings, comments and messages are translated by the
same table and the rules of `PROSE`; sentences that need another translation are in `sync_prose.toml`. ruff then sorts
the imports and formats.

Usage: generate_sync.py [--check]. With --check, nothing is written; exits with 1 if a generated file is stale.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

from sync_translation import Sentences, collisions, pattern_of, translate

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = "dreg_client/_async"
TARGET: Final = "dreg_client/_sync"
PROSE_FILE: Final = "tools/sync_prose.toml"
COMMAND: Final = ".venv/bin/python tools/generate_sync.py"
MARK: Final = f"# Generated from {SOURCE}/%s by tools/generate_sync.py. Do not edit.\n"
HAND_WRITTEN: Final = frozenset({"__init__.py", "_awaitable.py", "_compat.py"})
"""Modules of the source that are not translated."""

FIXABLE: Final = "C416,F401,I,PYI016,RUF100,UP034"
"""The rules of ruff that a translation may break, and that ruff can fix."""


class GenerationError(Exception):
    """A module cannot be translated."""


def read_sentences(path: Path) -> Sentences:
    """Read the sentences that have a translation of their own."""
    return {entry["async"]: entry["sync"] for entry in tomllib.loads(path.read_text("utf-8")).get("sentence", [])}


def generate(root: Path) -> dict[str, str]:
    """Translate all modules of the source.

    Returns:
        The text of each generated file, by its path beneath the target.

    Raises:
        GenerationError: Two names become one, or a sentence of `sync_prose.toml` is not used.
    """
    sentences = read_sentences(root / PROSE_FILE)
    sources = {
        path.relative_to(root / SOURCE).as_posix(): path.read_text("utf-8")
        for path in sorted((root / SOURCE).rglob("*.py"))
        if path.relative_to(root / SOURCE).as_posix() not in HAND_WRITTEN
    }
    twice = [f"{SOURCE}/{name}: {clash}" for name, text in sources.items() for clash in collisions(text)]
    if twice:
        raise GenerationError("names that would become one in sync code; rename one of them:\n" + "\n".join(twice))
    unused = [it for it in sentences if not any(pattern_of(it).search(text) for text in sources.values())]
    if unused:
        raise GenerationError(f"{PROSE_FILE} has sentences that no module has:\n" + "\n".join(unused))
    return formatted(root, {name: MARK % name + translate(text, sentences) for name, text in sources.items()})


def formatted(root: Path, texts: dict[str, str]) -> dict[str, str]:
    """Sort imports, drop what is redundant, and format, by the rules of the project."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(root / "pyproject.toml", folder)
        for path, text in texts.items():
            (folder / TARGET / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / TARGET / path).write_text(text, "utf-8")
        run_ruff(folder, "check", "--fix", "--unsafe-fixes", "--fixable", FIXABLE, "--exit-zero")
        run_ruff(folder, "format")
        return {path: (folder / TARGET / path).read_text("utf-8") for path in texts}


def run_ruff(folder: Path, *arguments: str) -> None:
    """Run the ruff of this environment.

    Raises:
        GenerationError: It is not installed, or fails.
    """
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        raise GenerationError("ruff is not installed; install the dependency group 'lint'")
    # ruff would take modules for another package's that are not in this folder.
    ours = ["--config", "lint.isort.known-first-party = ['dreg_client']"]
    command = [ruff, *arguments, *ours, "--quiet", "--no-cache", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GenerationError(f"ruff {arguments[0]} failed: {done.stderr or done.stdout}")


def stale_files(root: Path, texts: dict[str, str]) -> dict[Path, str | None]:
    """Return the files to be written, with their text, and to be deleted, with None.

    Raises:
        GenerationError: A file that was written by hand would be replaced.
    """
    target = root / TARGET
    present = {path.relative_to(target).as_posix(): path.read_text("utf-8") for path in target.rglob("*.py")}
    marked = {name for name, text in present.items() if text.startswith(MARK.partition("%s")[0])}
    if by_hand := sorted((texts.keys() & present.keys()) - marked):
        raise GenerationError(f"not generated, so not replaced: {', '.join(by_hand)}; rename the module of {SOURCE}")
    changed: dict[Path, str | None] = {target / name: text for name, text in texts.items() if present.get(name) != text}
    return changed | {target / name: None for name in sorted(marked - texts.keys())}


def write(stale: dict[Path, str | None]) -> None:
    """Write and delete files."""
    for path, text in stale.items():
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Generate the files, or check them; return the exit code."""
    parser = argparse.ArgumentParser(description=f"Generate {TARGET} from {SOURCE}.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is stale")
    check = parser.parse_args(arguments).check
    try:
        stale = stale_files(root, generate(root))
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 2
    names = [path.relative_to(root).as_posix() for path in stale]
    if check and stale:
        print(f"stale: {' '.join(names)}\nrun: {COMMAND}", file=sys.stderr)
        return 1
    if not check:
        write(stale)
    print("written:" if stale else "up to date", *names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
