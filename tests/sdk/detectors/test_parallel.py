import threading

import numpy as np
import pytest

from sdk.detectors import open_detector
from sdk.detectors.detection import Detections
from sdk.detectors.parallel import (
    BatchDetector,
    OrderedDetection,
    ParallelDetector,
    batch_form,
    detect_in_order,
    identity_on_recordings,
)
from sdk.skeletons.skeleton import COCO17
from tests.sdk.detectors.conftest import read_frames, shared_file

MOST_PIXELS_APART = 8.0


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def image(brightness: int) -> np.ndarray:
    return np.full((4, 4, 3), brightness, np.uint8)


def one_person(value: float) -> Detections:
    keypoints = np.full((1, len(COCO17), 2), value, np.float32)
    return Detections(keypoints, np.ones((1, len(COCO17)), np.float32), np.zeros((1, 4), np.float32), np.ones(1))


class Adding:
    """Finds the sum of the last images' brightness; a black image is a fault."""

    skeleton, identity = COCO17, "adding"

    def __init__(self) -> None:
        self.total = 0
        self.together: threading.Barrier | None = None

    def __call__(self, image_bgr):
        found, self.total = self._look(image_bgr, self.total)
        return found

    def reset(self) -> None:
        self.total = 0

    def _look(self, image_bgr, total):
        if self.together is not None:
            self.together.wait(timeout=10)
        brightness = int(image_bgr[0, 0, 0])
        if brightness == 0:
            raise ValueError("a black image")
        return one_person((total or 0) + brightness), (total or 0) + brightness


class AddingInPairs(Adding):
    def parallel(self):
        return ParallelDetector(self._look, "adding:pairs")


def values(seen) -> list[float | None]:
    return [None if one.detections is None else float(one.detections.keypoints[0, 0, 0]) for one in seen]


def run(detector, brightness, **options) -> list[float | None]:
    with OrderedDetection(detector, **options) as pairs:
        return values(seen for _, seen in detect_in_order(pairs, brightness, image))


def test_a_process_with_one_thread_finds_the_same_in_pairs_one_after_the_other(monkeypatch):
    brightness = [10, 20, 0, 40, 50]
    expected = run(AddingInPairs(), brightness)
    monkeypatch.setattr("sdk.detectors.parallel.thread_limit", lambda: 1)
    threads = set()

    class Watched(AddingInPairs):
        def _look(self, image_bgr, total):
            threads.add(threading.get_ident())
            return super()._look(image_bgr, total)

    assert run(Watched(), brightness) == expected
    assert threads == {threading.get_ident()}


def test_both_of_a_pair_know_what_was_before_it_and_the_next_pair_what_its_second_left():
    """By hand: 1 and 2 after nothing, 3 and 4 after 2, 5 after 2 + 4."""
    assert run(AddingInPairs(), [1, 2, 3, 4, 5]) == [1, 2, 5, 6, 11]


@pytest.mark.parametrize(("detector", "options"), [(Adding(), {}), (AddingInPairs(), {"pairs": False})])
def test_one_at_a_time_every_image_knows_the_one_before(detector, options):
    assert run(detector, [1, 2, 3, 4, 5], **options) == [1, 3, 6, 10, 15]


def test_a_fault_is_of_its_own_image_and_what_the_other_left_is_kept():
    """By hand: of (3, fault) the first counts, of two faults what was before them."""
    assert run(AddingInPairs(), [1, 2, 3, 0, 4, 5, 0, 0, 1]) == [1, 2, 5, None, 9, 10, None, None, 11]
    with OrderedDetection(AddingInPairs()) as pairs, pytest.raises(ValueError, match="black"):
        pairs([image(1), image(0)])[1].result()


def test_the_two_of_a_pair_are_looked_at_at_the_same_time():
    """Each look waits for the other: one after the other would never end."""
    detector = AddingInPairs()
    detector.together = threading.Barrier(2)
    assert run(detector, [1, 2, 3, 4]) == [1, 2, 5, 6]


def test_images_that_end_with_an_error_are_looked_at_up_to_there():
    def broken():
        yield from (1, 2, 3)
        raise OSError("the file ends here")

    with OrderedDetection(AddingInPairs()) as pairs:
        results = detect_in_order(pairs, broken(), image)
        assert values(next(results)[1] for _ in range(3)) == [1, 2, 5]
        with pytest.raises(OSError, match="ends here"):
            next(results)


def test_results_that_depend_on_the_pairs_have_another_name():
    assert identity_on_recordings(Adding()) == "adding"
    assert identity_on_recordings(AddingInPairs()) == "adding:pairs"


class SquaringInBatches:
    """Finds the square of an image's brightness; a black image is a fault."""

    skeleton, identity = COCO17, "squaring"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, image_bgr):
        return self._look([image_bgr])[0]

    def reset(self) -> None:
        """There is no state."""

    def batches(self):
        return BatchDetector(self._look, 4)

    def _look(self, images):
        self.sizes.append(len(images))
        if any(one[0, 0, 0] == 0 for one in images):
            raise ValueError("a black image")
        return [one_person(float(one[0, 0, 0]) ** 2) for one in images]


def test_several_images_in_one_call_and_a_fault_is_of_its_own_image():
    detector = SquaringInBatches()
    assert run(detector, [1, 2, 3, 4, 5, 6]) == [1, 4, 9, 16, 25, 36]
    assert detector.sizes == [4, 2]
    assert run(detector, [1, 2, 0, 4, 5]) == [1, 4, None, 16, 25]
    assert detector.sizes[2:] == [4, 1, 1, 1, 1, 1]
    assert run(detector, [1, 2, 3], pairs=False) == [1, 4, 9]
    assert detector.sizes[-3:] == [1, 1, 1]


