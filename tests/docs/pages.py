"""The pages, README.md first, and the examples in Python that they show."""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
ADDRESS = "localhost:5000"
"""What the pages call a registry."""
STORAGE = "/var/lib/registry"
"""What the pages call its storage."""

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SCRIPT = re.compile(r'^```py title="([^"\n]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A block of a page.

    Attributes:
        place: The page, and the line that the block begins at.
        text: What stands there.
    """

    place: str
    text: str

    @property
    def says(self) -> list[str]:
        """The lines that it is said to print."""
        return [line.strip().removeprefix("#> ") for line in self.text.splitlines() if line.strip().startswith("#> ")]

    def printed(self, address: str) -> list[str]:
        """The lines that it prints, run where `fixtures` are, with this registry."""
        printed = io.StringIO()
        code = compile(self.text.replace(ADDRESS, address), f"<{self.place}>", "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, {"__name__": "example"})  # noqa: S102 (our own pages)
        return shown(printed.getvalue()).splitlines()


def shown(text: str) -> str:
    """What an example printed, as the pages show it."""
    return re.sub(r"localhost:\d{4,5}", ADDRESS, text)


def _examples(page: Path) -> list[Example]:
    text = page.read_text()
    return [
        Example(f"{page.name}-{text[: found.start()].count(chr(10)) + 1}", found[1]) for found in _BLOCK.finditer(text)
    ]


SCRIPTS = {found[1]: Example(found[1], found[2]) for page in PAGES for found in _SCRIPT.finditer(page.read_text())}
"""What the pages show as files of their own, by name: programs on clusters, which run in processes of their own."""
EXAMPLES = [example for page in PAGES for example in _examples(page)]
