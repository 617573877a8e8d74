"""What made a layer, as its author wrote it: `created_by` without what the builders put around it."""

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
    """The instruction of a Dockerfile behind a `created_by`, on one line.

    Knows the forms of the classic builder (`/bin/sh -c #(nop) ...`, `|1 ARG=... /bin/sh -c ...`), of BuildKit
    (`RUN /bin/sh -c ... # buildkit`), and those of Windows (`cmd /S /C ...`). Any other text stays as it is.

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
    """The command after `|2 NAME=VALUE OTHER=VALUE`, whose values may hold spaces: it begins at the shell."""
    if not _BUILD_ARGS.match(text):
        return text
    starts = [text.find(shell) for shell in _SHELLS if shell in text]
    return text[min(starts) :] if starts else text


def _without_shell(text: str) -> str | None:
    """The command that a shell was told to run, None where no shell stands before it."""
    return next((text.removeprefix(shell).strip() for shell in _SHELLS if text.startswith(shell)), None)
