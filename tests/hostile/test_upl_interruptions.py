"""Uploads that are interrupted, refused or forgotten: UPL-05, UPL-07, UPL-08, UPL-12."""

from time import monotonic

import pytest

from dreg_client import errors
from tests.faultserver import RESET, STALL, Network, Piece, answer, refusal
from tests.hostile.uploads import BASE, CHUNK, GHCR, MANY, SMALL, Uploads, digest, uploads_at
from tests.hostile.ways import Way, refused

BROKEN: dict[str, Piece] = {"reset": RESET, "502": answer(b"", 502), "500": answer(b"", 500)}
FORGOTTEN = refusal("404 Not Found", "BLOB_UPLOAD_UNKNOWN")
MISPLACED = refusal("416 Range Not Satisfiable", "BLOB_UPLOAD_INVALID")


@pytest.fixture
def chunks(way: Way, net: Network) -> Uploads:
    """A registry that gets chunks of 4 MiB; the client retries five times."""
    way.registry, way.options["retries"] = GHCR, 5
    return uploads_at(net, GHCR)


def check_is_there(uploads: Uploads, raw: bytes) -> None:
    assert uploads.blobs == {digest(raw): raw}
    assert not uploads.sessions


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kept", [0, 1_000_000, None])
def test_upl_05_an_interrupted_chunk_goes_on_where_the_registry_is(
    way: Way, chunks: Uploads, broken: Piece, kept: int | None
) -> None:
    chunks.fails("PATCH", broken, kept=kept)

    assert way.push(MANY, in_pieces=True).kind is None
    check_is_there(chunks, MANY)
    sent = [heard.header("content-range") for heard in chunks.host.requests if heard.method == "PATCH"]
    begins = CHUNK if kept is None else kept
    assert sent[1] == f"{begins}-{begins + CHUNK - 1}"
    assert chunks.methods.count("POST") == 1


def test_upl_05_chunks_are_retried_five_times_without_progress(way: Way, chunks: Uploads) -> None:
    chunks.fails("PATCH", answer(b"", 502), times=100)

    refused(way.push(MANY, in_pieces=True), errors.ServerError)
    assert chunks.methods.count("PATCH") == 6
    assert chunks.methods[-1] == "DELETE"


def test_upl_05_progress_resets_the_number_of_retries(way: Way, chunks: Uploads) -> None:
    way.options["retries"] = 1
    chunks.fails("PATCH", answer(b"", 502), kept=2_000_000, times=4)

    assert way.push(MANY, in_pieces=True).kind is None
    check_is_there(chunks, MANY)


@pytest.mark.parametrize("stated", [CHUNK, 10**15, 10**18 * 9])
def test_upl_05_a_registry_that_states_more_bytes_than_were_sent_is_not_believed(
    way: Way, chunks: Uploads, stated: int
) -> None:
    here = f"Location: {BASE}/blobs/uploads/u0"
    chunks.fails("PATCH", answer(b"", 502)).fails("GET", answer(b"", 204, here, f"Range: 0-{stated}"))

    refused(way.push(MANY, in_pieces=True), errors.UploadOffsetError)
    assert chunks.methods == ["POST", "PATCH", "GET", "DELETE"]


def test_upl_05_a_registry_that_has_lost_what_it_confirmed_is_not_believed(way: Way, chunks: Uploads) -> None:
    here = f"Location: {BASE}/blobs/uploads/u0"
    confirmed = answer(b"", 202, here, f"Range: 0-{CHUNK - 1}")
    chunks.fails("PATCH", confirmed, kept=None).fails("PATCH", answer(b"", 502))
    chunks.fails("GET", answer(b"", 204, here, "Range: 0-99"))

    outcome = refused(way.push(MANY, in_pieces=True), errors.ServerError)
    assert "its source can be read only once" in outcome.text


def test_upl_07_a_rejected_position_is_corrected_once(way: Way, chunks: Uploads) -> None:
    chunks.fails("PATCH", MISPLACED, kept=500_000)

    assert way.push(MANY, in_pieces=True).kind is None
    check_is_there(chunks, MANY)
    assert chunks.methods == ["POST", "PATCH", "GET", "PATCH", "PATCH", "PATCH", "PUT"]


