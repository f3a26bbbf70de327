"""Measures the ceiling of the cross-domain benchmark: training with the target's own 3D labels.

    python benchmarks/ceiling.py --clips CLIPS.npz --test TEST.npz --seed 0 --out runs/benchmark/ceiling-0

This is the only program here that learns from the target's labels; it is no adaptation. The baseline of
`cross_domain.py` is fine-tuned on the labels of every other clip of the test file, with as many source windows as in
adaptation, and measured on the other clips. Then the two halves are exchanged. People, cameras and activities are in
both halves, but no clip is.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; why: training/commands/command.py
import numpy as np
import torch
import tyro

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script sees its own folder only
from benchmarks.cross_domain import SOURCE_PEOPLE, CrossDomain, baseline, filmed_in_studio, runnable
from sdk.commands.command_line import run_command
from sdk.errors import BadTarget
from training.adaptation.lifter_teacher import keep_norm_statistics
from training.cameras.known_cameras import FilmedClips
from training.evaluation.benchmark_data import LabelledSequences, load_labelled_sequences
from training.evaluation.evaluate import PoseErrors, evaluate
from training.evaluation.metrics import mpjpe
from training.files.array_file import read_arrays
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.lifter import TemporalLifter
from training.motion.body_variation import mirrored
from training.motion.readers.motion import load_motion
from training.runs.device import open_device
from training.runs.network_weights import averaged
from training.settings.method import RECIPES
from training.target.target_windows import TargetSequence, TargetWindows

METHOD = RECIPES["default"]


@dataclass(frozen=True)
class Ceiling:
    """Fine-tune on the target's labels, in two halves."""

    clips: Path
    """Source motion, as for cross_domain.py."""
    test: Path
    """The labelled test file."""
    out: Path
    """Folder for the result. Baselines are kept in its parent folder."""
    seed: int = 0
    """Seed of the baseline and of fine-tuning."""
    source_people: tuple[str, ...] = SOURCE_PEOPLE
    """People whose clips are the source."""
    channels: int = 256
    """Width of the lifter."""
    pretrain_steps: int = 8000
    """Steps of training on the source."""
    steps: int = 4000
    """Steps of fine-tuning, for each half."""
    batch: int = METHOD.batch
    """Labelled windows per step. Half as many source windows are added."""
    threads: int = 2
    """CPU threads of torch."""


def measure(settings: Ceiling) -> dict[str, float]:
    """Fine-tune twice, measure on the other half each time, write result.json.

    Returns:
        Mean errors over the poses of both halves.
    """
    device = open_device("cpu", settings.threads).device
    of_baseline = CrossDomain(
        settings.clips,
        target_2d=settings.test,  # the baseline does not open it
        test=settings.test,
        out=settings.out,
        seed=settings.seed,
        source_people=settings.source_people,
        channels=settings.channels,
        pretrain_steps=settings.pretrain_steps,
    )
    clips = [clip for clip in load_motion(settings.clips) if clip.name.split("_")[0] in settings.source_people]
    start = baseline(of_baseline, clips, device)
    filmed = filmed_in_studio(clips, start.metadata, METHOD.speeds)
    labelled = load_labelled_sequences(settings.test)
    names = read_arrays(settings.test, ("clip",), BadTarget)["clip"]
    in_second = np.isin(names, np.unique(names)[1::2])
    settings.out.mkdir(parents=True, exist_ok=True)
    results = []
    for half, learned in enumerate((~in_second, in_second)):
        network = fine_tuned(start.network, part_of(labelled, learned), filmed, settings)
        lifter = runnable(LifterCheckpoint(network, start.metadata), settings.out / f"half{half}.onnx")
        results.append(evaluate(lifter, part_of(labelled, ~learned)))
    errors = mean_over_poses(results)
    (settings.out / "result.json").write_text(
        json.dumps(
            {"errors": errors, "settings": {k: str(v) for k, v in dataclasses.asdict(settings).items()}}, indent=2
        )
    )
    return errors


def part_of(sequences: LabelledSequences, chosen: np.ndarray) -> LabelledSequences:
    """The sequences that are chosen, (S,) bool."""
    frames = np.repeat(chosen, sequences.length)
    length = sequences.length[chosen]
    return LabelledSequences(
        sequences.keypoints[frames], sequences.joints_m[frames], np.cumsum(length) - length, length,
        sequences.frame_rate_hz,
    )  # fmt: skip


def fine_tuned(
    start: TemporalLifter, labelled: LabelledSequences, filmed: FilmedClips, settings: Ceiling
) -> TemporalLifter:
    """The lifter after learning from labels. It is averaged like an adapted lifter."""
    torch.manual_seed(settings.seed)
    random = torch.Generator().manual_seed(settings.seed)
    network = copy.deepcopy(start).train()
    keep_norm_statistics(network)  # as in the default recipe
    average = averaged(network, METHOD.average)
    optimiser = torch.optim.Adam(network.parameters(), METHOD.lifter_learning_rate)
    windows = TargetWindows(
        [
            TargetSequence(str(i), labelled.keypoints[a : a + n], np.ones((n, 16), np.float32), 1.0)
            for i, (a, n) in enumerate(zip(labelled.start, labelled.length, strict=True))
        ],
        start.receptive_field,
    )
    poses = torch.from_numpy(labelled.root_relative_m)
    for step in range(settings.steps):
        optimiser.param_groups[0]["lr"] = METHOD.lifter_learning_rate * (1 - step / settings.steps)
        centres = torch.randint(len(windows), (settings.batch,), generator=random)
        keypoints, truth = windows.at(centres), poses[centres]
        half = settings.batch // 2
        keypoints = torch.cat([keypoints[:half], mirrored(keypoints[half:])])
        truth = torch.cat([truth[:half], mirrored(truth[half:])])
        source = filmed.sample(half, random)
        answers = network(torch.cat([keypoints, source.keypoints]))
        loss = mpjpe(answers[: settings.batch], truth) + mpjpe(answers[settings.batch :], source.middle_pose_m)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average.update_parameters(network)
    result = average.module
    assert isinstance(result, TemporalLifter)
    return result.eval()


def mean_over_poses(results: list[PoseErrors]) -> dict[str, float]:
    """Mean of each number over all poses of both halves."""
    weights = [one.poses for one in results]
    names = [field.name for field in dataclasses.fields(PoseErrors) if field.name != "poses"]
    return {name: float(np.average([getattr(one, name) for one in results], weights=weights)) for name in names}


def main() -> None:
    """Measure and print."""
    settings = tyro.cli(Ceiling, description=__doc__)

    def run() -> None:
        errors = measure(settings)
        print(f"| ceiling, seed {settings.seed} | {errors['mpjpe_mm']:.1f} / {errors['pa_mpjpe_mm']:.1f} |")

    run_command(run)


if __name__ == "__main__":
    main()
