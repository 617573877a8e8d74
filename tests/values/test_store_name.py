"""Names of stores, as the command line takes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client.errors import InvalidReferenceError
from dreg_client.values.store_name import StoreName

_D = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "kind", "path", "asked"),
    [
        ("oci:build/web", "oci", "build/web", None),
        ("oci:build/web:1.4", "oci", "build/web", "1.4"),
        (f"oci:build/web@{_D}", "oci", "build/web", _D),
        ("oci:/a/b:c/d", "oci", "/a/b:c/d", None),
        (r"oci:C:\x", "oci", r"C:\x", None),
        (r"oci:C:\x:1", "oci", r"C:\x", "1"),
        ("oci:C:x", "oci", "C:x", None),
        ("oci:a@b", "oci", "a@b", None),
        ("oci-archive:a.tar", "oci-archive", "a.tar", None),
        ("oci-archive:a.tar:1.4", "oci-archive", "a.tar", "1.4"),
        ("oci-archive:a.tar:platform/mysql:8.0", "oci-archive", "a.tar", "platform/mysql:8.0"),
        ("oci-archive:C:/a.tar:1.4", "oci-archive", "C:/a.tar", "1.4"),
        (f"oci-archive:a.tar:@{_D}", "oci-archive", "a.tar", _D),
        (f"oci-archive:a.tar@{_D}", "oci-archive", "a.tar", _D),
        (f"oci-archive:C:/a@b.tar@{_D}", "oci-archive", "C:/a@b.tar", _D),
        ("docker-archive:i.tar", "docker-archive", "i.tar", None),
        ("docker-archive:i.tar:acme/web:1", "docker-archive", "i.tar", "docker.io/acme/web:1"),
        ("docker-archive:a@b.tar:x", "docker-archive", "a@b.tar", "docker.io/library/x:latest"),
        ("docker-archive:i.tar:@2", "docker-archive", "i.tar", "2"),
        ("docker://ubuntu", "registry", "", "docker.io/library/ubuntu:latest"),
        ("registry.example/acme/web:1.4", "registry", "", "registry.example/acme/web:1.4"),
    ],
)
def test_a_name_is_cut_by_the_rules(text: str, kind: str, path: str, asked: str | None) -> None:
    name = StoreName.parse(text)

    found = next((value for value in (name.tag, name.digest, name.reference, name.index) if value is not None), None)
    assert (name.kind, name.path, None if found is None else str(found)) == (kind, path, asked)
    assert StoreName.parse(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oci:",
        "oci-archive:",
        "docker-archive:",
        "oci-archive::1",
        "docker-archive:i.tar:@x",
        "docker-archive:i.tar:@",
        "docker-archive:i.tar:UPPER",
        f"oci-archive:a.tar:@{_D}x",
        "oci:a\0b",
        "docker://",
        "https://r/x",
        "x" * (1 << 20),
    ],
)
def test_what_names_no_store_is_refused(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as refused:
        StoreName.parse(text)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/build/web", "oci:/build/web, oci-archive:/build/web"),
        ("./web:1.4", "oci:./web:1.4"),
        ("..", "oci:.."),
        ("~/web", "oci:~/web"),
        ("C:\\web", "oci:C:"),
        ("web.tar", "docker-archive:web.tar"),
        ("build/web.tar.gz:acme/web:1", "docker-archive:build/web.tar.gz:acme/web:1"),
        ("app.cnb", "oci-archive:app.cnb"),
        ("ocii:build/web:1.4", "did you mean oci:build/web:1.4?"),
        ("OCI:web", "did you mean oci:web?"),
        ("oci-archiv:web", "did you mean oci-archive:web?"),
        ("docker-archve:web", "did you mean docker-archive:web?"),
        ("docker-daemon:web", "docker save"),
        ("dir:web", "skopeo copy"),
        ("oci-layout:web", "use oci:PATH"),
        ("localhost:6400", "localhost:6400/NAME"),
        ("localhost", "localhost/NAME"),
        ("registry.example:5000", "registry.example:5000/NAME"),
        ("10.0.0.1:5000", "10.0.0.1:5000/NAME"),
    ],
)
def test_what_is_mistaken_for_a_repository_of_docker_hub_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(InvalidReferenceError) as refused:
        StoreName.parse(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text", ["ubuntu", "ubuntu:22.04", "rocket.chat:4", "odoo:17", "node:20", "file", "registry.example/a/web.tar:1"]
)
def test_images_of_docker_hub_are_not_mistaken_for_anything_else(text: str) -> None:
    assert StoreName.parse(text).kind == "registry"
    assert StoreName.parse(f"docker://{text}").kind == "registry"


@pytest.mark.parametrize("between", ["", ":"])
def test_an_archive_of_docker_save_has_no_digests_and_the_error_says_what_it_has(between: str) -> None:
    with pytest.raises(InvalidReferenceError, match=f"'@{_D}' .*:NAME:TAG or :@N .*not by @DIGEST"):
        StoreName.parse(f"docker-archive:i.tar{between}@{_D}")


@given(text=st.text(max_size=40), kind=st.sampled_from(["oci:", "oci-archive:", "docker-archive:", ""]))
def test_any_text_names_a_store_or_is_refused_by_one_error(text: str, kind: str) -> None:
    try:
        name = StoreName.parse(kind + text)
    except InvalidReferenceError as refused:
        assert str(refused).isprintable()  # noqa: PT017 (either way is right here)
    else:
        assert StoreName.parse(str(name)) == name
