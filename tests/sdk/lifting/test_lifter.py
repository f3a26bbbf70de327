"""The lifter as users call it: arrays in, metres out; live equal to offline; bad files and input named."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import sdk.lifting.lifter
from sdk.errors import BadKeypoints, BadModelFile, DeviceUnavailable, UnknownDevice, UnknownSkeleton
from sdk.lifting.lifter import Lifter
from sdk.lifting.model_metadata import METADATA_KEY, LifterMetadata
from sdk.lifting.shipped_lifters import SHIPPED_LIFTERS
from sdk.lifting.streaming import StreamingGraph, streaming_path
from sdk.lifting.windows import prepare_keypoints, sample_windows, with_seen
from sdk.results.pose_frame import LIFTED_STATUSES
from sdk.skeletons.skeleton import H36M20
from tests.lifters import random_lifter
from training.lifter.checkpoint import LifterCheckpoint, starting_checkpoint
from training.lifter.onnx_graphs import write_lifter_onnx

SIZE = (1280, 720)
METADATA = LifterMetadata(name="random")


@pytest.fixture(scope="module")
def network():
    return random_lifter(channels=32)


@pytest.fixture(scope="module")
def model(tmp_path_factory, network):
    path = tmp_path_factory.mktemp("lifter") / "random.onnx"
    write_lifter_onnx(network, METADATA, path)
    return path


@pytest.fixture(scope="module")
def lifter(model):
    return Lifter(model)


def walk(frames, joints=17, seed=0):
    """Pixels that move smoothly, as keypoints do."""
    random = np.random.default_rng(seed)
    start, speed = random.uniform(200, 500, (1, joints, 2)), random.uniform(-3, 3, (1, joints, 2))
    return (start + speed * np.arange(frames)[:, None, None]).astype(np.float32)


@pytest.mark.parametrize("fps", [25.0, 30, 60.0])
def test_is_the_network_on_every_frames_window(lifter, network, fps):
    keypoints = walk(40)
    times = np.arange(40) / fps
    windows = sample_windows(prepare_keypoints(keypoints, SIZE, "coco17", METADATA), times, times, METADATA)
    with torch.no_grad():
        expected = network(torch.from_numpy(windows)).numpy()
    lifted = lifter(keypoints, SIZE, skeleton="coco17", fps=fps)
    assert lifted.dtype == np.float32
    np.testing.assert_allclose(lifted, expected, atol=1e-5)


@pytest.mark.parametrize("fps", [10.0, 25.0, 29.97, 60.0])
def test_long_recordings_are_cut_in_parts_without_seams(model, fps, monkeypatch):
    keypoints = walk(200)
    lifter = Lifter(model)
    whole = lifter(keypoints, SIZE, "coco17", fps)
    monkeypatch.setattr(sdk.lifting.lifter, "_WINDOWS_PER_RUN", 7)
    np.testing.assert_allclose(lifter(keypoints, SIZE, "coco17", fps), whole, atol=1e-5)


@pytest.mark.parametrize("fps", [10.0, 24.0, 25.0, 29.97, 30.0, 60.0, 120.0])
def test_streaming_equals_offline(lifter, fps):
    keypoints, times = walk(90), np.arange(90) / fps
    offline = lifter(keypoints, SIZE, "coco17", fps)
    stream = lifter.stream(SIZE, "coco17")
    poses = [pose for frame, t in zip(keypoints, times, strict=True) for pose in stream.push(frame, t)]
    poses += stream.flush()
    assert [pose.timestamp_s for pose in poses] == list(times)
    # The windows are the same to the bit (test_windows); a matrix product may round otherwise for another batch size.
    np.testing.assert_allclose(np.stack([pose.joints_m for pose in poses]), offline, rtol=0, atol=2e-6)


def test_delay(lifter):
    stream = lifter.stream(SIZE, "coco17")
    assert lifter.delay_s == stream.delay_s == 0.52
    counts = [len(stream.push(frame, i / 25)) for i, frame in enumerate(walk(20))]
    assert counts == [0] * 13 + [1] * 7  # the first pose comes with the frame 13 later, 0.52 s
    assert len(stream.flush()) == 13


def test_stream_goes_on_after_a_bad_push_and_reset_forgets(lifter):
    keypoints = walk(30)
    stream = lifter.stream(SIZE, "coco17")
    for i in range(10):
        stream.push(keypoints[i], i / 25)
    with pytest.raises(BadKeypoints, match="finite"):
        stream.push(np.full((17, 2), np.nan), 10 / 25)
    poses = [pose for i in range(10, 30) for pose in stream.push(keypoints[i], i / 25)] + stream.flush()
    np.testing.assert_allclose(
        np.stack([pose.joints_m for pose in poses]), lifter(keypoints, SIZE, "coco17", 25.0), rtol=0, atol=2e-6
    )
    stream.push(keypoints[0], 0)
    stream.reset()
    assert stream.flush() == []


def test_scores_are_accepted_and_other_skeletons_converted(lifter):
    keypoints = walk(5)
    scored = np.concatenate([keypoints, np.full((5, 17, 1), 0.3, np.float32)], -1)
    np.testing.assert_array_equal(lifter(scored, SIZE, "coco17", 25.0), lifter(keypoints, SIZE, "coco17", 25.0))
    assert lifter(walk(5, 33), SIZE, "mediapipe33", 25.0).shape == (5, 16, 3)


def test_empty_recording(lifter):
    lifted = lifter(np.zeros((0, 17, 2)), SIZE, "coco17", 25.0)
    assert lifted.shape == (0, 16, 3)
    assert lifted.dtype == np.float32
    assert lifter.lift_windows(np.zeros((0, 27, 16, 2), np.float32)).shape == (0, 16, 3)


def with_nan():
    keypoints = walk(5)
    keypoints[3, 7, 1] = np.nan
    return keypoints


@pytest.mark.parametrize(
    ("keypoints", "changes", "error", "message"),
    [
        (with_nan(), {}, BadKeypoints, r"joint 7 in frame 3 is \[.*nan\]: coordinates must be finite"),
        (walk(5, 16), {}, BadKeypoints, r"'coco17' have shape \(\.\.\., 17, 2 or 3\), not \(5, 16, 2\)"),
        (walk(5)[0], {}, BadKeypoints, r"one person have shape \(T, J, 2 or 3\), not \(17, 2\)"),
        (walk(5)[None], {}, BadKeypoints, r"not \(1, 5, 17, 2\)"),
        (walk(5), {"skeleton": "coco19"}, UnknownSkeleton, "'coco19' is not a known skeleton"),
        (walk(5), {"fps": 0}, BadKeypoints, "fps must be a positive number of frames per second, not 0"),
        (walk(5), {"fps": float("nan")}, BadKeypoints, "not nan"),
        (walk(5), {"fps": -25.0}, BadKeypoints, r"not -25\.0"),
        (walk(5), {"image_size": (0, 720)}, BadKeypoints, r"image_size .* not \(0, 720\)"),
    ],
)
def test_bad_input_is_named(lifter, keypoints, changes, error, message):
    with pytest.raises(error, match=message):
        lifter(keypoints, **({"image_size": SIZE, "skeleton": "coco17", "fps": 25.0} | changes))


@pytest.mark.parametrize("shape", [(3, 26, 16, 2), (3, 27, 17, 2), (27, 16, 2), (3, 27, 16, 3)])
def test_windows_of_another_shape(lifter, shape):
    with pytest.raises(BadKeypoints, match=r"windows have shape \(B, 27, 16, 2\), not"):
        lifter.lift_windows(np.zeros(shape, np.float32))


def test_unknown_device(model):
    with pytest.raises(UnknownDevice, match=r"'gpu' is not a known device\. Known: cpu, openvino, cuda"):
        Lifter(model, device="gpu")


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is here")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_that_is_not_there(model, device):
    with pytest.raises(DeviceUnavailable, match=f"{device!r} needs .*CUDAExecutionProvider"):
        Lifter(model, device=device)


def test_cpu_says_so(lifter):
    assert lifter.provider == "CPUExecutionProvider"


class TestFiles:
    def test_run_folder(self, tmp_path, model):
        (tmp_path / "lifter.onnx").write_bytes(model.read_bytes())
        for given in (tmp_path, str(tmp_path)):
            assert Lifter(given).metadata == METADATA

    def test_run_folder_without_a_lifter(self, tmp_path):
        with pytest.raises(BadModelFile, match=r"holds no lifter\.onnx: it is not a run folder of adaptpose-train\."):
            Lifter(tmp_path)
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(
            BadModelFile, match=rf"{tmp_path} holds no lifter\.onnx.*adaptpose-train --resume {tmp_path}"
        ):
            Lifter(tmp_path)

    def test_missing(self, tmp_path):
        with pytest.raises(BadModelFile, match=r"no lifter at .*nowhere: give a run folder"):
            Lifter(tmp_path / "nowhere")

    def test_checkpoint_instead_of_onnx(self, tmp_path):
        path = tmp_path / "lifter.pt"
        path.write_bytes(b"x")
        with pytest.raises(BadModelFile, match=r"is a checkpoint\. .*adaptpose-export .*lifter\.pt"):
            Lifter(path)
        with pytest.raises(BadModelFile, match=r"lifter\.mp4 is not an \.onnx file: give one, or a run folder"):
            Lifter(path.rename(tmp_path / "lifter.mp4"))

    def test_text_named_onnx(self, tmp_path):
        path = tmp_path / "lifter.onnx"
        path.write_text("not a model")
        with pytest.raises(BadModelFile, match="can't open it on 'cpu'"):
            Lifter(path)

    def rewritten(self, model, path, entries):
        proto = onnx.load(model)
        del proto.metadata_props[:]
        onnx.helper.set_model_props(proto, entries)
        onnx.save(proto, path)
        return path

    def test_onnx_of_something_else(self, tmp_path, model):
        path = self.rewritten(model, tmp_path / "other.onnx", {})
        with pytest.raises(
            BadModelFile, match=r"other\.onnx: an ONNX file without .* is not a lifter.*adaptpose-export"
        ):
            Lifter(path)

    def test_another_format_version(self, tmp_path, model):
        metadata = METADATA.to_dict() | {"format_version": 3, "project_version": "7.0"}
        path = self.rewritten(model, tmp_path / "new.onnx", {METADATA_KEY: json.dumps(metadata)})
        with pytest.raises(BadModelFile, match=r"new\.onnx: lifter format version 3, written by adaptpose 7\.0"):
            Lifter(path)

    def test_metadata_that_does_not_fit_the_graph(self, tmp_path, model):
        """A window of another length would run into ONNX Runtime's own error at the first frame."""
        metadata = dataclasses.replace(METADATA, receptive_field=9)
        path = self.rewritten(model, tmp_path / "wrong.onnx", metadata.to_metadata())
        with pytest.raises(BadModelFile, match=r"wrong\.onnx.*27"):
            Lifter(path)


