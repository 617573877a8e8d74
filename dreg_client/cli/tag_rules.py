"""`dreg retag`, `dreg prune` and `dreg promote`: plans of one rule each."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.advice import for_command_line
from dreg_client.cli.change_options import Wanted, change_options, repository_argument
from dreg_client.cli.command import Command
from dreg_client.cli.content_options import referrers_option
from dreg_client.cli.parsed_type import ParsedType, whole_number
from dreg_client.cli.registry_options import connection_options, registry_options, side_options
from dreg_client.cli.tag_options import checked_glob, tag_filter, tag_options

if TYPE_CHECKING:
    from dreg_client._sync.tag_planner import TagPlanner
    from dreg_client.copying.options import CopyOptions
    from dreg_client.tagging.plan import TagPlan
    from dreg_client.values.store_name import StoreName


def _age(text: str) -> str:
    from dreg_client.tagging.ages import age

    age(text)
    return text


def _kept(text: str) -> str:
    if text.isdecimal():
        tag = f"[{text[0]}]{text[1:]}"
        message = f"to keep the newest {text} images, use --keep-last {text}; to keep the tag {text}, write '{tag}'"
        raise ValueError(message)
    return checked_glob(text)


@click.command("retag", cls=Command)
@repository_argument("source", "REPOSITORY")
@click.argument("templates", metavar="TEMPLATE...", nargs=-1, required=True)
@tag_options("Use", digest_tags=False)
@change_options
@registry_options
def retag_command(source: "StoreName", templates: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 (of any type)
    """Add or move tags that are made from other tags, such as 1.4, 1 and latest from 1.4.2.

    REPOSITORY is REGISTRY/REPOSITORY or oci:PATH, without a tag. TEMPLATE is the new tag. It can contain {tag};
    {major}, {minor}, {patch}, {prerelease} and {version} of a version X.Y.Z, with or without v; and groups of --regex,
    by name or number: {name}, {1}. If several tags give the same new tag, the highest version is used.

    Prints the changes; with --yes, makes them. Each tag is read again directly before it is changed. If it has been
    changed since the plan was made, it is left as it is, and reported as a conflict.

    JSON output is the plan. With --yes, it is an object with repositories, each with repository, done, already, failed
    and failure.

    \b
    Exit codes:
      1  Some tags could not be read or changed.
      7  Everything was a conflict.
      9  There is something to change, with --exit-code.

    \b
    Examples:
      dreg retag oci:fixtures/layouts/releases '{major}.{minor}' '{major}' latest --semver '*' --exit-code
      dreg retag oci:build/releases latest --semver '*' --yes --journal build/retag.jsonl
      dreg retag localhost:5000/acme/web 'stable-{release}' --regex '(?P<release>[0-9.]+)'
    """
    wanted, tags = Wanted.of(options), tag_filter(options)

    def add_rules(planner: "TagPlanner") -> "TagPlanner":
        for template in templates:
            planner.retag(tags, template)
        return planner

    return _run([source], add_rules, wanted)


@click.command("prune", cls=Command)
@repository_argument("sources", "REPOSITORY...", several=True)
@tag_options("Remove", digest_tags=False)
@click.option(
    "--keep-last",
    metavar="N",
    type=whole_number(0, example=10),
    help="Keep the newest N images of those that match, with all their tags. Images without a date do not count.",
)
@click.option(
    "--older-than", metavar="AGE", type=ParsedType("age", _age), help="Remove only older images: 36h, 14d, 2w."
)
@click.option(
    "--keep",
    metavar="GLOB",
    multiple=True,
    type=ParsedType("glob", _kept),
    help="Keep tags that match, such as 'v*'. Can be repeated.",
)
@click.option(
    "--by",
    type=click.Choice(["created", "version"]),
    default="created",
    help="How --keep-last orders images: by creation date (default), or by version, which needs no dates.",
)
@click.option("--untagged", is_flag=True, help="Also delete images without a tag, where they are listed.")
@click.option(
    "--images",
    type=click.Choice(["any", "all", "each"]),
    help="Remove images with all their tags: if any tag matches, if all match, or if one matches each --include.",
)
@click.option("--untag-only", is_flag=True, help="Only remove tags; do not delete images that have no other tag.")
@change_options
@registry_options
def prune_command(sources: "tuple[StoreName, ...]", **options: Any) -> int:  # noqa: ANN401 (of any type)
    """Remove old tags, and delete the images whose last tag is removed.

    REPOSITORY is REGISTRY/REPOSITORY or oci:PATH, without a tag. A tag is removed only if it meets all conditions.
    Without --keep-last and --older-than, all tags that match are removed; then --include, --exclude, --regex or
    --semver is required.

    The date of an image is in its config; an index is as old as its newest platform. If the date is missing or before
    1980-01-02, as that of reproducible builds, the tag is kept and reported, unless the rule needs no dates. Digest
    tags, such as sha256-HEX.sig, are deleted with the image that they are about.

    --untagged works on layouts and on registries that list images without a tag (GCR, Google Artifact Registry). In a
    layout, it deletes images without a name in index.json; what index.json does not list is for `dreg gc`.

    An image is deleted only if no tag is left, and no index or referrer that stays needs it; otherwise, it only loses
    the tag. If any tag of a repository cannot be read, no image of it is deleted. In a layout, layers stay until `dreg
    gc` deletes them; in a registry, until its garbage collection.

    Prints the changes; with --yes, makes them. All tags are read again before images are deleted. Whatever has
    been changed since the plan was made is left as it is, and reported as a conflict.

    JSON output is the plan. With --yes, it is an object with repositories, each with repository, done, already, failed
    and failure.

    \b
    Exit codes:
      1  Some tags could not be read or changed.
      7  Everything was a conflict.
      9  There is something to change, with --exit-code.

    \b
    Examples:
      dreg prune oci:build/releases --include 'nightly-*' --keep-last 10
      dreg prune oci:build/releases --include 'pr-*' --older-than 14d --yes --journal build/prune.jsonl
      dreg prune localhost:5000/acme/web localhost:5000/acme/old --older-than 90d --keep latest --keep 'v*'
      dreg prune localhost:5000/acme/web --semver '*' --keep-last 3 --by version --untag-only
    """
    wanted = Wanted.of(options)
    _check_not_everything(options)
    if options["untagged"] and options["untag_only"]:
        raise click.UsageError("--untagged cannot be used with --untag-only: images without a tag can only be deleted")
    if not (wanted.is_quiet or wanted.output == "json"):
        _warn_of_all_tags(options)
    tags, is_deleted = tag_filter(options), not options.pop("untag_only")
    return _run([*sources], lambda planner: planner.prune(tags, delete=is_deleted, **options), wanted)


def _check_not_everything(options: dict[str, Any]) -> None:
    """Raise an error if no condition is given, so that all tags would be removed."""
    conditions = ("include", "exclude", "regex", "semver", "keep_last", "older_than")
    if any(options[name] not in {None, ()} for name in conditions):
        return
    if options["untagged"]:
        advice = "to delete only images without a tag, add --exclude '*'"
    else:
        advice = "choose tags, such as --include 'nightly-*', or what to keep with --keep-last or --older-than"
    raise click.UsageError(f"without conditions, all tags would be removed; {advice}; if that is meant, --include '*'")


def _warn_of_all_tags(options: dict[str, Any]) -> None:
    """Say that all tags are concerned, unless some are chosen or kept."""
    from dreg_client.cli.output import put_error

    if any(options[name] not in {None, ()} for name in ("include", "exclude", "regex", "semver", "keep")):
        return
    advice = "to choose some, add --include 'nightly-*'; to protect some, add --keep latest --keep 'v*'"
    put_error(f"dreg: this concerns all tags, also releases and latest; {advice}")


@click.command("promote", cls=Command)
@repository_argument("source", "SOURCE")
@repository_argument("destination", "DESTINATION")
@tag_options("Copy", digest_tags=False)
@click.option("--to", "template", metavar="TEMPLATE", default="{tag}", help="The new tag (default: {tag}).")
@referrers_option
@change_options
@side_options
@connection_options
def promote_command(source: "StoreName", destination: "StoreName", **options: Any) -> int:  # noqa: ANN401 (of any type)
    """Copy tags to another repository, under names that are made from them, such as 1.5.0 from 1.5.0-rc.2.

    SOURCE and DESTINATION are REGISTRY/REPOSITORY or oci:PATH, without a tag. TEMPLATE is the tag in the destination.
    It can contain {tag}; {major}, {minor}, {patch}, {prerelease} and {version} of a version X.Y.Z, with or without v;
    and groups of --regex, by name or number: {name}, {1}. If several tags give the same new tag, the highest version is
    used. A tag of another image in the destination is moved.

    Prints the changes; with --yes, makes them. If a tag has been moved in the source or the destination since the plan
    was made, the image is not copied; this is reported as a conflict.

    JSON output is the plan. With --yes, it is an object with repositories, each with repository, done, already, failed
    and failure.

    \b
    Exit codes:
      1  Some tags could not be read or copied.
      7  Everything was a conflict.
      9  There is something to copy, with --exit-code.

    \b
    Examples:
      dreg promote oci:build/releases localhost:5000/production/web --include '1.4.*'
      dreg promote oci:build/releases localhost:5000/production/web --regex '(?P<release>[0-9.]+)-rc.*' \\
        --to '{release}' --referrers --yes
    """
    wanted = Wanted.of(options)
    tags, template, referrers = tag_filter(options), options.pop("template"), options.pop("referrers")

    def add_rule(planner: "TagPlanner") -> "TagPlanner":
        return planner.promote(tags, into=destination, template=template, referrers=referrers)

    return _run([source], add_rule, wanted)


def _run(sources: "list[StoreName]", add_rule: "Callable[[TagPlanner], TagPlanner]", wanted: Wanted) -> int:
    """Plan one rule for some repositories; print the plan or apply it, and return the exit code."""
    from dreg_client.cli.change_jobs import run_plan

    def make(options: "CopyOptions") -> "TagPlan":
        from dreg_client._sync.tag_planner import plan

        planner = plan(sources, **options)
        try:
            add_rule(planner)
        except ValueError as failure:
            raise click.UsageError(for_command_line(str(failure))) from None
        return planner.make()

    return run_plan(make, wanted)
