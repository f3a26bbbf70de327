"""What the lifter is shown: the person apart from place and size, whatever is missing."""

import pytest
import torch

from tests.lifters import random_lifter
from training.cameras.occlusion_and_lookahead import all_seen, hide_joints
from training.lifter.folded_lifter import FoldedLifter
from training.lifter.keypoint_features import KeypointFeatures


def keypoints(batch=6, frames=27, seed=0):
    return torch.rand(batch, frames, 16, 2, generator=torch.Generator().manual_seed(seed)) - 0.5


def person(channels=3):
    return KeypointFeatures("person", 16, channels)


def test_the_image_is_the_keypoints_themselves():
    assert torch.equal(KeypointFeatures("picture", 16, 2)(keypoints()), keypoints().flatten(2))


def test_moved_or_scaled_the_person_is_the_same_and_place_and_size_say_so():
    still, moved = person(2)(keypoints()), person(2)(keypoints() * 0.5 + torch.tensor([0.3, -0.2]))
    torch.testing.assert_close(moved[..., :32], still[..., :32], rtol=1e-3, atol=1e-4)
    centre = keypoints().mean(2)
    torch.testing.assert_close(moved[..., 32:34], centre * 0.5 + torch.tensor([0.3, -0.2]))
    torch.testing.assert_close(moved[..., 34], still[..., 34] - torch.tensor(2.0).log(), rtol=1e-3, atol=1e-3)


def test_every_frame_for_itself():
    """A stream computes a frame's numbers once."""
    torch.testing.assert_close(person()(keypoints())[:, 5:6], person()(keypoints()[:, 5:6]))


def test_what_is_not_seen_does_not_show():
    hidden = hide_joints(keypoints(200), 1.0, torch.Generator().manual_seed(1))
    elsewhere = hidden.clone()
    elsewhere[..., :2] = torch.where(hidden[..., 2:] == 1, hidden[..., :2], torch.tensor(7.0))
    torch.testing.assert_close(person()(elsewhere), person()(hidden))
    shown = person()(hidden)
    assert torch.equal(shown[..., 32:48], hidden[..., 2])
    assert not shown[..., :32][(hidden[..., 2:] == 0).expand(-1, -1, -1, 2).flatten(2)].any()


def test_nobody_and_a_dot_are_finite():
    nobody = torch.zeros(1, 1, 16, 3)
    dot = torch.full((1, 1, 16, 2), 0.3)
    for shown in (nobody, all_seen(dot)):
        assert person()(shown).isfinite().all()
        assert person()(shown).abs().max() < 10


def test_without_the_channel_all_are_seen():
    assert torch.equal(person()(keypoints()), person()(all_seen(keypoints())))


@pytest.mark.parametrize("channels", [1, 4])
def test_other_channels_are_refused(channels):
    with pytest.raises(ValueError, match="2 or 3"):
        KeypointFeatures("person", 16, channels)


@pytest.mark.parametrize(("view", "channels"), [("person", 3), ("person", 2), ("picture", 3)])
def test_strided_dilated_and_folded_agree(view, channels):
    network = random_lifter(channels=24, view=view, input_channels=channels).double()
    windows = keypoints().double()
    if channels == 3:
        windows = hide_joints(windows, 0.5, torch.Generator().manual_seed(2))
    expected = network(windows)
    torch.testing.assert_close(network.forward_sequence(windows)[:, 0], expected)
    folded = FoldedLifter(network.float())(windows.float())
    torch.testing.assert_close(folded.double(), expected, rtol=1e-4, atol=1e-4)
