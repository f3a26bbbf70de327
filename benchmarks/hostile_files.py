"""Hostile keypoint files, built from a grammar of each format and not from a valid file.

Each rule of the grammar may give what the format has there, or something hostile: another type, a number beyond all
bounds, a key twice, thousands of nested lists, a million joints. A file has one rate of hostility, from none to half of
all rules, so that some files get deep into a reader.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

RATES = (0.0, 0.0005, 0.002, 0.01, 0.05, 0.5)
JSON_VALUES = (
    "null", "true", "[]", "{}", '""', '"12.5"', "NaN", "Infinity", "-Infinity", "1e999", "1e308", "-1e308", "-1", "0",
    "0.5", "9" * 400, "9" * 5000, str(2**63), str(-(2**64)), "1e-320", '"\\ud800"', '"' + "x" * 6000 + '"', "[[[]]]",
    "[1,2,3]", '{"x":1}', "[null,null,null]", '"NaN"', "tru", "", ",", '{"keypoints":[]}', "[" + "1," * 5000 + "1]",
)  # fmt: skip
DEPTHS = (40, 400, 900, 3000, 3000, 3000, 100_000)
CELLS = (
    "", "NaN", "inf", "-inf", "1e308", "-1e308", "1" + "0" * 308, "1e999", "word", "1_0", "0x10", "-1", "0.5", '"',
    "\0", "x" * 3000, "9" * 5000, "1e-320", " 7 ", "99999999999",
)  # fmt: skip
NAMES = ("{0}.jpg", "{0}.jpg", "{0:06d}.png", "cam2_{0}.jpg", "{0}/{0}.jpg", "a{0}b{0}.jpg")
DTYPES = ("<f8", "<f4", ">f8", "<i4", "<u8", "|b1", "<c16", "<U9", "|S5", "<M8[s]", "|V9", "|O", "<f2", "[('x','<f8')]")
SHAPES: tuple[tuple[int, ...], ...] = (
    (), (0,), (3,), (6, 17), (6, 17, 2), (6, 17, 3), (6, 17, 4), (1, 17, 2), (0, 17, 2), (6, 0, 2), (6, 18, 2),
    (1, 1, 1, 1), (10**6, 17, 2), (10**9, 17, 2), (2**62, 2), (10**30,), (-1, 17, 2), (2, 10**6), (1,) * 40,
)  # fmt: skip


class Grammar:
    """Rules that all text formats share; `chance` decides everything."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.rate = chance.choice(RATES)

    def hostile(self) -> bool:
        """Whether this rule gives something hostile."""
        return self.chance.random() < self.rate

    def count(self, usual: int, most: int) -> int:
        """Often as usual; sometimes none, another, or, once in some hundred files, as many as `most`."""
        chance = self.chance.random()
        if chance < 0.8:
            return usual
        return (
            most if chance > 0.9985 else self.chance.choice((0, 1, 2, 3, usual + 1, max(usual - 1, 0), 2 * usual, 136))
        )

    def place(self) -> float:
        """A coordinate in pixels."""
        return round(self.chance.uniform(40, 200), 2)

    # JSON

    def json(self, text: str) -> str:
        """A value, or a hostile one."""
        if not self.hostile():
            return text
        if self.chance.random() < 0.1:
            depth, (left, right) = self.chance.choice(DEPTHS), self.chance.choice((("[", "]"), ('{"a":', "}")))
            return left * depth + "1" + right * depth
        return self.chance.choice(JSON_VALUES)

    def list(self, values: Iterable[str]) -> str:
        """A JSON list of values that are JSON already."""
        return self.json("[" + ",".join(values) + "]")

    def object(self, **members: str) -> str:
        """Members may be left out, come twice, or come with a name of another format."""
        pairs = list(members.items())
        if pairs and self.hostile():
            match self.chance.randrange(3):
                case 0:
                    pairs.pop(self.chance.randrange(len(pairs)))
                case 1:
                    pairs.append((self.chance.choice(pairs)[0], self.chance.choice(JSON_VALUES)))
                case _:
                    name = self.chance.choice(("keypoints", "people", "bodies", "instances", "annotations", "image_id"))
                    pairs.append((name, self.chance.choice(JSON_VALUES)))
        return self.json("{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in pairs) + "}")

    def numbers(self, joints: int, channels: int = 3) -> list[str]:
        """Flat x, y, score of each joint."""
        if joints > 1000:
            return ["1"] * (joints * channels)
        one = [lambda: str(self.place())] * 2 + [lambda: "0.9"] * (channels - 2)
        return [self.json(make()) for _ in range(joints) for make in one]

    def image_id(self, frame: int) -> str:
        """The name of a frame; hostile ones collide, or have no number."""
        name = NAMES[0].format(frame)
        if self.hostile():
            name = self.chance.choice(NAMES).format(self.chance.choice((0, 1, frame, 10**7, 10**17, 10**30)))
        return name

    # Text tables

    def cell(self, text: object) -> str:
        """A cell, or a hostile one."""
        return self.chance.choice(CELLS) if self.hostile() else str(text)

    def row(self, cells: Iterable[object], delimiter: str) -> str:
        """Cells, some hostile; a hostile row is too short, too long, or far too long."""
        row = [self.cell(cell) for cell in cells]
        if self.hostile():
            row = self.chance.choice((row[:-1], row[:1], [], [*row, "1"], row * 2, row + ["1"] * 5000))
        return delimiter.join(row)


