"""The viewer's page in a real browser: people, floor, numbers. The screenshot stays in pytest's folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from tests.demos.headless_chromium import CHROMIUM, HeadlessChromium
from tests.sdk.linear_lifter import write_linear_lifter
from tests.sdk.stick_figures import walk, write_video

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from unittest import mock
from demos import viewer
from tests.sdk.stick_figures import KnowingDetector, walk
people = list(zip(walk(50, (60, 60), (0.5, 0)), walk(50, (220, 60), (-0.5, 0)), strict=True))
with mock.patch("sdk.stream.pose_stream.open_detector", lambda spec, boxes, device: KnowingDetector(people)):
    viewer.main()
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_page_shows_the_people_of_a_file(tmp_path: Path) -> None:
    write_linear_lifter(tmp_path / "linear.onnx")
    people = list(zip(walk(50, (60, 60), (0.5, 0)), walk(50, (220, 60), (-0.5, 0)), strict=True))
    write_video(tmp_path / "walk.mp4", people)
    words = [tmp_path / "walk.mp4", "--model", tmp_path / "linear.onnx", "--loop", "--port", "8271"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    viewer = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert viewer.stdout is not None
        address = next(
            found[0] for line in viewer.stdout if (found := re.search(r"http://localhost:\d+$", line.strip()))
        )
        with HeadlessChromium(address, tmp_path / "profile", (1400, 900)) as browser:
            until = time.monotonic() + 60
            screenshot = tmp_path / "viewer.png"
            coloured = 0
            while coloured < 200 and time.monotonic() < until:
                time.sleep(1)
                browser.screenshot(screenshot)
                coloured = scene_colours(screenshot)
            text = browser.text()
    finally:
        viewer.terminate()
        viewer.communicate(timeout=30)
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
