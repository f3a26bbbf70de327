"""A small report with something in every part; and a video that knows its frames."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from sdk.skeletons.skeleton import H36M16
from training.report import (
    LossCurve,
    MetricRow,
    MotionPair,
    ReportContent,
    SkippedVideo,
    TargetClip,
    TargetSample,
    TargetVideo,
    Viewpoints,
)

IMAGE_SIZE = (160, 120)
FRAME_RATE_HZ = 20.0

# Metres, x right, y down, z forward: somebody who faces the camera with slightly spread arms.
STANDING = dict.fromkeys(H36M16.joints, (0.0, 0.0, 0.0)) | {
    "right_hip": (-0.13, 0, 0), "right_knee": (-0.14, 0.45, 0), "right_ankle": (-0.15, 0.9, 0.05),
    "left_hip": (0.13, 0, 0), "left_knee": (0.14, 0.45, 0), "left_ankle": (0.15, 0.9, 0.05),
    "spine": (0, -0.25, 0), "thorax": (0, -0.5, 0), "head": (0, -0.75, 0),
    "left_shoulder": (0.16, -0.48, 0), "left_elbow": (0.3, -0.25, 0), "left_wrist": (0.4, 0, -0.1),
    "right_shoulder": (-0.16, -0.48, 0), "right_elbow": (-0.3, -0.25, 0), "right_wrist": (-0.4, 0, -0.1),
}  # fmt: skip
POSE_M = np.array([STANDING[joint] for joint in H36M16.joints])
KEYPOINTS_PX = POSE_M[:, :2] * 50 + [80, 55]


def sample(**changes):
    given = TargetSample("walk.mp4#1", None, 3, 0.15, IMAGE_SIZE, KEYPOINTS_PX, POSE_M * [1, 1, 0.5], POSE_M)
    return replace(given, **changes)


def clip(frames=5, **changes):
    steps = np.arange(frames)
    poses = np.repeat(POSE_M[None], frames, 0)
    keypoints = np.repeat(KEYPOINTS_PX[None], frames, 0)
    given = TargetClip("walk.mp4#1", None, steps, steps / FRAME_RATE_HZ, IMAGE_SIZE, keypoints, poses, poses)
    return replace(given, **changes)


def content(**changes):
    motion = POSE_M + [0, 0, 4] + np.linspace(0, 0.2, 27)[:, None, None]
    angles = np.random.default_rng(0).uniform(-1, 1, (40, 3))
    steps = np.arange(50)
    given = ReportContent(
        title="ski-run-7",
        command="adaptpose-train --target videos/ski --seed 1234",
        config={"detector": "mediapipe", "epochs": 51},
        versions={"numpy": "1.26.4"},
        seed=1234,
        machine="a machine with 2 cores",
        minutes=12.34,
        finished_at="2025-03-01 14:05",
        metrics=(
            MetricRow("Source error", "mm", 57.31, 48.94, "Held out."),
            MetricRow("Symmetry", "%", 0.512, 0.2561),
        ),
        samples=(sample(),),
        clip=clip(),
        viewpoints=Viewpoints(angles, 2 * angles, angles),
        motions=(MotionPair("jump 3", motion, motion, 25.0),),
        curves=(
            LossCurve("adversarial 2D", "generator", steps, np.exp(-steps / 5.0)),
            LossCurve("kept", "selection", steps, np.full(50, 0.4)),
        ),
        videos=(TargetVideo("walk.mp4", 2, 1234, 61.7), TargetVideo("run.mp4", 1, 66, 3.3)),
        whom="the largest (--people largest)",
        skipped=(SkippedVideo("notes.mp4", "not a video"),),
        warnings=("Little target.",),
    )
    return replace(given, **changes)


NOTHING = ReportContent("empty", "adaptpose-train", {}, {}, 0, "", 0.0)


def numbered_video(path: Path, frames: int) -> list[float]:
    """Write a video whose frame i shows i in 10 black or white bars; returns the times the decoder states."""
    import cv2

    width, height = IMAGE_SIZE
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), FRAME_RATE_HZ, IMAGE_SIZE)
    for index in range(frames):
        bars = np.array([255 * (index >> bit & 1) for bit in range(10)], np.uint8)
        writer.write(np.tile(np.repeat(bars, width // 10)[None, :, None], (height, 1, 3)))
    writer.release()
    capture, times_s = cv2.VideoCapture(str(path)), []
    while capture.grab():
        times_s.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    capture.release()
    assert len(times_s) == frames
    return times_s


def shown_number(image: np.ndarray) -> int:
    bars = image.mean((0, 2)).reshape(10, -1).mean(1) > 127
    return int((bars << np.arange(10)).sum())


class Page(HTMLParser):
    """What a browser finds in a page: tags, attributes, text, scripts, styles; fails on unbalanced tags."""

    VOID = frozenset({"meta", "input", "br", "link", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] == "script":
            self.scripts[-1] += data
        elif self._open and self._open[-1] == "style":
            self.styles.append(data)
        else:
            self.text += data + " "
