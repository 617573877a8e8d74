"""Documents with one thing changed, as faults and attacks change them."""

import json
from random import Random
from typing import Any

_VALUES = """
    [null, true, 0, -1, 1, 2, 2.0, 1e3, 9223372036854775808, "", "a", "a/b", "A:b", [], {}, [null], [1],
     {"": ""}, "\\u0000"]
"""
_NAMES = """
    mediaType Layers layers manifests config fsLayers signatures schemaVersion digest \u017fize size data urls
    annotations platform os os.version rootfs history created Env x artifactType subject Labels ExposedPorts
    Healthcheck type diff_ids
""".split()
_TEXTS = [b'"', b"{", b"[", b",", b"\\", b"\\u0000", b"1e400", b"NaN", b" ", b"\xff", b"\xef\xbb\xbf", b"\\ud800"]


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for name, value in inner for found in ((*path, name), *_places(value, (*path, name)))]


def changed_tree(tree: Any, random: Random) -> bytes:
    """The document with one member changed, taken away or added."""
    *above, name = random.choice(_places(tree) or [("x",)])
    node = tree
    for step in above:
        node = node[step]
    value = random.choice(json.loads(_VALUES))
    match random.randrange(3):
        case 0:
            node[name] = value
        case 1:
            node.pop(name, None) if isinstance(node, dict) else node.pop(name)
        case _ if isinstance(node, dict):
            node[random.choice(_NAMES)] = value
        case _:
            node.append(value)
    return json.dumps(tree, indent=random.choice([None, 1])).encode()


def changed_text(raw: bytes, random: Random) -> bytes:
    """The text with something put in, or taken out."""
    place = random.randrange(len(raw) + 1)
    return raw[:place] + random.choice([b"", *_TEXTS]) + raw[place + random.choice([0, 0, 1, 5]) :]
