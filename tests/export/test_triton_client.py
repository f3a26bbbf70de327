"""The client in the docs, a pause, and the idle time, against a stand-in that follows Triton's rules."""

import numpy as np
import pytest

from export.triton_repository import BadIdleTime, write_triton_repository
from sdk import Lifter
from tests.docs.pages import ROOT, blocks

triton = pytest.importorskip("tritonclient.grpc")
from tritonclient.utils import InferenceServerException  # noqa: E402

from tests.export.stand_in_triton import served  # noqa: E402  # needs grpc

PAGE = ROOT / "docs" / "guides" / "export.md"


def snippet(language):
    (found,) = [block.text for block in blocks(PAGE) if block.language == language]
    return found


@pytest.mark.parametrize("shipped", [None, "fast", "feet"])
def test_the_docs_client_gives_the_sdks_poses(graphs, tmp_path, shipped):
    """With two numbers a joint, with three as the shipped lifters have, and with feet."""
    lifter = Lifter(shipped or graphs / "lifter.onnx")
    (model,) = write_triton_repository(tmp_path, [lifter.path.with_name(f"{lifter.path.stem}.stream.onnx")])
    code = snippet("python").replace("lifter_stream", model.name)
    with served(model.folder) as address:
        names = {"__name__": "__main__"}
        exec(compile(code.replace("localhost:8001", address), str(PAGE), "exec"), names)
        names["client"].close()
    expected = lifter(names["keypoints_px"], (1920, 1080), lifter.skeleton.name, fps=25.0)
    assert expected.shape == (50, len(lifter.skeleton), 3)
    np.testing.assert_allclose(names["poses"], expected, atol=1e-5)


def test_the_docs_compose_file_serves_to_this_machine_alone():
    yaml = pytest.importorskip("yaml")
    (service,) = yaml.safe_load(snippet("yaml"))["services"].values()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["volumes"] == ["./triton_models:/models:ro"]


@pytest.mark.parametrize("idle_s", [0.0, -1.0, float("nan"), float("inf"), 1e6])
def test_idle_times_that_can_not_be(graphs, tmp_path, idle_s):
    with pytest.raises(BadIdleTime, match=r"between 0\.001 and 86400"):
        write_triton_repository(tmp_path, [graphs / "lifter.stream.onnx"], idle_s)
    assert list(tmp_path.iterdir()) == []


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.mark.parametrize(("idle_s", "lives"), [(None, True), (6.5, True), (5.0, False)])
def test_a_pause_of_six_seconds(graphs, tmp_path, idle_s, lives):
    settings = {} if idle_s is None else {"idle_s": idle_s}
    (model,) = write_triton_repository(tmp_path, [graphs / "lifter.stream.onnx"], **settings)
    clock = Clock()
    tensor = triton.InferInput("keypoints", [1, 16, 2], "FP32")
    tensor.set_data_from_numpy(np.full((1, 16, 2), 0.1, np.float32))
    with served(model.folder, clock) as address, triton.InferenceServerClient(address) as client:
        client.infer("lifter_stream", [tensor], sequence_id=1, sequence_start=True)
        clock.now_s = 6.0
        if lives:
            assert client.infer("lifter_stream", [tensor], sequence_id=1).as_numpy("joints").shape == (1, 16, 3)
        else:
            with pytest.raises(InferenceServerException, match="must specify the START flag"):
                client.infer("lifter_stream", [tensor], sequence_id=1)
