"""Feet that are seen come from the middle frames' keypoints: alike in windows, sequences, streams and graphs."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from export.precision import write_precision
from sdk.lifting.model_metadata import LifterMetadata
from tests.lifters import random_lifter
from training.lifter.checkpoint import LifterCheckpoint
from training.lifter.feet_head import ANKLES, BODY, FEET
from training.lifter.folded_lifter import FoldedLifter
from training.lifter.growth import grown, with_feet_head
from training.lifter.onnx_graphs import write_lifter_onnx, write_streaming_onnx
from training.lifter.streaming_lifter import StreamingLifter

METADATA = LifterMetadata(name="feet", skeleton="h36m20", input_channels=3, tells_more=True)


def lifter(widths=(3, 3, 3), channels=12, feet_width=8):
    return random_lifter(widths, channels, input_channels=3, view="person", feet_width=feet_width, feet=True)


def frames(count, batch=2, seen=0.8):
    random = torch.Generator().manual_seed(0)
    joints = torch.rand(batch, count, 20, 2, generator=random) * 2 - 1
    known = (torch.rand(batch, count, 20, 1, generator=random) < seen).float()
    return torch.cat([joints * known, known], -1)


@pytest.mark.parametrize("widths", [(1,), (3,), (3, 3), (3, 3, 3), (5, 3), (1, 3), (3, 1)])
class TestOneAnswer:
    """Window by window, dilated over a sequence, folded, and one frame at a time."""

    def test_of_a_sequence(self, widths):
        network = lifter(widths)
        sequence = frames(network.receptive_field + 9)
        windows = sequence.unfold(1, network.receptive_field, 1).permute(0, 1, 4, 2, 3)
        with torch.no_grad():
            each = torch.stack([network(windows[:, i]) for i in range(10)], 1)
            torch.testing.assert_close(network.forward_sequence(sequence), each)
            folded = FoldedLifter(network)
            for i in range(10):
                for mine, its in zip(folded(windows[:, i]), network.told(windows[:, i]), strict=True):
                    torch.testing.assert_close(mine, its, atol=1e-5, rtol=1e-4)

    def test_of_a_stream(self, widths):
        network = lifter(widths)
        sequence = frames(network.receptive_field + 9)
        stream = StreamingLifter(network)
        states, answers = stream.start(2), []
        with torch.no_grad():
            for frame in sequence.unbind(1):
                joints, *others = stream(frame, *states)
                states = tuple(others[len(others) - len(states) :])
                answers.append(joints)
            last = torch.stack(answers[network.receptive_field - 1 :], 1)
            torch.testing.assert_close(last, network.forward_sequence(sequence))


class TestWhatItSees:
    def test_the_middle_frame_and_its_neighbours(self):
        network = lifter()
        window = frames(27, seen=1).requires_grad_()
        joints = network(window)
        (joints[:, FEET] - joints[:, ANKLES]).sum().backward()
        reached = window.grad[..., :2].abs().amax((0, 2, 3)) > 0
        assert reached.nonzero().flatten().tolist() == [12, 13, 14]

    @pytest.mark.parametrize("hidden", [*FEET, *sorted(set(ANKLES))])
    def test_a_foot_that_is_not_seen_is_the_trunks(self, hidden):
        """Without the ankle, neither its heel nor its toe can be told from where they lie to it."""
        network = lifter()
        with torch.no_grad():
            network.feet.out.bias += 1  # another answer than the trunk's
            window = frames(27, seen=1)
            window[:, :, hidden] = 0
            features = network.features(window)
            trunk = network.head(network._trunk(features)).reshape(-1, 20, 3)
            joints = network(window)
        torch.testing.assert_close(joints[:, :BODY], trunk[:, :BODY])
        for foot, ankle in zip(FEET, ANKLES, strict=True):
            same = torch.allclose(joints[:, foot], trunk[:, foot], atol=1e-5)
            assert same == (hidden in (foot, ankle)), foot


class TestLearning:
    def test_a_new_head_changes_no_other_joint(self):
        plain = lifter(feet_width=0)
        larger = with_feet_head(plain, 8).eval()
        (joints, *others), (before, *their_others) = larger.told(frames(27)), plain.told(frames(27))
        torch.testing.assert_close(joints[:, :BODY], before[:, :BODY])
        for mine, its in zip(others, their_others, strict=True):
            torch.testing.assert_close(mine, its)

    def test_all_of_it_learns(self):
        network = lifter().train()
        network(frames(27, batch=8)).square().sum().backward()
        for name, parameter in network.feet.named_parameters():
            assert parameter.grad.any(), name

    def test_only_feet(self):
        """The body's joints stay as they are, in training too: dropout and batch statistics are off there."""
        network = lifter()
        before = network(frames(27, batch=8))
        network.learn_only_feet()
        network.train()
        optimiser = torch.optim.SGD(network.parameters(), 0.1)
        for _ in range(3):
            optimiser.zero_grad()
            said = network.outputs(frames(27, batch=8))
            sum(one.square().mean() for one in said).backward()
            optimiser.step()
        after = network.eval()(frames(27, batch=8))
        torch.testing.assert_close(after[:, :BODY], before[:, :BODY], atol=0, rtol=0)
        assert not torch.allclose(after[:, FEET], before[:, FEET])

    def test_only_feet_needs_the_head(self):
        with pytest.raises(ValueError, match="no head of the feet"):
            lifter(feet_width=0).learn_only_feet()


def test_one_with_the_head_is_not_grown():
    with pytest.raises(ValueError, match="head of the feet can't be grown"):
        grown(lifter(), (3, 3, 3), 24, 0.0)


def test_a_checkpoint_keeps_it(tmp_path):
    LifterCheckpoint(lifter(), METADATA).save(tmp_path / "lifter.pt")
    again = LifterCheckpoint.load(tmp_path / "lifter.pt").network
    assert again.feet_width == 8
    assert torch.equal(again(frames(27)), lifter()(frames(27)))


@pytest.mark.parametrize("kind", ["windows", "streaming"])
@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_heads_stay_exact_in_other_precisions(tmp_path, kind, precision):
    """In half precision a pose in metres would be off by half a millimetre; keypoints in 8 bits would by more."""
    network = lifter(channels=32)
    write = write_lifter_onnx if kind == "windows" else write_streaming_onnx
    write(network, METADATA, tmp_path / "lifter.onnx")
    windows = frames(27, batch=64)
    places = np.where(windows[..., 2:] > 0, windows[..., :2], np.nan).astype(np.float32)
    write_precision(tmp_path / "lifter.onnx", tmp_path / "other.onnx", precision, places)
    graph = onnx.load(tmp_path / "other.onnx").graph
    arrays = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    taken = [arrays[node.input[1]] for node in graph.node if node.op_type == "Gemm" and node.input[1] in arrays]
    folded = dict(FoldedLifter(network).named_parameters())
    for name in ("head", "feet.first", "feet.second", "feet.out"):
        weight = folded[f"{name}.weight"].detach().numpy()
        assert any(np.array_equal(array, weight) for array in taken), name


def test_the_graph_answers_the_same(tmp_path):
    network, windows = lifter(channels=32), frames(27)
    write_lifter_onnx(network, METADATA, tmp_path / "lifter.onnx")
    told = onnxruntime.InferenceSession(tmp_path / "lifter.onnx").run(None, {"keypoints": windows.numpy()})
    with torch.no_grad():
        for mine, its in zip(told, network.told(windows), strict=True):
            np.testing.assert_allclose(mine, its.numpy(), atol=1e-5)
