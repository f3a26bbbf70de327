"""TRC, C3D and BVH as other people's libraries read them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import c3d
import ezc3d
import numpy as np
import pytest
from pybvh import read_bvh_file
from trc import TRCData

from sdk.results.pose_frame import LiftStatus
from sdk.skeletons.skeleton import COCO17, H36M16, H36M20
from sdk.writers.factory import open_writer
from sdk.writers.motion_files import EvenRows
from tests.sdk.writers.walking import LENGTH_M, person, result, rigid_pose, with_feet

RATE = 25.0
Y_UP = np.array([1, -1, -1])


def write(path: Path, times: list[int]) -> list[Path]:
    """Person 3 in the frames of these numbers; the stream begins at frame 0."""
    with open_writer(path, COCO17, (64, 48), RATE) as writer:
        writer.write(result(0, 100.0))
        for t in times:
            writer.write(result(t, 100 + t / RATE, person(3, rigid_pose(t)), person(4, None)))
        writer.write(result(times[-1] + 100, 104 + times[-1] / RATE))
    assert writer.paths == [path.with_name(f"{path.stem}_person3{path.suffix}")]
    return writer.paths


def test_trc_is_y_up_and_metres(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "walk.trc", list(range(5, 25)))
    markers = TRCData()
    markers.load(str(path))
    assert (markers["Units"], markers["DataRate"], markers["NumFrames"]) == ("m", 25, 20)
    assert markers["Frame#"] == list(range(6, 26))
    assert markers["OrigDataStartFrame"] == 6
    assert tuple(markers["Markers"]) == H36M16.joints
    np.testing.assert_allclose(markers["Time"], np.arange(5, 25) / RATE, atol=1e-6)
    for joint, name in enumerate(H36M16.joints):
        expected = [rigid_pose(t)[joint] * Y_UP for t in range(5, 25)]
        np.testing.assert_allclose(markers[name], expected, atol=1e-5)


def test_c3d_is_y_up_and_millimetres(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "walk.c3d", [t for t in range(5, 45) if not 12 <= t < 30])
    file = ezc3d.c3d(str(path))
    points, header = file["data"]["points"], file["header"]["points"]
    parameters = file["parameters"]
    assert tuple(parameters["POINT"]["LABELS"]["value"]) == H36M16.joints
    assert parameters["POINT"]["UNITS"]["value"] == ["mm"]
    assert (header["frame_rate"], header["first_frame"], header["last_frame"]) == (25, 0, 44)
    assert parameters["ADAPTPOSE"]["TRACK_ID"]["value"] == [3]
    assert parameters["ADAPTPOSE"]["START_S"]["value"] == [pytest.approx(0.2)]
    seen = [t for t in range(5, 45) if not 12 <= t < 30]
    expected = np.stack([rigid_pose(t) * Y_UP * 1000 for t in seen])
    np.testing.assert_allclose(points[:3, :, seen].transpose(2, 1, 0), expected, atol=1e-3)
    # A gap of 0.76 s is not bridged; before frame 5 the person was not there.
    missing = [t for t in range(45) if t not in seen]
    assert np.isnan(points[0][:, missing]).all()
    assert (file["data"]["meta_points"]["residuals"][0][:, missing] == -1).all()


@pytest.mark.filterwarnings("ignore:No analog data found")  # there is none in motion from video
def test_c3d_of_more_than_an_hour_counts_its_frames(tmp_path: Path) -> None:
    from sdk.writers.c3d_file import C3dFile

    file = C3dFile(tmp_path / "long.c3d", 1, 0.0, 25.0)
    pose = rigid_pose(0) * Y_UP
    for _ in range(70_000):
        file.add(pose)
    file.close()
    with open(tmp_path / "long.c3d", "rb") as handle:  # ezc3d takes minutes for so many frames
        reader = c3d.Reader(handle)
    assert reader.frame_count == reader.last_frame == 70_000
    assert (tmp_path / "long.c3d").stat().st_size == (reader.header.data_block - 1) * 512 + 70_000 * 16 * 16


def test_bvh_moves_the_joints_to_their_places(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "walk.bvh", list(range(5, 15)))
    motion = read_bvh_file(path, world_up="+y")
    assert set(motion.joint_names) == set(H36M16.joints)
    assert motion.frame_time == pytest.approx(0.04)
    placed = motion.joint_positions()
    assert len(placed) == 15
    for index, name in enumerate(H36M16.joints):
        expected = [rigid_pose(max(t, 5))[index] * Y_UP for t in range(15)]
        np.testing.assert_allclose(placed[:, motion.joint_index[name]], expected, atol=2e-3, err_msg=name)


def test_bvh_has_the_lengths_of_the_track(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "walk.bvh", list(range(5, 15)))
    offsets = {}
    name = ""
    for line in path.read_text().splitlines():
        words = line.split()
        if words[0] in ("ROOT", "JOINT"):
            name = words[1]
        elif words[0] == "OFFSET" and name not in offsets:
            offsets[name] = float(np.linalg.norm([float(word) for word in words[1:]]))
    assert {k: v for k, v in offsets.items() if k != "pelvis"} == pytest.approx(LENGTH_M, abs=6e-4)


def test_rows_at_even_steps_of_a_camera_that_is_not_even() -> None:
    times = 3 + np.array([0.0, 0.03, 0.09, 0.2, 0.21, 0.33])
    line = np.outer(times, np.arange(3.0))[:, None]
    even = EvenRows(25.0)
    rows = [row for t, pose in zip(times, line, strict=True) for row in even.push(pose, t)]
    assert len(rows) == even.rows == 9
    np.testing.assert_allclose(
        np.stack([row for row in rows if row is not None]), np.outer(3 + np.arange(9) / 25, np.arange(3.0))[:, None]
    )


def test_rows_keep_exact_poses_and_leave_long_gaps_open() -> None:
    even = EvenRows(30.0)
    poses = [np.full((1, 3), float(t)) for t in range(40)]
    rows = [row for t in (*range(5), *range(25, 30)) for row in even.push(poses[t], t / 30)]
    assert [None if row is None else row[0, 0] for row in rows] == [*range(5), *[None] * 20, *range(25, 30)]


def test_rows_are_in_step_with_the_stream() -> None:
    """Whoever comes between two rows begins with the next; who was there between two rows only has one row."""
    even = EvenRows(10.0, origin_s=50.0)
    poses = {52.04: 4.0, 52.14: 14.0, 52.24: 24.0}
    rows = [row for t, value in poses.items() for row in even.push(np.full((1, 3), value), t)]
    assert even.start_s == pytest.approx(52.1)
    assert [float(row[0, 0]) for row in rows if row is not None] == pytest.approx([10.0, 20.0])
    assert even.finish() == []
    short = EvenRows(10.0, origin_s=50.0)
    assert short.push(np.full((1, 3), 4.0), 52.04) == []
    (row,) = short.finish()
    assert row is not None
    assert (row[0, 0], short.start_s) == (4.0, pytest.approx(52.1))


def numbers_in(path: Path) -> tuple[int, int]:
    """Rows that a file says it has, and those with a pose of its own."""
    if path.suffix == ".trc":
        markers = TRCData()
        markers.load(str(path))
        return markers["NumFrames"], sum(np.isfinite(row[0]) for row in markers["pelvis"])
    if path.suffix == ".c3d":
        points = ezc3d.c3d(str(path))["data"]["points"]
        return points.shape[2], int(np.isfinite(points[0, 0]).sum())
    angles = read_bvh_file(path, world_up="+y").joint_angles
    return len(angles), len(np.unique(angles.reshape(len(angles), -1), axis=0))


@pytest.mark.parametrize("suffix", [".trc", ".c3d", ".bvh"])
def test_no_pose_is_lost_where_a_track_lives_on_without_being_lifted(tmp_path: Path, suffix: str) -> None:
    """Detected all the time, but not finite for 1.6 s: one track, one file."""
    with open_writer(tmp_path / f"walk{suffix}", COCO17, (64, 48), RATE) as writer:
        for t in range(180):
            pose = None if 40 <= t < 80 else rigid_pose(t)
            status = LiftStatus.NOT_FINITE if pose is None else None
            writer.write(result(t, t / RATE, person(3, pose, status)))
    assert writer.paths == [tmp_path / f"walk_person3{suffix}"]
    assert numbers_in(writer.paths[0]) == (180, 140)


@pytest.mark.parametrize("suffix", [".trc", ".c3d", ".bvh"])
@pytest.mark.parametrize(("forgotten", "names"), [((), ["walk_person3"]), ((3,), ["walk_person3", "walk_person3_2"])])
def test_a_track_that_comes_back_overwrites_nothing(
    tmp_path: Path, suffix: str, forgotten: tuple[int, ...], names: list[str]
) -> None:
    """An application may number people itself."""
    with open_writer(tmp_path / f"walk{suffix}", COCO17, (64, 48), RATE) as writer:
        for t in range(100):
            frame = result(t, t / RATE, *([] if 20 <= t < 60 else [person(3, rigid_pose(t))]))
            writer.write(replace(frame, forgotten=forgotten if t == 50 else ()))
    assert [path.stem for path in writer.paths] == names
    assert sum(numbers_in(path)[1] for path in writer.paths) == 60


def test_files_are_closed_when_their_person_is_forgotten(tmp_path: Path) -> None:
    with open_writer(tmp_path / "walk.bvh", COCO17, (64, 48), RATE) as writer:
        for t in range(300):
            here = [person(1 + t // 30, rigid_pose(t))]
            writer.write(replace(result(t, t / RATE, *here), forgotten=(t // 30,) if t % 30 == 5 else ()))
            assert len(writer._people) <= 2
    assert len(writer.paths) == 10


@pytest.mark.parametrize("suffix", [".trc", ".c3d", ".bvh"])
def test_files_of_an_earlier_run_do_not_stay_beside_the_new_ones(tmp_path: Path, suffix: str) -> None:
    ours = ["walk_person2", "walk_person31", "walk_person3_2", "walk_person7_from_4210.40s"]
    others = ["walk_person", "walk_personal", "walk_person2b", "other_person2", "walk"]
    for name in [*ours, *others]:
        (tmp_path / f"{name}{suffix}").write_text("older")
    with open_writer(tmp_path / f"walk{suffix}", COCO17, (64, 48), RATE) as writer:
        assert (tmp_path / f"walk_person2{suffix}").exists()  # nothing came of this run yet
        writer.write(result(0, 0.0, person(1, rigid_pose(0))))
    assert {path.stem for path in tmp_path.iterdir()} == {"walk_person1", *others}


def test_who_comes_very_late_has_a_file_of_their_own_time(tmp_path: Path) -> None:
    with open_writer(tmp_path / "walk.bvh", COCO17, (64, 48), RATE) as writer:
        writer.write(result(0, 50.0))
        for t in range(5):
            writer.write(result(t + 1, 4260.4 + t / RATE, person(7, rigid_pose(t))))
    assert writer.paths == [tmp_path / "walk_person7_from_4210.40s.bvh"]
    assert numbers_in(writer.paths[0]) == (5, 5)


def test_a_clock_that_is_set_back_begins_other_files(tmp_path: Path) -> None:
    with open_writer(tmp_path / "walk.c3d", COCO17, (64, 48), RATE) as writer:
        for t in range(10):
            writer.write(result(t, 100 + t / RATE, person(1, rigid_pose(t))))
        for t in range(10):
            writer.write(result(t, 7 + t / RATE, *([person(2, rigid_pose(t))] if t > 3 else [])))
    assert [path.stem for path in writer.paths] == ["walk_person1", "walk_person2"]
    assert [numbers_in(path) for path in writer.paths] == [(10, 10), (10, 6)]


@pytest.mark.parametrize("number", [32767, 32768, 65536, 2**40])
def test_c3d_of_the_highest_track_numbers(tmp_path: Path, number: int) -> None:
    with open_writer(tmp_path / "walk.c3d", COCO17, (64, 48), RATE) as writer:
        writer.write(result(0, 0.0, person(number, rigid_pose(0))))
    (value,) = ezc3d.c3d(str(writer.paths[0]))["parameters"]["ADAPTPOSE"]["TRACK_ID"]["value"]
    assert int(value) == number


def test_a_missing_person_is_named_nan_in_trc(tmp_path: Path) -> None:
    """OpenSim drops blank last cells of a line, and then misses columns."""
    (path,) = write(tmp_path / "walk.trc", [*range(5), *range(25, 30)])
    rows = [line.split("\t") for line in path.read_text().splitlines()[6:]]
    assert {len(row) for row in rows} == {2 + 48}
    assert [row[2:] == ["NaN"] * 48 for row in rows] == [5 <= t < 25 for t in range(30)]


def test_bvh_has_one_space_between_numbers(tmp_path: Path) -> None:
    """Readers that split at every space find empty numbers elsewhere."""
    (path,) = write(tmp_path / "walk.bvh", list(range(5)))
    assert not [line for line in path.read_text().splitlines() if "  " in line.strip()]


class TestFeet:
    """Poses of 20 joints: heels and toes in every file."""

    POSES = tuple(with_feet(rigid_pose(t)) for t in range(10))

    def write(self, path: Path) -> Path:
        with open_writer(path, COCO17, (64, 48), RATE, H36M20) as writer:
            for t, pose in enumerate(self.POSES):
                told = {
                    "visibility": np.ones(20, np.float32),
                    "deviations_m": np.full((20, 3), 0.01 * t, np.float32),
                    "up": np.array([0, -1, 0], np.float32),
                    "contact": np.array([0.1, 0.2, 0.3, 0.4], np.float32),
                }
                writer.write(result(t, t / RATE, replace(person(3, pose), **told)))
        return writer.paths[0]

    def test_trc_has_opensims_markers(self, tmp_path: Path) -> None:
        markers = TRCData()
        markers.load(str(self.write(tmp_path / "walk.trc")))
        assert markers["Markers"][16:] == ["RHeel", "RBigToe", "LHeel", "LBigToe"]
        expected = [pose[H36M20.index("left_toe")] * Y_UP for pose in self.POSES]
        np.testing.assert_allclose(markers["LBigToe"], expected, atol=1e-5)

    def test_c3d(self, tmp_path: Path) -> None:
        file = ezc3d.c3d(str(self.write(tmp_path / "walk.c3d")))
        assert tuple(file["parameters"]["POINT"]["LABELS"]["value"]) == H36M20.joints
        expected = np.stack([pose * Y_UP * 1000 for pose in self.POSES])
        np.testing.assert_allclose(file["data"]["points"][:3].transpose(2, 1, 0), expected, atol=1e-3)

    def test_bvh_has_feet_that_point_where_they_should(self, tmp_path: Path) -> None:
        motion = read_bvh_file(self.write(tmp_path / "walk.bvh"), world_up="+y")
        assert "left_toe_base" in motion.joint_names
        assert not any("heel" in name for name in motion.joint_names)
        placed = motion.joint_positions()
        ankle, toe = (placed[:, motion.joint_index[name]] for name in ("left_ankle", "left_toe_base"))
        for frame, pose in enumerate(self.POSES):
            wanted = (pose[H36M20.index("left_toe")] - pose[H36M20.index("left_ankle")]) * Y_UP
            found = toe[frame] - ankle[frame]
            cosine = found @ wanted / np.linalg.norm(found) / np.linalg.norm(wanted)
            assert np.degrees(np.arccos(min(cosine, 1))) < 1

    def test_npz_and_csv_name_them(self, tmp_path: Path) -> None:
        for suffix in (".npz", ".csv"):
            self.write(tmp_path / f"walk{suffix}")
        with np.load(tmp_path / "walk.npz") as saved:
            assert tuple(saved["pose_joint_names"]) == H36M20.joints
            np.testing.assert_array_equal(saved["joints_m"], np.stack(self.POSES))
            np.testing.assert_allclose(saved["deviations_m"][:, 5, 1], 0.01 * np.arange(10), rtol=1e-6)
            np.testing.assert_array_equal(saved["up"], np.tile(np.float32([0, -1, 0]), (10, 1)))
            np.testing.assert_allclose(saved["contact"][3], [0.1, 0.2, 0.3, 0.4])
        head, first = (tmp_path / "walk.csv").read_text().splitlines()[:2]
        value = dict(zip(head.split(","), first.split(","), strict=True))["left_toe_x_m"]
        assert float(value) == pytest.approx(self.POSES[0][H36M20.index("left_toe"), 0], abs=1e-5)

    def test_json_has_what_the_lifter_tells(self, tmp_path: Path) -> None:
        entries = json.loads(self.write(tmp_path / "walk.json").read_text())
        assert entries[2]["deviations_m"] == [0.02] * 60
        assert entries[2]["up"] == [0, -1, 0]
        assert entries[2]["contact"] == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("placed", [True, False])
def test_upright_people_stand_on_the_floor(tmp_path: Path, placed: bool) -> None:
    """y = 0 is the floor in every format, wherever the camera was."""
    pose = with_feet(rigid_pose(1))
    one = replace(
        person(1, pose), floor_m=float(pose[:, 1].max()), root_m=np.array([1, 3, 6], np.float32) if placed else None
    )
    frames = [replace(result(t, t / RATE, one), tilt_rad=(0.4, 0.0)) for t in range(3)]
    for suffix in (".bvh", ".trc", ".c3d"):
        with open_writer(tmp_path / f"stands{suffix}", COCO17, (64, 48), RATE, H36M20) as writer:
            for frame in frames:
                writer.write(frame)
    markers = TRCData()
    markers.load(str(tmp_path / "stands_person1.trc"))
    heights = [markers[name][0][1] for name in markers["Markers"]]
    assert min(heights) == pytest.approx(0, abs=1e-4)
    assert markers["pelvis"][0] == pytest.approx([1 if placed else 0, pose[:, 1].max(), -6 if placed else 0], abs=1e-4)
    points = ezc3d.c3d(str(tmp_path / "stands_person1.c3d"))["data"]["points"][:3, :, 0].T / 1000
    np.testing.assert_allclose(points[:, 1], heights, atol=1e-4)
    motion = read_bvh_file(tmp_path / "stands_person1.bvh", world_up="+y")
    assert motion.joint_positions()[0][motion.joint_index["pelvis"]][1] == pytest.approx(pose[:, 1].max(), abs=1e-4)
