"""Drawn images show each joint where it is, in the colour of its side, and leave their inputs alone."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from sdk.drawing.frame_drawing import draw_frame, draw_people
from sdk.drawing.live_window import LiveWindow
from sdk.drawing.pose_panel import draw_panel
from sdk.drawing.skeleton_drawing import LEFT, MIDDLE, RIGHT, bone_colours, draw_bones, joint_colours
from sdk.errors import BadOutput
from sdk.results.pose_frame import LiftStatus, PersonPose, PoseFrame, StageTimes
from sdk.skeletons.skeleton import COCO17, H36M16, SKELETONS
from tests.sdk.stick_figures import walk
from tests.sdk.writers import walking

# A T pose, facing the camera: the left side is at the right of the image; metres, y down.
T_POSE = np.array(
    [
        *([0, 0, 0], [-0.1, 0, 0], [-0.1, 0.45, 0], [-0.1, 0.9, 0], [0.1, 0, 0], [0.1, 0.45, 0], [0.1, 0.9, 0]),
        *([0, -0.25, 0], [0, -0.5, 0], [0, -0.7, 0]),
        *([0.2, -0.5, 0], [0.45, -0.5, 0], [0.65, -0.5, 0], [-0.2, -0.5, 0], [-0.45, -0.5, 0], [-0.65, -0.5, 0]),
    ],
    np.float32,
)


def person(keypoints: np.ndarray, *, score: float = 0.9, status: LiftStatus = LiftStatus.LIFTED) -> PersonPose:
    box = np.concatenate([np.nanmin(keypoints, 0), np.nanmax(keypoints, 0)])
    joints = T_POSE if status is LiftStatus.LIFTED else None
    return PersonPose(1, box, keypoints, np.full(len(keypoints), score, np.float32), status, joints)


def frame(image: np.ndarray, *people: PersonPose) -> PoseFrame:
    return PoseFrame(0, 1.5, image, people, len(people), StageTimes(0, 0, 0, 0), 0.52)


@pytest.mark.parametrize("size", [(1280, 720), (1080, 1920), (321, 241), (64, 48)])
def test_frame_keeps_the_image_and_adds_a_panel(size: tuple[int, int]) -> None:
    width, height = size
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    before = image.copy()
    drawn = draw_frame(frame(image, person(walk(1, (width / 2, height / 3), (0, 0))[0])), COCO17, 0.52)
    assert drawn.shape[0] % 2 == drawn.shape[1] % 2 == 0
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(image, before)
    corner = slice(height - 8, height)
    np.testing.assert_array_equal(drawn[corner, :8], image[corner, :8])
    empty = draw_frame(frame(image), COCO17, 0.52)
    assert empty.shape == drawn.shape
    np.testing.assert_array_equal(empty[:height, :width], image)


def test_a_recording_has_no_delay() -> None:
    """The header of the panel has fewer words; all else is as in a live image."""
    one = frame(np.zeros((360, 640, 3), np.uint8))
    film, live = (draw_frame(one, COCO17, delay_s) for delay_s in (None, 0.52))
    header = np.s_[:30, 640:]
    assert (film[header].max(2) > 100).sum() < 0.8 * (live[header].max(2) > 100).sum()
    film[header] = live[header]
    np.testing.assert_array_equal(film, live)


def test_joints_have_the_colour_of_their_side_where_they_are() -> None:
    keypoints = walk(1, (160, 80), (0, 0))[0]
    drawn = draw_people(np.zeros((240, 320, 3), np.uint8), [person(keypoints)], COCO17)
    for joint, colour in (("left_wrist", LEFT), ("right_ankle", RIGHT), ("nose", MIDDLE)):
        x, y = np.round(keypoints[COCO17.index(joint)]).astype(int)
        np.testing.assert_allclose(drawn[y, x].astype(int), colour, atol=40)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_every_skeleton_has_colours_that_mirror(skeleton) -> None:
    colours = joint_colours(skeleton)
    swapped = {LEFT: RIGHT, RIGHT: LEFT, MIDDLE: MIDDLE}
    assert [swapped[colours[twin]] for twin in skeleton.mirror] == list(colours)
    assert {LEFT, RIGHT, MIDDLE} >= set(bone_colours(skeleton)) >= {LEFT, RIGHT}


def test_unsure_joints_are_drawn_thinner_and_missing_ones_not_at_all() -> None:
    keypoints = walk(1, (160, 80), (0, 0))[0]
    black = np.zeros((720, 960, 3), np.uint8)
    sure = draw_people(black, [person(keypoints)], COCO17)
    unsure = draw_people(black, [person(keypoints, score=0.1)], COCO17)
    assert 0 < (unsure > 128).sum() < (sure > 128).sum()
    gone = keypoints.copy()
    gone[COCO17.index("left_wrist")] = np.nan
    x, y = np.round(keypoints[COCO17.index("left_wrist")]).astype(int)
    assert draw_people(black, [person(gone)], COCO17)[y, x].max() == 0


def test_points_far_outside_the_image_do_no_harm() -> None:
    canvas = np.zeros((50, 50, 3), np.uint8)
    points = np.full((16, 2), 25.0)
    points[3], points[12], points[15] = (1e9, 25), (-4000, 25), (np.inf, 0)
    draw_bones(canvas, points, np.ones(16, bool), H36M16, 2)
    assert canvas.any()


def panel_of(people: list[PersonPose]) -> np.ndarray:
    """Over what was there: all of it is drawn anew."""
    panel = np.random.default_rng(0).integers(0, 255, (720, 400, 3), np.uint8)
    draw_panel(panel, people, 0.52, 1.5)
    return panel


def bright(view: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Columns in which a view shows a colour."""
    return np.flatnonzero((np.abs(view.astype(int) - colour).max(-1) < 12).any(0))


