"""Run a copy, show its progress, and print its result."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dreg_client.cli.copy_progress import CopyProgress
from dreg_client.cli.interruption import reporting_interruption
from dreg_client.cli.logging import show_log
from dreg_client.cli.output import put_error, put_result, visible
from dreg_client.cli.registry_options import given_options, options_of_sides
from dreg_client.cli.waits import reporting_waits

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
    options = given_options()
    read, write = options_of_sides()
    is_atomic = destination.kind not in {"registry", "oci"}
    with CopyProgress(is_atomic=is_atomic) as progress, reporting_interruption(progress.outcome):
        options["on_event"] = reporting_waits(progress.listen)
        result = copy(
            source,
            destination,
            platforms=platforms or None,
            tags="all" if all_tags else None,
            **choices,
            **options,
            source_options=read,
            destination_options=write,
        )
    put_result(output, _plain(result), _lines(destination, result))
    for line in _remarks(result) if output == "text" else ():
        put_error(visible(f"dreg: {line}"))


def _lines(destination: "StoreName", result: "CopyResult") -> Iterator[str]:
    store = destination.path and f"{destination.kind}:{destination.path}"
    if destination.kind == "docker-archive":  # it does not keep the digests of manifests
        yield from (visible(store if name == digest else f"{store}:{name}") for name, digest in result.digests.items())
        return
    if destination.reference is not None:
        store = f"{destination.reference.registry}/{destination.reference.repository}"
    for name, digest in result.digests.items():
        yield visible(f"{store}@{digest}" if name == digest else f"{store}:{name}@{digest}")


def _remarks(result: "CopyResult") -> Iterator[str]:
    from dreg_client.errors.stores import listed

    if result.is_unchanged and not (result.not_replaced or result.left_out):
        yield "nothing to copy: the destination already has everything"
    else:
        verb = "would copy" if result.is_dry_run else "copied"
        yield f"{verb} {_shown(result.copied)}; {result.skipped.count} already there, {result.mounted.count} mounted"
    for layer in result.left_out:
        yield f"layer {layer.digest} was left out: clients download it from {', '.join(layer.urls or ())}"
    if result.uncopied_referrers:
        digests = listed([each.digest for each in result.uncopied_referrers])
        yield f"{uncopied(result.uncopied_referrers)}: {digests}"
    for tag in result.not_replaced:
        yield f"tag {tag} was skipped, because it names another image"


def uncopied(referrers: "Sequence[Descriptor]") -> str:
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
