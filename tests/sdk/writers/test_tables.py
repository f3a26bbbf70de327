"""CSV and JSON come back as they were, and a killed process keeps what it had."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdk.errors import BadOutput
from sdk.keypoint_files import read_keypoints
from sdk.results.pose_frame import LiftStatus, Measurement
from sdk.skeletons.skeleton import COCO17, H36M16, H36M20
from sdk.writers.csv_writer import CsvWriter
from sdk.writers.factory import open_writer
from sdk.writers.json_writer import JsonWriter
from tests.sdk.writers.walking import person, result, rigid_pose, with_feet

FRAMES = [result(t, t / 25, person(1, rigid_pose(t)), *([person(2, None)] if t > 2 else [])) for t in range(6)]


def test_csv_comes_back(tmp_path: Path) -> None:
    with CsvWriter(tmp_path / "poses.csv", COCO17) as writer:
        for frame in FRAMES:
            writer.write(frame)
    with open(tmp_path / "poses.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["frame_index"], row["track_id"]) for row in rows][-3:] == [("4", "2"), ("5", "1"), ("5", "2")]
    assert float(rows[-1]["timestamp_s"]) == pytest.approx(0.2)
    first = rows[0]
    joints = [[float(first[f"{joint}_{axis}_m"]) for axis in "xyz"] for joint in H36M16.joints]
    np.testing.assert_allclose(joints, rigid_pose(0), atol=1e-5)
    keypoints = [[float(first[f"{joint}_{axis}_px"]) for axis in "xy"] for joint in COCO17.joints]
    np.testing.assert_allclose(keypoints, FRAMES[0].people[0].keypoints_px, atol=1e-3)
    assert first["status"] == "lifted"
    assert [float(first[f"{side}_px"]) for side in ("left", "top", "right", "bottom")] == [10, 20, 110, 220]
    assert first["root_x_m"] == ""
    assert rows[-1]["status"] == "too short"
    assert {rows[-1][f"{joint}_x_m"] for joint in H36M16.joints} == {""}


def test_json_comes_back_and_is_read_as_alphapose(tmp_path: Path) -> None:
    with JsonWriter(tmp_path / "poses.json") as writer:
        for frame in FRAMES:
            writer.write(frame)
    entries = json.loads((tmp_path / "poses.json").read_text())
    assert [(entry["image_id"], entry["idx"]) for entry in entries][-2:] == [("5.jpg", 1), ("5.jpg", 2)]
    np.testing.assert_allclose(np.reshape(entries[0]["keypoints_3d"], (16, 3)), rigid_pose(0), atol=1e-5)
    assert entries[0]["box"] == [10, 20, 100, 200]
    assert entries[-1]["keypoints_3d"] is None
    read = read_keypoints(tmp_path / "poses.json", image_size=(320, 240), frame_rate_hz=25.0)
    tracks = {int(track.name.split("#")[1]): track for track in read}
    assert len(tracks[1]) == 6
    seen = FRAMES[0].people[0].scores >= 0.2  # readers fill in what was hardly seen
    np.testing.assert_allclose(tracks[1].keypoints_px[0][seen], FRAMES[0].people[0].keypoints_px[seen], atol=1e-3)


def test_json_without_people_and_with_measurements(tmp_path: Path) -> None:
    from dataclasses import replace

    with JsonWriter(tmp_path / "empty.json"):
        pass
    assert json.loads((tmp_path / "empty.json").read_text()) == []
    measured = replace(
        person(1, rigid_pose(0)), measurements=(Measurement("a", 1.5, "rad"), Measurement("b", float("nan"), "rad"))
    )
    with JsonWriter(tmp_path / "one.json") as writer:
        writer.write(result(0, 0.0, measured))
    (entry,) = json.loads((tmp_path / "one.json").read_text())
    assert entry["measurements"] == {"a": 1.5, "b": None}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_killed_process_keeps_what_reached_the_disk(tmp_path: Path) -> None:
    program = """
