"""Tests every reader of keypoint files with damaged and with generated files.

Run: python -m benchmarks.fuzzing --inputs 10000, and again with --files generated

Each input is a small valid file with some damage, or one that `hostile_files` makes from a grammar. A reader must
return valid tracks, or raise one of our errors. All else (another exception, a warning, a crash, an answer that takes
long or much memory) is a failure and is listed.
"""

from __future__ import annotations

import copy
import io
import json
import random
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from benchmarks import hostile_files
from sdk.errors import AdaptPoseError
from sdk.keypoint_files.limits import FARTHEST_PX
from sdk.keypoint_files.reading import collect_keypoints

SIZE = (320, 240)
FRAMES = 6
KNOWN: dict[str, Any] = {"image_size": SIZE, "frame_rate_hz": 25.0}
SLOW_S = 5.0
MOST_BYTES = 1 << 30
"""More memory than that for one input, on top of what earlier ones took, is a failure."""
MOST_ADDRESSED_BYTES = 12 << 30
"""The benchmark ends itself rather than the machine."""

HOSTILE: list[Any] = [
    None, True, "", "12.5", "x" * 300, [], {}, [[]], -1, 0, 1e308, -1e9, 10**400, float("nan"), float("inf"),
    [1, 2, 3], ["1", "2", "3"], {"x": 1}, [None] * 51, [0.5] * 51, [1e6] * 51, "NaN", 2**63, 1.5,
]  # fmt: skip
TOKENS = [b"NaN", b"null", b"-", b"1e999", b'"', b"[", b"]", b"{", b"}", b",", b"\x00", b"\xff", b"\t", b"\n", b"[[[["]

MARKERS = [
    "Hip", "RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee", "LAnkle", "LBigToe",
    "LSmallToe", "LHeel", "Neck", "Head", "Nose", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist",
]  # fmt: skip
BODY_PARTS = [
    "ankle1", "knee1", "hip1", "hip2", "knee2", "ankle2", "wrist1", "elbow1", "shoulder1", "shoulder2", "elbow2",
    "wrist2", "chin", "forehead",
]  # fmt: skip


def person(joints: int, offset: float = 0.0) -> np.ndarray:
    """(FRAMES, joints, 3): a person of 130 pixels who walks to the right; all joints are seen."""
    body = np.random.default_rng(joints).uniform(0, 1, (joints, 2)) * (60, 130)
    steps = np.arange(FRAMES)[:, None, None] * (2.0, 0.0)
    return np.concatenate([np.add(body, (60 + offset, 50)) + steps, np.full((FRAMES, joints, 1), 0.9)], 2)


def _json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def alphapose(folder: Path) -> Path:
    poses = person(17), person(17, 120)
    return _json(
        folder / "alphapose.json",
        [
            {"image_id": f"{frame}.jpg", "category_id": 1, "keypoints": pose[frame].ravel().tolist(), "score": 2.1,
             "idx": number}
            for frame in range(FRAMES)
            for number, pose in enumerate(poses, 1)
        ],
    )  # fmt: skip


def alphapose_by_frame(folder: Path) -> Path:
    pose = person(18)
    return _json(
        folder / "by_frame.json",
        {
            f"{frame}.jpg": {
                "version": "AlphaPose v0.3",
                "people": [{"pose_keypoints_2d": pose[frame].ravel().tolist()}],
            }
            for frame in range(FRAMES)
        },
    )


def openpose(folder: Path) -> Path:
    poses, place = (person(25), person(25, 120)), folder / "openpose"
    place.mkdir()
    for frame in range(FRAMES):
        people = [{"person_id": [-1], "pose_keypoints_2d": pose[frame].ravel().tolist()} for pose in poses]
        _json(place / f"clip_{frame:012d}_keypoints.json", {"version": 1.3, "people": people})
    return place


def mmpose(folder: Path) -> Path:
    pose = person(26)
    return _json(
        folder / "mmpose.json",
        [
            {"frame_id": frame, "instances": [{"keypoints": pose[frame, :, :2].tolist(),
             "keypoint_scores": pose[frame, :, 2].tolist(), "bbox": [[0, 0, 9, 9]], "bbox_score": 0.9}]}
            for frame in range(FRAMES)
        ],
    )  # fmt: skip


def mediapipe(folder: Path) -> Path:
    pose = person(33) / (*SIZE, 1)
    return _json(
        folder / "mediapipe.json",
        [
            {"pose_landmarks": [[{"x": x, "y": y, "z": 0.1, "visibility": v} for x, y, v in pose[frame].tolist()]]}
            for frame in range(FRAMES)
        ],
    )


