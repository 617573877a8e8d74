"""`dreg completion`, and the completion of names with colons in bash, zsh and fish."""

import os
import re
import shlex
from typing import Any, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from dreg_client.cli.command import Command
from dreg_client.cli.completed_names import PARTIAL

_VARIABLE: Final = "_DREG_COMPLETE"
_SPECIAL: Final = re.compile(r"([^\w@%+=:,./~-])", re.ASCII)


class _Bash(BashComplete):
    """Completion for bash, which splits words at colons (`COMP_WORDBREAKS`).

    So the script passes the line, and the part of the word that bash replaces; completions begin with that part.
    """

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    COMPREPLY=()
    while IFS=, read -r type value; do
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
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)
        if line[-1:].isspace() and not line.endswith("\\ "):
            return words[1:], ""
        return words[1:-1], words[-1] if len(words) > 1 else ""

    def format_completion(self, item: CompletionItem) -> str:
        """Return what replaces the part of the word that bash replaces."""
        if item.type not in {"plain", PARTIAL}:
            return super().format_completion(item)
        replaced, is_quoted = os.environ["COMP_CWORD"], _is_quoted(os.environ["COMP_WORDS"])
        if not is_quoted:  # otherwise it is the text after the quote
            replaced = next(iter(split_arg_string(replaced)), "")
        value = str(item.value).removeprefix(self.get_completion_args()[1].removesuffix(replaced))
        return f"{item.type},{value}" if is_quoted else _SPECIAL.sub(r"\\\1", f"{item.type},{value}")


def _is_quoted(line: str) -> bool:
    """Return whether a line ends inside quotes."""
    try:
        shlex.split(line)
    except ValueError as failure:  # otherwise it ends with a backslash
        return "quotation" in str(failure)
    return False


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
    found = _SHELLS[shell](group, {}, "dreg", _VARIABLE)
    click.echo((found.source() if action == "source" else found.complete()).encode(errors="surrogateescape"))
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
    click.echo(_SHELLS[shell](root, {}, "dreg", _VARIABLE).source())
