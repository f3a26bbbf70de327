"""Hostile keypoint files of text. They are made from a grammar of each format, not from a valid file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.broken_files.grammar import Grammar


def _people(grammar: Grammar, joints: int) -> list[tuple[int, int, int]]:
    """Frame, person and number of joints for each person of a file."""
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


GENERATORS: dict[str, Callable[[Path, random.Random], Path]] = {
    "AlphaPose list": alphapose,
    "AlphaPose by frame": alphapose_by_frame,
    "OpenPose folder": openpose,
    "MMPose predictions": mmpose,
    "MediaPipe landmarks": mediapipe,
    "COCO annotations": coco,
}
"""Generators that need nothing from a valid file."""
