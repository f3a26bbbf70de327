"""The page of a prediction: its numbers, its safety, and how it looks in a browser."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk.errors import BadTarget, BadVideo
from sdk.keypoint_files.writing import write_keypoints
from sdk.pages.prediction_page import ANGLES, FEET_ANGLES, MOST_MOMENTS, PageRecorder
from sdk.prediction.prediction import PredictionWork, predict
from sdk.prediction.settings import PredictionSettings
from sdk.prediction.sources import find_sources
from sdk.results.pose_frame import LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.results.processors.joint_angles import joint_angles
from sdk.skeletons.skeleton import COCO17
from tests.demos.headless_chromium import CHROMIUM, HeadlessChromium
from tests.sdk.prediction.recordings import track, write_models

EVIL = "</script><script>alert(1)</script>.mp4"


def frame(index: int, joints_m: np.ndarray | None) -> PoseFrame:
    status = LiftStatus.TOO_SHORT if joints_m is None else LiftStatus.LIFTED
    keypoints = np.full((17, 2), 5.0, np.float32) + np.arange(17, dtype=np.float32)[:, None]
    keypoints[3] = np.nan
    person = PersonPose(2, np.zeros(4, np.float32), keypoints, np.ones(17, np.float32), status, joints_m)
    image = np.full((48, 64, 3), 120, np.uint8)
    return PoseFrame(index, index / 25, image, (person,), 1, StageTimes(0, 0, 0, 0), delay_s=0.0)


def values(page: str) -> dict[str, Any]:
    (found,) = re.findall(r"showPrediction\((\{.*\})\)</script>", page)
    return json.loads(found.replace("<\\/", "</"))


def test_numbers_are_those_of_the_poses() -> None:
    poses = np.random.default_rng(0).normal(0, 0.3, (30, 16, 3)).astype(np.float32)
    recorder = PageRecorder(EVIL, COCO17, (64, 48), film=True)
    for index in range(30):
        recorder.add(frame(index, None if index == 4 else poses[index]))
    page = recorder.html("1 people", ["cut off <b>early</b>"])
    data = values(page)
    (person,) = data["runs"][0]["people"]
    assert (person["id"], len(data["times"]), data["times"][-1]) == (2, 30, 29 / 25)
    right, forward, up = person["poses"][7][10]
    np.testing.assert_allclose([right, -up, forward], 100 * (poses[7, 10] - poses[7, 0]), atol=0.11)
    assert person["poses"][4] is None
    assert person["keypoints"][0][3] is None
    assert person["keypoints"][0][4] == [9, 9]
    assert person["curves"]["times"][4] == 5 / 25
    expected = [np.degrees(joint_angles(poses[9])[name]) for name in ANGLES]
    np.testing.assert_allclose([curve[8] for curve in person["curves"]["values"]], expected, atol=0.06)
    assert all(image.startswith("data:image/jpeg;base64,") for image in data["images"])
    assert "<script>alert" not in page
    assert "cut off &lt;b&gt;early" in page
    assert "default-src 'none'" in page
    assert "unsafe-eval" not in page


def test_feet_are_drawn_and_ankles_measured_where_there_are_some() -> None:
    poses = np.random.default_rng(0).normal(0, 0.3, (5, 20, 3)).astype(np.float32)
    pages = {}
    for joints in (16, 20):
        recorder = PageRecorder("walk", COCO17, (64, 48), film=False)
        for index in range(5):
            recorder.add(frame(index, poses[index, :joints]))
        pages[joints] = values(recorder.html("", []))
    assert [len(page["angles"]) for page in pages.values()] == [11, 13]
    assert pages[20]["angles"][-2:] == ["left ankle flexion", "right ankle flexion"]
    assert [len(page["bones3d"]) for page in pages.values()] == [15, 19]
    (person,) = pages[20]["runs"][0]["people"]
    assert len(person["poses"][0]) == 20
    expected = [np.degrees(joint_angles(poses[3])[name]) for name in (*ANGLES, *FEET_ANGLES)]
    np.testing.assert_allclose([curve[3] for curve in person["curves"]["values"]], expected, atol=0.06)
    (person,) = pages[16]["runs"][0]["people"]
    assert len(person["curves"]["values"]) == 11


def test_a_long_recording_has_a_page_of_bounded_size() -> None:
    pose = np.random.default_rng(0).normal(0, 0.3, (16, 3)).astype(np.float32)
    recorder = PageRecorder("long", COCO17, (64, 48), film=False)
    for index in range(2000):
        recorder.add(frame(index if index < 1000 else index + 100, pose))  # away for four seconds
    data = values(recorder.html("", []))
    assert MOST_MOMENTS <= len(data["times"]) <= 2 * MOST_MOMENTS
    assert len(set(np.diff(data["times"]).round(3).tolist())) == 2  # even, but for the gap
    curves = data["runs"][0]["people"][0]["curves"]
    gaps = [time_s for time_s, value in zip(curves["times"], curves["values"][0], strict=True) if value is None]
    assert len(gaps) == 1
    assert 40 < gaps[0] < 45


def test_nobody_found_is_said() -> None:
    page = PageRecorder("empty.mp4", COCO17, (64, 48), film=True).html("0 people", [])
    assert "Nobody was found in this recording." in page
    assert "showPrediction({" not in page


def report(folder: Path, save: str, settings: PredictionSettings) -> str:
    (recording,) = find_sources([str(folder / "two.npz")], folder / save).recordings
    predict(PredictionWork(recording, folder / save, settings), lambda frames, total: None)
    return (folder / save / "two.npz" / "report.html").read_text()


@pytest.fixture
def two_people(tmp_path: Path) -> Path:
    write_keypoints(tmp_path / "two.npz", [track("two.npz#1"), track("two.npz#2", (200, 80), 20, first=10)])
    return tmp_path


def test_another_run_is_shown_beside(two_people: Path) -> None:
    settings = dataclasses.replace(write_models(two_people), report=True, smooth=False)
    report(two_people, "first", settings)
    page = report(two_people, "second", dataclasses.replace(settings, compare=two_people / "first"))
    now, before = values(page)["runs"]
    assert before["name"] == "first"
    for one, other in zip(now["people"], before["people"], strict=True):
        assert (one["id"], one["poses"], one["curves"]) == (other["id"], other["poses"], other["curves"])
    with pytest.raises(BadVideo, match=r"poses\.npz can't be read"):
        report(two_people, "third", dataclasses.replace(settings, compare=two_people / "nowhere"))
    poses = two_people / "first" / "two.npz" / "poses.npz"
    whole = poses.read_bytes()
    with np.load(poses) as arrays:
        short = dict(arrays) | {"joints_m": arrays["joints_m"][1:]}
    np.savez(two_people / "short.npz", **short)
    for damaged in (
        whole[: len(whole) // 2],
        whole.replace(b"joints_m", b"joints_n"),
        (two_people / "short.npz").read_bytes(),
    ):
        poses.write_bytes(damaged)
        with pytest.raises(BadTarget, match=r"poses\.npz, to be shown beside, is missing or holds no poses"):
            report(two_people, "fourth", dataclasses.replace(settings, compare=two_people / "first"))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_in_a_browser(two_people: Path) -> None:
    """Film, figures and plots are drawn; the slider and the choice of people have an effect."""
    pytest.importorskip("websockets")
    report(two_people, "out", dataclasses.replace(write_models(two_people), report=True))
    address = (two_people / "out" / "two.npz" / "report.html").as_uri()
    with HeadlessChromium(address, two_people / "profile", (1200, 1000)) as browser:

        def value(expression: str) -> Any:
            answer = browser.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]
            return answer.get("value")

        until = time.monotonic() + 60
        while not value("document.querySelectorAll('#plots figure').length") and time.monotonic() < until:
            time.sleep(0.3)
        drawn = "document.getElementById('view{}').toDataURL()"
        move = (
            "(m => { const s = document.getElementById('moment'); s.value = m; s.dispatchEvent(new Event('input')); })"
        )
        assert value("document.querySelectorAll('#plots figure').length") == len(ANGLES)
        assert value("document.getElementById('choice1').selectedOptions[0].text") == "person 2"
        value(f"{move}(12)")
        assert value("document.getElementById('clock').textContent") == "0.48 s"
        first, second = value(drawn.format(0)), value(drawn.format(1))
        assert value("document.querySelectorAll('#screen line').length") == 2 * len(COCO17.bones)
        value("(c => { c.value = '0'; c.dispatchEvent(new Event('change')); })(document.getElementById('choice1'))")
        assert value(drawn.format(1)) not in (first, second)  # the same person in the second colour
        value(f"{move}(20)")
        assert value(drawn.format(0)) != first
        browser.screenshot(two_people / "page.png")
    print(f"screenshot: {two_people / 'page.png'}")
