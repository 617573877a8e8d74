"""Generate the pages of the documentation that are made from code: schemas, rules, the command line and two indexes.

Run it after a change of a model, a rule, a command, a docstring's first sentence, or the navigation of the site:

    .venv/bin/python tools/generate_pages.py

With `--check` it writes nothing; it prints the differences and exits with 1 if a page is stale.
"""

import argparse
import sys
from pathlib import Path

from documentation.all_pages import PAGE, all_pages
from documentation.command_line_page import command_line_page
from documentation.pages import pages
from documentation.reference_index import reference_index
from dreg_client.schemagen.folder import Stale, check_files, write_files

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
COMMAND = ".venv/bin/python tools/generate_pages.py"


def generated_pages() -> dict[str, str]:
    """Return the text of each generated page, by its path inside the folder of the documentation."""
    return {
        **pages(),
        "reference/command-line.md": command_line_page(),
        "reference/index.md": reference_index(DOCS),
        PAGE: all_pages(ROOT / "mkdocs.yml"),
    }


def main(arguments: list[str]) -> int:
    """Write the pages that are stale, or report them; return the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Generate pages of the documentation.")
    parser.add_argument("--check", action="store_true", help="report stale pages and write nothing")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the documentation (default: docs)")
    options = parser.parse_args(arguments)
    if options.check:
        return _check(options.docs)
    for path in write_files(options.docs, generated_pages()):
        print(f"wrote {path}")
    return 0


def _check(docs: Path) -> int:
    stale = check_files(docs, generated_pages())
    for found in stale:
        _print_stale(found)
    if stale:
        print(f"{len(stale)} pages are not current; run: {COMMAND}")
        return 1
    print(f"the generated pages in {docs} are current")
    return 0


def _print_stale(found: Stale) -> None:
    print(f"{found.path} {found.reason}")
    for line in found.difference.splitlines():
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
