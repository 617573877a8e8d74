"""`dreg completion`, and the completion of names with colons in bash, zsh and fish."""

import os
import re
import sys
from typing import Any, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
)

from dreg_client.cli.command import COMPLETION, Command
from dreg_client.cli.completed_names import PARTIAL
from dreg_client.cli.output import flush_output, put, put_octets

_SPECIAL: Final = re.compile(r"([^\w@%+=:,./-])", re.ASCII)
_PIECE: Final = re.compile(
    r"""(?P<space>\s+)
    | \\(?P<escaped>.?)
    | '(?P<single>[^']*)('|(?P<open_single>\Z))
    | "(?P<double>(?:\\.|[^"\\])*\\?)("|(?P<open_double>\Z))
    | (?P<plain>[^\s'"\\]+)""",
    re.VERBOSE | re.DOTALL,
)
"""A part of a command line as bash reads it."""


class _Bash(BashComplete):
    """Completion for bash, which splits words at colons (`COMP_WORDBREAKS`).

    So the script passes the line, and the part of the word that bash replaces; completions begin with that part.
    bash inserts completions without quoting them, so they are escaped here.
    """

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    COMPREPLY=()
    while IFS= read -r value; do
        type=${value%%%%,*} value=${value#*,}
        case $type in
            plain) COMPREPLY+=("$value") ;;
            partial) COMPREPLY+=("$value"); compopt -o nospace ;;
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
        esac
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="$2" %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words of the line before the cursor, and the one at the cursor."""
        words, _ = _split(os.environ["COMP_WORDS"])
        return words[1:-1], words[-1] if len(words) > 1 else ""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Complete the line; leave out names that cannot be inserted so that bash reads them unchanged."""
        _, quote = _split(os.environ["COMP_WORDS"])
        if not incomplete.endswith(_replaced(quote)):
            return []
        return [item for item in super().get_completions(args, incomplete) if _can_be_escaped(str(item.value), quote)]

    def format_completion(self, item: CompletionItem) -> str:
        """Return what replaces the part of the word that bash replaces."""
        if item.type not in {"plain", PARTIAL}:
            return super().format_completion(item)
        words, quote = _split(os.environ["COMP_WORDS"])
        value = str(item.value).removeprefix(words[-1].removesuffix(_replaced(quote)))
        if os.environ["COMP_CWORD"].startswith("~") and "/" in words[-1]:  # a home, not a file whose name begins so
            home, slash, path = value.partition("/")
            return f"{item.type},{home}{slash}{_escaped(path, quote)}"
        return f"{item.type},{_escaped(value, quote)}"


def _split(line: str) -> tuple[list[str], str]:
    """Split a line into words as bash does; return also the quote that is open at its end, if any."""
    words, quote = [""], ""
    for piece in _PIECE.finditer(line):
        if piece["space"]:
            words.append("")
        words[-1] += piece["escaped"] or piece["single"] or piece["plain"] or _unescaped(piece["double"] or "")
        quote = piece.group()[0] if (piece["open_single"], piece["open_double"]) != (None, None) else ""
    return words, quote


def _unescaped(text: str) -> str:
    """Remove the backslashes that bash removes in double quotes."""
    return re.sub(r'\\([$`"\\])', r"\1", text)


def _replaced(quote: str) -> str:
    """Return the text that bash replaces, without quotes and backslashes."""
    written = os.environ["COMP_CWORD"]  # inside quotes, it begins after the quote
    return _split(quote + written)[0][-1]


def _can_be_escaped(value: str, quote: str) -> bool:
    r"""Return whether a name can be written so that bash reads it unchanged.

    The line may be inside of backticks, which is not passed to the script; there, backslashes have another meaning. In
    double quotes, bash keeps the backslash of `\!`. bash adds no quote after a name that ends with one.
    """
    return not ({*value} & {"`", "\\", "!" if quote == '"' else "`"}) and not (quote and value.endswith(quote))


def _escaped(value: str, quote: str) -> str:
    """Escape a name for bash, outside of quotes or inside of the given ones."""
    if quote == "'":
        return value.replace("'", "'\\''")
    return re.sub(r'([$"])', r"\\\1", value) if quote else _SPECIAL.sub(r"\\\1", value)


class _Zsh(ZshComplete):
    """Completion for zsh, without a space after what more text follows."""

    source_template = ZshComplete.source_template.replace(
        'elif [[ "$type" == "dir" ]]; then',
        'elif [[ "$type" == "partial" ]]; then\n'
        "            compadd -U -S '' -V unsorted -- \"$key\"\n"
        '        elif [[ "$type" == "dir" ]]; then',
    )


class _Fish(FishComplete):
    """Completion for fish, which adds no space after `:` and `/`."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 -- ","').replace(
        "echo $metadata[2]", "printf '%%s\\n' $metadata[2]"
    )

    def format_completion(self, item: CompletionItem) -> str:
        """Return a line of the type and the value."""
        kind = "plain" if item.type == PARTIAL else item.type
        return super().format_completion(CompletionItem(item.value, type=kind, help=item.help))


_SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def complete(group: click.Command, instruction: str) -> int:
    """Print what completes a command line, for the script of a shell; return the exit code."""
    shell, _, action = instruction.partition("_")
    if shell not in _SHELLS or action not in {"complete", "source"}:
        return 1
    found = _SHELLS[shell](group, {}, "dreg", COMPLETION)
    try:
        text = found.source() if action == "source" else found.complete()
        put_octets(f"{text}\n".encode(errors="surrogateescape"))
        flush_output()
    except (OSError, KeyError, ValueError):  # the output is not read, or no shell has set COMP_WORDS and COMP_CWORD
        return 1
    finally:
        if helpers := sys.modules.get("dreg_client.credentials.program"):
            helpers.end_all()
    return 0


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print a completion script for bash, zsh or fish.

    The script completes commands, options, paths, repositories, tags and ids of rules. For repositories and tags of a
    registry it sends requests, with a timeout of 2 seconds.

    \b
    Add the line for your shell to its startup file:
      bash  ~/.bashrc                   source <(dreg completion bash)
      zsh   ~/.zshrc, after compinit    source <(dreg completion zsh)
      fish  ~/.config/fish/config.fish  dreg completion fish | source

    \b
    Examples:
      source <(dreg completion bash)
      dreg completion zsh > _dreg
      dreg completion fish > dreg.fish
    """
    root: Any = ctx.find_root().command
    put(_SHELLS[shell](root, {}, "dreg", COMPLETION).source())
