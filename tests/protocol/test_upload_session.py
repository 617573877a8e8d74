"""What is sent next, whatever happens to an upload: it ends, and with all bytes or an error."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import errors
from dreg_client.protocol.messages import Headers, Response
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.retry import Attempts
from dreg_client.protocol.upload_limits import UploadLimits
from dreg_client.protocol.upload_session import Available, Phase, Step, UploadSession
from dreg_client.protocol.uploads import UploadRequests
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName

MIB = 1024 * 1024
DIGEST = Digest.of(b"the blob")
REGISTRY = RegistryURL.parse("https://registry.example")
REQUESTS = UploadRequests(REGISTRY, RepositoryName("acme/web"))
FAULTS = ("lost", "cut", "500", "502", "404", "416", "429", "401", "forgets", "stands still", "last chunk only")


@dataclass
class Registry:
    """A registry without bytes: how many have arrived, and which faults come next.

    Attributes:
        faults: What happens to the next requests.
        limit: The largest body that a proxy in front of it accepts.
        arrived: How many bytes of the upload there are; None if there is no upload.
        is_there: Whether the blob is there.
        asked: The methods of the requests.
    """

    faults: list[str]
    arrived: int | None = None
    is_there: bool = False
    asked: list[str] = field(default_factory=list)
    limit: int = 1 << 40

    def take(self, step: Step) -> Response | None:
        """Return the response to a step; None if it is lost."""
        method = step.request.method
        self.asked.append(method)
        fault = self.faults.pop(0) if self.faults else ""
        if step.end - step.start > self.limit:
            return response(413)
        if method == "HEAD":
            return response(200 if self.is_there else 404)
        if fault == "forgets":
            self.arrived = None
        if fault in {"404", "416", "429", "401", "500", "502"} and method != "POST":
            return response(int(fault))
        if method == "POST":
            self.arrived = 0
            return response(202, location="/v2/acme/web/blobs/uploads/u")
        if self.arrived is None:
            return response(404)
        if method == "GET":
            return self._range(204, self.arrived)
        return response(416) if step.start != self.arrived else self._body(method, step, fault)

    def _body(self, method: str, step: Step, fault: str) -> Response | None:
        size = step.end - step.start
        arrived = step.start + (size // 2 if fault == "cut" else size)
        self.arrived = arrived
        if fault == "cut":
            return None
        if method == "PUT":
            self.is_there, self.arrived = True, None
            return None if fault == "lost" else response(201)
        stated = {"stands still": step.start, "last chunk only": size}.get(fault, arrived)
        return None if fault == "lost" else self._range(202, stated)

    def _range(self, status: int, arrived: int) -> Response:
        stated = {"range": f"0-{arrived - 1}"} if arrived else {}
        return response(status, location="/v2/acme/web/blobs/uploads/u", **stated)


def response(status: int, **headers: str) -> Response:
    url = f"{REGISTRY.url}/v2/acme/web/blobs/uploads/u"
    return Response(status, Headers(headers.items()), url=url, registry=REGISTRY.url)


def uploaded(registry: Registry, size: int, *, in_chunks: bool, can_repeat: bool) -> UploadSession:
    """Send all bytes, or raise the error that ends the upload."""
    limits = UploadLimits(REGISTRY.origin)
    session = UploadSession(REQUESTS, limits, lambda: Attempts(5, lambda: 0.0), in_chunks=in_chunks)
    for _ in range(200):
        first = 0 if can_repeat else session.offset
        end = size if can_repeat else min(size, session.offset + session.chunk)
        step = session.next(Available(first, end, DIGEST, is_whole=end == size))
        if step is None:
            return session
        assert 0 <= step.start <= step.end <= size
        found = registry.take(step)
        if found is None:
            session.failed(errors.TransportError("lost"), is_cut=not registry.is_there)
        else:
            session.answered(found)
    raise AssertionError(f"no end: {registry.asked}")


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(("", *FAULTS)), max_size=30),
    st.sampled_from([0, 1, 2, 16 * MIB - 1, 16 * MIB, 16 * MIB + 1, 50 * MIB]),
    st.booleans(),
    st.booleans(),
)
def test_an_upload_ends_with_all_bytes_or_an_error(
    faults: list[str], size: int, in_chunks: bool, can_repeat: bool
) -> None:
    registry = Registry(list(faults))
    try:
        session = uploaded(registry, size, in_chunks=in_chunks or not can_repeat, can_repeat=can_repeat)
    except errors.DregError:
        assert faults
    else:
        assert registry.is_there
        assert session.phase is Phase.DONE
    assert registry.asked.count("POST") <= 3


@pytest.mark.parametrize("size", [0, 1, 16 * MIB, 16 * MIB + 1])
def test_a_blob_whose_digest_is_known_is_sent_by_one_put(size: int) -> None:
    registry = Registry([])
    uploaded(registry, size, in_chunks=False, can_repeat=True)

    assert registry.asked == ["POST", "PUT"]


@pytest.mark.parametrize(("size", "chunks"), [(0, 0), (1, 1), (16 * MIB, 1), (16 * MIB + 1, 2)])
def test_chunks_are_sent_by_patch_and_closed_by_put(size: int, chunks: int) -> None:
    registry = Registry([])
    uploaded(registry, size, in_chunks=True, can_repeat=True)

    assert registry.asked == ["POST", *["PATCH"] * chunks, "PUT"]


@pytest.mark.parametrize("fault", ["stands still", "last chunk only"])
def test_row_9_and_10_a_range_that_does_not_fit_is_not_believed_until_a_416(fault: str) -> None:
    registry = Registry(["", fault, fault, fault])
    uploaded(registry, 48 * MIB, in_chunks=True, can_repeat=True)

    assert registry.asked == ["POST", "PATCH", "PATCH", "PATCH", "PUT"]


def test_row_29_a_new_token_is_requested_once_without_progress() -> None:
    registry = Registry(["", "401", "", "401"])

    with pytest.raises(errors.UnauthorizedError):
        uploaded(registry, 16 * MIB, in_chunks=True, can_repeat=True)
    assert registry.asked == ["POST", "PATCH", "GET", "PATCH"]


def test_bodies_are_smaller_after_a_413_of_a_proxy() -> None:
    for in_chunks, asked in ((False, ["POST", "PUT", "POST"]), (True, ["POST", "PATCH", "GET"])):
        registry = Registry([], limit=10 * MIB)
        uploaded(registry, 40 * MIB, in_chunks=in_chunks, can_repeat=True)

        assert registry.asked == [*asked, *["PATCH"] * 10, "PUT"]


@pytest.mark.parametrize("in_chunks", [True, False])
def test_a_413_of_small_chunks_is_an_error(in_chunks: bool) -> None:
    registry = Registry([], limit=MIB)

    with pytest.raises(errors.UploadError, match="rejected") as caught:
        uploaded(registry, 40 * MIB, in_chunks=in_chunks, can_repeat=True)
    assert caught.value.status == 413


def test_the_error_states_the_response_that_ended_the_upload() -> None:
    registry = Registry(["", "500", "", *[""] * 10, "forgets", "404"])

    with pytest.raises(errors.UploadError) as caught:
        uploaded(registry, 200 * MIB, in_chunks=True, can_repeat=False)
    assert caught.value.status == 404
