"""TOML files that list what `dreg sync --file` is to synchronise."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, StrictBool

from dreg_client.copying.sync_options import SyncOptions
from dreg_client.copying.tag_filter import TagFilter
from dreg_client.copying.toml_file import naming_entry, parse_toml
from dreg_client.errors import ConfigError
from dreg_client.values.platform import Platform
from dreg_client.values.registry_name import host_alone
from dreg_client.values.store_name import KINDS

MAX_SYNC_FILE: Final = 1024 * 1024
"""The most bytes of a file that is read."""
_OF_FILES: Final = tuple(f"{kind}:" for kind in KINDS)
_NAMES: Final = ("include", "exclude", "regex", "semver", "digest_tags")


class SyncDefaults(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True):
    """What to copy, where an entry does not say otherwise. The names are those of the options of `dreg sync`."""

    include: tuple[str, ...] = ()
    """Globs: copy only tags that match one of them, such as `1.*`."""
    exclude: tuple[str, ...] = ()
    """Globs: do not copy tags that match one of them, such as `*-rc*`."""
    regex: str | None = None
    """A regular expression that must match the whole tag."""
    semver: str | None = None
    """A range of versions in npm syntax, such as `^1.4` or `>=1.2 <2`."""
    digest_tags: StrictBool = Field(default=True, alias="digest-tags")
    """Whether to copy digest tags, such as `sha256-HEX.sig`."""
    repositories: tuple[str, ...] = ()
    """Globs: copy only repositories of a registry, or of a directory of layouts, that match one of them."""
    platforms: tuple[str, ...] = ()
    """Copy only these platforms: `OS/ARCH[/VARIANT]`. Empty for all."""
    referrers: StrictBool = False
    """Whether to also copy signatures, SBOMs and other referrers."""
    prune: StrictBool = False
    """Whether to remove tags that match and that the source does not have."""
    allow_empty: StrictBool = Field(default=False, alias="allow-empty")
    """Whether to prune even if the source has no tag that matches."""


class SyncEntry(SyncDefaults, frozen=True):
    """A repository or registry to synchronise."""

    source: Annotated[str, Field(min_length=1)]
    """The repository, layout or archive to read, without a tag; or a whole registry, or a directory of layouts."""
    destination: Annotated[str, Field(min_length=1)]
    """The repository, layout or archive to write. For several repositories: a registry, or a directory of layouts."""


class SyncFile(
    BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True, title="Sync file"
):
    """A TOML file that lists what `dreg sync --file` is to synchronise."""

    defaults: SyncDefaults = SyncDefaults()
    """What to copy, where an entry does not say otherwise."""
    sync: Annotated[tuple[SyncEntry, ...], Field(min_length=1)]
    """What to synchronise, several at a time. An entry starts after those before it whose destinations it uses."""

    @classmethod
    def parse(cls, text: str, where: str = "the sync file") -> "SyncFile":
        """Parse a file; `where` is its name for messages.

        Raises:
            ConfigError: It is not valid.
        """
        found, tree = parse_toml(cls, text, where, "sync-file", _naming_its_entry)
        pruned: dict[tuple[str, object], int] = {}
        for number, entry in enumerate(found.sync):
            try:
                _check_pruned(pruned, number, entry.destination, found.options_of(entry))
            except ValueError as failure:
                problem = _naming_its_entry(f"sync.{number}: {failure}", tree)
                raise ConfigError(f"{where} is not a valid sync file: {problem}") from None
        return found

    def options_of(self, entry: SyncEntry) -> SyncOptions:
        """Return the options of an entry, as `sync` takes them.

        Raises:
            ValueError: A regular expression, a range of versions, or a platform is not valid; or the entry chooses
                repositories, but its source is not a registry.
        """
        given = entry.model_fields_set
        values = {name: getattr(entry if name in given else self.defaults, name) for name in SyncDefaults.model_fields}
        options: SyncOptions = {
            "tags": TagFilter(**{name: values[name] for name in _NAMES}),
            "prune": values["prune"],
            "allow_empty": values["allow_empty"],
            "referrers": values["referrers"],
        }
        if host_alone(entry.source) or (entry.repositories and entry.source.startswith(_OF_FILES)):
            options["repositories"] = values["repositories"]
        elif entry.repositories:
            raise ValueError("repositories can only be chosen from a whole registry, but the source is a single one")
        if values["platforms"]:
            options["platforms"] = [*map(Platform.from_name, values["platforms"])]
        return options


def _check_pruned(pruned: dict[tuple[str, object], int], number: int, destination: str, options: SyncOptions) -> None:
    """Raise ValueError if an earlier entry prunes the same destination, and each would remove the tags of the other."""
    if not options.get("prune"):
        return
    first = pruned.setdefault((destination, options.get("tags")), number)
    if first != number:
        what = f"entry {first + 1} also prunes {destination} with the same filters"
        raise ValueError(f"{what}, so each would remove the tags of the other")


def _naming_its_entry(problem: str, tree: dict[str, Any]) -> str:
    return naming_entry(problem, tree, "sync", "source")
