"""A person in the room: solved positions, steady depth, bones that settle, a known height."""

import numpy as np
import pytest

from sdk import Lifter, Pinhole, Placement
from sdk.camera.body_size import BodySize, stature_m
from sdk.camera.pinhole_camera import ASSUMED
from sdk.camera.root_translation import RootTrack, root_position
from sdk.errors import BadBodyHeight, BadCamera, BadKeypoints
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import H36M16
from tests.lifters import random_lifter
from tests.sdk.lifting.test_lifter import SIZE, walk
from training.lifter.onnx_graphs import write_lifter_onnx

CAMERA = Pinhole(2.3)
PARENTS = np.array(H36M16.parents[1:])


def people(count=50, seed=0):
    """Root-relative poses, positions and their exact 2D."""
    random = np.random.default_rng(seed)
    joints = random.normal(0, 0.4, (count, 16, 3))
    joints[:, 0] = 0
    position = np.stack([random.uniform(-2, 2, count), random.uniform(-1, 1, count), random.uniform(3, 9, count)], -1)
    placed = joints + position[:, None]
    return joints, position, CAMERA.focal * placed[..., :2] / placed[..., 2:]


def lengths(joints):
    return np.linalg.norm(joints[..., 1:, :] - joints[..., PARENTS, :], axis=-1)


