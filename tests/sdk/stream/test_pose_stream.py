"""A stream gives each person what the lifter gives for their whole track, with the image it belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sdk.camera.pinhole_camera import Pinhole
from sdk.camera.placement import Placement
from sdk.detectors.detection import Detector
from sdk.errors import BadBodyHeight, BadKeypoints, BadSetting, BadVideo, UnknownDetector
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import LifterMetadata
from sdk.results.pose_frame import LiftStatus, PoseFrame
from sdk.skeletons.skeleton import HALPE26
from sdk.stream.pose_stream import PoseStream
from sdk.video.source import open_video
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.stick_figures import SIZE, KnowingDetector, read_index, walk, write_video

People = Sequence[Sequence[np.ndarray | None]]


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Lifter:
    path = tmp_path_factory.mktemp("lifter") / "linear.onnx"
    write_linear_lifter(path)
    return Lifter(path)


def run(tmp_path: Path, people: People, lifter: Lifter, fps: float = 25.0) -> list[PoseFrame]:
    write_video(tmp_path / "walk.mp4", people, fps)
    with PoseStream(tmp_path / "walk.mp4", KnowingDetector(people), lifter, smoothing=None) as stream:
        return list(stream)


def poses_of(frames: list[PoseFrame]) -> dict[int, dict[int, np.ndarray]]:
    """3D by track id and frame index."""
    poses: dict[int, dict[int, np.ndarray]] = defaultdict(dict)
    for frame in frames:
        for person in frame.people:
            assert person.joints_m is not None
            poses[person.track_id][frame.index] = person.joints_m
    return poses


@pytest.mark.parametrize("fps", [25.0, 30.0, 12.5])
def test_each_track_equals_the_offline_lifter(tmp_path: Path, lifter: Lifter, fps: float) -> None:
    left, right = walk(60, (60, 30), (0.5, 0.2)), walk(60, (240, 100), (-0.6, 0.1), phase=2.0)
    frames = run(
        tmp_path, [(a, b) if t % 2 else (b, a) for t, (a, b) in enumerate(zip(left, right, strict=True))], lifter, fps
    )
    assert [frame.index for frame in frames] == list(range(60))
    poses = poses_of(frames)
    assert sorted(poses) == [1, 2]
    by_track = {person.track_id: person.keypoints_px for person in frames[0].people}
    for track_id, of_track in poses.items():
        track = left if np.array_equal(by_track[track_id], left[0]) else right
        expected = lifter(track, image_size=SIZE, skeleton="coco17", fps=fps)
        np.testing.assert_allclose(np.stack([of_track[t] for t in range(60)]), expected, atol=2e-6)


def test_image_2d_and_time_belong_together(tmp_path: Path, lifter: Lifter) -> None:
    track = walk(40, (100, 60), (1, 0))
    frames = run(tmp_path, [(k,) for k in track], lifter)
    for index, frame in enumerate(frames):
        assert read_index(frame.image) == frame.index == index
        assert frame.timestamp_s == pytest.approx(index / 25)
        np.testing.assert_array_equal(frame.people[0].keypoints_px, track[index])
        assert frame.detections == 1


def test_status_says_where_the_window_is_padded(tmp_path: Path, lifter: Lifter) -> None:
    frames = run(tmp_path, [(k,) for k in walk(40, (100, 60), (1, 0))], lifter)
    at_edge = [frame.index for frame in frames if frame.people[0].status is LiftStatus.AT_EDGE]
    assert at_edge == [*range(13), *range(27, 40)]


def expected_of_segments(lifter: Lifter, track: np.ndarray, segments: list[list[int]]) -> dict[int, np.ndarray]:
    expected = {}
    for segment in segments:
        stream = lifter.stream(image_size=SIZE, skeleton="coco17")
        lifted = [pose for t in segment for pose in stream.push(track[t], t / 25)] + stream.flush()
        expected.update({t: pose.joints_m for t, pose in zip(segment, lifted, strict=True)})
    return expected


def test_short_gap_is_bridged(tmp_path: Path, lifter: Lifter) -> None:
    track = walk(70, (100, 60), (0.3, 0))
    seen = [t for t in range(70) if not 30 <= t < 40]  # 0.44 s from sight to sight
    frames = run(tmp_path, [(k if t in seen else None,) for t, k in enumerate(track)], lifter)
    poses = poses_of(frames)
    assert list(poses) == [1]
    assert list(poses[1]) == list(range(70))
    for t, expected in expected_of_segments(lifter, track, [seen]).items():
        np.testing.assert_allclose(poses[1][t], expected, atol=2e-6)
    bridged = track.copy()
    share = np.linspace(0, 1, 12, dtype=np.float32)[:, None, None]
    bridged[29:41] = track[29] * (1 - share) + track[40] * share
    for t, expected in expected_of_segments(lifter, bridged, [list(range(70))]).items():
        np.testing.assert_allclose(poses[1][t], expected, atol=2e-6)
    for frame in frames:
        person = frame.people[0]
        assert (person.status is LiftStatus.BRIDGED) is (frame.index not in seen)
        assert bool(person.visibility.any()) is (frame.index in seen)
        np.testing.assert_allclose(person.keypoints_px, bridged[frame.index], atol=1e-3)


def test_who_does_not_come_back_is_not_invented(tmp_path: Path, lifter: Lifter) -> None:
    track = walk(60, (100, 60), (0.3, 0))
    frames = run(tmp_path, [(k if t < 30 else None,) for t, k in enumerate(track)], lifter)
    assert [frame.index for frame in frames if frame.people] == list(range(30))


def test_long_gap_starts_a_new_window_for_the_same_person(tmp_path: Path, lifter: Lifter) -> None:
    track = walk(80, (100, 60), (0.3, 0))
    segments = [list(range(30)), list(range(45, 80))]  # 0.64 s from sight to sight
    seen = [*segments[0], *segments[1]]
    poses = poses_of(run(tmp_path, [(k if t in seen else None,) for t, k in enumerate(track)], lifter))
    assert list(poses) == [1]
    assert list(poses[1]) == seen
    for t, expected in expected_of_segments(lifter, track, segments).items():
        np.testing.assert_allclose(poses[1][t], expected, atol=2e-6)
    bridged = expected_of_segments(lifter, track, [seen])
    assert np.abs(bridged[29] - poses[1][29]).max() > 1e-3


def test_delay_is_the_lookahead_while_everybody_is_seen(tmp_path: Path, lifter: Lifter) -> None:
    people: People = [(k,) for k in walk(60, (100, 60), (1, 0))]
    write_video(tmp_path / "walk.mp4", people)
    with PoseStream(tmp_path / "walk.mp4", KnowingDetector(people), lifter) as stream:
        assert stream.delay_s == pytest.approx(0.52)
        delays = [frame.delay_s for frame in stream]
    np.testing.assert_allclose(delays[:47], 0.52, atol=1e-9)
    np.testing.assert_allclose(delays[47:], np.arange(12, -1, -1) / 25, atol=1e-9)


def test_empty_room_gives_no_people_and_no_delay(tmp_path: Path, lifter: Lifter) -> None:
    frames = run(tmp_path, [()] * 20, lifter)
    assert [(len(frame.people), frame.detections, frame.delay_s) for frame in frames] == [(0, 0, 0.0)] * 20


def test_person_seen_in_two_frames_is_not_lifted(tmp_path: Path, lifter: Lifter) -> None:
    track = walk(30, (100, 60), (1, 0))
    frames = run(tmp_path, [(k if t < 2 else None,) for t, k in enumerate(track)], lifter)
    people = [(frame.index, person.status, person.joints_m) for frame in frames for person in frame.people]
    assert people == [(0, LiftStatus.TOO_SHORT, None), (1, LiftStatus.TOO_SHORT, None)]


def test_joint_that_is_not_finite_is_marked_and_bridged(tmp_path: Path, lifter: Lifter) -> None:
    track = walk(50, (100, 60), (0.5, 0))
    broken = track.copy()
    broken[20, 3, 1] = np.nan
    frames = run(tmp_path, [(k,) for k in broken], lifter)
    person = frames[20].people[0]
    assert person.status is LiftStatus.BRIDGED
    np.testing.assert_allclose(person.keypoints_px, (track[19] + track[21]) / 2, atol=1e-4)
    expected = expected_of_segments(lifter, track, [[t for t in range(50) if t != 20]])
    for t, pose in expected.items():
        np.testing.assert_allclose(frames[t].people[0].joints_m, pose, atol=2e-6)


def test_person_without_a_whole_frame_is_marked(tmp_path: Path, lifter: Lifter) -> None:
    broken = walk(20, (100, 60), (0.5, 0))
    broken[:, 3, 1] = np.nan
    people = [person for frame in run(tmp_path, [(k,) for k in broken], lifter) for person in frame.people]
    assert [(person.status, person.joints_m) for person in people] == [(LiftStatus.NOT_FINITE, None)] * 20


def test_one_call_of_the_network_a_step_for_everybody(tmp_path: Path, lifter: Lifter) -> None:
    class Counting(Lifter):
        def __init__(self) -> None:
            super().__init__(lifter.path)
            self.batches: list[int] = []

        def answer_windows(self, windows: np.ndarray) -> np.ndarray:
            self.batches.append(len(windows))
            return super().answer_windows(windows)

    counting = Counting()
    people = list(zip(walk(40, (60, 30), (0.5, 0)), walk(40, (240, 100), (-0.5, 0)), strict=True))
    run(tmp_path, people, counting)
    assert counting.batches == [2] * 27 + [26]


def test_memory_is_bounded_as_people_come_and_go(tmp_path: Path, lifter: Lifter) -> None:
    # Somebody new every 20 frames, in another corner; after each, nobody for 5 frames.
    corners = [(60, 30), (240, 100), (60, 120), (250, 20)]
    people: People = [
        (walk(1, corners[t // 20 % 4], (0, 0), phase=t / 9)[0] if t % 20 < 15 else None,) for t in range(300)
    ]
    write_video(tmp_path / "walk.mp4", people)
    most_held = most_people = 0
    with PoseStream(tmp_path / "walk.mp4", KnowingDetector(people), lifter) as stream:
        ids = set()
        for frame in stream:
            most_held = max(most_held, len(stream._assembly._held))
            most_people = max(most_people, len(stream._assembly._people))
            ids |= {person.track_id for person in frame.people}
        assert len(ids) > 10
        assert most_held <= stream.longest_delay_s * 25 + 1
        assert most_people <= 2
        assert not stream._assembly._held
        assert len(stream._assembly._people) == 0


def test_detector_is_reset_and_the_source_closed(tmp_path: Path, lifter: Lifter) -> None:
    people: People = [()] * 5
    write_video(tmp_path / "walk.mp4", people)
    detector = KnowingDetector(people)
    assert isinstance(detector, Detector)
    source = open_video(tmp_path / "walk.mp4")
    with PoseStream(source, detector, lifter) as stream:
        assert stream.source is source
        next(iter(stream))
    assert detector.resets == 1
    with pytest.raises(BadVideo, match="already read or closed"):
        iter(source)


def test_detector_of_another_joint_count_than_its_skeleton_is_an_error(tmp_path: Path, lifter: Lifter) -> None:
    people: People = [(k,) for k in walk(3, (100, 60), (1, 0))]
    write_video(tmp_path / "walk.mp4", people)
    with (
        PoseStream(tmp_path / "walk.mp4", KnowingDetector(people, HALPE26), lifter) as stream,
        pytest.raises(BadKeypoints, match="halpe26"),
    ):
        list(stream)


def test_unknown_detector_is_named(tmp_path: Path, lifter: Lifter) -> None:
    with pytest.raises(UnknownDetector, match="'openpose' is not a known detector"):
        PoseStream(tmp_path / "walk.mp4", "openpose", lifter)


def test_positions_in_the_camera_and_settled_bones_are_those_of_the_lifters_own_track(
    tmp_path: Path, lifter: Lifter
) -> None:
    track = walk(60, (60, 30), (0.5, 0.2))
    people: People = [(k,) for k in track]
    write_video(tmp_path / "walk.mp4", people)
    camera = Pinhole.of_field_of_view(50)
    with PoseStream(
        tmp_path / "walk.mp4", KnowingDetector(people), lifter, smoothing=None, camera=camera, settle_bones=True
    ) as stream:
        frames = list(stream)
    expected = lifter.track(track, SIZE, "coco17", 25.0, Placement(camera, settle_bones=True))
    for frame, joints, root in zip(frames, expected.joints_m, expected.root_m, strict=True):
        (person,) = frame.people
        np.testing.assert_allclose(person.joints_m, joints, atol=1e-5)
        assert (person.root_m is None) == bool(np.isnan(root).any())
        if person.root_m is not None:
            np.testing.assert_allclose(person.root_m, root, rtol=1e-3)


def test_a_known_height_scales_poses_and_positions(tmp_path: Path, lifter: Lifter) -> None:
    track = walk(40, (60, 30), (0.5, 0.2))
    people: People = [(k,) for k in track]
    write_video(tmp_path / "walk.mp4", people)
    with PoseStream(tmp_path / "walk.mp4", KnowingDetector(people), lifter, smoothing=None, height_m=1.4) as stream:
        frames = list(stream)
    expected = lifter.track(track, SIZE, "coco17", 25.0, Placement(height_m=1.4))
    np.testing.assert_allclose([frame.people[0].joints_m for frame in frames], expected.joints_m, atol=1e-5)
    with pytest.raises(BadBodyHeight, match=r"between 0.5 and 2.6 metres, not 17"):
        PoseStream("nowhere.mp4", KnowingDetector(people), lifter, height_m=17)


def test_without_lookahead_every_image_comes_out_at_once(tmp_path: Path) -> None:
    write_linear_lifter(tmp_path / "live.onnx", LifterMetadata(name="live", shortest_lookahead=0))
    lifter = Lifter(tmp_path / "live.onnx", lookahead="live")
    track = walk(60, (100, 60), (1, 0))
    frames = run(tmp_path, [(k if t not in (20, 21) else None,) for t, k in enumerate(track)], lifter)
    assert {frame.delay_s for frame in frames} == {0.0}
    with PoseStream(None, KnowingDetector([]), lifter) as stream:
        assert stream.longest_delay_s == stream.delay_s == 0
    assert [frame.index for frame in frames if not frame.people] == [20, 21]


def test_bystanders_are_left_out_and_named(tmp_path: Path, lifter: Lifter) -> None:
    """The athlete is taken, also while away; the spectator never, and their number is told."""
    athlete, spectator = walk(40, (60, 60), (2, 0)), walk(40, (250, 20), (0, 0)) * 0.6
    people = [(s, None if 15 <= t < 20 else a) for t, (a, s) in enumerate(zip(athlete, spectator, strict=True))]
    write_video(tmp_path / "walk.mp4", people)
    detector = KnowingDetector(people)
    with PoseStream(tmp_path / "walk.mp4", detector, lifter, smoothing=None, people="largest") as stream:
        frames = list(stream)
    assert {frame.bystanders for frame in frames} == {(1,)}
    assert {person.track_id for frame in frames for person in frame.people} == {2}
    assert {frame.untracked for frame in frames} == {0}
    np.testing.assert_array_equal(frames[-1].people[0].keypoints_px, athlete[-1])
    with PoseStream(tmp_path / "walk.mp4", detector, lifter, smoothing=None) as stream:
        everybody = list(stream)
    assert {frame.bystanders for frame in everybody} == {()}
    assert [len(frame.people) for frame in everybody] == [2] * 40  # the gap is bridged
    for frame, other in zip(frames, everybody, strict=True):
        one, same = frame.people[0].joints_m, other.people[1].joints_m
        assert one is not None
        assert same is not None
        np.testing.assert_allclose(one, same, atol=1e-6)


def test_a_choice_of_people_that_there_is_not_is_refused(lifter: Lifter) -> None:
    with pytest.raises(BadSetting, match="'biggest'; it must be all, largest, central"):
        PoseStream(None, KnowingDetector([()]), lifter, people="biggest")  # type: ignore[arg-type]
