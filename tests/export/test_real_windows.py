import dataclasses

import numpy as np
import pytest

from export.real_windows import find_real_windows
from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import LifterMetadata

METADATA = LifterMetadata()


def save_windows(folder, windows):
    np.savez(folder / "target_windows.npz", windows=windows)


def test_the_runs_own_target_comes_first(tmp_path):
    windows = np.arange(10, dtype=np.float32)[:, None, None, None] * np.ones((27, 16, 2), np.float32)
    save_windows(tmp_path, windows)
    real = find_real_windows(tmp_path, METADATA, count=4)
    assert "run's own target" in real.origin
    assert str(tmp_path / "target_windows.npz") in real.origin
    assert real.windows[:, 0, 0, 0].tolist() == [0, 3, 6, 9]  # evenly over the recording, both ends
    assert find_real_windows(tmp_path, METADATA, count=100).windows.shape == (10, 27, 16, 2)


def test_motion_capture_where_there_is_no_target(tmp_path):
    pytest.importorskip("pybullet_data")
    real = find_real_windows(tmp_path, METADATA, count=50)
    assert "motion capture" in real.origin
    assert real.windows.shape == (50, 27, 16, 2)
    assert real.windows.dtype == np.float32
    assert np.isfinite(real.windows).all()
    # A person in view, not points anywhere: smaller than the image, and moving smoothly at 25 Hz.
    extent = np.ptp(real.windows, axis=2).max(-1)
    assert 0.1 < np.median(extent) < 2
    assert np.median(np.abs(np.diff(real.windows, axis=1))) < 0.05
    np.testing.assert_array_equal(real.windows, find_real_windows(tmp_path, METADATA, count=50).windows)


def test_motion_is_prepared_as_the_metadata_says(tmp_path):
    pytest.importorskip("pybullet_data")
    metadata = dataclasses.replace(METADATA, normalisation="root-centred", receptive_field=9)
    windows = find_real_windows(tmp_path, metadata, count=20).windows
    assert windows.shape == (20, 9, 16, 2)
    np.testing.assert_allclose(windows[:, :, 0], 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(windows.reshape(20, 9, 32), axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "windows",
    [np.zeros((4, 9, 16, 2)), np.zeros((0, 27, 16, 2)), np.full((4, 27, 16, 2), np.nan), np.zeros((27, 16, 2))],
)
def test_windows_of_another_shape_or_not_finite_are_refused(tmp_path, windows):
    save_windows(tmp_path, windows)
    with pytest.raises(
        BadModelFile, match=r"target_windows.npz: `windows` must be \(N, 27, 16, 2\), N > 0, and finite"
    ):
        find_real_windows(tmp_path, METADATA)


@pytest.mark.parametrize(
    ("place", "value", "fine"),
    [((0, 3, 17), np.nan, True), ((0, 3, 17), np.inf, False), ((0, 3, 5), np.nan, False), (None, None, True)],
)
def test_of_windows_with_feet_only_these_may_be_missing(tmp_path, place, value, fine):
    windows = np.zeros((4, 27, 20, 2), np.float32)
    if place:
        windows[place] = value
    save_windows(tmp_path, windows)
    metadata = dataclasses.replace(METADATA, skeleton="h36m20", input_channels=3)
    if fine:
        np.testing.assert_array_equal(find_real_windows(tmp_path, metadata).windows, windows)
    else:
        with pytest.raises(BadModelFile, match="N, 27, 20, 2"):
            find_real_windows(tmp_path, metadata)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off"])
def test_damaged_file_is_refused_not_passed_over(tmp_path, content):
    (tmp_path / "target_windows.npz").write_bytes(content)
    with pytest.raises(BadModelFile, match=r"target_windows.npz is not an .npz file.* Delete it"):
        find_real_windows(tmp_path, METADATA)


def test_file_without_the_array_is_refused(tmp_path):
    np.savez(tmp_path / "target_windows.npz", other=np.zeros(3))
    with pytest.raises(BadModelFile, match=r"target_windows.npz lacks 'windows'; it holds 'other'. Delete it"):
        find_real_windows(tmp_path, METADATA)
