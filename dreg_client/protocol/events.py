"""Events for progress bars, logs and metrics. No event contains a secret; URLs have no query.

`on_event` is called in the thread or task in which the event happens. An exception in `on_event` does not affect the
request. The first one is reported as a `RuntimeWarning` and in the log; later ones are ignored.
"""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["copied", "skipped", "mounted", "left out"]
"""How the destination of a copy got a blob."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request received its response.

    Attributes:
        method: The method of the request.
        url: The URL, without the query.
        status: The status code of the response.
        seconds: The time from the first byte of the request to the end of the response's headers.
    """

    method: str
    url: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed, and the request will be retried.

    Attributes:
        method: The method of the request.
        url: The URL, without the query.
        attempt: The number of attempts so far.
        reason: Why the last attempt failed.
        delay: The seconds until the next attempt.
    """

    method: str
    url: str
    attempt: int
    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class Warned:
    """A registry sent a warning (`Warning: 299`, distribution-spec "Warnings"). Each text is reported once.

    Attributes:
        registry: The registry.
        text: The text of the warning, without control characters.
    """

    registry: str
    text: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A registry stated its pull limit (Docker Hub: `RateLimit-Limit`, `RateLimit-Remaining`).

    Attributes:
        registry: The registry.
        limit: The number of pulls allowed.
        remaining: The number of pulls left.
        window: The length of the rate limit's window in seconds; None if not stated.
    """

    registry: str
    limit: int
    remaining: int
    window: int | None


@dataclass(frozen=True, slots=True)
class Received:
    """More bytes of a blob arrived.

    Attributes:
        digest: The digest of the blob.
        octets: The number of bytes since the last event.
        total: The size of the blob; None if unknown.
        so_far: The total number of bytes so far, including those of an earlier download that is being resumed.
    """

    digest: str
    octets: int
    total: int | None
    so_far: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A copy found more blobs.

    Attributes:
        blobs: The number of blobs found so far, including those that the destination already has.
        size: Their total size in bytes.
    """

    blobs: int
    size: int


@dataclass(frozen=True, slots=True)
class Copying:
    """More bytes of a blob were passed from the source of a copy to its destination.

    Attributes:
        digest: The digest of the blob.
        octets: The number of bytes since the last event.
        total: The size of the blob.
        so_far: The total number of bytes so far. If an upload begins again, they are counted from there.
    """

    digest: str
    octets: int
    total: int
    so_far: int


@dataclass(frozen=True, slots=True)
class Copied:
    """The destination of a copy has a blob or a manifest.

    Attributes:
        digest: The digest of the blob or manifest.
        size: Its size in bytes.
        outcome: Whether it was `copied`, was already there (`skipped`), was `mounted` from another repository of the
            same registry, or was `left out` because the source does not have it.
        is_manifest: Whether it is a manifest or an index.
    """

    digest: str
    size: int
    outcome: Outcome
    is_manifest: bool = False


@dataclass(frozen=True, slots=True)
class Tagged:
    """A copy wrote a tag. In an archive, the tag appears at the end of the copy.

    Attributes:
        tag: The tag.
        digest: The digest of its manifest.
    """

    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of a plan of tags was made, or was not.

    Attributes:
        repository: The repository or layout.
        action: `tag`, `move`, `copy`, `untag`, `delete` or `restore`.
        subject: The tag; for `delete` and `restore`, the digest.
        outcome: Whether it was `done`, was `already` so, was a `conflict` with another change, or `failed`.
    """

    repository: str
    action: str
    subject: str
    outcome: Literal["done", "already", "conflict", "failed"]


@dataclass(frozen=True, slots=True)
class Sent:
    """More bytes of a blob were sent.

    Attributes:
        digest: The digest of the blob; None if it is known only at the end.
        octets: The number of bytes since the last event.
        total: The size of the blob; None if it is known only at the end.
        so_far: The total number of bytes so far, including those of an earlier upload that is being resumed. It becomes
            less if the registry has lost some, and they are sent again.
    """

    digest: str | None
    octets: int
    total: int | None
    so_far: int


Event = Answered | Retrying | Warned | Counted | Received | Sent | Planned | Copying | Copied | Tagged | Changed
"""Any event: the argument of `on_event`."""
