"""Writing: copies between layouts and registries, and uploads, compared with skopeo, crane, regctl and python-dxf."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Contestant, Found, Target, Turn, contest, process, result
from served import MEBIBYTE
from tables import QUICK

from dreg_client import Answered, copy, sync
from tests.registries import RunningRegistry, running

_LAYERS, _LAYER = 16, 2 if QUICK else 32
_BLOB = 16 if QUICK else 256
_TAGS, _DIGESTS = (100, 10) if QUICK else (1000, 50)
_CLIENTS = Path(__file__).parent / "clients.py"
_DREG = "from dreg_client.cli import program; program()"
_OURS, _SKOPEO = "`dreg copy`", "`skopeo copy`"
_PUSH, _DXF = "`push_blob`", "python-dxf"
_SYNC, _LOOP = "`dreg sync`", "python-dxf, one tag after the other"
_KIND = "application/vnd.oci.image"
_PEAK = Target("mebibytes", most=80)


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        own = stack.enter_context(running(folder))
        source = make_layout(folder / "source", _LAYERS, _LAYER)
        yield _to_registry(own, source)
        yield _to_layout(own, folder / "target")
        yield _again(own, folder / "target")
        shutil.rmtree(source)
        yield _blob(own, folder / "blob")
        yield _memory(own, folder)
        yield _tags(own, folder)


def make_layout(path: Path, layers: int, mebibytes: int) -> Path:
    """Write a layout of one image, `1`, whose layers have random bytes."""
    (path / "blobs/sha256").mkdir(parents=True)
    kept = [_put(path, os.urandom(mebibytes * MEBIBYTE), "layer.v1.tar") for _ in range(layers)]
    tags = {"1": _put_image(path, kept)}
    return _finish(path, tags)


def _put(path: Path, octets: bytes, kind: str) -> dict[str, object]:
    digest = hashlib.sha256(octets).hexdigest()
    (path / "blobs/sha256" / digest).write_bytes(octets)
    return {"mediaType": f"{_KIND}.{kind}", "digest": f"sha256:{digest}", "size": len(octets)}


def _put_image(path: Path, layers: list[dict[str, object]]) -> dict[str, object]:
    root = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": root}).encode()
    kind = "manifest.v1+json"
    found = {"config": _put(path, config, "config.v1+json"), "layers": layers}
    return _put(path, json.dumps({"schemaVersion": 2, "mediaType": f"{_KIND}.{kind}", **found}).encode(), kind)


def _finish(path: Path, tags: Mapping[str, dict[str, object]]) -> Path:
    name = "org.opencontainers.image.ref.name"
    entries = [{**image, "annotations": {name: tag}} for tag, image in tags.items()]
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    return path


# --- contestants


def _dreg(*arguments: str, before: Callable[[], object] = int) -> Contestant:
    return process(sys.executable, "-c", _DREG, *arguments, before=before)


def _copiers(own: RunningRegistry, pair: tuple[str, str], before: Callable[[], object]) -> dict[str, Contestant]:
    """Return the programs that copy an image; the ends are `oci:PATH` and `registry:NAME`."""

    def ends(oci: str, registry: str) -> list[str]:
        return [end.replace("oci:", oci).replace("registry:", f"{registry}{own.address}/") for end in pair]

    insecure = f"--{'dest' if pair[1].startswith('registry:') else 'src'}-tls-verify=false"
    skopeo = ("skopeo", "copy", "-q", "--preserve-digests", insecure, *ends("oci:", "docker://"))
    found = {_OURS: _dreg("copy", *ends("oci:", ""), before=before), _SKOPEO: process(*skopeo, before=before)}
    if shutil.which("regctl"):
        plain = ("regctl", "--host", f"reg={own.address},tls=disabled", "image", "copy")
        found["`regctl image copy`"] = process(*plain, *ends("ocidir://", ""), before=before)
    if shutil.which("crane"):
        # crane names no tag of a layout.
        source, target = (end.removesuffix(":1") if end.startswith("/") else end for end in ends("", ""))
        command = ("push", source, target) if source.startswith("/") else ("pull", "--format=oci", source, target)
        found["crane, without hashing uploads"] = process("crane", *command, "--insecure", before=before)
    return found


def _missing(found: Found) -> str:
    absent = [name for name in ("crane", "regctl") if not any(name in what for what in found)]
    return f"Not installed here: {', '.join(absent)}." if absent else ""


def _empty(own: RunningRegistry) -> None:
    """Remove everything from a registry."""
    shutil.rmtree(own.root / "storage", ignore_errors=True)


def _remove(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)


# --- images


def _to_registry(own: RunningRegistry, source: Path) -> str:
    pair = (f"oci:{source}:1", "registry:bench/copy:1")
    found = contest(_copiers(own, pair, partial(_empty, own)), rounds=7)
    targets = [
        Target("wall", most=0.7),
        Target("wall", most=1.3, against="crane, without hashing uploads"),
        _PEAK,
    ]
    title = f"From a layout to an empty registry: {_LAYERS} layers, {_LAYERS * _LAYER} MiB, whole processes"
    return result(title, found, against=_SKOPEO, targets={_OURS: targets}, remark=_missing(found))


def _to_layout(own: RunningRegistry, target: Path) -> str:
    pair = ("registry:bench/copy:1", f"oci:{target}:1")
    found = contest(_copiers(own, pair, partial(_remove, target)), rounds=7)
    targets = [
        Target("wall", most=0.75),
        Target("wall", most=1.4, against="crane, without hashing uploads"),
        _PEAK,
    ]
    title = f"From a registry to a new layout: {_LAYERS} layers, {_LAYERS * _LAYER} MiB, whole processes"
    return result(title, found, against=_SKOPEO, targets={_OURS: targets}, remark=_missing(found))


def _again(own: RunningRegistry, target: Path) -> str:
    start = "`from dreg_client import copy`"
    found = contest(
        {
            "to the layout": _dreg("copy", f"{own.address}/bench/copy:1", f"oci:{target}:1"),
            "to the registry": _dreg("copy", f"oci:{target}:1", f"{own.address}/bench/copy:1"),
            start: process(sys.executable, "-c", "from dreg_client import copy"),
        },
        rounds=7,
    )
    sent: dict[str, int] = {}
    for what, pair in {
        "to the layout": (f"{own.address}/bench/copy:1", f"oci:{target}:1"),
        "to the registry": (f"oci:{target}:1", f"{own.address}/bench/copy:1"),
    }.items():
        requests: Counter[str] = Counter()
        copy(*pair, on_event=partial(_count, requests))
        sent[what] = requests.total()
    told = ", ".join(f"{what} {number} ({_verdict(number, 3)})" for what, number in sent.items())
    return result("The same copies again", found, against=start, remark=f"Requests: {told}.")


def _count(requests: Counter[str], event: object) -> None:
    if isinstance(event, Answered):
        requests[event.method] += 1


def _verdict(number: float, most: float) -> str:
    return f"target: at most {most:g}: {'met' if number <= most else 'MISSED'}"


# --- one blob


def _blob(own: RunningRegistry, path: Path) -> str:
    with path.open("wb") as file:
        for _ in range(_BLOB):
            file.write(os.urandom(MEBIBYTE))
    with path.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"

    def push(job: str, *more: str) -> Contestant:
        return process(sys.executable, _CLIENTS, job, own.address, path, *more, before=partial(_empty, own))

    found = contest(
        {
            _PUSH: push("dreg_push"),
            "the same, async": push("dreg_push_async"),
            _DXF: push("dxf_push"),
            "oras-py": push("oras_push"),
            "the least: http.client, digest given, nothing hashed": push("bare_push", digest),
        },
        rounds=7,
    )
    path.unlink()
    title = f"One file of {_BLOB} MiB to an empty registry, hashed, whole processes"
    return result(title, found, against=_DXF, targets={_PUSH: [Target("wall", most=0.7), _PEAK]})


# --- memory


def _memory(own: RunningRegistry, folder: Path) -> str:
    """Measure copies of an image, of one with larger layers, and of one with more of them."""
    _empty(own)
    size = 1 if QUICK else 8  # enough to fill all buffers
    contestants: dict[str, Contestant] = {}
    targets: dict[str, list[Target]] = {}
    for number, (layers, mebibytes) in enumerate([(8, size), (8, 10 * size), (80, size)]):
        source, target = make_layout(folder / f"memory{number}", layers, mebibytes), folder / f"copy{number}"
        name = f"{own.address}/bench/memory{number}:1"
        out, back = (
            f"{way}: {layers} layers of {mebibytes} MiB" for way in ("layout to registry", "registry to layout")
        )
        contestants[out] = _dreg("copy", f"oci:{source}:1", name)
        contestants[back] = _dreg("copy", name, f"oci:{target}:1", before=partial(_remove, target))
        first = [*contestants][:2]
        for what, base in zip((out, back), first, strict=True):
            targets[what] = [_PEAK] if what == base else [_PEAK, Target("peak", most=1.1, against=base)]
    found = contest(contestants, rounds=1, warm=False)
    title = "Memory of copies does not grow with the size and number of layers"
    return result(title, found, against=next(iter(contestants)), targets=targets)


# --- many tags


def _tags(own: RunningRegistry, folder: Path) -> str:
    _empty(own)
    source = folder / "tags"
    (source / "blobs/sha256").mkdir(parents=True)
    base = _put(source, b"base", "layer.v1.tar")
    images = [
        _put_image(source, [base, *(_put(source, f"{number} {layer}".encode(), "layer.v1.tar") for layer in range(4))])
        for number in range(_DIGESTS)
    ]
    _finish(source, {f"t{number}": images[number % _DIGESTS] for number in range(_TAGS)})
    sync(f"oci:{source}", f"{own.address}/bench/from")

    def run(number: list[int], contestant: Callable[[str], Contestant]) -> Turn:
        number[0] += 1  # each turn has an empty repository
        return contestant(f"to{number[0]}")()

    place = [0]
    turns: Mapping[str, Callable[[str], Contestant]] = {
        _SYNC: lambda name: _dreg("sync", f"{own.address}/bench/from", f"{own.address}/bench/{name}"),
        _LOOP: lambda name: process(sys.executable, _CLIENTS, "dxf_tags", own.address, "bench/from", f"bench/{name}"),
        "the same, but each blob is mounted once": lambda name: process(
            sys.executable, _CLIENTS, "dxf_tags_once", own.address, "bench/from", f"bench/{name}"
        ),
    }
    found = contest({what: partial(run, place, turn) for what, turn in turns.items()}, rounds=1, warm=False)
    requests: Counter[str] = Counter()
    sync(f"{own.address}/bench/from", f"{own.address}/bench/counted", on_event=partial(_count, requests))
    told = ", ".join(f"{number:,} {method}" for method, number in requests.items())
    title = f"{_TAGS:,} tags of {_DIGESTS} images to an empty repository of the same registry"
    remark = f"Requests of `sync`: {told}."
    return result(title, found, against=_LOOP, targets={_SYNC: [Target("wall", most=0.33)]}, remark=remark)
