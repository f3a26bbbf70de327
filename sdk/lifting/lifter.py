"""The lifter: 2D keypoints over time in, 3D poses out, without torch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdk.camera.camera_motion import CameraMotion, check_camera_motion
from sdk.camera.placement import Placement
from sdk.errors import BadKeypoints, BadModelFile, DeviceUnavailable, MissingVertical
from sdk.keypoint_files.live_plausibility import LiveDoubts, with_scores
from sdk.keypoint_files.plausibility import check_pixels, find_doubts, take_doubts
from sdk.keypoint_files.track_collection import SEEN_SCORE
from sdk.lifting.answers import AnswerForm, PoseAnswer
from sdk.lifting.graph_metadata import GraphKind, GraphMetadata
from sdk.lifting.level_axes import level_rotations, recording_vertical, require_vertical, turned
from sdk.lifting.lifted_poses import LiftedPose, LiftedTrack, lift_status, lift_statuses
from sdk.lifting.mirrored import MirroredSession
from sdk.lifting.model_metadata import LifterMetadata, with_lookahead
from sdk.lifting.people_windows import PeopleWindows
from sdk.lifting.shipped_lifters import DEFAULT_LIFTER, SHIPPED_LIFTERS
from sdk.lifting.streaming import StreamingGraph, streaming_path
from sdk.lifting.windows import (
    MISSING_BELOW,
    ReadyWindow,
    anything_seen,
    prepare_keypoints,
    sample_windows,
    with_seen,
)
from sdk.results.pose_frame import LiftStatus
from sdk.results.processors.base import UP
from sdk.results.processors.upright import median_direction, tilt_of_up
from sdk.runtime.engine_metadata import EngineRecord
from sdk.runtime.sessions import ENGINE_SUFFIX, Session, open_session
from sdk.skeletons.keypoint_normalisation import check_image_size
from sdk.skeletons.skeleton import Skeleton, find_skeleton

_log = logging.getLogger("adaptpose")
_WORTH_THREADS_BYTES = 8_000_000
"""From this size of the window graph's file on, the streaming graph uses several threads. A frame with 256 channels
takes 0.12 ms with one thread and 0.15 ms with two; with 1024 channels (34 MB) it takes 1.8 and 1.3 ms."""
_WINDOWS_PER_RUN = 512
"""Batch size. It keeps memory constant for hours of keypoints; larger batches were not faster on a CPU."""


class Lifter:
    """Lifts 2D keypoints of one person to 3D poses.

    Attributes:
        path: The model file.
        metadata: How to prepare its input and read its output.
        graph: Form and precision of the file.
        mirrored: Whether answers are averaged with mirrored ones.
        upright: Whether a recording's poses are in level axes.
        camera_motion: Whether the camera of a recording moves.

    Args:
        model: A run folder of adaptpose-train, an .onnx file, an .engine from adaptpose-export --trt, or the name of a
            shipped lifter: `fast`, `base` or `feet` (for a folder of that name, give its absolute path). None: `fast`.
        lookahead: Future frames to wait for, at the lifter's rate, or `live` (none), `balanced` (0.2 s) or `offline`
            (the whole window). A longer look-ahead is more exact, but later.
        missing_below: Joints with a lower score count as not seen, if the lifter takes missing joints.
        mirrored: Average each answer with the mirrored answer to the mirrored input. A mirrored video then gives the
            mirrored poses. It takes about 1% off the error on real detections, and twice the computation; so it is off
            unless asked for. Recordings and streams give the same.
        upright: Give a recording's poses in level axes (y down along gravity) in place of camera axes, by the vertical
            that the lifter tells. For streams there is the processor `Upright`.
        camera_motion: With `upright`: `still` for one vertical for the recording, `moving` for that of ten seconds;
            `auto` for `moving` if the vertical turns by far (see `sdk.results.processors.upright_recording`).
        device: `cpu`, `cuda`, `cuda:N` or `auto` for an .onnx file; `tensorrt` for an engine. With `tensorrt`, a run
            folder or .onnx file means the engine in the same folder. None: `cpu`, or `tensorrt` for an engine.
        threads: CPU threads per call. With 0, ONNX Runtime decides, except that small lifters use one thread for the
            frames of a stream. In a live application with a detector, 1 is fastest.

    Raises:
        BadLookahead: the look-ahead is none of these, or shorter than the lifter was trained for.
        BadModelFile: the file is missing, damaged, not a lifter, or of another format version; or an engine is for
            another GPU, version or model.
        UnknownDevice, DeviceUnavailable: there is no such device. No other device is used in its place.
        MissingDependency: the model is an engine, and TensorRT is not installed.
        MissingVertical: `upright`, and the lifter does not tell which way is up.
        BadSetting: `camera_motion` is none of these.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        lookahead: int | str = "offline",
        missing_below: float = MISSING_BELOW,
        mirrored: bool = False,
        upright: bool = False,
        camera_motion: CameraMotion = "auto",
        device: str | None = None,
        threads: int = 0,
    ) -> None:
        self.path = _find_model(model)
        if device is None:
            device = "tensorrt" if self.path.suffix == ENGINE_SUFFIX else "cpu"
        if device == "openvino":
            raise DeviceUnavailable(
                "device 'openvino' runs 2D detectors, in a precision that would cost a lifter accuracy. A lifter takes "
                "a fifth of a millisecond a frame: leave it on device='cpu'."
            )
        if device == "tensorrt" and self.path.suffix != ENGINE_SUFFIX:
            self.path = _engine_beside(self.path)
        session = open_session(self.path, device, threads)
        self._session: Session = MirroredSession(session, str(self.path)) if mirrored else session
        entries = self._session.get_modelmeta().custom_metadata_map
        metadata = LifterMetadata.from_metadata(entries, origin=str(self.path))
        self.graph = GraphMetadata.from_metadata(entries, origin=str(self.path))
        if self.graph.kind != "window":
            raise BadModelFile(
                f"{self.path} is a {self.graph.kind} graph. Open the lifter.onnx that lies beside it; its streams find "
                "this file by themselves."
            )
        self.form = AnswerForm(metadata)
        joints = len(self.form.skeleton)
        graph_input = self._session.get_inputs()[0]
        if graph_input.shape[1:] != [metadata.receptive_field, joints, metadata.input_channels]:
            raise BadModelFile(
                f"{self.path}: the metadata says windows of {metadata.receptive_field} frames of {joints} joints with "
                f"{metadata.input_channels} numbers, the graph takes {graph_input.shape[1:]}."
            )
        self._input = graph_input.name
        if self.path.suffix != ENGINE_SUFFIX:  # an engine's record has been checked against its bytes
            _try_out(self._session, self.path, metadata, self.form)
        check_camera_motion(camera_motion)
        if upright:
            require_vertical(metadata, str(self.path))
        self.metadata, self.upright = with_lookahead(metadata, lookahead, str(self.path)), upright
        self.missing_below, self.mirrored = missing_below, mirrored
        self.camera_motion: CameraMotion = camera_motion
        self._device, self._threads = device, threads
        self._streaming: StreamingGraph | None = None

    @property
    def provider(self) -> str:
        """What runs the lifter: ONNX Runtime's execution provider, or TensorRT and the name of the GPU."""
        return self._session.get_providers()[0]

    @property
    def skeleton(self) -> Skeleton:
        """Skeleton of the 3D poses: H36M-16, or H36M-20 with feet."""
        return self.form.skeleton

    @property
    def card(self) -> LifterMetadata:
        """The older name of `metadata`."""
        return self.metadata

    @property
    def delay_s(self) -> float:
        """Delay in seconds: how much future the lifter waits for. A live pose is at least this old."""
        return self.metadata.lookahead_s

    def __call__(self, keypoints: np.ndarray, image_size: tuple[int, int], skeleton: str, fps: float) -> np.ndarray:
        """Lift a whole recording of one person.

        Args:
            keypoints: (T, J, 2) pixels, or (T, J, 3) with scores; NaN where a joint is not seen.
            image_size: Width and height in pixels.
            skeleton: Skeleton of the J joints: `coco17`, `coco23`, `halpe26`, `mediapipe33`, `body25`,
                `h36m17`, `h36m20` or `h36m16`.
            fps: Frames per second of the recording. Windows are cut at the lifter's own rate.

        Returns:
            (T, 16, 3) float32, H36M-16; of a lifter with feet (T, 20, 3), H36M-20 (see `Lifter.skeleton`). Metres,
            relative to the pelvis, camera axes x right, y down, z forward. NaN where nothing of the person was seen in
            the whole window. `with_status` says of each frame whether it was lifted, and if not, why.

        Raises:
            BadKeypoints: wrong shape, no frame rate or image size, or NaN for a lifter that needs all joints; or
                keypoints that contradict size, skeleton or rate (`sdk.keypoint_files.plausibility`).
            UnknownSkeleton: there is no joint table for the skeleton.
        """
        return self.with_status(keypoints, image_size, skeleton, fps)[0]

    def with_status(
        self, keypoints: np.ndarray, image_size: tuple[int, int], skeleton: str, fps: float
    ) -> tuple[np.ndarray, tuple[LiftStatus, ...]]:
        """Lift a whole recording of one person, and say of each frame whether it was lifted.

        Args:
            keypoints: As for `__call__`, like the next three.
            image_size: Width and height in pixels.
            skeleton: Skeleton of the joints.
            fps: Frames per second of the recording.

        Returns:
            The poses as `__call__`, and T statuses: `LIFTED`; `AT_EDGE` near the first or last frame; `NOT_SEEN` if
            nothing of the person was seen in the whole window; `NOT_FINITE` if the lifter's answer is NaN or infinite.

        Raises:
            BadKeypoints, UnknownSkeleton: as `__call__`.
        """
        answer, status = self.answers(keypoints, image_size, skeleton, fps)
        return answer.joints_m, status

    def answers(
        self, keypoints: np.ndarray, image_size: tuple[int, int], skeleton: str, fps: float
    ) -> tuple[PoseAnswer, tuple[LiftStatus, ...]]:
        """As `with_status`, with all that the lifter says of T frames: also deviations, up, contact, if it tells more.

        Raises:
            BadKeypoints, UnknownSkeleton: as `__call__`.
        """
        answer, status = self._in_camera(keypoints, image_size, skeleton, fps)
        times_s = np.arange(len(status)) / fps
        vertical = recording_vertical([(answer, times_s)], self.camera_motion) if self.upright else None
        return (answer if vertical is None else turned(answer, level_rotations(vertical, times_s))), status

    def _in_camera(
        self, keypoints: np.ndarray, image_size: tuple[int, int], skeleton: str, fps: float
    ) -> tuple[PoseAnswer, tuple[LiftStatus, ...]]:
        """As `answers`, in camera axes in any case."""
        if not (np.isfinite(fps) and fps > 0):
            raise BadKeypoints(f"fps must be a positive number of frames per second, not {fps!r}.")
        self._check(keypoints, image_size, skeleton, fps)
        prepared = prepare_keypoints(keypoints, image_size, skeleton, self.metadata, self.missing_below)
        return self.answer_prepared(prepared, np.arange(len(prepared)) / fps)

    def _check(self, keypoints: np.ndarray, image_size: tuple[int, int], skeleton: str, fps: float) -> None:
        """Raise for what keypoints of one person contradict for certain; the logger `adaptpose` warns of the rest."""
        keypoints = np.asarray(keypoints, np.float32)
        if keypoints.ndim != 3 or keypoints.shape[1:] not in [
            (len(find_skeleton(skeleton)), channels) for channels in (2, 3)
        ]:
            return  # what is wrong, `prepare_keypoints` says
        if self.metadata.normalisation != "screen":
            return  # of cropped footage, nobody knows the image
        check_image_size(image_size)
        places = keypoints[..., :2]
        if keypoints.shape[-1] == 3:
            places = np.where(keypoints[..., 2:] >= SEEN_SCORE, places, np.float32(np.nan))
        if not np.isinf(places).any():
            check_pixels("the keypoints", keypoints[..., :2], image_size)
            for message in take_doubts("the keypoints", find_doubts([places], skeleton, image_size, fps)):
                _log.warning(message)

    def lift_prepared(self, keypoints: np.ndarray, times_s: np.ndarray) -> np.ndarray:
        """Lift one person's frames, taken at any times. Memory stays constant, even for hours of frames.

        Poses are in camera axes, those of an `upright` lifter too: a part of a recording does not know its vertical.

        Args:
            keypoints: (T, J, 2) from `prepare_keypoints`.
            times_s: (T,) seconds, strictly increasing.

        Returns:
            (T, J, 3) float32: the poses of the frames.
        """
        return self.lift_prepared_with_status(keypoints, times_s)[0]

    def lift_prepared_with_status(
        self, keypoints: np.ndarray, times_s: np.ndarray
    ) -> tuple[np.ndarray, tuple[LiftStatus, ...]]:
        """As `lift_prepared`, and of each of the T frames whether it was lifted; see `with_status`."""
        answer, status = self.answer_prepared(keypoints, times_s)
        return answer.joints_m, status

    def answer_prepared(self, keypoints: np.ndarray, times_s: np.ndarray) -> tuple[PoseAnswer, tuple[LiftStatus, ...]]:
        """As `lift_prepared_with_status`, with all that the lifter says."""
        parts, seen = [np.zeros((0, self.form.size), np.float32)], [np.zeros(0, bool)]
        for start in range(0, len(times_s), _WINDOWS_PER_RUN):
            at_s = times_s[start : start + _WINDOWS_PER_RUN]
            # Only the frames that these windows need, with a few more at both ends for interpolation.
            low = np.searchsorted(times_s, at_s[0] - self.metadata.window_reach_s) - 2
            high = np.searchsorted(times_s, at_s[-1] + self.metadata.window_reach_s) + 2
            near = slice(max(0, low), high)
            windows = sample_windows(keypoints[near], times_s[near], at_s, self.metadata)
            parts.append(self.answer_windows(windows))
            seen.append(anything_seen(windows))
        rows = np.concatenate(parts)
        return self.form.unpacked(rows), lift_statuses(rows, np.concatenate(seen), times_s, self.metadata)

    def lift_windows(self, windows: np.ndarray) -> np.ndarray:
        """Run the network.

        Args:
            windows: (B, receptive_field, J, 2) float32, prepared as `metadata` says, of any number of people. NaN
                where a joint is not seen.

        Returns:
            (B, J, 3) float32: the poses of the middle frames; NaN for a window in which no joint is seen.

        Raises:
            BadKeypoints: the shape is wrong.
        """
        return self.form.joints_m(self.answer_windows(windows))

    def answer_windows(self, windows: np.ndarray) -> np.ndarray:
        """As `lift_windows`, with all that the lifter says: (B, N) rows of `form`."""
        expected = (self.metadata.receptive_field, len(self.skeleton), 2)
        if windows.ndim != 4 or windows.shape[1:] != expected:
            raise BadKeypoints(f"windows have shape (B, {', '.join(map(str, expected))}), not {windows.shape}.")
        if len(windows) == 0:
            return np.zeros((0, self.form.size), np.float32)
        nobody = ~anything_seen(windows)
        if self.metadata.input_channels == 3:
            windows = with_seen(windows)
        rows = self.form.packed(self._session.run(None, {self._input: np.ascontiguousarray(windows, np.float32)}))
        if nobody.any():  # of zeros alone the network makes a pose all the same
            rows = np.where(nobody[:, None], np.float32(np.nan), rows)
        return rows

    def answer_ready(self, ready: Sequence[ReadyWindow]) -> list[PoseAnswer]:
        """What the lifter says of ready frames. One call lifts all that the streaming graph did not answer."""
        windows = [one.window for one in ready if one.window is not None]
        lifted = iter(self.answer_windows(np.stack(windows)) if windows else ())
        rows = [next(lifted) if one.answer is None else one.answer for one in ready]
        return [self.form.unpacked(row) for row in rows]

    def track(
        self,
        keypoints: np.ndarray,
        image_size: tuple[int, int],
        skeleton: str,
        fps: float,
        placement: Placement | None = None,
    ) -> LiftedTrack:
        """Lift a whole recording of one person, and solve the person's position in the camera.

        Args:
            keypoints: As for `__call__`, like the next three.
            image_size: Width and height in pixels.
            skeleton: Skeleton of the joints.
            fps: Frames per second of the recording.
            placement: A new placement for this person. Default: a camera with an assumed field of view.

        Raises:
            BadKeypoints, UnknownSkeleton: as `__call__`. BadKeypoints also for a lifter of cropped footage, which does
                not know where people are in the image.
        """
        require_screen(self.metadata)
        placement = placement or Placement()
        answer, status = self._in_camera(keypoints, image_size, skeleton, fps)
        joints = answer.joints_m
        points = prepare_keypoints(keypoints, image_size, skeleton, self.metadata, self.missing_below)
        spread = [None] * len(joints) if answer.deviations_m is None else answer.deviations_m
        placed = [
            placement(pose, point, i / fps, deviations)
            for i, (pose, point, deviations) in enumerate(zip(joints, points, spread, strict=True))
        ]
        poses, roots = (np.array([one[i] for one in placed], np.float32) for i in (0, 1))
        poses, roots = poses.reshape(-1, len(self.skeleton), 3), roots.reshape(-1, 3)
        times_s = np.arange(len(status)) / fps
        vertical = recording_vertical([(answer, times_s)], self.camera_motion) if self.upright else None
        if vertical is None:
            return LiftedTrack(poses, roots, placement.camera, status, answer)
        rotations = level_rotations(vertical, times_s)
        turn = np.swapaxes(rotations, 1, 2).astype(np.float32)
        ups = UP @ rotations  # each rotation takes its up to UP
        return LiftedTrack(
            poses @ turn,
            (roots[:, None] @ turn)[:, 0],
            placement.camera,
            status,
            turned(answer, rotations),
            tilt_rad=tilt_of_up(median_direction(ups)),
            tilts_rad=np.array([tilt_of_up(up) for up in ups]),
        )

    def stream(self, image_size: tuple[int, int], skeleton: str, placement: Placement | None = None) -> LifterStream:
        """A live stream of one person's keypoints; see `LifterStream`.

        Raises:
            BadModelFile: the lifter's streaming graph is damaged, or belongs to another lifter.
            MissingVertical: the lifter is `upright`; at the beginning of a stream nobody knows its vertical.
        """
        require_camera_axes(self)
        return LifterStream(self, image_size, skeleton, placement)

    def streaming_graph(self) -> StreamingGraph | None:
        """The streaming graph of this lifter, from the file in the same folder; None if there is none.

        With a look-ahead shorter than half the window there is none: the frames that replace the missing future change
        with every frame.

        Raises:
            BadModelFile: the file is damaged, or belongs to another lifter.
        """
        path = streaming_path(self.path)
        if self._streaming is None and path.is_file() and self.metadata.lookahead is None:
            small = self.path.stat().st_size < _WORTH_THREADS_BYTES  # its own file may hold no weights
            threads = self._threads or (1 if small else 0)
            self._streaming = StreamingGraph(
                path, self.metadata, self.graph.precision, self._device, threads, mirrored=self.mirrored
            )
        return self._streaming


