"""dreg-client: the typed OCI/Docker registry library.

Everything that it returns has been validated against a strict model and verified to be the bytes that you requested.

Modules are imported on first use, so importing the package is nearly free.
"""

from importlib import import_module

TYPE_CHECKING = False  # type checkers treat it as True; importing `typing` would double the cost of this import
if TYPE_CHECKING:
    from dreg_client._async.apply_plan import aapply_plan
    from dreg_client._async.copy import acopy
    from dreg_client._async.httpx_transport import AsyncHTTPTransport
    from dreg_client._async.images import AsyncImage
    from dreg_client._async.layout import AsyncLayout
    from dreg_client._async.opening import aopen_image, aopen_store
    from dreg_client._async.policy_planner import aplan_policy
    from dreg_client._async.ports import AsyncBlobReader, AsyncContent, AsyncDestination, AsyncSource
    from dreg_client._async.registry import AsyncRegistry
    from dreg_client._async.registry_storage import AsyncRegistryStorage
    from dreg_client._async.repository import AsyncRepository
    from dreg_client._async.resume_plan import aresume_plan
    from dreg_client._async.store import AsyncStore
    from dreg_client._async.sync import aapply_sync, aplan_sync, async_sync
    from dreg_client._async.tag_planner import AsyncTagPlanner, aplan
    from dreg_client._async.undo import aundo
    from dreg_client._async.writable import AsyncWritableStore
    from dreg_client._sync.apply_plan import apply_plan
    from dreg_client._sync.copy import copy
    from dreg_client._sync.docker_archive import DockerArchive
    from dreg_client._sync.httpx_transport import HTTPTransport
    from dreg_client._sync.images import Image
    from dreg_client._sync.layout import Layout
    from dreg_client._sync.opening import open_image, open_store
    from dreg_client._sync.policy_planner import plan_policy
    from dreg_client._sync.ports import BlobReader, Content, Destination, Source
    from dreg_client._sync.registry import Registry
    from dreg_client._sync.registry_storage import RegistryStorage
    from dreg_client._sync.repository import Repository
    from dreg_client._sync.resume_plan import resume_plan
    from dreg_client._sync.store import Store
    from dreg_client._sync.sync import apply_sync, plan_sync, sync
    from dreg_client._sync.tag_planner import TagPlanner, plan
    from dreg_client._sync.undo import undo
    from dreg_client._sync.validation import RepositoryValidation, validate_layout
    from dreg_client._sync.writable import WritableStore
    from dreg_client.copying.options import CopyOptions
    from dreg_client.copying.plan_model import PlannedFailure
    from dreg_client.copying.result import CopyResult, Transferred
    from dreg_client.copying.sync_options import SyncOptions
    from dreg_client.copying.sync_plan import (
        PlannedCopy,
        PlannedSize,
        PlannedTag,
        RepositoryPlan,
        SyncPlan,
    )
    from dreg_client.copying.sync_result import RepositorySync, SyncResult
    from dreg_client.copying.tag_filter import TagFilter
    from dreg_client.credentials.lookup import Credentials
    from dreg_client.errors import DregError, NotFoundError, UnsupportedError
    from dreg_client.errors.problems import Problem, Severity
    from dreg_client.files.layout_gc import GCResult
    from dreg_client.images.image import PlatformImage
    from dreg_client.models.config import ImageConfig
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.models.index import AnyManifest, DockerManifestList, Index, OciIndex
    from dreg_client.models.layout import ImageLayout
    from dreg_client.models.legacy import LegacyManifest
    from dreg_client.models.manifest import DockerManifest, ImageManifest, Manifest, OciManifest
    from dreg_client.models.parse import parse_document, parse_manifest
    from dreg_client.partitions.input.discover import find_partitions
    from dreg_client.partitions.partition import Partition, PartitionRules
    from dreg_client.partitions.run.validate import PartitionResult, validate_partition
    from dreg_client.protocol.content import RawManifest
    from dreg_client.protocol.events import (
        Answered,
        Changed,
        Copied,
        Copying,
        Counted,
        Event,
        Planned,
        Received,
        Retrying,
        Sent,
        Tagged,
        Warned,
    )
    from dreg_client.protocol.option_types import Mirror
    from dreg_client.protocol.options import CredentialSource, Options, RegistryOptions, Timeouts, TokenService
    from dreg_client.tagging.facts import Decision, TagFacts
    from dreg_client.tagging.plan import (
        AddTag,
        CopyTag,
        DeleteManifest,
        KeptTag,
        MoveTag,
        RepositoryTagPlan,
        RestoreManifest,
        TagChange,
        TagPlan,
        Untag,
    )
    from dreg_client.tagging.policy import TagPolicy
    from dreg_client.tagging.prune_options import PruneOptions
    from dreg_client.tagging.result import ChangesResult, RepositoryChanges
    from dreg_client.tagging.usage import PlatformUsage, TagUsage, Usage
    from dreg_client.validation.dumps import LineRules, validate_file, validate_lines
    from dreg_client.validation.report import DocumentReport, FileReport, Report, validate
    from dreg_client.values.credential import Credential
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform, choose
    from dreg_client.values.reference import Reference

