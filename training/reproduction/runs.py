"""The runs behind the tables: the lifter trained on a source, and its adaptation to a target. Each is done once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sdk.errors import BadModelFile
from sdk.lifting.model_metadata import LifterMetadata
from training.adaptation.adaptation import new_adaptation
from training.adaptation.adaptation_loop import averaged_lifter, run_adaptation
from training.adaptation.lifter_teacher import LifterTeacher
from training.adaptation.lifter_training import train_lifter
from training.adaptation.model_choice import ModelChoice, hold_out
from training.adaptation.step import Adaptation
from training.cameras.filmed_sequences import FilmedSequence, FilmedSequences
from training.files.atomic_file import replacing
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.lifter import TemporalLifter
from training.protocols.known import find_protocol
from training.protocols.protocol import ProtocolErrors
from training.protocols.scoring import score
from training.reproduction.catalog import Catalog
from training.reproduction.experiments import EXPERIMENTS, Experiment, Part
from training.reproduction.network_lifter import NetworkLifter
from training.reproduction.tables import BASELINE
from training.runs.progress import History
from training.settings.ablations import VARIANTS
from training.settings.method import CONTROLS, RECIPES, Method
from training.settings.reproduce import Sizes
from training.target.target_windows import TargetWindows

FRAME_RATE_HZ = 25.0
"""Frame rate of the lifters' windows; source windows have a step of 2 to 5 frames at 50 Hz (AdaptPose, section 6)."""
_BASELINE_RATE = 1e-3
Errors = dict[str, dict[str, Any]]
"""By protocol: the fields of `ProtocolErrors`."""


def method_of(run: str, sizes: Sizes) -> Method:
    """The constants of a run: an ablation's variant, the default recipe, or PoseAug's control."""
    if run == "default":
        return dataclasses.replace(RECIPES["default"], **_typed(sizes.default))
    base = CONTROLS["poseaug"] if run == "poseaug" else VARIANTS[run].method
    return dataclasses.replace(base, **_typed(sizes.paper))


def _typed(changes: Any) -> dict[str, Any]:
    return dict(changes)


