"""The rules that all hostile text files are made by.

A rule writes what the format has at that place, or something hostile: another type, a number beyond all limits, a key
twice, thousands of nested lists, a million joints. Each file has one rate of hostility, from none to half of all rules:
files with a low rate get deep into a reader.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

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


class Grammar:
    """Rules of all text formats. `chance` decides everything, so one seed gives one file."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.rate = chance.choice(RATES)

    def hostile(self) -> bool:
        """Whether this rule writes something hostile."""
        return self.chance.random() < self.rate

    def count(self, usual: int, most: int) -> int:
        """A count: mostly the usual one, sometimes another or none, and once in some hundred times `most`."""
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
        """A JSON object. Members may be left out, come twice, or have a name of another format."""
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
        """The name of a frame. Hostile names collide, or have no number."""
        name = NAMES[0].format(frame)
        if self.hostile():
            name = self.chance.choice(NAMES).format(self.chance.choice((0, 1, frame, 10**7, 10**17, 10**30)))
        return name

    # Text tables

    def cell(self, text: object) -> str:
        """A cell, or a hostile one."""
        return self.chance.choice(CELLS) if self.hostile() else str(text)

    def row(self, cells: Iterable[object], delimiter: str) -> str:
        """A row of cells, some hostile. A hostile row is too short, too long, or far too long."""
        row = [self.cell(cell) for cell in cells]
        if self.hostile():
            row = self.chance.choice((row[:-1], row[:1], [], [*row, "1"], row * 2, row + ["1"] * 5000))
        return delimiter.join(row)
