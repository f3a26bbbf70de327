"""Acclaim skeletons and motions: positions known by hand or another way, damaged files, which skeleton is whose."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.broken_files.damage import break_bytes
from sdk.errors import BadMotion
from sdk.skeletons.skeleton import H36M16
from tests.training.motion.readers.acclaim_files import PERSON, Bones, amc_text, asf_text, write_person
from training.motion.motion_units import UNITS_M
from training.motion.readers.acclaim import files, frames, skeleton
from training.motion.readers.acclaim.files import skeleton_of
from training.motion.readers.acclaim.frames import read_frames
from training.motion.readers.acclaim.motion import bone_ends
from training.motion.readers.acclaim.skeleton import read_skeleton
from training.motion.readers.motion import read_motion

ANGLE = 0.6  # rad: no turn that its transpose could pass for
DEG = str(np.rad2deg(ANGLE))
SIN, COS = np.sin(ANGLE), np.cos(ANGLE)


def pose(path: Path) -> dict[str, np.ndarray]:
    """The first frame, z up: the file's x, y, z are x, -z, y here turned about."""
    return dict(zip(H36M16.joints, read_motion(path).clips[0].joints_world_m[0], strict=True))


def changed(bone: str, axis: str | None = None, dof: str | None = None) -> Bones:
    parent, direction, length, old_axis, old_dof = PERSON[bone]
    return PERSON | {bone: (parent, direction, length, axis or old_axis, old_dof if dof is None else dof)}


def write(folder: Path, asf: str, amc: str) -> Path:
    (folder / "02.asf").write_text(asf)
    (folder / "02_01.amc").write_text(amc)
    return folder / "02_01.amc"


def test_the_person_at_rest(tmp_path: Path) -> None:
    found = pose(write_person(tmp_path))
    expected = {
        "pelvis": (0, 0, 0.9), "left_hip": (0.1, 0, 0.9), "right_knee": (-0.1, 0, 0.5), "left_ankle": (0.1, 0, 0.08),
        "spine": (0, 0, 1.11), "thorax": (0, 0, 1.4), "head": (0, 0, 1.62), "left_shoulder": (0.18, 0, 1.4),
        "right_elbow": (-0.18, 0, 1.1), "left_wrist": (0.18, 0, 0.85),
    }  # fmt: skip
    for joint, position in expected.items():
        np.testing.assert_allclose(found[joint], position, atol=1e-6, err_msg=joint)


def test_a_bent_knee(tmp_path: Path) -> None:
    """About x, from y to z: the shin, which points down, goes to -z, behind the person; here y is -z."""
    found = pose(write_person(tmp_path, [{"ltibia": DEG}] * 13))
    np.testing.assert_allclose(found["left_ankle"], (0.1, 0.42 * SIN, 0.5 - 0.42 * COS), atol=1e-6)
    np.testing.assert_allclose(found["right_ankle"], (-0.1, 0, 0.08), atol=1e-6)


def test_a_turned_root(tmp_path: Path) -> None:
    """About y, from z to x: the left hip, at +x, goes to -z, which is +y here; it has moved by 1, 2, 3 as well."""
    found = pose(write_person(tmp_path, [{"root": f"1 2.9 3 0 {DEG} 0"}] * 13))
    np.testing.assert_allclose(found["left_hip"], (1 + 0.1 * COS, -3 + 0.1 * SIN, 2.9), atol=1e-6)
    np.testing.assert_allclose(found["head"], (1, -3, 3.62), atol=1e-6)


def test_an_axis_that_is_not_aligned(tmp_path: Path) -> None:
    """Turned by 90 degrees about y, the bone's x axis is -z: the shin goes to the person's right."""
    bones = changed("ltibia", "0 90 0 XYZ")
    found = pose(write(tmp_path, asf_text(bones), amc_text([{"ltibia": DEG}] * 4, bones)))
    np.testing.assert_allclose(found["left_ankle"], (0.1 - 0.42 * SIN, 0, 0.5 - 0.42 * COS), atol=1e-6)


