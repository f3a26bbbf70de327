"""Camera viewpoints of source, generated and target motion (AdaptPose, figure 7): azimuth, elevation, roll.

The paper plots the Euler angles of the rotation between person and camera. Here the same rotation is given as the
three angles that a photographer uses.
"""

from __future__ import annotations

import numpy as np

from sdk.errors import BadKeypoints
from sdk.pages.page import MINUS, Section, card, grid, key, missing, note
from sdk.skeletons.skeleton import H36M16, H36M20
from training.report.content import Viewpoints
from training.report.page import AXIS, Figures
from training.report.pose_drawing import GENERATED, SOURCE, TARGET

_RIGHT_HIP, _LEFT_HIP = H36M16.index("right_hip"), H36M16.index("left_hip")
_PELVIS, _THORAX = H36M16.index("pelvis"), H36M16.index("thorax")
_POLE = 1e-6
"""Below this cosine of the elevation, azimuth and roll are rotations about the same axis."""


def body_frame(joints_camera_m: np.ndarray) -> np.ndarray:
    """The person's own axes: forward, left and up, as seen from the camera.

    Up is pelvis to thorax; left is right hip to left hip, made perpendicular to up; forward is left x up.

    Args:
        joints_camera_m: (N, 16, 3) metres, camera axes (x right, y down, z forward); any root.

    Returns:
        (N, 3, 3) rotations from person to camera; the columns are forward, left, up. All NaN where hips or trunk have
        no length, or lie along one line.

    Raises:
        BadKeypoints: for another shape.
    """
    joints = np.asarray(joints_camera_m, np.float64)
    if joints.ndim != 3 or joints.shape[1:] not in [(len(H36M16), 3), (len(H36M20), 3)]:
        raise BadKeypoints(f"poses must be (N, 16, 3), not {joints.shape}.")
    up = _unit(joints[:, _THORAX] - joints[:, _PELVIS])
    across = _unit(joints[:, _LEFT_HIP] - joints[:, _RIGHT_HIP])
    left = _unit(across - (across * up).sum(-1, keepdims=True) * up)
    return np.stack([np.cross(left, up), left, up], -1)


def body_viewpoint(joints_camera_m: np.ndarray) -> np.ndarray:
    """Azimuth, elevation and roll of the camera round the person, in radians.

    Azimuth: the side of the person that faces the camera. 0 is the front, +90 degrees the left side, +-180 the back,
    -90 the right side. Elevation: how far the camera is above (+) or below (-) the person's waist plane. +90 looks down
    on the head. Roll: rotation of the image. 0 has the head up, + has the head towards the right of the image
    (clockwise), +-180 is upside down. All three refer to the person's trunk, not to the ground: if somebody bends
    forward in front of a level camera, the camera sees the top of the trunk, so the elevation is positive. Only
    directions count, not the place of the person in the image.

    Args:
        joints_camera_m: (N, 16, 3) metres, camera axes (x right, y down, z forward); any root.

    Returns:
        (N, 3) azimuth in (-pi, pi], elevation in [-pi/2, pi/2], roll in (-pi, pi]. At +-90 degrees of elevation the
        azimuth is 0 and roll has the whole rotation. NaN where `body_frame` is NaN.

    Raises:
        BadKeypoints: for another shape.
    """
    frame = body_frame(joints_camera_m)
    # The camera looks along +z, so the direction towards it is -z; in the person's axes that is minus the third row.
    ahead, leftwards, above = np.moveaxis(-frame[:, 2, :], -1, 0)
    pole = np.hypot(ahead, leftwards) < _POLE
    azimuth = np.where(pole, 0.0, np.arctan2(leftwards, ahead))
    elevation = np.arctan2(above, np.hypot(ahead, leftwards))
    # Roll is the direction of the person's up in the image. At the poles up can't be seen, so the front is used.
    up_x, up_y = frame[:, 0, 2], frame[:, 1, 2]
    front_x, front_y = frame[:, 0, 0], frame[:, 1, 0]
    sign = np.sign(above)
    roll = np.where(pole, np.arctan2(-sign * front_x, sign * front_y), np.arctan2(up_x, -up_y))
    return np.stack([_wrap(azimuth), elevation + 0.0, _wrap(roll)], -1)


def _wrap(angle: np.ndarray) -> np.ndarray:
    """The same angle in (-pi, pi]. -0.0 and -pi become 0.0 and pi."""
    return np.where(angle <= -np.pi, np.pi, angle) + 0.0


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.where(length > 1e-9, length, 1), np.nan)