def _people(grammar: Grammar, joints: int) -> list[tuple[int, int, int]]:
    """Frame, person and number of joints of everybody in a file."""
    frames, people, joints = grammar.count(6, 2000), grammar.count(2, 301), grammar.count(joints, 1_000_000)
    if joints > 1000:
        frames, people = min(frames, 1), min(people, 1)
    if frames > 100:
        people = min(people, 1)
    return [(frame, person, joints) for frame in range(frames) for person in range(people)]


def alphapose(folder: Path, chance: random.Random) -> Path:
    grammar = Grammar(chance)
    joints = chance.choice((17, 26, 136))
    text = grammar.list(
        grammar.object(
            image_id=grammar.json(json.dumps(grammar.image_id(frame))),
            keypoints=grammar.list(grammar.numbers(count)),
            score=grammar.json("2.1"),
            idx=grammar.json(str(person)),
        )
        for frame, person, count in _people(grammar, joints)
    )
    return _write(folder / "alphapose.json", text)


def alphapose_by_frame(folder: Path, chance: random.Random) -> Path:
    grammar = Grammar(chance)
    frames: dict[int, list[str]] = {}
    for frame, _, count in _people(grammar, 18):
        numbers = grammar.list(grammar.numbers(count))
        frames.setdefault(frame, []).append(grammar.object(pose_keypoints_2d=numbers))
    # As text and not as a dict: names of frames may come twice.
    pairs = [
        f"{json.dumps(grammar.image_id(frame))}:{grammar.object(people=grammar.list(people))}"
        for frame, people in frames.items()
    ]
    return _write(folder / "by_frame.json", grammar.json("{" + ",".join(pairs) + "}"))


def openpose(folder: Path, chance: random.Random) -> Path:
    grammar = Grammar(chance)
    place = folder / "openpose"
    place.mkdir(exist_ok=True)
    people = _people(grammar, chance.choice((25, 18, 26)))
    for frame in range(min(1 + max((frame for frame, _, _ in people), default=0), 40)):
        inside = [
            grammar.object(person_id=grammar.json("[-1]"), pose_keypoints_2d=grammar.list(grammar.numbers(count)))
            for of_frame, _, count in people
            if of_frame == frame
        ]
        number = chance.choice((0, frame, 10**7, 10**30)) if grammar.hostile() else frame
        text = grammar.object(version="1.3", people=grammar.list(inside))
        _write(place / f"clip_{number:012d}_keypoints.json", text)
    return place


def mmpose(folder: Path, chance: random.Random) -> Path:
    grammar = Grammar(chance)
    frames: dict[int, list[str]] = {}
    for frame, _, count in _people(grammar, chance.choice((17, 26))):
        points = (grammar.list(grammar.numbers(1, 2)) for _ in range(count)) if count <= 1000 else ["[1,1]"] * count
        scores = [grammar.json("0.9") for _ in range(count)] if count <= 1000 else ["1"] * count
        frames.setdefault(frame, []).append(
            grammar.object(
                keypoints=grammar.list(points), keypoint_scores=grammar.list(scores), bbox=grammar.json("[[0,0,9,9]]")
            )
        )
    entries = [
        grammar.object(frame_id=grammar.json(str(frame)), instances=grammar.list(people))
        for frame, people in frames.items()
    ]
    text = grammar.list(entries)
    return _write(folder / "mmpose.json", grammar.object(instance_info=text) if chance.random() < 0.3 else text)