_MODULES = {
    "_async.apply_plan": ("aapply_plan",),
    "_async.copy": ("acopy",),
    "_async.httpx_transport": ("AsyncHTTPTransport",),
    "_async.images": ("AsyncImage",),
    "_async.layout": ("AsyncLayout",),
    "_async.opening": ("aopen_image", "aopen_store"),
    "_async.ports": ("AsyncBlobReader", "AsyncContent", "AsyncDestination", "AsyncSource"),
    "_async.registry": ("AsyncRegistry",),
    "_async.registry_storage": ("AsyncRegistryStorage",),
    "_async.repository": ("AsyncRepository",),
    "_async.resume_plan": ("aresume_plan",),
    "_async.store": ("AsyncStore",),
    "_async.policy_planner": ("aplan_policy",),
    "_async.sync": ("aapply_sync", "aplan_sync", "async_sync"),
    "_async.tag_planner": ("AsyncTagPlanner", "aplan"),
    "_async.undo": ("aundo",),
    "_async.writable": ("AsyncWritableStore",),
    "_sync.apply_plan": ("apply_plan",),
    "_sync.copy": ("copy",),
    "_sync.docker_archive": ("DockerArchive",),
    "_sync.httpx_transport": ("HTTPTransport",),
    "_sync.images": ("Image",),
    "_sync.layout": ("Layout",),
    "_sync.opening": ("open_image", "open_store"),
    "_sync.ports": ("BlobReader", "Content", "Destination", "Source"),
    "_sync.registry": ("Registry",),
    "_sync.registry_storage": ("RegistryStorage",),
    "_sync.repository": ("Repository",),
    "_sync.resume_plan": ("resume_plan",),
    "_sync.store": ("Store",),
    "_sync.policy_planner": ("plan_policy",),
    "_sync.sync": ("apply_sync", "plan_sync", "sync"),
    "_sync.tag_planner": ("TagPlanner", "plan"),
    "_sync.undo": ("undo",),
    "_sync.writable": ("WritableStore",),
    "_sync.validation": ("RepositoryValidation", "validate_layout"),
    "copying.options": ("CopyOptions",),
    "copying.result": ("CopyResult", "Transferred"),
    "copying.sync_options": ("SyncOptions",),
    "copying.plan_model": ("PlannedFailure",),
    "copying.sync_plan": (
        "PlannedCopy",
        "PlannedSize",
        "PlannedTag",
        "RepositoryPlan",
        "SyncPlan",
    ),
    "copying.sync_result": ("RepositorySync", "SyncResult"),
    "copying.tag_filter": ("TagFilter",),
    "credentials.lookup": ("Credentials",),
    "errors": ("DregError", "NotFoundError", "UnsupportedError"),
    "errors.problems": ("Problem", "Severity"),
    "files.layout_gc": ("GCResult",),
    "images.image": ("PlatformImage",),
    "models.config": ("ImageConfig",),
    "models.descriptor": ("Descriptor",),
    "models.index": ("AnyManifest", "DockerManifestList", "Index", "OciIndex"),
    "models.layout": ("ImageLayout",),
    "models.legacy": ("LegacyManifest",),
    "models.manifest": ("DockerManifest", "ImageManifest", "Manifest", "OciManifest"),
    "models.parse": ("parse_document", "parse_manifest"),
    "partitions.input.discover": ("find_partitions",),
    "partitions.partition": ("Partition", "PartitionRules"),
    "partitions.run.validate": ("PartitionResult", "validate_partition"),
    "protocol.content": ("RawManifest",),
    "protocol.events": (
        "Answered",
        "Changed",
        "Copied",
        "Copying",
        "Counted",
        "Event",
        "Planned",
        "Received",
        "Retrying",
        "Sent",
        "Tagged",
        "Warned",
    ),
    "protocol.option_types": ("Mirror",),
    "protocol.options": ("CredentialSource", "Options", "RegistryOptions", "Timeouts", "TokenService"),
    "tagging.facts": ("Decision", "TagFacts"),
    "tagging.plan": (
        "AddTag",
        "CopyTag",
        "DeleteManifest",
        "KeptTag",
        "MoveTag",
        "RepositoryTagPlan",
        "RestoreManifest",
        "TagChange",
        "TagPlan",
        "Untag",
    ),
    "tagging.policy": ("TagPolicy",),
    "tagging.prune_options": ("PruneOptions",),
    "tagging.result": ("ChangesResult", "RepositoryChanges"),
    "tagging.usage": ("PlatformUsage", "TagUsage", "Usage"),
    "validation.dumps": ("LineRules", "validate_file", "validate_lines"),
    "validation.report": ("DocumentReport", "FileReport", "Report", "validate"),
    "values.credential": ("Credential",),
    "values.digest": ("Digest",),
    "values.platform": ("Platform", "choose"),
    "values.reference": ("Reference",),
}
_MODULE_OF = {name: home for home, names in _MODULES.items() for name in names}

