"""Where a registry keeps no list of referrers, what is deleted leaves the referrers tag ("Deleting Manifests")."""

import json
from typing import Any

import pytest

from dreg_client import Digest, errors
from tests.doors import Door, repository
from tests.http.documents import DIGEST, OCI_INDEX, OCI_MANIFEST, described, refusal, served
from tests.http.keeping import ENTRY, LIST, ONE, TAG, TWO, Keeping, delete, found, listing, put, writes

pytestmark = pytest.mark.usefixtures("waits")


def test_dst_29_what_is_deleted_is_listed_no_more(door: Door) -> None:
    other = described(ONE, OCI_MANIFEST) | {"theirs": 1}
    registry = Keeping(listing(ENTRY, other, ENTRY, annotations={"a": "b"}), TWO)
    delete(door, registry)

    assert json.loads(registry.kept[TAG]) == json.loads(listing(other, annotations={"a": "b"}))
    assert str(Digest.of(TWO)) not in registry.kept
    assert found(door, registry) == [Digest.of(ONE)]


def test_dst_29_the_list_is_changed_after_the_manifest_is_gone(door: Door) -> None:
    registry = Keeping(listing(ENTRY), TWO)
    registry.before[f"DELETE /v2/acme/web/manifests/{Digest.of(TWO)}"] = [lambda _: refusal(405, "UNSUPPORTED")]

    with pytest.raises(errors.UnsupportedError):
        delete(door, registry)
    assert registry.listed == [ENTRY]


def test_dst_29_an_entry_that_another_process_puts_back_is_removed_again(door: Door) -> None:
    registry = Keeping(listing(ENTRY), TWO)
    back = [lambda _: None, lambda _: None, lambda _: registry.put(TAG, listing(ENTRY))]
    registry.before[f"GET {LIST}"] = back
    delete(door, registry)

    assert registry.listed == []


def test_dst_29_a_registry_that_keeps_the_list_keeps_the_tag_as_it_is(door: Door) -> None:
    registry = Keeping(listing(ENTRY), TWO)
    registry.before[f"GET /v2/acme/web/referrers/{DIGEST}"] = [lambda _: served(listing(), OCI_INDEX)]
    delete(door, registry)

    assert registry.listed == [ENTRY]
    assert writes(door) == []


NO_LISTS = [
    served(b"<html>", "text/html"),
    *(served(raw, "application/json") for raw in (b"{}", b"[]", b"", b'{"manifests": {}}', b'{"status": "ok"}')),
    served(b"{}", OCI_INDEX),
    served(TWO, OCI_INDEX),
]


