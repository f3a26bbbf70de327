"""What `--continue` adds to a run: which tracks are new, what is measured before and after, and what is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from torch import nn

from sdk.files.input_files import shown
from training.adaptation.model_choice import self_consistency
from training.cameras.random_cameras import CameraWindows
from training.cameras.source_validation import source_errors_mm
from training.lifter.checkpoint import LifterCheckpoint
from training.runs.run_folder import RunFolder
from training.settings.adapt import Adapt
from training.target.earlier_targets import EarlierTargets, kept_tracks, new_entry, save_targets
from training.target.target_keypoints import TargetKeypoints
from training.target.target_windows import TargetSequence, TargetWindows

Measured = dict[str, dict[str, dict[str, float]]]
"""Numbers by what was measured, `before` or `after`, and their name."""


def without_known(
    target: TargetKeypoints, sequences: Sequence[TargetSequence], earlier: EarlierTargets
) -> tuple[TargetKeypoints, list[TargetSequence]]:
    """Target and sequences without the tracks that the earlier run learned from; a note says how many these are.

    Raises:
        BadTarget: nothing is new, or the joint layout is another.
    """
    earlier.require_same_skeleton([track.skeleton for track in target.tracks])
    new = earlier.new_tracks(sequences)
    known = len(sequences) - len(new)
    notes = target.notes
    if known:
        notes = (
            *notes,
            f"{known} tracks are not new: {shown(earlier.run.path)} learned from them, and they are replayed.",
        )
    of_each = {name: tuple(getattr(target, name)[i] for i in new) for name in ("tracks", "videos", "recordings")}
    return dataclasses.replace(target, notes=notes, **of_each), [sequences[i] for i in new]


def measured(
    before: nn.Module,
    after: nn.Module,
    targets: Mapping[str, TargetWindows],
    held_out: Mapping[str, CameraWindows],
    start: LifterCheckpoint,
) -> Measured:
    """Self-consistency on targets, and the error on source motion, of the lifter at the start and of the adapted one.

    Args:
        before: Lifter at the start.
        after: Adapted lifter.
        targets: Windows of targets, by name.
        held_out: Held-out source motion, by name.
        start: Has the normalisation.
    """
    lifters = {"before": before, "after": after}
    consistency = {
        name: {when: dataclasses.asdict(self_consistency(lifter, windows)) for when, lifter in lifters.items()}
        for name, windows in targets.items()
    }
    source = {
        name: {
            when: source_errors_mm(lifter, windows, start.metadata.normalisation) for when, lifter in lifters.items()
        }
        for name, windows in held_out.items()
    }
    return consistency | source


def keep_targets(
    run: RunFolder,
    config: Adapt,
    sequences: tuple[Sequence[TargetSequence], Sequence[TargetSequence]],
    target: TargetKeypoints,
    inputs: Mapping[str, str],
    numbers: Measured,
    earlier: EarlierTargets | None,
) -> None:
    """Write the history of targets and their keypoints, for the next `--continue`.

    Args:
        run: Folder of the run; its lifter is written already.
        config: Settings.
        sequences: The target's sequences to learn from, and to choose by.
        target: The target.
        inputs: Hashes of the files of the run, by name.
        numbers: From `measured`.
        earlier: What the run began from, if it continued another.
    """
    assert config.target is not None
    learned, held_out = sequences
    both = {id(one): one for one in (*learned, *held_out)}
    files = {name.removeprefix("target "): value for name, value in inputs.items() if name.startswith("target ")}
    entry = new_entry(
        config,
        shown(config.target.name),
        list(both.values()),
        [track.skeleton for track in target.tracks],
        files,
        numbers,
    )
    before = (earlier.history, earlier.tracks) if earlier else ((), ())
    save_targets(run, [*before[0], entry], [*before[1], *kept_tracks(learned, held_out)])


def lines(numbers: Measured) -> Iterator[str]:
    """What was measured, for the terminal: one line for each target and each source."""
    for name, when in numbers.items():
        words = [
            f"{label} {when['before'][key]:.1f} -> {when['after'][key]:.1f} {unit}"
            for key, (label, unit) in _WORDS.items()
            if when["before"].get(key) is not None
        ]
        yield f"{name}: {', '.join(words)}"


_WORDS = {
    "reprojection": ("off its 2D", "%"),
    "length_variation": ("bone lengths vary", "%"),
    "asymmetry": ("left and right differ", "%"),
    "cycle_consistency_mm": ("cycle consistency", "mm"),
    "expected_error_mm": ("error it expects", "mm"),
    "off_told_mm": ("off what several cameras tell", "mm"),
    "validation/mpjpe_mm": ("MPJPE", "mm"),
    "validation/pa_mpjpe_mm": ("PA-MPJPE", "mm"),
}
