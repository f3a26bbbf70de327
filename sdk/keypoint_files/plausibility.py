"""Checks what a file says against its keypoints: units, image size, order of joints, which way is up, frame rate.

Each check looks at all people over the whole recording, because a single frame can show anything. The limits that are
public names come from recordings that are right, by the rule of `python -m benchmarks.plausibility_limits`: the 2D of a
target's training videos, and motion capture of other people through drawn cameras. The number in brackets is the larger
99.9th percentile of the two. The other constants are definitions, not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sdk.errors import BadKeypoints
from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.limits import FARTHEST_PX
from sdk.skeletons.joint_conversion import to_h36m16
from sdk.skeletons.skeleton import SKELETONS, Skeleton, find_skeleton

_FEWEST_FRAMES = 20
"""Of all people together. Fewer frames are not checked."""
_LOOKED_AT = 5_000
"""At most so many frames are checked, spread evenly over the recording."""
_NORMALISED = 2.0
"""If all coordinates are below it, they are not pixels of an image."""
_CORNER = 1e-3
"""Part of the image's longer side. Hips that always stay so near (0, 0) are the origin of the coordinates."""
_OUTSIDE, _MOSTLY_OUTSIDE = 0.15, 0.5
"""Share of joints outside the image. Not measured: right recordings have next to none."""
_FITS = 0.02
"""Share of joints outside an image that fits."""
_QUARTER_FRAMES = 50
LYING, UPSIDE_DOWN = 0.97, 0.8
"""Share of frames in which the trunk lies to one side (0.94), or has its head down (0.59)."""
_TRUNK_SEEN = 0.12
"""Part of the person's size in the image. A shorter trunk points at the camera."""
_SHORTER, MOST_FRAMES = 0.9, 0.9
"""The order of joints is another skeleton's if its bones are a tenth shorter in nine of ten frames (none)."""
SCATTERED = 0.91
"""Mean bone length over the spread of the joints, median over time (0.82; joints in random order: 1.0 to 1.5)."""
_NO_LIMB, _LIMB = 0.2, 0.3
"""The shortest limb segment over the longest: in a wrong order of joints, and in the right one."""
FALL_M_S2 = 26.0
"""People fall with 9.8 m/s². If they fall faster for a twentieth of the time (12.7), the frame rate is wrong."""
HASTE_M_S2 = 25.0
"""Acceleration of trunk and hands together that people exceed less than a twentieth of the time (99.5th percentile
over recordings: 22.4)."""
_TRUNK_M = 0.5
_PARABOLA_S = 0.25
_FEWEST_S = 1.0
_SLOWEST_HZ, _FASTEST_HZ = 2.0, 2_000.0

_SEGMENTS = tuple(
    (f"{side}_{start}", f"{side}_{end}")
    for side in ("left", "right")
    for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)


@dataclass(frozen=True)
class Doubt:
    """Something that the file says and the keypoints contradict.

    Attributes:
        about: What is in doubt: `pixels`, `origin`, `size`, `joints`, `up` or `rate`.
        message: The contradiction, its likely cause, and the way out. Without the name of the file.
        certain: Whether nothing else explains it. Then it is an error, else a warning.
    """

    about: str
    message: str
    certain: bool = False


def check_pixels(name: str, keypoints: np.ndarray, image_size: tuple[int, int]) -> None:
    """Raise BadKeypoints for normalised coordinates instead of pixels, or far outside of any image.

    Args:
        name: For the message.
        keypoints: (..., 2); NaN where nothing was seen.
        image_size: Width and height.
    """
    places = np.abs(keypoints[~np.isnan(keypoints)])
    if not places.size:
        return
    if places.max() > FARTHEST_PX:
        raise BadKeypoints(f"{name} has a coordinate of {places.max():g}, in an image of {_size(image_size)}.")
    take_doubts(name, filter(None, [_fractions(places, image_size)]))


def check_origin(name: str, people: Sequence[np.ndarray], skeleton: Skeleton) -> None:
    """Raise BadKeypoints if the hips are always at (0, 0). The size of the image need not be known.

    Args:
        name: For the message.
        people: (J, 2) fractions of the image for each person and frame.
        skeleton: Layout of J.
    """
    if people:
        take_doubts(name, filter(None, [_origin(np.stack(people), skeleton, (1, 1))]))


