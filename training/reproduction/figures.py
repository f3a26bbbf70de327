"""The paper's figures 4, 5, 6, 7 and 10, drawn from finished runs. No sample is chosen by its error."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sdk.skeletons.keypoint_normalisation import normalise_root_centred
from training.protocols.known import find_protocol
from training.protocols.scoring import lifted_and_true
from training.report.pose_drawing import (
    AFTER,
    BEFORE,
    FAINT_INK,
    GENERATED,
    RULE,
    SOURCE,
    TARGET,
    LimbColours,
    panel_frame,
    pose_panel,
    pose_strip,
    skeleton,
)
from training.report.viewpoints import body_viewpoint
from training.reproduction.experiments import EXPERIMENTS
from training.reproduction.network_lifter import NetworkLifter
from training.reproduction.runs import Runs
from training.reproduction.svg_sheet import Cell, write_sheet
from training.reproduction.tables import BASELINE

POSEAUG = LimbColours("#b9c46a", "#8a9a1f", "#55600d")
_SAMPLES, _MOTIONS, _MOMENTS = 4, 4, 6
_VIEWS = 800
"""Windows whose viewpoints are drawn."""
_COMPARED = {4: ("ski", "3dpw"), 10: ("3dpw", "3dhp")}
"""Experiments whose predictions a figure shows."""


def figure_jobs(figure: int) -> list[tuple[str, str]]:
    """Experiments and runs that a figure is drawn from."""
    if figure in _COMPARED:
        runs = [BASELINE, "poseaug", "paper"] if figure == 10 else [BASELINE, "paper"]
        return [(experiment, run) for experiment in _COMPARED[figure] for run in runs]
    return [("3dhp", BASELINE), ("3dhp", "paper")]


def draw_figure(figure: int, runs: Runs, seed: int, out: Path, *, rehearsal: bool) -> Path:
    """Draw a figure into OUT/figures. Its runs must be finished.

    Args:
        figure: 4, 5, 6, 7 or 10.
        runs: Where the runs are.
        seed: Whose runs.
        out: Folder of the reproduction.
        rehearsal: Whether the data is drawn.
    """
    draw = {4: _predictions, 10: _predictions, 5: _motions, 6: _samples, 7: _viewpoints}[figure]
    title, rows, legend, notes = draw(figure, runs, seed)
    notes = [*notes, f"Seed {seed}; sizes: {runs.sizes.name}. Samples are evenly spread, none chosen by its error."]
    return write_sheet(out / "figures" / f"figure-{figure}.svg", title, rows, legend, notes, rehearsal=rehearsal)


_Drawn = tuple[str, list[list[Cell]], list[tuple[str, str]], list[str]]


def _predictions(figure: int, runs: Runs, seed: int) -> _Drawn:
    """Baseline, in figure 10 PoseAug's control, and the adapted lifter, each over the truth."""
    colours = {BASELINE: BEFORE, "poseaug": POSEAUG, "paper": AFTER}
    words = {BASELINE: "baseline", "poseaug": "PoseAug (our control)", "paper": "adapted (paper recipe)"}
    shown = [run for _, run in figure_jobs(figure)][: 3 if figure == 10 else 2]
    rows, notes = [], []
    for name in _COMPARED[figure]:
        experiment = EXPERIMENTS[name]
        protocol = find_protocol(runs.catalog.protocols(experiment)[0])
        test = runs.catalog.test(experiment, protocol)
        poses: dict[str, np.ndarray] = {}
        truth = np.zeros((0, 16, 3))
        for run in shown:
            lifter = NetworkLifter(runs.finished_lifter(experiment, run, seed), runs.device)
            poses[run], truth, _ = lifted_and_true(lifter, test, protocol)
        chosen = np.linspace(0, len(truth) - 1, _SAMPLES + 2).round().astype(int)[1:-1]
        frame = panel_frame([truth[chosen], *(each[chosen] for each in poses.values())])
        rows += [
            [
                Cell(
                    pose_panel([(truth[at], TARGET), (poses[run][at], colours[run])], "front", frame, words[run]),
                    f"{name}, pose {at}: {words[run].split(' (')[0]}",
                )
                for at in chosen
            ]
            for run in shown
        ]
        notes.append(f"{name}: protocol {protocol.name}.")
    legend = [(colours[run].middle, words[run]) for run in shown] + [(TARGET.middle, "truth")]
    return f"Figure {figure}. Predictions and truth", rows, legend, notes


