"""How registries differ from one another, as their documents and the users of their clients describe it."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Traits:
    """What one registry does in its own way; the defaults are the distribution specification's.

    Attributes:
        location: How an upload's URL is written: `absolute`, `path`, `sibling` (relative to the request), or `http`.
        has_state: Whether the URL has a query that changes with each request, and only the last one is valid.
        patch_status: The status of a chunk that was accepted.
        stated: Which bytes `Range` states: `all`, `last` (those of the last chunk), `first` (it stands still), `none`.
        shortest: The size in bytes of the smallest chunk that may be followed by another one.
        states_shortest: Whether `OCI-Chunk-Min-Length` says so.
        longest: The size in bytes of the largest chunk.
        takes_puts: Whether a blob may be sent in the closing PUT.
        takes_chunks: Whether a blob may be sent in more than one PATCH.
        drops_chunks: Whether the bytes of every chunk but the first are lost, although the status is a success
            (aws/containers-roadmap 2831).
        states_digest: Whether `Docker-Content-Digest` is sent.
        put_status: The status of a manifest that was accepted.
        has_heads: Whether blobs can be checked by HEAD.
        missing_status: The status of HEAD for a manifest that does not exist.
        mounts: `yes`, `no` (202), `denied` (401), or `named` (only what a manifest names, else 202).
        lists_referrers: Whether it has the referrers API.
        referrers_status: What it responds to the referrers API otherwise.
        takes_docker: Whether it takes Docker's media types.
        needs_media_type: Whether each manifest must state its media type.
        has_tokens: `no`, `yes`, or `last` if only the last scope of a token request counts.
        creates: Whether the first push creates a repository.
        untag_status: What it responds to the deletion of a tag: 202, or 400 or 405 if it deletes only by digest.
        delete_status: What it responds to the deletion of a digest: 202, or 405.
        keeps_tagged: Whether a manifest that has a tag, or that an index names, cannot be deleted.
        lists_manifests: Whether its tag lists have all manifests.
        uploaded: How it states when a manifest was uploaded there, in milliseconds: as a `str` or an `int`.
        page: How many tags a page of a list has at most; 0 if there is no limit.
    """

    location: str = "absolute"
    has_state: bool = False
    patch_status: int = 202
    stated: str = "all"
    shortest: int = 0
    states_shortest: bool = False
    longest: int = 1 << 40
    takes_puts: bool = True
    takes_chunks: bool = True
    drops_chunks: bool = False
    states_digest: bool = True
    put_status: int = 201
    has_heads: bool = True
    missing_status: int = 404
    mounts: str = "yes"
    lists_referrers: bool = False
    referrers_status: int = 404
    takes_docker: bool = True
    needs_media_type: bool = False
    has_tokens: str = "no"
    creates: bool = True
    untag_status: int = 202
    delete_status: int = 202
    keeps_tagged: bool = False
    lists_manifests: bool = False
    uploaded: type[int | str] = str
    page: int = 0


PROFILES: Final = {
    # 2.8 takes a tag for a digest that is not valid; 3 deletes tags (distribution 3718)
    "distribution": Traits(has_state=True, untag_status=400),
    "distribution3": Traits(has_state=True),
    # without `storage.delete.enabled`
    "undeletable": Traits(has_state=True, untag_status=405, delete_status=405),
    # olareg's README: referrers, deletion of tags, of manifests and of blobs
    "olareg": Traits(location="path", lists_referrers=True),
    # aws/containers-roadmap 2831, 2860; openai/tart 273; distribution 3792; containers/image docker_image_dest.go
    "ecr": Traits(
        patch_status=201,
        stated="first",
        shortest=5 * MIB,
        states_digest=False,
        mounts="named",
        needs_media_type=True,
        has_tokens="yes",
        creates=False,
    ),
    # ocx-sh/ocx 237; powerloader 32; ghcr-cleanup-action 13
    "ghcr": Traits(longest=4 * MIB, has_tokens="yes", referrers_status=303),
    # distribution 479 and 2225 (a proxy does TLS); oras-go registry/remote/repository.go; harbor 17097
    "harbor": Traits(location="http", has_state=True, mounts="no", referrers_status=401),
    # Quay responds 202 to manifests (endpoints/v2/manifest.py); jib 703
    "quay": Traits(location="path", put_status=202, has_tokens="yes"),
    # docker/buildx 196; go-containerregistry pkg/v1/remote/pusher.go; sdk-container-builds 382
    "artifactory": Traits(location="absolute", takes_puts=False, missing_status=403, mounts="no"),
    # manifest-tool 53; go-containerregistry 220
    "gitlab": Traits(has_state=True, mounts="denied", has_tokens="last"),
    # sonatype/nexus-public 967 and 1040; distribution PR 3849
    "nexus": Traits(location="path", states_digest=False, mounts="denied", stated="none"),
    # project-zot/zot 724, 1410; regclient 961
    "zot": Traits(
        location="path",
        stated="last",
        shortest=6 * MIB,
        states_shortest=True,
        lists_referrers=True,
        takes_docker=False,
    ),
    # sdk-container-builds 287; skopeo 1101
    # go-containerregistry pkg/v1/google/list.go; docker-credential-gcr 73
    "gar": Traits(
        location="sibling",
        takes_chunks=False,
        lists_referrers=True,
        lists_manifests=True,
        keeps_tagged=True,
        uploaded=int,
    ),
    "gcr": Traits(
        location="sibling", takes_chunks=False, lists_referrers=True, lists_manifests=True, keeps_tagged=True
    ),
    # pulp_container 2199; go-containerregistry 2198
    "pulp": Traits(location="path", patch_status=204, has_heads=False),
}
