"""COCO's annotation JSON of a video's frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk.errors import BadKeypoints
from sdk.keypoint_files import read_keypoints
from sdk.skeletons.skeleton import COCO17, HALPE26
from tests.sdk.keypoint_files.test_reading import FRAMES, ONE, TWO
from tests.sdk.stick_figures import SIZE

RATE: dict[str, Any] = {"frame_rate_hz": 25.0}


def content(flag: float = 2, track: bool = False, **image: Any) -> dict[str, Any]:
    """Images that are not numbered by their ids, listed out of order; two people."""
    images = [
        {"id": 1000 - i, "file_name": f"images/clip_{i:06d}.jpg", "width": SIZE[0], "height": SIZE[1], **image}
        for i in range(FRAMES)
    ]
    people = [
        {
            "id": 100 * person + i,
            "image_id": 1000 - i,
            "category_id": 1,
            "keypoints": np.column_stack([pose[i], np.full(17, flag)]).ravel().tolist(),
            **({"track_id": 5 + person} if track else {}),
        }
        for i in reversed(range(FRAMES))
        for person, pose in enumerate((ONE, TWO))
    ]
    return {"images": images[::-1], "annotations": people, "categories": [{"id": 1, "name": "person"}]}


def read(path: Path, written: dict[str, Any], **options: Any) -> Any:
    path.write_text(json.dumps(written))
    return read_keypoints(path, **(RATE | options))


@pytest.mark.parametrize("track", [False, True])
def test_people_frames_and_size(tmp_path: Path, track: bool) -> None:
    one, two = read(tmp_path / "a.json", content(track=track))
    assert (one.skeleton, one.image_size) == ("coco17", SIZE)
    assert (one.name, two.name) == (("a#5", "a#6") if track else ("a#1", "a#2"))
    for found, truth in ((one, ONE), (two, TWO)):
        np.testing.assert_array_equal(found.frame_indices, np.arange(FRAMES))
        np.testing.assert_allclose(found.keypoints_px, truth, atol=1e-3)
        assert (found.scores == 1).all()


def test_flags_and_scores(tmp_path: Path) -> None:
    written = content(track=True)
    for person in written["annotations"]:
        person["keypoints"][9 * 3 + 2] = 1  # a hidden wrist
        person["keypoints"][3 * 3 : 3 * 3 + 3] = [0, 0, 0]  # an ear without label
    one, _ = read(tmp_path / "a.json", written)
    assert (one.scores[:, 9] == 0.5).all()
    assert (one.scores[:, 3] == 0).all()
    assert (one.scores[:, 0] == 1).all()
    one, _ = read(tmp_path / "b.json", content(flag=0.7))
    np.testing.assert_allclose(one.scores, 0.7, atol=1e-6)


def test_joints_go_by_their_names(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(17)
    written = content()
    written["categories"][0]["keypoints"] = [COCO17.joints[joint] for joint in order]
    for person in written["annotations"]:
        person["keypoints"] = np.reshape(person["keypoints"], (17, 3))[order].ravel().tolist()
    one, _ = read(tmp_path / "a.json", written)
    assert one.skeleton == "coco17"
    np.testing.assert_allclose(one.keypoints_px, ONE, atol=1e-3)


def test_images_may_say_their_frame(tmp_path: Path) -> None:
    written = content()
    for image in written["images"]:
        image |= {"frame_id": 1000 - image["id"], "file_name": "same.jpg"}
    assert read(tmp_path / "a.json", written)[0].frame_indices.tolist() == list(range(FRAMES))


def test_boxes_beside_the_poses_and_people_without_joints_are_passed_over(tmp_path: Path) -> None:
    written = content()
    written["annotations"] += [
        {"id": 900, "image_id": 1000, "category_id": 7, "bbox": [0, 0, 5, 5]},
        {"id": 901, "image_id": 1000, "category_id": 1, "num_keypoints": 0, "keypoints": [0] * 51},
    ]
    assert len(read(tmp_path / "a.json", written)) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: [p.pop("keypoints") for p in w["annotations"]], "none with keypoints.*COCO Keypoints"),
        (lambda w: w["images"][3].update(width=999), r"images of 2 sizes.*\(999, 240\)"),
        (lambda w: [i.update(video_id=i["id"] % 2) for i in w["images"]], "several videos"),
        (lambda w: w["images"][0].update(file_name="images/clip_0000038.jpg"), r"clip_0000038.*both frame 38"),
        (lambda w: w["images"][0].update(id=1000), "an image id twice"),
        (lambda w: w["images"].pop(), r"image 1000, which the file does not list"),
        (lambda w: w["annotations"][0].update(keypoints=[1, 2]), "x, y, visibility"),
        (lambda w: w["annotations"][0].update(image_id=[1]), "not the id of an image"),
        (lambda w: w.update(categories=3.5), "'categories' is 3.5, not a list"),
        (lambda w: w["categories"][0].update(keypoints=["a"] * 17), "closest skeleton"),
        (lambda w: w["categories"][0].update(keypoints=list(HALPE26.joints)), "names .* for keypoints of 17 joints"),
    ],
)
def test_what_can_not_be_read_says_why(tmp_path: Path, change: Any, words: str) -> None:
    written = content()
    change(written)
    with pytest.raises(BadKeypoints, match=f"(?s){words}"):
        read(tmp_path / "a.json", written)
