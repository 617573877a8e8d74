"""The command line on a registry: everything that it reads elsewhere, and what it changes there."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.answering import Heard
from tests.answering import registry as answering
from tests.raw_server import answer
from tests.registries import LAYOUT, PASSWORD, USER, RunningRegistry
from tests.token_server import IDENTITY, TokenServer

pytestmark = pytest.mark.usefixtures("home")
Run = Callable[..., Any]
OCI_ARCHIVE = "oci-archive:fixtures/archives/multi.oci.tar"
DOCKER_ARCHIVE = "docker-archive:fixtures/archives/web.docker.tar"
Tokens = tuple[RunningRegistry, TokenServer]


@pytest.fixture
def at_home(dreg: Run, home: Path) -> Run:
    """Run `dreg` as a process that finds no credential of this machine."""

    def run_there(*arguments: str, stdin: bytes = b"") -> Any:
        return dreg(*arguments, stdin=stdin, env={"HOME": str(home), "XDG_RUNTIME_DIR": str(home)})

    return run_there


@pytest.mark.parametrize(
    "arguments",
    [
        ["resolve", "{}:1.4"],
        ["resolve", "{}:1.4", "--platform", "linux/arm64"],
        ["manifest", "{}:1.4"],
        ["manifest", "{}:1.4", "--raw"],
        ["config", "{}:1.4", "--platform", "linux/amd64"],
        ["platforms", "{}:1.4"],
        ["history", "{}:1.4", "--platform", "linux/amd64"],
        ["blob", "{}@sha256:79aa310da7d4b7f13fa37b6bb09d075a05d6618e288a8450772fda3d4643ffc3"],
    ],
    ids=" ".join,
)
def test_a_registry_reads_as_a_layout_does(dreg: Run, web: str, arguments: list[str]) -> None:
    there = dreg(*(argument.format(web) for argument in arguments))
    here = dreg(*(argument.format(f"oci:{LAYOUT}") for argument in arguments))

    assert (there.code, there.out, there.err) == (0, here.out, "")


def test_inspect_shows_what_it_shows_of_a_layout_but_the_name(said: Run, web: str) -> None:
    [there] = json.loads(said("inspect", f"{web}:1.4", "--format", "json").out)
    [here] = json.loads(said("inspect", f"oci:{LAYOUT}:1.4", "--format", "json").out)

    assert (there.pop("source"), there.pop("store")) == (f"{web}:1.4", web)
    assert (here.pop("source"), here.pop("store")) == (f"oci:{LAYOUT}:1.4", str(LAYOUT))
    assert there == here
    assert f"{web}:1.4" in said("inspect", f"{web}:1.4").lines[0]


def test_tags_and_repositories(said: Run, web: str, open_registry: RunningRegistry) -> None:
    assert set(said("tags", web).lines) >= {"1.3", "1.4"}
    assert said("tags", f"docker://{web}").lines == said("tags", web).lines
    assert {"acme/web", "solo"} <= set(said("repos", open_registry.address).lines)
    assert said("repos", f"{open_registry.address}/", "--namespace", "library").lines == ["solo"]
    assert "acme/web" in json.loads(said("repos", open_registry.url, "--format", "json").out)


def test_without_a_tag_latest_goes_without_saying(said: Run, web: str) -> None:
    missing = said("resolve", web)

    assert missing.code == 4
    assert f"list the available tags with: dreg tags {web}\n" in missing.err


def test_tagging_untagging_and_deleting(said: Run, own_registry: RunningRegistry) -> None:
    own_registry.push(LAYOUT, "1.4", "acme/web:1.4")
    web = f"{own_registry.address}/acme/web"
    digest = said("resolve", f"{web}:1.4").out.strip()

    assert said("tag", f"{web}:1.4", "1", "latest").out.strip() == digest
    assert set(said("tags", web).lines) == {"1.4", "1", "latest"}
    elsewhere = said("tag", f"{web}:1.4", f"{own_registry.address}/acme/other:1")
    assert elsewhere.code == 2
    assert "expected a tag without a repository, such as 1" in elsewhere.err
    for named in (f"{web}@{digest}", f"{web}:1.4"):
        assert said("delete", named, "--blob", digest).code == 2
    refused = said("untag", f"{web}:1", "--no-placeholder")
    assert refused.code == 8
    assert "--no-placeholder" in refused.err
    assert said("untag", f"{web}:1").out.strip() == f"{web}:1"
    assert said("untag", f"{web}:1").code == 4
    assert set(said("tags", web).lines) == {"1.4", "latest"}
    assert said("delete", f"{web}:1").code == 2
    assert said("delete", f"{web}@{digest}").out.strip() == digest
    assert said("tags", web).out == ""
    assert said("delete", f"{web}@{digest}").code == 4


def test_an_image_is_tagged_only_if_its_tag_or_digest_is_named(said: Run, own_registry: RunningRegistry) -> None:
    """Without the colon, `dreg tag REPO 1.4 stable` would move 1.4 and stable to the image of latest."""
    own_registry.push(LAYOUT, "1.4", "acme/web:1.4")
    own_registry.push(LAYOUT, "single", "acme/web:latest")
    web = f"{own_registry.address}/acme/web"
    before = said("resolve", f"{web}:1.4").out

    two, one = said("tag", web, "1.4", "stable"), said("tag", web, "stable")

    assert (two.code, two.out, one.code, one.out) == (2, "", 2, "")
    assert f"name the image to tag: {web}:TAG or {web}@DIGEST; did you mean: dreg tag {web}:1.4 stable;" in two.err
    assert f"name the image to tag: {web}:TAG or {web}@DIGEST; see:" in one.err
    assert (said("resolve", f"{web}:1.4").out, said("resolve", f"{web}:stable").code) == (before, 4)


def test_a_manifest_that_is_requested_as_a_blob_is_advised(said: Run) -> None:
    digest = "sha256:" + "a" * 64
    with answering(lambda _: answer(b"", "404 Not Found")) as server:
        web = f"localhost:{server.server.port}/acme/web"
        missing = said("blob", f"{web}@{digest}", "--anonymous")

    assert missing.code == 4
    assert missing.err.endswith(f"; for a manifest, run: dreg manifest {web}@{digest}\n")


def test_a_tag_cannot_be_added_to_an_archive(said: Run) -> None:
    assert said("tag", f"{OCI_ARCHIVE}:1.4", "new").code == 8


# --- credentials


def config(home: Path) -> Any:
    return json.loads((home / ".docker/config.json").read_text())


def test_login_checks_keeps_and_forgets(
    said: Run, at_home: Run, home: Path, password_registry: RunningRegistry
) -> None:
    address, secret = password_registry.address, PASSWORD.encode()
    login = ["login", address, "-u", USER, "--password-stdin"]
    assert said("tags", f"{address}/acme/web").code == 3

    wrong = at_home(*login, stdin=b"wrong\n")
    assert (wrong.code, (home / ".docker").exists()) == (3, False)
    for ending in (b"", b"\n", b"\r\n"):
        assert at_home(*login, stdin=secret + ending).code == 0
    assert list(config(home)["auths"]) == [address]
    assert (home / ".docker/config.json").stat().st_mode & 0o777 == 0o600
    assert set(said("tags", f"{address}/acme/web").lines) >= {"1.3", "1.4"}
    assert said("tags", f"{address}/acme/web", "--anonymous").code == 3

    assert at_home("logout", address).code == 0
    assert config(home)["auths"] == {}
    assert at_home("logout", address).code == 4


def test_a_credential_for_one_call(at_home: Run, token_registry: Tokens) -> None:
    own, _ = token_registry
    tags = ["tags", f"{own.address}/acme/web", "--ca-file", str(own.ca_file)]

    assert at_home(*tags).code == 3
    assert at_home(*tags, "--username", USER, "--password-stdin", stdin=PASSWORD.encode()).code == 0
    assert at_home(*tags, "--identity-token-stdin", stdin=IDENTITY.encode()).code == 0
    several = ["resolve", *[f"{own.address}/acme/web:1.4"] * 4, *tags[2:]]
    assert at_home(*several, "--username", USER, "--password-stdin", stdin=PASSWORD.encode()).code == 0
    assert (
        "the request used plain HTTP; trust its CA with --ca-file, or skip verification with --insecure"
        in at_home(*tags[:2]).err
    )
    assert at_home(*tags, "--username", USER).code == 2
    assert at_home(*tags, "--authfile", "none.json").code == 2


def test_a_login_that_the_registry_does_not_require_is_reported(
    home: Path, at_home: Run, open_registry: RunningRegistry, password_registry: RunningRegistry
) -> None:
    login = ["login", "{}", "-u", USER, "--password-stdin"]
    secret = PASSWORD.encode()
    told = at_home(*(word.format(open_registry.address) for word in login), stdin=secret)
    checked = at_home(*(word.format(password_registry.address) for word in login), stdin=secret)

    assert told.code == checked.code == 0
    assert "the registry does not require a login, so the password was not checked" in told.out
    assert told.out.startswith(f"credential for {open_registry.address} stored in ")
    assert checked.out.startswith(f"logged in to {password_registry.address}; credential stored in ")
    unencrypted = f"dreg: warning: {home}/.docker/config.json stores the password unencrypted, encoded with base64\n"
    assert told.err == checked.err == unencrypted


def test_a_denied_anonymous_request_names_the_option(said: Run, password_registry: RunningRegistry) -> None:
    told = said("repos", password_registry.address, "--anonymous")

    assert told.code == 3
    assert "access denied: cannot read the catalog" in told.err
    assert told.err.endswith("the request had no credential; remove --anonymous\n")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        (f"{DOCKER_ARCHIVE}@0", f"to select an image by its position, write {DOCKER_ARCHIVE}:@0"),
        (f"{DOCKER_ARCHIVE}:1.4", 'has no image "1.4"; available: @0 "docker.io/acme/web:1.4"'),
    ],
)
def test_an_image_that_is_not_in_an_archive_is_named_as_it_was_written(said: Run, name: str, advice: str) -> None:
    told = said("inspect", name)

    assert told.code == 4
    assert told.err.endswith(f" {advice}\n")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (
            ["tags", "localhost:5000"],
            "list the repositories of this registry with: dreg repos localhost:5000",
        ),
        (["inspect", "registry.example/"], "with: dreg repos registry.example"),
        (["tags", "http://localhost:5000/"], "with: dreg repos http://localhost:5000"),
        (["tags", "https://localhost:5000/acme/web"], "expected HOST/REPOSITORY without https://"),
        (["inspect", "http://localhost:5000/acme/web:1"], "for plain HTTP, use --plain-http"),
        (["validate", "https://localhost:5000/acme/web"], "expected HOST/REPOSITORY without https://"),
        (["repos", "localhost:5000/acme"], "run: dreg repos localhost:5000 --namespace acme;"),
        (["login", "localhost:5000/acme"], "run: dreg login localhost:5000;"),
        (["inspect", f"{OCI_ARCHIVE}:@0"], f"only with docker-archive; list the tags with: dreg tags {OCI_ARCHIVE}"),
    ],
)
def test_a_name_of_another_kind_is_told_from_what_was_meant(said: Run, arguments: list[str], advice: str) -> None:
    told = said(*arguments)

    assert told.code == 2
    assert advice in told.err


def test_a_registry_is_validated_by_its_url_too(said: Run, open_registry: RunningRegistry) -> None:
    for url in (open_registry.url, f"{open_registry.url}/v2/"):
        told = said("validate", url, "--format", "json")
        assert (told.code, told.err) == (0, "")
        sources = {found["source"] for found in json.loads(told.out)["documents"]}
        assert {f"{open_registry.address}/{name}" for name in ("acme/web:1.4", "acme/web:1.3")} <= sources


def test_cli_03_a_password_is_no_argument(at_home: Run) -> None:
    assert at_home("login", "registry.example", "-u", "ada", "-p", "secret").code == 2
    assert "without a terminal" in at_home("login", "registry.example", "-u", "ada").err


# --- what strangers say


class _Rude(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"errors": [{"code": "DENIED", "message": "\x1b]0;owned\x07\x1b[31mno"}]}).encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Warning", '299 - "\x1b[31mred"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_cli_01_what_a_registry_says_cannot_steer_a_terminal(terminal: Run) -> None:
    with HTTPServer(("127.0.0.1", 0), _Rude) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = terminal("tags", f"localhost:{server.server_address[1]}/acme/web")
        server.shutdown()

    assert told.code == 3
    assert "\\x1b" in told.out
    assert "\x1b" not in told.out


@pytest.mark.parametrize("source", ["", "/", "/acme/web", "/acme/web:1"])
def test_a_warning_of_a_registry_is_shown_by_validate_as_by_any_other_command(said: Run, source: str) -> None:
    def warning(_: Heard) -> bytes:
        return answer(b'{"tags": [], "repositories": []}', "200 OK", 'Warning: 299 - "moving away"')

    with answering(warning) as server:
        host = f"localhost:{server.server.port}"
        assert "moving away" not in said("validate", "--quiet", f"{host}{source}").err
        assert f"dreg: warning: {host} warns: moving away" in said("validate", f"{host}{source}").err


def test_cli_10_debug_shows_requests_without_what_is_secret(at_home: Run, password_registry: RunningRegistry) -> None:
    told = at_home(
        "tags",
        f"{password_registry.address}/acme/web",
        "-u",
        USER,
        "--password-stdin",
        "--debug",
        stdin=PASSWORD.encode(),
    )

    repos = at_home("repos", password_registry.url, "-u", USER, "--password-stdin", "--debug", stdin=PASSWORD.encode())

    assert f"GET {password_registry.url}/v2/_catalog" in repos.err
    assert f"GET {password_registry.url}/v2/acme/web/tags/list: 200" in told.err
    assert PASSWORD not in told.err
    assert "YWRh" not in told.err


def test_dld_25_referrers_are_verified_on_demand(said: Run, own_registry: RunningRegistry) -> None:
    own_registry.push(LAYOUT, "single", "acme/web:1.3")
    web = f"{own_registry.address}/acme/web"
    [image] = json.loads(said("resolve", f"{web}:1.3", "--format", "json").out)
    types = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json"}
    own_registry.put("acme/web", image["digest"].replace(":", "-"), {**types, "manifests": [image]})

    assert len(said("referrers", f"{web}:1.3").lines) == 1
    verified = said("referrers", f"{web}:1.3", "--verify")
    assert (verified.lines, verified.code) == ([], 0)
    assert "has no subject" in verified.err
