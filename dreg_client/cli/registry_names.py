"""What people write for a registry, and where they meant something else."""

from typing import Final

import click

DOCKER: Final = "docker://"
URLS: Final = ("http://", "https://")


def host_alone(source: str) -> str | None:
    """The registry, where no repository is named: `HOST:PORT`, `HOST/`, or the URL of one."""
    if source.startswith(URLS):
        place = source.partition("://")[2].rstrip("/").removesuffix("/v2")
        return None if "/" in place else source.rstrip("/")
    host, slash, rest = source.removeprefix(DOCKER).partition("/")
    if rest:
        return None
    if slash or (host.partition(":")[2].isdigit() and ("." in host or host.startswith("localhost:"))):
        return host
    return None


def refuse_host_alone(ctx: click.Context, param: click.Parameter, value: str) -> None:
    """Where a repository is due, a registry is none.

    Raises:
        BadParameter: The text names a registry alone.
    """
    host = host_alone(value)
    if host:
        from dreg_client.values.reference import shown

        message = f"this is a registry; name a repository in it: dreg repos {shown(host)} lists them"
        raise click.BadParameter(message, ctx, param)


def read_registry(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """The host or URL of a registry.

    Raises:
        BadParameter: There is a path behind a host.
    """
    text = value.removesuffix("/")
    host, slash, path = text.partition("/")
    if "://" in text or not slash or path == "v2":
        return text
    from dreg_client.values.reference import shown

    command = f"dreg {ctx.info_name} {shown(host)}"
    if ctx.info_name == "repos":
        command += f" --namespace {shown(path.partition('/')[0])}"
    message = f"a registry has no path here; write: {command}; a base path is written as a URL, https://{shown(text)}"
    raise click.BadParameter(message, ctx, param)
