"""A sheet about a prepared data set: poses, cameras and their viewpoints of people (AdaptPose, figures 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sdk.errors import BadDataset
from sdk.skeletons.skeleton import H36M16
from training.datasets.prepared import PreparedDataset
from training.report.viewpoints import body_viewpoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_POSES = 20_000
"""Sampled evenly over all sequences."""
_SHOWN_POSES = 8
_COLOURS = {"train": "#2c7fb8", "validation": "#7a7a7a", "test": "#d95f0e"}
_BONE_COLOURS = {"left": "#d95f0e", "right": "#2c7fb8", "": "#444444"}


@dataclass(frozen=True)
class DatasetSample:
    """Poses sampled over a data set.

    Attributes:
        joints_m: (N, 16, 3) relative to the pelvis, camera axes.
        depth_m: (N,) depth of the pelvis; NaN where unknown.
        place: (N, 2) pelvis in the image, in half image widths from the centre; NaN without camera.
        split: (N,) the split of each.
        viewpoint_rad: (N, 3) azimuth, elevation and roll; see `training.report.viewpoints.body_viewpoint`.
        spread: (N, 2) main axes of the poses, turned into the person's own axes, in metres.
        cameras_m: (C, 3) places of fixed cameras in the world, where known.
    """

    joints_m: np.ndarray
    depth_m: np.ndarray
    place: np.ndarray
    split: np.ndarray
    viewpoint_rad: np.ndarray
    spread: np.ndarray
    cameras_m: np.ndarray


def sample_dataset(data: PreparedDataset) -> DatasetSample:
    """Sample valid poses evenly over the sequences; they are read one at a time.

    Raises:
        BadDataset: there is no 3D in it, or a file is damaged.
    """
    total = sum(facts.valid_count for facts in data.facts if facts.has_joints or facts.has_universal)
    step = max(1, total // _MOST_POSES)
    joints, depth, place, split, cameras = [], [], [], [], []
    for facts in data.facts:
        if not (facts.has_joints or facts.has_universal):
            continue
        one = data.read(facts)
        solid = one.joints_camera_m if one.joints_camera_m is not None else one.joints_universal_m
        assert solid is not None
        rows = np.flatnonzero(one.valid)[::step]
        poses = data.to_h36m16(solid[rows]).astype(np.float64)
        joints.append(poses - poses[:, :1])
        depth.append(poses[:, 0, 2] if facts.root_known else np.full(len(rows), np.nan))
        if one.camera is None:
            place.append(np.full((len(rows), 2), np.nan))
        else:
            size = np.array([one.camera.width, one.camera.height])
            root = data.to_h36m16(one.keypoints_px[rows])[:, 0]
            place.append((root - size / 2) / (size[0] / 2))
            outside = one.camera.rotation_world_to_camera, one.camera.translation_world_to_camera_m
            if outside[0] is not None and outside[1] is not None and len(outside[0]) == 1:
                cameras.append(-outside[0][0].T @ outside[1][0])
        split += [facts.split] * len(rows)
    if not joints or not split:
        raise BadDataset(f"{data.folder} has no valid frame with 3D: there is nothing to draw.")
    poses = np.concatenate(joints)
    return DatasetSample(
        poses,
        np.concatenate(depth),
        np.concatenate(place),
        np.array(split),
        body_viewpoint(poses),
        _spread(poses),
        np.array(cameras).reshape(-1, 3),
    )


def _spread(poses: np.ndarray) -> np.ndarray:
    """(N, 2) the two directions in which poses differ most, after each person is turned to face the same way."""
    across = poses[:, H36M16.index("left_hip")] - poses[:, H36M16.index("right_hip")]
    up = poses[:, H36M16.index("thorax")] - poses[:, H36M16.index("pelvis")]
    left = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    up = up - (up * left).sum(-1, keepdims=True) * left
    up = up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-6)
    axes = np.stack([left, up, np.cross(left, up)], -1)  # person to camera
    own = np.einsum("nij,nki->nkj", axes, poses).reshape(len(poses), -1)
    own = own - own.mean(0)
    directions = np.linalg.eigh(own.T @ own)[1][:, -2:][:, ::-1]
    return own @ directions


def draw_sheet(data: PreparedDataset, sample: DatasetSample, path: Path) -> None:
    """Write the sheet as PNG.

    Args:
        data: What it is about.
        sample: Of `sample_dataset`.
        path: The .png.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 12), layout="constrained")
    FigureCanvasAgg(figure)
    title = (
        f"{data.data_set}: {sum(f.count for f in data.facts):,} poses in {len(data.facts):,} sequences ({data.origin})"
    )
    if data.miniature:
        title += " - MINIATURE: drawn motion, for rehearsals"
    figure.suptitle(title, fontsize=13)
    grid = figure.add_gridspec(4, _SHOWN_POSES)
    for at, row in enumerate(_different(sample, _SHOWN_POSES)):
        _draw_pose(figure.add_subplot(grid[0, at]), sample, row)
    degrees = np.degrees(sample.viewpoint_rad)
    panels = {
        "viewpoints (figure 7): side of the person that the camera sees": (
            (1, slice(0, 4)), degrees[:, 0], degrees[:, 1],
            "azimuth, degrees (0 front, 90 left side, 180 back)", "elevation, degrees (+ from above)",
        ),
        "viewpoints (figure 7): roll of the image": (
            (1, slice(4, 8)), degrees[:, 0], degrees[:, 2], "azimuth, degrees", "roll, degrees",
        ),
        "poses (figure 6): two directions in which they differ most": (
            (2, slice(0, 4)), sample.spread[:, 0], sample.spread[:, 1], "first, metres", "second, metres",
        ),
        "place of the pelvis in the image": (
            (2, slice(4, 8)), sample.place[:, 0], sample.place[:, 1], "x, half image widths", "y, half image widths",
        ),
    }  # fmt: skip
    for name, ((row, columns), x, y, x_label, y_label) in panels.items():
        axes = figure.add_subplot(grid[row, columns])
        _scatter(axes, sample, x, y)
        axes.set(title=name, xlabel=x_label, ylabel=y_label)
        if name.startswith("viewpoints"):
            axes.set(xlim=(-180, 180), xticks=range(-180, 181, 90))
        if name.startswith("place"):
            axes.invert_yaxis()
    axes = figure.add_subplot(grid[3, 0:4])
    _histograms(axes, sample, sample.depth_m)
    axes.set(title="distance of the person", xlabel="depth of the pelvis, metres", ylabel="share of the split")
    axes = figure.add_subplot(grid[3, 4:8])
    if len(sample.cameras_m) > 1:
        # Data sets differ in which axis is up; the plane that cameras stand in shows them all.
        around = sample.cameras_m - sample.cameras_m.mean(0)
        places = around @ np.linalg.eigh(around.T @ around)[1][:, :0:-1]
        axes.scatter(places[:, 0], places[:, 1], s=12, color="#444444")
        axes.set(xlabel="metres", ylabel="metres")
        axes.set_aspect("equal", adjustable="datalim")
    else:
        _empty(axes, "no fixed cameras whose place in the world is known")
    axes.set(title="fixed cameras, in the plane that they stand in")
    figure.savefig(path, dpi=110)


