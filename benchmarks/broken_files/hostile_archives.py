"""Hostile archives, arrays, pickles and HDF5 tables."""

from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.broken_files.grammar import Grammar

DTYPES = ("<f8", "<f4", ">f8", "<i4", "<u8", "|b1", "<c16", "<U9", "|S5", "<M8[s]", "|V9", "|O", "<f2", "[('x','<f8')]")
SHAPES: tuple[tuple[int, ...], ...] = (
    (), (0,), (3,), (6, 17), (6, 17, 2), (6, 17, 3), (6, 17, 4), (1, 17, 2), (0, 17, 2), (6, 0, 2), (6, 18, 2),
    (1, 1, 1, 1), (10**6, 17, 2), (10**9, 17, 2), (2**62, 2), (10**30,), (-1, 17, 2), (2, 10**6), (1,) * 40,
)  # fmt: skip


def npy(chance: random.Random, pose: np.ndarray) -> bytes:
    """An array file with any type and shape, a header that claims too much, or a pickle."""
    match chance.randrange(6):
        case 0:
            shape, kind = chance.choice(SHAPES), chance.choice(DTYPES)
            described = kind if kind.startswith("[") else repr(kind)
            text = f"{{'descr': {described}, 'fortran_order': {chance.random() < 0.2}, 'shape': {shape}, }}"
            data = bytes(chance.choice((0, 8, 6 * 17 * 2 * 8, 100_000)))
            return _npy_header(text) + data
        case 1:
            text = chance.choice(("{}", "[" * 900, "9" * 9000, "{'descr': '<f8'}", "\0" * 99, " " * 60_000, "None"))
            return _npy_header(text) + bytes(16)
        case 2:
            return _saved(np.array("x" * chance.choice((0, 1, 100_000))))
        case 3:
            return _npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (), }") + hostile_pickle(chance, pose)
        case 4:
            fill = chance.choice((np.nan, np.inf, 1e308, -1e308, 0, 1e5, 5e-324))
            return _saved(np.full(pose.shape, fill))
        case _:
            values: list[Any] = [10**400, -1, 0, 1e308, np.nan, 2**63, [1, 2, 3], ["a"], [[]], True, 1j, b"x"]
            return _saved(np.array(chance.choice(values)))


def _npy_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + min(len(text) + 1, 65535).to_bytes(2, "little") + text.encode() + b"\n"


def _saved(array: np.ndarray) -> bytes:
    with io.BytesIO() as file:
        np.save(file, array, allow_pickle=True)
        return file.getvalue()


def hostile_pickle(chance: random.Random, pose: np.ndarray) -> bytes:
    """A pickle: shared references, containers in themselves, calls, keys that are slow to hash, random opcodes."""
    leaf: Any = chance.choice((1.5, "x", None, pose, {}, [], b"x" * 1000, 10**400))
    match chance.randrange(7):
        case 0:
            for _ in range(chance.choice((1, 3, 9, 30))):
                leaf = [leaf] * chance.choice((1, 2, 10, 1000)) if chance.random() < 0.7 else {"s": leaf, "t": leaf}
            return pickle.dumps(leaf, chance.choice((2, 4)))
        case 1:
            return b"\x80\x04" + chance.choice((b"]\x94h\x00a.", b"}\x94K\x01h\x00s.", b"]\x94(h\x00h\x00e."))
        case 2:
            return b"\x80\x04})" + b"2\x86" * chance.choice((3, 60, 5000)) + b"K\x01s."
        case 3:
            names = ("os\nsystem", "numpy\nndarray", "numpy\ndtype", "builtins\neval", "_codecs\nencode")
            arguments: Any = chance.choice(((), (10**13,), ((10**13,),), ("O",), ("f8", 1), (2**30,), ("V9",)))
            return b"c" + chance.choice(names).encode() + b"\n" + pickle.dumps(arguments, 2)[2:-1] + b"R."
        case 4:
            opcodes = b"()]}.012NIK\x00aestuhqbR\x81\x85\x86\x87\x88\x89\x8c\x8f\x90\x91\x93\x94"
            return bytes(chance.choice(opcodes) for _ in range(chance.choice((5, 30, 300))))
        case 5:
            return chance.choice((b"X", b"B", b"\x8d", b"\x8e", b"\x96", b"\x8b")) + b"\xff\xff\xff\x7f\0\0\0\0" + b"x."
        case _:
            nested: Any = leaf
            for _ in range(chance.choice((1, 2, 4, 100))):
                nested = chance.choice(([nested], {"s": nested}, {"s": {"a": nested}}, (nested, nested)))
            return pickle.dumps(nested, chance.choice((2, 4)))


