"""Events, for progress bars, logs and metrics. No event holds a secret; URLs are without their query.

`on_event` is called in the thread or task in which the event happens. If it raises, this is reported once, by a
`RuntimeWarning` and in the log, and changes nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """A response to a request has arrived.

    Attributes:
        method: The method of the request.
        url: Its URL, without its query.
        status: The status of the response.
        seconds: From the request's first byte to the end of the response's headers.
    """

    method: str
    url: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed, and another one follows.

    Attributes:
        method: The method of the request.
        url: Its URL, without its query.
        attempt: The number of attempts so far.
        reason: Why the last one failed.
        delay: The seconds until the next one.
    """

    method: str
    url: str
    attempt: int
    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class Warned:
    """A registry sent a warning (`Warning: 299`, distribution-spec "Warnings"); reported once for each text.

    Attributes:
        registry: The registry.
        text: The text of the warning, without control characters.
    """

    registry: str
    text: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A registry limits pulls, and states how many are left (Docker Hub: `RateLimit-Limit`, `RateLimit-Remaining`).

    Attributes:
        registry: The registry.
        limit: The number of pulls that it allows.
        remaining: The number of pulls that are left.
        window: The seconds for which the limit holds, None if it does not say.
    """

    registry: str
    limit: int
    remaining: int
    window: int | None


@dataclass(frozen=True, slots=True)
class Received:
    """More bytes of a blob have arrived.

    Attributes:
        digest: The digest of the blob.
        octets: The number of bytes since the last event.
        total: The size of the blob, None if unknown.
        so_far: The number of bytes so far, including those of an earlier download that was resumed.
    """

    digest: str
    octets: int
    total: int | None
    so_far: int


Event = Answered | Retrying | Warned | Counted | Received
"""Any event: the argument of `on_event`."""