@pytest.mark.parametrize("name", SHIPPED_LIFTERS)
class TestShippedLifter:
    def test_it_is_in_the_package_as_a_checkpoint_and_both_graphs(self, name):
        lifter, start = Lifter(name), starting_checkpoint(Path(name))
        metadata = lifter.metadata
        skeleton = "h36m20" if name == "feet" else "h36m16"
        assert (metadata.receptive_field, metadata.frame_rate_hz, metadata.skeleton) == (27, 25.0, skeleton)
        assert metadata.tells_more == (name == "feet")
        assert metadata.shortest_lookahead == 0
        assert metadata.checkpoint_sha256 == hashlib.sha256(start.read_bytes()).hexdigest()
        assert lifter.stream(SIZE, "coco17").graph == "streaming"

    def test_it_gives_the_poses_of_its_checkpoint(self, name):
        lifter, network = Lifter(name), LifterCheckpoint.load(starting_checkpoint(Path(name))).network
        keypoints = prepare_keypoints(walk(100), SIZE, "coco17", lifter.metadata)
        windows = np.stack([keypoints[i : i + lifter.metadata.receptive_field] for i in range(10)])
        with torch.no_grad():
            expected = network(torch.from_numpy(with_seen(windows))).numpy()
        # Its weights are kept in half precision.
        assert np.linalg.norm(lifter.lift_windows(windows) - expected, axis=-1).mean() < 1e-4

    def test_lifts_a_standing_person_to_a_standing_person(self, name):
        """Seen by a level camera: 1.3 to 2.1 m from head to ankle, head above hips above ankles, left is left."""
        joints = {
            "nose": (640, 150), "left_eye": (648, 142), "right_eye": (632, 142), "left_ear": (656, 148),
            "right_ear": (624, 148), "left_shoulder": (685, 220), "right_shoulder": (595, 220),
            "left_elbow": (700, 300), "right_elbow": (580, 300), "left_wrist": (705, 375), "right_wrist": (575, 375),
            "left_hip": (665, 370), "right_hip": (615, 370), "left_knee": (667, 475), "right_knee": (613, 475),
            "left_ankle": (668, 580), "right_ankle": (612, 580),
        }  # fmt: skip
        keypoints = np.tile(np.array(list(joints.values()), np.float32), (5, 1, 1))
        lifter = Lifter(name)
        pose = dict(zip(lifter.skeleton.joints, lifter(keypoints, SIZE, "coco17", 25.0)[2], strict=True))
        np.testing.assert_allclose(pose["pelvis"], 0, atol=0.02)
        ankles = (pose["left_ankle"] + pose["right_ankle"]) / 2
        assert 1.0 < np.linalg.norm(pose["head"] - ankles) < 2.1
        assert pose["head"][1] < pose["thorax"][1] < pose["pelvis"][1] < pose["left_knee"][1] < pose["left_ankle"][1]
        for part in ("shoulder", "hip", "knee", "ankle", "wrist"):
            assert pose[f"left_{part}"][0] > pose[f"right_{part}"][0], part


