"""Lists in pages: tags, catalogs, referrers."""

import json
from typing import Any

import pytest

from dreg_client import Digest, errors
from tests.doors import Door, repository
from tests.http.documents import DIGEST, MANIFEST, OCI_INDEX, OCI_MANIFEST, described, refusal, served


def tags(registry: Any) -> Any:
    return repository(registry).tags()


def pages(*links: str | None) -> Any:
    """Pages of a tag each, with the given `Link` headers."""

    def registry(request: Any) -> Any:
        number = int(dict(request.url.params).get("page", "0"))
        link = links[number] if number < len(links) else None
        body = json.dumps({"name": "acme/web", "tags": [f"t{number}"]}).encode()
        return served(body, "application/json", **({"Link": link} if link else {}))

    return registry


@pytest.mark.parametrize(
    "link",
    [
        '</v2/acme/web/tags/list?page=1>; rel="next"',
        '<https://registry.example/v2/acme/web/tags/list?page=1>; rel="next"',
        "<http://registry.example/v2/acme/web/tags/list?page=1>; rel=next",
        '<list?page=1>; rel="next"',
        '<?page=1>; title="a, b"; rel="prev next"',
        '<https://evil.test/>; rel="prev", </v2/acme/web/tags/list?page=1>; rel="next"',
        "</v2/acme/web/tags/list?page=1>",
    ],
)
def test_row_3_row_10_pages_follow_link(door: Door, link: str) -> None:
    assert door.run(pages(link), tags) == ("t0", "t1")


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ('<https://evil.test/v2/acme/web/tags/list>; rel="next"', errors.CrossOriginError),
        ('<https://registry.example:8443/v2/>; rel="next"', errors.CrossOriginError),
        ('</v2/acme/web/tags/list>; rel="next"', errors.TooManyPagesError),
        ("/v2/acme/web/tags/list?page=1; rel=next", errors.ProtocolError),
        ("x" * 9000, errors.ProtocolError),
        ('<file:///etc/passwd>; rel="next"', errors.ProtocolError),
    ],
)
def test_dld_22_a_link_that_leads_astray_is_not_followed(door: Door, link: str, error: type[Exception]) -> None:
    def registry(request: Any) -> Any:
        return served(b'{"name": "acme/web", "tags": ["a"]}', "application/json", Link=link)

    with pytest.raises(error):
        door.run(registry, tags)


def test_dld_22_a_list_without_an_end_ends(door: Door) -> None:
    def registry(request: Any) -> Any:
        number = int(dict(request.url.params).get("page", "0")) + 1
        link = f'</v2/acme/web/tags/list?page={number}>; rel="next"'
        return served(b'{"tags": ["a"]}', "application/json", Link=link)

    with pytest.raises(errors.TooManyPagesError):
        door.run(registry, tags)
    assert len(door.seen) == 1000


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"name": "x", "tags": null}', ()),
        ('{"name": "x", "tags": []}', ()),
        ('{"name": "x", "tags": ["b", "a", "b"]}', ("b", "a")),
        ('{"name": "x", "tags": ["a", "sha256:0", null, 7, "-b"]}', ("a",)),
        ('{"tags": ["a"], "manifest": {}, "child": []}', ("a",)),
    ],
)
def test_row_9_dld_23_q_31_what_is_no_tag_is_left_out(door: Door, body: str, found: tuple[str, ...]) -> None:
    assert door.run(lambda _: served(body.encode(), "application/json"), tags) == found


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"tags": "a"}', '{"tags": {}}', "<html>", ""])
def test_row_9_d_02_what_is_no_list_is_no_empty_list(door: Door, body: str) -> None:
    with pytest.raises(errors.ProtocolError, match=r"registry\.example/v2/acme/web/tags/list"):
        door.run(lambda _: served(body.encode(), "application/json"), tags)


def test_q_08_no_size_of_pages_is_asked_for_unless_it_is_named(door: Door) -> None:
    def listed(door: Door) -> Any:
        async def by_task(registry: Any) -> list[str]:
            return [tag async for tag in repository(registry).iter_tags(n=5000, last="b")]

        def by_thread(registry: Any) -> list[str]:
            return list(repository(registry).iter_tags(n=5000, last="b"))

        return by_task if door.is_async else by_thread

    door.run(pages(), tags)
    assert door.seen[-1].url.query == b""
    door.run(pages(), listed(door))
    assert door.seen[-1].url.query == b"n=1000&last=b"


class Paging:
    """A registry that sends no `Link`, with these names as its tags and as its repositories.

    Attributes:
        after: Finds the names after `last`.
        refusal: The status of its response to `last`; 0 if it takes it.
    """

    def __init__(self, names: list[Any], *, knows_last: bool = True, refusal: int = 0, link: bool = False) -> None:
        self.names, self.knows_last, self.refusal, self.link = names, knows_last, refusal, link

    def __call__(self, request: Any) -> Any:
        query = dict(request.url.params)
        if "last" in query and self.refusal:
            return refusal(self.refusal, "UNSUPPORTED")
        start = int(query.get("cursor", "0"))
        if "last" in query and self.knows_last:
            start = self.names.index(query["last"]) + 1
        end = start + int(query.get("n", "1000"))
        body = json.dumps({"name": "acme/web", "tags": self.names[start:end], "repositories": self.names[start:end]})
        more = self.link and end < len(self.names)
        link = f'<{request.url.path}?n={query["n"]}&cursor={end}>; rel="next"' if more else ""
        return served(body.encode(), "application/json", **({"Link": link} if link else {}))


