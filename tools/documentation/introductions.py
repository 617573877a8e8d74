"""The introductions of the generated pages, in Markdown."""

from collections.abc import Mapping
from typing import Final

_READ: Final = "Guide: [Read a registry](../guides/read-a-registry.md)."
_CHOOSE: Final = "Guide: [Choose a platform](../guides/choose-a-platform.md)."
_REFERENCE: Final = "[Documents](../reference/documents.md)"

SCHEMAS: Final[Mapping[str, str]] = {
    "descriptor": f"""\
You find descriptors inside other documents: the config and the layers of a manifest, the entries of an index, and the
`subject` of an artifact. Some tools also print a descriptor on its own.

{_READ} Reference: {_REFERENCE}. Rules: [DSC](../rules/dsc.md), [PLT](../rules/plt.md).""",
    "oci-manifest": f"""\
Registries and image layouts contain this document for an image of one platform, and for artifacts such as Helm
charts, signatures and SBOMs. BuildKit, Buildah and ORAS write it. If the document is an image, its `config` refers to
an [image config](image-config.md).

{_READ} Reference: {_REFERENCE}. Rules: [MAN](../rules/man.md).""",
    "docker-manifest": f"""\
A registry returns this document for an image of one platform that was pushed in Docker's format, as older versions of
Docker did. It has the same structure as an [OCI manifest](oci-manifest.md), with other media types.

{_READ} Reference: {_REFERENCE}. Rules: [DKM](../rules/dkm.md).""",
    "oci-index": f"""\
A registry returns this document for a tag that has images for several platforms, or attestations. The list of
referrers of a registry and the file `index.json` of an [image layout](image-layout.md) are also OCI indexes.

{_CHOOSE} Reference: {_REFERENCE}. Rules: [IDX](../rules/idx.md).""",
    "docker-manifest-list": f"""\
A registry returns this document for a tag that has images for several platforms and was pushed in Docker's format,
for example with `docker manifest push`. It has the same purpose as an [OCI index](oci-index.md).

{_CHOOSE} Reference: {_REFERENCE}. Rules: [DKL](../rules/dkl.md).""",
    "image-config": f"""\
Every image has one config, and its manifest refers to it. The config contains what `docker inspect` shows of an
image: the command, the environment, the labels, the platform and the build history.

{_READ} Reference: {_REFERENCE}. Rules: [CFG](../rules/cfg.md).""",
    "image-layout": f"""\
It is at the root of every image layout, next to `index.json` and `blobs/`. You get a layout from `docker buildx build
--output type=oci`, `skopeo copy ... oci:PATH` or `podman save --format oci-dir`.

Guide: [Read a layout](../guides/read-a-layout.md). Reference: {_REFERENCE}. Rules: [LYT](../rules/lyt.md).""",
    "legacy-manifest": f"""\
A registry returns this document for an image that was pushed before Docker 1.10 and never pushed again. dreg-client
recognises it, and reads the members below if you pass `legacy=True`. It does not verify the signatures.

{_READ} Reference: {_REFERENCE}. Rules: [SC1](../rules/sc1.md).""",
    "manifest": f"""\
Use this schema for files that may contain any of the four current kinds, for example in an editor.

Guide: [Use the schemas](../guides/schemas.md). Reference: {_REFERENCE}. Rules: [GEN](../rules/gen.md).""",
}
"""When you meet a document of each kind, and where to read more, by the name of its schema."""

ALL_SCHEMAS: Final = """# Schemas

JSON Schemas (draft 2020-12) for each kind of document, generated from the models. A schema accepts every document that
the models accept. It rejects what the models reject, except for the rules [listed below](#what-no-schema-says).
Documents that only have warnings or notes are accepted.

The guide [Use the schemas](../guides/schemas.md) shows how to use them in editors, in other languages and in OpenAPI.
`dreg schema show NAME` prints a schema.

| schema | document | media types | download |
| --- | --- | --- | --- |
{rows}

Some schemas have a second version, *written*. It describes the documents that dreg-client writes, which is narrower
than what it accepts. For example, dreg-client never writes `null` for a list.

## Rules that JSON Schema cannot express {{ #what-no-schema-says }}

JSON Schema cannot express these rules, or only parts of them. The models and `dreg validate` check all of them.

| rule | limit of JSON Schema |
| --- | --- |
{beyond}
"""

ALL_RULES: Final = """# Rules

Every problem that dreg-client reports names a rule by its id, such as `DSC-03`. Find the id on this page, or run
`dreg rule DSC-03`, which prints the same text. For each rule you find the source, the reason, an example that breaks
it, how to fix the document, and a valid example. Ids never change.

| severity | meaning |
| --- | --- |
| error | The document is rejected. |
| warning | The document breaks a rule, but its meaning is clear. It is accepted. |
| note | The document is accepted. Notes are only reported with `--pedantic`. |
| accepted | Nothing is reported. The rule is listed because other tools are stricter. |

The guides [Validate files in CI](../guides/validate-in-ci.md) and [Validate millions of
documents](../guides/validate-millions.md) show how to check files, layouts and registries.

## Read invalid documents {{ #readable-errors }}

By default, dreg-client rejects a document that has an error. Pass `strict=False` to `Registry`, `Layout`,
`open_store`, `open_image`, `parse_manifest` or `parse_document` to accept documents that only break the rules in this
table. The `problems` of the document list its errors and warnings. `validate` always reports all of them. Other errors,
such as those of digests, sizes, duplicate names and missing members, are never accepted.

| rule | with `strict=False` |
| --- | --- |
{readable}

{families}
"""