@pytest.mark.parametrize("answer", [404, 405, 400, 501, 500, 401, 403, *NO_LISTS])
def test_dst_29_a_registry_without_such_a_list_has_the_tag(
    door: Door, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Keeping(listing(ENTRY), TWO)
    registry.before[f"GET /v2/acme/web/referrers/{DIGEST}"] = [lambda _: answer] * 9
    delete(door, registry)

    assert registry.listed == []
    assert "reading the referrers tag" not in caplog.text  # who only asks whether there is a list is not warned


def test_dst_29_without_a_tag_there_is_nothing_to_change(door: Door) -> None:
    delete(door, Keeping(None, TWO))

    assert writes(door) == []


def test_dst_29_a_manifest_that_breaks_rules_has_its_entry_removed_too(door: Door) -> None:
    broken = json.dumps(json.loads(TWO) | {"config": None}).encode()
    registry = Keeping(listing(described(broken, OCI_MANIFEST)), broken)
    delete(door, registry, broken)

    assert registry.listed == []


@pytest.mark.parametrize("entry", ["sha256", "sha512"])
@pytest.mark.parametrize("deleted", ["sha256", "sha512"])
def test_dst_29_the_entry_may_name_the_manifest_by_another_digest(door: Door, entry: str, deleted: str) -> None:
    other = described(ONE, OCI_MANIFEST)
    registry = Keeping(listing(ENTRY | {"digest": str(Digest.of(TWO, entry))}, other), TWO)
    registry.kept[str(Digest.of(TWO, "sha512"))] = TWO
    door.run(registry, lambda opened: repository(opened).delete_manifest(Digest.of(TWO, deleted)))

    assert registry.listed == [other]


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_manifest_that_cannot_be_read_for_a_moment_is_not_deleted(door: Door, status: int) -> None:
    registry = Keeping(listing(ENTRY), TWO)
    registry.before[f"GET /v2/acme/web/manifests/{Digest.of(TWO)}"] = [lambda _: status] * 9

    with pytest.raises(errors.RateLimitedError if status == 429 else errors.ServerError):
        delete(door, registry)
    assert not any(asked.startswith("DELETE") for asked in door.asked)
    assert registry.listed == [ENTRY]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_manifest_that_cannot_be_read_is_deleted_with_a_warning(
    door: Door, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Keeping(None, TWO)
    registry.before[f"GET /v2/acme/web/manifests/{Digest.of(TWO)}"] = [lambda _: status]
    delete(door, registry)

    assert str(Digest.of(TWO)) not in registry.kept
    assert f"{Digest.of(TWO)} was deleted without being read" in caplog.text


def test_what_is_not_deleted_is_not_said_to_be_deleted_unread(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    registry = Keeping(None, TWO)
    name = f"/v2/acme/web/manifests/{Digest.of(TWO)}"
    registry.before.update({f"GET {name}": [lambda _: 403], f"DELETE {name}": [lambda _: 403]})

    with pytest.raises(errors.DeniedError):
        delete(door, registry)
    assert "without being read" not in caplog.text


def test_a_list_that_cannot_be_changed_is_an_error_that_says_what_was_deleted(door: Door) -> None:
    registry = Keeping(listing(ENTRY), TWO)
    registry.before[f"PUT {LIST}"] = [lambda _: 403]

    with pytest.raises(errors.DeniedError, match=f"{Digest.of(TWO)} was deleted, but may still be listed"):
        delete(door, registry)


def test_dst_29_a_registry_that_keeps_no_list_that_it_confirms_is_a_conflict_soon(
    door: Door, waits: list[float]
) -> None:
    registry = Keeping(listing(ENTRY), TWO)
    registry.before[f"PUT {LIST}"] = [lambda _: 201] * 1000

    with pytest.raises(errors.ConflictError, match=r"confirmed 3 changes .* was deleted, but may still be listed"):
        delete(door, registry)
    assert sum(waits) <= 5


# --- a registry that refuses a list which names what it does not have


GONE = described(ONE, OCI_MANIFEST)
HEAD_OF_ONE = f"HEAD /v2/acme/web/manifests/{Digest.of(ONE)}"
GET_OF_ONE = f"GET /v2/acme/web/manifests/{Digest.of(ONE)}"
UNKNOWN = refusal(400, "MANIFEST_BLOB_UNKNOWN")


def refusing(*others: bytes, answer: Any = UNKNOWN) -> Keeping:
    registry = Keeping(listing(GONE, ENTRY), *others)
    registry.before[f"PUT {LIST}"] = [lambda _: answer]
    return registry


@pytest.mark.parametrize("answer", [UNKNOWN, refusal(404, "MANIFEST_UNKNOWN"), refusal(422, "BLOB_UNKNOWN"), 400, 404])
def test_dst_29_an_entry_that_is_gone_is_dropped_with_a_warning(
    door: Door, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    registry = refusing(TWO, answer=answer)
    delete(door, registry)

    assert registry.listed == []
    assert f"removing entries that the registry no longer has: {Digest.of(ONE)}" in caplog.text


@pytest.mark.parametrize("answer", [UNKNOWN, 400])
def test_dst_28_an_entry_that_is_gone_is_dropped_for_a_new_one(door: Door, answer: Any) -> None:
    registry = refusing(answer=answer)
    registry.put(TAG, listing(GONE))
    put(door, registry)

    assert [entry["digest"] for entry in registry.listed] == [Digest.of(TWO)]


@pytest.mark.parametrize("status", [200, 401, 403, 405, 500])
@pytest.mark.parametrize("steps", [[HEAD_OF_ONE], [HEAD_OF_ONE, GET_OF_ONE]], ids=["HEAD", "GET"])
def test_dst_29_only_404_says_that_an_entry_is_gone(door: Door, status: int, steps: list[str]) -> None:
    registry = refusing(TWO)
    registry.before.update({step: [lambda _: 404] for step in steps[:-1]})
    registry.before[steps[-1]] = [lambda _: status] * 9

    with pytest.raises(errors.DregError, match=f"{Digest.of(TWO)} was deleted, but may still be listed"):
        delete(door, registry)
    assert registry.listed == [GONE, ENTRY]


def test_dst_29_a_list_that_is_refused_for_another_reason_stays(door: Door) -> None:
    registry = refusing(TWO, answer=refusal(413, "SIZE_INVALID"))

    with pytest.raises(errors.RegistryError, match="SIZE_INVALID"):
        delete(door, registry)
    assert registry.listed == [GONE, ENTRY]
    assert not any(asked.startswith("HEAD") for asked in door.asked)


def test_dst_28_what_was_deleted_before_it_was_listed_is_to_be_pushed_again(door: Door) -> None:
    registry = refusing()

    def forget(_: Any) -> Any:
        del registry.kept[str(Digest.of(TWO))]
        return UNKNOWN

    registry.put(TAG, listing(GONE))
    registry.before[f"PUT {LIST}"] = [forget]
    with pytest.raises(errors.RegistryError, match=r"was pushed, but is not listed .* push it again"):
        put(door, registry)
    assert registry.listed == [GONE]
