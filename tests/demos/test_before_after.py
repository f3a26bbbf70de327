"""demos.before_after: one frame, its 2D, and two lifters' 3D of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from demos.before_after import HEIGHT_PX, TITLE_PX, main
from sdk.errors import BadOutput, BadVideo
from tests.sdk.stick_figures import KnowingDetector, walk, write_video

FRAMES = 30


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    people = [[one] for one in walk(FRAMES, (100, 60), (1, 0))]
    write_video(path, people)
    return str(path), people


def test_same_lifter_draws_the_same_panel_twice_and_another_does_not(tmp_path, video):
    path, people = video
    same, other = tmp_path / "same.png", tmp_path / "other.png"
    main(path, "fast", 0.4, KnowingDetector(people), same)
    main(path, "base", 0.4, KnowingDetector(people), other)
    image, different = (cv2.imread(str(one)) for one in (same, other))
    assert image.shape == different.shape
    assert image.shape[0] == TITLE_PX + HEIGHT_PX
    changed = np.flatnonzero((image != different).any((0, 2)))
    assert len(changed)
    below = image[TITLE_PX:]
    panel = next(w for w in range(200, 901) if (below[:, -w:] == below[:, -2 * w : -w]).all())
    assert changed.min() >= image.shape[1] - panel  # the frame and the shipped lifter's panel are the same in both


def test_nobody_at_that_time_is_said(tmp_path, video):
    path, people = video
    with pytest.raises(BadVideo, match="nobody was lifted at 9"):
        main(path, "fast", 9.0, KnowingDetector(people), tmp_path / "a.png")


def test_a_suffix_that_is_no_image_is_refused_before_the_work(tmp_path):
    with pytest.raises(BadOutput, match="suffix"):
        main("missing.mp4", "fast", 0.0, "movenet", tmp_path / "a.txt")
