"""Run a copy, show its progress, and print its result."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dreg_client.cli.copy_progress import CopyProgress
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.logging import show_log
from dreg_client.cli.output import put_error, put_result, visible
from dreg_client.cli.registry_options import copy_options
from dreg_client.cli.stores import reference_given, repository_name

if TYPE_CHECKING:
    from dreg_client.copying.result import CopyResult, Transferred
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName


def copy_stores(
    source: "StoreName",
    destination: "StoreName",
    *,
    platforms: "tuple[Platform, ...]",
    all_tags: bool,
    output: str,
    **choices: Any,  # noqa: ANN401 (`referrers`, `no_clobber` and `dry_run`, as of `copy`)
) -> None:
    """Copy an image and print the result."""
    from dreg_client._sync.copy import copy

    show_log()
    is_atomic = destination.kind not in {"registry", "oci"}
    with (
        CopyProgress(is_atomic=is_atomic) as progress,
        reporting_interruption(progress.outcome),
        _mentioning_all_tags(source),
    ):
        result = copy(
            source,
            destination,
            platforms=platforms or None,
            tags="all" if all_tags else None,
            **choices,
            **copy_options(progress.listen),
        )
    put_result(output, _plain(result), _lines(destination, result))
    for line in _remarks(result) if output == "text" else ():
        put_error(visible(f"dreg: {line}"))


@contextmanager
def _mentioning_all_tags(source: "StoreName") -> Generator[None, None, None]:
    """Mention `--all-tags` in the error if the source has no tag, and has no image `latest`, or several images."""
    from dreg_client.errors import ConflictError, NotFoundError

    try:
        yield
    except NotFoundError as failure:
        if source.kind == "registry" and not reference_given(source) and failure.advice.endswith(".tags()"):
            repository = repository_name(source)
            failure.advice = f"name one of its tags (dreg tags {repository}), or copy all of them with --all-tags"
        raise
    except ConflictError as failure:
        if not reference_given(source) and "request one of" in str(failure):
            failure.add_outcome("--all-tags copies all of them")
        raise


def _lines(destination: "StoreName", result: "CopyResult") -> Iterator[str]:
    store = destination.path and f"{destination.kind}:{destination.path}"
    if destination.kind == "docker-archive":  # it does not keep the digests of manifests
        from dreg_client.files.saved_spool import full_name

        for name, digest in result.digests.items():
            yield visible(store if name == digest else f"{store}:{full_name(name)}")
        return
    if destination.reference is not None:
        store = f"{destination.reference.registry}/{destination.reference.repository}"
    for name, digest in result.digests.items():
        yield visible(f"{store}@{digest}" if name == digest else f"{store}:{name}@{digest}")


def _remarks(result: "CopyResult") -> Iterator[str]:
    from dreg_client.errors.stores import listed

    if result.is_unchanged and not (result.not_replaced or result.left_out):
        yield "nothing to copy: the destination already has everything"
    elif result.tagged and not (result.copied.count or result.mounted.count or result.manifests.count):
        verb = "would write" if result.is_dry_run else "wrote"
        yield f"{verb} {_tags(result.tagged)}; the destination already has everything else"
    else:
        verb = "would copy" if result.is_dry_run else "copied"
        yield f"{verb} {_shown(result.copied)}; {result.skipped.count} already there, {result.mounted.count} mounted"
    for layer in result.left_out:
        yield f"layer {layer.digest} was left out: clients download it from {', '.join(layer.urls or ())}"
    if result.uncopied_referrers:
        digests = listed([each.digest for each in result.uncopied_referrers])
        yield f"{uncopied(result.uncopied_referrers)}: {digests}"
    for tag in result.not_replaced:
        yield f"tag {tag} was not replaced, because it names another image"


def _tags(tags: "tuple[str, ...]") -> str:
    return f"the tag {tags[0]}" if len(tags) == 1 else f"{len(tags)} tags"


def uncopied(referrers: "Sequence[object]") -> str:
    """Return the sentence that referrers of indexes are not copied, and why."""
    if len(referrers) == 1:
        return "1 signature or other referrer is not copied: it refers to an index copied only in part"
    number = len(referrers)
    return f"{number} signatures and other referrers are not copied: they refer to indexes copied only in part"


def _shown(transferred: "Transferred") -> str:
    from dreg_client.values.sizes import byte_size

    plural = "" if transferred.count == 1 else "s"
    return f"{transferred.count} blob{plural} ({byte_size(transferred.size)})"


def _plain(result: "CopyResult") -> dict[str, Any]:
    counts = ("copied", "skipped", "mounted", "manifests")
    return {
        "digests": dict(result.digests),
        "mapping": dict(result.mapping),
        **{name: {"count": getattr(result, name).count, "size": getattr(result, name).size} for name in counts},
        "tagged": list(result.tagged),
        "leftOut": [plain_descriptor(each) for each in result.left_out],
        "uncopiedReferrers": [plain_descriptor(each) for each in result.uncopied_referrers],
        "notReplaced": list(result.not_replaced),
        "dryRun": result.is_dry_run,
    }


def plain_descriptor(descriptor: "Descriptor") -> dict[str, Any]:
    """Return a descriptor for JSON."""
    return descriptor.model_dump(mode="json", by_alias=True, exclude_none=True)