@pytest.mark.parametrize(
    ("dof", "values", "knee"),
    [
        ("rz rx", f"90 {DEG}", (0.5, 0, 0.9)),  # to the left; about x, where it lies then, nothing happens
        ("rx rz", f"{DEG} 90", (0.1 + 0.4 * COS, 0.4 * SIN, 0.9)),  # to the back by a part; that to the left
    ],
)
def test_turns_happen_in_the_order_of_dof(
    tmp_path: Path, dof: str, values: str, knee: tuple[float, float, float]
) -> None:
    bones = changed("lfemur", dof=dof)
    found = pose(write(tmp_path, asf_text(bones), amc_text([{"lfemur": values}] * 4, bones)))
    np.testing.assert_allclose(found["left_knee"], knee, atol=1e-6)


@pytest.mark.parametrize(
    ("angle", "head", "value", "axis"),
    [
        ("rad", ":FULLY-SPECIFIED", str(ANGLE), f"0 {np.pi / 2} 0 XYZ"),
        ("deg", ":fully-specified\n:radians", str(ANGLE), "0 90 0 XYZ"),
        ("rad", ":FULLY-SPECIFIED\n:DEGREES", DEG, f"0 {np.pi / 2} 0 XYZ"),
        ("DEG", ":FULLY-SPECIFIED", DEG, "0 90 0 xyz"),
    ],
)
def test_degrees_and_radians(tmp_path: Path, angle: str, head: str, value: str, axis: str) -> None:
    bones = {name: (*bone[:3], "0 0 0 XYZ", bone[4]) for name, bone in PERSON.items()} | {
        "ltibia": (*PERSON["ltibia"][:3], axis, "rx")
    }
    found = pose(write(tmp_path, asf_text(bones, angle=angle), amc_text([{"ltibia": value}] * 4, bones, head)))
    np.testing.assert_allclose(found["left_ankle"], (0.1 - 0.42 * SIN, 0, 0.5 - 0.42 * COS), atol=1e-6)


def turn(sequence: str, angles_deg: np.ndarray) -> np.ndarray:
    """Matrix of turns about fixed axes, the first one first."""
    whole = np.eye(3)
    for letter, angle in zip(sequence.lower(), np.deg2rad(angles_deg), strict=True):
        i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[letter]
        one = np.eye(3)
        one[i, i] = one[j, j] = np.cos(angle)
        one[j, i], one[i, j] = np.sin(angle), -np.sin(angle)
        whole = one @ whole
    return whole


def test_any_skeleton_in_any_pose(tmp_path: Path) -> None:
    """The other way round: at rest, each bone with all that hangs on it turns in place, from the tips to the root."""
    chance = np.random.default_rng(3)
    orders = ["XYZ", "ZYX", "YXZ", "zxy"]
    dofs = ["rx ry rz", "rz ry rx", "ry rz", "rz", "", "ry rx rz"]
    bones: Bones = {}
    for i, name in enumerate(PERSON):
        direction = chance.normal(size=3)
        axis = " ".join(map(str, chance.uniform(-180, 180, 3))) + f" {orders[i % 4]}"
        x, y, z = direction / np.linalg.norm(direction)
        bones[name] = (PERSON[name][0], (x, y, z), float(chance.uniform(0.1, 2)), axis, dofs[i % 6])
    values = [{name: chance.uniform(-180, 180, len(bone[4].split())) for name, bone in bones.items()} for _ in range(2)]
    root = chance.uniform(-180, 180, (2, 6))
    frames = [
        {name: " ".join(map(str, numbers)) for name, numbers in [*frame.items(), ("root", line)]}
        for frame, line in zip(values, root, strict=True)
    ]
    path = write(tmp_path, asf_text(bones, order="RZ TY RX TX TZ RY"), amc_text(frames, bones))
    skeleton = read_skeleton(tmp_path / "02.asf")
    found = bone_ends(skeleton, read_frames(path, skeleton))
    for name in bones:
        chain = [name]
        while bones[chain[-1]][0] != "root":
            chain.append(bones[chain[-1]][0])
        offsets = np.array([np.array(bones[one][1]) * bones[one][2] for one in chain])
        for frame in range(2):
            point = offsets.sum(0)
            for i, one in enumerate(chain):
                start = offsets[i + 1 :].sum(0)
                *angles, order = bones[one][3].split()
                axes = turn(order, np.array(angles, float))
                own = turn(bones[one][4].replace("r", "").replace(" ", ""), values[frame][one])
                point = start + axes @ own @ axes.T @ (point - start)
            z, ty, x, tx, tz, y = root[frame]
            expected = turn("zxy", np.array([z, x, y])) @ point + (tx, ty, tz)
            np.testing.assert_allclose(found[name][frame], expected, atol=1e-9, err_msg=name)