def test_panel_shows_front_above_side_with_left_at_the_right() -> None:
    keypoints = walk(1, (160, 80), (0, 0))[0]
    panel = panel_of([person(keypoints)])
    front, side = panel[:360], panel[360:]
    assert bright(front, LEFT).min() > bright(front, RIGHT).max()
    # Wrists are 1.3 m apart from the front; from the side a flat pose is a line.
    reach = bright(front, LEFT).max() - bright(front, RIGHT).min()
    assert reach > 100
    assert np.ptp(np.concatenate([bright(side, LEFT), bright(side, RIGHT)])) < 0.1 * reach


def test_all_of_the_panel_is_drawn() -> None:
    """Whatever was in memory, the frame is the same: to the last row and column, and the padding of an odd height."""
    panel = np.zeros((720, 400, 3), np.uint8)
    draw_panel(panel, [], 0.52, 1.5)
    np.testing.assert_array_equal(panel_of([]), panel)
    odd = draw_frame(frame(np.full((241, 320, 3), 255, np.uint8)), COCO17, 0.52)
    assert not odd[241, :320].any()


@pytest.mark.parametrize("size", [(240, 160), (360, 216), (720, 432)])
def test_titles_of_a_narrow_panel_are_not_written_over(size: tuple[int, int]) -> None:
    """The panel is narrow beside a small image: the times must leave its title alone, whatever they are."""
    titles = []
    for delay_s, timestamp_s in ((0.0, 0.0), (88.88, 88888.88)):
        panel = np.zeros((*size, 3), np.uint8)
        draw_panel(panel, [], delay_s, timestamp_s)
        unit = max(9, round(min(size[1], size[0] / 2) / 30))
        titles.append(panel[: 3 * unit, : 6 * unit])  # "3D pose" ends before that
    np.testing.assert_array_equal(titles[0], titles[1])
    assert (titles[0] > 200).any()


def test_panel_names_the_reason_when_there_is_no_3d() -> None:
    keypoints = walk(1, (160, 80), (0, 0))[0]
    lifted = panel_of([person(keypoints)])
    without = panel_of([person(keypoints, status=LiftStatus.TOO_SHORT)])
    empty = panel_of([])
    assert len(bright(lifted, LEFT)) > 0
    assert len(bright(without, LEFT)) == 0
    assert (without != empty).any()


def test_window_without_a_display_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells by its environment that there is no display")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(BadOutput, match="no window: there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set"):
        LiveWindow("test")


def test_limbs_that_the_lifter_is_not_sure_of_are_thin():
    """An arm with a deviation of 30 cm covers fewer pixels of the panel than the same arm when it is sure."""
    painted = {}
    for deviation in (0.01, 0.3):
        deviations = np.full((16, 3), 0.01, np.float32)
        deviations[[H36M16.index(f"left_{joint}") for joint in ("elbow", "wrist")]] = deviation
        canvas = np.zeros((600, 500, 3), np.uint8)
        draw_panel(canvas, [replace(walking.person(1, walking.rigid_pose(1)), deviations_m=deviations)], 0.0, 0.0)
        painted[deviation] = int((canvas == LEFT).all(-1).sum())
    assert painted[0.3] < 0.9 * painted[0.01]
