"""Downloads of blobs and images from a local registry, compared with python-dxf, skopeo and crane."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from inspect import signature
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Contestant, Target, contest, process, result
from served import blob_file, over_tls, place_blob, place_layer, server
from tables import QUICK

from dreg_client import Digest
from dreg_client._sync.repository import Repository
from tests.registries import RunningRegistry, running

_MEBIBYTES = 64 if QUICK else 1024
_LARGE = 256 if QUICK else 4096
_SLOW = 32 if QUICK else 256
_LAYERS, _LAYER = 16, 2 if QUICK else 32
_RATE = 40
_CLIENTS = Path(__file__).parent / "clients.py"
_OURS, _DXF, _SKOPEO = "`download_blob`, fast", "python-dxf", "`skopeo copy` to `oci:`"
_ONE = "one connection"


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        own = stack.enter_context(running(folder))
        digest = place_blob(own, "bench/blob", _MEBIBYTES)
        yield _http(own, digest, folder / "target")
        with over_tls(own) as behind:
            yield _tls(behind, digest, folder / "target")
        yield _large(own, folder / "target")
        yield _ranges(own, folder / "target")
        yield _image(own, folder / "image")


def _client(job: str, *arguments: str | Path, target: Path) -> Contestant:
    """A process of `clients.py` that writes to a file, which does not exist before."""
    return process(sys.executable, _CLIENTS, job, *arguments, before=lambda: _clear(target))


def _clear(target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)


def _blob(
    own: RunningRegistry, digest: str, target: Path, durability: str = "fast", connections: int = 1
) -> Contestant:
    ca = own.ca_file or ""
    return _client("dreg_blob", own.url, ca, digest, target, durability, str(connections), target=target)


def _peers(own: RunningRegistry, digest: str, target: Path) -> dict[str, Contestant]:
    """Return the other contestants, which download the same blob."""
    ca = own.ca_file or ""
    url = f"{own.url}/v2/bench/blob/blobs/{digest}"
    trust = ("--cacert", ca) if ca else ()
    return {
        "the same, async": _client("dreg_blob_async", own.url, ca, digest, target, target=target),
        _DXF: _client("dxf_blob", own.address, ca, digest, target, target=target),
        "curl, nothing checked": process("curl", "-sf", *trust, "-o", target, url, before=lambda: _clear(target)),
    }


def _crane(own: RunningRegistry, digest: str, target: Path) -> dict[str, Contestant]:
    if shutil.which("crane") is None:
        return {}
    name = f"{own.address}/bench/blob@{digest}"
    return {"crane": process("crane", "blob", "--insecure", name, out=target, before=lambda: _clear(target))}


def _http(own: RunningRegistry, digest: str, target: Path) -> str:
    crane = _crane(own, digest, target)
    found = contest(
        {
            _OURS: _blob(own, digest, target),
            "`download_blob`, full: with fsync": _blob(own, digest, target, "full"),
            **_peers(own, digest, target),
            **crane,
            "`openssl dgst` of the file": process("openssl", "dgst", "-sha256", blob_file(own, digest)),
        },
        rounds=5,
    )
    targets = [Target("wall", most=0.85), Target("cpu", most=0.9), Target("mebibytes", most=64)]
    if crane:
        targets.append(Target("wall", most=1.5, against="crane"))
    title = f"A blob of {_MEBIBYTES:,} MiB to a file, verified, over http, whole processes"
    return result(
        title, found, against=_DXF, targets={_OURS: targets}, remark="" if crane else "crane is not installed here."
    )


def _tls(own: RunningRegistry, digest: str, target: Path) -> str:
    found = contest({_OURS: _blob(own, digest, target), **_peers(own, digest, target)}, rounds=5)
    targets: Mapping[str, list[Target]] = {_OURS: [Target("wall", most=1.0), Target("mebibytes", most=64)]}
    return result(f"The same blob of {_MEBIBYTES:,} MiB over TLS", found, against=_DXF, targets=targets)


def _large(own: RunningRegistry, target: Path) -> str:
    digest = place_blob(own, "bench/blob", _LARGE)
    full = "`download_blob`, full: with fsync"
    contestants = {_OURS: _blob(own, digest, target), full: _blob(own, digest, target, "full")}
    found = contest(contestants, rounds=1, warm=False)
    blob_file(own, digest).unlink()
    _clear(target)
    peak = [Target("mebibytes", most=64)]
    title = f"A blob of {_LARGE:,} MiB: memory does not grow with it"
    return result(title, found, against=_OURS, targets={_OURS: peak, full: peak})


def _ranges(own: RunningRegistry, target: Path) -> str:
    digest = place_blob(own, "bench/blob", _SLOW)
    with server("slow_server.py", str(blob_file(own, digest)), digest, str(_RATE)) as address:
        slow = RunningRegistry(address, own.root)
        contestants = {_ONE: _blob(slow, digest, target), _DXF: _peers(slow, digest, target)[_DXF]}
        wide = "`download_blob(connections=4)`"
        if "connections" in signature(Repository.download_blob).parameters:
            contestants[wide] = _blob(slow, digest, target, connections=4)
        found = contest(contestants, rounds=3, warm=False)
    title = f"A blob of {_SLOW} MiB from a server that gives each connection {_RATE} MiB/s"
    return result(
        title,
        found,
        against=_ONE,
        targets={wide: [Target("wall", most=1 / 3, speed=True), Target("mebibytes", most=64)]},
    )


def _image(own: RunningRegistry, target: Path) -> str:
    _put_image(own)
    ours = "layers to verified files, 4 threads"
    name = f"docker://{own.address}/bench/image:latest"
    found = contest(
        {
            ours: process(sys.executable, _CLIENTS, "dreg_image", own.url, target, before=lambda: _empty(target)),
            _SKOPEO: process(
                "skopeo",
                "copy",
                "-q",
                "--src-tls-verify=false",
                name,
                f"oci:{target}:latest",
                before=lambda: _empty(target),
            ),
        },
        rounds=5,
    )
    title = f"An image of {_LAYERS} layers, {_LAYERS * _LAYER} MiB, whole processes"
    return result(
        title, found, against=_SKOPEO, targets={ours: [Target("wall", most=0.35), Target("mebibytes", most=64)]}
    )


def _empty(target: Path) -> None:
    _clear(target)
    target.mkdir()


def _put_image(own: RunningRegistry) -> None:
    layers = [place_layer(own, "bench/image", _LAYER) for _ in range(_LAYERS)]
    config = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]}}'
    octets = (config % ",".join(f'"{digest}"' for digest, _ in layers)).encode()
    own.put_blob("bench/image", octets)
    kind = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": _described(f"{kind}.config.v1+json", octets),
        "layers": [{"mediaType": f"{kind}.layer.v1.tar+gzip", "digest": one, "size": size} for one, size in layers],
    }
    own.put("bench/image", "latest", manifest)


def _described(media_type: str, octets: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(Digest.of(octets)), "size": len(octets)}