def listed(door: Door, of: str, n: int | None) -> Any:
    """Read a list to its end, `n` names per page."""

    def pages_of(registry: Any) -> Any:
        return repository(registry).iter_tags(n=n) if of == "tags" else registry.catalog(n=n)

    async def by_task(registry: Any) -> list[str]:
        return [name async for name in pages_of(registry)]

    return by_task if door.is_async else lambda registry: list(pages_of(registry))


NAMES = [f"t{number}" for number in range(7)]


@pytest.mark.parametrize("of", ["tags", "repositories"])
@pytest.mark.parametrize(("n", "requests"), [(None, 1), (1, 8), (3, 3), (7, 2), (8, 1)])
def test_dst_31_a_full_page_without_link_is_continued_after_its_last_name(
    door: Door, of: str, n: int | None, requests: int
) -> None:
    assert door.run(Paging(NAMES), listed(door, of, n)) == NAMES
    assert len(door.seen) == requests


@pytest.mark.parametrize("of", ["tags", "repositories"])
def test_dst_31_a_page_without_a_new_name_ends_the_list(door: Door, of: str) -> None:
    assert door.run(Paging(NAMES, knows_last=False), listed(door, of, 3)) == NAMES[:3]
    assert len(door.seen) == 2


def test_dst_31_names_that_come_again_are_dropped(door: Door) -> None:
    overlapping = {"": ["a", "b"], "b": ["b", "c"], "c": ["c", "b"]}

    def registry(request: Any) -> Any:
        found = overlapping[dict(request.url.params).get("last", "")]
        return served(json.dumps({"tags": found}).encode(), "application/json")

    assert door.run(registry, listed(door, "tags", 2)) == ["a", "b", "c"]


def test_dst_31_entries_that_are_no_names_fill_a_page_too(door: Door) -> None:
    assert door.run(Paging(["a", "-b", "c"]), listed(door, "tags", 2)) == ["a", "c"]