__version__ = "2.0.0.dev0"
__all__ = [
    "AddTag",
    "Answered",
    "AnyManifest",
    "AsyncBlobReader",
    "AsyncContent",
    "AsyncDestination",
    "AsyncHTTPTransport",
    "AsyncImage",
    "AsyncLayout",
    "AsyncRegistry",
    "AsyncRegistryStorage",
    "AsyncRepository",
    "AsyncSource",
    "AsyncStore",
    "AsyncTagPlanner",
    "AsyncWritableStore",
    "BlobReader",
    "Changed",
    "ChangesResult",
    "Content",
    "Copied",
    "CopyOptions",
    "CopyResult",
    "CopyTag",
    "Copying",
    "Counted",
    "Credential",
    "CredentialSource",
    "Credentials",
    "Decision",
    "DeleteManifest",
    "Descriptor",
    "Destination",
    "Digest",
    "DockerArchive",
    "DockerManifest",
    "DockerManifestList",
    "DocumentReport",
    "DregError",
    "Event",
    "FileReport",
    "GCResult",
    "HTTPTransport",
    "Image",
    "ImageConfig",
    "ImageLayout",
    "ImageManifest",
    "Index",
    "KeptTag",
    "Layout",
    "LegacyManifest",
    "LineRules",
    "Manifest",
    "Mirror",
    "MoveTag",
    "NotFoundError",
    "OciIndex",
    "OciManifest",
    "Options",
    "Partition",
    "PartitionResult",
    "PartitionRules",
    "Planned",
    "PlannedCopy",
    "PlannedFailure",
    "PlannedSize",
    "PlannedTag",
    "Platform",
    "PlatformImage",
    "PlatformUsage",
    "Problem",
    "PruneOptions",
    "RawManifest",
    "Received",
    "Reference",
    "Registry",
    "RegistryOptions",
    "RegistryStorage",
    "Report",
    "Repository",
    "RepositoryChanges",
    "RepositoryPlan",
    "RepositorySync",
    "RepositoryTagPlan",
    "RepositoryValidation",
    "RestoreManifest",
    "Retrying",
    "Sent",
    "Severity",
    "Source",
    "Store",
    "SyncOptions",
    "SyncPlan",
    "SyncResult",
    "TagChange",
    "TagFacts",
    "TagFilter",
    "TagPlan",
    "TagPlanner",
    "TagPolicy",
    "TagUsage",
    "Tagged",
    "Timeouts",
    "TokenService",
    "Transferred",
    "UnsupportedError",
    "Untag",
    "Usage",
    "Warned",
    "WritableStore",
    "aapply_plan",
    "aapply_sync",
    "acopy",
    "aopen_image",
    "aopen_store",
    "aplan",
    "aplan_policy",
    "aplan_sync",
    "apply_plan",
    "apply_sync",
    "aresume_plan",
    "async_sync",
    "aundo",
    "choose",
    "copy",
    "find_partitions",
    "open_image",
    "open_store",
    "parse_document",
    "parse_manifest",
    "plan",
    "plan_policy",
    "plan_sync",
    "resume_plan",
    "sync",
    "undo",
    "validate",
    "validate_file",
    "validate_layout",
    "validate_lines",
    "validate_partition",
]

if not TYPE_CHECKING:  # otherwise type checkers would accept any misspelt name

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            message = f"module 'dreg_client' has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module(f"dreg_client.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(__all__)