def check_tracks(name: str, tracks: Sequence[KeypointTrack], seen_score: float) -> tuple[str, ...]:
    """Check all people of a file.

    Args:
        name: Name of the file, for messages.
        tracks: Tracks of one video.
        seen_score: Joints with a lower score are left out.

    Returns:
        One warning for each doubt.

    Raises:
        BadKeypoints: the keypoints contradict the file, and only a wrong file explains it.
    """
    alike: dict[tuple[str, tuple[int, int], float], list[np.ndarray]] = {}
    for track in tracks:
        seen = np.where((track.scores >= seen_score)[..., None], track.keypoints_px, np.nan).astype(np.float64)
        runs = np.split(seen, np.flatnonzero(np.diff(track.frame_indices) > 1) + 1)
        alike.setdefault((track.skeleton, track.image_size, track.frame_rate_hz), []).extend(runs)
    notes = [message for track in tracks if (message := _clock(track))]
    for (skeleton, image_size, rate), people in alike.items():
        notes += take_doubts(name, find_doubts(people, skeleton, image_size, rate, everybody=True))
    return tuple(dict.fromkeys(f"{name}: {note}" for note in notes))


def take_doubts(name: str, doubts: Iterable[Doubt]) -> list[str]:
    """The messages of doubts. Raises BadKeypoints for the first doubt that is certain."""
    messages = []
    for doubt in doubts:
        if doubt.certain:
            raise BadKeypoints(f"{name}: {doubt.message}")
        messages.append(doubt.message)
    return messages


