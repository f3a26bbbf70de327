"""A made-up person as Acclaim files: y up, facing z, left is +x; 1.62 m from the soles to the head joint."""

from __future__ import annotations

from pathlib import Path

# name: parent, direction, length in metres, axis, dof
Bones = dict[str, tuple[str, tuple[float, float, float], float, str, str]]


def side_bones(side: str, sign: int) -> Bones:
    return {
        f"{side}hipjoint": ("root", (sign, 0, 0), 0.1, "0 0 0 XYZ", ""),
        f"{side}femur": (f"{side}hipjoint", (0, -1, 0), 0.4, "0 0 0 XYZ", "rx ry rz"),
        f"{side}tibia": (f"{side}femur", (0, -1, 0), 0.42, "0 0 0 XYZ", "rx"),
        f"{side}foot": (f"{side}tibia", (0, 0, 1), 0.15, "-90 0 20 XYZ", "rx rz"),
        f"{side}clavicle": ("upperback", (sign, 0, 0), 0.18, "0 0 0 XYZ", "ry rz"),
        f"{side}humerus": (f"{side}clavicle", (0, -1, 0), 0.3, "0 0 0 XYZ", "rx ry rz"),
        f"{side}radius": (f"{side}humerus", (0, -1, 0), 0.2, "0 0 0 XYZ", "rx"),
        f"{side}wrist": (f"{side}radius", (0, -1, 0), 0.05, "0 0 0 XYZ", "ry"),
        f"{side}hand": (f"{side}wrist", (0, -1, 0), 0.08, "0 0 0 XYZ", "rx rz"),
    }


PERSON: Bones = {
    **side_bones("l", 1),
    "lowerback": ("root", (0, 1, 0), 0.21, "0 0 0 XYZ", ""),
    "upperback": ("lowerback", (0, 1, 0), 0.29, "0 0 0 XYZ", "rx ry rz"),
    **side_bones("r", -1),
    "head": ("upperback", (0, 1, 0), 0.22, "0 0 0 XYZ", "rx ry rz"),
}


def asf_text(bones: Bones = PERSON, scale: float = 1.0, length: str = "1.0", angle: str = "deg",
             order: str = "TX TY TZ RX RY RZ") -> str:  # fmt: skip
    lines = [
        "# made by a test", ":version 1.10", ":name PERSON", ":units", "  mass 1.0", f"  length {length}",
        f"  angle {angle}", ":documentation", "  root of what :nothing says", ":root", f"  order {order}", "  axis XYZ",
        "  position 0 0 0", "  orientation 0 0 0", ":bonedata",
    ]  # fmt: skip
    for number, (name, (_, direction, bone_length, axis, dof)) in enumerate(bones.items(), 1):
        lines += ["  begin", f"    id {number}", f"    name {name}", "    direction " + " ".join(map(str, direction)),
                  f"    length {bone_length * scale}", f"    axis {axis}"]  # fmt: skip
        if dof:
            limits = ["(-160.0 20.0)", *["       (-inf, inf)"] * (len(dof.split()) - 1)]
            lines += [f"    dof {dof}", "    limits " + "\n".join(limits), "    bodymass 1"]
        lines.append("  end")
    children: dict[str, list[str]] = {"root": []}
    for name, (parent, *_) in bones.items():
        children.setdefault(parent, []).append(name)
    lines += [":hierarchy", "  begin"]
    waiting = ["root"]
    while waiting:
        parent = waiting.pop(0)
        if parent in children:
            lines.append(f"    {parent} {' '.join(children[parent])}")
            waiting += children[parent]
    return "\n".join([*lines, "  end"]) + "\n"


def amc_text(frames: list[dict[str, str]], bones: Bones = PERSON, head: str = ":FULLY-SPECIFIED\n:DEGREES") -> str:
    """Frames that give values for some bones; the others' are zeros."""
    lines = ["#!OML:ASF somewhere", head]
    for number, frame in enumerate(frames, 1):
        lines += [str(number), f"root {frame.get('root', '0 0.9 0 0 0 0')}"]
        for name, (*_, dof) in bones.items():
            if dof:
                lines.append(f"{name} {frame.get(name, ' '.join('0' for _ in dof.split()))}")
    return "\n".join(lines) + "\n"


def write_person(folder: Path, frames: list[dict[str, str]] | None = None, name: str = "02") -> Path:
    """02.asf and 02_01.amc; the path of the latter."""
    (folder / f"{name}.asf").write_text(asf_text())
    (folder / f"{name}_01.amc").write_text(amc_text(frames or [{}] * 13))
    return folder / f"{name}_01.amc"
