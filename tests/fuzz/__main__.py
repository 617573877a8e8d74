"""Coverage-guided fuzzing of what reads a stranger's text: `python -m tests.fuzz TARGET -max_total_time=60`.

It needs the dependency group `fuzz`, is run by hand, and goes on until something other than a parser's own error comes
out. What stands behind the target is for libFuzzer, such as a folder with texts to begin with.
"""

import sys
from collections.abc import Callable
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["dreg_client"]):
    from dreg_client import Digest, Platform, Reference, errors, parse_manifest, validate
    from dreg_client.models.json_text import AmbiguousTextError, read_object, scan
    from dreg_client.protocol.messages import Headers, Response
    from dreg_client.protocol.tags_and_catalog import next_target
    from dreg_client.protocol.www_authenticate import parse_challenges, scope_to_request
    from dreg_client.values.store_name import StoreName


def reference(octets: bytes) -> None:
    text = octets.decode("utf-8", "surrogateescape")
    with suppress(errors.InvalidReferenceError):
        found = Reference.parse(text)
        assert Reference.parse(str(found)) == Reference.parse(found.familiar) == found
    with suppress(errors.InvalidReferenceError, errors.InvalidDigestError):
        StoreName.parse(text)
    with suppress(errors.InvalidDigestError):
        Digest.parse(text)
    with suppress(errors.InvalidPlatformError):
        assert Platform.from_name(str(Platform.from_name(text))) == Platform.from_name(text)


def challenge(octets: bytes) -> None:
    with suppress(errors.ChallengeError):
        for found in parse_challenges(octets.decode("latin-1").split("\n")):
            scope_to_request(found.scope, "repository:a/b:pull", "GET")


def link(octets: bytes) -> None:
    headers = Headers(("Link", line) for line in octets.decode("latin-1").split("\n"))
    response = Response(200, headers, url="https://r.example/v2/a/tags/list", registry="https://r.example")
    with suppress(errors.ProtocolError, errors.CrossOriginError):
        target = next_target(response)
        assert target is None or target.startswith("https://r.example")


def json(octets: bytes) -> None:
    """What the fast road reads, the slow one reads alike."""
    tree, problems = scan(octets)
    try:
        found = read_object(octets)
    except AmbiguousTextError:
        assert problems, "refused for nothing"
    else:
        assert repr(found) == repr(tree)


def document(octets: bytes) -> None:
    report = validate(octets)
    try:
        parse_manifest(octets, legacy=True)
    except errors.DocumentError:
        return
    assert report.ok, "what is read has no error"


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (reference, challenge, link, json, document)
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz {'|'.join(TARGETS)} [libFuzzer's options]")
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
