"""Constants given beside a recipe take the place of its own, and of no other."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from training.settings.adapt import Adapt
from training.settings.method import RECIPES
from training.settings.method_choice import chosen_method, recipe_for, run_method, start_for
from training.settings.settings_check import BadSetting


def test_none_given_is_the_recipe():
    for name, recipe in RECIPES.items():
        assert chosen_method(name) == recipe


@pytest.mark.parametrize(
    ("constant", "field", "value"),
    [
        ("bone_rotation=bg1", "bone_rotation", "bg1"),
        ("camera-rotation=euler", "camera_rotation", "euler"),
        ("selection=None", "selection", None),
        ("selection=3,2", "selection", (3.0, 2.0)),
        ("bone_lengths=false", "bone_lengths", False),
        ("keep_norm_statistics=true", "keep_norm_statistics", True),
        ("hard_ratio_bones=1, 2, 0.5", "hard_ratio_bones", (1.0, 2.0, 0.5)),
        ("reprojection=0", "reprojection", 0.0),
    ],
)
def test_one_is_replaced(constant, field, value):
    assert chosen_method("paper", [constant]) == dataclasses.replace(RECIPES["paper"], **{field: value})


def test_several():
    method = chosen_method("default", ["limb_exchange=0.5", "batch=64"])
    assert method == dataclasses.replace(RECIPES["default"], limb_exchange=0.5, batch=64)


@pytest.mark.parametrize(
    ("constant", "words"),
    [
        ("bone_rotaton=bg1", "bone_rotation, bone_lengths"),
        ("bg1", "NAME=VALUE"),
        ("bone_rotation=bg9", "bone_rotation must be one of bg1, bg2, bg3, constant, none"),
        ("bone_lengths=maybe", "bone_lengths must be one of true, false"),
        ("steps=many", "steps must be int"),
        ("selection=3,2,1", "selection must be tuple"),
    ],
)
def test_what_it_can_not_be_is_said(constant, words):
    with pytest.raises(BadSetting, match=words):
        chosen_method("paper", [constant])


def test_upright_source_is_not_for_a_generator():
    with pytest.raises(BadSetting, match=r"source_share=0\.5: with source_turn=upright it must be 1"):
        chosen_method("default", ["source_turn=upright", "source_share=0.5"])
    assert chosen_method("default", ["source_turn=upright"]).source_turn == "upright"


def test_drawn_bodies_vary_no_further_unless_that_is_asked_for():
    drawn = chosen_method("default", drawn_bodies=True)
    assert drawn == dataclasses.replace(RECIPES["default"], source_bodies=0.0)
    assert chosen_method("default", ["source_bodies=0.02"], drawn_bodies=True).source_bodies == 0.02


def test_a_run_from_the_motion_model_alone_has_drawn_bodies():
    sources = (("model",), ("model", "clips.npz"), ("clips.npz",))
    varied = [run_method(Adapt(source=source)).source_bodies for source in sources]
    assert varied == [0.0, 0.03, 0.03]


@pytest.mark.parametrize(
    ("scores", "recipe"),
    [
        ([np.ones((5, 16)), np.ones((3, 16))], "default"),
        ([np.ones((5, 16)), np.full((3, 16), 0.9)], "detections"),
        ([np.where(np.arange(16) == 3, 0, 1)[None]], "detections"),
    ],
)
def test_auto_takes_the_recipe_for_what_the_keypoints_are(scores, recipe):
    config, note = recipe_for(Adapt(), scores)
    assert config.recipe == recipe
    assert f"Recipe {recipe}" in note
    assert run_method(config).source_turn == RECIPES[recipe].source_turn


def test_a_named_recipe_is_taken_whatever_the_scores_are():
    config = Adapt(recipe="paper")
    assert recipe_for(config, [np.full((3, 16), 0.5)]) == (config, None)


class TestStart:
    @pytest.mark.parametrize("skeletons", [["mediapipe33"], ["coco17", "halpe26"]])
    def test_who_shows_feet_gets_a_lifter_with_feet_and_is_told(self, skeletons):
        config, note = start_for(Adapt(recipe="detections"), skeletons)
        assert config.start == Path("feet")
        assert skeletons[-1] in note
        assert "coco17" not in note
        assert "--start fast" in note

    @pytest.mark.parametrize("skeletons", [["coco17"], ["h36m16", "coco17"], []])
    def test_without_feet_it_is_the_default(self, skeletons):
        assert start_for(Adapt(recipe="detections"), skeletons) == (
            Adapt(recipe="detections", start=Path("fast")),
            None,
        )

    def test_the_generator_has_no_feet(self):
        assert start_for(Adapt(recipe="paper"), ["halpe26"])[0].start == Path("fast")

    @pytest.mark.parametrize("given", [{"start": Path("base")}, {"continued": Path("runs/a")}])
    def test_what_is_given_stays(self, given):
        assert start_for(Adapt(**given), ["halpe26"]) == (Adapt(**given), None)
