"""The user's prepared data sets as sources, targets and tests of experiments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdk.errors import BadDataset
from sdk.files.input_files import shown
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.keypoint_normalisation import normalise_root_centred, normalise_screen
from sdk.skeletons.skeleton import H36M16
from training.cameras.filmed_sequences import FilmedSequence
from training.datasets.camera import SequenceCamera
from training.datasets.prepared import INDEX_FILE, PreparedDataset, open_prepared
from training.datasets.sequence import PreparedSequence
from training.geometry.resampling import resample_linear, uniform_times
from training.protocols.known import find_protocol
from training.protocols.labelled_sequence import LabelledSequence
from training.protocols.protocol import Protocol
from training.protocols.truth import continuous, labelled_sequences
from training.reproduction.detections import Detections
from training.reproduction.experiments import Experiment, Part
from training.target.target_windows import TargetSequence


class Catalog:
    """Prepared data sets by their names.

    Args:
        folders: Prepared data sets, or folders that hold some.
        detections: Detected 2D of 3DHP, for table 9.

    Raises:
        BadDataset: a folder is neither, or a data set is damaged or not finished.
    """

    def __init__(self, folders: Sequence[Path], detections: Detections | None = None) -> None:
        self.data: dict[str, list[PreparedDataset]] = {}
        self.detections = detections
        for folder in folders:
            inside = [folder] if (folder / INDEX_FILE).is_file() else sorted(folder.glob(f"*/{INDEX_FILE}"))
            if not inside:
                open_prepared(folder)  # says what is wrong with it
            for path in inside:
                data = open_prepared(path if path.is_dir() else path.parent)
                self.data.setdefault(data.data_set, []).append(data)
        self._tests: dict[tuple[str, bool], list[LabelledSequence]] = {}

    @property
    def miniature(self) -> bool:
        """Whether any of it is drawn."""
        return any(data.miniature for several in self.data.values() for data in several)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the data sets that there are."""
        return tuple(self.data)

    def fingerprint(self) -> dict[str, list[str]]:
        """What the data sets were made of and how many poses they hold, by name: another one gives other figures."""
        return {
            name: [f"{data.origin}; {data.joint_order}; {data.counts}" for data in several]
            for name, several in sorted(self.data.items())
        }

    def missing(self, experiment: Experiment) -> str | None:
        """What an experiment lacks, in words; None if nothing."""
        wanted = dict.fromkeys((experiment.source.data_set, experiment.target.data_set))
        lacking = [name for name in wanted if name not in self.data]
        if lacking:
            return f"needs the data ({', '.join(lacking)})"
        if experiment.detected and self.detections is None:
            return "needs --detections"
        return None

    def protocols(self, experiment: Experiment) -> list[str]:
        """Those of an experiment's protocols that the data at hand can be scored by; the paper's first."""
        return [name for name in experiment.protocols if self._fitting(find_protocol(name)) is not None]

    def source(self, part: Part) -> list[FilmedSequence]:
        """3D with its own cameras.

        Raises:
            BadDataset: there is no such part, or it has no 3D, no place in the camera, no rate or no intrinsics.
        """
        (data, *_) = self.data[part.data_set]
        filmed = []
        for sequence in data.sequences(part.split, part.subjects):
            filmed += _filmed(data, sequence)
        if not filmed:
            raise BadDataset(f"{shown(data.folder)}: {part.data_set} {part.split} has no motion of two frames.")
        return filmed

    def target(
        self, experiment: Experiment, metadata: LifterMetadata
    ) -> tuple[list[TargetSequence], tuple[float, float]]:
        """2D at the lifter's rate, normalised for it, and half width and half height of the images.

        The labels of these sequences are not read from here.
        """
        part = experiment.target
        (data, *_) = self.data[part.data_set]
        sequences, sizes = [], []
        for sequence in data.sequences(part.split, part.subjects):
            keypoints = data.to_h36m16(sequence.keypoints_px)
            size = _image_size(data, sequence, experiment)
            if experiment.detected:
                assert self.detections is not None
                found = self.detections.of(sequence.facts, sequence.frames, size)
                if found is None:  # of the target, not everything must have been detected
                    continue
                keypoints = found
            sizes.append(size)
            for rows in continuous(sequence, cut_at_invalid=True):
                sequences.append(_target(sequence, keypoints[rows], rows, size, metadata))
        if not sequences:
            raise BadDataset(f"{shown(data.folder)}: nothing of {part.data_set} {part.split} has 2D to adapt to.")
        extent = max(w / max(w, h) for w, h in sizes), max(h / max(w, h) for w, h in sizes)
        return sequences, extent

    def test(self, experiment: Experiment, protocol: Protocol) -> list[LabelledSequence]:
        """What a protocol scores. Read when the adaptation of a run is over."""
        key = protocol.name, experiment.detected
        if key not in self._tests:
            data = self._fitting(protocol)
            assert data is not None
            labelled = labelled_sequences(data, protocol)
            if experiment.detected:
                assert self.detections is not None
                labelled = self.detections.in_place_of(labelled, data.select(protocol.split))
            self._tests[key] = labelled
        return self._tests[key]

    def _fitting(self, protocol: Protocol) -> PreparedDataset | None:
        """The first data set that a protocol can score, going by its joints and truths."""
        for data in self.data.get(protocol.dataset, ()):
            if protocol.joint_orders and data.joint_order not in protocol.joint_orders:
                continue
            facts = [one for one in data.facts if one.split == protocol.split]
            if facts and all(one.has_universal if protocol.truth == "universal" else one.has_joints for one in facts):
                return data
        return None


