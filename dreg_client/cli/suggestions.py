"""Suggestions for commands and options that `dreg` does not have: names in similar tools, and typing errors."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final

_TAGS_OR_REPOSITORIES: Final = "to list tags, use dreg tags; to list repositories, use dreg repos"
_READ: Final = "to print a manifest or config, use dreg manifest or dreg config; to print a blob, use dreg blob"
_DELETE: Final = "to delete a tag, use dreg untag; to delete a manifest or blob, use dreg delete"
_COPY: Final = "to copy an image, use dreg copy; to write it to an image layout, use dreg pull"
_PUSH: Final = "to copy an image from an image layout or an archive to a registry, use dreg push"
_REFERRERS: Final = "to list signatures and other referrers, use dreg referrers"

_SAME: Final = {
    "validate": ("check", "fsck", "lint", "test", "verify"),
    "inspect": ("describe", "image", "info", "layers", "labels", "show", "size", "stat", "view"),
    "tags": ("list-tags", "tag-list"),
    "resolve": ("digest", "digests", "sha", "sha256"),
    "manifest": ("manifests",),
    "config": ("configs",),
    "platforms": ("arch", "archs", "platform"),
    "history": ("steps",),
    "referrers": ("attestations", "discover", "referrer", "sbom", "signatures", "tree"),
    "blob": ("blobs", "layer"),
    "repos": ("_catalog", "catalog", "repo", "repositories", "repository", "search"),
    "tag": ("add-tag",),
    "untag": ("delete-tag", "remove-tag", "rm-tag"),
    "delete": ("delete-image", "delete-manifest", "rmi"),
    "retag": ("release", "retag-all"),
    "prune": ("clean", "clean-up", "cleanup", "expire", "gcr-cleaner", "lifecycle", "purge", "retain", "retention"),
    "promote": ("publish",),
    "plan": ("policy", "preview"),
    "undo": ("restore", "revert", "rollback"),
    "usage": ("df", "du", "disk-usage", "stats"),
    "login": ("auth", "signin"),
    "logout": ("signout",),
    "schema": ("json-schema", "jsonschema", "schemas"),
    "rule": ("explain", "rules"),
    "completion": ("completions",),
}
"""Commands, and what other tools call them."""

OTHER_NAMES: Final[Mapping[str, str]] = {
    **{name: f"use dreg {command}" for command, names in _SAME.items() for name in names},
    **dict.fromkeys(("images", "list", "ls"), _TAGS_OR_REPOSITORIES),
    **dict.fromkeys(("cat", "fetch", "get"), _READ),
    **dict.fromkeys(("remove", "rm"), _DELETE),
    **dict.fromkeys(("cp", "clone", "export", "save"), _COPY),
    **dict.fromkeys(("mirror", "regsync"), "to copy all tags that a destination does not have, use dreg sync"),
    **dict.fromkeys(("import", "load", "upload"), _PUSH),
    **dict.fromkeys(("append", "attach", "build"), f"dreg does not build images; {_PUSH}"),
    **dict.fromkeys(("download",), "to download a blob, use dreg blob -o FILE"),
    **dict.fromkeys(("head",), "to print a digest, use dreg resolve"),
    **dict.fromkeys(("index",), "to print an index, use dreg manifest; to show its platforms, use dreg inspect"),
    **dict.fromkeys(("artifact",), f"to show an artifact, use dreg inspect; {_REFERRERS}"),
    **dict.fromkeys(("sign",), f"dreg does not sign images; {_REFERRERS}"),
    **dict.fromkeys(("diff",), "dreg does not compare images yet; compare what dreg inspect --format json prints"),
    **dict.fromkeys(("edit", "mutate", "rebase"), "dreg does not change images; to tag an image, use dreg tag"),
    **dict.fromkeys(
        ("garbage-collect",), f"to delete unneeded blobs of a layout, use dreg gc; in a registry, {_DELETE}"
    ),
    **dict.fromkeys(("ps", "run"), "dreg does not run containers; to show an image, use dreg inspect"),
    **dict.fromkeys(("registry",), "to list the repositories of a registry, use dreg repos; to log in, use dreg login"),
}
"""Commands of crane, skopeo, regctl, oras and docker, with what to use instead."""

UNDER_COMMANDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("blob fetch", "blob get"), "use dreg blob SOURCE@DIGEST"),
    **dict.fromkeys(("blob push", "blob upload"), "use dreg blob put"),
    **dict.fromkeys(("blob delete", "blob rm"), "use dreg delete REGISTRY/REPOSITORY --blob DIGEST"),
    **dict.fromkeys(("blob copy", "manifest copy"), "to copy an image, use dreg copy"),
    **dict.fromkeys(("manifest fetch", "manifest get", "manifest inspect"), "use dreg manifest SOURCE"),
    **dict.fromkeys(("manifest digest", "manifest head"), "use dreg resolve"),
    **dict.fromkeys(("manifest push",), "use dreg manifest put"),
    **dict.fromkeys(("manifest delete", "manifest rm"), "use dreg delete REGISTRY/REPOSITORY@DIGEST"),
    **dict.fromkeys(("tag delete", "tag rm", "tag remove"), "use dreg untag REGISTRY/REPOSITORY:TAG"),
    **dict.fromkeys(("tag list", "tag ls"), "use dreg tags REGISTRY/REPOSITORY"),
}
"""What other tools have under `blob`, `manifest` and `tag`; only used in errors: an image may have such a name."""

_CREDENTIAL: Final = ("--username", "use --username USER --password-stdin")
_INSECURE: Final = ("--insecure", "use --insecure to skip certificate checks, or --plain-http for HTTP")
_FORMAT: Final = ("--format", "use --format json")
_FILE: Final = ("--output", "use -o FILE")
_OPTIONS: Final[Mapping[tuple[str, ...], tuple[tuple[str, str], ...]]] = {
    ("--creds", "--password", "--pass", "--src-creds", "--user", "-p"): (
        _CREDENTIAL,
        ("--authfile", "log in with: dreg login REGISTRY"),
    ),
    ("--identity-token", "--registry-token", "--token", "--token-stdin"): (
        ("--identity-token-stdin", "use --identity-token-stdin"),
    ),
    ("--no-creds",): (("--anonymous", "use --anonymous"),),
    ("--auth-file", "--auth", "--registry-config"): (("--authfile", "use --authfile FILE"),),
    (
        *("--allow-insecure", "--no-check-certificate", "--skip-tls-verify", "--skip-verify", "-k"),
        *("--tls-verify", "--verify-tls"),
    ): (_INSECURE,),
    ("--src-tls-verify", "--from-insecure"): (
        ("--src-insecure", "use --src-insecure to skip certificate checks, or --src-plain-http for HTTP"),
        _INSECURE,
    ),
    ("--dest-tls-verify", "--to-insecure"): (
        ("--dest-insecure", "use --dest-insecure to skip certificate checks, or --dest-plain-http for HTTP"),
    ),
    ("--from-plain-http",): (("--src-plain-http", "use --src-plain-http"),),
    ("--to-plain-http",): (("--dest-plain-http", "use --dest-plain-http"),),
    ("--digest-tags", "--recursive", "-r"): (("--referrers", "use --referrers"),),
    ("--all", "-a", "--multi-arch"): (
        ("--all-tags", "all platforms are copied by default; for all tags, use --all-tags"),
    ),
    ("--username", "-u", "--password-stdin", "--identity-token-stdin"): (  # commands with two registries
        ("--authfile", "log in with: dreg login REGISTRY"),
    ),
    ("--dest-creds",): (("--authfile", "log in with: dreg login REGISTRY"),),
    ("--preserve-digests",): (("--no-clobber", "digests are always preserved"),),
    ("--force", "--overwrite"): (
        ("--no-clobber", "tags are replaced by default, unless --no-clobber is given"),
        ("--yes", "use --yes to make the changes"),
    ),
    ("--remove-signatures",): (("--referrers", "signatures are copied only with --referrers"),),
    ("--delete", "--keep"): (("--prune", "use --prune to remove tags that the source does not have"),),
    ("--dry-run", "--dryrun", "-n"): (("--yes", "nothing is changed without --yes"),),
    ("--apply", "--confirm", "--no-dry-run"): (("--yes", "use --yes to make the changes"),),
    ("--keep-latest", "--keep-n", "--keep-newest", "--last", "--retain"): (("--keep-last", "use --keep-last N"),),
    ("--age", "--ago", "--days", "--grace", "--older"): (("--older-than", "use --older-than AGE, such as 14d"),),
    ("--tag-filter", "--tag-filter-all", "--tag-filter-any"): (("--regex", "use --regex REGEX or --include GLOB"),),
    ("--tag-keep-all", "--tag-keep-any"): (("--keep", "use --keep GLOB, or --exclude GLOB"),),
    ("--no-verify", "--no-validate", "--skip-validation"): (
        ("--raw", "use --raw to print an invalid document; to skip certificate checks, use --insecure"),
        ("--insecure", "to skip certificate checks, use --insecure; digests are always verified"),
    ),
    ("--allow-http", "--http", "--plain"): (("--plain-http", "use --plain-http"),),
    ("--ca", "--ca-cert", "--cacert"): (("--ca-file", "use --ca-file FILE"),),
    ("--cert-dir", "--cert-path", "--src-cert-dir"): (
        ("--ca-file", "use --ca-file FILE for a CA certificate, or --cert FILE for a client certificate"),
    ),
    ("--retry", "--retry-times"): (("--retries", "use --retries N"),),
    ("--command-timeout", "--connect-timeout"): (("--timeout", "use --timeout SECONDS"),),
    ("--json", "--output", "--output-format", "-f", "-o"): (_FORMAT, _FILE),
    ("--out", "--outfile", "--file", "-O"): (_FILE, ("--format", "redirect standard output with > FILE")),
    ("--html",): (("--format", "use --format html"),),
    ("--arch", "--override-arch", "--override-os", "--override-variant", "--os"): (
        ("--platform", "use --platform OS/ARCH[/VARIANT]"),
    ),
    ("--filter", "--grep", "--match"): (("--include", "use --include GLOB"),),
    ("--type", "--filter-type"): (("--artifact-type", "use --artifact-type TYPE"),),
    ("--strict", "--warnings-as-errors"): (("--pedantic", "use --pedantic to also report notes"),),
    ("--silent", "-s"): (("--quiet", "use --quiet"),),
    ("--parallel", "--workers"): (("--jobs", "use --jobs N"), ("--connections", "use --connections N")),
    ("--continue", "-C", "-c"): (("--resume", "use --resume"),),
    ("--trace", "--verbose", "-D", "-v", "-vv"): (("--debug", "use --debug"),),
    ("--raw",): (("--platform", "to print the manifest or index, use dreg manifest"),),
    ("--config",): (("--platform", "to print the config, use dreg config"),),
    ("-V",): (("--version", "use --version"),),
}
"""Options of other tools; what to use instead depends on which options a command has."""


_LONGEST: Final = 60
"""The number of characters of a wrong name that an error shows."""


def unknown_command(name: str, commands: Collection[str], other_names: Mapping[str, str]) -> str:
    """Return an error for a command that does not exist, with the one to use if it is known.

    >>> unknown_command("digest", ["resolve"], OTHER_NAMES)
    "No such command 'digest'; use dreg resolve"
    """
    advice = other_names.get(name.lower(), "")
    if not advice and "inspect" in commands and {"/", ":"} & {*name}:
        advice = "to show an image, use dreg inspect"
    return f"No such command {_shown(name)}{_advice(name, commands, advice)}"


def unknown_option(name: str, options: Collection[str], *, is_group: bool) -> str:
    """Return an error for an option that does not exist, with the one to use if it is known.

    >>> unknown_option("--json", ["--format"], is_group=False)
    "No such option '--json'; use --format json"
    """
    wanted = name.lower() if name.startswith("--") else name  # -v and -V differ
    choices = next((choices for names, choices in _OPTIONS.items() if wanted in names), ())
    advice = next((advice for option, advice in choices if option in options), "")
    found = _advice(name, options, advice)
    if is_group and not found:
        found = "; write the options of a command after its name"
    return f"No such option {_shown(name)}{found}"


def _advice(name: str, known: Collection[str], advice: str) -> str:
    if advice:
        return f"; {advice}"
    bare = {known_name.lstrip("-"): known_name for known_name in known}  # dashes would make all options similar
    similar = get_close_matches(name.lstrip("-").lower()[:_LONGEST], bare, 1)
    return f" (did you mean {bare[similar[0]]!r}?)" if similar else ""


def _shown(name: str) -> str:
    return repr(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…")