def _motions(figure: int, runs: Runs, seed: int) -> _Drawn:
    """Generated motions below the source motion that they were made of."""
    adaptation, random = runs.finished_adaptation(EXPERIMENTS["3dhp"], "paper", seed)
    source, made = adaptation.examples(_MOTIONS, random)
    moments = np.linspace(0, source.joints_m.shape[1] - 1, _MOMENTS).round().astype(int)
    rows = []
    for at in range(_MOTIONS):
        for windows, colours, word in ((source, SOURCE, "input"), (made, GENERATED, "generated")):
            motion = windows.joints_m[at].numpy()[moments]
            frame = panel_frame([motion - motion[:, :1]])
            across, above, below = (100 * length for length in frame)
            strip = pose_strip(motion, colours, "front", frame)
            view = f"{-across:.0f} {-above:.0f} {2 * across * _MOMENTS:.0f} {above + below:.0f}"
            rows.append([Cell(f'<svg viewBox="{view}">{strip}</svg>', f"motion {at + 1}: {word}", 4)])
    legend = [(SOURCE.middle, "input, from the source"), (GENERATED.middle, "generated")]
    return "Figure 5. Generated motions and their input", rows, legend, ["Source: Human3.6M. Target: 3DHP."]


def _samples(figure: int, runs: Runs, seed: int) -> _Drawn:
    """Source, what was generated from it, and the target's 2D that is nearest to it."""
    experiment = EXPERIMENTS["3dhp"]
    adaptation, random = runs.finished_adaptation(experiment, "paper", seed)
    source, made = adaptation.examples(_MOTIONS, random)
    middle = source.joints_m.shape[1] // 2
    sequences, _ = runs.catalog.target(experiment, runs.metadata(experiment))
    target = np.concatenate([one.keypoints for one in sequences])
    compared = normalise_root_centred(target).reshape(len(target), -1)
    rows = []
    for at in range(_MOTIONS):
        generated = made.keypoints[at, middle].numpy()
        wanted = normalise_root_centred(generated).reshape(-1)
        nearest = target[int(np.square(compared - wanted).sum(1).argmin())]
        rows.append(
            [
                Cell(_points(source.keypoints[at, middle].numpy(), SOURCE), "input"),
                Cell(_points(generated, GENERATED), "generated"),
                Cell(_points(nearest, TARGET), "sample from target"),
            ]
        )
    legend = [(SOURCE.middle, "source"), (GENERATED.middle, "generated"), (TARGET.middle, "target")]
    notes = ["The target's sample is the one whose 2D, root-centred, is nearest; the paper's were picked by hand."]
    return "Figure 6. Source, generated and target samples, as 2D", rows, legend, notes


def _viewpoints(figure: int, runs: Runs, seed: int) -> _Drawn:
    """From where cameras see people: source, generated, target. The target's 3D is read for this picture only."""
    experiment = EXPERIMENTS["3dhp"]
    adaptation, random = runs.finished_adaptation(experiment, "paper", seed)
    source, made = adaptation.examples(_VIEWS, random)
    (data, *_) = runs.catalog.data[experiment.target.data_set]
    joints = [
        data.to_h36m16(sequence.joints_camera_m)
        for sequence in data.sequences(experiment.target.split)
        if sequence.joints_camera_m is not None
    ]
    target = np.concatenate([each[:: max(1, len(each) * len(joints) // _VIEWS)] for each in joints])
    sets = (
        ("source", SOURCE, source.middle_pose_m.numpy()),
        ("generated", GENERATED, made.middle_pose_m.numpy()),
        ("target (truth)", TARGET, target),
    )
    row = [
        Cell(_dots(np.rad2deg(body_viewpoint(poses)), colours.middle), f"{word.split()[0]}: azimuth, elevation")
        for word, colours, poses in sets
    ]
    rolls = [
        Cell(
            _dots(np.rad2deg(body_viewpoint(poses))[:, [0, 2]], colours.middle, 180),
            f"{word.split()[0]}: azimuth, roll",
        )
        for word, colours, poses in sets
    ]
    legend = [(colours.middle, word) for word, colours, _ in sets]
    return "Figure 7. Camera viewpoints", [row, rolls], legend, ["Rotation between person and camera, in degrees."]


def _points(keypoints: np.ndarray, colours: LimbColours) -> str:
    """A 2D pose, as large as its cell."""
    low, high = keypoints.min(0), keypoints.max(0)
    scale = 160 / max(float((high - low).max()), 1e-6)
    drawn = skeleton((keypoints - (low + high) / 2) * scale, colours, 3)
    return f'<svg viewBox="-95 -95 190 190">{drawn}</svg>'


def _dots(degrees: np.ndarray, colour: str, most: int = 90) -> str:
    known = degrees[np.isfinite(degrees).all(-1)]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{-y * 180 / most:.1f}" r="3"/>' for x, y in known[:, :2])
    axes = f'<path d="M-180 0H180M0 -180V180M-180 -180H180V180H-180z" stroke="{RULE}" stroke-width="2" fill="none"/>'
    ticks = f'<g font-size="20" fill="{FAINT_INK}"><text x="-180" y="200">-180</text><text x="140" y="200">180</text>'
    ticks += f'<text x="4" y="-162">{most}</text></g>'
    return f'<svg viewBox="-190 -190 380 400">{axes}<g fill="{colour}" fill-opacity="0.4">{dots}</g>{ticks}</svg>'
