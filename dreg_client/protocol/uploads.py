"""Uploads of blobs: requests, and the meaning of their responses (distribution-spec "Pushing Blobs")."""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.protocol.error_responses import place_of, raise_for_status
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.origin import Origin, is_printable, without_query
from dreg_client.values.reference import RepositoryName
from dreg_client.values.sizes import MEBIBYTE

_TYPE: Final = ("Content-Type", "application/octet-stream")
_COMMIT: Final = 60.0
_LONGEST_COMMIT: Final = 300.0
_COMMIT_RATE: Final = 8 * MEBIBYTE
"""The bytes per second that registries hash and move at least, before they respond to the closing PUT."""
CANCEL_WITHIN: Final = 5.0
"""The seconds that the cancellation of an upload may take."""
_RANGE: Final = re.compile(r"(?:bytes=)?0-([0-9]{1,19})", re.ASCII)
_LENGTH: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_HTTP_PORT: Final = 80


class UploadRequests:
    """The requests of the uploads to one repository.

    Args:
        registry: The registry.
        repository: The repository.
        hosts: Other hosts, `HOST` or `HOST:PORT`, to which blobs may be uploaded.
    """

    def __init__(self, registry: RegistryURL, repository: RepositoryName, hosts: Collection[str] = ()) -> None:
        self._registry, self._repository, self._hosts = registry, repository, frozenset(hosts)
        self._scope = f"repository:{repository}:pull,push"

    def exists(self, digest: Digest) -> Request:
        """Return the request that checks whether the registry itself, not a mirror, has a blob."""
        return Request("HEAD", self._path(str(digest)), f"repository:{self._repository}:pull", what=self._what(digest))

    def start(self) -> Request:
        """Return the request that starts an upload."""
        return Request("POST", self._path("uploads/"), self._scope, what=self._what(None))

    def mount(self, digest: Digest, repository: RepositoryName) -> Request:
        """Return the request that mounts a blob of another repository of the registry."""
        query = f"?mount={quote(digest, safe='')}&from={quote(repository, safe='/')}"
        # GitLab's token server takes only the last of several scopes into account.
        scope = f"repository:{repository}:pull {self._scope}"
        return Request("POST", self._path(f"uploads/{query}"), scope, what=self._what(digest))

    def patch(self, url: str, content_range: str) -> Request:
        """Return the request that sends a chunk; `content_range` is empty for a chunk that is all of the blob."""
        headers = (_TYPE, *([("Content-Range", content_range)] if content_range else []))
        return self._to(url, "PATCH", headers)

    def put(self, url: str, digest: Digest, size: int) -> Request:
        """Return the request that ends an upload. Its body is the whole blob, or nothing after all chunks."""
        waits = min(_COMMIT + size / _COMMIT_RATE, _LONGEST_COMMIT)
        separator = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
        return self._to(f"{url}{separator}digest={quote(digest, safe='')}", "PUT", (_TYPE,), digest, waits)

    def status(self, url: str) -> Request:
        """Return the request for the number of bytes that have arrived."""
        return self._to(url, "GET")

    def cancel(self, url: str) -> Request:
        """Return the request that cancels an upload. Its response does not matter."""
        return self._to(url, "DELETE", waits=CANCEL_WITHIN)

    def _to(
        self,
        url: str,
        method: str,
        headers: tuple[tuple[str, str], ...] = (),
        digest: Digest | None = None,
        waits: float | None = None,
    ) -> Request:
        is_elsewhere = Origin.of(url) != self._registry.origin
        scope = "" if is_elsewhere else self._scope
        once = method != "GET"  # an interrupted upload goes on from its status
        what = self._what(digest)
        return Request(
            method, url, scope, headers, what=what, waits=waits, once=once, is_elsewhere=is_elsewhere, stays=True
        )

    def _path(self, rest: str) -> str:
        return f"/v2/{self._repository}/blobs/{rest}"

    def _what(self, digest: Digest | None) -> str:
        return f"blob {digest} in {self._repository}" if digest else f"upload to {self._repository}"

    def location_in(self, response: Response) -> str:
        """Return the URL for the next request of an upload, which a response states (UPL-01, UPL-03, UPL-04).

        Raises:
            UploadError: There is no URL, or it already has a digest.
            UnsafeURLError: It leads to another host, or is not a valid URL.
        """
        found = list(dict.fromkeys(value.strip(" \t") for value in response.headers.all("location")))
        if len(found) != 1 or not found[0]:
            many = "two different Location headers" if len(found) > 1 else "no Location"
            raise errors.UploadError(f"the response to an upload has {many}", place_of(response), "", response.status)
        return self.checked(_resolved(response, found[0]), response.where)

    def checked(self, url: str, where: str) -> str:
        """Return the URL of an upload; with https if the registry uses it, but states http for itself."""
        target, own = _origin(url, where), self._registry.origin
        if any(name == "digest" for name, _, _ in (pair.partition("=") for pair in urlsplit(url).query.split("&"))):
            raise errors.UploadError("the Location of an upload already has a digest", where)
        if target == own:
            return url
        shown = without_query(url)
        if own.scheme == "https" and target.scheme == "http":
            if target.host == own.host and target.port in {_HTTP_PORT, own.port}:
                # The registry is behind a proxy that does TLS, and does not know it.
                log.warning("%s states a URL with http for an upload; using https", where)
                return f"{own}{url[len(urljoin(url, '/')) - 1 :]}"
            raise errors.InsecureDowngradeError(where, shown, "switching from https to http is not allowed")
        if self._hosts.isdisjoint({target.authority, f"{target.host}:{target.port}"}):
            host = target.authority
            how = f"to allow this host, use upload_hosts=({host!r},) or --upload-host {host}"
            reason = f"blobs are uploaded to the registry itself only; {how}"
            raise errors.CrossOriginError(where, shown, reason)
        return url


