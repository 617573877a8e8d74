"""Tags that a template makes of other tags, and which of several tags wins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dreg_client.copying.versions import version_of, version_parts
from dreg_client.errors import ConflictError
from dreg_client.errors.stores import listed
from dreg_client.tagging.facts import TagFacts
from dreg_client.tagging.matching import Matching
from dreg_client.tagging.newest import created_of
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.tagging.templates import Template


@dataclass(frozen=True, slots=True)
class Derivation:
    """Tags that match, and the template that makes new tags of them.

    A version with a suffix, such as `1.4.2-rc1` or `1.4.2-alpine`, does not match if the template leaves the suffix
    out, as `{major}.{minor}` does, unless the filter decides about suffixes: a range of versions, a regular expression,
    a function, or a glob with a hyphen. Otherwise, `1.4` would become the image of a release candidate.

    Attributes:
        matching: Which tags match.
        template: The template.
    """

    matching: Matching
    template: Template

    def sources(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the tags that match, by the new tag that is made of them, in sorted order."""
        found: dict[str, list[str]] = {}
        for tag in self.matching.chosen(names):
            made = self.made_of(tag)
            if made is not None:
                found.setdefault(made, []).append(tag)
        return {made: sorted(found[made]) for made in sorted(found)}

    def made_of(self, tag: str) -> str | None:
        """Return the new tag that is made of one that matches; None if the template does not apply to it."""
        if self.template.uses_version and self._has_unnamed_suffix(tag):
            return None
        return self.template.made_of(tag, self.matching.groups(tag))

    def _has_unnamed_suffix(self, tag: str) -> bool:
        parts = version_parts(tag)
        return bool(parts and parts.prerelease and not self.template.keeps_suffix and not self.matching.names_suffixes)


def highest(tags: list[str]) -> list[str]:
    """Return the tags with the highest version; all tags if one of them is not a version.

    Examples:
        >>> highest(["1.4.9", "1.4.10", "v1.4.10"]), highest(["1.4", "latest"])
        (['1.4.10', 'v1.4.10'], ['1.4', 'latest'])
    """
    if len(tags) == 1:
        return tags
    versions = [version for tag in tags if (version := version_of(tag)) is not None]
    if len(versions) < len(tags):
        return tags
    top = max(versions)
    return [tag for tag, version in zip(tags, versions, strict=True) if version == top]


def winner(made: str, contenders: list[str], planned: PlannedTags, facts: Mapping[str, TagFacts]) -> str | None:
    """Return the tag that gives a new tag: the only one, or the newest; None if one of them could not be read.

    Raises:
        ConflictError: They are different images, and it is not known which one is the newest.
    """
    digests = {planned.digest_of(tag) for tag in contenders}
    if None in digests:
        return None
    if len(digests) == 1:
        return contenders[0]
    dated = sorted((created, tag) for tag in contenders if (created := created_of(facts.get(tag))) is not None)
    if len(dated) == len(contenders):
        newest = [tag for created, tag in dated if created == dated[-1][0]]
        if len({planned.digest_of(tag) for tag in newest}) == 1:
            return newest[0]
    what = f"{listed(contenders, most=5)} are different images that would all become {made}"
    what += ", and it is not known which one is the newest"
    raise ConflictError(f"{what}; choose fewer tags, or use a template that tells them apart")
