"""Texts that come near to what a grammar has: its own pieces, joined anyhow, and strangers among them."""

from hypothesis import strategies as st

STRANGERS = (
    "\0",
    "\t",
    "\n",
    "\r",
    "\x7f",
    "\x85",
    "\xa0",
    "é",
    "\u017f",
    "\uff11",
    "\u2028",
    "\ud800",
    "😀",
    "%2e",
    "\\",
    "'",
)


def joined(*pieces: str, most: int = 12) -> st.SearchStrategy[str]:
    """Texts of these pieces; one in some has a stranger in it, or is nothing but strangers."""
    known = st.lists(st.sampled_from(pieces), max_size=most).map("".join)
    strange = st.lists(st.sampled_from((*pieces, *STRANGERS)), max_size=most).map("".join)
    return known | strange | st.text(max_size=80)


REFERENCES = joined(
    "docker.io", "localhost", "r.example", "[::1]", "FOO", ":5000", ":", "/", "@", "a", "b__c", "library", "-", ".",
    "..", "latest", "ab" * 32, "sha256:" + "ab" * 32, "sha512:", "oci:", "docker://", " ", "?x=1", "#", "~", "user:pw",
)  # fmt: skip
DIGESTS = joined("sha256", "sha512", "md5", "+", "_", ":", "=", "-", "a", "ab" * 32, "AB" * 32, "../", " ")
PLATFORMS = joined("linux", "windows", "(", ")", "/", "arm64", "arm", "v8", "v7", "amd64", "10.0.1", "+", "%", "*", " ")
STORES = joined(
    "oci:", "oci-archive:", "docker-archive:", "docker://", "a", "/", ".tar", ":", "@", "0", "-1", "sha256:"
)
TIMES = joined("2024-02-29", "2023-02-29", "0000-00-00", "T", "t", " ", "23:59:60", "12:00:00", ".", "9", "Z", "+24:00")
MEDIA_TYPES = joined("application", "/", "vnd.oci", ".", "+", "json", ";", "charset=utf-8", " ", "*", '"', ",")
CHALLENGES = joined(
    "Bearer", "Basic", " ", ",", "=", "realm", '"', "\\", "https://a.test/t", "dG9rZW4", "/", "\t", "scope"
)
LINKS = joined(
    "<", ">", ";", ",", "rel", "=", '"', "next", " ", "/v2/a?n=1", "https://evil.test/", "\\", "file:", "[", "]"
)
WAITS = joined(
    "0", "1", "9" * 6, "-", "Wed, ", "21 Oct 2015 ", "07:28:00", " GMT", "+9999", ":", "0001", "99999999999", " ",
    "Feb 30",
)  # fmt: skip
JSON = joined(
    "{", "}", "[", "]", ",", ":", '"', '"a"', "1", "-", ".5", "e999", "NaN", "null", "true", "\\u0000", "\\ud800", " ",
    '"mediaType":', '"layers":[]', '"schemaVersion":2', '"config":', '"digest"', "9" * 40,
)  # fmt: skip
