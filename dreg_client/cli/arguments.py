"""Arguments and options that commands share: sources, registries, digests, platforms, formats."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from dreg_client.cli.command import SOURCE
from dreg_client.cli.parsed_type import ParsedType
from dreg_client.cli.registry_options import registry_options
from dreg_client.values.registry_name import DOCKER, STORE_KINDS, host_alone

if TYPE_CHECKING:
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName

F = TypeVar("F", bound=Callable[..., Any])


class _SourceType(ParsedType):
    """The name of a store, with shell completion."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Parse the name. If it must be a destination, the path of a storage gets no advice to use its prefix."""
        if param is not None and param.name == "destination" and not value.startswith((*STORE_KINDS, DOCKER)):
            from dreg_client.files.store_path import named_storage
            from dreg_client.values.store_name import STORAGE_IS_READ

            if named_storage(value):
                self.fail(STORAGE_IS_READ, param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 (click calls it so)
        """Complete kinds of stores, paths, repositories and tags."""
        from dreg_client.cli.completed_names import store_names

        return store_names(ctx, incomplete)


def _parse_source(text: str) -> "StoreName":
    from dreg_client.files.store_path import named_storage, named_store, path_in
    from dreg_client.values.reference import shown
    from dreg_client.values.store_name import StoreName

    if not text.startswith((*STORE_KINDS, DOCKER)):
        if storage := named_storage(text):
            raise click.BadParameter(f"a path must begin with the kind of its store: {storage}")
        if path := path_in(text):
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


def read_registry(ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Check that a registry is a URL, or a host without a path."""
    from dreg_client.values.origin import Reach, reach, without_query
    from dreg_client.values.reference import shown

    text = value.removesuffix("/")
    ctx.meta[SOURCE] = without_query(text) if "://" in text else shown(text)  # without a password
    host, slash, path = text.partition("/")
    if host in {"", ".", ".."}:
        raise click.BadParameter(f"expected a registry such as registry.example, not the path {shown(value)}")
    if "://" in text or not slash or path == "v2":
        return text

    scheme = "http" if reach(host.partition(":")[0]) is Reach.LOCAL else "https"
    command = f"dreg {ctx.info_name} {shown(host)}"
    if ctx.info_name == "repos":
        command += f" --namespace {shown(path.partition('/')[0])}"
    reason = f"expected a registry without a path; run: {command}; if the path is part of the registry's URL, write {scheme}://{shown(text)}"
    raise click.BadParameter(reason)


def read_registry_or_storage(ctx: click.Context, param: click.Parameter, value: str) -> "str | StoreName":
    """Check that a registry is a URL, or a host without a path; parse the name of a storage."""
    if not value.startswith("registry-storage:"):
        if value.startswith(("/", ".")) or _is_storage(value):
            raise click.BadParameter(_not_a_path(value))
        return read_registry(ctx, param, value)
    found = STORE_TYPE.convert(value, param, ctx)
    ctx.meta[SOURCE] = str(found)
    return cast("StoreName", found)


def _is_storage(path: str) -> bool:
    from dreg_client.files.store_path import named_storage

    return "://" not in path and bool(named_storage(path))


def _not_a_path(path: str) -> str:
    """Return what to write instead of a bare path."""
    from dreg_client.files.store_path import named_storage

    if storage := named_storage(path):
        return f"a path must begin with the kind of its store: {storage}"
    return f"expected a registry such as registry.example, or registry-storage:PATH, not the path {path}"


def _parse_digest(text: str) -> "Digest":
    from dreg_client.values.digest import Digest

    return Digest(text)


def parse_platform(text: str) -> "Platform":
    """Parse a platform; `local` is the platform of this machine."""
    from dreg_client.values.platform import Platform

    return Platform.local() if text == "local" else Platform.from_name(text)


def _parse_end(text: str) -> "StoreName | str":
    return text if host_alone(text) else _parse_source(text)  # without its slash, `HOST/` would be a repository


STORE_TYPE: Final = _SourceType("source", _parse_source)
END_TYPE: Final = _SourceType("source", _parse_end)
"""A store, or a whole registry."""
REPOSITORY_TYPE: Final = _SourceType("repository", _parse_source)
"""A store without a tag."""
DIGEST: Final = ParsedType("digest", _parse_digest)


def _noted(ctx: click.Context, _param: click.Parameter, value: "StoreName") -> "StoreName":
    """Note the source of a command that has only one, for its error."""
    ctx.meta[SOURCE] = str(value)
    return value


def source_argument(command: F) -> F:
    """Add the argument SOURCE, and the options of registries."""
    return click.argument("source", metavar="SOURCE", type=STORE_TYPE, callback=_noted)(registry_options(command))


def image_argument(metavar: str) -> Callable[[F], F]:
    """Return the argument `source` for an image in a registry, written as `metavar`, with the options of registries."""
    argument = click.argument("source", metavar=metavar, type=STORE_TYPE)
    return lambda command: argument(registry_options(command))


def layout_argument(command: F) -> F:
    """Add the argument `source` for a layout, without the options of registries."""
    return click.argument("source", metavar="oci:PATH", type=STORE_TYPE, callback=_noted)(command)


def sources_argument(command: F) -> F:
    """Add the argument SOURCE..., and the options of registries."""
    argument = click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=STORE_TYPE)
    return argument(registry_options(command))


def formats_option(*formats: str, help: str) -> Callable[[F], F]:  # noqa: A002 (click's own name)
    """Return the option --format, of `text` and further formats."""
    choice = click.Choice(["text", *formats])
    return click.option("--format", "output", type=choice, default="text", help=help)


format_option: Final = formats_option("json", help="Output format (default: text). Use json in scripts.")


def _check_no_format(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Reject `-o json`, by which other tools name a format."""
    if value in {"text", "json", "html", "yaml"}:
        wanted = value if value != "yaml" else "json"
        raise click.UsageError(f"--output is a file; for a format, use --format {wanted}; for a file, -o ./{value}")
    return value


file_option: Final = click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(readable=False, allow_dash=True),
    callback=_check_no_format,
    help="Write to FILE instead of standard output. If writing fails, FILE does not change.",
)
ref_name_option: Final = click.option(
    "--ref-name",
    metavar="NAME",
    help="Select an entry of a layout by its ref.name annotation, for names that are not valid tags.",
)


_SEVERAL: Final = re.compile(r"[^(),]+/[^(),]+(,[^(),]*/[^(),]*)+")


class PlatformType(ParsedType):
    """A platform, of which shells complete the common ones."""

    _COMMON: Final = ("local", "linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64")

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Parse the value; reject a list of platforms, which docker accepts."""
        if _SEVERAL.fullmatch(value):
            what = "repeat --platform for each one" if param is not None and param.multiple else "choose one"
            self.fail(f"{value!r} has several platforms; {what}", param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 (click calls it so)
        """Complete common platforms."""
        names = (*self._COMMON, "all") if param.multiple else self._COMMON
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


platform_option: Final = click.option(
    "--platform",
    metavar="PLATFORM",
    type=PlatformType("platform", parse_platform),
    help="Select a platform: OS/ARCH[/VARIANT], or local for the platform of this machine.",
)
