"""All exceptions of dreg-client, in one tree.

They carry facts (texts and numbers, never open files or connections), can be pickled, and never hold a secret. The text
of each is one sentence: what is wrong, where, and what to do.

```text
DregError
  InvalidReferenceError  InvalidDigestError  UnsupportedDigestError  InvalidPlatformError     (also ValueError)
  DocumentError          InvalidDocumentError (AmbiguousDocumentError, MediaTypeMismatchError)
                         UnsupportedMediaTypeError  NoBytesError
  IntegrityError         DigestMismatchError  SizeMismatchError  ContentEncodingError
  LimitExceededError     ResponseTooLargeError  TooManyPagesError  TooManyRedirectsError  DepthLimitError
  UnsafeURLError         InsecureDowngradeError  CrossOriginError  BlockedAddressError
  AuthError              ChallengeError  TokenError (TokenTooLargeError, also ResponseTooLargeError)
                         UnauthorizedError (DeniedError)  CredentialError  CredentialHelperError  ConfigError
  RegistryError          NotFoundError  UnsupportedError  RateLimitedError  ServerError
                         UnknownNamespaceError (also KeyError)
  TransportError         ConnectError (ProxyRefusedError, UnknownHostError)  TransferTimeoutError (NoPlaceError)
                         TruncatedBodyError  ProtocolError  RetryExhaustedError
                         TLSError (NotTLSError, OnlyTLSError)
  FileError              LayoutError (UnsafePathError  LayoutCorruptError  LayoutLockedError)
  NotAnImageError  PlatformNotFoundError  ConflictError  ClosedError  MissingLibraryError  WorkerKilledError
```

An error response of a server is in `.status`, `.codes`, `.said` and `.request_id` of `RegistryError`,
`UnauthorizedError` and their subclasses.
"""

from dreg_client.errors.documents import (
    AmbiguousDocumentError,
    ContentEncodingError,
    DepthLimitError,
    DigestMismatchError,
    DocumentError,
    IntegrityError,
    InvalidDigestError,
    InvalidDocumentError,
    InvalidPlatformError,
    InvalidReferenceError,
    LimitExceededError,
    MediaTypeMismatchError,
    NoBytesError,
    ResponseTooLargeError,
    SizeMismatchError,
    TooManyPagesError,
    TooManyRedirectsError,
    UnsupportedDigestError,
    UnsupportedMediaTypeError,
)
from dreg_client.errors.registries import (
    AuthError,
    BlockedAddressError,
    ChallengeError,
    ConfigError,
    ConnectError,
    CredentialError,
    CredentialHelperError,
    CrossOriginError,
    DeniedError,
    InsecureDowngradeError,
    NoPlaceError,
    NotFoundError,
    NotTLSError,
    OnlyTLSError,
    ProtocolError,
    ProxyRefusedError,
    RateLimitedError,
    RegistryError,
    RetryExhaustedError,
    ServerError,
    TLSError,
    TokenError,
    TokenTooLargeError,
    TransferTimeoutError,
    TransportError,
    TruncatedBodyError,
    UnauthorizedError,
    UnknownHostError,
    UnknownNamespaceError,
    UnsafeURLError,
    UnsupportedError,
)
from dreg_client.errors.root import DregError
from dreg_client.errors.setup import MissingLibraryError, WorkerKilledError
from dreg_client.errors.stores import (
    ClosedError,
    ConflictError,
    FileError,
    LayoutCorruptError,
    LayoutError,
    LayoutLockedError,
    NotAnImageError,
    PlatformNotFoundError,
    UnsafePathError,
)

__all__ = [
    "AmbiguousDocumentError",
    "AuthError",
    "BlockedAddressError",
    "ChallengeError",
    "ClosedError",
    "ConfigError",
    "ConflictError",
    "ConnectError",
    "ContentEncodingError",
    "CredentialError",
    "CredentialHelperError",
    "CrossOriginError",
    "DeniedError",
    "DepthLimitError",
    "DigestMismatchError",
    "DocumentError",
    "DregError",
    "FileError",
    "InsecureDowngradeError",
    "IntegrityError",
    "InvalidDigestError",
    "InvalidDocumentError",
    "InvalidPlatformError",
    "InvalidReferenceError",
    "LayoutCorruptError",
    "LayoutError",
    "LayoutLockedError",
    "LimitExceededError",
    "MediaTypeMismatchError",
    "MissingLibraryError",
    "NoBytesError",
    "NoPlaceError",
    "NotAnImageError",
    "NotFoundError",
    "NotTLSError",
    "OnlyTLSError",
    "PlatformNotFoundError",
    "ProtocolError",
    "ProxyRefusedError",
    "RateLimitedError",
    "RegistryError",
    "ResponseTooLargeError",
    "RetryExhaustedError",
    "ServerError",
    "SizeMismatchError",
    "TLSError",
    "TokenError",
    "TokenTooLargeError",
    "TooManyPagesError",
    "TooManyRedirectsError",
    "TransferTimeoutError",
    "TransportError",
    "TruncatedBodyError",
    "UnauthorizedError",
    "UnknownHostError",
    "UnknownNamespaceError",
    "UnsafePathError",
    "UnsafeURLError",
    "UnsupportedDigestError",
    "UnsupportedError",
    "UnsupportedMediaTypeError",
    "WorkerKilledError",
]
