"""Shows people in 3D in the browser: python -m demos.viewer SOURCE [--detector onnx:MODEL.onnx] [--model RUN].

It opens a page (http://localhost:8080) with the image and its 2D, and the 3D of all people, which you can rotate with
the mouse. It also shows trails of wrists and ankles, a floor, delay and rates. SOURCE is the index of a camera, a video
file, a folder of images or an address. Only this machine can open the page. --host 0.0.0.0 shows it to everybody in the
network (docs/security.md).
With --model feet it has feet, limbs are the fainter the less sure the lifter is of them, and a green line shows where
the lifter sees up. With --upright people stand on a level floor.
One camera without its focal length does not show where people stand. They are placed side by side as in the image, one
body height of pixels for 1.7 m, on one floor.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import deque
from unicodedata import category

import cv2
import numpy as np

from sdk import (
    SKELETONS,
    Lifter,
    PersonPose,
    PoseFrame,
    PoseStream,
    Skeleton,
    Upright,
    draw_people,
    run_command,
    up_of_tilt,
)
from sdk.errors import MissingDependency

try:
    import viser

    from demos.viewer_access import THIS_MACHINE_ALONE, GuardedServer, check_host, is_local
except ImportError as error:
    raise SystemExit(f"error: {MissingDependency('viser', 'demo', 'The viewer')}") from error

BODY, WITH_FEET = SKELETONS["h36m16"], SKELETONS["h36m20"]
TRAILS = tuple(BODY.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("wrist", "ankle"))
TRAIL_S = 1.0
ANKLE_HEIGHT_M = 0.08
SIDE_COLOURS = {"left": (255, 145, 43), "right": (64, 160, 255)}
MIDDLE_COLOUR = (240, 240, 240)
UP_COLOUR = (80, 220, 120)
UP_FROM = np.array([-1.2, 0.0, 0.0])
"""The line that shows up begins here, on the floor."""
SURE_M, UNSURE_M, FAINTEST = 0.08, 0.3, 0.2
"""Standard deviation of a joint (of all coordinates together) up to which its bone has its whole colour, and from which
on it has the faintest: a hand's width, and a forearm."""
PAGE_HZ = 30.0
IMAGE_WIDTH = 480


def main() -> None:
    """Show every result until the source ends or Ctrl-C. With --loop, the source starts again."""
    parser = argparse.ArgumentParser(description="People in 3D in the browser.")
    parser.add_argument("source", help="a camera's index, a video file, a folder of images, or an address")
    parser.add_argument("--detector", default="movenet", help="as for adaptpose-live")
    parser.add_argument("--model", help="the lifter: fast, base, feet, a run of adaptpose-train, an .onnx file")
    parser.add_argument("--upright", action="store_true", help="turn people upright, as adaptpose-live does")
    parser.add_argument(
        "--tilt",
        nargs=2,
        type=float,
        metavar=("PITCH", "ROLL"),
        help="with --upright: how far the camera looks down, and how far it is turned clockwise, in degrees",
    )
    parser.add_argument("--port", type=int, default=8080, help="of the page")
    parser.add_argument(
        "--host",
        default=THIS_MACHINE_ALONE,
        help="the address to listen at; 0.0.0.0 shows the camera to everybody on the network, without a password",
    )
    parser.add_argument("--loop", action="store_true", help="play a file again and again, until Ctrl-C")
    options = parser.parse_args()
    if options.tilt and not options.upright:
        parser.error("--tilt says how the camera stands: add --upright, which turns poses by it.")
    tilt = up_of_tilt(*map(math.radians, options.tilt)) if options.tilt else None
    try:
        check_host(options.host)
    except OSError as error:
        parser.error(f"--host {options.host}: this machine can't listen there ({error.strerror or error}).")
    if not is_local(options.host):
        print(
            f"warning: --host {options.host} shows the camera's images to everybody who can reach this machine: "
            "there is no password, and nothing is encrypted. Without --host only this machine can see them.",
            file=sys.stderr,
        )
    page = Page(options.host, options.port)
    lifter = Lifter(options.model, threads=1)
    again = True
    while again:
        level = [Upright(tilt)] if options.upright else []
        with PoseStream(options.source, options.detector, lifter, processors=level) as stream:
            page.show_all(stream)
        again = options.loop