def _resolved(response: Response, location: str) -> str:
    """Return a Location as an absolute URL, with its query byte for byte."""
    if not is_printable(location):
        reason = "a Location must contain only printable ASCII characters, without spaces"
        raise errors.UnsafeURLError(response.where, without_query(location)[:200], reason)
    location = location.partition("#")[0]
    if location.startswith("/") and not location.startswith("//"):
        return f"{_origin(response.url, response.where)}{location}"
    path, mark, query = location.partition("?")
    try:
        return urljoin(response.url, path or urlsplit(response.url).path) + mark + query
    except ValueError:
        return location


def _origin(url: str, where: str) -> Origin:
    try:
        return Origin.of(url)
    except ValueError as fault:
        raise errors.UnsafeURLError(where, without_query(url)[:200], f"not a valid URL: {fault}") from None


def arrived(response: Response) -> int | None:
    """Return how many bytes have arrived according to `Range`; None if the response does not state it."""
    found = _RANGE.fullmatch(response.headers.get("range") or "")
    return int(found[1]) + 1 if found else None


def shortest_chunk(response: Response) -> int:
    """Return `OCI-Chunk-Min-Length` in bytes; 0 if it is missing or not valid."""
    value = response.headers.get("oci-chunk-min-length") or ""
    return int(value) if _LENGTH.fullmatch(value) else 0


def is_there(response: Response, digest: Digest, size: int | None) -> bool:
    """Return whether the response to a HEAD proves that a blob exists. Whatever else it states, the blob is sent."""
    if response.status != 200:
        return False
    stated, length = response.headers.get("docker-content-digest"), response.headers.content_length
    return stated in {None, str(digest)} and (size is None or length is None or length == size)


def check_written(response: Response, digest: Digest) -> None:
    """Raise DigestMismatchError if the registry states that it has stored another blob (UPL-09)."""
    claim = response.headers.get("docker-content-digest")
    if claim is None or digest_fault(claim) is not None:
        return
    if Digest(claim).algorithm == digest.algorithm and claim != digest:
        where = f"{response.where}, as stored by the registry"
        raise errors.DigestMismatchError(digest, Digest(claim), where, as_stored=True)


def rejected(response: Response, request: Request, advice: str = "") -> errors.DregError:
    """Return the error that a response to a part of an upload means."""
    try:
        raise_for_status(response, request, advice)
    except (errors.UnauthorizedError, errors.ServerError, errors.RateLimitedError, errors.UnsupportedError) as failure:
        return failure
    except errors.RegistryError as failure:
        if failure.status == 413:  # a proxy's limit, usually
            advice = "the registry, or a proxy in front of it, limits the size of requests"
        how = " with a redirect" if 300 <= failure.status < 400 else ""
        what = f"the upload was rejected{how}: {request.what}"
        return errors.UploadError(
            what, failure.where, advice or failure.advice, failure.status, failure.said, failure.request_id
        )
    return errors.ProtocolError(f"unexpected status {response.status} for {request.what}", response.where)
