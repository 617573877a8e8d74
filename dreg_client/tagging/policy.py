"""TOML files with policies: which rules apply to the tags of which repositories."""

import re
from collections.abc import Collection, Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt

from dreg_client.copying.tag_filter import TagFilter, globs, matches
from dreg_client.copying.toml_file import naming_entry, parse_toml
from dreg_client.errors import ConfigError
from dreg_client.tagging.matching import Matching
from dreg_client.tagging.retag import Promote, Retag
from dreg_client.tagging.rule import Rule
from dreg_client.tagging.rules import Keep, Prune
from dreg_client.values.store_name import KINDS

MAX_POLICY: Final = 1024 * 1024
"""The most bytes of a file that is read."""
_OF_FILES: Final = tuple(f"{kind}:" for kind in KINDS)
_BRACKETS: Final = re.compile(r"\[[0-9A-Fa-f:.]+\](?=[:/])")
_HOST: Final = re.compile(
    r"(?:https?://)?(?:localhost|[^*?\[\]/]*[.:][^*?\[\]/]*|\[[0-9A-Fa-f:.]+\](?::[0-9]+)?)", re.ASCII
)
_Order = Literal["created", "version"]


class _PolicyModel(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True):
    """A part of a policy. The names of members are in kebab-case."""


class PolicyTags(_PolicyModel, frozen=True):
    """Which tags a rule is about. A tag must meet all conditions that are given; digest tags never do."""

    include: tuple[str, ...] = ()
    """Globs: tags that match one of them, such as `nightly-*`."""
    exclude: tuple[str, ...] = ()
    """Globs: tags that match none of them, such as `*-rc*`."""
    regex: str | None = None
    """A regular expression that must match the whole tag. Templates can use its groups."""
    semver: str | None = None
    """A range of versions in npm syntax, such as `^1.4` or `>=1.2 <2`. `*` is any version without a suffix."""

    @property
    def _matching(self) -> Matching:
        return Matching.of(TagFilter(self.include, self.exclude, self.regex, self.semver))


class RetagRule(PolicyTags, frozen=True):
    """Give images new tags, or move those. If several tags give the same one, the highest version wins."""

    action: Literal["retag"]
    """`retag`."""
    to: str
    """The template of the new tag, such as `{major}.{minor}`."""

    def rule(self) -> Rule:
        """Return the rule. ValueError if it is not valid."""
        return Retag.of(self._matching.tags, self.to)


class KeepRule(PolicyTags, frozen=True):
    """Protect tags from being removed by the rules after this one."""

    action: Literal["keep"]
    """`keep`."""
    last: StrictInt | None = None
    """Keep only the tags of this many of the newest images."""
    newer_than: str | None = Field(default=None, alias="newer-than")
    """Keep only images younger than this age, such as `36h`, `14d` or `2w`. With `last`, both conditions must hold."""
    by: _Order = "created"
    """What makes an image the newest: when it was made, or its version."""
    untagged: StrictBool = False
    """Whether manifests without a tag are also kept; they count among the newest."""

    def rule(self) -> Rule:
        """Return the rule. ValueError if it is not valid."""
        given = {"last": self.last, "newer_than": self.newer_than, "by": self.by, "untagged": self.untagged}
        return Keep.of(self._matching.tags, **given)  # type: ignore[arg-type]


class PruneRule(PolicyTags, frozen=True):
    """Remove tags. They must meet all conditions that are given."""

    action: Literal["prune"]
    """`prune`."""
    keep_last: StrictInt | None = Field(default=None, alias="keep-last")
    """Do not remove this many of the newest images that match."""
    older_than: str | None = Field(default=None, alias="older-than")
    """Remove only images older than this age, such as `36h`, `14d` or `2w`."""
    keep: tuple[str, ...] = ()
    """Globs: do not remove these tags. They count among the newest images; those that `exclude` names do not."""
    by: _Order = "created"
    """What makes an image the newest: when it was made, or its version."""
    untagged: StrictBool = False
    """Whether manifests without a tag that nothing needs are also deleted."""
    delete: StrictBool = True
    """Whether an image is deleted with its last tag."""
    images: Literal["any", "all", "each"] | None = None
    """Remove images with all their tags: `any` if one of them matches, `all` if all of them match, `each` if each glob
    of `include` matches one of them. An image with a tag that is kept is not removed. Without it, only the tags that
    match are removed."""

    def rule(self) -> Rule:
        """Return the rule. ValueError if it is not valid."""
        conditions = {name: getattr(self, name) for name in PruneRule.model_fields.keys() - PolicyTags.model_fields}
        del conditions["action"]
        return Prune.of(self._matching.tags, **conditions)


class UntagRule(PolicyTags, frozen=True):
    """Remove tags. Their manifests stay."""

    action: Literal["untag"]
    """`untag`."""

    def rule(self) -> Rule:
        """Return the rule. ValueError if it is not valid."""
        return Prune.of(self._matching.tags, delete=False)


class PromoteRule(PolicyTags, frozen=True):
    """Copy images to another repository."""

    action: Literal["promote"]
    """`promote`."""
    into: Annotated[str, Field(min_length=1)]
    """The repository or layout to copy to, without a tag."""
    to: str = "{tag}"
    """The template of the tag there."""
    referrers: StrictBool = False
    """Whether signatures, SBOMs and other referrers are also copied."""

    def rule(self) -> Rule:
        """Return the rule. ValueError if it is not valid."""
        return Promote.of(self._matching.tags, into=self.into, template=self.to, referrers=self.referrers)


