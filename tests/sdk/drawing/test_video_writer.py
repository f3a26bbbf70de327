"""Drawn videos of sizes and rates that MPEG-4 does not hold as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdk.drawing.video_writer import OverlayWriter
from sdk.video.source import open_video


@pytest.mark.parametrize(("size", "written"), [((8580, 240), (8190, 228)), ((240, 9000), (218, 8190))])
def test_image_larger_than_mpeg4_holds_is_made_smaller(
    tmp_path: Path, size: tuple[int, int], written: tuple[int, int]
) -> None:
    """8K (7680 pixels) with its panel (900) is 8580 wide."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[size[1] // 2 :, size[0] // 2 :] = 255
    with OverlayWriter(tmp_path / "a.mp4", 25.0) as writer:
        for index in range(3):
            writer.write(image, index / 25)
    assert writer.scale == pytest.approx(8190 / max(size))
    with open_video(tmp_path / "a.mp4") as video:
        assert video.image_size == written
        frames = [frame.image for frame in video]
    assert len(frames) == 3
    assert frames[0][: written[1] // 2 - 4].mean() < 20
    assert frames[0][written[1] // 2 + 4 :, written[0] // 2 + 4 :].mean() > 235


@pytest.mark.parametrize("rate_hz", [28.627118, 29.97, 119.8765, 239.7602, 1000.0, 0.5])
def test_measured_rate_is_written(tmp_path: Path, rate_hz: float) -> None:
    with OverlayWriter(tmp_path / "a.mp4", rate_hz) as writer:
        for index in range(12):
            writer.write(np.zeros((64, 64, 3), np.uint8), index / rate_hz)
    assert writer.frames == 12
    with open_video(tmp_path / "a.mp4") as video:
        assert video.frame_rate_hz == pytest.approx(rate_hz, rel=1e-3)
        assert sum(1 for _ in video) == 12