class Page:
    """The page in the browser. It is updated at most `PAGE_HZ` times a second, so that it never slows the stream."""

    def __init__(self, host: str, port: int) -> None:
        self._server = GuardedServer(host, port)
        print(f"the page is at {self._server.address}", flush=True)
        scene, gui = self._server.scene, self._server.gui
        gui.configure_theme(dark_mode=True, control_width="large", show_logo=False, show_share_button=False)
        scene.set_up_direction("-y")  # camera axes: y down
        scene.add_grid("/floor", width=12.0, height=12.0, plane="xz", cell_size=0.5, section_size=1.0)
        self._server.initial_camera.position = (1.0, -1.3, -3.2)
        self._server.initial_camera.look_at = (0.0, -0.8, 0.0)
        self._numbers = gui.add_markdown("waiting for the first image")
        self._picture = gui.add_image(np.zeros((9, 16, 3), np.uint8), label="2D", format="jpeg")
        self._people: dict[int, Figure] = {}
        self._up_label: viser.LabelHandle | None = None
        self._shown_s = 0.0
        self._arrivals: deque[float] = deque(maxlen=60)

    def show_all(self, stream: PoseStream) -> None:
        """Show a stream to its end. A recording is shown at its own speed."""
        for figure in self._people.values():
            figure.remove()
        self._people.clear()
        start_s: float | None = None
        for frame in stream:
            if not stream.source.live:
                start_s = time.monotonic() - frame.timestamp_s if start_s is None else start_s
                time.sleep(max(0.0, frame.timestamp_s - (time.monotonic() - start_s)))
            self._arrivals.append(time.monotonic())
            self._extend_trails(frame)
            if time.monotonic() - self._shown_s >= 1 / PAGE_HZ:
                self._shown_s = time.monotonic()
                self._show(frame, stream)

    def _extend_trails(self, frame: PoseFrame) -> None:
        here = {person.track_id for person in frame.people if person.joints_m is not None}
        for track_id in self._people.keys() - here:
            self._people.pop(track_id).remove()
        for person in frame.people:
            if person.joints_m is not None:
                if person.track_id not in self._people:
                    self._people[person.track_id] = Figure(self._server.scene, person.track_id)
                joints = place(person, frame.image.shape)
                self._people[person.track_id].take(joints, frame.timestamp_s, brightness(person))

    def _show(self, frame: PoseFrame, stream: PoseStream) -> None:
        with self._server.atomic():
            for figure in self._people.values():
                figure.draw()
            self._show_up(frame)
        drawn = draw_people(frame.image, frame.people, stream.skeleton)
        scale = IMAGE_WIDTH / max(drawn.shape[:2])
        self._picture.image = cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[..., ::-1]
        self._numbers.content = self._text(frame, stream)

    def _show_up(self, frame: PoseFrame) -> None:
        """A line to where the lifter sees up; to the top where people are upright."""
        told = [person.up for person in frame.people if person.up is not None]
        if told:
            up = np.median(np.stack(told), axis=0) if frame.tilt_rad is None else np.array([0.0, -1.0, 0.0])
            ends = np.stack([UP_FROM, UP_FROM + up / np.linalg.norm(up)])
            self._server.scene.add_line_segments(
                "/up", ends[None], linear(np.array([[UP_COLOUR] * 2])), thickness=4.0, thickness_units="screen"
            )
            if self._up_label is None:
                self._up_label = self._server.scene.add_label("/up_label", "up")
            self._up_label.position = ends[1] - [0, 0.1, 0]

    def _text(self, frame: PoseFrame, stream: PoseStream) -> str:
        delays, counts, times = stream.delays.camera_to_3d, stream.counts, frame.stage_times_s
        span_s = self._arrivals[-1] - self._arrivals[0]
        rate = (len(self._arrivals) - 1) / span_s if span_s > 0 else 0.0
        people = ", ".join(f"{p.track_id} ({p.status.value})" for p in frame.people) or "nobody"
        camera = ""
        if frame.tilt_rad is not None:
            pitch, roll = np.degrees(frame.tilt_rad)
            camera = f"camera: looks down by {pitch:.0f}, turned clockwise by {roll:.0f} degrees\n\n"
        return (
            f"**{as_markdown(stream.source.name)}** at {frame.timestamp_s:.2f} s\n\n"
            f"people: {people}\n\n{camera}"
            f"delay: look-ahead {stream.delay_s:.2f} s; to 3D p50 {delays.p50_s:.2f}, p95 {delays.p95_s:.2f} s\n\n"
            f"rate: {rate:.0f} results/s; {counts.dropped} of {counts.read} images dropped\n\n"
            f"read {times.read_s * 1e3:.1f}, detect {times.detect_s * 1e3:.1f}, track {times.track_s * 1e3:.1f}, "
            f"lift {times.lift_s * 1e3:.1f} ms"
        )


