"""Read plans that were saved, which are untrusted input: what is shown must be what is done."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dreg_client.tagging.plan import DeleteManifest, RepositoryTagPlan, RestoreManifest, TagChange, TagPlan

_LONGEST: Final = 100


def parse_plan(text: str, where: str) -> "TagPlan":
    """Parse a plan, and check the names in it; `where` is its name for messages.

    Raises:
        ConfigError: It is not a valid plan. A repository must be named in full, because `acme/web` would be shown, but
            docker.io/acme/web changed; and a name must not have a tag. Digest tags are not shown, so they must be about
            what is deleted.
    """
    from dreg_client.tagging.plan import TagPlan

    plan = TagPlan.from_json(text, where)
    check_names(plan, where)
    return plan


def check_names(plan: "TagPlan", where: str) -> None:
    """Check the names in a plan.

    Raises:
        ConfigError: One of them is not valid, see `parse_plan`.
    """
    from dreg_client.errors import ConfigError

    for number, repository in enumerate(plan.repositories):
        for place, problem in _problems(repository):
            name = f"repositories.{number}.{place}"
            raise ConfigError(f"{where} is not a valid plan: {name}: {problem}; make a new plan")


def _problems(plan: "RepositoryTagPlan") -> Iterator[tuple[str, str]]:
    """Yield where a name is not valid, and why."""
    if problem := _problem_of_store(plan.repository):
        yield "repository", problem
    is_layout = plan.repository.startswith("oci:")
    for number, change in enumerate(plan.changes):
        for name, problem in _problems_of_change(change, is_layout=is_layout):
            yield f"changes.{number}{name}", problem


def _problems_of_change(change: "TagChange", *, is_layout: bool) -> Iterator[tuple[str, str]]:
    from dreg_client.tagging.plan import AddTag, CopyTag, DeleteManifest, MoveTag, RestoreManifest

    if isinstance(change, CopyTag) and (problem := _problem_of_store(change.source)):
        yield ".source", problem
    if isinstance(change, AddTag | MoveTag | CopyTag) and (problem := _problem_of_tag(change.tag, is_layout=is_layout)):
        yield ".tag", problem
    if isinstance(change, DeleteManifest | RestoreManifest) and (problem := _problem_of_digest_tags(change)):
        yield ".digestTags", problem


def _problem_of_store(text: str) -> str:
    from dreg_client.cli.stores import reference_given, repository_name
    from dreg_client.errors import DregError
    from dreg_client.files.store_path import named_store

    try:
        name = named_store(text)
    except DregError as failure:
        return str(failure)
    full = repository_name(name)
    if name.kind not in {"registry", "oci"} or reference_given(name):
        return f"{_shown(text)} must be a repository or a layout, without a tag or digest"
    return "" if full == text else f"{_shown(text)} must be written in full: {_shown(full)}"


def _problem_of_tag(tag: str, *, is_layout: bool) -> str:
    from dreg_client.errors import DregError
    from dreg_client.protocol.manifests import new_tag
    from dreg_client.values.ref_name import check_ref_name

    try:
        check_ref_name(tag) if is_layout else new_tag(tag)
    except DregError as failure:
        return str(failure)
    return ""


def _problem_of_digest_tags(change: "DeleteManifest | RestoreManifest") -> str:
    from dreg_client.copying.digest_tags import digest_tag

    named = {change.digest, *change.platforms, *change.referrers}
    for tag in change.digest_tags:
        about = digest_tag(tag)
        if about is None or about.subject not in named:
            return f"{_shown(tag)} is not a digest tag about a manifest of this change"
    return ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
