"""Content that does not fit is refused where it is made, with the name of what is wrong."""

import numpy as np
import pytest

from sdk.errors import BadKeypoints
from tests.training.report.examples import POSE_M, clip, sample
from training.report import LossCurve, MotionPair, Viewpoints


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sample(keypoints_px=np.zeros((17, 2))), r"target sample 'walk.mp4#1'.*\(17, 2\) where \(16, 2\)"),
        (lambda: sample(joints_after_m=POSE_M * np.nan), "target sample 'walk.mp4#1': 3D joints that are not finite"),
        (lambda: clip(timestamps_s=np.zeros(4)), r"target clip 'walk.mp4#1'.*\(4,\) where \(5,\)"),
        (lambda: Viewpoints(np.zeros((3, 3)), np.zeros((2, 2)), np.zeros((1, 3))), "generated viewpoints"),
        (lambda: MotionPair("a", np.zeros((27, 16, 3)), np.zeros((26, 16, 3)), 25.0), "motion generated from 'a'"),
        (lambda: LossCurve("loss", "lifter", np.arange(3), np.arange(2)), "curve 'loss'"),
    ],
)
def test_wrong_shapes(make, message):
    with pytest.raises(BadKeypoints, match=message):
        make()


def test_keypoints_may_have_gaps():
    assert np.isnan(sample(keypoints_px=np.full((16, 2), np.nan)).keypoints_px).all()
