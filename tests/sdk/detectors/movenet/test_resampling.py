import cv2
import numpy as np
import pytest

from sdk.detectors.movenet.crop import resample

GREY_LEVELS_APART = 4


@pytest.mark.parametrize("side", [200, 341, 384, 500, 901])
def test_it_is_what_averaging_over_areas_gives(side):
    """OpenCV's own, slower, on an image with details of a few pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (901, 950, 3), np.uint8)
    image = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)
    found = resample(image, 31, 0, (side / 192, side / 192), (192, 192)).astype(int)
    expected = cv2.resize(image[:side, 31 : 31 + side], (192, 192), interpolation=cv2.INTER_AREA)
    assert np.abs(found - expected).mean() < GREY_LEVELS_APART


def test_a_line_between_the_samples_is_not_lost():
    """By hand: one white column of 8 is an eighth of the light, wherever it lies; samples alone see all or nothing."""
    for column in range(32, 40):
        image = np.zeros((64, 128, 3), np.uint8)
        image[:, column] = 255
        light = resample(image, 0, 0, (8, 8), (16, 8)).astype(float).sum(1)
        np.testing.assert_allclose(light, 255 / 8, atol=2)


def test_the_two_axes_have_their_own_ratio():
    """By hand: a block of columns 30 to 60 and rows 20 to 30 comes out at a third and at a half."""
    image = np.zeros((90, 120, 3), np.uint8)
    image[20:30, 30:60] = 200
    small = resample(image, 0, 0, (3.0, 2.0), (40, 45))
    expected = np.zeros((45, 40), np.uint8)
    expected[10:15, 10:20] = 200
    far = np.ones_like(expected, bool)
    far[9:16, 9:21] = False
    far[11:14, 11:19] = True
    np.testing.assert_array_equal(small[..., 0][far], expected[far])


@pytest.mark.parametrize("ratio", [1, 2, 4])
def test_outside_is_black(ratio):
    """By hand: of a rectangle of 40 x 40 samples that begins 10 left of and 5 above a white image of 20 x 20."""
    white = np.full((20 * ratio, 20 * ratio, 3), 255, np.uint8)
    cut = resample(white, -10 * ratio, -5 * ratio, (ratio, ratio), (40, 40))
    expected = np.zeros((40, 40), np.uint8)
    expected[5:25, 10:30] = 255
    np.testing.assert_array_equal(cut[..., 1], expected)
    assert not resample(white, 100 * ratio, 0, (ratio, ratio), (8, 8)).any()
    assert not resample(white, 0, -100 * ratio, (ratio, ratio), (8, 8)).any()


def test_made_larger_it_is_opencvs_linear_with_the_outside_black():
    """A rectangle of 20 x 20 pixels, 5 left of the image, as 60 x 60."""
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    padded = np.zeros((20, 20, 3), np.uint8)
    padded[:, 5:] = image[4:24, :15]
    found = resample(image, -5, 4, (1 / 3, 1 / 3), (60, 60))
    np.testing.assert_array_equal(found, cv2.resize(padded, (60, 60), interpolation=cv2.INTER_LINEAR))