def lens_of(camera: SequenceCamera) -> np.ndarray:
    """(R, 9) lens in half image widths of the longer side; see `training.geometry.camera.project_through`."""
    scale = 2 / max(camera.width, camera.height)
    intrinsics = (camera.intrinsics_px - [0, 0, camera.width / 2, camera.height / 2]) * scale
    return np.concatenate([intrinsics, np.tile(camera.distortion, (len(intrinsics), 1))], 1).astype(np.float32)


def _filmed(data: PreparedDataset, sequence: PreparedSequence) -> list[FilmedSequence]:
    facts, camera = sequence.facts, sequence.camera
    if sequence.joints_camera_m is None or camera is None or not facts.root_known or facts.frame_rate_hz is None:
        raise BadDataset(
            f"{shown(data.folder)}: {facts.name} can't be a source: it lacks 3D at its place in the camera, intrinsics "
            f"or frame rate. It was made of {data.origin}."
        )
    joints, lens = data.to_h36m16(sequence.joints_camera_m), lens_of(camera)
    return [
        FilmedSequence(
            f"{facts.name} from row {rows.start}",
            joints[rows],
            facts.frame_rate_hz,
            lens if len(lens) == 1 else lens[rows],
        )
        for rows in continuous(sequence, cut_at_invalid=True)
        if rows.stop - rows.start > 1
    ]


def _image_size(data: PreparedDataset, sequence: PreparedSequence, experiment: Experiment) -> tuple[int, int]:
    if sequence.camera is not None:
        return sequence.camera.width, sequence.camera.height
    if experiment.normalisation == "root-centred":
        return 1, 1
    raise BadDataset(f"{shown(data.folder)}: the image size of {sequence.facts.name} is not known.")


def _target(
    sequence: PreparedSequence, keypoints_px: np.ndarray, rows: slice, size: tuple[int, int], metadata: LifterMetadata
) -> TargetSequence:
    if metadata.normalisation == "root-centred":
        keypoints = normalise_root_centred(keypoints_px)
    else:
        keypoints = normalise_screen(keypoints_px, size)
    rate = sequence.facts.frame_rate_hz
    if rate is not None and metadata.receptive_field > 1 and rate != metadata.frame_rate_hz:
        times = np.arange(len(keypoints)) / rate
        keypoints = resample_linear(keypoints, times, uniform_times(times, metadata.frame_rate_hz))
    elif rate is None and metadata.receptive_field > 1:
        raise BadDataset(f"nobody tells the frame rate of {sequence.facts.name}: only single frames can be lifted.")
    scores = np.ones((len(keypoints), len(H36M16)), np.float32)
    name = f"{sequence.facts.name} from row {rows.start}"
    return TargetSequence(name, keypoints.astype(np.float32), scores, size[1] / size[0])
