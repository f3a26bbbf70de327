"""What other programs write, by their own libraries where these are installed, goes in and gives the same keypoints."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import fuzzing
from benchmarks.broken_files import samples
from sdk.errors import BadKeypoints
from sdk.keypoint_files import is_keypoints, read_keypoints
from sdk.skeletons.skeleton import SKELETONS

KNOWN = fuzzing.KNOWN


def check(path: Path, skeleton: str, truth: np.ndarray, *others: np.ndarray, **options: Any) -> None:
    """Read it, and compare every person's keypoints (T, J, 2 or 3) with the truth, NaN where it has none."""
    tracks = read_keypoints(path, **(KNOWN | options))
    assert [track.skeleton for track in tracks] == [skeleton] * (1 + len(others))
    for track, wanted in zip(tracks, (truth, *others), strict=True):
        known = np.isfinite(wanted[..., 0])[track.frame_indices]
        np.testing.assert_allclose(track.keypoints_px[known], wanted[track.frame_indices][known][..., :2], atol=1e-3)
        assert len(track) >= samples.FRAMES - 2


def by_names(skeleton: str, names: list[str], pose: np.ndarray) -> np.ndarray:
    """The pose in a skeleton's order, NaN for joints without a column; names are the skeleton's."""
    wanted = np.full((len(pose), len(SKELETONS[skeleton]), 2), np.nan)
    for column, name in enumerate(names):
        wanted[:, SKELETONS[skeleton].index(name)] = pose[:, column, :2]
    return wanted


def test_alphapose_by_frame_is_coco18(tmp_path: Path) -> None:
    check(samples.alphapose_by_frame(tmp_path), "coco18", samples.person(18))


def test_alphapose_in_the_cmu_form_and_of_poseflow(tmp_path: Path) -> None:
    """The second example of AlphaPose's docs/output.md, and what PoseFlow makes of the first."""
    pose = samples.person(18)
    cmu = {f"{i}.png": {"version": 0.1, "bodies": [{"joints": frame.ravel().tolist()}]} for i, frame in enumerate(pose)}
    (tmp_path / "cmu.json").write_text(json.dumps(cmu))
    check(tmp_path / "cmu.json", "coco18", pose)
    two = samples.person(17), samples.person(17, 120)
    flow = {
        f"{i}.jpg": [
            {"keypoints": p[i].ravel().tolist(), "scores": 2.0, "idx": n} for n, p in ((4, two[0]), (9, two[1]))
        ]
        for i in range(samples.FRAMES)
    }
    (tmp_path / "flow.json").write_text(json.dumps(flow))
    check(tmp_path / "flow.json", "coco17", *two)
    assert [track.name for track in read_keypoints(tmp_path / "flow.json", **KNOWN)] == ["flow#4", "flow#9"]


@pytest.mark.parametrize(("joints", "skeleton"), [(26, "halpe26"), (136, "halpe26"), (16, "mpii16")])
def test_alphapose_of_other_bodies(tmp_path: Path, joints: int, skeleton: str) -> None:
    pose = samples.person(joints)
    people = [{"image_id": f"{i}.jpg", "keypoints": frame.ravel().tolist()} for i, frame in enumerate(pose)]
    (tmp_path / "a.json").write_text(json.dumps(people))
    check(tmp_path / "a.json", skeleton, pose[:, : len(SKELETONS[skeleton])])
    with pytest.raises(BadKeypoints, match=f"{joints} joints, skeleton 'body25' has 25"):
        read_keypoints(tmp_path / "a.json", skeleton="body25", **KNOWN)


@pytest.mark.parametrize(
    ("joints", "skeleton", "ending"),
    [(25, "body25", "_keypoints.json"), (18, "coco18", "_keypoints.json"), (26, "halpe26", ".json"),
     (17, "coco17", ".json"), (133, "coco23", ".json")],
)  # fmt: skip
def test_openpose_and_pose2sim_folders(tmp_path: Path, joints: int, skeleton: str, ending: str) -> None:
    """Pose2Sim's names have no `_keypoints`; its folder is called `<video>_json`."""
    folder, pose = tmp_path / "cam01_json", samples.person(joints)
    folder.mkdir()
    for number, frame in enumerate(pose):
        content = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": frame.ravel().tolist()}]}
        (folder / f"cam01_{number:06d}{ending}").write_text(json.dumps(content))
    assert is_keypoints(folder)
    check(folder, skeleton, pose[:, : len(SKELETONS[skeleton])])


