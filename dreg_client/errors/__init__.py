"""Every exception of dreg-client, one tree.

All of them carry facts (texts and numbers, never open files or connections), pickle, and never hold a secret. The text
of each is one sentence: what was wrong, where, and what to do.

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
  LayoutError            UnsafePathError  LayoutCorruptError  LayoutLockedError
  NotAnImageError  PlatformNotFoundError  ConflictError  ClosedError
```

What a server said is in `.status`, `.codes`, `.said` and `.request_id` of `RegistryError`, `UnauthorizedError` and
those below.
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
from dreg_client.errors.root import (
    DregError,
)
from dreg_client.errors.stores import (
    ClosedError,
    ConflictError,
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
]
