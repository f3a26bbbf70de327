"""Which tracks of a recording are the people who are meant, from the whole recording."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from sdk.keypoint_files.keypoint_track import KeypointTrack
from sdk.keypoint_files.track_collection import SEEN_SCORE
from sdk.tracking.people_choice import PeopleChoice, check_people, most_people, prominence

_MOST_NAMED = 10


def choose_tracks(tracks: Sequence[KeypointTrack], people: PeopleChoice) -> tuple[KeypointTrack, ...]:
    """The tracks of the people who are meant, in their order.

    In each frame with more people than are meant, the most prominent ones are picked. A track is taken, as a whole, if
    its person is picked in at least half of those frames in which they are, or if there are none.

    Args:
        tracks: All tracks of one recording.
        people: Who is meant; see `prominence`.

    Raises:
        BadSetting: there is no such choice.
    """
    most = most_people(check_people(people))
    if most is None:
        return tuple(tracks)
    present: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for number, track in enumerate(tracks):
        values = prominence(people, _boxes(track), track.image_size)
        for frame, value in zip(track.frame_indices.tolist(), values.tolist(), strict=True):
            present[frame].append((value, number))
    contested, picked = np.zeros(len(tracks), int), np.zeros(len(tracks), int)
    for frame in present.values():
        if len(frame) > most:
            frame.sort(key=lambda one: (-one[0], one[1]))
            contested[[number for _, number in frame]] += 1
            picked[[number for _, number in frame[:most]]] += 1
    return tuple(track for track, wins, of in zip(tracks, picked, contested, strict=True) if 2 * wins >= of)


def people_at_once(tracks: Sequence[KeypointTrack]) -> int:
    """The largest number of people in one frame."""
    frames = [track.frame_indices for track in tracks]
    return int(np.unique(np.concatenate(frames), return_counts=True)[1].max()) if frames else 0


def bystanders_note(name: str, tracks: Sequence[KeypointTrack], meant: Sequence[KeypointTrack]) -> str:
    """A sentence on the tracks of one recording that are not meant."""
    taken = {track.name for track in meant}
    others = [track for track in tracks if track.name not in taken]
    named = ", ".join(f"#{track.name.rpartition('#')[2]}" for track in others[:_MOST_NAMED])
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return f"{name}: {len(others)} of {len(tracks)} tracks left out as bystanders: {named}{more}"


def _boxes(track: KeypointTrack) -> np.ndarray:
    """(T, 4) round the joints that were seen; round all where fewer than two were."""
    seen = track.scores >= SEEN_SCORE
    seen[seen.sum(1) < 2] = True
    points = track.keypoints_px
    low = np.where(seen[..., None], points, np.inf).min(1)
    high = np.where(seen[..., None], points, -np.inf).max(1)
    return np.concatenate([low, high], 1)