import os, signal, sys, time
from pathlib import Path
from sdk.skeletons.skeleton import COCO17
from sdk.writers import base
from sdk.writers.factory import WRITER_SUFFIXES, open_writer
from tests.sdk.writers.walking import person, result, rigid_pose, with_feet
base.INTERVAL_S = 0.0
for suffix in WRITER_SUFFIXES:
    writer = open_writer(Path(sys.argv[1]) / f"poses{suffix}", COCO17, (64, 48), 25.0)
    globals()[suffix] = writer  # kept open
    for t in range(20):
        writer.write(result(t, t / 25, person(1, rigid_pose(t))))
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", program, tmp_path], env=environment, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(json.loads((tmp_path / "poses.json").read_text())) == 20
    with open(tmp_path / "poses.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 20
    from ezc3d import c3d
    from pybvh import read_bvh_file
    from trc import TRCData

    assert c3d(str(tmp_path / "poses_person1.c3d"))["data"]["points"].shape == (4, 16, 20)
    assert len(read_bvh_file(tmp_path / "poses_person1.bvh").joint_angles) == 20
    markers = TRCData()
    markers.load(str(tmp_path / "poses_person1.trc"))
    assert markers["NumFrames"] == len(markers["Time"]) == 20
    # The arrays are packed when the next recording of that name begins.
    with open_writer(tmp_path / "poses.npz", COCO17, (64, 48), 25.0):
        pass
    with np.load(tmp_path / "poses.recovered.npz", allow_pickle=False) as poses:
        assert poses["frame_index"].tolist() == list(range(20))
        np.testing.assert_array_equal(poses["joints_m"][19], rigid_pose(19))
        assert not bool(poses["complete"])


def test_unknown_suffix_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(BadOutput, match=r"poses.fbx: poses are written as .npz, .json, .csv, .trc, .c3d, .bvh"):
        open_writer(tmp_path / "poses.fbx", COCO17, (64, 48), 25.0)


def test_every_status_has_a_row(tmp_path: Path) -> None:
    statuses = list(LiftStatus)
    with CsvWriter(tmp_path / "poses.csv", COCO17) as writer:
        for t, status in enumerate(statuses):
            lifted = status in (LiftStatus.LIFTED, LiftStatus.AT_EDGE, LiftStatus.BRIDGED)
            writer.write(result(t, t / 25, person(1, rigid_pose(t) if lifted else None, status)))
    with open(tmp_path / "poses.csv", newline="", encoding="utf-8") as file:
        assert [row["status"] for row in csv.DictReader(file)] == [status.value for status in statuses]


def test_what_lifters_with_feet_tell_comes_back(tmp_path: Path) -> None:
    """Spread, up, contact, floor and the camera's tilt, in CSV, JSON and npz; nothing where nothing is told."""
    random = np.random.default_rng(0)
    told = replace(
        person(1, with_feet(rigid_pose(0))),
        visibility=np.concatenate([np.ones(16), np.zeros(4)]).astype(np.float32),
        deviations_m=random.uniform(0.01, 0.1, (20, 3)).astype(np.float32),
        up=np.array([0.6, -0.8, 0], np.float32),
        contact=np.array([0.1, 0.2, 0.3, 0.4], np.float32),
        floor_m=0.9,
    )
    frames = [
        replace(result(0, 0.0, told), tilt_rad=(0.3, -0.1)),
        result(1, 0.04, replace(person(2, None), visibility=None)),
    ]
    assert told.inferred is not None
    assert told.inferred.tolist() == [False] * 16 + [True] * 4
    for suffix in (".csv", ".json", ".npz"):
        with open_writer(tmp_path / f"poses{suffix}", COCO17, (64, 48), 25.0, H36M20) as writer:
            for frame in frames:
                writer.write(frame)
    with open(tmp_path / "poses.csv", newline="", encoding="utf-8") as file:
        row, empty = csv.DictReader(file)
    assert told.deviations_m is not None
    deviations = [[float(row[f"{joint}_deviation_{axis}_m"]) for axis in "xyz"] for joint in H36M20.joints]
    np.testing.assert_allclose(deviations, told.deviations_m, atol=1e-5)
    assert [float(row[f"up_{axis}"]) for axis in "xyz"] == pytest.approx([0.6, -0.8, 0])
    contact = [float(row[f"{joint}_contact"]) for joint in ("right_heel", "right_toe", "left_heel", "left_toe")]
    assert contact == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [float(row[name]) for name in ("floor_m", "pitch_rad", "roll_rad")] == pytest.approx([0.9, 0.3, -0.1])
    assert [float(row[f"{joint}_visibility"]) for joint in H36M20.joints[15:17]] == [1, 0]
    assert {empty[name] for name in ("up_x", "left_toe_contact", "floor_m", "pitch_rad", "head_deviation_z_m")} == {""}
    entry, nothing = json.loads((tmp_path / "poses.json").read_text())
    assert (entry["floor_m"], entry["tilt_rad"], entry["contact"]) == (0.9, [0.3, -0.1], [0.1, 0.2, 0.3, 0.4])
    assert not {"floor_m", "tilt_rad", "contact"} & nothing.keys()
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as poses:
        np.testing.assert_array_equal(poses["deviations_m"][0], told.deviations_m)
        assert poses["floor_m"][0] == pytest.approx(0.9)
        np.testing.assert_allclose(poses["tilt_rad"][0], [0.3, -0.1], atol=1e-7)
        assert np.isnan(poses["floor_m"][1])
        assert np.isnan(poses["tilt_rad"][1]).all()
