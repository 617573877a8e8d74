"""`dreg completion`, and what shells complete from a registry."""

from collections.abc import Iterator
from itertools import islice

import click
from click.shell_completion import get_completion_class

from dreg_client.cli.registry_options import given_options


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Put its line in the file that your shell reads at its start: ~/.bashrc, ~/.zshrc, ~/.config/fish/config.fish.

    \b
    Examples:
      source <(dreg completion bash)
      dreg completion zsh > _dreg
      dreg completion fish > dreg.fish
    """
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101 (click has all of these shells)
    click.echo(script(ctx.find_root().command, {}, "dreg", "_DREG_COMPLETE").source())


def names_in_registry(ctx: click.Context, incomplete: str) -> list[str]:
    """Return the tags that complete `HOST/REPO:...`, or the repositories that complete `HOST/...`."""
    try:
        return list(islice(_names(ctx, incomplete), 500))
    except Exception:  # noqa: BLE001 (a shell cannot show what went wrong)
        return []


def _names(ctx: click.Context, incomplete: str) -> Iterator[str]:
    from dreg_client._sync.opening import open_store
    from dreg_client._sync.registry import Registry
    from dreg_client._sync.repository import Repository
    from dreg_client.credentials.lookup import with_defaults

    options = {**given_options(ctx), "timeout": 2.0, "retries": 0}
    host, _, rest = incomplete.partition("/")
    if ":" not in rest:
        with Registry(host, **with_defaults(options)) as registry:  # type: ignore[arg-type]
            yield from (f"{host}/{name}" for name in registry.catalog() if name.startswith(rest))
        return
    repository, _, start = incomplete.rpartition(":")
    with open_store(repository, **options) as store:  # type: ignore[arg-type]
        assert isinstance(store, Repository)  # noqa: S101 (no other kind of store has a `/` before a `:`)
        yield from (f"{repository}:{tag}" for tag in store.iter_tags() if tag.startswith(start))
