"""What the lifter with feet tells reaches smoothing, placement and the legs: files and streams alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sdk.camera.one_euro import OneEuroFilter, Smoothing
from sdk.camera.pinhole_camera import Pinhole
from sdk.camera.placement import Placement
from sdk.detectors.detection import Detections
from sdk.errors import BadSetting, MissingContact, MissingVertical
from sdk.lifting.lifter import Lifter
from sdk.lifting.windows import prepare_keypoints
from sdk.prediction.keypoint_poses import poses_of_tracks
from sdk.prediction.settings import PoseSettings, open_lifter_of, processors_of
from sdk.results.processors.steady_feet import SteadyFeet
from sdk.skeletons.skeleton import COCO17
from sdk.stream.pose_assembly import DetectedImage, PoseAssembly
from sdk.video.source import VideoFrame
from tests.sdk.prediction.recordings import track
from tests.sdk.stick_figures import SIZE

SETTINGS = PoseSettings(model="feet", field_of_view=60.0, repair_sides=False)  # type: ignore[arg-type]


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
        processors=processors_of(settings),
    )
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    live = []
    for t in range(40):
        here = one.keypoints_px[t]
        box = np.concatenate([here.min(0), here.max(0)])
        detections = Detections(here[None], one.scores[t][None], box[None], np.ones(1, np.float32))
        live += assembly.push(DetectedImage(VideoFrame(t, t / 25, image), detections, None, 0.0, 0.0, 0.0))
    live += assembly.flush()
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
