"""Plan what a policy would change: the rules of a TOML file for the tags of several repositories."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Unpack

from dreg_client import errors
from dreg_client._async.registry import AsyncRegistry
from dreg_client._async.sync_run import AsyncSyncRun
from dreg_client._async.sync_stores import address_of
from dreg_client._async.tag_planner import AsyncTagPlanner
from dreg_client._async.tag_plans import AsyncRuledStore, AsyncTagStore
from dreg_client.copying.options import CopyOptions
from dreg_client.files.same_store import identity_of
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.tagging.policy import PolicyEntry, TagPolicy


class AsyncPolicyPlanner(AsyncTagPlanner):
    """A planner that has the repositories and the rules of a policy.

    Args:
        policy: The policy.
        **options: The options of registries.
    """

    def __init__(self, policy: TagPolicy, **options: Unpack[CopyOptions]) -> None:
        super().__init__([], options)
        self._policy = policy

    @property
    def planned(self) -> Mapping[str, PlannedTags]:
        """The tags of each repository, as the rules leave them; after `make`."""
        return self._planned or {}

    async def _ruled(self, run: AsyncSyncRun) -> list[AsyncRuledStore]:
        """Return the repositories with the rules of all entries that choose them, in order, then those added."""
        found: dict[str, AsyncRuledStore] = {}
        self._unmatched = {}
        for entry in self._policy.policy:
            rules = entry.tag_rules()
            for store, is_listed in await self._chosen(entry, run):
                key = identity_of(address_of(store))
                known = found.get(key)
                if known is None:
                    found[key] = AsyncRuledStore(store, rules, is_listed)
                else:
                    may_be_missing = known.may_be_missing and is_listed
                    found[key] = replace(known, rules=(*known.rules, *rules), may_be_missing=may_be_missing)
        return [replace(each, rules=(*each.rules, *self._rules)) for each in found.values()]

    async def _chosen(self, entry: PolicyEntry, run: AsyncSyncRun) -> list[tuple[AsyncTagStore, bool]]:
        """Return the repositories of an entry, each with whether it is only known from a catalog."""
        found: list[tuple[AsyncTagStore, bool]] = [(name, False) for name in entry.exact()]
        for url in entry.catalogs():
            registry = await run.registry(url)
            catalog = await _catalog(registry)
            found += [(registry.repository(name), True) for name in entry.chosen(url, catalog)]
            for glob in entry.unmatched(url, catalog):
                advice = f"list its repositories with: dreg repos {registry.name}"
                what = f"repository that matches {glob}"
                self._unmatched[f"{url}/{glob}"] = errors.NotFoundError(what, registry.name, advice)
        return found


async def _catalog(registry: AsyncRegistry) -> list[str]:
    """Return the repositories of a registry.

    Raises:
        UnsupportedError: It has no catalog, so its repositories must be named one by one.
    """
    try:
        return [name async for name in registry.catalog()]
    except errors.UnsupportedError as failure:
        failure.add_outcome("name its repositories in the policy one by one, without globs")
        raise


def aplan_policy(policy: TagPolicy, **options: Unpack[CopyOptions]) -> AsyncTagPlanner:
    """Return a planner that has the repositories and the rules of a policy, a TOML file that `dreg plan` also reads.

    `make` reads the catalogs of the registries whose repositories the policy chooses by globs. A repository in a
    catalog that does not exist is left out.

    Args:
        policy: The policy, such as `TagPolicy.parse(Path("tags.toml").read_text())`.
        **options: The options of `acopy` for registries. `deadline` is the time for the whole plan.

    Example:
        plan = await aplan_policy(TagPolicy.parse(text)).make()
        print(*plan.changes)
    """
    return AsyncPolicyPlanner(policy, **options)
