"""`dreg sync`: copy the tags of repositories and registries that a destination does not have."""

from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.arguments import END_TYPE, format_option
from dreg_client.cli.command import Command
from dreg_client.cli.content_options import platform_option, referrers_option
from dreg_client.cli.registry_options import connection_options, side_options
from dreg_client.cli.tag_options import tag_filter, tag_options

if TYPE_CHECKING:
    from dreg_client.cli.sync_jobs import Jobs
    from dreg_client.copying.sync_options import SyncOptions
    from dreg_client.values.store_name import StoreName

_file = click.Path(dir_okay=False)


@click.command("sync", cls=Command)
@click.argument("source", metavar="[SOURCE", type=END_TYPE, required=False)
@click.argument("destination", metavar="DESTINATION]", type=END_TYPE, required=False)
@click.option(
    "--file",
    "-f",
    metavar="FILE",
    type=_file,
    help="Synchronise what this TOML file lists. Its paths are relative to the current directory.",
)
@tag_options("Copy")
@click.option(
    "--repository",
    "repositories",
    metavar="GLOB",
    multiple=True,
    help="Copy only repositories of a registry that match, such as 'acme/*'. Can be repeated.",
)
@platform_option
@referrers_option
@click.option("--prune", is_flag=True, help="Remove tags that match and that the source does not have.")
@click.option("--allow-empty", is_flag=True, help="Prune even if the source has no tag that matches.")
@click.option("--dry-run", is_flag=True, help="Only print what would be copied and removed.")
@click.option(
    "--plan",
    metavar="FILE",
    type=_file,
    help="Save what would be copied and removed; without SOURCE, carry out a plan that was saved.",
)
@click.option("--yes", "-y", is_flag=True, help="Remove tags without asking.")
@format_option
@side_options
@connection_options
def sync_command(
    source: "StoreName | str | None",
    destination: "StoreName | str | None",
    *,
    file: str | None,
    plan: str | None,
    output: str,
    **options: Any,  # noqa: ANN401 (of any type)
) -> int:
    """Copy the tags of a repository, or of a whole registry, that the destination does not have.

    SOURCE is a repository, a layout or an archive without a tag. Or it has several repositories: a registry (HOST:PORT,
    such as localhost:5000, or HOST/ with a slash), its storage (registry-storage:PATH), or a directory of layouts.

    DESTINATION is a repository, a layout or an archive. For several repositories, it is a registry, optionally with a
    prefix for their names; a directory of layouts; or an archive or a layout that exists, in which images get full
    names, such as localhost:5000/acme/web:1.4. Such an archive can be written to a registry again;
    oci-archive:FILE:acme/web is one of its repositories.

    Digests are compared first, so an image that the destination has costs two requests. What differs is copied as by
    `dreg copy`. A tag that cannot be copied does not stop the others. Run the command again after a failure or an
    interruption: only what is missing is transferred.

    With --prune, tags that the filters match and the source does not have are removed after they were shown. Nothing is
    removed if the source has no tag that matches, or if its list is incomplete. Digest tags, such as
    sha256-HEX.sig, are removed only if no tag leads to the image that they are about. The images stay; for layouts, run
    `dreg gc` afterwards.

    With --platform, digest tags are copied with the images that they are about, and only with --referrers. Those
    of an index of which only some platforms are copied are left out, and counted.

    A plan can be read, saved with --plan, and carried out later. Tags that changed meanwhile are then left as they are.

    Prints the tags that were copied, with their digests. JSON output is an object with repositories, each with source,
    destination, copied, skipped, removed, failed, notPruned, uncopiedReferrers, blobs, mounted and manifests. With
    --dry-run or --plan, it is the plan.

    \b
    Exit codes:
      1  Some tags could not be copied or removed.

    \b
    Examples:
      dreg sync localhost:5000/acme/web oci:build/mirror --include '1.*'
      dreg sync oci:fixtures/layouts/multi localhost:5000/acme/mirror --referrers --dry-run
      dreg sync localhost:5000/acme/web oci:build/mirror --prune --yes
      dreg sync localhost:5000 oci:build/mirrors --repository 'acme/*'
      dreg sync localhost:5000 oci-archive:build/all.tar
      dreg sync localhost:5000/acme/web oci:build/mirror --prune --plan build/plan.json
      dreg sync --plan build/plan.json
    """
    from dreg_client.cli.sync_jobs import Jobs, apply_plan, run_jobs

    is_dry, confirmed = options.pop("dry_run"), options.pop("yes")
    is_given = any(options.values())
    if file is None and source is None:
        if plan is None:
            raise click.UsageError("missing SOURCE and DESTINATION; or use --file or --plan")
        if is_given:
            raise click.UsageError("a plan that was saved already has all options; to make a new one, name SOURCE")
        return apply_plan(plan, output, dry_run=is_dry)
    if file is not None and (source is not None or is_given):
        raise click.UsageError("--file cannot be used with SOURCE or with options that choose what to copy")
    jobs: Jobs = _jobs_in(file) if file is not None else [_job(source, destination, options)]
    return run_jobs(jobs, output, plan_file=plan, dry_run=is_dry, confirmed=confirmed)


def _job(
    source: "StoreName | str | None", destination: "StoreName | str | None", options: dict[str, Any]
) -> "tuple[StoreName | str, StoreName | str, SyncOptions]":
    if source is None or destination is None:
        raise click.UsageError("missing DESTINATION")
    if options["repositories"] and not isinstance(source, str) and (source.kind == "registry" or source.repository):
        raise click.UsageError("--repository chooses from a whole registry, but SOURCE is a single repository")
    chosen: SyncOptions = {"tags": tag_filter(options)}
    if not options["platforms"]:
        del options["platforms"]
    return source, destination, {**chosen, **options}  # type: ignore[typeddict-item]


def _jobs_in(path: str) -> "Jobs":
    from dreg_client.cli.sync_jobs import read_text
    from dreg_client.copying.sync_file import MAX_SYNC_FILE, SyncFile

    found = SyncFile.parse(read_text(path, MAX_SYNC_FILE), path)
    return [(entry.source, entry.destination, found.options_of(entry)) for entry in found.sync]
