"""How long an archive takes on many machines, what holds it up, and what it costs: a simulation from a measured cost.

    python -m benchmarks.archive_plan --cpu-s-per-video-s 4.0

Every core of every machine is a worker that takes the next video: it waits for the store, fetches, computes, and puts
the results back. Machines fail now and then; what they were at is done again. Nothing is measured here: the cost of a
second of video is an input, from benchmarks.many_videos on a machine like those that will do the work.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np
import tyro


@dataclass(frozen=True)
class Archive:
    """Simulate an archive of videos on a number of machines."""

    cpu_s_per_video_s: float
    """Seconds of one core for a second of video: measure it."""
    videos: int = 100_000
    """Number of videos."""
    video_s: float = 30.0
    """Their median length in seconds."""
    spread: float = 0.5
    """Spread of the lengths: standard deviation of their logarithm."""
    video_mb: float = 15.0
    """Megabytes of a video of the median length."""
    result_mb: float = 1.0
    """Megabytes of its results."""
    machines: int = 64
    """Number of machines."""
    cores: int = 8
    """Workers on each: one a core."""
    start_s: float = 120.0
    """Until a machine works: it boots, and each worker opens its models."""
    store_mb_per_s: float = 2000.0
    """What the store gives to all machines together."""
    machine_mb_per_s: float = 100.0
    """What one machine can fetch."""
    hours_between_failures: float = 200.0
    """Of one machine, in the mean: spot instances that are taken back."""
    back_after_s: float = 300.0
    """Until another machine takes its place."""
    core_hour_cost: float = 0.02
    """Price of a core for an hour, in any currency."""
    seed: int = 0
    """Of lengths and failures."""


@dataclass(frozen=True)
class Plan:
    """What came of it.

    Attributes:
        hours: Until the last video is done.
        computing: Share of the workers' time in which they computed what was kept.
        waiting: Share in which they waited for the store.
        lost: Share in which they computed what a failure lost.
        again: Videos that were done again.
        tail_hours: From when the first worker had nothing more to do, to the end.
    """

    hours: float
    computing: float
    waiting: float
    lost: float
    again: int
    tail_hours: float


def simulate(archive: Archive) -> Plan:
    """Let every worker take videos until none is left."""
    random = np.random.default_rng(archive.seed)
    lengths = archive.video_s * np.exp(random.normal(0, archive.spread, archive.videos))
    waiting_videos = list(lengths[::-1])  # the last is the next
    failures = [_failures(archive, random) for _ in range(archive.machines)]
    # A worker by the time at which it is free.
    free = [(archive.start_s, machine, core) for machine in range(archive.machines) for core in range(archive.cores)]
    heapq.heapify(free)
    store_free_s, end_s = 0.0, 0.0
    computed_s = waited_s = lost_s = 0.0
    again, first_idle_s = 0, np.inf
    while free:
        now_s, machine, core = heapq.heappop(free)
        down = next((one for one in failures[machine] if one <= now_s < one + archive.back_after_s), None)
        if down is not None:
            heapq.heappush(free, (down + archive.back_after_s, machine, core))
            continue
        if not waiting_videos:
            first_idle_s = min(first_idle_s, now_s)
            continue
        length_s = waiting_videos.pop()
        size_mb = (archive.video_mb + archive.result_mb) * length_s / archive.video_s
        store_free_s = max(store_free_s, now_s) + size_mb / archive.store_mb_per_s
        fetched_s = max(store_free_s, now_s + size_mb * archive.cores / archive.machine_mb_per_s)
        done_s = fetched_s + length_s * archive.cpu_s_per_video_s
        failed_s = next((one for one in failures[machine] if now_s < one < done_s), None)
        if failed_s is not None:
            again += 1
            lost_s += failed_s - now_s
            waiting_videos.append(length_s)
            heapq.heappush(free, (failed_s + archive.back_after_s, machine, core))
            continue
        computed_s += done_s - fetched_s
        waited_s += fetched_s - now_s
        end_s = max(end_s, done_s)
        heapq.heappush(free, (done_s, machine, core))
    whole_s = end_s * archive.machines * archive.cores
    idle_s = end_s - first_idle_s if np.isfinite(first_idle_s) else 0.0
    shares = computed_s / whole_s, waited_s / whole_s, lost_s / whole_s
    return Plan(end_s / 3600, *shares, again, max(0.0, idle_s) / 3600)


def _failures(archive: Archive, random: np.random.Generator) -> list[float]:
    """Times at which a machine fails, over as long as the work could take on a tenth of them."""
    work_s = archive.videos * archive.video_s * 1.2 * archive.cpu_s_per_video_s
    horizon_s = 10 * work_s / (archive.machines * archive.cores) + archive.start_s + 86400
    times, now_s = [], 0.0
    while now_s < horizon_s:
        now_s += float(random.exponential(archive.hours_between_failures * 3600))
        times.append(now_s)
    return times


def main(archive: Archive) -> None:
    print(
        f"{archive.videos} videos of {archive.video_s:g} s, {archive.cpu_s_per_video_s:g} core seconds for a second of "
        f"video, {archive.cores} cores a machine, store {archive.store_mb_per_s:g} MB/s"
    )
    heads = ("machines", "hours", "videos/h", "computing", "waiting", "lost", "again", "tail h", "cost")
    print("".join(f"{head:>10}" for head in heads))
    for machines in sorted({1, 8, archive.machines, 4 * archive.machines}):
        plan = simulate(replace(archive, machines=machines))
        cost = plan.hours * machines * archive.cores * archive.core_hour_cost
        print(
            f"{machines:>10}{plan.hours:>10.2f}{archive.videos / plan.hours:>10.0f}{plan.computing:>10.1%}"
            f"{plan.waiting:>10.1%}{plan.lost:>10.2%}{plan.again:>10}{plan.tail_hours:>10.2f}{cost:>10.0f}"
        )
    mean = float(np.exp(archive.spread**2 / 2))
    read, made = (archive.videos * mb * mean / 1e6 for mb in (archive.video_mb, archive.result_mb))
    print(f"storage: {read:.2f} TB of videos are read, {made:.2f} TB of results are written")
    compute_rate = archive.machines * archive.cores / (archive.video_s * mean * archive.cpu_s_per_video_s)
    store_rate = archive.store_mb_per_s / ((archive.video_mb + archive.result_mb) * mean)
    least = "the cores" if compute_rate < store_rate else "the store"
    print(f"videos a second: {compute_rate:.1f} by the cores, {store_rate:.1f} by the store; the bottleneck is {least}")


if __name__ == "__main__":
    main(tyro.cli(Archive, description=__doc__))