class TestPosition:
    def test_exact_2d_gives_the_exact_position(self):
        joints, position, keypoints = people()
        np.testing.assert_allclose(root_position(joints, keypoints, CAMERA), position, rtol=1e-4, atol=1e-4)

    def test_joints_that_are_not_seen_have_no_part(self):
        joints, position, keypoints = people()
        joints[:, [2, 5, 9]] += 3
        keypoints[:, [2, 5, 9]] = np.nan
        np.testing.assert_allclose(root_position(joints, keypoints, CAMERA), position, rtol=1e-4, atol=1e-4)

    def test_unsure_joints_weigh_less(self):
        """Arms that are off by 30 cm hardly move somebody who is sure of the rest."""
        joints, position, keypoints = people()
        off, spread = joints.copy(), np.full(joints.shape, 0.02)
        off[:, 10:] += np.random.default_rng(2).normal(0, 0.3, (50, 6, 3))
        spread[:, 10:] = 0.3

        def miss(**told):
            return np.linalg.norm(root_position(off, keypoints, CAMERA, **told) - position, axis=-1).mean()

        assert miss(deviations_m=spread) < 0.5 * miss()

    def test_the_weights_are_those_of_a_weighted_fit(self):
        """Against numpy's least squares on rows that are divided by their deviation."""
        joints, _, keypoints = people(3)
        random = np.random.default_rng(4)
        keypoints = keypoints + random.normal(0, 0.02, keypoints.shape)
        spread = random.uniform(0.01, 0.2, joints.shape)
        found = root_position(joints, keypoints, CAMERA, spread)
        f = CAMERA.focal
        for pose, points, sigma, root in zip(joints, keypoints, spread, found, strict=True):
            rows, right = [], []
            for joint in range(16):
                for axis in (0, 1):
                    x = points[joint, axis]
                    row = np.array([0.0, 0.0, -x])
                    row[axis] = f
                    variance = (f * sigma[joint, axis]) ** 2 + (x * sigma[joint, 2]) ** 2 + (f * 0.05) ** 2
                    rows.append(row / variance**0.5)
                    right.append((x * pose[joint, 2] - f * pose[joint, axis]) / variance**0.5)
            expected = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
            np.testing.assert_allclose(root, expected, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("seen", [0, 1, 3])
    def test_too_few_joints_tell_nothing(self, seen):
        joints, _, keypoints = people()
        keypoints[:, seen:] = np.nan
        assert np.isnan(root_position(joints, keypoints, CAMERA)).all()

    def test_another_focal_length_another_depth_in_proportion(self):
        joints, _, keypoints = people()
        far = root_position(joints * [1, 1, 0], keypoints, Pinhole(CAMERA.focal * 2))
        near = root_position(joints * [1, 1, 0], keypoints, CAMERA)
        np.testing.assert_allclose(far[:, 2], near[:, 2] * 2, rtol=1e-3)

    def test_noisy_2d_gives_the_position_that_fits_best(self):
        """Moved by a centimetre in any direction, the person fits worse."""
        joints, _, keypoints = people()
        seen = keypoints + np.random.default_rng(1).normal(0, 0.02, keypoints.shape)
        root = root_position(joints, seen, CAMERA).astype(float)

        def misfit(root):
            placed = joints + root[:, None]
            return np.square(CAMERA.focal * placed[..., :2] - seen * placed[..., 2:]).sum((1, 2))

        for axis in range(3):
            for step in (-0.01, 0.01):
                assert (misfit(root + step * np.eye(3)[axis]) > misfit(root)).all()

    def test_joints_on_one_spot_tell_nothing_and_almost_on_one_spot_they_do(self):
        """Condition numbers about 1e12: those beyond it are not solved, whoever else is in the batch."""
        joints, _, keypoints = people(300)
        spread = np.geomspace(1e-9, 1, 300)[:, None, None]
        keypoints = 0.1 + spread * keypoints
        found = root_position(joints, keypoints, CAMERA)
        equations = np.zeros((300, 32, 3))
        equations[:, :16, 0] = equations[:, 16:, 1] = CAMERA.focal
        equations[..., 2] = -np.swapaxes(keypoints, 1, 2).reshape(300, 32)
        condition = np.linalg.cond(equations) ** 2
        clear = np.abs(np.log10(condition) - 12) > 0.5
        assert (np.isfinite(found).all(-1) == (condition < 1e12))[clear].all()
        assert 50 < np.isfinite(found).all(-1).sum() < 250
        alone = np.stack([root_position(j[None], k[None], CAMERA)[0] for j, k in zip(joints, keypoints, strict=True)])
        np.testing.assert_array_equal(alone, found)

    def test_shapes(self):
        with pytest.raises(BadKeypoints, match=r"\(N, J, 3\)"):
            root_position(np.zeros((2, 16, 3)), np.zeros((3, 16, 2)), CAMERA)

    def test_depth_of_someone_who_stands_trembles_less_and_the_direction_is_each_frames_own(self):
        random = np.random.default_rng(3)
        joints, position, keypoints = (a[0] for a in people(1))
        track, solved, smooth = RootTrack(CAMERA), [], []
        for i in range(200):
            seen = keypoints + random.normal(0, 0.004, (16, 2))
            solved.append(root_position(joints[None], seen[None], CAMERA)[0])
            smooth.append(track(joints, seen, i / 25))
        solved, smooth = np.array(solved)[50:], np.array(smooth)[50:]
        assert smooth[:, 2].std() < 0.4 * solved[:, 2].std()
        assert abs(smooth[:, 2].mean() - position[2]) < 0.05
        np.testing.assert_allclose(smooth[:, :2] / smooth[:, 2:], solved[:, :2] / solved[:, 2:], rtol=1e-3, atol=1e-5)

    def test_somebody_who_walks_away_is_followed(self):
        joints, position, _ = (a[0] for a in people(1))
        track = RootTrack(CAMERA)
        for i in range(100):
            placed = joints + position + [0, 0, 1.5 * i / 25]  # a brisk walk
            found = track(joints, CAMERA.focal * placed[:, :2] / placed[:, 2:], i / 25)
        assert abs(found[2] - placed[0, 2]) < 0.4


class TestCamera:
    def test_pixels_and_fields_of_view_are_one_camera(self):
        """Half of an image 1280 wide is seen under half of 60 degrees."""
        focal_px = 640 / np.tan(np.radians(30))
        assert Pinhole.of_pixels(focal_px, (1280, 720)).focal == pytest.approx(Pinhole.of_field_of_view(60).focal)
        assert Pinhole.of_pixels(focal_px, (720, 1280)).focal == pytest.approx(ASSUMED.focal)

    def test_what_was_assumed_says_so(self):
        assert ASSUMED.assumed
        assert not Pinhole.of_field_of_view(60).assumed

    @pytest.mark.parametrize("focal", [0, -1, float("nan"), float("inf")])
    def test_no_such_lens(self, focal):
        with pytest.raises(BadCamera, match="positive"):
            Pinhole(focal)

    @pytest.mark.parametrize("degrees", [0, 180, -5])
    def test_no_such_view(self, degrees):
        with pytest.raises(BadCamera, match="between 0 and 180"):
            Pinhole.of_field_of_view(degrees)


class TestBody:
    def breathing(self, frames=300, seed=0):
        """One body whose bones are each frame 8% off at random."""
        random = np.random.default_rng(seed)
        joints, _, _ = people(frames, seed)
        body = np.linalg.norm(people(1, 9)[0][0][1:] - people(1, 9)[0][0][PARENTS], axis=-1)
        body = (body + body[np.array(H36M16.mirror[1:]) - 1]) / 2
        bones = joints[:, 1:] - joints[:, PARENTS]
        bones *= (body * random.normal(1, 0.08, (frames, 15)) / np.linalg.norm(bones, axis=-1))[..., None]
        result = np.zeros((frames, 16, 3))
        for joint, parent in enumerate(PARENTS, 1):
            result[:, joint] = result[:, parent] + bones[:, joint - 1]
        return result, body

    def test_lengths_settle_to_the_mean_and_directions_stay(self):
        joints, body = self.breathing()
        size = BodySize()
        settled = np.array([size(frame) for frame in joints])
        np.testing.assert_allclose(lengths(settled)[-1], body, rtol=0.03)
        assert lengths(settled)[100:].std(0).max() < 0.1 * lengths(joints)[100:].std(0).max()
        for frame in (0, 5, 299):
            unit = [(p[1:] - p[PARENTS]) / lengths(p)[:, None] for p in (settled[frame], joints[frame])]
            np.testing.assert_allclose(*unit, atol=1e-5)

    def test_frames_that_are_unsure_have_less_say(self):
        """Every second frame is a third too long, and says that it is unsure."""
        joints, body = self.breathing()
        joints[1::2] *= 4 / 3
        told, untold = BodySize(), BodySize()
        for t, frame in enumerate(joints):
            last = told(frame, np.full(frame.shape, 0.15 if t % 2 else 0.03)), untold(frame)
        sure, even = (np.abs(lengths(one) / body - 1).mean() for one in last)
        assert sure < 0.05 < 0.13 < even

    def test_the_same_spread_everywhere_changes_nothing(self):
        joints, _ = self.breathing(20)
        told, untold = BodySize(), BodySize()
        for frame in joints:
            np.testing.assert_allclose(told(frame, np.full(frame.shape, 0.04)), untold(frame), atol=1e-6)

    def test_poses_come_out_of_the_stated_height(self):
        joints, _ = self.breathing()
        size = BodySize(height_m=1.9)
        settled = [size(frame) for frame in joints]
        assert stature_m(lengths(settled[-1])) == pytest.approx(1.9, abs=1e-4)

    def test_stature_of_a_person(self):
        """Thigh 0.43, shin 0.42, pelvis to head joint 0.24 + 0.24 + 0.23: 1.56 between ankle and head joint."""
        body = dict.fromkeys(H36M16.joints[1:], 0.2) | {
            "left_knee": 0.43, "right_knee": 0.43, "left_ankle": 0.42, "right_ankle": 0.42, "spine": 0.24,
            "thorax": 0.24, "head": 0.23,
        }  # fmt: skip
        assert stature_m(np.array([body[joint] for joint in H36M16.joints[1:]])) == pytest.approx(1.73, abs=0.01)

    @pytest.mark.parametrize("height", [0.2, 3.0, -1.8, 180])
    def test_no_such_height(self, height):
        with pytest.raises(BadBodyHeight, match="metres"):
            Placement(height_m=height)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("options", [{}, {"settle_bones": True}, {"height_m": 1.8}])
def test_a_pose_that_is_not_finite_leaves_no_trace(options, bad):
    joints, _, keypoints = people(3)
    broken = joints.copy()
    broken[1, 5, 2] = bad
    placement, undisturbed = Placement(CAMERA, **options), Placement(CAMERA, **options)
    placed = [placement(pose, points, t / 25) for t, (pose, points) in enumerate(zip(broken, keypoints, strict=True))]
    np.testing.assert_array_equal(placed[1][0], broken[1])
    assert np.isnan(placed[1][1]).all()
    for t in (0, 2):
        for found, expected in zip(placed[t], undisturbed(joints[t], keypoints[t], t / 25), strict=True):
            assert np.isfinite(found).all()
            np.testing.assert_array_equal(found, expected)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("placement") / "any.onnx"
    metadata = LifterMetadata(name="any", input_channels=3, shortest_lookahead=0)
    write_lifter_onnx(random_lifter(channels=32, input_channels=3, view="person"), metadata, path)
    return path


@pytest.mark.parametrize("options", [{}, {"settle_bones": True}, {"settle_bones": True, "height_m": 1.8}])
def test_live_is_as_afterwards(model, options):
    lifter = Lifter(model, lookahead=3)
    keypoints = walk(60)
    keypoints[20:30, 9] = np.nan
    track = lifter.track(keypoints, SIZE, "coco17", 25.0, placement=Placement(CAMERA, **options))
    stream = lifter.stream(SIZE, "coco17", Placement(CAMERA, **options))
    poses = [pose for i, frame in enumerate(keypoints) for pose in stream.push(frame, i / 25)] + stream.flush()
    np.testing.assert_allclose([pose.joints_m for pose in poses], track.joints_m, atol=1e-4)
    np.testing.assert_allclose([pose.root_m for pose in poses], track.root_m, rtol=1e-3, atol=1e-3)


def test_nothing_asked_nothing_placed(model):
    stream = Lifter(model, lookahead=0).stream(SIZE, "coco17")
    assert stream.push(walk(1)[0], 0.0)[0].root_m is None


def test_a_recording_of_nothing(model):
    track = Lifter(model).track(np.zeros((0, 17, 2)), SIZE, "coco17", 25.0)
    assert track.joints_m.shape == (0, 16, 3)
    assert track.root_m.shape == (0, 3)


def test_cropped_footage_has_no_position(tmp_path):
    path = tmp_path / "cropped.onnx"
    write_lifter_onnx(random_lifter(channels=8), LifterMetadata(normalisation="root-centred"), path)
    with pytest.raises(BadKeypoints, match="cropped around the person"):
        Lifter(path).track(walk(5), SIZE, "coco17", 25.0)
    with pytest.raises(BadKeypoints, match="cropped around the person"):
        Lifter(path).stream(SIZE, "coco17", Placement())