PolicyRule = Annotated[
    RetagRule | KeepRule | PruneRule | UntagRule | PromoteRule,
    Field(discriminator="action"),
]
"""A rule of a policy."""


class PolicyEntry(_PolicyModel, frozen=True):
    """Rules for some repositories."""

    repositories: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    """Repositories or layouts, without a tag. `HOST/team/*` chooses from the catalog of a registry by a glob, in which
    `*` also matches `/`."""
    exclude_repositories: tuple[str, ...] = Field(default=(), alias="exclude-repositories")
    """Globs: leave out repositories of a catalog that match, without the registry, such as `team/archive-*`."""
    rules: Annotated[tuple[PolicyRule, ...], Field(min_length=1)]
    """The rules, in order: each one sees the tags as those before it leave them."""

    def tag_rules(self) -> tuple[Rule, ...]:
        """Return the rules.

        Raises:
            ValueError: A template, an age, a regular expression or a range is not valid.
            MissingLibraryError: A range of versions is given, and the extra `cli` of dreg-client is not installed.
        """
        return tuple(each.rule() for each in self.rules)

    def catalogs(self) -> dict[str, tuple[str, ...]]:
        """Return the globs of repositories by the registry whose catalog they choose from."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.repositories:
            if not _is_exact(name):
                registry, _, glob = _split(name)
                found[registry] = (*found.get(registry, ()), glob)
        return found

    def exact(self) -> tuple[str, ...]:
        """Return the repositories and layouts that are named without a glob."""
        return tuple(filter(_is_exact, self.repositories))

    def chosen(self, registry: str, catalog: Iterable[str]) -> list[str]:
        """Return the repositories of a registry's catalog that the globs choose, without the registry."""
        wanted = self.catalogs().get(registry, ())
        return [name for name in catalog if wanted and matches(name, wanted, self.exclude_repositories)]

    def unmatched(self, registry: str, catalog: Collection[str]) -> list[str]:
        """Return the globs that choose no repository of a registry's catalog."""
        globs_there = self.catalogs().get(registry, ())
        excluded = self.exclude_repositories
        return [glob for glob in globs_there if not any(matches(name, (glob,), excluded) for name in catalog)]


class TagPolicy(_PolicyModel, frozen=True, title="Tag policy"):
    """A TOML file with rules for tags, from which `dreg plan` makes a plan."""

    policy: Annotated[tuple[PolicyEntry, ...], Field(min_length=1)]
    """Rules for some repositories. If a repository is in several entries, their rules apply in order."""

    @classmethod
    def parse(cls, text: str, where: str = "the policy") -> "TagPolicy":
        """Parse a file; `where` is its name for messages.

        Raises:
            ConfigError: It is not valid.
            MissingLibraryError: A range of versions is given, and the extra `cli` of dreg-client is not installed.
        """
        found, tree = parse_toml(cls, text, where, "tag-policy", _in_words)
        for number, entry in enumerate(found.policy):
            try:
                problem = _problem_of(entry)
            except ValueError as failure:
                problem = str(failure)
            if problem is not None:
                shown = _in_words(f"policy.{number}.{problem}", tree)
                raise ConfigError(f"{where} is not a valid tag policy: {shown}; see: dreg schema show tag-policy")
        return found


def _problem_of(entry: PolicyEntry) -> str | None:
    """Return what is wrong with an entry that the schema cannot say, after where it is."""
    for number, name in enumerate(entry.repositories):
        if not _is_exact(name) and not _HOST.fullmatch(_split(name)[0]):
            return f"repositories.{number}: {name[:100]!r} must begin with a registry, as localhost:5000/team/* does"
    globs("exclude-repositories", entry.exclude_repositories)
    for number, each in enumerate(entry.rules):
        try:
            each.rule()
        except ValueError as failure:
            return f"rules.{number}.{each.action}: {failure}"
    return None


def _is_exact(name: str) -> bool:
    """Return whether the name of a repository has no glob, apart from the brackets of an IPv6 address."""
    return name.startswith(_OF_FILES) or not set("*?[") & {*_BRACKETS.sub("", name, count=1)}


def _split(name: str) -> tuple[str, str, str]:
    """Return the registry of a repository and the rest, at the slash that ends the host; a scheme is part of it."""
    scheme, mark, rest = name.rpartition("://")
    host, slash, repository = rest.partition("/")
    return f"{scheme}{mark}{host}", slash, repository


def _in_words(problem: str, tree: dict[str, Any]) -> str:
    """Name the entry and the rule of a problem, as in `policy.0.rules.1.prune.keep-last: ...`."""
    named = naming_entry(problem, tree, "policy", "repositories")
    found = re.search(r"(?<=: )rules\.(\d+)(?:\.(retag|keep|prune|untag|promote))?(?:\.|: )", named)
    if named == problem or found is None:
        return named
    action = f" ({found[2]})" if found[2] else ""
    return f"{named[: found.start()]}rule {int(found[1]) + 1}{action}: {named[found.end() :]}"
