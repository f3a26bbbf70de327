"""Acclaim skeletons (.asf), by M. Schafer's Acclaim Skeleton File Definition 1.10: bones and their rotation axes.

Directions and axes are given in the skeleton's frame at rest, whatever the hierarchy. A rotation about several axes
rotates about the first named axis, then about the others. All axes are fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from sdk.errors import BadMotion
from training.motion.readers.acclaim.files import Line, acclaim_lines, parse_numbers

ROOT = "root"
"""Start of the hierarchy: a place that moves and rotates, not a bone."""

_ROOT_ORDER = ("tx", "ty", "tz", "rx", "ry", "rz")
_TURNS = _ROOT_ORDER[3:]
_BONE_FIELDS = ("name", "direction", "length", "axis")

LARGEST_FILE_BYTES = 1_000_000
"""Largest .asf file. A person with fingers has 15 kB."""
LONGEST_NAME = 50
MOST_BONES = 200
"""Most bones of a skeleton. A person with fingers has about 70."""

_Fields = dict[str, tuple[int, list[str]]]


@dataclass(frozen=True)
class Bone:
    """A bone. It starts where its parent ends.

    Attributes:
        parent: Another bone, or `ROOT`.
        offset: From its start to its end at rest, (3,), in the file's unit of length.
        axes: Rotation from the bone's own axes to the skeleton's, at rest.
        dof: Its rotation axes, in that order: `xyz`, `xz`, `x`; empty if it only moves with its parent.
    """

    parent: str
    offset: np.ndarray
    axes: Rotation
    dof: str


@dataclass(frozen=True)
class AcclaimSkeleton:
    """Content of an .asf file.

    Attributes:
        bones: Bones by name in lower case, parents first.
        root_order: Names of the root's six numbers, `tx` to `rz`. Its rotations happen in that order.
        length: The number at `length` of `:units`.
        degrees: Whether angles are in degrees; if not, in radians.
    """

    bones: dict[str, Bone]
    root_order: tuple[str, ...]
    length: float
    degrees: bool


def read_skeleton(path: Path) -> AcclaimSkeleton:
    """Read an .asf file.

    Raises:
        BadMotion: it can't be read, is cut off or damaged, or its bones do more than rotate.
    """
    sections = _sections(path)
    units = _fields(path, sections.get(":units", []), ("length", "angle"))
    length = 1.0
    if "length" in units:
        line, words = units["length"]
        length = float(parse_numbers(f"{path.name}, line {line}: the unit of length", words, 1)[0])
    line, words = units.get("angle", (0, ["deg"]))
    angle = " ".join(words).lower()
    if angle not in ("deg", "rad"):
        raise BadMotion(f"{path.name}, line {line}: angle is {angle[:60]!r}; it must be deg or rad.")
    bones = _bone_fields(path, sections[":bonedata"])
    parents = _hierarchy(path, sections[":hierarchy"], bones)
    return AcclaimSkeleton(
        {name: _bone(path, name, parent, bones[name], angle == "deg") for name, parent in parents.items()},
        _root_order(path, sections[":root"]),
        length,
        angle == "deg",
    )


def _sections(path: Path) -> dict[str, list[Line]]:
    sections: dict[str, list[Line]] = {}
    lines: list[Line] | None = None
    for number, words in acclaim_lines(path, LARGEST_FILE_BYTES):
        if words[0].startswith(":"):
            name = words[0].lower()
            if name in sections:
                raise BadMotion(f"{path.name}, line {number}: there is a section {name} already.")
            lines = sections[name] = []
        elif lines is None:
            raise BadMotion(f"{path.name}, line {number}: an Acclaim skeleton starts with a section, as ':version'.")
        else:
            lines.append((number, words))
    missing = [name for name in (":root", ":bonedata", ":hierarchy") if name not in sections]
    if missing:
        raise BadMotion(
            f"{path.name} has no section {', '.join(missing)}: it is no Acclaim skeleton, or cut off. It has "
            f"{', '.join(sections)[:200] or 'none'}."
        )
    return sections


def _fields(path: Path, lines: Sequence[Line], wanted: Sequence[str]) -> _Fields:
    """The wanted keywords with line and values. By the format, all others are ignored."""
    fields: _Fields = {}
    for number, words in lines:
        keyword = words[0].lower()
        if keyword in wanted:
            if keyword in fields:
                raise BadMotion(f"{path.name}, line {number}: a second {keyword!r}; line {fields[keyword][0]} has one.")
            fields[keyword] = number, words[1:]
    return fields


def _blocks(path: Path, name: str, lines: Sequence[Line]) -> list[list[Line]]:
    """The lines between each `begin` and `end` of a section."""
    blocks: list[list[Line]] = []
    within = False
    for number, words in lines:
        word = words[0].lower()
        if word in ("begin", "end"):
            if within == (word == "begin"):
                raise BadMotion(f"{path.name}, line {number}: {word!r} within {name}, where none can be.")
            within = not within
            if within:
                blocks.append([])
        elif within:
            blocks[-1].append((number, words))
        else:
            raise BadMotion(
                f"{path.name}, line {number}: {words[0][:60]!r} of {name} is not between 'begin' and 'end'."
            )
    if within or not blocks:
        raise BadMotion(f"{path.name}: {name} has no 'end': the file is cut off. Get it anew.")
    return blocks


def _root_order(path: Path, lines: Sequence[Line]) -> tuple[str, ...]:
    fields = _fields(path, lines, ("order", "position", "orientation"))
    line, words = fields.get("order", (lines[0][0] if lines else 0, []))
    order = tuple(word.lower() for word in words)
    if sorted(order) != sorted(_ROOT_ORDER):
        raise BadMotion(
            f"{path.name}, line {line}: 'order' of :root must name TX TY TZ RX RY RZ, in any order, not "
            f"{' '.join(words)[:60]!r}."
        )
    for keyword in ("position", "orientation"):
        if keyword in fields:
            line, words = fields[keyword]
            if parse_numbers(f"{path.name}, line {line}: {keyword} of :root", words, 3).any():
                # Programs disagree on this value: it moves the skeleton in the world, or in the root's own axes (CMU's
                # notes on the format). CMU's files, like all of Vicon's, have zeros.
                raise BadMotion(
                    f"{path.name}, line {line}: {keyword} of :root is {' '.join(words)}. What that does is not "
                    "agreed on; export the skeleton with zeros, or the motion as BVH."
                )
    return order


def _bone_fields(path: Path, lines: Sequence[Line]) -> dict[str, _Fields]:
    bones: dict[str, _Fields] = {}
    for block in _blocks(path, ":bonedata", lines):
        fields = _fields(path, block, (*_BONE_FIELDS, "dof"))
        missing = [keyword for keyword in _BONE_FIELDS if not fields.get(keyword, (0, []))[1]]
        if missing:
            said = f"bone {fields['name'][1][0]!r}" if fields.get("name", (0, []))[1] else "a bone"
            at = f", line {block[0][0]}" if block else ""
            raise BadMotion(f"{path.name}{at}: {said} has no {', '.join(missing)}.")
        line, words = fields["name"]
        name = words[0].lower()
        if len(name) > LONGEST_NAME:
            raise BadMotion(f"{path.name}, line {line}: a bone's name has {len(name)} characters: it is damaged.")
        if name in bones or name == ROOT:
            raise BadMotion(f"{path.name}, line {line}: a second {name!r}; each bone needs a name of its own.")
        bones[name] = fields
    if len(bones) > MOST_BONES:
        raise BadMotion(f"{path.name} has {len(bones)} bones; a person has less than {MOST_BONES}.")
    return bones


def _hierarchy(path: Path, lines: Sequence[Line], bones: dict[str, _Fields]) -> dict[str, str]:
    """Parent of each bone, parents first. The format demands this order; it also makes circles impossible."""
    parents: dict[str, str] = {}
    for block in _blocks(path, ":hierarchy", lines):
        for number, words in block:
            parent, *children = (word.lower() for word in words)
            if parent not in (ROOT, *parents):
                raise BadMotion(
                    f"{path.name}, line {number}: {parent[:60]!r} of :hierarchy has children before it is a child "
                    f"itself; all must come from {ROOT!r}, which goes first."
                )
            for child in children:
                if child not in bones:
                    raise BadMotion(
                        f"{path.name}, line {number}: {child[:60]!r} of :hierarchy is no bone of :bonedata."
                    )
                if child in parents:
                    raise BadMotion(f"{path.name}, line {number}: {child!r} has the parent {parents[child]!r} already.")
                parents[child] = parent
    loose = [name for name in bones if name not in parents]
    if loose:
        raise BadMotion(f"{path.name}: :hierarchy does not say where {', '.join(map(repr, loose))} is attached.")
    return parents


def _bone(path: Path, name: str, parent: str, fields: _Fields, degrees: bool) -> Bone:
    def numbers(keyword: str, words: Sequence[str], count: int) -> np.ndarray:
        return parse_numbers(f"{path.name}, line {fields[keyword][0]}: {keyword} of {name!r}", words, count)

    direction = numbers("direction", fields["direction"][1], 3)
    length = float(numbers("length", fields["length"][1], 1)[0])
    norm = float(np.linalg.norm(direction))
    if length < 0 or (length > 0 and not 0.5 < norm < 2):
        raise BadMotion(
            f"{path.name}, line {fields['length'][0]}: bone {name!r} has length {length:g} along a direction of length "
            f"{norm:g}; a length is not negative, a direction of length 1."
        )
    *angles, order = fields["axis"][1]
    if sorted(order.lower()) != ["x", "y", "z"]:
        raise BadMotion(
            f"{path.name}, line {fields['axis'][0]}: 'axis' of {name!r} ends with the order of its turns, as XYZ, not "
            f"{order[:60]!r}."
        )
    turns = [word.lower() for word in fields.get("dof", (0, []))[1]]
    if len(set(turns)) < len(turns) or not set(turns) <= set(_TURNS):
        raise BadMotion(
            f"{path.name}, line {fields['dof'][0]}: bone {name!r} has the dof {' '.join(turns)[:60]}; only bones that "
            f"turn, once about each axis, are read: {' '.join(_TURNS)}. Export the motion as BVH."
        )
    return Bone(
        parent,
        direction * (length / norm) if length else np.zeros(3),
        Rotation.from_euler(order.lower(), numbers("axis", angles, 3), degrees=degrees),
        "".join(turn[1] for turn in turns),
    )