def find_doubts(
    people: Sequence[np.ndarray],
    skeleton: str,
    image_size: tuple[int, int],
    frame_rate_hz: float | None,
    *,
    everybody: bool = False,
    posture: bool = True,
) -> list[Doubt]:
    """Check skeleton, image size and frame rate against the keypoints.

    Args:
        people: (T, J, 2) pixels for each person, of successive frames. NaN where a joint was not seen.
        skeleton: Name of the layout of J.
        image_size: Width and height.
        frame_rate_hz: Frames per second. None if the frames do not follow each other, and show no rate.
        everybody: Whether these are all the people in the images. One of several may stay in a corner.
        posture: Whether to look for people who lie or have their heads down, as anybody may for some seconds.
    """
    together = np.concatenate(list(people)) if people else np.zeros((0, 1, 2))
    frames = together[np.isfinite(together).all(-1).sum(-1) >= 2]
    frames = frames[:: -(-len(frames) // _LOOKED_AT) or 1].astype(np.float64)
    if len(frames) < _FEWEST_FRAMES:
        return []
    layout = find_skeleton(skeleton)
    fractions = _fractions(np.abs(frames[np.isfinite(frames)]), image_size)
    found = [fractions or _origin(frames, layout, image_size) or _image(frames, image_size, everybody)]
    found.append(_layout(frames, layout))
    if posture and found[-1] is None:
        found.append(_up(to_h36m16(frames, skeleton).astype(np.float64)))
    if frame_rate_hz is not None:
        found.append(_rate(people, skeleton, frame_rate_hz))
    return [doubt for doubt in found if doubt is not None]


def _fractions(places: np.ndarray, image_size: tuple[int, int]) -> Doubt | None:
    """Absolute coordinates that all are tiny. One outlier among thousands does not make them pixels."""
    if not np.quantile(places, 0.99) <= _NORMALISED < max(image_size) / 8:
        return None
    return Doubt(
        "pixels",
        f"all coordinates are below {_NORMALISED:g}. These are no pixels of an image of {_size(image_size)}. Convert "
        "them to pixels.",
        certain=True,
    )


def _origin(frames: np.ndarray, skeleton: Skeleton, image_size: tuple[int, int]) -> Doubt | None:
    hips = frames[:, [skeleton.index("left_hip"), skeleton.index("right_hip")]].mean(1)
    hips = hips[np.isfinite(hips).all(-1)]
    if len(hips) < _FEWEST_FRAMES or (np.abs(hips) < _CORNER * max(image_size)).all(-1).mean() < 0.9:
        return None
    return Doubt(
        "origin",
        "the middle of the hips is at the image's corner (0, 0) in all frames. These coordinates are relative to the "
        "person and do not say where the person is in the image. With MediaPipe, save pose_landmarks, not the world "
        "landmarks; with others, save keypoints in pixels.",
        certain=True,
    )


def _image(frames: np.ndarray, image_size: tuple[int, int], everybody: bool) -> Doubt | None:
    places = frames[np.isfinite(frames).all(-1)]
    width, height = image_size
    outside = share_outside(places, image_size)
    if outside > _OUTSIDE:
        said = f"{outside:.0%} of the joints lie outside the image of {_size(image_size)}"
        if width != height and share_outside(places, (height, width)) <= _FITS:
            cause = (
                f"they fit an image of {height}x{width}. Are width and height exchanged? Or were they found in the "
                "unrotated images of a rotated video? Then find them in the upright images, or rotate them."
            )
        else:
            cause = (
                f"they reach from {_pair(np.quantile(places, 0.01, axis=0))} to "
                f"{_pair(np.quantile(places, 0.99, axis=0))}. Is it the size of another image, or are they no pixels?"
            )
        return Doubt(
            "size",
            f"{said}; {cause} Give the size of the image they were found in with --image-size (image_size=... in "
            "Python).",
            certain=outside > _MOSTLY_OUTSIDE or "fit" in cause,
        )
    far = np.quantile(places, 0.995, axis=0) / (width, height)
    if everybody and len(frames) >= _QUARTER_FRAMES and (far < 0.5).all():
        return Doubt(
            "size",
            f"everybody stays in the upper left quarter of the image of {_size(image_size)}. Were the keypoints "
            "found in a smaller image? Give its size with --image-size (image_size=... in Python).",
        )
    return None


def share_outside(places: np.ndarray, image_size: tuple[int, int]) -> float:
    """Share of (N, 2) places that lie outside an image of this width and height."""
    return float(((places < 0) | (places > image_size)).any(-1).mean())


def _up(body: np.ndarray) -> Doubt | None:
    """Head down, or lying, all the time."""
    lying, upside_down = lying_and_upside_down(body)
    if upside_down > UPSIDE_DOWN:
        return Doubt(
            "up",
            f"heads are below hips in {upside_down:.0%} of the frames. Does y point up? Write y = height - y. "
            "Or was the video recorded upside down?",
        )
    if lying > LYING:
        return Doubt(
            "up",
            f"people lie on one side in {lying:.0%} of the frames. Were the keypoints found in the unrotated images "
            "of a rotated video? Find them in the upright images, or rotate them and exchange width and height.",
        )
    return None


def lying_and_upside_down(body: np.ndarray) -> tuple[float, float]:
    """Shares of the frames of (T, 16, 2) H36M-16 in which the trunk lies to one side, and has its head down.

    Frames in which the trunk points at the camera are left out; NaN if too few are left.
    """
    trunk = body[:, [1, 4]].mean(1) - body[:, [10, 13]].mean(1)
    length = np.linalg.norm(trunk, axis=-1)
    low, high = np.where(np.isnan(body), np.inf, body).min(1), np.where(np.isnan(body), -np.inf, body).max(1)
    known = np.isfinite(length)
    known[known] &= length[known] > _TRUNK_SEEN * np.linalg.norm(high[known] - low[known], axis=-1)
    if known.sum() < _FEWEST_FRAMES:
        return float("nan"), float("nan")
    x, y = (trunk[known] / length[known, None]).T
    return float(max((x > 0.8).mean(), (x < -0.8).mean())), float((y < -0.5).mean())


def _layout(frames: np.ndarray, skeleton: Skeleton) -> Doubt | None:
    """Joints in the order of another skeleton, or in no known order."""
    bones = bone_lengths(frames, skeleton)
    known = np.isfinite(bones)
    if known.sum() < _FEWEST_FRAMES:
        return None
    limb = limb_ratio(frames, skeleton)
    for other in SKELETONS.values():
        if other.name == skeleton.name or len(other) != len(skeleton):
            continue
        shorter = share_shorter(frames, skeleton, other)
        if shorter > MOST_FRAMES or (limb < _NO_LIMB and limb_ratio(frames, other) > _LIMB and shorter > 0):
            return Doubt(
                "joints",
                f"the joints are not in the order of {skeleton.name}, but in that of {other.name}, which has as many. "
                f"Give --skeleton {other.name} (skeleton={other.name!r} in Python), or reorder them.",
                certain=True,
            )
    if np.median(bones[known]) > SCATTERED:
        return Doubt(
            "joints",
            f"the joints are not in the order of {skeleton.name}: its bones would be as long as the whole person. Give "
            "another --skeleton (skeleton=... in Python), or reorder them.",
        )
    return None


def share_shorter(frames: np.ndarray, skeleton: Skeleton, other: Skeleton) -> float:
    """Share of the frames in which another order of joints has bones that are a tenth shorter. NaN without frames."""
    bones = bone_lengths(frames, skeleton)
    known = np.isfinite(bones)
    shorter = bone_lengths(frames, other)[known] < _SHORTER * bones[known]
    return float(shorter.mean()) if known.any() else float("nan")


def bone_lengths(frames: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(T,) mean bone length over the spread of the joints. NaN where few joints were seen."""
    bones = np.array(skeleton.bones)
    lengths = np.linalg.norm(frames[:, bones[:, 0]] - frames[:, bones[:, 1]], axis=-1)
    known = np.isfinite(frames).all(-1)
    count = np.maximum(known.sum(1), 1)[:, None, None]
    centre = np.where(known[..., None], frames, 0).sum(1, keepdims=True) / count
    spread = np.sqrt((np.where(known[..., None], frames - centre, 0) ** 2).sum((1, 2)) / count[:, 0, 0])
    there = np.isfinite(lengths)
    mean = np.where(there, lengths, 0).sum(1) / np.maximum(there.sum(1), 1)
    usable = (there.mean(1) > 0.5) & (spread > 0)
    return np.where(usable, mean / np.where(usable, spread, 1), np.nan)


def limb_ratio(frames: np.ndarray, skeleton: Skeleton) -> float:
    """Shortest over longest of the eight segments of arms and legs. A segment's length is its 75th percentile."""
    known = np.isfinite(frames).all(-1).all(-1)
    frames = frames[known]
    if len(frames) < _FEWEST_FRAMES:
        return float("nan")
    spread = np.sqrt(((frames - frames.mean(1, keepdims=True)) ** 2).sum(-1).mean(1))
    start, end = ([skeleton.index(pair[i]) for pair in _SEGMENTS] for i in (0, 1))
    lengths = np.linalg.norm(frames[:, start] - frames[:, end], axis=-1) / np.maximum(spread, 1e-9)[:, None]
    typical = np.quantile(lengths, 0.75, axis=0)
    return float(typical.min() / max(typical.max(), 1e-9))


def _rate(people: Sequence[np.ndarray], skeleton: str, frame_rate_hz: float) -> Doubt | None:
    if not _SLOWEST_HZ <= frame_rate_hz <= _FASTEST_HZ:
        return Doubt(
            "rate",
            f"{frame_rate_hz:g} frames per second. Is this the time between frames, or are times in milliseconds? Give "
            "frames per second with --fps (frame_rate_hz=... in Python).",
        )
    fall, haste = fall_m_s2(people, skeleton, frame_rate_hz), haste_m_s2(people, skeleton, frame_rate_hz)
    if fall > FALL_M_S2:
        said = f"fall faster than gravity allows ({fall:.0f} m/s²)"
    elif haste > HASTE_M_S2:
        said = f"move trunk and hands faster than people do (accelerations of {haste:.0f} m/s²)"
    else:
        return None
    return Doubt(
        "rate",
        f"at {frame_rate_hz:g} frames per second people {said}. Is the frame rate too high, perhaps twice the true "
        "one? Give --fps (frame_rate_hz=... in Python).",
    )


def fall_m_s2(people: Sequence[np.ndarray], skeleton: str, frame_rate_hz: float) -> float:
    """Downward acceleration that is exceeded a twentieth of the time. NaN for less than half a second."""
    moved = [_accelerations(person, skeleton, frame_rate_hz) for person in people]
    falls = np.concatenate([np.zeros(0), *(hips_and_shoulders[:, 1] for hips_and_shoulders, _ in moved)])
    falls = falls[np.isfinite(falls)]
    return float("nan") if len(falls) < frame_rate_hz / 2 else float(np.quantile(falls, 0.95))


def haste_m_s2(people: Sequence[np.ndarray], skeleton: str, frame_rate_hz: float) -> float:
    """How fast people start and stop: the acceleration that is exceeded a twentieth of the time.

    The geometric mean of the trunk's and that of the wrists relative to the shoulders: a detector's errors and waving
    reach one of them, twice the frame rate makes both fourfold. NaN for less than a second.
    """
    moved = [_accelerations(person, skeleton, frame_rate_hz) for person in people]
    trunk = np.concatenate([np.zeros(0), *(np.linalg.norm(one, axis=-1) for one, _ in moved)])
    wrists = np.concatenate([np.zeros(0), *(np.linalg.norm(one, axis=-1).ravel() for _, one in moved)])
    trunk, wrists = trunk[np.isfinite(trunk)], wrists[np.isfinite(wrists)]
    if min(len(trunk), len(wrists)) < _FEWEST_S * frame_rate_hz:
        return float("nan")
    return float(np.sqrt(np.quantile(trunk, 0.95) * np.quantile(wrists, 0.95)))


def _accelerations(person: np.ndarray, skeleton: str, frame_rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Accelerations in the image in m/s² if the trunk is half a metre long, from parabolas over a quarter of a second.

    Returns:
        (N, 2) of the middle of hips and shoulders, and (N, 2, 2) of both wrists relative to the shoulders. NaN where
        one was not seen in all of the quarter second.
    """
    count = max(5, round(_PARABOLA_S * frame_rate_hz) | 1)
    if len(person) < count or count > 1001:
        return np.zeros((0, 2)), np.zeros((0, 2, 2))
    body = to_h36m16(person, skeleton).astype(np.float64)
    hips, shoulders = body[:, [1, 4]].mean(1), body[:, [10, 13]].mean(1)
    trunk = np.linalg.norm(shoulders - hips, axis=-1)
    trunk = trunk[np.isfinite(trunk)]
    if not len(trunk) or (size := np.quantile(trunk, 0.75)) <= 0:
        return np.zeros((0, 2)), np.zeros((0, 2, 2))
    places = np.stack([(hips + shoulders) / 2, body[:, 12] - shoulders, body[:, 15] - shoulders], 1) * (_TRUNK_M / size)
    times = (np.arange(count) - count // 2) / frame_rate_hz
    parabola = np.linalg.pinv(np.stack([times**2 / 2, times, np.ones(count)], 1))[0]
    columns = [np.convolve(column, parabola[::-1], "valid") for column in places.reshape(len(places), -1).T]
    found = np.stack(columns, 1).reshape(-1, 3, 2)
    return found[:, 0], found[:, 1:]


def _clock(track: KeypointTrack) -> str | None:
    """A warning if times, frame numbers and frame rate do not fit together."""
    if len(track) < _FEWEST_FRAMES:
        return None
    per_frame = np.median(np.diff(track.timestamps_s) / np.diff(track.frame_indices)) * track.frame_rate_hz
    if 0.6 < per_frame < 1.6:
        return None
    cause = "Are times in milliseconds?" if 500 < per_frame < 2000 else "Is the frame rate right?"
    return (
        f"track {track.name!r} has {per_frame / track.frame_rate_hz:.4g} s between frames, but "
        f"{track.frame_rate_hz:g} frames per second. {cause} Write timestamps_s in seconds."
    )


def _size(image_size: tuple[int, int]) -> str:
    return f"{image_size[0]}x{image_size[1]}"


def _pair(place: np.ndarray) -> str:
    return f"({place[0]:.0f}, {place[1]:.0f})"
