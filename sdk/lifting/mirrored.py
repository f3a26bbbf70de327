"""A lifter without a preferred side: its answer is averaged with its mirrored answer to the mirrored input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from sdk.lifting.answers import AnswerForm
from sdk.lifting.model_metadata import LifterMetadata
from sdk.runtime.sessions import Session
from sdk.skeletons.skeleton import pose_skeleton


def mirror(joints: np.ndarray) -> np.ndarray:
    """Exchange left and right and negate x: of poses, keypoints or windows (..., 16 or 20, 2 or 3)."""
    mirrored = joints[..., list(pose_skeleton(joints.shape[-2]).mirror), :]
    mirrored[..., 0] *= -1
    return mirrored


class MirroredSession:
    """The session of a window or streaming graph, with the mirrored input beside each input in one call.

    A mirrored input so gives the mirrored pose, by construction. It takes twice the computation. States of a streaming
    graph are (B, 2, ...): of the input and of the mirrored one.

    Args:
        session: The graph's. Its first input are keypoints, all others are states; its first outputs are answers.
        origin: Its file, for errors.

    Raises:
        BadModelFile: the graph is no lifter.
    """

    def __init__(self, session: Session, origin: str) -> None:
        self._session = session
        self._form = AnswerForm(LifterMetadata.from_metadata(session.get_modelmeta().custom_metadata_map, origin))

    def get_inputs(self) -> Sequence[Any]:
        """The inputs; states have a second axis of two."""
        keypoints, *states = self._session.get_inputs()
        pairs = [SimpleNamespace(name=s.name, shape=[s.shape[0], 2, *s.shape[1:]], type=s.type) for s in states]
        return [keypoints, *pairs]

    def get_outputs(self) -> Sequence[Any]:
        """The outputs of the graph."""
        return self._session.get_outputs()

    def get_modelmeta(self) -> Any:
        """The metadata of the graph."""
        return self._session.get_modelmeta()

    def get_providers(self) -> Sequence[str]:
        """The execution providers of the graph."""
        return self._session.get_providers()

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The answers, averaged, and the next states (B, 2, ...)."""
        (first, keypoints), *states = feeds.items()
        both = np.stack([keypoints, mirror(keypoints)], 1)
        doubled = {name: _as_rows(array) for name, array in ((first, both), *states)}
        told = [array.reshape(-1, 2, *array.shape[1:]) for array in self._session.run(names, doubled)]
        answers = len(self._form.outputs)
        straight, other = (self._form.packed([array[:, i] for array in told[:answers]]) for i in (0, 1))
        return [*self._form.outputs_of((straight + self._form.mirrored(other)) / 2), *told[answers:]]


def _as_rows(pairs: np.ndarray) -> np.ndarray:
    """(B, 2, ...) as (2 B, ...)."""
    return pairs.reshape(-1, *pairs.shape[2:])
