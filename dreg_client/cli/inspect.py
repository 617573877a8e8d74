"""`dreg inspect`: an image as a person wants to see it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.reading import chosen_platform, print_json
from dreg_client.cli.sources import format_option, opened, platform_option, ref_name_option, source_argument
from dreg_client.cli.text import bold, size, visible

if TYPE_CHECKING:
    from dreg_client.image import Image, ImageStore, PlatformImage
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.models.manifest import ImageManifest
    from dreg_client.values.store_name import StoreName

Lines = Iterator[str]


@click.command("inspect")
@source_argument
@ref_name_option
@platform_option
@format_option
def inspect_command(source: "StoreName", ref_name: str | None, platform: str | None, output: str) -> None:
    """Show an image: digest, platforms, sizes, each layer and what made it, environment, labels, annotations.

    \b
    Examples:
      dreg inspect oci:fixtures/layouts/multi:1.4
      dreg inspect oci:fixtures/layouts/multi:1.4 --platform linux/arm64 --format json
      dreg inspect docker-archive:fixtures/archives/web.docker.tar
    """
    with opened(source, ref_name) as (store, reference):
        seen = view(store, reference, platform)
    if output == "json":
        print_json(seen)
        return
    for line in lines(seen):
        click.echo(line)


def view(store: "ImageStore", reference: str, platform: str | None) -> dict[str, Any]:
    """Everything that is shown, as plain values."""
    from dreg_client.errors import NotAnImageError  # noqa: PLC0415

    try:
        image = store.get_image(reference)
    except NotAnImageError:
        return _artifact(store, reference)
    document = image.manifest or image.index
    chosen = [image.get_platform_image(chosen_platform(platform))] if platform else image.get_platform_images()
    return {
        "store": image.repo,
        "reference": reference or None,
        "mediaType": document.media_type if document else None,
        "digest": image.digest,
        "size": document.size if document else 0,
        "annotations": dict(getattr(document, "annotations", None) or {}),
        "platforms": [str(found) for found in image.platforms],
        "attestations": [_described(descriptor) for descriptor in image.attestations],
        "images": [_platform(found) for found in chosen],
    }


def _artifact(store: "ImageStore", reference: str) -> dict[str, Any]:
    manifest: Any = store.get_manifest(reference)
    return {
        "store": store.name,
        "reference": reference or None,
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": manifest.size,
        "artifactType": manifest.artifact_type or manifest.config.media_type,
        "annotations": dict(manifest.annotations or {}),
        "config": _described(manifest.config),
        "layers": [_described(layer) for layer in manifest.layers],
    }


def _described(descriptor: "Descriptor") -> dict[str, Any]:
    plain: dict[str, Any] = {
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest,
        "size": descriptor.size,
    }
    if descriptor.annotations:
        plain["annotations"] = dict(descriptor.annotations)
    return plain


def _platform(image: "PlatformImage") -> dict[str, Any]:
    run = image.config.config
    return {
        "platform": str(image.platform) if image.platform else None,
        "digest": image.digest,
        "config": image.config.digest,
        "created": image.config.created,
        "author": image.config.author,
        "size": image.size,
        "layers": [_step(step.entry, step.layer) for step in image.steps],
        "entrypoint": _listed(run and run.entrypoint),
        "cmd": _listed(run and run.cmd),
        "env": _listed(run and run.env),
        "user": run.user if run else None,
        "workingDir": run.working_dir if run else None,
        "exposedPorts": _listed(run and run.exposed_ports),
        "volumes": _listed(run and run.volumes),
        "labels": dict((run and run.labels) or {}),
        "annotations": dict(image.manifest.annotations or {}),
    }


def _listed(values: Iterable[str] | None) -> list[str]:
    return list(values or ())


def _step(entry: Any, layer: "Descriptor | None") -> dict[str, Any]:  # noqa: ANN401
    return {
        "instruction": entry.clean_created_by if entry else None,
        "created": entry.created if entry else None,
        "digest": layer.digest if layer else None,
        "mediaType": layer.media_type if layer else None,
        "size": layer.size if layer else 0,
    }


def lines(seen: Mapping[str, Any]) -> Lines:
    """What is shown, for people."""
    name = f"{seen['store']}:{seen['reference']}" if seen["reference"] else seen["store"]
    yield bold(visible(name))
    yield f"  digest      {seen['digest']}"
    yield f"  media type  {visible(seen['mediaType'])}"
    if "artifactType" in seen:
        yield f"  artifact    {visible(seen['artifactType'])}"
    else:
        yield f"  platforms   {visible(', '.join(seen['platforms']) or 'none')}"
    yield from _pairs("annotations", seen["annotations"])
    for descriptor in seen.get("layers", ()):
        yield from _content(descriptor)
    for image in seen.get("images", ()):
        yield ""
        yield from _image_lines(image)
    if seen.get("attestations"):
        yield ""
        yield bold("attestations")
        for descriptor in seen["attestations"]:
            yield from _content(descriptor)


def _content(descriptor: Mapping[str, Any]) -> Lines:
    annotations = descriptor.get("annotations", {})
    about = annotations.get("org.opencontainers.image.title") or annotations.get("vnd.docker.reference.digest", "")
    yield f"  {size(descriptor['size']):>10}  {descriptor['digest']}  {visible(descriptor['mediaType'])} {visible(about)}"


def _image_lines(image: Mapping[str, Any]) -> Lines:
    yield bold(visible(image["platform"] or "no platform"))
    yield f"  digest      {image['digest']}"
    yield f"  config      {image['config']}"
    for label, key in (("created", "created"), ("author", "author"), ("user", "user"), ("directory", "workingDir")):
        if image[key]:
            yield f"  {label:<11} {visible(image[key])}"
    for label, key in (("entrypoint", "entrypoint"), ("command", "cmd")):
        if image[key]:
            yield f"  {label:<11} {visible(' '.join(map(_quoted, image[key])))}"
    for label, key in (("ports", "exposedPorts"), ("volumes", "volumes")):
        if image[key]:
            yield f"  {label:<11} {visible(', '.join(image[key]))}"
    yield from (f"  env         {visible(entry)}" for entry in image["env"])
    yield from _pairs("labels", image["labels"])
    yield from _pairs("annotations", image["annotations"])
    stored = [step for step in image["layers"] if step["digest"]]
    yield f"  layers      {len(stored)}, {size(image['size'])}"
    for step in image["layers"]:
        yield _step_line(step)


def _step_line(step: Mapping[str, Any]) -> str:
    shown = size(step["size"]) if step["digest"] else "-"
    digest = step["digest"][7:19] if step["digest"] else ""
    return f"  {shown:>10}  {digest:<12}  {visible(step['instruction'] or '(no history)')}"


def _pairs(title: str, members: Mapping[str, str]) -> Lines:
    if members:
        yield f"  {title}"
        yield from (f"    {visible(name)} = {visible(value)}" for name, value in members.items())


def _quoted(word: str) -> str:
    return word if word and not any(character in word for character in " \t\n\"'") else repr(word)
