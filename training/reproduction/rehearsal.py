"""A rehearsal: miniature data sets in their official files, prepared and detected as a user's would be."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from sdk.errors import BadDataset
from sdk.files.output_files import naming
from sdk.keypoint_files import KeypointTrack
from sdk.keypoint_files.writing import write_keypoints
from sdk.skeletons.skeleton import COCO17, H36M17
from training.datasets.miniature.writing import write_miniature
from training.datasets.preparation import prepare
from training.datasets.prepared import PreparedDataset, open_prepared
from training.datasets.sequence import PreparedSequence
from training.protocols.notes import REHEARSAL
from training.settings.reproduce import Reproduce

_FRAMES = {"3dhp": 104}
"""Frames of the shortest sequence, where it is not the writer's own: AdaptPose's scoring leaves out the first 100 of
two sequences of 3DHP."""
_NOISE_PX = 6.0
_SEED = 0
_ANY_RATE_HZ = 25.0
"""Of sequences whose rate nobody tells."""


def rehearsed(settings: Reproduce, data_sets: Collection[str], report: Callable[[str], None]) -> Reproduce:
    """Settings with drawn data in place of the user's. What an earlier call wrote is kept.

    Args:
        settings: With `rehearse`.
        data_sets: Names of those that are needed.
        report: Gets lines for people.

    Raises:
        BadOutput, MissingDependency: it can't be written.
    """
    report(f"{REHEARSAL}.")
    official, data = settings.out / "official", settings.out / "data"
    for name in data_sets:
        if _finished(data / name):
            continue
        shutil.rmtree(data / name, ignore_errors=True)
        write_miniature(name, official / name, seed=_SEED, frames=_FRAMES.get(name))
        prepared = prepare(name, official / name, data / name).data
        report(f"drew and prepared {name}: {prepared.counts}")
    detections = settings.out / "detections"
    if "3dhp" in data_sets and not (detections / "finished").exists():
        detect(open_prepared(data / "3dhp"), detections)
        (detections / "finished").touch()
    return dataclasses.replace(settings, data=(data,), detections=detections if "3dhp" in data_sets else None)


def detect(data: PreparedDataset, folder: Path) -> None:
    """Write what AlphaPose might find of 3DHP's test and of one of its training cameras: COCO-17, JSON, gaps."""
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(_SEED)
    for facts in data.facts:
        if facts.split == "test" or facts.camera_name == data.select("train")[0].camera_name:
            sequence = data.read(facts)
            write_keypoints(folder / f"{facts.name}.json", [_track(sequence, data.joint_order, random)])


def _track(sequence: PreparedSequence, order: str, random: np.random.Generator) -> KeypointTrack:
    if order != H36M17.name:
        raise BadDataset(f"the rehearsal's detections are drawn from {H36M17.name} joints, not from {order}.")
    named = dict(zip(H36M17.joints, sequence.keypoints_px.swapaxes(0, 1), strict=True))
    face = [joint for joint in COCO17.joints if joint not in named]  # eyes and ears
    points = np.stack([named["nose" if joint in face else joint] for joint in COCO17.joints], 1)
    points = points + random.normal(0, _NOISE_PX, points.shape)
    seen = np.flatnonzero(np.arange(len(points)) % 17 != 5)  # nobody is found in the others
    rate = sequence.facts.frame_rate_hz or _ANY_RATE_HZ
    assert sequence.camera is not None
    return KeypointTrack(
        f"{sequence.facts.name}#1",
        points[seen].astype(np.float32),
        random.uniform(0.6, 1, (len(seen), len(COCO17))).astype(np.float32),
        seen / rate,
        seen.astype(np.int64),
        COCO17.name,
        (sequence.camera.width, sequence.camera.height),
        rate,
    )


def _finished(folder: Path) -> bool:
    try:
        open_prepared(folder)
    except BadDataset:
        return False
    return True
