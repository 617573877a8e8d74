# Generated from dreg_client/_async/plan_stores.py by tools/generate_sync.py. Do not edit.
"""Open the repositories and layouts of a plan by their names."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from dreg_client import errors
from dreg_client._sync.copy_ends import open_target, target_of
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.store import Store
from dreg_client._sync.sync_run import SyncRun
from dreg_client._sync.sync_stores import address_of, check_without_tag
from dreg_client.files.store_path import named_store
from dreg_client.values.reference import shown
from dreg_client.values.store_name import StoreName


class PlanStores:
    """The stores of a plan: open ones, and those that are opened by their names.

    Args:
        stores: Open stores. They stay open.
        run: What all repositories share.
    """

    def __init__(self, stores: Iterable[Store], run: SyncRun) -> None:
        self._open = {address_of(store): store for store in stores}
        self._run = run

    @contextmanager
    def source(self, name: str) -> Generator[Source]:
        """Open a store to read.

        Raises:
            InvalidReferenceError: It is not the name of a repository or a layout, or has a tag.
            NotFoundError: There is no such layout.
        """
        if (store := self._open.get(name)) is not None:
            yield store.source
            return
        parsed = _parsed(name)
        if parsed.reference is not None:
            registry = self._run.registry(parsed.reference.registry)
            yield registry.repository(parsed.reference.repository).source
            return
        from dreg_client._sync.layout import Layout  # noqa: PLC0415 (not every plan needs a layout)

        with Layout(parsed.path, strict=False) as layout:
            yield layout.source

    @contextmanager
    def destination(self, name: str, *, is_new: bool) -> Generator[Destination]:
        """Open a store to write. With `is_new`, a layout that does not exist is created."""
        with open_target(target_of(self._target(name, is_new=is_new)), {}, dry_run=False) as opened:
            yield opened

    def _target(self, name: str, *, is_new: bool) -> StoreName | Store:
        if (store := self._open.get(name)) is not None:
            return store
        parsed = _parsed(name)
        if parsed.reference is not None:
            registry = self._run.registry(parsed.reference.registry, is_destination=True)
            return registry.repository(parsed.reference.repository)
        if not is_new:
            from dreg_client._sync.opening import open_layout  # noqa: PLC0415 (as above)

            open_layout(parsed).close()  # raises an error if there is no such layout
        return parsed


def _parsed(name: str) -> StoreName:
    parsed = named_store(name)
    check_without_tag(parsed)
    if parsed.kind not in {"registry", "oci"}:
        raise errors.InvalidReferenceError(shown(name), "name in a plan", "a repository, or oci:PATH")
    return parsed
