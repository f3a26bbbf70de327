"""Who is meant: everybody, the largest, the most central, or the N largest people. The others are bystanders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from sdk.errors import BadSetting
from sdk.tracking.lifetime import is_forgotten

if TYPE_CHECKING:  # numpy too: settings import this file, and --help must answer at once
    import numpy as np

    from sdk.tracking.person_tracker import TrackedPerson

PeopleWord = Literal["all", "largest", "central"]
PeopleChoice = PeopleWord | int
"""A word, or the number of the largest people."""
CLEARLY = 1.25
"""A person takes another's place only if they are so many times as prominent: two of one size do not alternate."""
SMOOTHED_S = 0.5
"""Time constant with which a person's prominence is smoothed: a raised arm changes nothing."""
_MIDDLE = 0.05
"""Share of the image's diagonal that is added to the distance from its middle: within it, all are in the middle."""


def check_people(people: PeopleChoice) -> PeopleChoice:
    """Check a choice and return it.

    Raises:
        BadSetting: it is no known word and no whole number from 1.
    """
    words = get_args(PeopleWord)
    number = isinstance(people, int) and not isinstance(people, bool) and people >= 1
    if not number and people not in words:
        raise BadSetting(f"people is {people!r}; it must be {', '.join(words)}, or a number of people, 1 or more.")
    return people


def most_people(people: PeopleChoice) -> int | None:
    """How many are taken at a time; None for all."""
    return people if isinstance(people, int) else None if people == "all" else 1


def describe(people: PeopleChoice) -> str:
    """In words: `the 2 largest`."""
    count = most_people(people)
    if count is None:
        return "everybody"
    return f"the {count} largest" if isinstance(people, int) else f"the {people.replace('central', 'most central')}"


def prominence(people: PeopleChoice, boxes: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """By what people are ranked, (P,): more is more prominent.

    Args:
        people: `central`: nearness to the middle of the image. Otherwise the diagonal of the box, which changes less
            than its height or area when somebody crouches.
        boxes: (P, 4) pixels: left, top, right, bottom.
        image_size: Width and height in pixels.
    """
    import numpy as np

    if people != "central":
        return np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    distance = np.linalg.norm(middles - np.array(image_size) / 2, axis=1) / np.hypot(*image_size)
    return 1 / (distance + _MIDDLE)


class PeopleFilter:
    """Takes the people who are meant out of the tracked ones, image by image, without looking ahead.

    Who is taken stays taken as long as they are remembered (`lifetime.FORGET_AFTER_S`), unless somebody becomes clearly
    more prominent. So a bystander does not step in while the athlete is out of sight for a moment.

    Args:
        people: Who is meant.

    Raises:
        BadSetting: there is no such choice.
    """

    def __init__(self, people: PeopleChoice) -> None:
        self.people = check_people(people)
        self._most = most_people(people)
        self.reset()

    def reset(self) -> None:
        """Forget everybody: another video, or a cut."""
        self._prominence: dict[int, float] = {}
        self._last_s: dict[int, float] = {}
        self._taken: list[int] = []

    def __call__(
        self, tracked: Sequence[TrackedPerson], image_size: tuple[int, int], timestamp_s: float
    ) -> list[TrackedPerson]:
        """Those of the tracked people who are meant, in their order.

        Args:
            tracked: Everybody in the image.
            image_size: Width and height in pixels.
            timestamp_s: Seconds, larger than the one before.
        """
        if self._most is None:
            return list(tracked)
        for number in [one for one, last_s in self._last_s.items() if is_forgotten(timestamp_s - last_s)]:
            del self._last_s[number], self._prominence[number]
        if tracked:
            import numpy as np

            now = prominence(self.people, np.stack([one.box for one in tracked]), image_size)
            for one, value in zip(tracked, now.tolist(), strict=True):
                before = self._prominence.get(one.track_id, value)
                weight = 1 - np.exp(-(timestamp_s - self._last_s.get(one.track_id, timestamp_s)) / SMOOTHED_S)
                self._prominence[one.track_id] = before + float(weight) * (value - before)
                self._last_s[one.track_id] = timestamp_s
        self._choose([one.track_id for one in tracked])
        return [one for one in tracked if one.track_id in self._taken]

    def _choose(self, present: list[int]) -> None:
        assert self._most is not None
        self._taken = [one for one in self._taken if one in self._prominence]
        for number in sorted(set(present) - set(self._taken), key=lambda one: -self._prominence[one]):
            if len(self._taken) < self._most:
                self._taken.append(number)
                continue
            weakest = min(self._taken, key=lambda one: self._prominence[one])
            if self._prominence[number] <= CLEARLY * self._prominence[weakest]:
                break
            self._taken[self._taken.index(weakest)] = number
