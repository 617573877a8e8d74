"""Arguments and options that commands share: sources, registries, digests, platforms, formats."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from dreg_client.cli.registry_options import registry_options

if TYPE_CHECKING:
    _ParamType = click.ParamType[object]
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName

else:
    _ParamType = click.ParamType  # not generic in click 8.1

F = TypeVar("F", bound=Callable[..., Any])
STORE_KINDS: Final = ("oci:", "oci-archive:", "docker-archive:")
DOCKER: Final = "docker://"
URLS: Final = ("http://", "https://")


class ParsedType(_ParamType):
    """The type of a parameter that a function parses; its ValueError is a usage error."""

    name: str

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        self.name, self._parse = name, parse

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Parse the value."""
        try:
            return self._parse(value)
        except ValueError as failure:
            self.fail(str(failure), param, ctx)


class _SourceType(ParsedType):
    """The name of a store, with shell completion."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 (click calls it so)
        names = [kind for kind in STORE_KINDS if kind.startswith(incomplete)]
        if not names and "/" in incomplete and not incomplete.startswith(STORE_KINDS):
            from dreg_client.cli.completion import names_in_registry

            names = names_in_registry(ctx, incomplete)
        return [CompletionItem(name) for name in names]


def _parse_source(text: str) -> "StoreName":
    from dreg_client.files.store_path import named_store, path_in
    from dreg_client.values.reference import shown
    from dreg_client.values.store_name import StoreName

    if not text.startswith((*STORE_KINDS, DOCKER)) and (path := path_in(text)):
        raise click.BadParameter(_named_with_kind(text, path))
    if host := host_alone(text):
        reason = f"missing repository; list the repositories of this registry with: dreg repos {shown(host)}"
        raise click.BadParameter(reason)
    if not text.startswith(STORE_KINDS):
        return StoreName.parse(text)
    return named_store(text)


def _named_with_kind(text: str, path: str) -> str:
    """Return how to write the name of the store at a path."""
    from dreg_client.files.path_kinds import kinds_at
    from dreg_client.files.store_kinds import names_with_kinds

    if kinds := kinds_at(path):
        return f"a path must begin with the kind of its store: {names_with_kinds(kinds, text)}"
    return f"{path} is not a tar archive; to check a document, run: dreg validate {path}"


def host_alone(source: str) -> str | None:
    """Return the registry if the source names no repository: `HOST:PORT`, `HOST/`, or a URL."""
    if source.startswith(URLS):
        base = source.partition("://")[2].rstrip("/").removesuffix("/v2")
        return None if "/" in base else source.rstrip("/")
    host, slash, rest = source.removeprefix(DOCKER).partition("/")
    if rest:
        return None
    if slash or (host.partition(":")[2].isdigit() and ("." in host or host.startswith("localhost:"))):
        return host
    return None


def read_registry(ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Check that a registry is a URL, or a host without a path."""
    text = value.removesuffix("/")
    host, slash, path = text.partition("/")
    if "://" in text or not slash or path == "v2":
        return text
    from dreg_client.values.origin import Reach, reach
    from dreg_client.values.reference import shown

    scheme = "http" if reach(host.partition(":")[0]) is Reach.LOCAL else "https"
    command = f"dreg {ctx.info_name} {shown(host)}"
    if ctx.info_name == "repos":
        command += f" --namespace {shown(path.partition('/')[0])}"
    reason = (
        f"expected a registry without a path; run: {command}; if the path belongs to its URL: {scheme}://{shown(text)}"
    )
    raise click.BadParameter(reason)


def _parse_digest(text: str) -> "Digest":
    from dreg_client.values.digest import Digest

    return Digest(text)


def parse_platform(text: str) -> "Platform":
    """Parse a platform; `local` is the platform of this machine."""
    from dreg_client.values.platform import Platform

    return Platform.local() if text == "local" else Platform.from_name(text)


_SOURCE: Final = _SourceType("source", _parse_source)
DIGEST: Final = ParsedType("digest", _parse_digest)


def source_argument(command: F) -> F:
    """Add the argument SOURCE, and the options of registries."""
    return click.argument("source", type=_SOURCE)(registry_options(command))


def sources_argument(command: F) -> F:
    """Add the argument SOURCE..., and the options of registries."""
    argument = click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=_SOURCE)
    return argument(registry_options(command))


def formats_option(*formats: str, help: str) -> Callable[[F], F]:  # noqa: A002 (click's own name)
    """Return the option --format, of `text` and further formats."""
    choice = click.Choice(["text", *formats])
    return click.option("--format", "output", type=choice, default="text", show_default=True, help=help)


format_option: Final = formats_option("json", help="text for people, json for programs.")
ref_name_option: Final = click.option(
    "--ref-name",
    metavar="NAME",
    help="The name of an entry of a layout, exactly as its annotation has it; for names that are no tags.",
)
platform_option: Final = click.option(
    "--platform",
    metavar="P",
    type=ParsedType("platform", parse_platform),
    help="OS/ARCH[/VARIANT], or local for this machine.",
)
