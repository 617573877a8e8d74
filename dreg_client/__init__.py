"""dreg-client: the typed OCI/Docker registry library.

What it hands you was validated against a strict model and proven to be the bytes that you asked for.

Names resolve on first use, so that importing the package costs next to nothing.
"""

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for True; the module `typing` would double the cost of this import
if TYPE_CHECKING:
    from dreg_client.archives import DockerArchive as DockerArchive
    from dreg_client.async_image import AsyncImage as AsyncImage
    from dreg_client.async_opening import aopen_image as aopen_image
    from dreg_client.async_opening import aopen_store as aopen_store
    from dreg_client.async_registry import AsyncRegistry as AsyncRegistry
    from dreg_client.async_repository import AsyncRepository as AsyncRepository
    from dreg_client.async_store import AsyncStore as AsyncStore
    from dreg_client.credentials.lookup import Credentials as Credentials
    from dreg_client.errors import DregError as DregError
    from dreg_client.errors.problems import Problem as Problem
    from dreg_client.errors.problems import Severity as Severity
    from dreg_client.image import Image as Image
    from dreg_client.image import PlatformImage as PlatformImage
    from dreg_client.layout import Layout as Layout
    from dreg_client.models.config import ImageConfig as ImageConfig
    from dreg_client.models.descriptor import Descriptor as Descriptor
    from dreg_client.models.index import AnyManifest as AnyManifest
    from dreg_client.models.index import DockerManifestList as DockerManifestList
    from dreg_client.models.index import Index as Index
    from dreg_client.models.index import OciIndex as OciIndex
    from dreg_client.models.layout import ImageLayout as ImageLayout
    from dreg_client.models.legacy import LegacyManifest as LegacyManifest
    from dreg_client.models.manifest import DockerManifest as DockerManifest
    from dreg_client.models.manifest import ImageManifest as ImageManifest
    from dreg_client.models.manifest import Manifest as Manifest
    from dreg_client.models.manifest import OciManifest as OciManifest
    from dreg_client.models.parse import parse_document as parse_document
    from dreg_client.models.parse import parse_manifest as parse_manifest
    from dreg_client.opening import open_image as open_image
    from dreg_client.opening import open_store as open_store
    from dreg_client.protocol.options import RegistryOptions as RegistryOptions
    from dreg_client.protocol.options import Timeouts as Timeouts
    from dreg_client.registry import Registry as Registry
    from dreg_client.repository import Repository as Repository
    from dreg_client.store import Store as Store
    from dreg_client.validation.dumps import LineRules as LineRules
    from dreg_client.validation.dumps import validate_file as validate_file
    from dreg_client.validation.dumps import validate_lines as validate_lines
    from dreg_client.validation.report import Report as Report
    from dreg_client.validation.report import validate as validate
    from dreg_client.values.credential import Credential as Credential
    from dreg_client.values.digest import Digest as Digest
    from dreg_client.values.platform import Platform as Platform
    from dreg_client.values.reference import Reference as Reference

_HOMES = {
    "archives": ("DockerArchive",),
    "async_image": ("AsyncImage",),
    "async_opening": ("aopen_image", "aopen_store"),
    "async_registry": ("AsyncRegistry",),
    "async_repository": ("AsyncRepository",),
    "async_store": ("AsyncStore",),
    "credentials.lookup": ("Credentials",),
    "errors": ("DregError",),
    "image": ("Image", "PlatformImage"),
    "layout": ("Layout",),
    "models.config": ("ImageConfig",),
    "models.descriptor": ("Descriptor",),
    "validation.dumps": ("LineRules", "validate_file", "validate_lines"),
    "models.index": ("AnyManifest", "DockerManifestList", "Index", "OciIndex"),
    "models.layout": ("ImageLayout",),
    "models.legacy": ("LegacyManifest",),
    "models.manifest": ("DockerManifest", "ImageManifest", "Manifest", "OciManifest"),
    "models.parse": ("parse_document", "parse_manifest"),
    "validation.report": ("Report", "validate"),
    "opening": ("open_image", "open_store"),
    "protocol.options": ("Timeouts", "RegistryOptions"),
    "errors.problems": ("Problem", "Severity"),
    "registry": ("Registry",),
    "repository": ("Repository",),
    "store": ("Store",),
    "values.credential": ("Credential",),
    "values.digest": ("Digest",),
    "values.platform": ("Platform",),
    "values.reference": ("Reference",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__version__ = "2.0.0.dev0"
__all__ = [
    "AnyManifest",
    "AsyncImage",
    "AsyncRegistry",
    "AsyncRepository",
    "AsyncStore",
    "Credential",
    "Credentials",
    "Descriptor",
    "Digest",
    "DockerArchive",
    "DockerManifest",
    "DockerManifestList",
    "DregError",
    "Image",
    "ImageConfig",
    "ImageLayout",
    "ImageManifest",
    "Index",
    "Layout",
    "LegacyManifest",
    "LineRules",
    "Manifest",
    "OciIndex",
    "OciManifest",
    "Platform",
    "PlatformImage",
    "Problem",
    "Reference",
    "Registry",
    "RegistryOptions",
    "Report",
    "Repository",
    "Severity",
    "Store",
    "Timeouts",
    "aopen_image",
    "aopen_store",
    "open_image",
    "open_store",
    "parse_document",
    "parse_manifest",
    "validate",
    "validate_file",
    "validate_lines",
]

if not TYPE_CHECKING:  # otherwise type checkers would accept any misspelt name

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            message = f"module 'dreg_client' has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module(f"dreg_client.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(__all__)
