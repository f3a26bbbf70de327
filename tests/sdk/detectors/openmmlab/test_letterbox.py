import numpy as np
import pytest

from sdk.detectors.openmmlab.letterbox import in_the_corner, in_the_middle


@pytest.mark.parametrize(("fit", "corner"), [(in_the_middle, (0, 8)), (in_the_corner, (0, 0))])
def test_by_hand(fit, corner):
    """64 x 48 into 64 x 64: nothing is scaled; 16 rows of grey are left, shared in the middle, below in the corner."""
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    content, place = fit(image, 64, 64)
    assert (content.dtype, content.shape) == (np.float32, (3, 64, 64))
    x, y = corner
    np.testing.assert_array_equal(content[:, y : y + 48, x : x + 64], image.transpose(2, 0, 1))
    grey = np.ones((64, 64), bool)
    grey[y : y + 48, x : x + 64] = False
    assert (content[:, grey] == 114).all()
    np.testing.assert_array_equal(place.to_pixels(np.float32([[x + 3, y + 5]])), [[3, 5]])


@pytest.mark.parametrize("fit", [in_the_middle, in_the_corner])
@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (1919, 1081), (30, 45), (3, 900)])
def test_a_spot_is_found_where_it_was(fit, size):
    """The spot's centre of mass in the input, converted back. Sizes are rounded: up to a pixel is off."""
    height, width = size
    image = np.full((height, width, 3), 114, np.uint8)
    at = np.array([width * 0.6, height * 0.4])
    side = max(min(height, width) // 10, 1)
    column, row = (at - side / 2).astype(int).clip(0)
    image[row : row + side, column : column + side] = 255
    middle = np.array([column, row]) + (min(side, width) - 1) / 2
    content, place = fit(image, 640, 640)
    weights = content[0] - 114
    rows, columns = np.mgrid[:640, :640]
    found = np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
    pixel = max(height, width) / 640
    np.testing.assert_allclose(place.to_pixels(found), middle, atol=max(pixel, 1.0))
