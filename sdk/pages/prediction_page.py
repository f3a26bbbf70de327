"""The page of a prediction: the film with 2D, 3D to turn, joint angles over time; two people or two runs side by side.

It is drawn by a script of its own, so a page is the film's frames and some numbers, without a plotting library.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import BadTarget
from sdk.files.input_files import printable, shown
from sdk.pages.images import embedded_jpeg
from sdk.pages.page import Section, card, grid, missing, note, script_values, table, whole_page
from sdk.results.pose_frame import LIFTED_STATUSES, LiftStatus, PoseFrame
from sdk.results.processors.joint_angles import joint_angles
from sdk.skeletons.skeleton import H36M16, H36M20, Skeleton
from sdk.tracking.lifetime import goes_on

MOST_MOMENTS = 120
"""The film has from this many to twice as many moments, evenly spread, however long the recording is."""
MOST_PEOPLE = 12
"""People who can be chosen: those seen in the most frames."""
MOST_POINTS = 800
"""Points of a curve."""
IMAGE_PX, IMAGE_QUALITY = 400, 50
ANGLES = (
    *("left_knee_flexion", "right_knee_flexion", "trunk_lean", "left_hip_flexion", "right_hip_flexion", "trunk_bend"),
    *("left_elbow_flexion", "right_elbow_flexion", "hip_shoulder_separation"),
    *("left_shoulder_elevation", "right_shoulder_elevation"),
)
"""In the order of the page, three in a row."""
FEET_ANGLES = ("left_ankle_flexion", "right_ankle_flexion")
"""After these, if anybody has feet."""


@dataclass
class _Moment:
    index: int
    time_s: float
    image: str
    people: dict[int, tuple[np.ndarray, np.ndarray | None]]


@dataclass
class _Person:
    """A person over all frames: times, and the angles of each in degrees."""

    seen: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    lifted: int = 0
    times_s: array = field(default_factory=lambda: array("d"))
    angles: array = field(default_factory=lambda: array("f"))

    def add(self, time_s: float, joints_m: np.ndarray | None) -> None:
        if not self.seen:
            self.first_s = time_s
        self.seen, self.last_s = self.seen + 1, time_s
        if joints_m is not None:
            self.lifted += 1
            self.times_s.append(time_s)
            self.angles.extend(_angles_deg(joints_m))


class PageRecorder:
    """Takes results as they come; keeps some frames of the film, and the angles of all.

    Args:
        name: Of the recording; it can be printed.
        skeleton: Of the 2D keypoints.
        image_size: Width and height in pixels.
        film: Whether the frames have images of the film.
        beside: Folder of earlier results of the same recording, to be shown beside; it holds `poses.npz`.

    Raises:
        BadTarget: the folder to show beside has no poses.
    """

    def __init__(
        self, name: str, skeleton: Skeleton, image_size: tuple[int, int], *, film: bool, beside: Path | None = None
    ) -> None:
        self._name, self._skeleton, self._size, self._film = name, skeleton, image_size, film
        self._people: defaultdict[int, _Person] = defaultdict(_Person)
        self._moments: list[_Moment] = []
        self._stride, self._frames = 1, 0
        self._feet = False
        self._beside = None if beside is None else _read_run(beside)
        if self._beside is not None:
            self._feet = any(rows.joints_m.shape[1] > len(H36M16) for rows in self._beside.values())
        self._beside_name = "" if beside is None else shown(beside.parent.name)

    def add(self, frame: PoseFrame) -> None:
        """Take a result."""
        for person in frame.people:
            self._people[person.track_id].add(frame.timestamp_s, person.joints_m)
            self._feet |= person.joints_m is not None and len(person.joints_m) > len(H36M16)
        if self._frames % self._stride == 0:
            image = embedded_jpeg(frame.image, IMAGE_PX, IMAGE_QUALITY) if self._film else ""
            people = {one.track_id: (one.keypoints_px.copy(), one.joints_m) for one in frame.people}
            self._moments.append(_Moment(frame.index, frame.timestamp_s, image, people))
            if len(self._moments) > 2 * MOST_MOMENTS:
                self._moments, self._stride = self._moments[::2], 2 * self._stride
        self._frames += 1

    def write(self, path: Path, found: str, notes: Sequence[str]) -> None:
        """Write the page.

        Args:
            path: The file.
            found: What was found, in a few words.
            notes: Damage of the recording, and what was left out.

        Raises:
            OSError: it can't be written.
        """
        path.write_text(printable(self.html(found, notes)), encoding="utf-8")

    def html(self, found: str, notes: Sequence[str]) -> str:
        """The page as a string."""
        header = f'<p class="kind">3D poses</p><h1>{escape(self._name)}</h1><p>{escape(found)}</p>'
        chosen = sorted(sorted(self._people, key=lambda one: (-self._people[one].seen, one))[:MOST_PEOPLE])
        sections = [self._motion(chosen, notes), _angle_section(), self._people_section(chosen)]
        values = script_values(self._values(chosen)) if chosen else ""
        script = (files("sdk.pages") / "prediction_page.js").read_text(encoding="utf-8")
        footer = "<p>This file holds everything it shows and loads nothing from a network.</p>"
        if values:
            footer += f"<script>showPrediction({values})</script>"
        return whole_page(f"{self._name} · AdaptPose", header, sections, footer, [script])

    def _motion(self, chosen: Sequence[int], notes: Sequence[str]) -> Section:
        how = (
            "Choose two people, or one person in two runs. Drag a figure to turn it: both turn together. Left limbs "
            "are light, right limbs dark. One square of the floor is half a metre; poses are relative to the pelvis."
        )
        if not chosen:
            return Section(
                "motion", "In motion", how, [missing("Nobody was found in this recording."), *map(note, notes)]
            )
        width, height = self._size
        screen = (
            f'<svg id="screen" viewBox="0 0 {width} {height}" role="img" aria-label="Film with 2D joints" '
            f'stroke-width="{max(width, height) / 220:.1f}" stroke-linecap="round">'
            f'<rect width="{width}" height="{height}" fill="#eef1f4"/>'
            f'<image width="{width}" height="{height}"/><g></g></svg>'
        )
        views = [
            card("", f'<select id="choice{at}" aria-label="Person {at + 1}"></select><canvas id="view{at}"></canvas>')
            for at in (0, 1)
        ]
        controls = (
            '<div class="player"><button id="play" type="button">Play</button>'
            f'<input id="moment" type="range" min="0" max="{len(self._moments) - 1}" value="0" aria-label="Moment">'
            '<output id="clock"></output></div>'
        )
        title = "Film and 2D joints" if self._film else "2D joints"
        body = [grid([card(title, screen), *views], "trio film"), controls, *map(note, notes)]
        if self._stride > 1:
            body.append(note(f"Of {self._frames} frames every {self._stride}th is shown; the angles are of all."))
        if self._beside is not None:
            body.append(note(f"Shown beside: {self._beside_name}."))
        return Section("motion", "In motion", how, body)

    def _people_section(self, chosen: Sequence[int]) -> Section:
        rows = [
            [str(one), f"{p.first_s:.2f}", f"{p.last_s:.2f}", str(p.seen), f"{100 * p.lifted / p.seen:.0f}%"]
            for one in chosen
            for p in [self._people[one]]
        ]
        body = [table(("Person", "First seen, s", "Last seen, s", "Frames", "Lifted"), rows, (1, 2, 3, 4))]
        if len(self._people) > len(chosen):
            body.append(note(f"The {len(chosen)} seen in the most frames, of {len(self._people)} people."))
        how = "A person who was away for long comes back under a new number."
        return Section("people", "People", how, body if rows else [missing("Nobody was found.")])

    @property
    def _names(self) -> tuple[str, ...]:
        """The angles to show."""
        return ANGLES + FEET_ANGLES if self._feet else ANGLES

    def _values(self, chosen: Sequence[int]) -> dict[str, Any]:
        skeleton = H36M20 if self._feet else H36M16
        runs = [{"name": "", "people": [self._person(one) for one in chosen]}]
        if self._beside is not None:
            indices = [moment.index for moment in self._moments]
            people = [
                _person_of_run(one, rows, indices, self._names)
                for one, rows in sorted(self._beside.items())[:MOST_PEOPLE]
            ]
            runs.append({"name": self._beside_name, "people": people})
        return {
            "times": [round(moment.time_s, 3) for moment in self._moments],
            "images": [moment.image for moment in self._moments],
            "bones2d": [[a, b, _side(self._skeleton.joints[b])] for a, b in self._skeleton.bones],
            "bones3d": [[a, b, _side(skeleton.joints[b])] for a, b in skeleton.bones],
            "angles": [name.replace("_", " ") for name in self._names],
            "runs": runs,
        }

    def _person(self, track_id: int) -> dict[str, Any]:
        here = [moment.people.get(track_id) for moment in self._moments]
        person = self._people[track_id]
        angles = np.frombuffer(person.angles, np.float32).reshape(-1, len(ANGLES + FEET_ANGLES))[:, : len(self._names)]
        return {
            "id": track_id,
            "keypoints": [None if one is None else _places(one[0]) for one in here],
            "poses": [None if one is None or one[1] is None else _centimetres(one[1]) for one in here],
            "curves": _curves(np.frombuffer(person.times_s, np.float64), angles),
        }


def _angle_section() -> Section:
    how = (
        "Degrees over time, of the two chosen above. Flexion is 0 for a straight limb. The line is the moment of the "
        "film; click on a plot to go there."
    )
    return Section("angles", "Joint angles", how, ['<div id="plots" class="grid columns3"></div>'])


@dataclass
class _Rows:
    frame_indices: np.ndarray
    times_s: np.ndarray
    joints_m: np.ndarray


def _read_run(folder: Path) -> dict[int, _Rows]:
    path = folder / "poses.npz"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as poses:
            tracks, lifted = poses["track_id"], np.isin(poses["status"], _lifted_statuses(poses))
            columns = [poses[name] for name in ("frame_index", "timestamp_s", "joints_m")]
        rows = len(tracks)
        if [column.shape for column in columns] != [(rows,), (rows,), (rows, *columns[2].shape[1:])]:
            raise ValueError("columns of different lengths")
        if columns[2].shape[1:] not in ((len(H36M16), 3), (len(H36M20), 3)):
            raise ValueError(f"poses of shape {columns[2].shape}")
    except Exception as error:  # a damaged archive raises whatever its bytes run into
        raise BadTarget(
            f"{shown(path)}, to be shown beside, is missing or holds no poses: make that folder with --format npz."
        ) from error
    return {
        int(one): _Rows(*(column[(tracks == one) & lifted] for column in columns))
        for one in np.unique(tracks).tolist()
        if ((tracks == one) & lifted).any()
    }


def _lifted_statuses(poses: Any) -> list[int]:
    names = poses["status_names"].tolist() if "status_names" in poses else [one.value for one in LiftStatus]
    return [at for at, name in enumerate(names) if name in {one.value for one in LIFTED_STATUSES}]


def _angles_deg(joints_m: np.ndarray) -> list[float]:
    """All angles of a pose in degrees; NaN for those of feet that it has not."""
    measured = joint_angles(joints_m)
    return np.degrees([measured.get(name, np.nan) for name in ANGLES + FEET_ANGLES]).tolist()


def _person_of_run(track_id: int, rows: _Rows, indices: Iterable[int], names: Sequence[str]) -> dict[str, Any]:
    at = {int(index): row for row, index in enumerate(rows.frame_indices)}
    poses = [_centimetres(rows.joints_m[at[index]]) if index in at else None for index in indices]
    angles = np.array([_angles_deg(joints) for joints in rows.joints_m], np.float32)[:, : len(names)]
    return {"id": track_id, "keypoints": None, "poses": poses, "curves": _curves(rows.times_s, angles)}


def _curves(times_s: np.ndarray, angles: np.ndarray) -> dict[str, Any]:
    """Times and angles, thinned; where the person was away there is a row without values."""
    if not len(times_s):
        return {"times": [], "values": [[] for _ in range(angles.shape[1])]}
    away = np.concatenate([[0], np.cumsum([not goes_on(float(step)) for step in np.diff(times_s)])])
    kept = np.arange(0, len(times_s), -(-len(times_s) // MOST_POINTS))
    times: list[float | None] = []
    rows: list[np.ndarray] = []
    for before, at in zip([kept[0], *kept], kept, strict=False):
        if away[before] != away[at]:
            times.append(round(float(times_s[at]), 3))
            rows.append(np.full(angles.shape[1], np.nan))
        times.append(round(float(times_s[at]), 3))
        rows.append(angles[at])
    values = np.stack(rows).T
    return {
        "times": times,
        "values": [[round(v, 1) if np.isfinite(v) else None for v in row.tolist()] for row in values],
    }


def _places(keypoints_px: np.ndarray) -> list[list[int] | None]:
    return [[round(x), round(y)] if np.isfinite([x, y]).all() else None for x, y in keypoints_px.tolist()]


def _centimetres(joints_m: np.ndarray) -> list[list[float]]:
    """Relative to the pelvis: right, forward, up."""
    relative = (100 * (joints_m - joints_m[:1])).round(1)
    return np.stack([relative[:, 0], relative[:, 2], -relative[:, 1]], -1).tolist()


def _side(joint: str) -> int:
    """0 for left, 1 for the middle, 2 for right."""
    return 0 if joint.startswith("left") else 2 if joint.startswith("right") else 1