def mmpose_instances(pose: np.ndarray) -> list[Any]:
    """One person a frame, through mmpose's own `split_instances`, as its inferencer dumps them."""
    pytest.importorskip("mmpose")
    from sdk.detectors.mmpose.import_shims import import_mmpose

    import_mmpose()
    from mmengine.structures import InstanceData
    from mmpose.structures import split_instances

    return [
        split_instances(
            InstanceData(
                keypoints=frame[None, :, :2],
                keypoint_scores=frame[None, :, 2],
                bboxes=np.zeros((1, 4)),
                bbox_scores=np.ones(1),
            )
        )
        for frame in pose
    ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("joints", "skeleton"), [(17, "coco17"), (26, "halpe26"), (133, "coco23")])
def test_mmpose_writes_predictions(tmp_path: Path, joints: int, skeleton: str) -> None:
    pose = samples.person(joints)
    instances, body = mmpose_instances(pose), pose[:, : len(SKELETONS[skeleton])]
    from mmengine.fileio import dump

    dump([{"frame_id": i, "instances": found} for i, found in enumerate(instances)], str(tmp_path / "clip.json"))
    check(tmp_path / "clip.json", skeleton, body)
    (tmp_path / "images").mkdir()
    for number, found in enumerate(instances):
        dump(found, str(tmp_path / "images" / f"img_{number:04d}.json"))
    assert is_keypoints(tmp_path / "images")
    check(tmp_path / "images", skeleton, body)
    with pytest.raises(BadKeypoints, match="give the folder"):
        read_keypoints(tmp_path / "images" / "img_0000.json", **KNOWN)


def test_mmpose_demos_name_the_joints_and_count_from_one(tmp_path: Path) -> None:
    pose, names = samples.person(26), SKELETONS["halpe26"].joints
    frames = [
        {"frame_id": i + 1, "instances": [{"keypoints": f[:, :2].tolist(), "keypoint_scores": f[:, 2].tolist()}]}
        for i, f in enumerate(pose)
    ]
    about = {"keypoint_id2name": {str(i): name for i, name in enumerate(names)}}
    (tmp_path / "results_clip.json").write_text(json.dumps({"meta_info": about, "instance_info": frames}))
    check(tmp_path / "results_clip.json", "halpe26", pose)
    assert read_keypoints(tmp_path / "results_clip.json", **KNOWN)[0].frame_indices[0] == 0
    about["keypoint_id2name"] |= {"5": names[6], "6": names[5]}
    (tmp_path / "results_clip.json").write_text(json.dumps({"meta_info": about, "instance_info": frames}))
    with pytest.raises(BadKeypoints, match="another order"):
        read_keypoints(tmp_path / "results_clip.json", **KNOWN)


@pytest.mark.filterwarnings("ignore")
def test_mediapipe_writes_landmarks(tmp_path: Path) -> None:
    """Of the classic API through protobuf's JSON, and of the newer one's dataclasses."""
    pytest.importorskip("mediapipe")
    from google.protobuf.json_format import MessageToDict
    from mediapipe.framework.formats import landmark_pb2
    from mediapipe.tasks.python.components.containers.landmark import NormalizedLandmark

    pose = samples.person(33)
    fractions = pose / (*samples.SIZE, 1)
    make = landmark_pb2.NormalizedLandmark
    classic = [
        MessageToDict(
            landmark_pb2.NormalizedLandmarkList(landmark=[make(x=x, y=y, z=0, visibility=v) for x, y, v in f])
        )
        for f in fractions
    ]
    marks = [[NormalizedLandmark(x=x, y=y, z=0.0, visibility=v, presence=v) for x, y, v in f] for f in fractions]
    newer = [{"pose_landmarks": [[dataclasses.asdict(mark) for mark in f]]} for f in marks]
    for name, frames in (("classic", classic), ("newer", newer), ("list", [f["landmark"] for f in classic])):
        (tmp_path / f"{name}.json").write_text(json.dumps(frames))
        check(tmp_path / f"{name}.json", "mediapipe33", pose)
    (tmp_path / "gap.json").write_text(json.dumps([*classic[:3], None, *classic[4:]]))
    check(tmp_path / "gap.json", "mediapipe33", pose)
    pixels = [{"landmark": [{"x": x, "y": y} for x, y, _ in f.tolist()]} for f in pose]
    (tmp_path / "pixels.json").write_text(json.dumps(pixels))
    with pytest.raises(BadKeypoints, match="fractions of the image"):
        read_keypoints(tmp_path / "pixels.json", **KNOWN)


