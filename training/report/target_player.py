"""Plays a part of the target: the video with its 2D, and the 3D before and after, which rotate together."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from sdk.pages.page import Section, card, grid, missing, note, script_values
from sdk.skeletons.skeleton import Skeleton, pose_skeleton
from training.report.content import TargetClip
from training.report.frame_crops import crop_round, read_frames
from training.report.page import Figures
from training.report.pose_drawing import AFTER, BEFORE, DETECTED, TARGET, LimbColours

MOST_FRAMES = 120
"""Most frames that are kept. Of a longer clip every second, third, ... frame is kept."""
IMAGE_PX, IMAGE_QUALITY = 320, 60
_SIDES = ("left", "middle", "right")
_SCENE_AXIS = {
    "showticklabels": False,
    "title": {"text": ""},
    "gridcolor": "#d5dae1",
    "zeroline": False,
    "showspikes": False,
    "dtick": 0.5,
}


def player_section(clip: TargetClip | None, figures: Figures) -> Section:
    """Video, before, after; one slider for all three."""
    how = (
        "A part of the target in motion. Drag a figure to rotate it (both rotate together), pinch or scroll to zoom. "
        "Look for limbs that jump or change their length, and for depth that wobbles while the 2D is steady. One "
        "square is half a metre."
    )
    if clip is None or not len(clip):
        return Section("player", "Target in motion", how, [missing("No part of the target was recorded in this run.")])
    stride = -(-len(clip) // MOST_FRAMES)
    kept = slice(None, None, stride)
    before, after = (_plot_axes(joints[kept]) for joints in (clip.joints_before_m, clip.joints_after_m))
    crop = crop_round(clip.keypoints_px, clip.image_size)
    images = (
        read_frames(clip.video, clip.frame_indices[kept].tolist(), clip.timestamps_s[kept].tolist())
        if clip.video
        else {}
    )
    crops = [
        crop.cut(images[int(index)], IMAGE_PX, IMAGE_QUALITY) if int(index) in images else ""
        for index in clip.frame_indices[kept]
    ]
    layout = pose_skeleton(before.shape[1])
    scene = _scene(np.concatenate([before, after]))
    ids, plots = [], []
    for name, joints, colours in (("Before", before, BEFORE), ("After", after, AFTER)):
        ids.append(figures.new_id())
        label = f"3D pose {name.lower()}, can be rotated"
        plots.append(card(name, figures.html(_traces(joints[0], colours), scene, None, label, ids[-1])))
    data = {
        "plots": ids,
        "poses": [np.round(joints, 3).tolist() for joints in (before, after)],
        "lines": [_line_indices(layout, side) for side in _SIDES],
        "bones": [list(bone) for bone in layout.bones],
        "colours": [_colour(layout.joints[child], DETECTED if any(crops) else TARGET) for _, child in layout.bones],
        "keypoints": _for_json(clip.keypoints_px[kept] - [crop.left, crop.top]),
        "images": crops,
        "times": np.round(clip.timestamps_s[kept], 3).tolist(),
    }
    width = max(crop.width, crop.height) / 110
    screen = (
        f'<svg id="screen" viewBox="0 0 {crop.width} {crop.height}" role="img" aria-label="Video with 2D joints" '
        f'stroke-width="{width:.1f}" stroke-linecap="round"><rect width="{crop.width}" height="{crop.height}" '
        f'fill="#eef1f4"/><image width="{crop.width}" height="{crop.height}"/><g></g></svg>'
    )
    controls = (
        '<div class="player"><button id="play" type="button">Play</button>'
        f'<input id="moment" type="range" min="0" max="{len(before) - 1}" value="0" aria-label="Moment">'
        '<output id="clock"></output></div>'
    )
    script = f"<script>playTarget({script_values(data)})</script>"
    title = "Video and 2D joints" if any(crops) else "2D joints"
    body = [grid([card(title, screen, clip.name), *plots], "trio"), controls, script]
    if stride > 1:
        body.append(note(f"Of this clip's {len(clip)} frames every {stride}th is shown."))
    if clip.video and not all(crops):
        body.append(note(f"{crops.count('')} images could not be read again from the video."))
    return Section("player", "Target in motion", how, body)


def player_script() -> str:
    """`playTarget`, which the section calls."""
    return (files("training.report") / "target_player.js").read_text(encoding="utf-8")


def _plot_axes(joints_m: np.ndarray) -> np.ndarray:
    """Camera axes to the plot's, whose z is up: (x right, z forward, -y up); root-relative."""
    relative = joints_m - joints_m[:, :1]
    return np.stack([relative[..., 0], relative[..., 2], -relative[..., 1]], -1)


def _colour(joint: str, colours: LimbColours) -> str:
    return getattr(colours, joint.split("_")[0], colours.middle)


def _line_indices(layout: Skeleton, side: str) -> list[int | None]:
    """Joints of one line through all bones of a side. None makes a gap in the line."""
    visits: list[int | None] = []
    for parent, child in layout.bones:
        prefix = layout.joints[child].split("_")[0]
        if (prefix if prefix in ("left", "right") else "middle") == side:
            visits += [parent, child, None]
    return visits


def _traces(joints: np.ndarray, colours: LimbColours) -> list[dict]:
    traces, layout = [], pose_skeleton(len(joints))
    for side in _SIDES:
        visits = _line_indices(layout, side)
        at = [(None, None, None) if joint is None else tuple(joints[joint].round(3)) for joint in visits]
        x, y, z = zip(*at, strict=True)
        traces.append(
            {
                "type": "scatter3d",
                "mode": "lines+markers",
                "x": x,
                "y": y,
                "z": z,
                "line": {"color": getattr(colours, side), "width": 7},
                "marker": {"color": getattr(colours, side), "size": 3},
                "hoverinfo": "skip",
            }
        )
    return traces


def _scene(joints: np.ndarray) -> dict:
    """A box of equal scale round all poses, with a floor at the lowest joint, seen from the right and above."""
    flat = joints.reshape(-1, 3)
    reach = max(0.7, float(np.abs(flat[:, :2]).max()) + 0.1)
    low, high = float(flat[:, 2].min()), float(flat[:, 2].max()) + 0.1
    scale = 1.3 / max(2 * reach, high - low)
    floor = {"showbackground": True, "backgroundcolor": "#eef1f4"}
    scene = {
        "xaxis": {**_SCENE_AXIS, "range": [-reach, reach]},
        "yaxis": {**_SCENE_AXIS, "range": [-reach, reach]},
        "zaxis": {**_SCENE_AXIS, **floor, "range": [low, high], "showgrid": False},
        # Not "data": that depends on the present poses, and the two plots would have different scales.
        "aspectmode": "manual",
        "aspectratio": {"x": 2 * reach * scale, "y": 2 * reach * scale, "z": (high - low) * scale},
        "camera": {"eye": {"x": 1.05, "y": -1.9, "z": 0.55}, "center": {"x": 0, "y": 0, "z": -0.14}},
        "dragmode": "turntable",
    }
    return {"scene": scene, "showlegend": False, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}}


def _for_json(keypoints_px: np.ndarray) -> list:
    rounded = np.round(keypoints_px.astype(float), 1)
    return [[[x, y] if np.isfinite([x, y]).all() else None for x, y in pose] for pose in rounded.tolist()]