class Runs:
    """Does runs and keeps what they give in a folder.

    Args:
        out: The folder.
        catalog: The data sets.
        sizes: How large and how long.
        device: Where to compute.
    """

    def __init__(self, out: Path, catalog: Catalog, sizes: Sizes, device: torch.device) -> None:
        self.out, self.catalog, self.sizes, self.device = out, catalog, sizes, device
        self._sources: dict[Part, list[FilmedSequence]] = {}

    def errors(self, experiment: str, run: str, seed: int) -> dict[str, Errors]:
        """Errors of a run by protocol, under `chosen` and `last`; of the baseline both are the same.

        What was done before is read. A run that was stopped goes on from its last state.

        Raises:
            KeyboardInterrupt: on Ctrl-C; the same call goes on.
            Diverged, BadDataset, BadTarget, BadOutput: as named.
        """
        result = self._result(experiment, run, seed)
        if result.exists():
            return read_result(result)
        of = EXPERIMENTS[experiment]
        if run == BASELINE:
            errors = self.score(of, self.baseline(of, seed))
            found = {"chosen": errors, "last": errors}
        else:
            chosen, last, choice = self.adapted(of, run, seed)
            found = {"chosen": self.score(of, chosen), "last": self.score(of, last)}
            found["choice"] = {"seen": {str(step): value for step, value in choice.seen}, "step": {"is": choice.step}}
        result.parent.mkdir(parents=True, exist_ok=True)
        with replacing(result) as part:
            part.write_text(json.dumps(found, indent=1), encoding="utf-8")
        return found

    def done(self, experiment: str, run: str, seed: int) -> bool:
        """Whether a run has its errors."""
        return self._result(experiment, run, seed).exists()

    def score(self, experiment: Experiment, checkpoint: LifterCheckpoint) -> Errors:
        """Errors of a lifter by all protocols that the data can be scored by. This reads the test's labels."""
        lifter = NetworkLifter(checkpoint, self.device)
        found: dict[str, ProtocolErrors] = {}
        for name in self.catalog.protocols(experiment):
            protocol = find_protocol(name)
            found[name] = score(lifter, self.catalog.test(experiment, protocol), protocol)
        return {name: dataclasses.asdict(errors) for name, errors in found.items()}

    def baseline(self, experiment: Experiment, seed: int) -> LifterCheckpoint:
        """The lifter that is trained on the source, through the source's own cameras."""
        out = self.baseline_folder(experiment, seed)
        if (out / "finished").exists():
            return LifterCheckpoint.load(out / "lifter.pt")
        torch.manual_seed(seed)
        sizes = self.sizes
        network = self.new_lifter(experiment).to(self.device)
        filmed = self.filmed(experiment, Method().speeds)
        steps = sizes.baseline_steps(len(filmed))
        checkpoint = train_lifter(
            network,
            drawing(filmed, sizes.batch),
            filmed.at_own_speed(sizes.validation, FRAME_RATE_HZ),
            out,
            dataclasses.replace(self.metadata(experiment), name=out.name),
            title=f"train {out.name}",
            settings=f"{out.name} {sizes}",
            steps=steps,
            learning_rate=_BASELINE_RATE,
            average=sizes.average,
            seed=seed,
            save_every=min(1000, steps),
            resume=(out / "state.pt").exists(),
            epoch_decay=None if sizes.epoch_decay is None else (sizes.epoch_decay, sizes.epoch_steps(len(filmed))),
        )
        (out / "finished").touch()
        return LifterCheckpoint(checkpoint.network.cpu().eval(), checkpoint.metadata)

    def adapted(
        self, experiment: Experiment, run: str, seed: int
    ) -> tuple[LifterCheckpoint, LifterCheckpoint, ModelChoice]:
        """Adapt: the lifter chosen by self-consistency, the lifter after the last step, and the choice."""
        out = self._run_folder(experiment, run, seed)
        start = self.baseline(experiment, seed)
        adaptation, choice, random, method = self.adaptation(experiment, run, seed, start)
        out.mkdir(parents=True, exist_ok=True)
        run_adaptation(
            adaptation,
            choice,
            History(),
            random,
            title=out.name,
            steps=method.steps,
            state=out / "state.pt",
            tensorboard=out / "tensorboard",
            identity=_identity(out.name, method, self.sizes),
            save_every=min(500, method.steps),
        )
        last = LifterCheckpoint(averaged_lifter(adaptation), start.metadata)
        chosen = LifterCheckpoint(choice.lifter, start.metadata)
        chosen.save(out / "lifter.pt")
        last.save(out / "last.pt")
        return chosen, last, choice

    def adaptation(
        self, experiment: Experiment, run: str, seed: int, start: LifterCheckpoint
    ) -> tuple[Adaptation, ModelChoice, torch.Generator, Method]:
        """An adaptation as it begins; of the target only the 2D is read."""
        method = method_of(run, self.sizes)
        sequences, extent = self.catalog.target(experiment, start.metadata)
        adapted_to, held_out = hold_out(sequences)
        torch.manual_seed(seed)
        frames = start.metadata.receptive_field
        source = self.filmed(experiment, method.speeds).sample
        target = TargetWindows(adapted_to, frames, experiment.normalisation)
        teacher = LifterTeacher(
            start.network,
            extent,
            method,
            steps=method.steps,
            batch=method.batch,
            device=self.device,
            normalisation=experiment.normalisation,
        )
        adaptation = new_adaptation(teacher, source, target)
        choice = ModelChoice(start.network, TargetWindows(held_out, frames, experiment.normalisation))
        return adaptation, choice, torch.Generator().manual_seed(seed), method

    def finished_lifter(self, experiment: Experiment, run: str, seed: int) -> LifterCheckpoint:
        """The chosen lifter of a run that is over.

        Raises:
            BadModelFile: it is not.
        """
        if run == BASELINE:
            return LifterCheckpoint.load(self.baseline_folder(experiment, seed) / "lifter.pt")
        return LifterCheckpoint.load(self._run_folder(experiment, run, seed) / "lifter.pt")

    def finished_adaptation(self, experiment: Experiment, run: str, seed: int) -> tuple[Adaptation, torch.Generator]:
        """An adaptation as it ended, to draw what it generates."""
        from training.runs.resuming import load_state

        adaptation, choice, random, method = self.adaptation(experiment, run, seed, self.baseline(experiment, seed))
        out = self._run_folder(experiment, run, seed)
        parts = {**adaptation.parts(), "history": History(), "choice": choice}
        load_state(out / "state.pt", parts, random, _identity(out.name, method, self.sizes))
        return adaptation, torch.Generator().manual_seed(seed)

    def filmed(self, experiment: Experiment, speeds: tuple[float, float]) -> FilmedSequences:
        """The source, played at the lifter's rate times a speed."""
        if experiment.source not in self._sources:
            self._sources = {experiment.source: self.catalog.source(experiment.source)}  # one at a time: gigabytes
        low, high = speeds
        return FilmedSequences(
            self._sources[experiment.source],
            math.prod(experiment.filter_widths),
            (low / FRAME_RATE_HZ, high / FRAME_RATE_HZ),
        )

    def new_lifter(self, experiment: Experiment) -> TemporalLifter:
        """A lifter with random weights."""
        return TemporalLifter(experiment.filter_widths, self.sizes.channels, dropout=self.sizes.dropout)

    def metadata(self, experiment: Experiment) -> LifterMetadata:
        """Of an experiment's lifters."""
        return LifterMetadata(
            math.prod(experiment.filter_widths), FRAME_RATE_HZ, normalisation=experiment.normalisation
        )

    def baseline_folder(self, experiment: Experiment, seed: int) -> Path:
        """Of the lifter trained on an experiment's source. Experiments of one source and lifter share it."""
        source, frames = experiment.source, math.prod(experiment.filter_widths)
        who = "-".join(source.subjects or ("all",))
        return self.out / "baselines" / f"{source.data_set}-{who}-{frames}-{experiment.normalisation}-{seed}"

    def _run_folder(self, experiment: Experiment, run: str, seed: int) -> Path:
        return self.out / "runs" / f"{experiment.name}-{run}-{seed}"

    def _result(self, experiment: str, run: str, seed: int) -> Path:
        return self.out / "runs" / f"{experiment}-{run}-{seed}" / "result.json"


def drawing(filmed: FilmedSequences, batch: int) -> Callable[[torch.Generator], tuple[Tensor, Tensor]]:
    """Draws what the baseline is trained on: keypoints and poses."""

    def draw(random: torch.Generator) -> tuple[Tensor, Tensor]:
        windows = filmed.sample(batch, random)
        return windows.keypoints, windows.middle_pose_m

    return draw


def read_result(path: Path) -> dict[str, Errors]:
    """Read a result.json.

    Raises:
        BadModelFile: it is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not {"chosen", "last"} <= found.keys():
            raise ValueError("it has no errors")
        return found
    except (ValueError, AttributeError, RecursionError) as error:
        raise BadModelFile(f"{path} is damaged ({error}): remove it, and it is measured again.") from error


def _identity(name: str, method: Method, sizes: Sizes) -> str:
    text = f"{name} {method} {sizes}"
    return f"{name} {hashlib.sha256(text.encode()).hexdigest()[:16]}"