SPORTS2D = [
    *("hip", "right_hip", "right_knee", "right_ankle", "right_big_toe", "right_small_toe", "right_heel"),
    *("left_hip", "left_knee", "left_ankle", "left_big_toe", "left_small_toe", "left_heel", "neck", "head", "nose"),
    *("right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
]


def test_sports2d_trc_is_halpe26_without_eyes_and_ears(tmp_path: Path) -> None:
    path = samples.trc(tmp_path)
    pose = by_names("halpe26", SPORTS2D, samples.person(22))
    check(path, "halpe26", pose)
    (track,) = read_keypoints(path, image_size=samples.SIZE)
    assert (track.frame_rate_hz, track.scores[0, 0], track.scores[0, 3]) == (25, 1, 0)  # the nose, an ear
    lines = path.read_text().splitlines()
    cells = lines[7].split("\t")
    cells[2 + 3 * 3], cells[3 + 3 * 3] = "", ""
    path.write_text("\n".join([*lines[:7], "\t".join(cells), *lines[8:]]))
    (track,) = read_keypoints(path, image_size=samples.SIZE)
    ankle = SKELETONS["halpe26"].index("right_ankle")
    assert track.scores[2, ankle] == 0
    np.testing.assert_allclose(track.keypoints_px[2, ankle], pose[2, ankle], atol=1e-3)  # a straight walk
    cells[4] = "0.3"
    path.write_text("\n".join([*lines[:7], "\t".join(cells), *lines[8:]]))
    with pytest.raises(BadKeypoints, match="holds 3D"):
        read_keypoints(path, image_size=samples.SIZE)


DEEPLABCUT = list(SKELETONS["deeplabcut14"].joints)


def deeplabcut_frame(people: list[np.ndarray], parts: list[str], *, several: bool) -> Any:
    """A table as DeepLabCut makes it, with `individuals` where there are several."""
    pandas = pytest.importorskip("pandas")
    names = [["DLC"], [f"ind{i}" for i in range(len(people))], parts, ["x", "y", "likelihood"]]
    levels = ["scorer", "individuals", "bodyparts", "coords"]
    keep = slice(None) if several else [0, 2, 3]
    names, levels = list(np.array(names, object)[keep]), list(np.array(levels)[keep])
    values = np.concatenate([pose.reshape(samples.FRAMES, -1) for pose in people], 1)
    return pandas.DataFrame(values, columns=pandas.MultiIndex.from_product(names, names=levels))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["csv", "h5"])
@pytest.mark.parametrize("several", [False, True])
def test_deeplabcut_writes_tables(tmp_path: Path, ending: str, several: bool) -> None:
    path = tmp_path / f"clipDLC_resnet101shuffle1.{ending}"
    people = [samples.person(14), samples.person(14, 120)][: 1 + several]
    people[0][2, 3] = np.nan
    table = deeplabcut_frame(people, DEEPLABCUT, several=several)
    if ending == "csv":
        table.to_csv(path)
    else:
        pytest.importorskip("tables")
        pytest.importorskip("h5py")
        table.to_hdf(path, key="df_with_missing", format="table", mode="w")
    truth = [pose.copy() for pose in people]
    check(path, "deeplabcut14", *truth)
    ankle = read_keypoints(path, **KNOWN)[0].scores[2, 3]
    assert ankle == 0


def test_deeplabcuts_own_names_and_coco_names(tmp_path: Path) -> None:
    check(samples.deeplabcut_csv(tmp_path), "deeplabcut14", samples.person(14))
    path = tmp_path / "mine.csv"
    names = [f"{joint.removeprefix('left_').removeprefix('right_')}_{joint[0].upper()}" if "_" in joint else joint
             for joint in SKELETONS["coco17"].joints]  # fmt: skip
    header = [["scorer", *["me"] * 51], ["bodyparts", *np.repeat(names, 3)], ["coords", *["x", "y", "likelihood"] * 17]]
    rows = [[i, *frame.ravel()] for i, frame in enumerate(samples.person(17))]
    path.write_text("\n".join(",".join(map(str, row)) for row in [*header, *rows]))
    check(path, "coco17", samples.person(17))
    path.write_text(path.read_text().replace("hip_L", "tail"))
    with pytest.raises(BadKeypoints, match="needs also left_hip"):
        read_keypoints(path, **KNOWN)