def _different(sample: DatasetSample, count: int) -> list[int]:
    """Poses far from each other: each next one is the farthest from those chosen."""
    poses = sample.joints_m.reshape(len(sample.joints_m), -1)
    chosen = [int(np.argmin(np.linalg.norm(poses - poses.mean(0), axis=1)))]
    nearest = np.full(len(poses), np.inf)
    while len(chosen) < min(count, len(poses)):
        nearest = np.minimum(nearest, np.linalg.norm(poses - poses[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(nearest)))
    return chosen


def _draw_pose(axes: Axes, sample: DatasetSample, row: int) -> None:
    pose = sample.joints_m[row]
    for parent, child in H36M16.bones:
        side = next((side for side in ("left", "right") if H36M16.joints[child].startswith(side)), "")
        axes.plot(pose[[parent, child], 0], -pose[[parent, child], 1], color=_BONE_COLOURS[side], linewidth=2)
    azimuth, elevation, _ = np.degrees(sample.viewpoint_rad[row])
    axes.set(
        title=f"{sample.split[row]}\n{azimuth:.0f}°, {elevation:.0f}°",
        xlim=(-1.1, 1.1),
        ylim=(-1.1, 1.1),
        aspect="equal",
    )
    axes.title.set_fontsize(9)
    axes.axis("off")


def _scatter(axes: Axes, sample: DatasetSample, x: np.ndarray, y: np.ndarray) -> None:
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        _empty(axes, "not known")
        return
    for split, colour in _COLOURS.items():
        rows = known & (sample.split == split)
        if rows.any():
            axes.scatter(x[rows], y[rows], s=3, alpha=0.35, color=colour, label=split, linewidths=0)
    axes.legend(markerscale=4, fontsize=8, loc="upper right")


def _histograms(axes: Axes, sample: DatasetSample, values: np.ndarray) -> None:
    known = np.isfinite(values)
    if not known.any():
        _empty(axes, "not known: joints are relative to the pelvis")
        return
    edges = np.linspace(0, np.percentile(values[known], 99.5) * 1.1 + 0.1, 60)
    for split, colour in _COLOURS.items():
        rows = known & (sample.split == split)
        if rows.any():
            axes.hist(
                values[rows], edges, weights=np.full(rows.sum(), 1 / rows.sum()), alpha=0.5, color=colour, label=split
            )
    axes.legend(fontsize=8)


def _empty(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
