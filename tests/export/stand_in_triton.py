"""A stand-in for Triton on this machine: its protocol, its repository, and its rules for sequences with implicit state.

Triton itself comes in a container only. What is done here is what its documentation says of `sequence_batching`: states
begin as `initial_state` says, are kept by the server from call to call, and are freed at the sequence's end or after
`max_sequence_idle_microseconds`; a sequence that was not started, or was freed, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnxruntime
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc


class StandInTriton(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Serves one streaming model of a repository.

    Args:
        folder: Of the model, with config.pbtxt.
        now_s: The server's clock.
    """

    def __init__(self, folder: Path, now_s: Callable[[], float]) -> None:
        self.config = text_format.Parse((folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
        self._session = onnxruntime.InferenceSession(folder / "1" / "model.onnx")
        self._now_s = now_s
        self._sequences: dict[int, tuple[float, list[np.ndarray]]] = {}

    def ModelConfig(self, request: Any, context: Any) -> Any:
        return service_pb2.ModelConfigResponse(config=self.config)

    def ModelInfer(self, request: Any, context: Any) -> Any:
        batching = self.config.sequence_batching
        start, end = (request.parameters[name].bool_param for name in ("sequence_start", "sequence_end"))
        number, now_s = request.parameters["sequence_id"].int64_param, self._now_s()
        idle_s = batching.max_sequence_idle_microseconds / 1e6
        self._sequences = {one: kept for one, kept in self._sequences.items() if now_s - kept[0] < idle_s}
        if start:
            states = [np.zeros((1, *state.initial_state[0].dims), np.float32) for state in batching.state]
        elif number in self._sequences:
            states = self._sequences[number][1]
        else:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"inference request for sequence {number} to model '{self.config.name}' must specify the START flag on "
                "the first request of the sequence",
            )
        (sent,), (declared,) = request.inputs, self.config.input
        assert (sent.name, sent.datatype, list(sent.shape)) == (declared.name, "FP32", [1, *declared.dims])
        feeds = {sent.name: np.frombuffer(request.raw_input_contents[0], np.float32).reshape(sent.shape)}
        feeds |= {state.input_name: value for state, value in zip(batching.state, states, strict=True)}
        names = [output.name for output in self.config.output]
        found = self._session.run([*names, *(state.output_name for state in batching.state)], feeds)
        answers = found[: len(names)]
        self._sequences[number] = now_s, found[len(names) :]
        if end:
            del self._sequences[number]
        response = service_pb2.ModelInferResponse(
            model_name=self.config.name, raw_output_contents=[answer.tobytes() for answer in answers]
        )
        for name, answer, declared in zip(names, answers, self.config.output, strict=True):
            assert list(answer.shape) == [1, *declared.dims]
            response.outputs.add(name=name, datatype="FP32", shape=answer.shape)
        return response


@contextmanager
def served(folder: Path, now_s: Callable[[], float] = lambda: 0.0) -> Iterator[str]:
    """The address of a server of the model in this folder."""
    server = grpc.server(ThreadPoolExecutor(1))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(StandInTriton(folder, now_s), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
