"""What happens while a registry is talked to, for whoever wants to show or to count it. No event holds a secret.

URLs are without their query. An event is handed to `on_event` in the thread or task that it happens in; what the
callable raises is told once, by a `RuntimeWarning` and in the log, and stops nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """A request was answered.

    Attributes:
        method: Its method.
        url: Its URL, without its query.
        status: The status of the answer.
        seconds: From the request's first byte to the end of the answer's headers.
    """

    method: str
    url: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed, and another one follows.

    Attributes:
        method: The request's method.
        url: Its URL, without its query.
        attempt: How many attempts there were.
        reason: Why it failed.
        delay: The seconds until the next one.
    """

    method: str
    url: str
    attempt: int
    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class Warned:
    """A registry warns (`Warning: 299`, distribution-spec "Warnings"); once for each text.

    Attributes:
        registry: The registry.
        text: What it says, control characters spelled out.
    """

    registry: str
    text: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A registry counts pulls, and says how many are left (Docker Hub's `RateLimit-Limit` and `RateLimit-Remaining`).

    Attributes:
        registry: The registry.
        limit: How many it allows.
        remaining: How many are left.
        window: The seconds that it counts over, None where it does not say.
    """

    registry: str
    limit: int
    remaining: int
    window: int | None


@dataclass(frozen=True, slots=True)
class Received:
    """More of a blob has come.

    Attributes:
        digest: Its digest.
        octets: How many bytes came since the last event.
        total: The size of the blob, None where it is not known.
        so_far: How many bytes of the blob are there, with those that an earlier call left and those that were skipped.
    """

    digest: str
    octets: int
    total: int | None
    so_far: int


Event = Answered | Retrying | Warned | Counted | Received