class TestFeet:
    """The lifter with feet, of walking people seen by a level camera."""

    @pytest.fixture
    def answer(self):
        answer, status = Lifter("feet").answers(walk(60), SIZE, "coco17", 25.0)
        assert set(status) <= LIFTED_STATUSES
        return answer

    def test_feet_hang_on_ankles(self, answer):
        assert answer.joints_m.shape == (60, 20, 3)
        for side in ("left", "right"):
            ankle, heel, toe = (answer.joints_m[:, H36M20.index(f"{side}_{part}")] for part in ("ankle", "heel", "toe"))
            assert (np.linalg.norm(heel - ankle, axis=1) < 0.2).all()
            assert (np.linalg.norm(toe - ankle, axis=1) < 0.3).all()
            assert np.median(np.linalg.norm(toe - heel, axis=1)) > 0.12

    def test_up_is_a_direction(self, answer):
        np.testing.assert_allclose(np.linalg.norm(answer.up, axis=1), 1, atol=1e-5)
        assert (answer.up_deviation_rad > 0).all()

    def test_it_says_how_sure_it_is(self, answer):
        assert answer.deviations_m.shape == (60, 20, 3)
        assert (answer.deviations_m[:, 1:] > 0).all()
        assert (answer.deviations_m[:, 0] == 0).all(), "the pelvis is the origin"
        wrist, hip = H36M20.index("left_wrist"), H36M20.index("left_hip")
        assert answer.deviations_m[:, wrist].mean() > 1.5 * answer.deviations_m[:, hip].mean()
        assert ((answer.contact >= 0) & (answer.contact <= 1)).all()

    def test_a_stream_says_the_same(self, answer):
        stream = Lifter("feet").stream(SIZE, "coco17")
        poses = [pose for i, frame in enumerate(walk(60)) for pose in stream.push(frame, i / 25)] + stream.flush()
        for name in ("joints_m", "deviations_m", "up", "contact"):
            streamed = np.stack([getattr(pose.answer, name) for pose in poses])
            np.testing.assert_allclose(streamed, getattr(answer, name), atol=2e-5)

    def test_feet_in_the_input_matter(self):
        """Toes that point the other way in the image turn the feet."""
        keypoints = np.tile(walk(30)[:, :1], (1, 33, 1))
        layout = sdk.SKELETONS["mediapipe33"]
        for joint, name in enumerate(sdk.SKELETONS["coco17"].joints):
            keypoints[:, layout.index(name)] = walk(30)[:, joint]
        feet = {}
        for direction in (-40.0, 40.0):
            seen = keypoints.copy()
            for side in ("left", "right"):
                ankle = seen[:, layout.index(f"{side}_ankle")]
                seen[:, layout.index(f"{side}_heel")] = ankle + np.array([-direction / 4, 20])
                seen[:, layout.index(f"{side}_foot_index")] = ankle + np.array([direction, 20])
            lifted = Lifter("feet")(seen, SIZE, "mediapipe33", 25.0)
            feet[direction] = lifted[:, H36M20.index("left_toe"), 0] - lifted[:, H36M20.index("left_heel"), 0]
        assert (feet[40.0] > feet[-40.0] + 0.02).all()


