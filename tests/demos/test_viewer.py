"""The viewer's page in a real browser: people, floor, numbers. The screenshot stays in pytest's folder."""

from __future__ import annotations

import re
import time
from pathlib import Path

import cv2
import pytest

from tests.demos.headless_chromium import CHROMIUM, HeadlessChromium
from tests.demos.viewer_process import viewer_of


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_page_shows_the_people_of_a_file(tmp_path: Path) -> None:
    with (
        viewer_of(tmp_path, "walk.mp4", "--port", "8271") as viewer,
        HeadlessChromium(viewer.address, tmp_path / "profile", (1400, 900)) as browser,
    ):
        until = time.monotonic() + 60
        screenshot = tmp_path / "viewer.png"
        coloured = 0
        while coloured < 200 and time.monotonic() < until:
            time.sleep(1)
            browser.screenshot(screenshot)
            coloured = scene_colours(screenshot)
        text = browser.text()
    print(f"screenshot: {screenshot}")
    assert coloured >= 200, "no person's bones in the scene"
    assert "walk.mp4" in text
    assert re.search(r"people: 1 \(.*\), 2 \(.*\)", text)
    assert "look-ahead 0.52 s" in text
    assert re.search(r"rate: \d+ results/s", text)


def scene_colours(screenshot: Path) -> int:
    """Pixels of the left's orange or the right's blue, whichever are fewer, between the notice and the panel."""
    image = cv2.imread(str(screenshot)).astype(int)[:, 320:980]
    orange, blue = ((image[..., high] - image[..., low] > 60).sum() for high, low in ((2, 0), (0, 2)))
    return int(min(orange, blue))