def test_hdf5_runs_no_pickle(tmp_path: Path) -> None:
    """pandas keeps column names as pickles; PyTables would run this one."""
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("tables")
    pytest.importorskip("pandas")
    path = samples.deeplabcut_hdf5(tmp_path)

    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "ran"),)

    with h5py.File(path, "a") as file:
        file["df_with_missing/table"].attrs["values_block_0_kind"] = np.void(pickle.dumps(Evil()))
    with pytest.raises(BadKeypoints, match="which they do not need"):
        read_keypoints(path, **KNOWN)
    assert not (tmp_path / "ran").exists()


def test_mmposes_3d_is_refused_with_the_way_to_its_2d(tmp_path: Path) -> None:
    instances = [{"keypoints": [[0.1, 0.2, 0.3]] * 17, "keypoint_scores": [0.9] * 17}]
    frames = [{"frame_id": i + 1, "instances": instances} for i in range(5)]
    for name, content in (
        ("results_a.json", {"meta_info": {"dataset_name": "h36m"}, "instance_info": frames}),
        ("a.json", frames),
    ):
        (tmp_path / name).write_text(json.dumps(content))
        with pytest.raises(BadKeypoints, match=r"3D poses.*MMPoseInferencer\(pose2d="):
            read_keypoints(tmp_path / name, **KNOWN)


def test_world_landmarks_are_refused(tmp_path: Path) -> None:
    marks = [{"x": 0.1, "y": 0.01 * i - 0.2, "z": 0.0} for i in range(33)]
    for key in ("pose_world_landmarks", "worldLandmarks"):
        (tmp_path / "a.json").write_text(json.dumps([{key: [marks]}] * 5))
        with pytest.raises(BadKeypoints, match=r"only world landmarks.*Save the result's pose_landmarks"):
            read_keypoints(tmp_path / "a.json", **KNOWN)


def test_world_landmarks_saved_alone_are_refused_before_the_image_size_is_asked_for(tmp_path: Path) -> None:
    marks = [{"x": 0.1 * (i % 2) - 0.05, "y": 0.02 * (i - 23.5) if i not in (23, 24) else 0.0} for i in range(33)]
    (tmp_path / "a.json").write_text(json.dumps([marks] * 30))
    with pytest.raises(BadKeypoints, match=r"corner \(0, 0\) in all frames.*save pose_landmarks"):
        read_keypoints(tmp_path / "a.json")


def videopose3d_detections(path: Path, people: list[np.ndarray]) -> Path:
    """As inference/infer_video_d2.py of VideoPose3D writes it: boxes and keypoints by class, (P, 4, 17)."""
    boxes, keypoints = [], []
    for frame in range(samples.FRAMES):
        there = [person[frame].T for person in people if np.isfinite(person[frame]).all()]
        poses = np.array([[x, y, 0 * x, p] for x, y, p in there]).reshape(-1, 4, 17)
        boxes.append([[], np.zeros((len(poses), 5))])
        keypoints.append([[], poses])
    objects = [np.array(values, dtype=object) for values in (boxes, keypoints, [None] * samples.FRAMES)]
    metadata = {"w": samples.SIZE[0], "h": samples.SIZE[1]}
    np.savez_compressed(path, boxes=objects[0], keypoints=objects[1], segments=objects[2], metadata=metadata)
    return path


def test_videopose3ds_detections_of_a_video(tmp_path: Path) -> None:
    one, two = samples.person(17), samples.person(17, 120)
    two[0] = np.nan  # comes a frame later
    path = videopose3d_detections(tmp_path / "run.mp4.npz", [one, two])
    first, second = read_keypoints(path, frame_rate_hz=25.0)
    assert (first.image_size, first.skeleton) == (samples.SIZE, "coco17")
    np.testing.assert_allclose(first.keypoints_px, one[..., :2], atol=1e-3)
    np.testing.assert_allclose(second.keypoints_px, two[1:, :, :2], atol=1e-3)
    # Detectron2 draws joints from a probability of 0.05 on: they were seen.
    one[..., 2] = 0.05
    (weak,) = read_keypoints(videopose3d_detections(tmp_path / "weak.mp4.npz", [one]), frame_rate_hz=25.0)
    np.testing.assert_allclose(weak.scores, 0.2, atol=1e-6)
