"""The data that the player plays."""

import json

import numpy as np
import pytest

from sdk.skeletons.skeleton import H36M16
from tests.training.report.examples import KEYPOINTS_PX, POSE_M, Page, clip
from training.report.frame_crops import crop_round
from training.report.page import Figures
from training.report.target_player import MOST_FRAMES, player_section


def played(given):
    page = Page(player_section(given, Figures()).html)
    script = next(script for script in page.scripts if script.startswith("playTarget("))
    return page, json.loads(script.removeprefix("playTarget(").removesuffix(")"))


def test_poses_are_turned_upright_and_nothing_else():
    _, data = played(clip(joints_after_m=clip().joints_after_m + np.array([1, 2, 3])))
    after = np.array(data["poses"][1][0])
    head, ankle = H36M16.index("head"), H36M16.index("left_ankle")
    np.testing.assert_allclose(after[0], 0)
    np.testing.assert_allclose(after[head], [0, 0, 0.75])
    np.testing.assert_allclose(after[ankle], [0.15, 0.05, -0.9], atol=1e-9)


def test_lines_visit_every_bone_once():
    _, data = played(clip())
    visited = set()
    for line in data["lines"]:
        assert line[2::3] == [None] * (len(line) // 3)
        visited |= set(zip(line[0::3], line[1::3], strict=True))
    assert visited == set(H36M16.bones)


def test_keypoints_are_relative_to_the_crop_and_gaps_stay_gaps():
    keypoints = clip().keypoints_px.copy()
    keypoints[2, 5] = np.nan
    _, data = played(clip(keypoints_px=keypoints))
    crop = crop_round(keypoints, clip().image_size)
    np.testing.assert_allclose(data["keypoints"][0], KEYPOINTS_PX - [crop.left, crop.top], atol=0.051)
    assert data["keypoints"][2][5] is None


@pytest.mark.parametrize(("frames", "kept"), [(1, 1), (MOST_FRAMES, MOST_FRAMES), (MOST_FRAMES + 1, 61), (500, 100)])
def test_long_clips_are_thinned_evenly(frames, kept):
    page, data = played(clip(frames))
    assert len(data["times"]) == len(data["images"]) == len(data["keypoints"]) == len(data["poses"][0]) == kept
    slider = next(attributes for tag, attributes in page.tags if tag == "input")
    assert slider["max"] == str(kept - 1)
    np.testing.assert_allclose(np.diff(data["times"]), np.ptp(data["times"]) / max(kept - 1, 1), atol=0.0011)


def test_the_plots_it_moves_are_on_the_page():
    page, data = played(clip())
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert len(set(data["plots"])) == 2
    assert set(data["plots"]) <= ids


def test_both_figures_have_one_scale():
    wide = clip(joints_before_m=np.repeat(3 * POSE_M[None], 5, 0))
    html = player_section(wide, Figures()).html
    ratios = [part.split("}")[0] for part in html.split('"aspectratio":')[1:]]
    assert len(ratios) == 2
    assert ratios[0] == ratios[1]