def require_camera_axes(lifter: Lifter) -> None:
    """Do nothing if a lifter can be used in a stream.

    Raises:
        MissingVertical: it is `upright`.
    """
    if lifter.upright:
        raise MissingVertical(
            "Lifter(upright=True) is for recordings: at its beginning, nobody knows a stream's vertical. Use the "
            "lifter without it, and PoseStream(..., processors=[Upright()])."
        )


class LifterStream:
    """Lifts one person's keypoints frame by frame, as they come. The result is the same as offline.

    It is fastest with a streaming graph: a pose then costs the computation of one frame. This needs the file of the
    streaming graph in the lifter's folder (adaptpose-export writes it), the look-ahead of the whole window, and frames
    at the lifter's rate or a multiple of it. The first and last poses, and those near frames at other times, are
    computed from whole windows. The poses are the same in both ways.

    Args:
        lifter: The lifter.
        image_size: Width and height in pixels.
        skeleton: Skeleton of the joints.
        placement: A new placement for this person, if positions in the camera are wanted.

    Attributes:
        delay_s: A pose is known so many seconds after its frame, plus the time to compute it.
        graph: `streaming` if there is a streaming graph, else `window`.
    """

    def __init__(
        self, lifter: Lifter, image_size: tuple[int, int], skeleton: str, placement: Placement | None = None
    ) -> None:
        if placement is not None:
            require_screen(lifter.metadata)
        self._lifter, self._placement = lifter, placement
        streaming = lifter.streaming_graph()
        self._windows = PeopleWindows(lifter.metadata, image_size, skeleton, lifter.missing_below, streaming)
        self._person = self._windows.begin()
        self._first_s: float | None = None
        self._last_s = -np.inf
        self.graph: GraphKind = "window" if streaming is None else "streaming"
        self.delay_s = lifter.delay_s
        self._facts = (skeleton, image_size)
        self._doubts = LiveDoubts(*self._facts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What this person's keypoints contradict: size, skeleton, sense of up; each with the likely cause.

        It is looked for in the first seconds, and rarely later. The logger `adaptpose` warns of it too.
        """
        return self._doubts.notes

    def push(self, keypoints: np.ndarray, timestamp_s: float) -> list[LiftedPose]:
        """Take the next frame's (J, 2 or 3) pixels. Return the poses that it completes, oldest first.

        Raises:
            BadKeypoints: wrong shape, NaN, or time that does not go forward. The stream is then unchanged.
        """
        ready = self._windows.push([self._person], [keypoints], timestamp_s)[0]
        if self._first_s is None:
            self._first_s = timestamp_s
        self._last_s = timestamp_s
        if self._lifter.metadata.normalisation == "screen":  # of cropped footage, nobody knows the image
            for note in self._doubts.push([with_scores(keypoints)], timestamp_s):
                _log.warning(note)
        return self._lift(ready)

    def flush(self) -> list[LiftedPose]:
        """The last poses; the last frame replaces the missing future. Then the stream starts again."""
        poses = self._lift(self._windows.flush(self._person))
        self.reset()
        return poses

    def reset(self) -> None:
        """Start another person: forget all frames, the settled body and the depth."""
        self._person = self._windows.begin()
        self._first_s, self._last_s = None, -np.inf
        self._doubts = LiveDoubts(*self._facts)
        if self._placement is not None:
            self._placement.reset()

    def _lift(self, ready: list[ReadyWindow]) -> list[LiftedPose]:
        answers = self._lifter.answer_ready(ready)
        return [self._place(one, answer) for one, answer in zip(ready, answers, strict=True)]

    def _place(self, one: ReadyWindow, answer: PoseAnswer) -> LiftedPose:
        pose = answer.joints_m
        assert self._first_s is not None
        since_s, until_s = one.timestamp_s - self._first_s, self._last_s - one.timestamp_s
        status = lift_status(pose, one.seen, since_s, until_s, self._lifter.metadata)
        if self._placement is None:
            return LiftedPose(one.timestamp_s, pose, status=status, answer=answer)
        placed = self._placement(pose, one.keypoints, one.timestamp_s, answer.deviations_m)
        return LiftedPose(one.timestamp_s, *placed, status, answer)


def _try_out(session: Session, path: Path, metadata: LifterMetadata, form: AnswerForm) -> None:
    """Do nothing for a graph that answers a window of zeros with a pose.

    Raises:
        BadModelFile: it fails, answers in another shape, or with NaN.
    """
    window = np.zeros((1, metadata.receptive_field, len(form.skeleton), metadata.input_channels), np.float32)
    try:
        outputs = session.run(None, {session.get_inputs()[0].name: window})
    except Exception as error:  # onnxruntime raises its own untyped exceptions
        raise BadModelFile(f"{path}: the graph can't run: {str(error)[:300]}") from error
    wanted = [(1, *shape) for shape in form.outputs.values()]
    if [getattr(one, "shape", None) for one in outputs] != wanted or any(one.dtype != np.float32 for one in outputs):
        found = ", ".join(
            f"{one.dtype} {one.shape}" if isinstance(one, np.ndarray) else type(one).__name__ for one in outputs
        )
        raise BadModelFile(
            f"{path}: the graph answers a window with {found}, not with a pose, float32 {wanted[0]}"
            + (f", and {', '.join(map(str, wanted[1:]))}." if wanted[1:] else ".")
        )
    if not all(np.isfinite(one).all() for one in outputs):
        raise BadModelFile(
            f"{path}: the lifter's answer is not finite. Its weights hold NaN or infinity: export it again, or take an "
            "earlier checkpoint."
        )


def require_screen(metadata: LifterMetadata) -> None:
    """Check that positions in the camera can be solved with this lifter.

    Raises:
        BadKeypoints: the lifter is for cropped footage.
    """
    if metadata.normalisation != "screen":
        raise BadKeypoints(
            f"this lifter takes {metadata.normalisation} keypoints of footage that is cropped around the person: where "
            "people stand in the whole image is not known, and no position in the camera follows from it."
        )


def _find_model(model: str | Path | None) -> Path:
    shipped = SHIPPED_LIFTERS.get(DEFAULT_LIFTER if model is None else str(model))
    if shipped is not None:
        return shipped
    assert model is not None
    path = Path(model)
    if path.is_dir():
        if not (path / "lifter.onnx").is_file():
            if not (path / "config.json").is_file():
                raise BadModelFile(f"{path} holds no lifter.onnx: it is not a run folder of adaptpose-train.")
            if (path / "lifter.pt").is_file():  # of adaptpose-train pretrain
                raise BadModelFile(
                    f"{path} holds a checkpoint and no lifter.onnx. Write one with adaptpose-export "
                    f"{path / 'lifter.pt'}."
                )
            raise BadModelFile(
                f"{path} holds no lifter.onnx: its run is not finished. Finish it with "
                f"adaptpose-train --resume {path}, or name another run."
            )
        return path / "lifter.onnx"
    if not path.is_file():
        raise BadModelFile(
            f"no lifter at {path}: give a run folder of adaptpose-train, an .onnx file, or the name of a shipped one "
            f"({', '.join(SHIPPED_LIFTERS)})."
        )
    if path.suffix not in (".onnx", ENGINE_SUFFIX):
        if path.suffix == ".pt":
            raise BadModelFile(f"{path} is a checkpoint. Turn it into an .onnx file with adaptpose-export {path}.")
        raise BadModelFile(f"{path} is not an .onnx file: give one, or a run folder of adaptpose-train.")
    return path


def _engine_beside(onnx_file: Path) -> Path:
    """The engine built from an .onnx file, or from an earlier .onnx file of the same checkpoint.

    Raises:
        BadModelFile: there is no engine, or it is from another checkpoint.
    """
    engine = onnx_file.with_suffix(ENGINE_SUFFIX)
    if not engine.is_file():
        raise BadModelFile(
            f"device 'tensorrt' needs {engine}, which is not there. Build it with adaptpose-export --trt, or use "
            "another device."
        )
    session = open_session(onnx_file)
    metadata = LifterMetadata.from_metadata(session.get_modelmeta().custom_metadata_map, origin=str(onnx_file))
    EngineRecord.read(engine).require_checkpoint(metadata.checkpoint_sha256, engine, onnx_file)
    return engine
