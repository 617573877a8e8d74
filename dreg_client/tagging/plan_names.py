"""Check the names in plans, which may be untrusted input: what is shown must be what is done."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dreg_client.copying.digest_tags import digest_tag
from dreg_client.errors import ConfigError, DregError
from dreg_client.files.store_path import named_store
from dreg_client.protocol.manifests import new_tag
from dreg_client.values.ref_name import check_ref_name
from dreg_client.values.store_name import reference_of

if TYPE_CHECKING:  # plans import this module
    from dreg_client.tagging.plan import DeleteManifest, RepositoryTagPlan, RestoreManifest, TagChange, TagPlan

_LONGEST: Final = 100
_NEW: Final = frozenset({"tag", "move", "copy"})
"""The actions that write tags."""


def check_names(plan: "TagPlan", where: str = "the plan") -> None:
    """Check the names in a plan; `where` is its name for messages.

    Raises:
        ConfigError: A repository is not named in full: `acme/web` would be shown, but docker.io/acme/web changed. A
            repository or layout has a tag. A new tag is not valid. A digest tag, which is not shown, is not about what
            is deleted.
    """
    for number, repository in enumerate(plan.repositories):
        for place, problem in _problems(repository):
            name = f"repositories.{number}.{place}"
            raise ConfigError(f"{where} is not a valid plan: {name}: {problem}; make a new plan")


def _problems(plan: "RepositoryTagPlan") -> Iterator[tuple[str, str]]:
    """Yield where a name is not valid, and why."""
    # Without changes, it may be a glob that chose no repository.
    if plan.changes and (problem := _problem_of_store(plan.repository)):
        yield "repository", problem
    is_layout = plan.repository.startswith("oci:")
    for number, change in enumerate(plan.changes):
        for name, problem in _problems_of_change(change, is_layout=is_layout):
            yield f"changes.{number}{name}", problem


def _problems_of_change(change: "TagChange", *, is_layout: bool) -> Iterator[tuple[str, str]]:
    if change.action == "copy" and (problem := _problem_of_store(change.source)):
        yield ".source", problem
    if change.action in _NEW and (problem := _problem_of_tag(change.subject, is_layout=is_layout)):
        yield ".tag", problem
    match change.action:
        case "delete" | "restore":
            yield from ((".digestTags", problem) for problem in _problems_of_digest_tags(change))
        case _:
            pass


def _problem_of_store(text: str) -> str:
    try:
        name = named_store(text)
    except DregError as failure:
        return str(failure)
    full = f"{name.kind}:{name.path}"
    if name.reference is not None:
        full = f"{name.reference.registry}/{name.reference.repository}"
    if name.kind not in {"registry", "oci"} or (name.is_named and reference_of(name)):
        return f"{_shown(text)} must be a repository or a layout, without a tag or digest"
    return "" if full == text else f"{_shown(text)} must be written in full: {_shown(full)}"


def _problem_of_tag(tag: str, *, is_layout: bool) -> str:
    try:
        check_ref_name(tag) if is_layout else new_tag(tag)
    except DregError as failure:
        return str(failure)
    return ""


def _problems_of_digest_tags(change: "DeleteManifest | RestoreManifest") -> Iterator[str]:
    named = {change.digest, *change.platforms, *change.referrers}
    for tag in change.digest_tags:
        about = digest_tag(tag)
        if about is None or about.subject not in named:
            yield f"{_shown(tag)} is not a digest tag about a manifest of this change"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