@pytest.mark.parametrize(("given", "small", "used"), [(0, True, 1), (0, False, 0), (2, True, 2), (3, False, 3)])
def test_threads_of_a_stream(monkeypatch, given, small, used):
    """One for a small lifter: more cost more than they save. What the user says holds."""
    monkeypatch.setattr(sdk.lifting.lifter, "_WORTH_THREADS_BYTES", 10**9 if small else 0)
    asked = []

    def opened(path, metadata, precision, device, threads, **options):
        asked.append(threads)
        return StreamingGraph(path, metadata, precision, device, threads, **options)

    monkeypatch.setattr(sdk.lifting.lifter, "StreamingGraph", opened)
    assert Lifter(threads=given).stream(SIZE, "coco17").graph == "streaming"
    assert asked == [used]


def test_shipped_lifters_are_small():
    files = [file for path in SHIPPED_LIFTERS.values() for file in (path, streaming_path(path))]
    assert sum(file.stat().st_size for file in files) < 10e6
    assert all(streaming_path(path).stat().st_size < 30e3 for path in SHIPPED_LIFTERS.values())  # no weights


def test_the_default_is_a_shipped_one(tmp_path, monkeypatch):
    """Its name is no path: a folder that has it is not taken."""
    (tmp_path / "fast").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Lifter().path == Lifter("fast").path == SHIPPED_LIFTERS["fast"]
    with pytest.raises(BadModelFile, match=r"fast holds no lifter\.onnx"):
        Lifter(tmp_path / "fast")


