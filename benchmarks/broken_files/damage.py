"""Damages a valid file: at random bytes, in its JSON tree, or in a member of its archive."""

from __future__ import annotations

import copy
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

HOSTILE: list[Any] = [
    None, True, "", "12.5", "x" * 300, [], {}, [[]], -1, 0, 1e308, -1e9, 10**400, float("nan"), float("inf"),
    [1, 2, 3], ["1", "2", "3"], {"x": 1}, [None] * 51, [0.5] * 51, [1e6] * 51, "NaN", 2**63, 1.5,
]  # fmt: skip
TOKENS = [b"NaN", b"null", b"-", b"1e999", b'"', b"[", b"]", b"{", b"}", b",", b"\x00", b"\xff", b"\t", b"\n", b"[[[["]


def damaged(file: Path, content: bytes, chance: random.Random) -> bytes:
    """Damage the content of a file, by its suffix or as plain bytes."""
    structured = {".json": break_json, ".npz": break_archive}.get(file.suffix, break_bytes)
    return (structured if chance.random() < 0.6 else break_bytes)(content, chance)


def break_bytes(content: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat, remove or insert bytes, once or a few times."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                del data[at:]
            case 2:
                del data[at : at + chance.randrange(1, 200)]
            case 3:
                data[at:at] = data[at : at + chance.randrange(1, 200)]
            case 4:
                data[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 3, 5000))
            case _:
                data[at : at + chance.randrange(1, 9)] = chance.choice(TOKENS)
    return bytes(data)


def break_json(content: bytes, chance: random.Random) -> bytes:
    """Replace a value by a hostile one, remove or repeat a value, or rename a key."""
    tree = json.loads(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        parent, key = _somewhere(tree, chance)
        if parent is None:
            return json.dumps(chance.choice(HOSTILE)).encode()
        match chance.randrange(5):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, list):
                parent += [parent[key]] * chance.choice((1, 2, 400))
            case 2 if isinstance(parent, dict):
                parent[f"{key}?"] = parent.pop(key)
            case _:
                parent[key] = copy.deepcopy(chance.choice(HOSTILE))
    return json.dumps(tree).encode()


def _somewhere(tree: Any, chance: random.Random) -> tuple[Any, Any]:
    """A random container in a JSON tree, and one of its keys."""
    parent, key, here = None, None, tree
    while isinstance(here, list | dict) and here and (parent is None or chance.random() < 0.8):
        parent, key = here, chance.randrange(len(here)) if isinstance(here, list) else chance.choice(list(here))
        here = parent[key]
    return parent, key


def break_archive(content: bytes, chance: random.Random) -> bytes:
    """Damage a member before it is packed, so that its checksum is right. Or drop or empty it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(packed, "w") as after:
        names = before.namelist()
        victim = chance.choice(names)
        for name in names:
            data = before.read(name)
            if name == victim:
                match chance.randrange(8):
                    case 0:
                        continue
                    case 1:
                        data = b""
                    case 2:
                        with io.BytesIO() as file:
                            # Readers must refuse this; nothing here reads it.
                            np.save(file, _hostile_array(chance), allow_pickle=True)
                            data = file.getvalue()
                    case _:
                        data = break_bytes(data, chance)
            after.writestr(name, data)
    return packed.getvalue()


def _hostile_array(chance: random.Random) -> np.ndarray:
    arrays: list[Any] = [
        np.zeros((0, 17, 2)), np.full((6, 17, 3), np.nan), np.full((6, 17, 2), np.inf), np.full((6, 17, 2), "1.5"),
        np.ones((6, 17, 2), bool), np.full((6, 17, 2), 1e30), np.ones((6, 17, 2), complex), np.zeros(()), np.zeros(3),
        np.array(None), np.array({"s": {"a": 5}}), np.array({"s": [1]}), np.array([[1], [1, 2]], object),
        np.array("coco18"), np.array(-5.0), np.array("x"), np.array([0, 0]), np.array({1: {2: [[[["x"]]]]}}),
    ]  # fmt: skip
    return chance.choice(arrays)