def test_upl_07_a_position_that_is_rejected_again_is_an_error(way: Way, chunks: Uploads) -> None:
    chunks.fails("PATCH", MISPLACED, times=100)

    refused(way.push(MANY, in_pieces=True), errors.UploadOffsetError)
    assert chunks.methods == ["POST", "PATCH", "GET", "PATCH", "DELETE"]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_upl_08_a_failed_closing_request_may_have_succeeded(way: Way, net: Network, broken: Piece) -> None:
    uploads = uploads_at(net).fails("HEAD", answer(b"", 404)).fails("PUT", broken, kept=None)
    uploads.blobs[digest(SMALL)] = SMALL
    way.options["retries"] = 1

    assert way.push(SMALL).kind is None
    assert uploads.methods == ["HEAD", "POST", "PUT", "HEAD"]


@pytest.mark.parametrize("broken", [RESET, answer(b"", 502)], ids=["reset", "502"])
def test_upl_08_a_failed_closing_request_starts_again_twice(way: Way, net: Network, broken: Piece) -> None:
    uploads = uploads_at(net).fails("PUT", broken, times=100)
    way.options["retries"] = 5

    refused(way.push(SMALL), errors.ServerError, errors.TransportError)
    assert uploads.methods.count("POST") == uploads.methods.count("PUT") == 3


def test_upl_08_a_blob_of_another_size_is_not_the_one_that_was_sent(way: Way, net: Network) -> None:
    other = answer(SMALL[:-1], 200)
    uploads = uploads_at(net).fails("HEAD", answer(b"", 404)).fails("PUT", RESET).fails("HEAD", other)
    way.options["retries"] = 5

    assert way.push(SMALL).kind is None
    check_is_there(Uploads(uploads.host, uploads.blobs), SMALL)
    assert uploads.methods == ["HEAD", "POST", "PUT", "HEAD", "POST", "PUT"]


def test_upl_08_a_wrong_range_at_the_closing_request_is_corrected_once(way: Way, chunks: Uploads) -> None:
    chunks.fails("PUT", refusal("400 Bad Request", "DIGEST_INVALID"))

    refused(way.push(MANY, in_pieces=True), errors.UploadError)
    assert chunks.methods == ["POST", "PATCH", "PATCH", "PATCH", "PUT", "GET", "DELETE"]


@pytest.mark.parametrize("kept", [0, None])
def test_trn_33_an_upload_ends_at_its_deadline(way: Way, net: Network, kept: int | None) -> None:
    uploads = uploads_at(net).fails("PUT", STALL, kept=kept)
    way.options |= {"deadline": 1.0, "retries": 4}

    began = monotonic()
    refused(way.push(SMALL), errors.DeadlineError)
    assert monotonic() - began < 8
    assert uploads.methods[-1] == "DELETE"


def test_the_cancellation_of_an_upload_takes_five_seconds_at_most(way: Way, net: Network) -> None:
    uploads = uploads_at(net).fails("PUT", refusal("403 Forbidden", "DENIED")).fails("DELETE", STALL)

    began = monotonic()
    refused(way.push(SMALL), errors.DeniedError)
    assert monotonic() - began < 9
    assert uploads.methods[-1] == "DELETE"


def test_upl_12_a_forgotten_upload_starts_again(way: Way, net: Network) -> None:
    uploads = uploads_at(net).fails("PUT", FORGOTTEN, times=2)

    assert way.push(SMALL).kind is None
    assert uploads.blobs == {digest(SMALL): SMALL}
    # After the first 404, the bytes are no longer sent in the PUT.
    assert uploads.methods == ["HEAD", "POST", "PUT", "POST", "PATCH", "PUT", "POST", "PATCH", "PUT"]


def test_upl_12_an_upload_that_is_forgotten_again_and_again_is_an_error(way: Way, net: Network) -> None:
    uploads = uploads_at(net).fails("PUT", FORGOTTEN, times=100)

    refused(way.push(SMALL), errors.UploadError, errors.NotFoundError)
    assert uploads.methods.count("PUT") == 3


def test_upl_12_chunks_start_again_as_long_as_all_of_them_are_held(way: Way, chunks: Uploads) -> None:
    chunks.fails("PATCH", FORGOTTEN)

    assert way.push(MANY, in_pieces=True).kind is None
    assert chunks.blobs == {digest(MANY): MANY}
    assert chunks.methods.count("POST") == 2


def test_upl_12_chunks_that_are_no_longer_held_are_an_error(way: Way, chunks: Uploads) -> None:
    here = f"Location: {BASE}/blobs/uploads/u0"
    chunks.fails("PATCH", answer(b"", 202, here), kept=None).fails("PATCH", FORGOTTEN)

    outcome = refused(way.push(MANY, in_pieces=True), errors.UploadError, errors.NotFoundError)
    assert "its source can be read only once" in outcome.text
