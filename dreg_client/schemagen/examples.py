"""Small, realistic documents of each kind, as examples in schemas and for rules."""

from collections.abc import Mapping
from typing import Any, Final

from dreg_client.values import media_type as types

_CONFIG: Final = "sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7"
_LAYER: Final = "sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"
_DIFF: Final = "sha256:c6f988f4874bb0add23a778f753c65efe992244e148a1d2ec2a8b664fb66bbd1"
_AMD64: Final = "sha256:e692418e4cbaf90ca69d05a66403747baa33ee08806650b51fab815ad7fc331f"
_ARM64: Final = "sha256:5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270"


def _descriptor(media_type: str, digest: str, size: int, **more: object) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size, **more}


def _entries(media_type: str) -> list[dict[str, Any]]:
    amd64, arm64 = {"architecture": "amd64", "os": "linux"}, {"architecture": "arm64", "os": "linux", "variant": "v8"}
    return [
        _descriptor(media_type, _AMD64, 7143, platform=amd64),
        _descriptor(media_type, _ARM64, 7682, platform=arm64),
    ]


_ARTIFACT: Final = {
    "schemaVersion": 2,
    "mediaType": types.OCI_MANIFEST,
    "artifactType": "application/vnd.example.sbom.v1",
    "config": _descriptor(types.OCI_EMPTY, types.EMPTY_DIGEST, types.EMPTY_SIZE, data="e30="),
    "layers": [_descriptor("application/spdx+json", _LAYER, 32654)],
    "subject": _descriptor(types.OCI_MANIFEST, _AMD64, 7143),
    "annotations": {"org.opencontainers.image.created": "2024-05-20T08:00:00Z"},
}

EXAMPLES: Final[Mapping[str, tuple[dict[str, Any], ...]]] = {
    "descriptor": (
        _descriptor(types.OCI_MANIFEST, _AMD64, 7143),
        _descriptor(
            "application/vnd.oci.image.layer.v1.tar+gzip",
            _LAYER,
            32654,
            annotations={"org.opencontainers.image.title": "base.tar.gz"},
        ),
    ),
    "oci-manifest": (
        {
            "schemaVersion": 2,
            "mediaType": types.OCI_MANIFEST,
            "config": _descriptor(types.OCI_CONFIG, _CONFIG, 1470),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar+gzip", _LAYER, 32654)],
        },
        _ARTIFACT,
    ),
    "docker-manifest": (
        {
            "schemaVersion": 2,
            "mediaType": types.DOCKER_MANIFEST,
            "config": _descriptor(types.DOCKER_CONFIG, _CONFIG, 1470),
            "layers": [_descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", _LAYER, 32654)],
        },
    ),
    "oci-index": (
        {"schemaVersion": 2, "mediaType": types.OCI_INDEX, "manifests": _entries(types.OCI_MANIFEST)},
        {"schemaVersion": 2, "mediaType": types.OCI_INDEX, "manifests": []},
    ),
    "docker-manifest-list": (
        {
            "schemaVersion": 2,
            "mediaType": types.DOCKER_MANIFEST_LIST,
            "manifests": _entries(types.DOCKER_MANIFEST),
        },
    ),
    "image-config": (
        {
            "created": "2024-05-20T08:00:00Z",
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "User": "1000",
                "ExposedPorts": {"8080/tcp": {}},
                "Env": ["PATH=/usr/local/bin:/usr/bin"],
                "Entrypoint": ["/bin/web"],
                "Labels": {"org.opencontainers.image.version": "1.4"},
            },
            "rootfs": {"type": "layers", "diff_ids": [_DIFF]},
            "history": [
                {"created": "2024-05-20T08:00:00Z", "created_by": "COPY web /bin/web # buildkit"},
                {"created": "2024-05-20T08:00:00Z", "created_by": "USER 1000", "empty_layer": True},
            ],
        },
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}},
    ),
    "image-layout": ({"imageLayoutVersion": "1.0.0"},),
    "legacy-manifest": (
        {
            "schemaVersion": 1,
            "name": "acme/web",
            "tag": "1.4",
            "architecture": "amd64",
            "fsLayers": [{"blobSum": _LAYER}],
            "history": [{"v1Compatibility": "{}"}],
        },
    ),
}
