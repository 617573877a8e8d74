"""Tar archives that lead elsewhere, claim too much, or are none (LAY-18): errors of ours, soon, in little memory."""

import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from dreg_client import Digest, DockerArchive, DregError
from dreg_client._sync.layout import open_oci_archive
from dreg_client._sync.validation import validate_layout
from dreg_client.errors import LayoutCorruptError, LayoutError, NotFoundError, UnsafePathError
from dreg_client.files import compressed, member_links, rooted, tar_headers
from dreg_client.files.rooted import DirectoryFiles, Files
from dreg_client.files.tar import TarFiles

Write = Callable[..., Path]
GOOD = [
    ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
    ("index.json", b'{"schemaVersion":2,"manifests":[]}'),
]


def member(name: str, kind: bytes, link: str = "", size: int = 0) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.linkname, header.size = kind, link, size
    return header


def block(name: bytes, kind: bytes = b"0", size: bytes = b"%011o\0" % 0, magic: bytes = b"ustar\x0000") -> bytes:
    """A header by hand, with a right checksum."""
    head = name.ljust(100, b"\0") + b"0000644\0" * 3 + size.ljust(12, b"\0") + b"%011o\0" % 0
    rest = kind + bytes(100) + magic + bytes(512 - 257 - len(magic))
    total = sum(head) + sum(rest) + 8 * 32
    return head + b"%06o\0 " % total + rest


def padded(body: bytes) -> bytes:
    return body + bytes(-len(body) % 512)


def extended(kind: bytes, body: bytes) -> bytes:
    return block(b"extension", kind, b"%011o\0" % len(body)) + padded(body)


def record(key: str, value: str) -> bytes:
    text = f" {key}={value}\n"
    length = len(text) + 1
    while len(f"{length}{text}") != length:
        length += 1
    return f"{length}{text}".encode()


def refused(path: Path, kind: type[DregError] = LayoutCorruptError) -> str:
    for read in (TarFiles, open_oci_archive, DockerArchive):
        with pytest.raises(kind) as caught:
            read(path)
    assert str(caught.value).isprintable()
    return str(caught.value)


# --- names and links


@pytest.mark.parametrize("name", ["../x", "/../x", "blobs/../../x", "a/..", "..", "C:\\x", "a\\..\\b"])
def test_lay_18_a_name_that_leads_outside_refuses_the_archive(tarred: Write, name: str) -> None:
    assert "leads outside" in refused(tarred(*GOOD, (name, b"body")), UnsafePathError)


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"V", b"Z", b"D"])
def test_lay_18_devices_and_unknown_members_refuse_the_archive(tarred: Write, kind: bytes) -> None:
    refused(tarred(*GOOD, member("blobs/device", kind)), UnsafePathError)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "a/../../../x", "//x", "down/../../y"])
def test_lay_18_a_link_that_leads_outside_refuses_the_archive(tarred: Write, kind: bytes, target: str) -> None:
    """`blobs/down` is a link to the root, so `blobs/down/..` is outside, however it reads."""
    links = [member("blobs/down", tarfile.SYMTYPE, ".."), member("blobs/link", kind, target)]

    assert "leads outside" in refused(tarred(*GOOD, ("manifest.json", b"[]"), *links), UnsafePathError)


def test_lay_18_links_in_a_circle_refuse_the_archive(tarred: Write) -> None:
    circle = [member("a/one", tarfile.SYMTYPE, "two/x"), member("a/two", tarfile.SYMTYPE, "../a/one")]

    assert "more than 40" in refused(tarred(*GOOD, ("manifest.json", b"[]"), *circle), UnsafePathError)