def archive(folder: Path, chance: random.Random, name: str, whole: bytes, pose: np.ndarray) -> Path:
    """An .npz file made from a valid one. Members are replaced or added, or the archive claims another size."""
    rate = chance.choice((0.1, 0.3, 0.6))
    path = folder / name
    bomb = chance.random() < 0.004
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as before,
        zipfile.ZipFile(
            path, "w", zipfile.ZIP_DEFLATED if bomb or chance.random() < 0.3 else zipfile.ZIP_STORED
        ) as after,
    ):
        for member in before.namelist():
            data = before.read(member)
            if chance.random() < rate:
                header = member == "about.npy" or "header" in member
                data = _saved_header(chance) if header and chance.random() < 0.7 else npy(chance, pose)
            if bomb and "keypoints" in member:
                shape = chance.choice(((200_000, 17, 2), (10, 400_000, 2), (8_000_000,)))
                data = _saved(np.zeros(shape))
            after.writestr(member, data)
        if chance.random() < 0.1:
            after.writestr("x" * chance.choice((1, 60_000)) + ".npy", npy(chance, pose))
    if chance.random() < 0.15:  # the directory claims another size than there is
        content = bytearray(path.read_bytes())
        at = content.rfind(b"PK\x01\x02")
        content[at + 24 : at + 28] = chance.choice((0, 1, 1 << 20, (1 << 29), (1 << 32) - 1)).to_bytes(4, "little")
        path.write_bytes(content)
    return path


def _saved_header(chance: random.Random) -> bytes:
    """The header of saved tracks, with hostile JSON."""
    grammar = Grammar(chance)
    grammar.rate = chance.choice((0.02, 0.1, 0.3))
    track = grammar.object(
        name=grammar.json('"a"'),
        skeleton=grammar.json('"coco17"'),
        image_size=grammar.list([grammar.json("320"), grammar.json("240")]),
        frame_rate_hz=grammar.json("25.0"),
    )
    text = grammar.object(version=grammar.json("1"), about=grammar.json("{}"), tracks=grammar.list([track]))
    return _saved(np.array(text))


def deeplabcut_hdf5(folder: Path, chance: random.Random, names: Iterable[str]) -> Path:
    """A table as pandas writes it, with columns, types and claimed sizes of all kinds. Needs h5py."""
    import h5py

    columns: Any = [("DLC", name, channel) for name in names for channel in ("x", "y", "likelihood")]
    width, frames = len(columns), chance.choice((6, 6, 6, 0, 1))
    if chance.random() < 0.5:
        columns = chance.choice(
            ([], columns[:-1], columns * 2, [("a",)], [(1, 2, 3)], "abc", None, {}, [("a", "b" * 100_000, "x")] * width,
             [("a", f"p{i}", f"b{i}", "x") for i in range(width)], 10**400)
        )  # fmt: skip
    pickled = pickle.dumps(columns, 0) if chance.random() < 0.8 else hostile_pickle(chance, np.zeros((2, 3)))
    if chance.random() < 0.15:
        frames = chance.choice((10**6, 10**9, 2**40))
    kind = chance.choice(("<f8", "<f8", "<f8", "<f4", "<i4", "S8", "<u8"))
    index = chance.choice(("<i8", "<i8", "<i8", "<f8", "<u8", "S4"))
    table = np.zeros(min(frames, 6), [("index", index), ("values_block_0", kind, (width,))])
    if kind[1] == "f":
        fill = chance.choice((50, 50, 50, np.nan, np.inf, 1e30, -1))
        table["values_block_0"] = fill + 10 * np.random.default_rng(frames).random((len(table), width))
    if index[1] in "iu":
        table["index"] = np.arange(len(table)) * chance.choice((1, 1, 1, 0, -1, 10**9))
    path = folder / "clipDLC_resnet101.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group(chance.choice(("df_with_missing",) * 9 + ("other",)))
        if frames > 6:  # claimed, never written
            stored = group.create_dataset("table", (frames,), table.dtype, chunks=(1024,))
        else:
            stored = group.create_dataset("table", data=table)
        if chance.random() < 0.95:
            stored.attrs["values_block_0_kind"] = np.void(pickled) if len(pickled) < 60_000 else "x"
    return path
