"""Lay out help texts for the width of the terminal, down to 40 columns."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import click

_NARROWEST: Final = 24
_WIDEST: Final = 100
_MARGIN: Final = 2
_KEPT: Final = "\b"
"""The first line of a paragraph that keeps its lines, as in click."""
_WORD: Final = re.compile(r"""(?:'[^']*'|"[^"]*"|\S)+""")
"""A word of a shell command; quoted text stays whole."""
_CONTINUED: Final = re.compile(r" *\\\n *")
"""Where a shell command continues in the next line."""
_TERM: Final = re.compile(r" *\S+(?: \S+)* {2,}(?=\S)")
"""A term, and the spaces before its description."""


class HelpFormatter(click.HelpFormatter):
    """click's formatter, which never breaks words, and puts descriptions below their terms on narrow terminals.

    click wraps at 50 columns at least, and breaks `--password-stdin` at a hyphen.
    """

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        if width is None:
            from shutil import get_terminal_size

            columns = min(get_terminal_size().columns, max_width or _WIDEST)
            width = max(columns - _MARGIN, _NARROWEST)
        super().__init__(indent_increment, width, max_width)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line, wrapped between words."""
        prefix = "Usage: " if prefix is None else prefix
        following = " " * min(len(f"{prefix}{prog} "), len(prefix) + 4)
        self.write("\n".join(self._wrapped(f"{prog} {args}", prefix, following)) + "\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs: wrapped, or line by line after a `\b`."""
        paragraphs = [paragraph.splitlines() for paragraph in re.split(r"\n[ \t]*\n", text.strip("\n"))]
        self.write("\n\n".join("\n".join(self._lines_of(lines)) for lines in paragraphs) + "\n")

    def _lines_of(self, paragraph: list[str]) -> Iterator[str]:
        margin = " " * self.current_indent
        if paragraph[0].strip() == _KEPT:
            for line in _CONTINUED.sub(" ", "\n".join(paragraph[1:])).splitlines():
                yield from self._kept(margin + line)
        else:
            yield from self._wrapped(" ".join(map(str.strip, paragraph)), margin, margin)

    def _kept(self, line: str) -> list[str]:
        """Return a line as it is if it fits; otherwise wrapped, a command with backslashes."""
        if len(line) <= self.width:
            return [line]
        indent = line[: min(len(line) - len(line.lstrip()), self.width // 3)]
        if line.lstrip().startswith("dreg "):
            return list(self._continued(_WORD.findall(line), indent))
        column = _TERM.match(line)
        following = " " * len(column[0]) if column and len(column[0]) < self.width // 2 else f"{indent}  "
        return self._wrapped(line.strip(), indent, following)

    def _continued(self, words: list[str], indent: str) -> Iterator[str]:
        line = indent + words[0]
        for word in words[1:]:
            if len(line) + len(word) + len("  \\") > self.width and line.strip() != "dreg":
                yield f"{line} \\"
                line = f"{indent}  {word}"
            else:
                line += f" {word}"
        yield line

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write a list of terms and descriptions: in two columns, or in one if the second would be too narrow."""
        rows = list(rows)
        column = min(max((len(term) for term, _ in rows), default=0), col_max) + col_spacing + self.current_indent
        is_stacked = self.width - column < min(40, self.width * 0.6)
        margin, column = " " * self.current_indent, self.current_indent + 4 if is_stacked else column
        for term, description in rows:
            first = margin + term
            if is_stacked or len(first) + col_spacing > column or not description:
                self.write("\n".join(self._wrapped(term, margin, f"{margin}  ")) + "\n")
                first = ""
            lines = self._wrapped(description, first.ljust(column), " " * column)
            self.write("".join(f"{line}\n" for line in lines))

    def _wrapped(self, text: str, first: str, following: str) -> list[str]:
        import textwrap

        return textwrap.wrap(
            *(text, self.width),
            initial_indent=first,
            subsequent_indent=following,
            break_long_words=False,
            break_on_hyphens=False,
        )
