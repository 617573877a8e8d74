"""Exit codes: what each class of error means to the shell."""

from typing import Final

from dreg_client import errors

INVALID: Final = 1
USAGE: Final = 2
OTHER: Final = 8
BUG: Final = 70
INTERRUPTED: Final = 130

_CODES: Final[tuple[tuple[tuple[type[Exception], ...], int], ...]] = (
    ((errors.DocumentError,), INVALID),
    (
        (
            errors.InvalidReferenceError,
            errors.InvalidDigestError,
            errors.UnsupportedDigestError,
            errors.InvalidPlatformError,
            errors.ConfigError,
        ),
        USAGE,
    ),
    ((errors.AuthError,), 3),
    ((errors.NotFoundError, errors.PlatformNotFoundError, FileNotFoundError), 4),
    ((errors.IntegrityError, errors.LimitExceededError, errors.LayoutError, OSError), 5),
    ((errors.TransportError,), 6),
    ((errors.ConflictError,), 7),
    ((errors.DregError,), OTHER),
)


def exit_code(failure: Exception) -> int:
    """The exit code of an error: the first row that it belongs to; what belongs to none is a bug of ours."""
    return next((code for kinds, code in _CODES if isinstance(failure, kinds)), BUG)
