"""All exceptions of dreg-client, in one tree.

Each message says what is wrong, where, and what to do. The details are attributes: strings and numbers, never open
files or connections. Exceptions can be pickled and never contain a secret.

```text
DregError
  InvalidReferenceError  InvalidDigestError  UnsupportedDigestError  InvalidPlatformError     (also ValueError)
  DocumentError          InvalidDocumentError (AmbiguousDocumentError, MediaTypeMismatchError)
                         UnsupportedMediaTypeError  NoBytesError
  IntegrityError         DigestMismatchError  SizeMismatchError  ContentEncodingError
  LimitExceededError     ResponseTooLargeError  TooManyEntriesError  TooManyPagesError
                         TooManyRedirectsError  DepthLimitError
  UnsafeURLError         InsecureDowngradeError  CrossOriginError  BlockedAddressError
  AuthError              ChallengeError  TokenError (TokenTooLargeError, also ResponseTooLargeError)
                         UnauthorizedError (DeniedError)  CredentialError  CredentialHelperError  ConfigError
  RegistryError          NotFoundError  UnsupportedError  RateLimitedError  ServerError
                         UnknownNamespaceError (also KeyError)  UploadError (UploadOffsetError)
  TransportError         ConnectError (ProxyRefusedError, UnknownHostError)  TruncatedBodyError
                         TransferTimeoutError (DeadlineError, NoPlaceError)  ProtocolError  RetryExhaustedError
                         TLSError (NotTLSError, OnlyTLSError)
  FileError              LayoutError (UnsafePathError  LayoutCorruptError  LayoutLockedError)
  NotAnImageError  PlatformNotFoundError  ConflictError  ClosedError  MissingLibraryError  WorkerKilledError
  ColumnError  ClusterError
```

`RegistryError`, `UnauthorizedError` and their subclasses have the server's response in `.status`, `.codes`, `.said` and
`.request_id`.
"""

from dreg_client.errors.documents import AmbiguousDocumentError as AmbiguousDocumentError
from dreg_client.errors.documents import ContentEncodingError as ContentEncodingError
from dreg_client.errors.documents import DepthLimitError as DepthLimitError
from dreg_client.errors.documents import DigestMismatchError as DigestMismatchError
from dreg_client.errors.documents import DocumentError as DocumentError
from dreg_client.errors.documents import IntegrityError as IntegrityError
from dreg_client.errors.documents import InvalidDigestError as InvalidDigestError
from dreg_client.errors.documents import InvalidDocumentError as InvalidDocumentError
from dreg_client.errors.documents import InvalidPlatformError as InvalidPlatformError
from dreg_client.errors.documents import InvalidReferenceError as InvalidReferenceError
from dreg_client.errors.documents import LimitExceededError as LimitExceededError
from dreg_client.errors.documents import MediaTypeMismatchError as MediaTypeMismatchError
from dreg_client.errors.documents import NoBytesError as NoBytesError
from dreg_client.errors.documents import ResponseTooLargeError as ResponseTooLargeError
from dreg_client.errors.documents import SizeMismatchError as SizeMismatchError
from dreg_client.errors.documents import TooManyEntriesError as TooManyEntriesError
from dreg_client.errors.documents import TooManyPagesError as TooManyPagesError
from dreg_client.errors.documents import TooManyRedirectsError as TooManyRedirectsError
from dreg_client.errors.documents import UnsupportedDigestError as UnsupportedDigestError
from dreg_client.errors.documents import UnsupportedMediaTypeError as UnsupportedMediaTypeError
from dreg_client.errors.registries import AuthError as AuthError
from dreg_client.errors.registries import BlockedAddressError as BlockedAddressError
from dreg_client.errors.registries import ChallengeError as ChallengeError
from dreg_client.errors.registries import ConfigError as ConfigError
from dreg_client.errors.registries import ConnectError as ConnectError
from dreg_client.errors.registries import CredentialError as CredentialError
from dreg_client.errors.registries import CredentialHelperError as CredentialHelperError
from dreg_client.errors.registries import CrossOriginError as CrossOriginError
from dreg_client.errors.registries import DeadlineError as DeadlineError
from dreg_client.errors.registries import DeniedError as DeniedError
from dreg_client.errors.registries import InsecureDowngradeError as InsecureDowngradeError
from dreg_client.errors.registries import NoPlaceError as NoPlaceError
from dreg_client.errors.registries import NotFoundError as NotFoundError
from dreg_client.errors.registries import NotTLSError as NotTLSError
from dreg_client.errors.registries import OnlyTLSError as OnlyTLSError
from dreg_client.errors.registries import ProtocolError as ProtocolError
from dreg_client.errors.registries import ProxyRefusedError as ProxyRefusedError
from dreg_client.errors.registries import RateLimitedError as RateLimitedError
from dreg_client.errors.registries import RegistryError as RegistryError
from dreg_client.errors.registries import RetryExhaustedError as RetryExhaustedError
from dreg_client.errors.registries import ServerError as ServerError
from dreg_client.errors.registries import TLSError as TLSError
from dreg_client.errors.registries import TokenError as TokenError
from dreg_client.errors.registries import TokenTooLargeError as TokenTooLargeError
from dreg_client.errors.registries import TransferTimeoutError as TransferTimeoutError
from dreg_client.errors.registries import TransportError as TransportError
from dreg_client.errors.registries import TruncatedBodyError as TruncatedBodyError
from dreg_client.errors.registries import UnauthorizedError as UnauthorizedError
from dreg_client.errors.registries import UnknownHostError as UnknownHostError
from dreg_client.errors.registries import UnknownNamespaceError as UnknownNamespaceError
from dreg_client.errors.registries import UnsafeURLError as UnsafeURLError
from dreg_client.errors.registries import UnsupportedError as UnsupportedError
from dreg_client.errors.registries import UploadError as UploadError
from dreg_client.errors.registries import UploadOffsetError as UploadOffsetError
from dreg_client.errors.root import DregError as DregError
from dreg_client.errors.stores import ClosedError as ClosedError
from dreg_client.errors.stores import ClusterError as ClusterError
from dreg_client.errors.stores import ColumnError as ColumnError
from dreg_client.errors.stores import ConflictError as ConflictError
from dreg_client.errors.stores import FileError as FileError
from dreg_client.errors.stores import LayoutCorruptError as LayoutCorruptError
from dreg_client.errors.stores import LayoutError as LayoutError
from dreg_client.errors.stores import LayoutLockedError as LayoutLockedError
from dreg_client.errors.stores import MissingLibraryError as MissingLibraryError
from dreg_client.errors.stores import NotAnImageError as NotAnImageError
from dreg_client.errors.stores import PlatformNotFoundError as PlatformNotFoundError
from dreg_client.errors.stores import UnsafePathError as UnsafePathError
from dreg_client.errors.stores import WorkerKilledError as WorkerKilledError
