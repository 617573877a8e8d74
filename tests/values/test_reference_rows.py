"""References: every row of the table of texts."""

import pytest

from dreg_client import Reference
from dreg_client.errors import InvalidReferenceError

_HEX = "0123456789abcdef" * 4
_WORDS = {
    "sha512:S": "sha512:" + "a" * 128,
    "HEX64": _HEX,
    "UPPER64": _HEX.upper(),
    "R256": "a" * 256,
    "T129": "t" * 129,
    "@D": "@sha256:" + _HEX,
}

# number, text, registry, repository, tag, digest; the words above stand for what is long
GOOD: list[tuple[int, str, str, str, str, str]] = [
    (1, "ubuntu", "docker.io", "library/ubuntu", "latest", ""),
    (2, "ubuntu:22.04", "docker.io", "library/ubuntu", "22.04", ""),
    (3, "library/ubuntu", "docker.io", "library/ubuntu", "latest", ""),
    (4, "acme/web:1.4", "docker.io", "acme/web", "1.4", ""),
    (5, "acme/team/web", "docker.io", "acme/team/web", "latest", ""),
    (6, "docker.io/ubuntu", "docker.io", "library/ubuntu", "latest", ""),
    (7, "docker.io/acme/web", "docker.io", "acme/web", "latest", ""),
    (8, "index.docker.io/ubuntu", "docker.io", "library/ubuntu", "latest", ""),
    (9, "registry-1.docker.io/acme/web:1", "docker.io", "acme/web", "1", ""),
    (10, "registry.hub.docker.com/library/ubuntu", "registry.hub.docker.com", "library/ubuntu", "latest", ""),
    (11, "ghcr.io/web", "ghcr.io", "web", "latest", ""),
    (12, "ghcr.io/acme/web:1.4@D", "ghcr.io", "acme/web", "1.4", "D"),
    (13, "ubuntu@D", "docker.io", "library/ubuntu", "", "D"),
    (14, "ubuntu:22.04@D", "docker.io", "library/ubuntu", "22.04", "D"),
    (15, "localhost/web", "localhost", "web", "latest", ""),
    (16, "localhost:5000/web:1", "localhost:5000", "web", "1", ""),
    (17, "localhost", "docker.io", "library/localhost", "latest", ""),
    (18, "localhost:5000", "docker.io", "library/localhost", "5000", ""),
    (19, "registry:5000/web", "registry:5000", "web", "latest", ""),
    (20, "registry/web", "docker.io", "registry/web", "latest", ""),
    (21, "quay.io", "docker.io", "library/quay.io", "latest", ""),
    (22, "quay.io:443", "docker.io", "library/quay.io", "443", ""),
    (23, "192.168.0.1:5000/a/b:c", "192.168.0.1:5000", "a/b", "c", ""),
    (24, "[::1]/web", "[::1]", "web", "latest", ""),
    (25, "[::1]:5000/web:1", "[::1]:5000", "web", "1", ""),
    (26, "[2001:db8::1]:5000/a/b@D", "[2001:db8::1]:5000", "a/b", "", "D"),
    (27, "Foo/bar", "foo", "bar", "latest", ""),
    (28, "REGISTRY.example/bar:RC1", "registry.example", "bar", "RC1", ""),
    (29, "xn--n3h.com/web", "xn--n3h.com", "web", "latest", ""),
    (30, "a:5000/b:5000", "a:5000", "b", "5000", ""),
    (31, "ubuntu:1/2", "ubuntu:1", "2", "latest", ""),
    (32, "ubuntu:_x", "docker.io", "library/ubuntu", "_x", ""),
    (33, "a__b", "docker.io", "library/a__b", "latest", ""),
    (34, "a---b", "docker.io", "library/a---b", "latest", ""),
    (35, "x/a_b.c-d", "docker.io", "x/a_b.c-d", "latest", ""),
    (36, "ubuntu@sha512:S", "docker.io", "library/ubuntu", "", "sha512:S"),
    (37, "ubuntu@blake9:abcDEF_-=", "docker.io", "library/ubuntu", "", "blake9:abcDEF_-="),
    (38, "docker.io/HEX64", "docker.io", "library/HEX64", "latest", ""),
]