MOST_DOTS = 1500
"""Most dots drawn of each set. The distributions use all poses."""
_SETS = (("source", SOURCE), ("generated", GENERATED), ("target", TARGET))
_SIDES = {
    "tickvals": [-180, -90, 0, 90, 180],
    "ticktext": [f"{MINUS}180°<br>back", f"{MINUS}90°<br>right", "0°<br>front", "90°<br>left", "180°<br>back"],
}
_ANGLES = (
    ("azimuth", "which side of the person faces the camera", (-180, 180)),
    ("elevation", f"camera below ({MINUS}) or above (+) the person", (-90, 90)),
    ("roll", "image turned against the person, + clockwise", (-180, 180)),
)


def viewpoints_section(viewpoints: Viewpoints | None, figures: Figures) -> Section:
    """Azimuth and elevation as dots for each set, and the distributions of all three angles, one over the other."""
    how = (
        "From where the camera sees the person. Each dot is one pose: left to right, which side of the person faces "
        "the camera; up, how far the camera looks down on them. The generated dots should cover the area of the "
        "target's, not of the source's. Angles refer to the person's trunk, so somebody who bends forward counts as "
        "seen from above. The target's are estimates of the adapted lifter."
    )
    heading = "Camera viewpoints"
    if viewpoints is None:
        return Section("viewpoints", heading, how, [missing("No viewpoints were recorded in this run.")])
    sets = {}
    for name, colours in _SETS:
        degrees = np.rad2deg(np.asarray(getattr(viewpoints, name), float))
        known = np.isfinite(degrees).all(-1)
        sets[name] = (degrees[known], colours.middle, int((~known).sum()))
    dots = [_dots(name, degrees, colour, figures) for name, (degrees, colour, _) in sets.items()]
    shares = [_shares(at, sets, figures) for at in range(3)]
    legend = key([(colours.middle, name) for name, colours in _SETS])
    body = [legend, grid(dots, 3), grid(shares, 3)]
    if any(len(degrees) > MOST_DOTS for degrees, _, _ in sets.values()):
        body.append(note(f"The dots are {MOST_DOTS} poses of each set, evenly picked; the curves count all of them."))
    for name, (_, _, unknown) in sets.items():
        if unknown:
            body.append(note(f"{unknown} {name} poses have no viewpoint: their hips or trunk have no extent."))
    return Section("viewpoints", heading, how, body)


def _dots(name: str, degrees: np.ndarray, colour: str, figures: Figures) -> str:
    if not len(degrees):
        return card(f"{name.capitalize()} · no poses", missing("Nothing to show."))
    shown = degrees[np.linspace(0, len(degrees) - 1, min(len(degrees), MOST_DOTS)).round().astype(int)]
    # SVG, not WebGL: a browser has few WebGL contexts, and SVG is sharp in print.
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": shown[:, 0].round(1),
        "y": shown[:, 1].round(1),
        "customdata": shown[:, 2].round(1),
        "marker": {"color": colour, "size": 4, "opacity": 0.45},
        "hovertemplate": "azimuth %{x}°<br>elevation %{y}°<br>roll %{customdata}°<extra></extra>",
    }
    layout = {
        "xaxis": {**AXIS, **_SIDES, "range": [-190, 190]},
        "yaxis": {**AXIS, "title": {"text": "elevation (°)", "standoff": 4}, "range": [-95, 95], "dtick": 30},
        "showlegend": False,
    }
    plot = figures.html([trace], layout, 290, f"Azimuth and elevation of the {name} poses")
    return card(f"{name.capitalize()} · {len(degrees):,} poses", plot)


def _shares(at: int, sets: dict[str, tuple[np.ndarray, str, int]], figures: Figures) -> str:
    angle, meaning, (low, high) = _ANGLES[at]
    edges = np.arange(low, high + 1, (high - low) / 36)
    traces = []
    for name, (degrees, colour, _) in sets.items():
        if not len(degrees):
            continue
        share = 100 * np.histogram(degrees[:, at], edges)[0] / len(degrees)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": (edges[:-1] + edges[1:]) / 2,
                "y": share.round(2),
                "line": {"color": colour, "width": 2, "shape": "hvh"},
                "fill": "tozeroy",
                "fillcolor": f"rgba{(*bytes.fromhex(colour[1:]), 0.1)}",
                "hovertemplate": "%{y} %<extra>" + name + "</extra>",
            }
        )
    margin = 10 if angle == "azimuth" else 5  # space for the outer labels
    ticks = _SIDES if angle == "azimuth" else {"dtick": 90 if angle == "roll" else 30}
    layout = {
        "xaxis": {
            **AXIS,
            **ticks,
            "range": [low - margin, high + margin],
            "title": {"text": "" if ticks is _SIDES else f"{angle} (°)", "standoff": 6},
        },
        "yaxis": {**AXIS, "title": {"text": "share of poses (%)", "standoff": 4}, "rangemode": "tozero"},
        "showlegend": False,
        "hovermode": "x unified",
    }
    plot = figures.html(traces, layout, 240, f"Distribution of the {angle} in all sets")
    return card(angle.capitalize(), plot, meaning)
