"""The lifter network: the paper's size, 27 frames measured, strided = dilated = plain convolutions."""

import pytest
import torch
from torch.nn import functional

from tests.lifters import random_lifter
from training.lifter.lifter import TemporalLifter

WIDTHS = [(1,), (1, 1, 1), (3,), (3, 3), (3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3, 3), (5, 3), (1, 3), (3, 1)]


def keypoints(batch, frames, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, frames, 16, 2, dtype=torch.float64, generator=generator) * 2 - 1


def network_of(widths):
    return random_lifter(widths, channels=12).double()


def test_parameters_of_the_paper():
    """8,546,352: the count of the published baseline at 16 joints and 1024 channels."""
    network = TemporalLifter((3, 3, 3), channels=1024)
    assert sum(parameter.numel() for parameter in network.parameters()) == 8_546_352
    # By hand: input, two blocks of a wide and a narrow convolution, five normalisations, output.
    by_hand = 32 * 3 * 1024 + 2 * (3 * 1024**2 + 1024**2) + 5 * 2 * 1024 + 1024 * 48 + 48
    assert by_hand == 8_546_352


@pytest.mark.parametrize(
    ("widths", "frames"),
    [((1,), 1), ((1, 1, 1), 1), ((3, 3), 9), ((3, 3, 3), 27), ((3,) * 4, 81), ((3,) * 5, 243), ((5, 3), 15)],
)
def test_receptive_field_is_measured(widths, frames):
    """Every frame of a window moves the answer, and in a long sequence none outside of it does."""
    network = network_of(widths)
    assert network.receptive_field == frames
    window = keypoints(8, frames).requires_grad_()
    network(window).sum().backward()
    assert (window.grad.abs().amax((0, 2, 3)) > 0).all()

    sequence = keypoints(8, frames + 40).requires_grad_()  # several: a ReLU may be shut for one
    network.forward_sequence(sequence)[:, 20].sum().backward()
    reached = sequence.grad.abs().amax((0, 2, 3)) > 0
    expected = torch.zeros(frames + 40, dtype=torch.bool)
    expected[20 : 20 + frames] = True
    assert torch.equal(reached, expected)


def test_the_middle_frame_is_the_one_that_is_lifted():
    """A residual path runs from the middle frame alone: with all convolutions off, no other frame counts."""
    network = network_of((3, 3, 3))
    with torch.no_grad():
        for block in network.blocks:
            block.narrow.linear.weight.zero_()
        # Of the three frames the first layer sees, let it use the middle one.
        weight = network.expand.linear.weight.unflatten(1, (3, 32))
        weight[:, 0], weight[:, 2] = 0, 0
    window = keypoints(1, 27).requires_grad_()
    network(window).sum().backward()
    assert window.grad.abs().amax((0, 2, 3)).nonzero().flatten().tolist() == [13]


@pytest.mark.parametrize("widths", WIDTHS)
def test_strided_equals_dilated(widths):
    network = network_of(widths)
    frames = network.receptive_field
    sequence = keypoints(2, frames + 11)
    with torch.no_grad():
        dilated = network.forward_sequence(sequence)
        strided = torch.stack([network(sequence[:, t : t + frames]) for t in range(12)], 1)
    assert dilated.shape == (2, 12, 16, 3)
    assert strided.std() > 0.1
    torch.testing.assert_close(dilated, strided)


def convolutions(network, sequence):
    """Pavllo et al., section 3, in plain dilated conv1d over (B, C, T), batch norm by its definition."""

    def normalised(x, part):
        norm = part.norm
        mean, variance, gain, shift = (
            value[None, :, None] for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        return functional.relu((x - mean) / (variance + norm.eps).sqrt() * gain + shift)

    def kernel(layer, channels):
        # A row holds frame after frame: (out, width * in) to conv1d's (out, in, width).
        return layer.linear.weight.reshape(-1, layer.width, channels).permute(0, 2, 1)

    batch, frames = sequence.shape[:2]
    x = sequence.reshape(batch, frames, 32).permute(0, 2, 1)
    x = normalised(functional.conv1d(x, kernel(network.expand, 32)), network.expand_norm)
    dilation = network.filter_widths[0]
    for width, block in zip(network.filter_widths[1:], network.blocks, strict=True):
        reach = dilation * (width - 1) // 2
        residual = x[:, :, reach : x.shape[2] - reach]
        x = normalised(functional.conv1d(x, kernel(block.wide, 12), dilation=dilation), block.wide_norm)
        x = residual + normalised(functional.conv1d(x, kernel(block.narrow, 12)), block.narrow_norm)
        dilation *= width
    x = functional.conv1d(x, network.head.weight[:, :, None], network.head.bias)
    return x.permute(0, 2, 1).reshape(batch, -1, 16, 3)


@pytest.mark.parametrize("widths", WIDTHS)
def test_equals_plain_convolutions(widths):
    network = network_of(widths)
    sequence = keypoints(2, network.receptive_field + 6)
    with torch.no_grad():
        expected = convolutions(network, sequence)
        torch.testing.assert_close(network.forward_sequence(sequence), expected)
        torch.testing.assert_close(network(sequence[:, : network.receptive_field]), expected[:, 0])


def test_training_normalises_over_batch_and_time():
    network = TemporalLifter((3, 3), channels=8).double().train()
    windows = keypoints(6, 9)
    features = functional.conv1d(
        windows.flatten(2).permute(0, 2, 1),
        network.expand.linear.weight.reshape(8, 3, 32).permute(0, 2, 1),
        stride=3,
    )
    network(windows)
    torch.testing.assert_close(network.expand_norm.norm.running_mean, 0.1 * features.mean((0, 2)))


def test_dropout_only_while_training():
    network = random_lifter((3, 3), channels=16)
    windows = keypoints(2, 9).float()
    assert torch.equal(network(windows), network(windows))
    network.train()
    assert not torch.equal(network(windows), network(windows))


def test_every_parameter_learns():
    network = random_lifter((3, 3, 3), channels=16).double().train()
    network(keypoints(8, 27)).square().mean().backward()
    assert {name for name, parameter in network.named_parameters() if not parameter.grad.abs().max() > 1e-9} == set()


@pytest.mark.parametrize("widths", [(), (2,), (3, 0), (3, -3)])
def test_bad_widths(widths):
    with pytest.raises(ValueError, match="filter widths are odd numbers of frames, not"):
        TemporalLifter(widths)


def test_a_float32_batch_norm_and_layer_are_what_is_shipped():
    assert {parameter.dtype for parameter in TemporalLifter().parameters()} == {torch.float32}