@pytest.mark.parametrize(
    ("scale", "length", "unit"),
    [(1 / UNITS_M["CMU units"], "0.45", "CMU units by its ':units length 0.45'"), (100, "1.0", "centimetres"),
     (1 / 0.0254, "2.54", "inches"), (1, "1", "metres")],
)  # fmt: skip
def test_units(tmp_path: Path, scale: float, length: str, unit: str) -> None:
    frame = {"root": f"0 {0.9 * scale} 0 0 0 0"}
    path = write(tmp_path, asf_text(scale=scale, length=length), amc_text([frame] * 13))
    library = read_motion(path)
    assert f"skeleton 02.asf, unit taken as {unit} (hip to ankle 0.82 m), y up, 120 frames" in library.notes[0]
    np.testing.assert_allclose(library.clips[0].joints_world_m[0, H36M16.index("head")], (0, 0, 1.62), atol=1e-5)


def test_cmus_length_with_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMotion, match=r"02\.asf says ':units length 0\.45'.*is 0\.05 m\. Put the right length"):
        read_motion(write(tmp_path, asf_text(length="0.45"), amc_text([{}] * 13)))


class TestFrameRate:
    def frames(self, path: Path, **options: float) -> tuple[int, str]:
        library = read_motion(path, source_fps=options.get("source_fps"))
        assert library.clips[0].frame_rate_hz == 50
        return len(library.clips[0].joints_world_m), library.notes[0]

    def test_is_cmus_where_nothing_says_it(self, tmp_path: Path) -> None:
        moving = [{"root": f"0 0.9 {frame / 120} 0 0 0"} for frame in range(13)]
        path = write_person(tmp_path, moving)
        count, note = self.frames(path)
        assert count == 6
        assert "120 frames a second assumed" in note
        assert "--source-fps" in note
        travelled = -read_motion(path).clips[0].joints_world_m[:, 0, 1]
        np.testing.assert_allclose(travelled, np.arange(6) / 50, atol=1e-6)

    def test_as_given(self, tmp_path: Path) -> None:
        count, note = self.frames(write_person(tmp_path), source_fps=60.0)
        assert (count, note.split(", ")[-1]) == (11, "60 frames a second as given")

    def test_a_file_beside_goes_before_that(self, tmp_path: Path) -> None:
        path = write_person(tmp_path)
        (tmp_path / "02_01.json").write_text('{"fps": 30}')
        count, note = self.frames(path, source_fps=60.0)
        assert (count, note.split(", ")[-1]) == (21, "30 frames a second as the .json file beside it says")

    def test_the_file_itself_before_all(self, tmp_path: Path) -> None:
        path = write(tmp_path, asf_text(), amc_text([{}] * 13, head=":SAMPLES-PER-SECOND 100\n:FULLY-SPECIFIED"))
        (tmp_path / "02_01.json").write_text('{"fps": 30}')
        assert self.frames(path)[0] == 7

    @pytest.mark.parametrize("rate", ["1e-6", "0", "-120", "1e5"])
    def test_none_that_could_be(self, tmp_path: Path, rate: str) -> None:
        path = write(tmp_path, asf_text(), amc_text([{}] * 13, head=f":SAMPLES-PER-SECOND {rate}\n:FULLY-SPECIFIED"))
        with pytest.raises(BadMotion, match=r"frame_rate_hz.*between 1 and 10000"):
            read_motion(path)