def test_a_lifter_of_cropped_single_frames_is_live_without_delay(tmp_path):
    """Root-centred keypoints: where in the image a person stands, and how large, does not change the pose."""
    metadata = LifterMetadata(receptive_field=1, normalisation="root-centred")
    network = random_lifter((1, 1, 1), channels=16)
    write_lifter_onnx(network, metadata, tmp_path / "cropped.onnx")
    lifter = Lifter(tmp_path / "cropped.onnx")
    keypoints = walk(20)
    lifted = lifter(keypoints, SIZE, skeleton="coco17", fps=30.0)
    assert lifter.delay_s == 0
    np.testing.assert_allclose(lifter(keypoints / 2 + 300, SIZE, skeleton="coco17", fps=30.0), lifted, atol=1e-4)
    stream = lifter.stream(SIZE, "coco17")
    live = [stream.push(one, number / 30) for number, one in enumerate(keypoints)]
    assert [len(poses) for poses in live] == [1] * 20
    np.testing.assert_allclose(np.stack([poses[0].joints_m for poses in live]), lifted, atol=1e-6)
    frame = keypoints[:1, :, :2]
    by_hand = prepare_keypoints(frame, SIZE, "coco17", metadata)
    with torch.no_grad():
        np.testing.assert_allclose(lifted[:1], network(torch.from_numpy(by_hand[:, None])).numpy(), atol=1e-5)