def on_a_gpu(model):
    """The model as it says it were on a GPU: it has no form for two threads there."""
    model.device = "cuda"
    return model


@pytest.mark.parametrize("batch", ["N", 1, 3])
def test_rtmpose_takes_the_people_of_several_images_in_one_call(tmp_path, rng, batch):
    """Images of different sizes, with other boxes each; the same as one by one, and memory is bounded."""
    pytest.importorskip("onnx")
    from sdk.detectors.onnx_models import OnnxModel
    from sdk.detectors.openmmlab.rtmpose import PEOPLE_AT_ONCE, RTMPose
    from sdk.detectors.openmmlab.yolox import YOLOX
    from tests.sdk.detectors import toy_graphs

    corners = rng.uniform(0, 300, (20, 2))
    dets = np.concatenate([corners, corners + rng.uniform(20, 300, (20, 2)), np.full((20, 1), 0.35)], 1)
    answers = {"dets": dets.astype(np.float32), "labels": np.zeros(20, np.int64)}
    boxes = on_a_gpu(OnnxModel(toy_graphs.with_answers(tmp_path / "boxes.onnx", answers)))
    pose = on_a_gpu(OnnxModel(toy_graphs.rtmpose(tmp_path / "pose.onnx", 26, batch)))
    calls = []
    for model in (boxes, pose):
        run_it = model.run
        model.run = lambda *arrays, run_it=run_it: calls.append(arrays[0].shape) or run_it(*arrays)
    detector = RTMPose(pose, YOLOX(boxes))
    calls.clear()
    sizes = [(90, 120), (480, 640), (200, 100), (64, 64), (33, 77)]
    frames = [rng.integers(0, 255, (*size, 3), np.uint8) for size in sizes]
    with OrderedDetection(detector) as batches:
        assert batches.at_once == 4
        together = [seen.result() for _, seen in detect_in_order(batches, frames, np.asarray)]
    most = PEOPLE_AT_ONCE if batch == "N" else batch
    assert [shape[0] for shape in calls if shape[2:] == (640, 640)] == [4, 1]
    crops = [shape[0] for shape in calls if shape[2:] == (256, 192)]
    assert max(crops) == most
    assert len(crops) == -(-80 // most) + -(-20 // most)  # 4 images of 20 people, then one
    for frame, found in zip(frames, together, strict=True):
        alone = detector(frame)
        assert len(found) == 20
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=1e-2)
        np.testing.assert_allclose(found.keypoints, alone.keypoints, atol=1e-2)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-5)
    assert batch_form(RTMPose(pose, YOLOX(boxes), det_every=3)) is None


def both_ways(detector, frames):
    """Of each frame, what is found in pairs and what one at a time."""
    with OrderedDetection(detector) as pairs, OrderedDetection(detector, pairs=False) as single:
        assert (pairs.at_once, single.at_once) == (2, 1)
        return [
            (together.result(), alone.result())
            for (_, together), (_, alone) in zip(
                detect_in_order(pairs, frames, np.asarray), detect_in_order(single, frames, np.asarray), strict=True
            )
        ]


def assert_the_same(detector, frames):
    results = both_ways(detector, frames)
    assert sum(len(alone) for _, alone in results) > 0
    for together, alone in results:
        np.testing.assert_array_equal(together.scores, alone.scores)
        np.testing.assert_array_equal(together.keypoints, alone.keypoints)
    assert identity_on_recordings(detector) == detector.identity


def test_rtmpose_in_the_boxes_of_multipose_finds_the_same_in_pairs(tmp_path, rng):
    pytest.importorskip("onnx")
    from tests.sdk.detectors import toy_graphs

    people = np.zeros((6, 56), np.float32)
    people[:2, 51:] = [[0.1, 0.1, 0.9, 0.4, 0.8], [0.2, 0.5, 0.8, 0.9, 0.7]]
    boxes = f"onnx:{toy_graphs.movenet_multi(tmp_path / 'boxes.onnx', people)}"
    pose = f"onnx:{toy_graphs.rtmpose(tmp_path / 'pose.onnx', 17)}"
    frames = rng.integers(0, 255, (5, 90, 120, 3), np.uint8)
    assert_the_same(open_detector(boxes), frames)
    assert_the_same(open_detector(pose, boxes=boxes), frames)
    followed = open_detector(pose, boxes=boxes, det_every=3)
    with OrderedDetection(followed) as one_by_one:
        assert one_by_one.at_once == 1


def test_multipose_finds_the_same_in_pairs():
    assert_the_same(
        open_detector(f"onnx:{shared_file('models/movenet-multipose.onnx')}"),
        read_frames("pose2sim_cam01.mp4", count=5),
    )


@pytest.mark.parametrize("size", ["lightning", "thunder"])
def test_movenet_for_one_person_follows_in_pairs_as_it_does_alone(size):
    """The person is 614 pixels high."""
    detector = open_detector(f"onnx:{shared_file(f'models/movenet-{size}.onnx')}")
    apart = [
        np.linalg.norm(together.keypoints[0] - alone.keypoints[0], axis=-1)[alone.scores[0] > 0.4]
        for together, alone in both_ways(detector, read_frames("pose2sim_cam02.mp4", count=16))
    ]
    assert np.median(np.concatenate(apart)) < MOST_PIXELS_APART
    assert identity_on_recordings(detector) != detector.identity