def mediapipe(folder: Path, chance: random.Random) -> Path:
    grammar = Grammar(chance)
    frames: dict[int, list[str]] = {}
    for frame, _, count in _people(grammar, 33):
        if count > 1000:
            frames.setdefault(frame, []).append("[" + ",".join(['{"x":0.5,"y":0.5,"z":0}'] * (count // 10)) + "]")
            continue
        landmarks = [
            grammar.object(
                x=grammar.json(str(grammar.place() / 320)),
                y=grammar.json(str(grammar.place() / 240)),
                z=grammar.json("0.1"),
                visibility=grammar.json("0.9"),
            )
            for _ in range(count)
        ]
        frames.setdefault(frame, []).append(grammar.list(landmarks))
    text = grammar.list(grammar.object(pose_landmarks=grammar.list(people)) for people in frames.values())
    return _write(folder / "mediapipe.json", text)


def coco(folder: Path, chance: random.Random) -> Path:
    grammar = Grammar(chance)
    people = _people(grammar, 17)
    images = [
        grammar.object(
            id=grammar.json(str(frame)),
            file_name=grammar.json(json.dumps(grammar.image_id(frame))),
            width=grammar.json("320"),
            height=grammar.json("240"),
        )
        for frame in sorted({frame for frame, _, _ in people})
    ]
    annotations = [
        grammar.object(
            id=grammar.json(str(number)),
            image_id=grammar.json(str(frame)),
            category_id=grammar.json("1"),
            keypoints=grammar.list(grammar.numbers(count)),
            num_keypoints=grammar.json(str(count)),
        )
        for number, (frame, _, count) in enumerate(people)
    ]
    category = grammar.object(id=grammar.json("1"), name=grammar.json('"person"'))
    text = grammar.object(
        images=grammar.list(images), annotations=grammar.list(annotations), categories=grammar.list([category])
    )
    return _write(folder / "coco.json", text)


def trc(folder: Path, chance: random.Random, names: Iterable[str]) -> Path:
    grammar, names = Grammar(chance), list(names)
    names = (names * 1 + [f"marker{i}" for i in range(200)])[: min(grammar.count(len(names), 20_000), 200)]
    frames = grammar.count(6, 20_000)
    facts = ["25", "25", frames, len(names), "m", "25", "0", frames]
    lines = [
        "PathFileType\t4\t(X/Y/Z)\tclip_px.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        grammar.row(facts, "\t"),
        grammar.row(["Frame#", "Time", *(cell for name in names for cell in (name, "", ""))], "\t"),
        grammar.row(["", "", *(f"{axis}{i}" for i in range(len(names)) for axis in "XYZ")], "\t"),
    ]
    for frame in range(frames if len(names) < 50 else min(frames, 10)):
        numbers = [value for _ in names for value in (grammar.place(), grammar.place(), 0)]
        lines.append(grammar.row([frame, frame / 25, *numbers], "\t"))
    if grammar.hostile():
        chance.shuffle(lines)
    return _write(folder / "clip_Sports2D_px_person00.trc", "\n".join(lines) + "\n")


def deeplabcut_csv(folder: Path, chance: random.Random, names: Iterable[str]) -> Path:
    grammar = Grammar(chance)
    people = [f"p{i}" for i in range(chance.choice((1, 1, 1, 2, 30)))]
    columns = [(person, name, channel) for person in people for name in names for channel in ("x", "y", "likelihood")]
    match chance.random():
        case share if share < 0.003:  # each column an individual and a part of its own
            columns = [(f"p{i}", f"part{i}", channel) for i in range(8000) for channel in ("x", "y", "likelihood")]
        case share if share < 0.006:
            columns = [("p", f"part{i}", channel) for i in range(20_000) for channel in ("x", "y", "likelihood")]
    several = len(people) > 1 or len(columns) > 5000
    lines = [grammar.row(["scorer", *["DLC"] * len(columns)], ",")]
    if several or grammar.hostile():
        lines.append(grammar.row(["individuals", *(person for person, _, _ in columns)], ","))
    lines.append(grammar.row(["bodyparts", *(part for _, part, _ in columns)], ","))
    lines.append(grammar.row(["coords", *(channel for _, _, channel in columns)], ","))
    for frame in range(grammar.count(6, 3000) if len(columns) < 100 else 3):
        lines.append(grammar.row([frame, *(0.9 if c == "likelihood" else grammar.place() for _, _, c in columns)], ","))
    if chance.random() < 0.003:  # rows of one cell under a wide header
        lines += ["1"] * 200_000
    return _write(folder / "clipDLC_resnet101.csv", "\n".join(lines) + "\n")


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return path


# Archives


def npy(chance: random.Random, pose: np.ndarray) -> bytes:
    """An array file: any type and shape, headers that claim more than there is, or a pickle."""
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
    """Shared references, containers that hold themselves, calls, keys that take long to hash, or random opcodes."""
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
    """An .npz file with the members of a whole one; some are replaced, some come twice or claim another size."""
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
    """A table as pandas writes it, with columns, types and claimed sizes of all kinds; needs h5py."""
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


GENERATORS: dict[str, Callable[[Path, random.Random], Path]] = {
    "AlphaPose list": alphapose,
    "AlphaPose by frame": alphapose_by_frame,
    "OpenPose folder": openpose,
    "MMPose predictions": mmpose,
    "MediaPipe landmarks": mediapipe,
    "COCO annotations": coco,
}
"""Those that need nothing of a whole file."""
