"""Triangulation finds the points that cameras were shown, whatever one of them says that does not count."""

import cv2
import numpy as np
import pytest

from benchmarks.calibrated_cameras import CalibratedCamera, read_calibration, triangulate
from sdk.errors import BadModelFile


def ring(count):
    """Cameras that look at the middle from 3 m away."""
    cameras = []
    for angle in np.linspace(0, 2, count):
        turn, _ = cv2.Rodrigues(np.array([0.1, angle, 0.0]))
        lens = np.array([[900.0, 0, 640], [0, 900, 360], [0, 0, 1]])
        cameras.append(CalibratedCamera(turn, -turn.T @ (0, 0, 3.0), lens, np.array([-0.1, 0.02, 1e-3, -1e-3])))
    return cameras


def test_triangulation_inverts_projection():
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3))
    cameras = ring(3)
    seen = np.stack([camera.pixels(points) for camera in cameras])
    np.testing.assert_allclose(triangulate(cameras, seen), points, atol=1e-5)
    seen[1] += 50
    assert np.abs(triangulate(cameras, seen) - points).max() > 0.01
    np.testing.assert_allclose(
        triangulate(cameras, seen, np.array([1.0, 0.0, 0.5])[:, None].repeat(20, 1)), points, atol=1e-5
    )


def test_calibration_is_read_in_its_units(tmp_path):
    """A camera 2 m up that was not turned: Qualisys' camera axes point up and backwards."""
    turn = " ".join(f'r{i}{j}="{float(i == j)}"' for i in (1, 2, 3) for j in (1, 2, 3))
    lens = " ".join(
        f'{name}="{value}"'
        for name, value in {
            **dict.fromkeys(("focalLengthU", "focalLengthV"), 64000),
            **dict.fromkeys(("centerPointU", "centerPointV"), 6400),
            **dict.fromkeys(("radialDistortion1", "radialDistortion2"), 0.0),
            **dict.fromkeys(("tangentalDistortion1", "tangentalDistortion2"), 0.0),
        }.items()
    )
    camera = f'<camera serial="7"><transform x="0" y="0" z="2000" {turn}/><intrinsic {lens}/></camera>'
    path = tmp_path / "calibration.xml"
    path.write_text(f"<calibration>{camera}</calibration>")
    ((serial, found),) = read_calibration(path).items()
    assert serial == "7"
    np.testing.assert_allclose(found.pixels(np.array([[0.5, 0.25, 1.0]])), [[100 + 500, 100 - 250]])
    path.write_text('<calibration><camera serial="7"/></calibration>')
    with pytest.raises(BadModelFile, match="no transform"):
        read_calibration(path)
