"""The instruction that made a layer: `created_by` without the wrappers of build tools."""

import re

_SPACES = re.compile(r"\s+")
_NOP = re.compile(r"^(?:/bin/sh -c|cmd /S /C|powershell -Command .*?)\s+#\(nop\)\s+", re.DOTALL)
_BUILD_ARGS = re.compile(r"^\|\d+ ")
_SHELLS = ("/bin/sh -c ", "/bin/bash -o pipefail -c ", "/bin/bash -c ", "cmd /S /C ", "powershell -Command ")
_INSTRUCTIONS = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL "
    "USER VOLUME WORKDIR".split()
)


def clean_instruction(created_by: str) -> str:
    """Return the Dockerfile instruction of a `created_by`, on one line.

    It recognises the forms of the classic builder (`/bin/sh -c #(nop) ...`, `|1 ARG=... /bin/sh -c ...`), of BuildKit
    (`RUN /bin/sh -c ... # buildkit`), and those of Windows (`cmd /S /C ...`). Any other text is returned unchanged.

    Examples:
        >>> clean_instruction('/bin/sh -c #(nop)  CMD ["bash"]')
        'CMD ["bash"]'
        >>> clean_instruction("|1 VERSION=1.4 /bin/sh -c make $VERSION")
        'RUN make $VERSION'
        >>> clean_instruction("RUN /bin/sh -c apt-get update # buildkit")
        'RUN apt-get update'
    """
    text = _SPACES.sub(" ", created_by).strip()
    text = text.removesuffix("# buildkit").rstrip()
    if _NOP.match(text):
        return _NOP.sub("", text)
    word, _, rest = text.partition(" ")
    if word == "RUN":
        return f"RUN {_without_shell(_without_arguments(rest)) or rest}"
    if word in _INSTRUCTIONS:
        return text
    command = _without_shell(_without_arguments(text))
    return f"RUN {command}" if command else text


def _without_arguments(text: str) -> str:
    """Return the command after `|2 NAME=VALUE OTHER=VALUE`; values may contain spaces, so it starts at the shell."""
    if not _BUILD_ARGS.match(text):
        return text
    starts = [text.find(shell) for shell in _SHELLS if shell in text]
    return text[min(starts) :] if starts else text


def _without_shell(text: str) -> str | None:
    """Return the command that a shell runs, None if the text does not start with a shell."""
    return next((text.removeprefix(shell).strip() for shell in _SHELLS if text.startswith(shell)), None)
