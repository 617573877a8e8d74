"""Where a registry keeps no list of referrers, what is pushed is listed under a tag ("Referrers Tag Schema")."""

import json
import threading
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, errors
from tests.doors import Door, repository
from tests.http.documents import DIGEST, MANIFEST, OCI_INDEX, OCI_MANIFEST, described, served
from tests.http.keeping import (
    ENTRY,
    LIST,
    ONE,
    SIGNED,
    TAG,
    TWO,
    Keeping,
    about,
    delete,
    document,
    found,
    listing,
    put,
    signature,
    writes,
)

pytestmark = pytest.mark.usefixtures("waits")


@pytest.mark.parametrize("reference", [None, "signature"])
def test_dst_28_what_has_a_subject_is_listed_under_the_referrers_tag(
    door: Door, reference: str | None, waits: list[float]
) -> None:
    registry = Keeping()

    assert put(door, registry, TWO, reference).digest == Digest.of(TWO)
    assert registry.listed == [ENTRY]
    assert json.loads(registry.kept[TAG]) | {"manifests": []} == json.loads(listing())
    assert found(door, registry) == [Digest.of(TWO)]
    [wait] = waits
    assert 1 <= wait <= 2, "another process may write meanwhile"


def test_dst_28_the_list_is_pushed_as_an_index(door: Door) -> None:
    put(door, Keeping())

    assert [request.headers["content-type"] for request in door.seen if request.method == "PUT"] == [
        OCI_MANIFEST,
        OCI_INDEX,
    ]


@pytest.mark.parametrize(
    ("raw", "artifact_type"),
    [
        (signature(artifactType=None, config=described(b"{}", "application/x-config")), "application/x-config"),
        (document(OCI_INDEX, manifests=[], subject=described(MANIFEST, OCI_MANIFEST), artifactType=SIGNED), SIGNED),
    ],
)
def test_dst_28_an_entry_states_the_type_of_the_artifact_else_of_its_config(
    door: Door, raw: bytes, artifact_type: str
) -> None:
    registry = Keeping()
    put(door, registry, raw)

    assert [entry["artifactType"] for entry in registry.listed] == [artifact_type]


def test_dst_28_what_others_wrote_stays_as_it_is(door: Door) -> None:
    theirs = [
        described(ONE, OCI_MANIFEST) | {"theirs": {"a": [1]}},
        {"digest": "sha256:0"},
        described(ONE, OCI_MANIFEST),
    ]
    registry = Keeping(listing(*theirs, annotations={"a": "\u00e9"}, x=None))
    put(door, registry)

    assert json.loads(registry.kept[TAG]) == json.loads(listing(*theirs, ENTRY, annotations={"a": "\u00e9"}, x=None))


@pytest.mark.parametrize(
    "empty", [listing(), document(OCI_INDEX, manifests=None), b'{"schemaVersion": 2, "manifests": []}']
)
def test_dst_28_an_empty_list_is_a_list(door: Door, empty: bytes) -> None:
    registry = Keeping(empty)
    put(door, registry)

    assert registry.listed == [ENTRY]


def test_dst_28_what_is_listed_is_not_listed_twice(door: Door, waits: list[float]) -> None:
    registry = Keeping(listing(ENTRY))
    put(door, registry)

    assert writes(door) == [str(Digest.of(TWO))]
    assert waits == []


def test_dst_28_a_registry_that_names_the_subject_keeps_the_list_itself(door: Door) -> None:
    put(door, lambda _: (201, {"OCI-Subject": str(DIGEST)}, b""))

    assert [request.method for request in door.seen] == ["PUT"]


@pytest.mark.parametrize("named", ["", "yes", str(Digest.of(ONE))])
def test_dst_28_a_registry_that_names_another_subject_keeps_no_list(door: Door, named: str) -> None:
    registry = Keeping()
    name = str(Digest.of(TWO))

    def taken(request: Any) -> Any:
        registry.put(name, request.content)
        return 201, {"OCI-Subject": named}, b""

    registry.before[f"PUT /v2/acme/web/manifests/{name}"] = [taken]
    put(door, registry)
    assert registry.listed == [ENTRY]


def test_without_a_subject_nothing_is_listed(door: Door) -> None:
    put(door, Keeping(), MANIFEST)

    assert [request.method for request in door.seen] == ["PUT"]


def test_dst_28_a_tag_of_a_referrer_lists_it_too(door: Door) -> None:
    registry = Keeping(None, TWO)
    door.run(registry, lambda opened: repository(opened).tag(Digest.of(TWO), "a", "b"))

    assert registry.listed == [ENTRY]
    assert writes(door) == ["a", TAG, "b"]


