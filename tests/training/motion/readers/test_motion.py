"""Motion files: positions and BVH, units, the axis that points up, bad files in a folder."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16, H36M17
from tests.training.motion.clips import STANDING, moving_clip
from training.commands.run_inputs import source_inputs
from training.motion.motion_clip import MotionClip, resample_clip
from training.motion.motion_units import UNITS_M, find_unit, leg_length
from training.motion.readers.motion import load_motion, read_motion

WITH_NOSE = np.insert(STANDING, H36M17.index("nose"), [0, 0.1, 1.55], axis=0)


def write_npz(path: Path, **clips: np.ndarray) -> Path:
    np.savez(path, frame_rate_hz=25.0, **clips)
    return path


def repeated(pose: np.ndarray, frames: int = 11) -> np.ndarray:
    return np.repeat(pose[None], frames, 0).astype(np.float32)


def test_positions_of_16_and_17_joints_become_the_same_clip_at_50_hz(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", sixteen=repeated(STANDING), seventeen=repeated(WITH_NOSE))
    clips = load_motion(tmp_path / "a.npz")
    assert [(clip.name, clip.frame_rate_hz) for clip in clips] == [("sixteen", 50), ("seventeen", 50)]
    for clip in clips:
        np.testing.assert_allclose(clip.joints_world_m, repeated(STANDING, 21), atol=1e-6)


def test_the_rate_may_stand_in_a_json_file_beside(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", walk=repeated(STANDING))
    with pytest.raises(BadMotion, match="does not say its frame rate"):
        load_motion(tmp_path / "a.npz")
    assert len(read_motion(tmp_path / "a.npz", source_fps=25.0).clips[0].joints_world_m) == 21
    (tmp_path / "a.json").write_text(json.dumps({"fps": 100}))
    assert len(read_motion(tmp_path / "a.npz", source_fps=25.0).clips[0].joints_world_m) == 6
    assert len(load_motion(tmp_path / "a.npz")[0].joints_world_m) == 6


def test_y_up_is_turned_so_that_right_stays_right(tmp_path: Path) -> None:
    # The same person in axes with y up: x to the right of who faces -z there, which becomes +y here.
    y_up = np.stack([STANDING[:, 0], STANDING[:, 2], -STANDING[:, 1]], -1)
    write_npz(tmp_path / "a.npz", walk=repeated(y_up))
    clip = load_motion(tmp_path / "a.npz", source_up="y")[0]
    np.testing.assert_allclose(clip.joints_world_m[0], STANDING, atol=1e-6)


def test_resampling_a_line_is_exact() -> None:
    clip = resample_clip(moving_clip("a", 121, 120, 3.0, velocity=2.0), 50)
    assert clip.joints_world_m.shape == (51, 16, 3)
    np.testing.assert_allclose(clip.joints_world_m[:, 0, 0], 3 + 2 * np.arange(51) / 50, atol=1e-5)


def test_a_folder_goes_on_without_its_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "motion"
    (folder / "more").mkdir(parents=True)
    nan = repeated(STANDING)
    nan[4, 6, 1] = np.nan
    write_npz(folder / "a.npz", good=repeated(STANDING), broken=nan, feet=repeated(STANDING * 3.28), flat=STANDING)
    (folder / "b.npz").write_text("not a zip file")
    (folder / "c.bvh").write_text("HIERARCHY of nothing")
    (folder / "more" / "d.bvh").write_text(bvh_text("Mixamo", 1.0))
    np.savez(folder / "e.npz", frame_rate_hz=50.0, walk=np.array([{"code": print}], dtype=object))
    library = read_motion(folder)
    assert [clip.name for clip in library.clips] == ["a/good", "more/d"]
    reasons = {skipped.name: skipped.reason for skipped in library.skipped}
    assert set(reasons) == {"a/broken", "a/feet", "a/flat", "b.npz", "c.bvh", "e/walk"}
    assert "frame 4, joint 6 (left_ankle)" in reasons["a/broken"]
    assert "2.69 m" in reasons["a/feet"]
    assert "(16, 3)" in reasons["a/flat"]
    load_motion(folder)
    said = capsys.readouterr().err
    assert all(name in said for name in reasons)
    assert "more/d: unit taken as metres" in said


@pytest.mark.skipif(os.name == "nt", reason="no pipes and few links there")
def test_a_folder_names_what_can_not_be_read_and_follows_links(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "motion"
    elsewhere.mkdir()
    folder.mkdir()
    write_npz(elsewhere / "b.npz", walk=repeated(STANDING))
    write_npz(folder / "a.npz", walk=repeated(STANDING))
    (folder / "cmu").symlink_to(elsewhere)
    (folder / "back").symlink_to(folder)
    os.mkfifo(folder / "pipe.bvh")
    (folder / "dead.amc").symlink_to("nowhere")
    for name in ("c.fbx", "d.fbx", "e.c3d", "02.asf", "a.json"):
        (folder / name).touch()
    library = read_motion(folder)
    assert [clip.name for clip in library.clips] == ["a/walk", "cmu/b/walk"]
    assert {one.name: one.reason for one in library.skipped} == {
        "pipe.bvh": "it is a pipe, device or socket",
        "dead.amc": "it is a link to nothing",
    }
    assert any("2 .fbx, 1 .c3d; motion is .npz, .bvh, .amc" in note for note in library.notes)
    hashed = {name.rpartition(" ")[2] for name in source_inputs(folder, "source")}
    assert hashed == {"a.npz", "cmu/b.npz", "02.asf", "a.json"}


def test_nothing_usable_names_every_reason(tmp_path: Path) -> None:
    with pytest.raises(BadMotion, match="does not exist"):
        load_motion(tmp_path / "missing")
    with pytest.raises(BadMotion, match=r"\.npz or \.bvh"):
        load_motion(tmp_path)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(BadMotion, match="none of"):
        load_motion(tmp_path / "a.txt")
    if os.name != "nt":
        (tmp_path / "c.npz").symlink_to(os.devnull)
        with pytest.raises(BadMotion, match=r"c\.npz is a pipe, device or socket"):
            load_motion(tmp_path / "c.npz")
    (tmp_path / "b.npz").write_text("")
    with pytest.raises(BadMotion, match=r"(?s)can be used.*b\.npz"):
        load_motion(tmp_path)


@pytest.mark.parametrize("rate", [0.0, -25.0, 1e-9, 1e9, np.nan, np.inf, [25.0, 50.0], "fast"])
def test_a_frame_rate_that_is_none(tmp_path: Path, rate: object) -> None:
    np.savez(tmp_path / "a.npz", frame_rate_hz=np.array(rate), walk=repeated(STANDING))
    with pytest.raises(BadMotion, match=r"a\.npz"):
        load_motion(tmp_path / "a.npz")


def test_an_entry_that_is_no_array(tmp_path: Path) -> None:
    write_npz(tmp_path / "a.npz", walk=repeated(STANDING))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("notes", "of the day")
    library = read_motion(tmp_path / "a.npz")
    assert [clip.name for clip in library.clips] == ["walk"]
    assert [(one.name, one.reason) for one in library.skipped] == [("notes", "it is no array.")]


@pytest.mark.parametrize("far", [2e5, 1e30, -1e38])
def test_positions_far_beyond_a_place(tmp_path: Path, far: float) -> None:
    thrown = repeated(STANDING)
    thrown[3, 0, 0] = far
    write_npz(tmp_path / "a.npz", walk=thrown)
    with pytest.raises(BadMotion, match=r"coordinate of [\de+]+ m, farther from the origin than 100000 m"):
        read_motion(tmp_path / "a.npz")


@pytest.mark.parametrize("far", ["1e300", "inf", "nan"])
def test_bvh_with_a_position_that_is_none(tmp_path: Path, far: str) -> None:
    lines = bvh_text("Mixamo", 1.0).splitlines()
    (tmp_path / "a.bvh").write_text("\n".join([*lines[:-1], " ".join([far, *lines[-1].split()[1:]])]))
    with pytest.raises(BadMotion, match=r"a position that is not finite, or|not a readable BVH file"):
        read_motion(tmp_path / "a.bvh")


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    np.save(tmp_path / "single.npy", repeated(STANDING))
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    write_npz(tmp_path / "whole.npz", walk=repeated(STANDING), run=repeated(STANDING))
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    library = read_motion(tmp_path)
    assert [clip.name for clip in library.clips] == ["whole/walk", "whole/run"]
    reasons = {skipped.name: skipped.reason for skipped in library.skipped}
    assert "single array" in reasons["single.npz"]
    assert "cut off" in reasons["cut.npz"]


@pytest.mark.parametrize("shape", [(5, 17, 3), (1, 16, 3), (16, 3)])
def test_a_clip_checks_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadMotion, match="'walk'"):
        MotionClip("walk", np.zeros(shape, np.float32), 50)


def test_units_do_not_overlap() -> None:
    leg = leg_length(repeated(STANDING))
    assert leg == pytest.approx(0.82)
    for name, metres in UNITS_M.items():
        for person_m in (0.56, leg, 1.14):
            assert find_unit(person_m / metres) == name
    with pytest.raises(BadMotion, match="none of the units"):
        find_unit(5.0)


NAMES = {
    # joint: hips, then hip, knee, ankle, shoulder, elbow, wrist with {} for the side, the head
    "Mixamo": ("mixamorig:Hips", "mixamorig:{}UpLeg", "mixamorig:{}Leg", "mixamorig:{}Foot", "mixamorig:{}Arm",
               "mixamorig:{}ForeArm", "mixamorig:{}Hand", "mixamorig:Head", "mixamorig:{}Shoulder"),
    "CMU": ("Hips", "{}UpLeg", "{}Leg", "{}Foot", "{}Arm", "{}ForeArm", "{}Hand", "Head", "{}Shoulder"),
    "Max": ("Hips", "{}Hip", "{}Knee", "{}Ankle", "{}Shoulder", "{}Elbow", "{}Wrist", "Head", "{}Collar"),
}  # fmt: skip


def bvh_text(naming: str, scale: float, frames: int = 3, turn_deg: float = 0.0) -> str:
    """A standing person with y up who faces z (left is +x), the right thigh turned about x by `turn_deg`."""
    hips, hip, knee, ankle, shoulder, elbow, wrist, head, collar = NAMES[naming]

    def node(name: str, offset: tuple[float, float, float], *children: str, root: bool = False) -> str:
        x, y, z = (number * scale for number in offset)
        channels = "3 Zrotation Xrotation Yrotation"
        if root:
            channels = "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
        inner = "\n".join(children) or "End Site\n{\nOFFSET 0 0 0\n}"
        return f"{'ROOT' if root else 'JOINT'} {name}\n{{\nOFFSET {x} {y} {z}\nCHANNELS {channels}\n{inner}\n}}"

    limbs, arms = [], []
    for side, sign in (("Left", 1), ("Right", -1)):
        foot = node(ankle.format(side), (0, -0.42, 0))
        limbs.append(node(hip.format(side), (0.1 * sign, 0, 0), node(knee.format(side), (0, -0.4, 0), foot)))
        hand = node(wrist.format(side), (0, -0.25, 0))
        arm = node(shoulder.format(side), (0.12 * sign, 0, 0), node(elbow.format(side), (0, -0.3, 0), hand))
        arms.append(node(collar.format(side), (0.06 * sign, 0.5, 0), arm))
    top = node(head, (0, 0.6, 0)).replace("OFFSET 0 0 0", f"OFFSET 0 {0.2 * scale} 0")
    tree = node(hips, (0, 0, 0), *limbs, *arms, top, root=True)
    order = [line.split()[1] for line in tree.splitlines() if line.startswith(("ROOT", "JOINT"))]
    row = [0.0, 0.9 * scale, 0.0]
    for name in order:
        row += [0.0, turn_deg if name == hip.format("Right") else 0.0, 0.0]
    motion = "\n".join([" ".join(map(str, row))] * frames)
    return f"HIERARCHY\n{tree}\nMOTION\nFrames: {frames}\nFrame Time: 0.02\n{motion}\n"


@pytest.mark.parametrize("naming", NAMES)
@pytest.mark.parametrize("unit", ["metres", "centimetres", "CMU units"])
def test_bvh_of_common_namings_and_units(tmp_path: Path, naming: str, unit: str) -> None:
    (tmp_path / "walk.bvh").write_text(bvh_text(naming, 1 / UNITS_M[unit], turn_deg=np.rad2deg(-0.6)))
    library = read_motion(tmp_path / "walk.bvh")
    assert unit in library.notes[0]
    clip = library.clips[0]
    assert (clip.name, clip.joints_world_m.shape) == ("walk", (3, 16, 3))
    pose = dict(zip(H36M16.joints, clip.joints_world_m[0], strict=True))
    # The file's x, y, z are left, up, forward; z up here makes them x, z, -y.
    expected = {
        "pelvis": (0, 0, 0.9),
        "left_ankle": (0.1, 0, 0.08),
        "right_knee": (-0.1, -0.4 * np.sin(0.6), 0.9 - 0.4 * np.cos(0.6)),
        "right_ankle": (-0.1, -0.82 * np.sin(0.6), 0.9 - 0.82 * np.cos(0.6)),
        "left_shoulder": (0.18, 0, 1.4),
        "right_wrist": (-0.18, 0, 0.85),
        "thorax": (0, 0, 1.4),
        "spine": (0, 0, 0.9 + 0.42 * 0.5),
        "head": (0, 0, 1.4 + 0.72 * 0.3),
    }
    for name, position in expected.items():
        np.testing.assert_allclose(pose[name], position, atol=1e-4, err_msg=name)


def test_bvh_with_unknown_names_says_what_it_has_and_what_is_wanted(tmp_path: Path) -> None:
    text = bvh_text("CMU", 1.0).replace("LeftForeArm", "Tentacle")
    (tmp_path / "squid.bvh").write_text(text)
    with pytest.raises(BadMotion, match=r"left_elbow \(LeftElbow.*The file has: Hips.*Tentacle"):
        load_motion(tmp_path / "squid.bvh")


def six_channels(text: str, names: str, moved: dict[str, tuple[float, float, float]]) -> str:
    """The same file with a position in each joint, as Blender exports it: its OFFSET, and for some joints more."""
    head, motion = text.split("MOTION\n")
    lines, offsets, joints = head.splitlines(), [], []
    for i, line in enumerate(lines):
        word, *rest = line.split()
        if word in ("ROOT", "JOINT"):
            joints.append(rest[0])
        if word == "OFFSET" and len(offsets) < len(joints):
            offsets.append([float(value) for value in rest])
        if line.startswith("CHANNELS 3"):
            lines[i] = f"CHANNELS 6 {names}"
    *told, row = motion.strip().split("\n")[:3]
    values = row.split()
    out = values[:6]
    for k, (joint, offset) in enumerate(zip(joints[1:], offsets[1:], strict=True)):
        place = [str(a + b) for a, b in zip(offset, moved.get(joint, (0, 0, 0)), strict=True)]
        turn = values[6 + 3 * k : 9 + 3 * k]
        out += place + turn if names.startswith("Xpos") else turn + place
    frames = int(told[0].split()[1])
    return "\n".join([*lines, "MOTION", *told, *[" ".join(out)] * frames, ""])


@pytest.mark.parametrize(
    "names",
    [
        "Xposition Yposition Zposition Zrotation Xrotation Yrotation",
        "Zrotation Xrotation Yrotation Xposition Yposition Zposition",
    ],
)
def test_bvh_with_a_position_in_each_joint_as_blender_exports_it(tmp_path: Path, names: str) -> None:
    text = bvh_text("Mixamo", 1.0, turn_deg=np.rad2deg(-0.6))
    (tmp_path / "three.bvh").write_text(text)
    expected = load_motion(tmp_path / "three.bvh")[0].joints_world_m
    (tmp_path / "six.bvh").write_text(six_channels(text, names, {}))
    clip = load_motion(tmp_path / "six.bvh")[0]
    np.testing.assert_allclose(clip.joints_world_m, expected, atol=1e-6)
    # The right thigh is turned by 0.6 rad about x: a knee that moves 5 cm along the file's -y goes down and forward.
    (knee,) = [name for name in text.split() if name.endswith("RightLeg")]
    (tmp_path / "longer.bvh").write_text(six_channels(text, names, {knee: (0, -0.05, 0)}))
    longer = load_motion(tmp_path / "longer.bvh")[0].joints_world_m
    step = np.zeros((16, 3))
    step[[H36M16.index("right_knee"), H36M16.index("right_ankle")]] = [0, -0.05 * np.sin(0.6), -0.05 * np.cos(0.6)]
    np.testing.assert_allclose(longer - expected, np.broadcast_to(step, longer.shape), atol=1e-6)


def test_bvh_with_positions_that_are_damaged_is_an_error(tmp_path: Path) -> None:
    text = six_channels(bvh_text("Mixamo", 1.0), "Xposition Yposition Zposition Zrotation Xrotation Yrotation", {})
    lines = text.splitlines()
    for damaged in (text[:-60], "\n".join([*lines[:-1], lines[-1] + " 7"]), text.replace("OFFSET", "OFFSIDE", 5)):
        (tmp_path / "a.bvh").write_text(damaged)
        with pytest.raises(BadMotion, match="not a readable BVH file"):
            read_motion(tmp_path / "a.bvh")