def videopose3d(folder: Path) -> Path:
    about = {"layout_name": "coco", "num_joints": 17, "video_metadata": {"s": {"w": 320, "h": 240, "fps": 25}}}
    np.savez(folder / "videopose3d.npz", positions_2d={"s": {"a": [person(17)[..., :2]]}}, metadata=about)
    return folder / "videopose3d.npz"


def simple_npz(folder: Path) -> Path:
    np.savez(folder / "simple.npz", keypoints=person(17), image_size=SIZE, skeleton="coco17", frame_rate_hz=25.0)
    return folder / "simple.npz"


def saved_tracks(folder: Path) -> Path:
    from sdk.keypoint_files import read_keypoints, write_keypoints

    write_keypoints(folder / "saved.npz", read_keypoints(simple_npz(folder)))
    return folder / "saved.npz"


def trc(folder: Path) -> Path:
    names = MARKERS
    pose = person(len(names))
    pose[..., 2] = 0
    lines = [
        "PathFileType\t4\t(X/Y/Z)\tclip_Sports2D_px_person00.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"25\t25\t{FRAMES}\t{len(names)}\tm\t25\t0\t{FRAMES}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t\t",
        "\t\t" + "\t".join(f"X{i}\tY{i}\tZ{i}" for i in range(1, len(names) + 1)),
        *("\t".join(map(str, [frame, frame / 25, *pose[frame].ravel()])) for frame in range(FRAMES)),
    ]
    path = folder / "clip_Sports2D_px_person00.trc"
    path.write_text("\n".join(lines) + "\n")
    return path


def deeplabcut_csv(folder: Path) -> Path:
    parts = BODY_PARTS
    pose = person(len(parts))
    lines = [
        "scorer," + ",".join(["DLC_resnet101"] * 3 * len(parts)),
        "bodyparts," + ",".join(part for part in parts for _ in range(3)),
        "coords," + ",".join(["x", "y", "likelihood"] * len(parts)),
        *(",".join(map(str, [frame, *pose[frame].ravel()])) for frame in range(FRAMES)),
    ]
    path = folder / "clipDLC_resnet101.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


SAMPLES: dict[str, Callable[[Path], Path]] = {
    "AlphaPose list": alphapose,
    "AlphaPose by frame": alphapose_by_frame,
    "OpenPose folder": openpose,
    "MMPose predictions": mmpose,
    "MediaPipe landmarks": mediapipe,
    "VideoPose3D npz": videopose3d,
    "keypoints npz": simple_npz,
    "saved tracks": saved_tracks,
    "Sports2D TRC": trc,
    "DeepLabCut CSV": deeplabcut_csv,
}
"""Functions that write a valid file, for each reader of text or archives."""


def deeplabcut_hdf5(folder: Path) -> Path:
    """A file like DeepLabCut's, written by pandas; needs the package tables."""
    import pandas

    table = pandas.read_csv(deeplabcut_csv(folder), header=[0, 1, 2], index_col=0)
    table.to_hdf(folder / "clipDLC_resnet101.h5", key="df_with_missing", format="table", mode="w")
    return folder / "clipDLC_resnet101.h5"


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
    """Replace a value by a hostile one, remove one, repeat one, or rename a key."""
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
    """Break a member before it is packed, so that its checksum is right; or drop, rename or empty it."""
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