@pytest.mark.parametrize("of", ["tags", "repositories"])
@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_dst_31_a_registry_that_pages_by_cursor_alone_is_read_to_its_last_full_page(
    door: Door, of: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert door.run(Paging(NAMES[:6], link=True, refusal=status), listed(door, of, 3)) == NAMES[:6]
    assert f"status {status} for the page after a full page" in caplog.text
    assert door.run(Paging(NAMES[:6], link=True, knows_last=False), listed(door, of, 3)) == NAMES[:6]


@pytest.mark.parametrize(("status", "error"), [(401, errors.UnauthorizedError), (500, errors.ServerError)])
def test_dst_31_a_list_that_cannot_be_continued_is_no_whole_list(
    door: Door, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        door.run(Paging(NAMES, refusal=status), listed(door, "tags", 3))


def test_row_9_tags_are_read_once(door: Door) -> None:
    async def by_task(registry: Any) -> None:
        found = repository(registry)
        await found.tags()
        await found.tags()
        found.refresh()
        await found.tags()

    def by_thread(registry: Any) -> None:
        found = repository(registry)
        found.tags()
        found.tags()
        found.refresh()
        found.tags()

    door.run(pages(), by_task if door.is_async else by_thread)
    assert len(door.seen) == 2


def test_q_03_a_registry_without_a_catalog_says_so(door: Door) -> None:
    for status in (404, 405):
        with pytest.raises(errors.UnsupportedError, match="catalog"):
            door.run(lambda _, status=status: refusal(status), lambda registry: registry.namespaces())


# --- referrers


SIGNATURE = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/x-signature",
        "config": described(b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [described(b"{}", "application/vnd.oci.empty.v1+json")],
        "subject": described(MANIFEST, OCI_MANIFEST),
    }
).encode()


def listing(*types: str | None) -> bytes:
    entries = [
        {**described(SIGNATURE, OCI_MANIFEST), **({"artifactType": kind} if kind else {}), "annotations": {"n": str(n)}}
        for n, kind in enumerate(types)
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def referrers(artifact_type: str | None = None) -> Any:
    return lambda registry: repository(registry).referrers(DIGEST, artifact_type)


def test_row_43_referrers_are_filtered_here_too(door: Door) -> None:
    answer = served(listing("application/x-signature", "application/x-sbom"), OCI_INDEX)

    assert len(door.run(lambda _: answer, referrers())) == 2
    [found] = door.run(lambda _: answer, referrers("application/x-sbom"))
    assert found.annotations == {"n": "1"}
    lists = [request.url.query for request in door.seen if "/referrers/" in request.url.path]
    assert lists[-1] == b"artifactType=application%2Fx-sbom"


@pytest.mark.parametrize("status", [400, 404, 405])
def test_row_43_dld_24_q_05_without_the_list_the_tag_is_read(door: Door, status: int) -> None:
    def registry(request: Any) -> Any:
        if "/referrers/" in request.url.path:
            return refusal(status)
        assert request.url.path.endswith(f"/manifests/sha256-{DIGEST.encoded}")
        return served(listing("application/x-signature"), OCI_INDEX)

    assert len(door.run(registry, referrers())) == 1
    assert door.run(lambda _: refusal(status), referrers()) == () if status == 404 else True


@pytest.mark.parametrize(
    ("status", "error"), [(401, errors.UnauthorizedError), (403, errors.DeniedError), (500, errors.ServerError)]
)
def test_dld_24_a_refusal_is_no_empty_list(door: Door, status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        door.run(lambda _: refusal(status), referrers())


def test_q_39_where_the_list_names_other_types_the_manifests_are_asked(door: Door) -> None:
    def registry(request: Any) -> Any:
        if "/referrers/" in request.url.path:
            return refusal(404)
        if request.url.path.endswith(str(Digest.of(SIGNATURE))):
            return served(SIGNATURE, OCI_MANIFEST)
        return served(listing("application/vnd.oci.empty.v1+json"), OCI_INDEX)

    assert len(door.run(registry, referrers("application/x-signature"))) == 1


def test_row_43_referrers_come_in_pages(door: Door) -> None:
    def registry(request: Any) -> Any:
        more = "page" not in dict(request.url.params)
        link = {"Link": f'</v2/acme/web/referrers/{DIGEST}?page=1>; rel="next"'} if more else {}
        return served(listing("application/x-signature"), OCI_INDEX, **link)

    assert len(door.run(registry, referrers())) == 2


OTHERS = [
    json.loads(SIGNATURE) | {"subject": described(b"another", OCI_MANIFEST)},
    {name: value for name, value in json.loads(SIGNATURE).items() if name != "subject"},
    json.loads(SIGNATURE) | {"schemaVersion": 1},
]


class Listed:
    """A registry whose list has the signature, and others that it should not have."""

    def __init__(self, *others: bytes, lacks: bool = False) -> None:
        self.manifests = {str(Digest.of(raw)): raw for raw in (*others, SIGNATURE)}
        self.lacks = lacks

    def __call__(self, request: Any) -> Any:
        if "/referrers/" in request.url.path:
            entries = [described(raw, OCI_MANIFEST) | {"artifactType": SIGNED} for raw in self.manifests.values()]
            body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
            return served(json.dumps(body).encode(), OCI_INDEX)
        raw = self.manifests[request.url.path.rpartition("/")[2]]
        return 404 if self.lacks and raw != SIGNATURE else served(raw, OCI_MANIFEST)


SIGNED = "application/x-signature"


def verified(verify: Any, artifact_type: str | None = None) -> Any:
    return lambda registry: repository(registry).referrers(DIGEST, artifact_type, verify=verify)


@pytest.mark.parametrize("other", OTHERS, ids=["another subject", "no subject", "broken"])
def test_dld_25_what_does_not_refer_is_left_out_with_a_warning(
    door: Door, other: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    raw = json.dumps(other).encode()

    assert len(door.run(Listed(raw), verified(verify=False))) == 2
    [found] = door.run(Listed(raw), verified(verify=True))
    assert found.digest == Digest.of(SIGNATURE)
    assert f"skipping {Digest.of(raw)}, which is listed as a referrer of {DIGEST}" in caplog.text


def test_dld_25_strictly_it_is_an_error(door: Door) -> None:
    with pytest.raises(errors.IntegrityError, match=f"has {Digest.of(b'another')} as its subject"):
        door.run(Listed(json.dumps(OTHERS[0]).encode()), verified("strict"))
    with pytest.raises(errors.IntegrityError, match="has no subject"):
        door.run(Listed(json.dumps(OTHERS[1]).encode()), verified("strict"))
    with pytest.raises(errors.NotFoundError):
        door.run(Listed(json.dumps(OTHERS[0]).encode(), lacks=True), verified("strict"))
    assert len(door.run(Listed(), verified("strict"))) == 1


def test_dld_25_what_is_listed_as_another_type_than_it_is_is_left_out(door: Door) -> None:
    other = json.dumps(json.loads(SIGNATURE) | {"artifactType": "application/x-sbom"}).encode()

    assert len(door.run(Listed(other), verified(verify=False, artifact_type=SIGNED))) == 2
    assert len(door.run(Listed(other), verified(verify=True, artifact_type=SIGNED))) == 1


def test_dld_25_a_registry_that_fails_is_no_reason_to_leave_anything_out(door: Door) -> None:
    listed = Listed()

    def fails(request: Any) -> Any:
        return listed(request) if "/referrers/" in request.url.path else 500

    with pytest.raises(errors.ServerError):
        door.run(fails, verified(verify=True))
