import numpy as np
import pytest

from sdk.detectors.movenet.crop import SquareCrop


def test_the_whole_image_is_centred():
    assert SquareCrop.around_image(100, 60) == SquareCrop(left=-20, top=0, side=100)
    assert SquareCrop.around_image(61, 100) == SquareCrop(left=0, top=-20, side=100)


@pytest.mark.parametrize("crop", [SquareCrop(10, 20, 40), SquareCrop(-15, -7, 64), SquareCrop(20, 30, 100)])
@pytest.mark.parametrize("size", [32, 64, 150])
def test_what_is_cut_is_where_to_pixels_says(crop, size):
    """The centre of a bright block, found in the cut and mapped back, is where it was painted."""
    image = np.zeros((80, 90, 3), np.uint8)
    image[42:48, 30:38] = 200
    cut = crop.cut(image, size).astype(float)[..., 0]
    rows, columns = np.mgrid[:size, :size] + 0.5  # pixel centres; edges are whole numbers
    centre = np.array([(columns * cut).sum(), (rows * cut).sum()]) / cut.sum()
    np.testing.assert_allclose(crop.to_pixels(centre / size), [34, 45], atol=0.6 * max(1, crop.side / size))


def test_outside_is_black():
    white = np.full((20, 20, 3), 255, np.uint8)
    cut = SquareCrop(-10, 5, 40).cut(white, 40)
    expected = np.zeros((40, 40), np.uint8)
    expected[:15, 10:30] = 255
    np.testing.assert_array_equal(cut[..., 1], expected)
    assert not SquareCrop(100, 100, 10).cut(white, 8).any()
    assert not SquareCrop(-100, 0, 10).cut(white, 8).any()
