"""What the lifter with feet tells reaches smoothing, placement and the legs: files and streams alike."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdk.camera.one_euro import OneEuroFilter, Smoothing
from sdk.camera.pinhole_camera import Pinhole
from sdk.camera.placement import Placement
from sdk.detectors.detection import Detections
from sdk.errors import BadSetting, MissingContact, MissingVertical
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.writing import write_keypoints
from sdk.lifting.lifter import Lifter
from sdk.lifting.windows import prepare_keypoints
from sdk.prediction.keypoint_poses import poses_of_tracks
from sdk.prediction.prediction import PredictionWork, predict
from sdk.prediction.settings import PoseSettings, PredictionSettings, open_lifter_of, processors_of
from sdk.prediction.sources import find_sources
from sdk.results.processors.steady_feet import SteadyFeet
from sdk.results.processors.upright_recording import UprightRecording
from sdk.skeletons.skeleton import COCO17, SKELETONS
from sdk.stream.pose_assembly import DetectedImage, PoseAssembly
from sdk.video.source import VideoFrame
from tests.sdk.prediction.recordings import track
from tests.sdk.stick_figures import SIZE

SETTINGS = PoseSettings(model=Path("feet"), field_of_view=60.0, repair_sides=False)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return Lifter("feet")


def placed_by_hand(lifter: Lifter, *, told: bool) -> tuple[np.ndarray, np.ndarray]:
    """Poses and positions of the track, with or without what the lifter says of its spread."""
    one = track(frames=40)
    scored = np.concatenate([one.keypoints_px, one.scores[..., None]], -1)
    prepared = prepare_keypoints(scored, one.image_size, one.skeleton, lifter.metadata, lifter.missing_below)
    answer, _ = lifter.answer_prepared(prepared, one.timestamps_s)
    assert answer.deviations_m is not None
    placement, smooth = Placement(Pinhole.of_field_of_view(60.0)), OneEuroFilter(Smoothing())
    poses, roots = [], []
    for t, time_s in enumerate(one.timestamps_s.tolist()):
        spread = answer.deviations_m[t] if told else None
        pose, root = placement(answer.joints_m[t], prepared[t], time_s, spread)
        poses.append(smooth(pose, time_s, spread))
        roots.append(root)
    return np.stack(poses), np.stack(roots)


def test_files_are_smoothed_and_placed_by_the_spread(lifter: Lifter) -> None:
    frames = list(poses_of_tracks([track(frames=40)], lifter, SETTINGS))
    # Of a person who is not lifted it is None; here all are, or stacking fails.
    found = np.stack([frame.people[0].joints_m for frame in frames])  # type: ignore[arg-type]
    poses, roots = placed_by_hand(lifter, told=True)
    np.testing.assert_allclose(found, poses, atol=1e-6)
    np.testing.assert_allclose([frame.people[0].root_m for frame in frames], roots, rtol=1e-5)
    assert np.abs(found - placed_by_hand(lifter, told=False)[0]).max() > 1e-3


@pytest.mark.parametrize("steady", [False, True])
def test_a_stream_is_as_a_file(lifter: Lifter, steady: bool) -> None:
    settings = replace(SETTINGS, upright=True, steady_feet=steady)
    one = track(frames=40)
    offline = list(poses_of_tracks([one], lifter, settings))
    assembly = PoseAssembly(
        lifter,
        COCO17,
        25.0,
        live=False,
        smoothing=Smoothing(),
        placement=lambda: Placement(Pinhole.of_field_of_view(60.0)),
        repair_sides=False,
        processors=[],
    )
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    live = []
    for t in range(40):
        here = one.keypoints_px[t]
        box = np.concatenate([here.min(0), here.max(0)])
        detections = Detections(here[None], one.scores[t][None], box[None], np.ones(1, np.float32))
        live += assembly.push(DetectedImage(VideoFrame(t, t / 25, image), detections, None, 0.0, 0.0, 0.0))
    live += assembly.flush()
    for processor in processors_of(settings, UprightRecording(live)):
        live = [processor.process(frame) for frame in live]
    pairs = [(frame.people[0], later.people[0]) for frame, later in zip(live, offline, strict=True) if frame.people]
    assert len(pairs) > 30
    for first, second in pairs:
        assert first.joints_m is not None
        assert second.joints_m is not None
        assert first.root_m is not None
        assert second.root_m is not None
        np.testing.assert_allclose(first.joints_m, second.joints_m, atol=2e-3)
        np.testing.assert_allclose(first.root_m, second.root_m, rtol=2e-3, atol=2e-3)
        assert first.floor_m == pytest.approx(second.floor_m, abs=5e-3)


def test_what_options_need() -> None:
    for settings in (
        PoseSettings(steady_feet=True),
        PoseSettings(steady_feet=True, upright=True),
        PoseSettings(steady_feet=True, field_of_view=60.0),
    ):
        with pytest.raises(BadSetting, match=r"--steady-feet holds feet .* add --upright, and --field-of-view"):
            processors_of(settings)
    kinds = [type(one) for one in processors_of(replace(SETTINGS, upright=True, steady_feet=True))]
    assert kinds[-1] is SteadyFeet
    with pytest.raises(MissingContact, match="--model feet"):
        open_lifter_of(PoseSettings(steady_feet=True, upright=True, tilt=(0, 0), field_of_view=60.0))
    with pytest.raises(MissingVertical, match="--model feet"):
        open_lifter_of(PoseSettings(upright=True))
    assert open_lifter_of(PoseSettings(upright=True, tilt=(10, 0))).skeleton.name == "h36m16"


def test_with_openvino_for_the_detector_the_lifter_stays_on_the_cpu():
    assert open_lifter_of(PoseSettings(device="openvino")).provider == "CPUExecutionProvider"


def with_layout(skeleton: str) -> KeypointTrack:
    """The walking person in another layout: joints of COCO, what lies between them, and feet under the ankles."""
    one = track(frames=30)
    at = dict(zip(COCO17.joints, one.keypoints_px.transpose(1, 0, 2), strict=True))
    at["hip"] = at["mid_hip"] = (at["left_hip"] + at["right_hip"]) / 2
    at["neck"] = (at["left_shoulder"] + at["right_shoulder"]) / 2
    at["head"] = 2 * at["nose"] - at["neck"]
    for side in ("left", "right"):
        for name, place in (("heel", (-2, 4)), ("big_toe", (8, 5)), ("small_toe", (7, 5)), ("foot_index", (8, 5))):
            at[f"{side}_{name}"] = at[f"{side}_ankle"] + np.float32(place)
    layout = SKELETONS[skeleton]
    keypoints = np.stack([at.get(joint, at["nose"]) for joint in layout.joints], 1)
    scores = np.full(keypoints.shape[:2], 0.9, np.float32)
    return replace(one, keypoints_px=keypoints, scores=scores, skeleton=skeleton)


@pytest.mark.parametrize("skeleton", ["halpe26", "body25", "mediapipe33", "coco23", "coco17", "coco18"])
def test_feet_that_no_keypoint_shows_are_marked(lifter: Lifter, skeleton: str, tmp_path: Path) -> None:
    seen = skeleton not in ("coco17", "coco18")
    one = with_layout(skeleton)
    people = [frame.people[0] for frame in poses_of_tracks([one], lifter, SETTINGS)]
    for person in people:
        assert person.inferred is not None
        assert person.inferred.tolist() == [False] * 16 + [not seen] * 4
    write_keypoints(tmp_path / "walk.npz", [one])
    (source,) = find_sources((str(tmp_path / "walk.npz"),), tmp_path / "out").recordings
    work = PredictionWork(source, tmp_path / "out", PredictionSettings(**{**vars(SETTINGS), "format": ("npz", "json")}))
    notes = predict(work, lambda *_: None).summary.notes
    assert any("feet are inferred from the legs" in note for note in notes) != seen
    with np.load(tmp_path / "out" / source.name / "poses.npz", allow_pickle=False) as poses:
        assert ((poses["visibility"][:, 16:] > 0) == seen).all()
    entries = json.loads((tmp_path / "out" / source.name / "poses.json").read_text())
    assert all((value > 0) == seen for entry in entries for value in entry["visibility"][16:])


def test_a_foot_that_is_hidden_for_a_while_is_marked_then(lifter: Lifter) -> None:
    one = with_layout("halpe26")
    scores = one.scores.copy()
    foot = [SKELETONS["halpe26"].index(f"left_{part}") for part in ("heel", "big_toe", "small_toe")]
    scores[12:20, foot] = 0
    people = [frame.people[0] for frame in poses_of_tracks([replace(one, scores=scores)], lifter, SETTINGS)]
    marked = np.array([person.inferred for person in people])[:, 18:]
    assert marked.all(1).tolist() == [12 <= t < 20 for t in range(30)]
    assert not np.array([person.inferred for person in people])[:, :18].any()
