"""Advice of the library, which names arguments and methods of Python, reworded as options and commands to paste."""

import re
from typing import Final

_REWORDED: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(rf"(?<![\w/.-]){pattern}(?![\w/.-])"), command)
    for pattern, command in (
        (r"(?:set|use) plain_http=True", "use --plain-http"),
        (r"plain_http=True", "--plain-http"),
        (r"omit plain_http", "omit --plain-http"),
        (r"with insecure=True", "with --insecure"),
        (r"(use|with) ca_file", r"\1 --ca-file"),
        (r"with deadline=", "with --deadline"),
        (r"omit no_clobber=True", "omit --no-clobber"),
        (r"omit referrers=True", "omit --referrers"),
        (r"with timeout=(?:Timeouts\(\w+=SECONDS\))?", "with --timeout"),
        (r"with retries=", "with --retries"),
        (r"with allow_empty=", "with --allow-empty"),
        (r"with platforms=", "with --platform"),
        (r"the same call with resume=True goes on with the upload", "the same command continues the upload"),
        (r"with push_blob and put_manifest", "with dreg blob put and dreg manifest put"),
        (r"to choose tags, use tags=", "to choose tags, use --include"),
        (r"repositories=", "--repository"),
        (r"omit placeholder=False", "omit --no-placeholder"),
        (r"continue its run with resume=True", "continue its run with --resume"),
        (r"use find_partitions, with a name that ends in (\.parquet)", r"rename it to *\1"),
        (r"authfile names", "--authfile names"),
        (r"with get_image\(NAME\)", "with --ref-name NAME"),
        (r"use delete_manifest on (\S+)", r"run: dreg delete \1"),
        (r"use parse_manifest\(raw, legacy=True\)", "use dreg manifest"),
        (r"for the registry itself, use Registry\('([^']+)'\)", r"where a whole registry is meant, write \1/"),
        (r"and (\d+) more, see \.problems", r"dreg validate shows \1 more"),
        (r"with open_store\('([^']+)'\)\.tags\(\)", r"with: dreg tags \1"),
    )
)
_ONLY_IN_PYTHON: Final = (
    " (max_retry_after)",
    ", or allow more with timeout=Timeouts(connect=SECONDS)",
    "; read them one by one, with iter_tags()",
    "; read it name by name, with catalog()",
    "; allow more with limit=",
    "; allow more with limit=, or use download_blob",
)


def for_command_line(message: str) -> str:
    """Return a message with options and commands in place of arguments and methods.

    Examples:
        >>> for_command_line("timed out: no response within 30 s; allow more with timeout=")
        'timed out: no response within 30 s; allow more with --timeout'
        >>> for_command_line("to read schema 1, use parse_manifest(raw, legacy=True)")
        'to read schema 1, use dreg manifest'
        >>> for_command_line("to delete it, use delete_manifest on registry.example/acme/web@sha256:0")
        'to delete it, run: dreg delete registry.example/acme/web@sha256:0'
        >>> for_command_line("if the registry deletes by digest, omit placeholder=False")
        'if the registry deletes by digest, omit --no-placeholder'
        >>> for_command_line("for the registry itself, use Registry('localhost')")
        'where a whole registry is meant, write localhost/'
        >>> for_command_line("not a valid manifest: no config; and 2 more, see .problems")
        'not a valid manifest: no config; dreg validate shows 2 more'
    """
    for words in sorted(_ONLY_IN_PYTHON, key=len, reverse=True):
        message = message.replace(words, "")
    for pattern, command in _REWORDED:
        message = pattern.sub(command, message)
    return message