class Figure:
    """One person in the scene: bones and trails."""

    def __init__(self, scene: viser.SceneApi, track_id: int) -> None:
        self._scene, self._name = scene, f"/person_{track_id}"
        self._label = scene.add_label(f"{self._name}/label", f"person {track_id}")
        self._places: deque[tuple[float, np.ndarray]] = deque()
        self._bright = np.ones(len(BODY))
        self._parts: list[viser.SceneNodeHandle] = [self._label]

    def take(self, joints_m: np.ndarray, timestamp_s: float, bright: np.ndarray) -> None:
        """Add the joints, (J, 3), and how bright each is drawn, (J,). Positions older than a trail are dropped."""
        self._places.append((timestamp_s, joints_m))
        self._bright = bright
        while self._places[0][0] < timestamp_s - TRAIL_S:
            self._places.popleft()

    def draw(self) -> None:
        """Draw the person again."""
        joints, bright = self._places[-1][1], self._bright
        skeleton = skeleton_of(joints)
        bones = np.array([[joints[a], joints[b]] for a, b in skeleton.bones])
        own = np.array([colour(j) for j in range(len(skeleton))])
        # A bone is as faint as its less sure end.
        colours = linear(np.array([[own[b] * min(bright[a], bright[b])] * 2 for a, b in skeleton.bones]))
        parts: list[viser.SceneNodeHandle] = [
            self._scene.add_line_segments(
                f"{self._name}/bones", bones, colours, thickness=6.0, thickness_units="screen"
            ),
            self._scene.add_point_cloud(
                f"{self._name}/joints",
                joints.astype(np.float32),
                (own * bright[:, None]).astype(np.uint8),
                point_size=0.035,
                point_shape="circle",
            ),
        ]
        if len(self._places) > 1:
            path = np.stack([place for _, place in self._places])[:, TRAILS]
            trails = np.stack([path[:-1], path[1:]], 2).reshape(-1, 2, 3)
            faded = np.repeat(np.linspace(0.15, 0.8, len(path) - 1), len(TRAILS))[:, None, None]
            tint = np.tile(np.array([colour(j) for j in TRAILS]), (len(path) - 1, 1))[:, None]
            parts.append(
                self._scene.add_line_segments(
                    f"{self._name}/trails",
                    trails,
                    linear(np.repeat(tint * faded, 2, 1)),
                    thickness=2.0,
                    thickness_units="screen",
                )
            )
        self._label.position = joints[BODY.index("head")] - [0, 0.25, 0]
        self._parts = [*parts, self._label]

    def remove(self) -> None:
        """Remove the person from the page."""
        for part in self._parts:
            part.remove()
        self._parts = []


def skeleton_of(joints_m: np.ndarray) -> Skeleton:
    """The skeleton of a pose of 16 joints, or of 20 with feet."""
    return BODY if len(joints_m) == len(BODY) else WITH_FEET


def brightness(person: PersonPose) -> np.ndarray:
    """(J,) from 1, for joints that the lifter is sure of, to `FAINTEST`; 1 for all if it does not tell."""
    assert person.joints_m is not None
    if person.deviations_m is None:
        return np.ones(len(person.joints_m))
    spread = np.linalg.norm(person.deviations_m, axis=1)
    return np.interp(spread, [SURE_M, UNSURE_M], [1.0, FAINTEST])


def place(person: PersonPose, shape: tuple[int, ...]) -> np.ndarray:
    """The joints, (J, 3) metres, moved so that their floor (else the lowest joint) is at y = 0."""
    assert person.joints_m is not None
    left, top, right, bottom = person.box.tolist()
    joints = person.joints_m.astype(np.float64)
    if person.root_m is not None:
        joints[:, ::2] += person.root_m[::2]
    else:
        joints[:, 0] += 1.7 * ((left + right) / 2 - shape[1] / 2) / max(bottom - top, 1.0)
    if person.floor_m is not None:
        joints[:, 1] -= person.floor_m
    else:
        joints[:, 1] -= joints[:, 1].max() + (ANKLE_HEIGHT_M if len(joints) == len(BODY) else 0.0)
    return joints


def colour(joint: int) -> tuple[int, int, int]:
    """RGB colour of a joint, by its side."""
    return SIDE_COLOURS.get(WITH_FEET.joints[joint].split("_")[0], MIDDLE_COLOUR)


def linear(srgb: np.ndarray) -> np.ndarray:
    """Colours in [0, 255] for viser's lines. Uncorrected, viser shows lines brighter than points of the same colour."""
    return (255 * (srgb / 255) ** 2.2).astype(np.uint8)


def as_markdown(text: str) -> str:
    """Escape text for markdown. A file name can contain HTML, even scripts, and viser does not remove them."""
    return "".join(c if (c.isascii() and c.isalnum()) or c == " " else _reference(c) for c in text)


def _reference(character: str) -> str:
    return "\N{REPLACEMENT CHARACTER}" if category(character)[0] == "C" else f"&#{ord(character)};"


if __name__ == "__main__":
    run_command(main)  # after Ctrl-C, SIGTERM or SIGHUP, too, camera and page are closed