class TestWhoseSkeleton:
    def touch(self, folder: Path, *names: str) -> Path:
        for name in names:
            (folder / name).touch()
        return folder / names[0]

    @pytest.mark.parametrize(
        ("files", "skeleton"),
        [
            (("02_01.amc", "02.asf"), "02.asf"),
            (("02_01.amc", "02.asf", "05.asf"), "02.asf"),
            (("02_01.amc", "02.asf", "02_01.asf"), "02_01.asf"),
            (("Walk.AMC", "walk.ASF", "run.asf"), "walk.ASF"),
            (("HDM_bd_01-02.amc", "HDM_bd.asf", "HDM_mm.asf"), "HDM_bd.asf"),
            (("charleston1.amc", "dancer.asf"), "dancer.asf"),
        ],
    )
    def test_by_name_by_subject_or_the_only_one(self, tmp_path: Path, files: tuple[str, ...], skeleton: str) -> None:
        assert skeleton_of(self.touch(tmp_path, *files)).name == skeleton

    def test_several_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(
            BadMotion, match=r"12_01\.amc may belong to 02\.asf, 05\.asf\. Name its skeleton 12_01\.asf"
        ):
            skeleton_of(self.touch(tmp_path, "12_01.amc", "02.asf", "05.asf"))

    def test_none_says_what_to_put_there(self, tmp_path: Path) -> None:
        with pytest.raises(BadMotion, match=r"no skeleton beside 02_01\.amc\. Put the \.asf file.*02\.asf"):
            skeleton_of(self.touch(tmp_path, "02_01.amc"))

    def test_a_skeleton_alone(self, tmp_path: Path) -> None:
        path = self.touch(tmp_path, "02.asf")
        with pytest.raises(BadMotion, match=r"02\.asf is a skeleton only\. Give the \.amc file"):
            read_motion(path)
        with pytest.raises(BadMotion, match="only skeletons"):
            read_motion(tmp_path)


def test_a_folder_as_cmu_has_it(tmp_path: Path) -> None:
    for person in ("02", "05"):
        (tmp_path / person).mkdir()
        write_person(tmp_path / person, name=person)
    (tmp_path / "05" / "05_02.amc").write_text("torn")
    library = read_motion(tmp_path)
    assert [clip.name for clip in library.clips] == [str(Path("02/02_01")), str(Path("05/05_01"))]
    assert [skipped.name for skipped in library.skipped] == [str(Path("05/05_02.amc"))]
    assert [note.split(",")[0] for note in library.notes] == [
        f"{Path('02/02_01')}: skeleton 02.asf", f"{Path('05/05_01')}: skeleton 05.asf",
    ]  # fmt: skip


