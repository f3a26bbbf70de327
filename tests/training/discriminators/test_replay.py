"""The pool of past fakes."""

import pytest
import torch

from training.discriminators.replay import CAPACITY, ReplayPool


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(first, count):
    return torch.arange(first, first + count, dtype=torch.float32)[:, None]


def test_published_capacity():
    assert CAPACITY == 4096
    assert ReplayPool((16, 2)).samples.shape == (4096, 16, 2)


def test_while_it_fills_the_new_ones_come_back():
    pool = ReplayPool((1,), capacity=10)
    for first in (0, 4):
        assert torch.equal(pool.mix(numbered(first, 4), random()), numbered(first, 4))
    assert int(pool.filled) == 8
    assert torch.equal(pool.samples[:8], numbered(0, 8))
    pool.mix(numbered(8, 4), random())
    assert int(pool.filled) == 10


def test_afterwards_about_half_are_old():
    pool = ReplayPool((1,), capacity=500)
    pool.mix(numbered(0, 500), random())
    mixed = torch.cat([pool.mix(numbered(1000 * n, 100), random(n)) for n in range(1, 31)])
    fresh = torch.cat([numbered(1000 * n, 100) for n in range(1, 31)])
    old = (mixed != fresh).double().mean().item()
    assert old == pytest.approx(0.5, abs=4 * 0.5 / 3000**0.5)


def test_nothing_is_lost_doubled_or_changed():
    """What goes in either comes back or waits in the pool, each sample once, with its own numbers."""
    pool, seen, random_numbers = ReplayPool((2,), capacity=50), [], random()
    for n in range(40):
        fresh = numbered(n * 17, 17)
        seen.append(pool.mix(torch.cat([fresh, -fresh], -1), random_numbers))
    returned = torch.cat(seen)
    assert torch.equal(returned[:, 0], -returned[:, 1])
    # Samples that came back while the pool filled are in it as well: copies of the first 50.
    everything = torch.cat([returned[50:, 0], pool.samples[:, 0]])
    assert sorted(everything.tolist()) == list(range(40 * 17))


def test_old_ones_come_back_from_long_ago():
    pool, random_numbers = ReplayPool((1,), capacity=64), random()
    ages = []
    for n in range(60):
        mixed = pool.mix(numbered(n, 1).expand(32, 1), random_numbers)
        ages += (n - mixed[:, 0]).tolist()
    assert max(ages) > 10


def test_never_more_than_capacity():
    pool = ReplayPool((3,), capacity=8)
    for n in range(5):
        assert pool.mix(torch.full((6, 3), float(n)), random(n)).shape == (6, 3)
    assert pool.samples.shape == (8, 3)
    assert int(pool.filled) == 8


def test_a_batch_larger_than_the_pool():
    pool, random_numbers = ReplayPool((1,), capacity=4), random()
    mixed = torch.cat([pool.mix(numbered(100 * n, 20), random_numbers) for n in range(3)])
    assert mixed.shape == (60, 1)
    everything = torch.cat([mixed[4:, 0], pool.samples[:, 0]])
    assert sorted(everything.tolist()) == [100.0 * n + i for n in range(3) for i in range(20)]


def test_no_gradient_flows_into_the_pool():
    pool = ReplayPool((1,), capacity=4)
    fresh = numbered(0, 4).requires_grad_()
    assert not pool.mix(fresh, random()).requires_grad
    assert not pool.samples.requires_grad


def test_goes_on_from_a_saved_state_the_same():
    pool = ReplayPool((1,), capacity=20)
    pool.mix(numbered(0, 30), random(1))
    copy = ReplayPool((1,), capacity=20)
    copy.load_state_dict(pool.state_dict())
    assert torch.equal(pool.mix(numbered(50, 30), random(2)), copy.mix(numbered(50, 30), random(2)))
    assert torch.equal(pool.samples, copy.samples)
