"""What a shell completes from a registry: tags, and repositories where there is a catalog. No error, no long wait."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import click

from dreg_client.cli.registry_options import given

_PATIENCE: Final = 2.0
_MOST: Final = 500


def names_in_registry(ctx: click.Context, incomplete: str) -> list[str]:
    """The names that go on from `HOST/REPO:...`, or from `HOST/...`."""
    try:
        return list(islice(_names(ctx, incomplete), _MOST))
    except Exception:  # noqa: BLE001 (a shell has no place for what went wrong)
        return []


def _names(ctx: click.Context, incomplete: str) -> Iterator[str]:
    from dreg_client._sync.opening import open_store
    from dreg_client._sync.registry import Registry
    from dreg_client._sync.repository import Repository
    from dreg_client.credentials.defaults import with_defaults

    options = {**given(ctx), "timeout": _PATIENCE, "retries": 0}
    host, _, rest = incomplete.partition("/")
    name, colon, tag = rest.partition(":")
    if colon:
        with open_store(f"{host}/{name}", **options) as store:  # type: ignore[arg-type]
            assert isinstance(store, Repository)  # noqa: S101 (it is named as one)
            yield from (f"{host}/{name}:{found}" for found in store.iter_tags() if found.startswith(tag))
        return
    with Registry(host, **with_defaults(options)) as registry:  # type: ignore[arg-type]
        yield from (f"{host}/{found}" for found in registry.catalog() if found.startswith(rest))