ASF, AMC = "02.asf", "02_01.amc"
DAMAGE = [
    (ASF, ":hierarchy[^$]*", "", r"02\.asf has no section :hierarchy.*It has :version.*:bonedata"),
    (ASF, "(?s).*", "", r"no section :root, :bonedata, :hierarchy.*has none"),
    (ASF, "(?s)(upperback\n.*?)  end.*:hier", r"\1:hier", r":bonedata has no 'end': the file is cut off"),
    (ASF, r"(?s)  end\s*$", "", r":hierarchy has no 'end': the file is cut off"),
    (ASF, "  end\n", "", r"line 22: 'begin' within :bonedata"),
    (ASF, "  begin\n    id 1\n", "    id 1\n", r"line 16: 'id' of :bonedata is not between"),
    (ASF, ":root", ":units", r"line 10: there is a section :units already"),
    (ASF, ":version", "version", r"line 2: an Acclaim skeleton starts with a section"),
    (ASF, "TX TY TZ RX RY RZ", "TX TY TZ RX RY", r"line 11: 'order' of :root must name TX TY TZ RX RY RZ.*'TX TY"),
    (ASF, "orientation 0 0 0", "orientation 0 90 0", r"line 14: orientation of :root is 0 90 0.*as BVH"),
    (ASF, "angle deg", "angle grad", r"line 7: angle is 'grad'; it must be deg or rad"),
    (ASF, "length 1.0", "length nan", r"line 6: the unit of length must be 1 number within 1e6, not 'nan'"),
    (ASF, "length 0.4\n", "length long\n", r"line 27: length of 'lfemur' must be 1 number"),
    (ASF, "length 0.4\n", "length -0.4\n", r"line 27: bone 'lfemur' has length -0\.4"),
    (ASF, "length 0.4\n", "", r"line 24: bone 'lfemur' has no length"),
    (ASF, "length 0.4\n", "length 0.4\nlength 0.5\n", r"line 28: a second 'length'; line 27 has one"),
    (ASF, "direction 0 -1 0", "direction 0 0 0", r"bone 'lfemur' has length 0\.4 along a direction of length 0"),
    (ASF, "direction 0 -1 0", "direction 0 inf 0", r"direction of 'lfemur' must be 3 numbers"),
    (ASF, "0 0 0 XYZ", "0 0 0", r"'axis' of 'lhipjoint' ends with the order.*not '0'"),
    (ASF, "0 0 0 XYZ", "0 0 XYZ", r"axis of 'lhipjoint' must be 3 numbers within 1e6, not '0 0'"),
    (ASF, "dof rx ry rz", "dof rx ry l", r"bone 'lfemur' has the dof rx ry l; only bones that turn"),
    (ASF, "dof rx ry rz", "dof rx ry rx", r"bone 'lfemur' has the dof rx ry rx"),
    (ASF, "name lfemur", "name lhipjoint", r"line 25: a second 'lhipjoint'"),
    (ASF, "name lfemur", "name " + "l" * 51, r"line 25: a bone's name has 51 characters"),
    (ASF, "    lfemur ltibia", "    lfemur ltibula", r"'ltibula' of :hierarchy is no bone"),
    (ASF, "    lfemur ltibia", "    lfemur ltibia head", r"'head' has the parent '\w+' already"),
    (ASF, "    lfemur ltibia\n", "", r"'ltibia' of :hierarchy has children before it is a child"),
    (ASF, "    lhipjoint lfemur\n", "    ltibia lfemur\n", r"'ltibia' of :hierarchy has children before"),
    (ASF, "    root lhipjoint", "    root", r"'lhipjoint' of :hierarchy has children before.*'root', which goes first"),
    (ASF, "    lwrist lhand\n", "", r":hierarchy does not say where 'lhand' is attached"),
    (ASF, "lhand", "lpaw", r"02\.asf has no lhand\. Bones must have the names that CMU's have; there are lhipjoint"),
    (AMC, r"(?s)(\n2\n.*?rtibia 0\n).*", r"\1", r"02_01\.amc: frame 2 has no .*rfoot.*The file is cut off"),
    (AMC, "ltibia 0", "tail 0", r"02_01\.amc, line 7: 'tail' is no bone that turns.*it may have root, lfemur"),
    (AMC, "ltibia 0", "lhipjoint 0", r"line 7: 'lhipjoint' is no bone that turns"),
    (AMC, "lfemur 0 0 0", "lfemur 0 0", r"line 6: 'lfemur' has 2 values; the skeleton has 3 dof"),
    (AMC, "ltibia 0", "ltibia nan", r"frame 1 has nan for 'ltibia'.*\(4 such in all\)"),
    (AMC, "lfemur 0 0 0", "lfemur 0 0 -2e6", r"frame 1 has -2e\+06 for 'lfemur'"),
    (AMC, "ltibia 0", "ltibia zero", r"line 7: 'zero' of 'ltibia' are no numbers"),
    (AMC, "ltibia 0\n", "", r"frame 1 has no ltibia"),
    (AMC, "ltibia 0\n", "ltibia 0\nltibia 0\n", r"line 8: 'ltibia' is out of place"),
    (AMC, "\n2\nroot (.*)\nlfemur 0 0 0", r"\n2\nlfemur 0 0 0\nroot \1", r"'lfemur' is out of place"),
    (AMC, "\n2\n", "\n4\n", r"frame 4 follows frame 1.*split the file there"),
    (AMC, "\n1\n", "\n", r"line 4: 'root' comes before the number of the first frame"),
    (AMC, ":FULLY-SPECIFIED\n", "", r"does not say :FULLY-SPECIFIED.*It says: :degrees"),
    (AMC, ":DEGREES", ":DEGREES\n:RADIANS", r"says :DEGREES and :RADIANS"),
    (AMC, ":DEGREES", ":SAMPLES-PER-SECOND fast", r":samples-per-second must be 1 number"),
    (AMC, "(?s)\n1\n.*", "\n", r"02_01\.amc has no frame"),
    (AMC, "(?s)\n2\n.*", "\n", r"has 1 frames; at least 2"),
    (AMC, "#!OML", "x" * 10_001, r"line 1 is longer than 10000 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "says"), DAMAGE)
def test_damage_is_one_error(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    path = write_person(tmp_path, [{}] * 4)
    assert read_motion(path).clips
    whole = (tmp_path / file).read_text()
    everywhere = old in ("lhand", "ltibia 0") and new != "ltibia 0\nltibia 0\n"
    broken = re.sub(old, new, whole, count=0 if everywhere else 1)
    assert broken != whole
    (tmp_path / file).write_text(broken)
    with pytest.raises(BadMotion, match=says):
        read_motion(path)


@pytest.mark.parametrize(
    ("module", "bound", "value", "says"),
    [
        (skeleton, "LARGEST_FILE_BYTES", 1000, r"02\.asf has 0 MB; \.asf files of up to 0 MB are read"),
        (frames, "LARGEST_FILE_BYTES", 1000, r"02_01\.amc has 0 MB; \.amc files"),
        (skeleton, "MOST_BONES", 20, r"02\.asf has 21 bones"),
        (frames, "MOST_FRAMES", 12, r"02_01\.amc has more than 12 frames; split it"),
        (files, "LONGEST_LINE", 20, r"02\.asf, line \d+ is longer than 20"),
    ],
)
def test_what_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, bound: str, value: int, says: str
) -> None:
    path = write_person(tmp_path)
    assert read_motion(path).clips
    monkeypatch.setattr(module, bound, value)
    with pytest.raises(BadMotion, match=says):
        read_motion(path)


@pytest.mark.parametrize("file", [ASF, AMC])
def test_random_damage_is_one_error_or_a_clip(tmp_path: Path, file: str) -> None:
    path = write_person(tmp_path)
    whole, chance = (tmp_path / file).read_bytes(), random.Random(8)
    said: list[str] = []
    for _ in range(100):
        (tmp_path / file).write_bytes(break_bytes(whole, chance))
        try:
            library = read_motion(path)
        except BadMotion as error:
            said.append(str(error))
        else:
            assert np.abs(library.clips[0].joints_world_m).max() < 1e6
    assert len(said) > 25
    assert all(10 < len(one) < 5000 for one in said)


def test_lines_that_end_as_on_windows_and_names_in_capitals(tmp_path: Path) -> None:
    path = write_person(tmp_path, [{"ltibia": DEG}] * 4)
    expected = read_motion(path).clips[0].joints_world_m
    (tmp_path / ASF).write_bytes(b"\xef\xbb\xbf" + asf_text().replace("\n", "\r\n").encode())
    path.write_text(path.read_text().replace("ltibia", "LTibia"))
    np.testing.assert_array_equal(read_motion(path).clips[0].joints_world_m, expected)
