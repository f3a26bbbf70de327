"""Bodies that are drawn: as the people are built, from child to tall adult."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.training.motion_model.moving import walking
from training.geometry.bones import LENGTH_GROUPS, bone_lengths
from training.motion.motion_clip import MotionClip
from training.motion_model.bodies import SKELETON_SHARE, body_statistics, skeleton_lengths


def people(*sizes):
    joints = walking(seconds=1.0).joints_world_m
    return [MotionClip(f"{i:02}_01", joints * np.float32(size), 50.0) for i, size in enumerate(sizes)]


@pytest.fixture(scope="module")
def statistics():
    return body_statistics(people(0.9, 1.0, 1.1))


def heights(lengths):
    return skeleton_lengths(lengths) / SKELETON_SHARE


def test_the_people_are_found_again(statistics):
    one = people(1.0)[0]
    expected = skeleton_lengths(bone_lengths(torch.from_numpy(one.joints_world_m))[0]) / SKELETON_SHARE
    assert statistics.height_m == pytest.approx(float(expected), rel=1e-3)
    torch.testing.assert_close(heights(statistics.mean_lengths()), torch.tensor(statistics.height_m))
    assert statistics.proportion_deviation.max() < 1e-4  # they differ in size alone


def test_each_person_counts_once():
    """A person of many clips does not make all others as tall."""
    often = [dataclasses.replace(clip, name=f"00_{i}") for i, clip in enumerate(people(0.8) * 5)]
    both = [*often, dataclasses.replace(people(1.2)[0], name="01_01")]
    assert body_statistics(both).height_m == pytest.approx(body_statistics(people(1.0)).height_m, rel=1e-3)


def test_from_child_to_tall_adult(statistics):
    drawn = heights(statistics.draw(4000, torch.Generator().manual_seed(0)))
    low, _ = statistics.child_heights_m
    assert low <= float(drawn.min()) < 1.15
    assert float(drawn.max()) <= statistics.height_m + 2.5 * statistics.height_deviation_m + 1e-4
    grown = dataclasses.replace(statistics, child_share=0.0).draw(4000, torch.Generator().manual_seed(0))
    assert float(heights(grown).mean()) == pytest.approx(statistics.height_m, abs=0.01)
    assert float(heights(grown).std()) == pytest.approx(statistics.height_deviation_m, rel=0.1)


def test_children_have_shorter_legs_and_larger_heads(statistics):
    children = dataclasses.replace(statistics, child_share=1.0, child_heights_m=(1.0, 1.0))
    child = children.draw(1, torch.Generator().manual_seed(0))[0]
    grown = statistics.mean_lengths()
    relative = child / grown * float(heights(grown) / heights(child))
    thigh, head, spine = (int(LENGTH_GROUPS[group][0]) for group in (1, 5, 3))
    assert relative[thigh] / relative[spine] == pytest.approx(0.92, abs=0.01)
    assert relative[head] / relative[spine] == pytest.approx(1.25, abs=0.01)


def test_left_is_as_right(statistics):
    lengths = statistics.draw(20, torch.Generator().manual_seed(0))
    for group in LENGTH_GROUPS:
        assert (lengths[:, list(group)].std(1, correction=0) < 1e-6).all()