def test_nam_08_the_tag_holds_what_a_tag_can_hold(door: Door) -> None:
    registry = Keeping()
    subject = {"mediaType": OCI_MANIFEST, "digest": f"sha256+b64u:{'a=_' * 30}", "size": 7}
    put(door, registry, about(subject))

    assert f"sha256-b64u-{('a-_' * 30)[:64]}" in registry.kept


def test_a_subject_of_sha512_has_a_tag_of_its_own(door: Door) -> None:
    digest = Digest.of(MANIFEST, "sha512")
    registry = Keeping()
    put(door, registry, about(described(MANIFEST, OCI_MANIFEST) | {"digest": str(digest)}))

    assert f"sha512-{digest.encoded[:64]}" in registry.kept
    assert len(found(door, registry, digest)) == 1


def test_what_was_pushed_by_sha512_is_listed_by_sha512(door: Door) -> None:
    registry = Keeping()
    put(door, registry, TWO, str(Digest.of(TWO, "sha512")))

    assert [entry["digest"] for entry in registry.listed] == [str(Digest.of(TWO, "sha512"))]


def test_the_list_is_read_from_the_registry_not_from_a_mirror(door: Door) -> None:
    put(door, Keeping(), mirrors=("https://mirror.test",))

    assert {request.url.host for request in door.seen} == {"registry.example"}


def test_the_new_tag_is_among_the_tags_then(door: Door) -> None:
    registry = Keeping()

    def tags(request: Any) -> Any:
        names = [name for name in registry.kept if ":" not in name]
        return served(json.dumps({"tags": names}).encode(), "application/json")

    registry.before["GET /v2/acme/web/tags/list"] = [tags, tags]

    async def by_task(opened: Any) -> Any:
        web = repository(opened)
        return await web.tags(), await web.put_manifest(TWO), await web.tags()

    def by_thread(opened: Any) -> Any:
        web = repository(opened)
        return web.tags(), web.put_manifest(TWO), web.tags()

    before, _, after = door.run(registry, by_task if door.is_async else by_thread)
    assert (before, after) == ((), (TAG,))


# --- other writers


def test_upl_17_an_entry_that_is_overwritten_at_once_is_written_again(door: Door) -> None:
    registry = Keeping()
    other = described(ONE, OCI_MANIFEST)
    registry.before[f"GET {LIST}"] = [lambda _: None, lambda _: registry.put(TAG, listing(other))]
    put(door, registry)

    assert registry.listed == [other, ENTRY]


def test_upl_17_an_entry_that_is_overwritten_later_is_written_again(door: Door, waits: list[float]) -> None:
    registry = Keeping()
    other = described(ONE, OCI_MANIFEST)
    registry.before[f"GET {LIST}"] = [lambda _: None, lambda _: None, lambda _: registry.put(TAG, listing(other))]
    put(door, registry)

    assert registry.listed == [other, ENTRY]
    assert len(waits) == 2


def test_upl_17_who_does_not_stop_to_overwrite_it_is_a_conflict(door: Door) -> None:
    registry = Keeping()
    others = iter(range(1000))
    registry.before[f"GET {LIST}"] = [lambda _: registry.put(TAG, listing(x=next(others)))] * 1000

    outcome = f"{Digest.of(TWO)} was pushed, but is not listed .*; push it again"
    with pytest.raises(errors.ConflictError, match=f"other processes overwrote .*{outcome}"):
        put(door, registry)


@pytest.mark.parametrize("kept", [None, listing(), listing(described(ONE, OCI_MANIFEST))])
def test_upl_17_a_registry_that_keeps_no_list_that_it_confirms_is_a_conflict_soon(
    door: Door, kept: bytes | None, waits: list[float]
) -> None:
    registry = Keeping(kept)
    registry.before[f"PUT {LIST}"] = [lambda _: 201] * 1000

    with pytest.raises(
        errors.ConflictError, match=r"confirmed 3 changes .* did not store them; .* immutable"
    ) as raised:
        put(door, registry)
    assert f"{Digest.of(TWO)} was pushed, but is not listed" in str(raised.value)
    assert "other processes" not in str(raised.value)
    assert writes(door).count(TAG) == 3
    assert sum(waits) <= 5


def test_upl_17_a_registry_that_serves_the_old_list_for_a_while_keeps_the_new_one(door: Door) -> None:
    registry = Keeping(listing())
    old = served(listing(), OCI_INDEX)
    registry.before[f"GET {LIST}"] = [lambda _: None, lambda _: old, lambda _: old]
    put(door, registry)

    assert registry.listed == [ENTRY]