@dataclass
class Answers:
    """Answers of a reader to all inputs.

    Attributes:
        counts: How many inputs were `read`, `refused`, or a `failure`.
        failures: Description of each failure.
        slowest_s: Longest time of an input.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


def fuzz(write: Callable[[Path], Path], inputs: int, seed: int) -> Answers:
    """Give a reader damaged copies of the file that `write` makes."""
    answers, chance = Answers(), random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        path = write(Path(scratch))
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        kept = {file: file.read_bytes() for file in files}
        assert collect_keypoints(path, **KNOWN).tracks, "the whole file must be read"
        for number in range(inputs):
            victim = chance.choice(files)
            victim.write_bytes(_broken(victim, kept[victim], chance))
            _count(answers, path, f"seed {seed}, input {number}")
            victim.write_bytes(kept[victim])
    return answers


def fuzz_generated(name: str, inputs: int, seed: int, first: int = 0) -> Answers:
    """Give a reader files of `hostile_files`; each input has a generator of its own, so that one can be made again."""
    answers, generate = Answers(), _generator(name)
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(first, first + inputs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # zipfile's, of a name that comes twice
                path = generate(Path(scratch), random.Random(f"{name} {seed} {number}"))
            _count(answers, path, f"generated, seed {seed}, input {number}")
            for file in path.iterdir() if path.is_dir() else [path]:
                file.unlink()
    return answers


def _generator(name: str) -> Callable[[Path, random.Random], Path]:
    if name in hostile_files.GENERATORS:
        return hostile_files.GENERATORS[name]
    if name == "Sports2D TRC":
        return lambda folder, chance: hostile_files.trc(folder, chance, MARKERS)
    if name == "DeepLabCut CSV":
        return lambda folder, chance: hostile_files.deeplabcut_csv(folder, chance, BODY_PARTS)
    if name == "DeepLabCut HDF5":
        return lambda folder, chance: hostile_files.deeplabcut_hdf5(folder, chance, BODY_PARTS)
    with tempfile.TemporaryDirectory() as scratch:
        path = SAMPLES[name](Path(scratch))
        whole = path.read_bytes()
    return lambda folder, chance: hostile_files.archive(folder, chance, path.name, whole, person(17)[..., :2])


def _count(answers: Answers, path: Path, which: str) -> None:
    """Read one input and note the answer, its time and its memory."""
    held = _most_held_bytes()
    started = time.process_time()  # processor time: the machine may be busy
    answer, detail = ask(path)
    taken_s = time.process_time() - started
    if taken_s > SLOW_S:
        answer, detail = "failure", f"took {taken_s:.1f} s"
    elif _most_held_bytes() - held > MOST_BYTES:
        answer, detail = "failure", f"took {(_most_held_bytes() - held) / 1e9:.1f} GB"
    answers.slowest_s = max(answers.slowest_s, taken_s)
    answers.counts[answer] += 1
    if answer == "failure":
        answers.failures.append(f"{which}: {detail}")


def _most_held_bytes() -> int:
    """The most memory that this process has held so far; 0 where the system is not Linux."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _broken(file: Path, content: bytes, chance: random.Random) -> bytes:
    structured = {".json": break_json, ".npz": break_archive}.get(file.suffix, break_bytes)
    return (structured if chance.random() < 0.6 else break_bytes)(content, chance)


def ask(path: Path) -> tuple[str, str]:
    """`read`, `refused` or `failure`, with the reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            tracks = collect_keypoints(path, **KNOWN).tracks
        except AdaptPoseError as error:
            message = str(error)
            return ("refused", message) if 10 < len(message) < 5000 else ("failure", f"a message of {len(message)}")
        except BaseException as error:
            return "failure", f"{type(error).__name__}: {str(error)[:200]}"
    for track in tracks:
        if not np.abs(track.keypoints_px).max() <= FARTHEST_PX * 2 or track.scores.min() < 0 or track.scores.max() > 1:
            return "failure", f"{track.name} holds what is no pose"
    return "read", ""


@dataclass(frozen=True)
class Fuzzing:
    """Count the answers of every reader to damaged or generated files."""

    inputs: int = 10_000
    """Number of inputs for each reader."""
    seed: int = 0
    readers: tuple[str, ...] = ()
    """Names of the readers to test; all if none is given."""
    files: Literal["damaged", "generated"] = "damaged"
    """Damaged copies of a valid file, or files made from a grammar."""


def main(options: Fuzzing) -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSED_BYTES, MOST_ADDRESSED_BYTES))
    samples: dict[str, Any] = dict(SAMPLES)
    try:
        import h5py  # noqa: F401

        if options.files == "damaged":
            import tables  # noqa: F401

        samples["DeepLabCut HDF5"] = deeplabcut_hdf5
    except ImportError:
        print("DeepLabCut HDF5: left out, it needs pandas, tables and h5py")
    if options.files == "generated":
        samples |= hostile_files.GENERATORS
    print("| reader | inputs | read | refused | failures | slowest |\n|---|---|---|---|---|---|")
    for name, write in samples.items():
        if options.readers and name not in options.readers:
            continue
        if options.files == "generated":
            answers = fuzz_generated(name, options.inputs, options.seed)
        else:
            answers = fuzz(write, options.inputs, options.seed)
        counts = answers.counts
        print(
            f"| {name} | {options.inputs} | {counts['read']} | {counts['refused']} | {counts['failure']} "
            f"| {answers.slowest_s * 1000:.0f} ms |",
            flush=True,
        )
        for failure in answers.failures[:10]:
            print(f"  {failure}")


if __name__ == "__main__":
    main(tyro.cli(Fuzzing))
