import numpy as np

from sdk.detectors.openmmlab.suppression import suppress_overlaps


def slow(boxes, scores, most_iou):
    """Pair by pair, in whole pixels."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        area = {tuple(p) for p in np.argwhere(pixels(boxes[i]))}
        others = [{tuple(p) for p in np.argwhere(pixels(boxes[j]))} for j in kept]
        if all(len(area & other) <= most_iou * len(area | other) for other in others):
            kept.append(i)
    return kept


def pixels(box):
    grid = np.zeros((60, 60), bool)
    grid[box[1] : box[3], box[0] : box[2]] = True
    return grid


def test_as_counted_pixel_by_pixel():
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 25, (20, 2))
    boxes = np.concatenate([corners, corners + rng.integers(8, 30, (20, 2))], 1)
    scores = rng.permutation(20) / 20
    for most_iou in (0.2, 0.5, 0.65):
        assert suppress_overlaps(boxes.astype(np.float32), scores, most_iou).tolist() == slow(boxes, scores, most_iou)


def test_the_same_box_twice_and_none_at_all():
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 10], [50, 50, 60, 60]])
    assert suppress_overlaps(boxes, np.float32([0.5, 0.9, 0.1]), 0.65).tolist() == [1, 2]
    assert suppress_overlaps(boxes, np.float32([0.5, 0.9, 0.1]), 1.0).tolist() == [1, 0, 2]
    assert suppress_overlaps(boxes[:0], np.float32([]), 0.65).tolist() == []