def test_lay_18_links_whose_targets_grow_refuse_the_archive(tarred: Write) -> None:
    growing = [member("l0", tarfile.SYMTYPE, "x" * 90)]
    growing += [member(f"l{n}", tarfile.SYMTYPE, f"l{n - 1}/" + "x" * 90) for n in range(1, 39)]

    assert "1024 characters" in refused(tarred(*GOOD, ("manifest.json", b"[]"), *growing), UnsafePathError)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_lay_18_links_that_are_long_to_follow_refuse_the_archive(
    tarred: Write, kind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundredth of the limit takes a hundredth of the time; tests/hostile/test_lay.py reaches the limit itself."""
    monkeypatch.setattr(member_links, "MOST_STEPS", member_links.MOST_STEPS // 100)
    links = [member(f"l{number}", kind, "/".join(["a"] * 500)) for number in range(member_links.MOST_STEPS // 500 + 1)]

    assert "limit of 20000 path components" in refused(tarred(*GOOD, ("manifest.json", b"[]"), *links), UnsafePathError)


def test_lay_18_a_name_that_a_link_makes_too_long_is_not_opened(tarred: Write) -> None:
    """Neither as a member, nor as a directory; the other members are read."""
    long = "/".join(["x" * 99] * 10)
    with closing(TarFiles(tarred(member("l", tarfile.SYMTYPE, long), ("file", b"body")))) as files:
        for parts in (("l", "y" * 100), ("l", "y" * 100, "z")):
            with pytest.raises(UnsafePathError, match="longer than 1024 characters"):
                files.open(*parts)
        assert not files.has_directory("l/" + "y" * 100)
        assert list(files.names("l/" + "y" * 100)) == []
        assert files.read("file", limit=10) == b"body"


@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_lay_18_linked_directories_in_each_other_are_not_listed_without_end(
    tarred: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """20 links to directories, each of which holds the one before: 210 names for 20 files."""
    files = [("a/" * depth + "file", b"") for depth in range(1, 21)]
    links = [member(f"blobs/{depth}", tarfile.SYMTYPE, "../" + "a/" * depth) for depth in range(1, 21)]
    path = tarred(*files, *links)
    if kind == "oci":
        (tmp_path / "unpacked").mkdir()
        with tarfile.open(path) as archive:
            archive.extractall(tmp_path / "unpacked", filter="data")
    opened: Files = DirectoryFiles(tmp_path / "unpacked") if kind == "oci" else TarFiles(path)

    with closing(opened):
        assert len(list(opened.names("blobs"))) == 210
        monkeypatch.setattr(rooted, "MOST_LINKED", 209)
        with pytest.raises(UnsafePathError, match="more than 209 files"):
            list(opened.names("blobs"))


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_lay_03_a_top_file_that_is_a_link_is_not_read_from_an_archive(tarred: Write, name: str, kind: bytes) -> None:
    moved = [("moved" if name == here else here, body) for here, body in GOOD]

    with pytest.raises(UnsafePathError, match=f"{name} is a link"):
        open_oci_archive(tarred(*moved, member(name, kind, "moved")))


def test_links_stand_for_the_members_that_they_lead_to(tarred: Write) -> None:
    """Chains and links to directories, too; a link to nothing is listed, and names no file."""
    names = {"one": "two", "two": "../top/good", "nothing": "missing", "up": "..", "good": "../below/file"}
    links = [member(f"top/{name}", tarfile.SYMTYPE, target) for name, target in names.items()]
    links += [member("top/hard", tarfile.LNKTYPE, "/below/file"), member("top/inner", tarfile.SYMTYPE, "../below")]
    with closing(TarFiles(tarred(*links, ("/below/file", b"body")))) as files:
        listed = ["good", "hard", "inner/file", "nothing", "one", "two", "up/below/file"]
        assert [name for name in files.names("top") if "up/top" not in name] == [f"top/{name}" for name in listed]
        for name in ("top/good", "top/hard", "top/one", "top/inner/file", "top/up/top/inner/file", "/below/file"):
            assert files.read(name, limit=10) == b"body"
        for name in ("top/nothing", "../below/file", "top", "top/up"):
            with pytest.raises(FileNotFoundError):
                files.open(name)
        assert files.has_directory("top/inner")
        assert not files.has_directory("top/good")


# --- what two readers could read differently


@pytest.mark.parametrize("other", ["index.json", "./index.json", "blobs/.././index.json"])
def test_lay_18_a_member_that_is_there_twice_refuses_the_archive(tarred: Write, other: str) -> None:
    with pytest.raises(LayoutError):
        open_oci_archive(tarred(*GOOD, (other, b"{}")))


def test_lay_18_sparse_members_refuse_the_archive(tarred: Write, tmp_path: Path) -> None:
    assert "sparse" in refused(tarred(*GOOD, member("blobs/sparse", tarfile.GNUTYPE_SPARSE)))
    for version in ("GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size"):
        path = tmp_path / "sparse.tar"
        path.write_bytes(extended(b"x", record(version, "1")) + block(b"blobs/x") + bytes(1024))
        assert "sparse" in refused(path)


CRAFTED = {
    "size over the file": block(b"index.json", size=b"77777777777\0"),
    "size by pax over the file": extended(b"x", record("size", "99999999999")) + block(b"index.json"),
    "size by pax of 30 digits": extended(b"x", record("size", "9" * 30)) + block(b"index.json"),
    "size by pax below zero": extended(b"x", record("size", "-512")) + block(b"index.json"),
    "size below zero": block(b"index.json", size=b"\xff" * 12),
    "size beyond 64 bits": block(b"index.json", size=b"\x80" + b"\xff" * 11),
    "size in words": block(b"index.json", size=b"many\0"),
    "size with underscores": block(b"index.json", size=b"0_0_0_0_0_0\0"),
    "size of a link": block(b"link", b"2", b"%011o\0" % 512) + bytes(512),
    "size of a directory": block(b"blobs/", b"5", b"%011o\0" % 512) + bytes(512),
    "names for all": extended(b"g", record("path", "index.json")) + block(b"x"),
    "sizes for all": extended(b"g", record("size", "0")) + block(b"index.json"),
    "two pax names": extended(b"x", record("path", "a")) * 2 + block(b"index.json"),
    "pax name and long name": extended(b"x", record("path", "a")) + extended(b"L", b"b\0") + block(b"x"),
    "name with nul by pax": extended(b"x", record("path", "index.json\0x")) + block(b"x"),
    "broken pax": extended(b"x", b"99 path=x\n") + block(b"x"),
    "pax length zero": extended(b"x", b"0 path=x\n") + block(b"x"),
    "pax of digits": extended(b"x", b"1" * 60_000) + block(b"x"),
    "pax without an equals sign": extended(b"x", b"8 path\n\n") + block(b"x"),
    "pax over the file": block(b"extension", b"x", b"77777777777\0"),
    "long name of 2 MiB": extended(b"L", b"a" * (2 << 20)) + block(b"x"),
    "broken header behind a good one": block(b"good") + b"x" * 512,
    "one block of zeros, then more": block(b"good") + bytes(512) + block(b"index.json"),
    "half a header": block(b"good") + block(b"index.json")[:100],
    "half a block of zeros": block(b"good") + bytes(100),
    "nothing": b"",
    "text": b"# not a tar\n" * 100,
    "a zip": b"PK\x03\x04" + bytes(600),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(600),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_lay_18_what_is_no_honest_tar_refuses_the_archive(tmp_path: Path, name: str) -> None:
    path = tmp_path / "crafted.tar"
    path.write_bytes(CRAFTED[name])

    refused(path)


def test_a_chain_of_headers_takes_neither_stack_nor_time(tmp_path: Path) -> None:
    """`tarfile` follows each by a call of itself."""
    path = tmp_path / "chain.tar"
    path.write_bytes(extended(b"g", record("comment", "x")) * 20_000 + block(b"good") + bytes(1024))

    with closing(TarFiles(path)) as files:
        assert files.read("good", limit=0) == b""


def test_headers_of_other_writers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "other.tar"
    body = extended(b"g", record("comment", "git archive")) + extended(b"x", record("mtime", "1.5"))
    body += block(b"old/", b"\0", magic=b"") + block(b"old/v7", b"\0", magic=b"")
    body += extended(b"x", record("path", "./blobs/long") + record("size", "3")) + block(b"short") + padded(b"abc")
    body += block(b"gnu", size=b"\x80" + struct.pack(">11s", (4).to_bytes(11, "big")), magic=b"ustar  \0")
    path.write_bytes(body + padded(b"body"))  # without an end, as some writers leave it

    with closing(TarFiles(path)) as files:
        assert files.read("blobs", "long", limit=9) == b"abc"
        assert files.read("gnu", limit=9) == b"body"
        assert files.has_directory("old")
        assert not files.has_directory("gnu")


# --- too much


def test_lay_18_too_many_members_refuse_the_archive(tarred: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tarred(*GOOD, *((f"file{number}", b"") for number in range(3)))
    monkeypatch.setattr(tar_headers, "MAX_MEMBERS", 5)
    open_oci_archive(path).close()

    monkeypatch.setattr(tar_headers, "MAX_MEMBERS", 4)
    assert "more than 4 members" in refused(path)


def test_a_bomb_is_unpacked_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(block(b"zeros", size=b"%011o\0" % (64 << 20)) + bytes(64 << 20)))
    monkeypatch.setattr(compressed, "MAX_UNPACKED", 8 << 20)

    tracemalloc.start()
    with pytest.raises(LayoutError, match="too large"):
        TarFiles(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_an_xz_stream_that_wants_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.tar.xz"
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 20}]
    body = bytearray(lzma.compress(bytes(2048), filters=filters))
    assert body[14:16] == b"\x21\x01", "the dictionary's size stands behind its filter's number"
    body[16] = 38  # 2 GiB
    body[20:24] = zlib.crc32(body[12:20]).to_bytes(4, "little")
    path.write_bytes(body)

    with pytest.raises(LayoutCorruptError, match=r"[Mm]emory"):
        TarFiles(path)


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_a_compressed_archive_that_is_broken_is_refused(
    fixtures: Path, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    good = compress((fixtures / "archives/multi.oci.tar").read_bytes())
    path = tmp_path / "broken"
    chance = random.Random(7)  # noqa: S311
    for cut in (len(good) // 2, len(good) - 1, 12):
        path.write_bytes(good[:cut])
        with pytest.raises(LayoutCorruptError, match="decompressed"):
            TarFiles(path)
    for _ in range(40):
        body = bytearray(good)
        body[chance.randrange(6, len(body))] ^= 1 << chance.randrange(8)
        path.write_bytes(body)
        with suppress(DregError):
            open_oci_archive(path).close()


# --- no files


def test_pipes_directories_and_nothing_are_no_archives_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name in ("pipe", "."):
        with pytest.raises(LayoutError):
            TarFiles(tmp_path / name)
    for name in ("missing", "missing/inner", "nul\0"):
        with pytest.raises(NotFoundError):
            TarFiles(tmp_path / name)


def test_an_archive_that_is_cut_while_it_is_read_is_told(fixtures: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.tar"
    path.write_bytes((fixtures / "archives/web.docker.tar").read_bytes())
    with DockerArchive(path) as archive:
        layer = archive.get_image("").get_platform_images()[0].layers[-1]
        os.truncate(path, 1024)
        with pytest.raises(DregError):
            archive.get_blob(layer.digest)


# --- any bytes


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["legacy.docker.tar", "modern.docker.tar", "multi.oci.tar"])
def test_an_archive_with_other_bytes_is_read_or_refused(fixtures: Path, tmp_path: Path, name: str, seed: int) -> None:
    """Only errors of ours come out, and nothing that is read is other than its digest says."""
    good = (fixtures / "archives" / name).read_bytes()
    headers = [at for at in range(0, len(good), 512) if good[at + 257 : at + 262] == b"ustar"]
    path = tmp_path / "any.tar"
    chance = random.Random(seed)  # noqa: S311
    for _ in range(40):
        path.write_bytes(mangled(bytearray(good), headers, chance))
        with suppress(DregError):
            read(path)


def mangled(body: bytearray, headers: list[int], chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        at = chance.choice(headers)
        place = chance.choice(
            [chance.randrange(len(body)), at + chance.randrange(512), at + 124 + chance.randrange(33)]
        )
        body[place] = chance.choice([body[place] ^ 1 << chance.randrange(8), 0, 255, 0x80, ord("7"), ord("x")])
        if chance.random() < 0.7:  # so that it gets past the checksum
            header = body[at : at + 512]
            body[at + 148 : at + 156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 256)
    return bytes(body[: chance.randrange(len(body))] if chance.random() < 0.2 else body)


def read(path: Path) -> None:
    with suppress(DregError), open_oci_archive(path) as archive:
        list(validate_layout(archive, complete=True, pedantic=True))
    with DockerArchive(path) as archive:
        for found in archive.get_image("").get_platform_images():
            for layer in found.layers:
                assert Digest.of(archive.get_blob(layer.digest)) == layer.digest


def test_tarfile_and_this_reader_agree_on_good_archives(fixtures: Path) -> None:
    for path in sorted((fixtures / "archives").iterdir()):
        with closing(TarFiles(path)) as files, tarfile.open(path) as archive:
            for header in archive:
                if not header.isdir():
                    body = archive.extractfile(header)
                    assert body is not None
                    with files.open(header.name) as mine:
                        assert mine.read() == body.read()
                        assert mine.seek(0, io.SEEK_END) == mine.tell()
