"""Image coordinates: the reference's formulas, and the way back."""

import numpy as np
import pytest

from sdk.errors import BadKeypoints
from sdk.skeletons.keypoint_normalisation import normalise_root_centred, normalise_screen, screen_to_pixels

SIZES = [(1920, 1080), (640, 480), (512, 512), (1080, 1920), (3, 700)]


@pytest.fixture
def keypoints():
    return np.random.default_rng(0).uniform(-100, 2000, (6, 16, 2)).astype(np.float32)


@pytest.mark.parametrize(("w", "h"), [(1920, 1080), (640, 480), (512, 512)])
def test_landscape_is_the_published_formula(keypoints, w, h):
    x, y = keypoints.astype(np.float64)[..., 0], keypoints.astype(np.float64)[..., 1]
    expected = np.stack([x / w * 2 - 1, (y - h / 2) * 2 / w], -1)
    np.testing.assert_allclose(normalise_screen(keypoints, (w, h)), expected, atol=1e-5)


def test_portrait_is_padded_to_a_square(keypoints):
    """Paper, section 6: the width is padded to the height; half the padding lies to the left."""
    w, h = 1080, 1920
    x, y = keypoints.astype(np.float64)[..., 0] + (h - w) / 2, keypoints.astype(np.float64)[..., 1]
    expected = np.stack([x / h * 2 - 1, y / h * 2 - 1], -1)
    np.testing.assert_allclose(normalise_screen(keypoints, (w, h)), expected, atol=1e-5)


def test_corners_by_hand():
    corners = np.array([[0, 0], [1280, 720], [640, 360]])
    np.testing.assert_allclose(normalise_screen(corners, (1280, 720)), [[-1, -0.5625], [1, 0.5625], [0, 0]], atol=1e-7)
    np.testing.assert_allclose(normalise_screen(corners, (1280, 1280))[1], [1, 0.125], atol=1e-7)


@pytest.mark.parametrize("size", SIZES)
def test_round_trip(keypoints, size):
    np.testing.assert_allclose(screen_to_pixels(normalise_screen(keypoints, size), size), keypoints, atol=1e-3)


def test_float32_out(keypoints):
    assert normalise_screen(keypoints.astype(np.float64), (640, 480)).dtype == np.float32


def test_root_centred_has_norm_one_and_forgets_place_and_size(keypoints):
    normalised = normalise_root_centred(keypoints)
    np.testing.assert_array_equal(normalised[:, 0], 0)
    np.testing.assert_allclose([np.linalg.norm(pose) for pose in normalised], 1, atol=1e-6)
    np.testing.assert_allclose(normalise_root_centred(keypoints * 3.5 + [40, -70]), normalised, atol=1e-5)


def test_root_centred_keeps_directions(keypoints):
    offset = keypoints[2, 5].astype(np.float64) - keypoints[2, 0]
    found = normalise_root_centred(keypoints)[2, 5]
    assert found @ offset == pytest.approx(np.linalg.norm(found) * np.linalg.norm(offset), rel=1e-5)


def test_a_pose_in_one_point_stays_zero():
    np.testing.assert_array_equal(normalise_root_centred(np.full((16, 2), 7.0)), 0)


@pytest.mark.parametrize("size", [(0, 480), (640, -1), (640,), 640, None, (float("nan"), 480), "wide"])
@pytest.mark.parametrize("function", [normalise_screen, screen_to_pixels])
def test_bad_image_size_is_named(function, size):
    with pytest.raises(BadKeypoints, match=r"image_size must be \(width, height\) in pixels, both positive, not"):
        function(np.zeros((16, 2)), size)