@pytest.mark.parametrize("status", [500, 502, 400, 429, 204])
def test_upl_17_a_list_that_cannot_be_read_is_read_again_and_is_never_empty(door: Door, status: int) -> None:
    registry = Keeping(listing(described(ONE, OCI_MANIFEST)))
    registry.before[f"GET {LIST}"] = [lambda _: status] * 2
    put(door, registry)
    assert [entry["digest"] for entry in registry.listed] == [str(Digest.of(ONE)), str(Digest.of(TWO))]

    registry.before[f"GET {LIST}"] = [lambda _: status] * 1000
    three = signature("three")
    with pytest.raises(errors.DregError, match=rf"{status}.*{Digest.of(three)} was pushed, but is not listed"):
        put(door, registry, three)
    assert len(registry.listed) == 2


def test_a_list_that_cannot_be_written_for_a_moment_is_written_again(door: Door) -> None:
    registry = Keeping()
    registry.before[f"PUT {LIST}"] = [lambda _: 500] * 2
    put(door, registry)

    assert registry.listed == [ENTRY]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (500, errors.ServerError),
        (403, errors.DeniedError),
        (413, errors.RegistryError),
        ((201, {"Docker-Content-Digest": str(DIGEST)}, b""), errors.DigestMismatchError),
        ((200, {"Content-Length": "99999999"}, b" " * 99999999), errors.ResponseTooLargeError),
        ((307, {"Location": "http://registry.example/"}, b""), errors.CrossOriginError),
    ],
)
def test_a_list_that_cannot_be_written_is_an_error_that_says_what_was_done(
    door: Door, answer: Any, error: type[Exception]
) -> None:
    registry = Keeping()
    registry.before[f"PUT {LIST}"] = [lambda _: answer] * 1000
    outcome = f"{Digest.of(TWO)} was pushed, but is not listed as a referrer of {DIGEST}; push it again"

    with pytest.raises(error) as raised:
        put(door, registry)
    assert str(raised.value).endswith(f"; {outcome}")
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "raw", [MANIFEST, b"[]", b"{}", document(OCI_INDEX, manifests={}), b"<html>", b'{"a": 1, "a": 2}']
)
def test_upl_18_what_is_not_a_list_is_left_as_it_is(door: Door, raw: bytes) -> None:
    registry = Keeping()
    registry.kept[TAG] = raw
    registry.before[f"GET {LIST}"] = [lambda _: served(raw, OCI_MANIFEST if raw == MANIFEST else OCI_INDEX)] * 2

    with pytest.raises(errors.ConflictError, match=r"was not changed; .* was pushed"):
        put(door, registry)
    delete(door, registry)
    assert registry.kept[TAG] == raw


def test_a_list_that_nobody_could_read_is_not_written(door: Door) -> None:
    many = [described(str(number).encode(), OCI_MANIFEST) for number in range(1000)]
    registry = Keeping(listing(*many))

    with pytest.raises(errors.ConflictError, match="1000"):
        put(door, registry)
    assert len(registry.listed) == 1000


def test_upl_17_threads_and_tasks_of_a_process_write_one_after_the_other(door: Door) -> None:
    registry, order = Keeping(), list[str]()
    begun, read = threading.Event(), threading.Event()
    other = Door(door.library, is_async=False)

    def write_too() -> None:
        put(other, traced("other"), ONE)

    thread = threading.Thread(target=write_too)

    def traced(who: str) -> Any:
        def answer(request: Any) -> Any:
            path = request.url.path
            if path == LIST:
                order.append(f"{who} {request.method}")
            if who == "other":
                (read if path == LIST else begun).set()
            elif order == ["this GET"]:
                thread.start()
                assert begun.wait(30)
                assert not read.wait(0.1), "it must wait for its turn"
            return registry(request)

        return answer

    put(door, traced("this"))
    thread.join(30)
    assert sorted(entry["digest"] for entry in registry.listed) == sorted(map(str, map(Digest.of, (ONE, TWO))))
    assert [step for step in order if step.endswith("PUT")] == ["this PUT", "other PUT"]


def test_a_descriptor_of_what_is_listed_reads_it(door: Door) -> None:
    registry = Keeping()
    put(door, registry)

    [entry] = door.run(registry, lambda opened: repository(opened).referrers(DIGEST, SIGNED, verify="strict"))
    assert isinstance(entry, Descriptor)
    assert door.run(registry, lambda opened: repository(opened).get_manifest(entry)).raw == TWO