# number, text, the part that is wrong
BAD: list[tuple[int, str, str]] = [
    (39, "example.com:0/web", "registry"),
    (39, "example.com:65536/web", "registry"),
    (39, "example.com:port/web", "registry"),
    (39, "example.com:/web", "registry"),
    (40, "[fe80::1%eth0]:5000/web", "registry"),
    (40, "[::ffff:192.0.2.1]/web", "registry"),
    (40, "[zz::1]/web", "registry"),
    (40, "fc00::1:5000/web", "registry"),
    (41, "ex_ample.com/web", "registry"),
    (41, "a_b.c/d", "registry"),
    (41, "-bad.com/web", "registry"),
    (41, "example.com./web", "registry"),
    (41, ".a/b", "registry"),
    (42, "[::1]", "registry"),
    (42, "[::1]:5000", "registry"),
    (42, "example.com/", "registry"),
    (43, "Ubuntu", "repository"),
    (43, "foo/Bar", "repository"),
    (43, "ghcr.io/Acme/web", "repository"),
    (44, "a//b", "repository"),
    (44, "/a/b", "repository"),
    (44, "a/b/", "repository"),
    (44, "a/../b", "repository"),
    (44, "a/./b", "repository"),
    (45, "a..b", "repository"),
    (45, "a___b", "repository"),
    (45, "a._b", "repository"),
    (45, "-a", "repository"),
    (45, "a-", "repository"),
    (45, "_a", "repository"),
    (46, "a?x=1", "repository"),
    (46, "a#f", "repository"),
    (46, "a%2fb", "repository"),
    (46, "a+b/c", "repository"),
    (47, "ghcr.io/R256", "repository"),
    (48, "HEX64", "repository"),
    (49, "ubuntu@sha256:abc", "digest"),
    (49, "ubuntu@sha256", "digest"),
    (49, "ubuntu@", "digest"),
    (49, "ubuntu@D@D", "digest"),
    (49, "ubuntu@D:tag", "digest"),
    (49, "@D", "digest"),
    (50, "ubuntu@SHA256:HEX64", "digest"),
    (50, "ubuntu@sha256:UPPER64", "digest"),
    (51, "ubuntu:", "tag"),
    (51, "ubuntu:-x", "tag"),
    (51, "ubuntu:.x", "tag"),
    (51, "ubuntu:a+b", "tag"),
    (51, "ubuntu:T129", "tag"),
    (52, "a b", "reference"),
    (52, " ubuntu", "reference"),
    (52, "ubuntu\n", "reference"),
    (52, "bücher.example/web", "reference"),
    (53, "https://ghcr.io/acme/web", "reference"),
    (53, "docker://ubuntu", "reference"),
    (54, "user@example.com/web", "registry"),
    (54, "user:pw@example.com/web", "registry"),
    (55, "", "reference"),
]


def _spelled(text: str) -> str:
    for word, meaning in _WORDS.items():
        text = text.replace(word, meaning)
    return text


def _row(row: tuple[object, ...]) -> str:
    return f"R-{row[0]}-{row[1]!a}"


@pytest.mark.parametrize("row", GOOD, ids=_row)
def test_a_reference_is_read_by_the_table(row: tuple[int, str, str, str, str, str]) -> None:
    _, text, registry, repository, tag, digest = row

    reference = Reference.parse(_spelled(text))

    assert reference.registry == registry
    assert reference.repository == _spelled(repository)
    assert (reference.tag or "") == tag
    assert f"@{reference.digest or ''}" == _spelled(f"@{digest}")


@pytest.mark.parametrize("row", GOOD, ids=_row)
def test_the_full_and_the_familiar_form_parse_to_an_equal_reference(row: tuple[int, str, str, str, str, str]) -> None:
    reference = Reference.parse(_spelled(row[1]))

    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(reference.familiar) == reference
    assert len(reference.familiar) <= len(str(reference))


@pytest.mark.parametrize("row", BAD, ids=_row)
def test_what_is_no_reference_is_refused_and_the_error_names_the_part(row: tuple[int, str, str]) -> None:
    _, text, part = row

    with pytest.raises(InvalidReferenceError) as refused:
        Reference.parse(_spelled(text))

    assert refused.value.part == part
    assert refused.value.expected in str(refused.value)


def test_every_row_is_here() -> None:
    assert sorted({row[0] for row in GOOD} | {row[0] for row in BAD}) == list(range(1, 56))
