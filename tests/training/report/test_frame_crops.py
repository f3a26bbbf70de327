"""The right frame, the right part of it."""

import os
import subprocess
import sys
from base64 import b64decode

import cv2
import numpy as np
import pytest

from sdk.video.source import open_video
from tests.sdk.video.video_files import H263_SIZE, set_matrix, write
from tests.training.report.examples import numbered_video, shown_number
from training.report import frame_crops
from training.report.frame_crops import Crop, crop_round, read_frames

WANTED = [0, 7, 8, 31, 90, 119]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "numbers.mp4"
    return path, numbered_video(path, 120)


@pytest.mark.parametrize("counted", [600, 0], ids=["by counting", "by time"])
def test_frames_are_exact(video, monkeypatch, counted):
    path, times = video
    monkeypatch.setattr(frame_crops, "COUNTED_FRAMES", counted)
    found = read_frames(path, WANTED, [times[i] for i in WANTED])
    assert {index: shown_number(image) for index, image in found.items()} == {i: i for i in WANTED}


def test_a_time_between_frames_gives_no_neighbour(video, monkeypatch):
    path, times = video
    monkeypatch.setattr(frame_crops, "COUNTED_FRAMES", 0)
    assert list(read_frames(path, [30, 40], [times[30], times[40] + 99])) == [30]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_utf8(tmp_path):
    numbered_video(tmp_path / "a.mp4", 30)
    path = (tmp_path / "a.mp4").rename(tmp_path / os.fsdecode(b"caf\xe9.mp4"))
    program = "import os, sys, pathlib\nfrom training.report import frame_crops\nframe_crops.COUNTED_FRAMES = 0\n"
    program += "print(list(frame_crops.read_frames(pathlib.Path(sys.argv[1]), [7, 20], [7 / 25, 20 / 25])))"
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("[7, 20]\n", "", 0)


@pytest.mark.parametrize("counted", [0, 100])
def test_images_are_upright_and_square(tmp_path, monkeypatch, counted):
    monkeypatch.setattr(frame_crops, "COUNTED_FRAMES", counted)
    video = set_matrix(write(tmp_path / "a.3gp", "H263", 30, size=H263_SIZE), (-1, 0, 0, 1))
    with open_video(video) as source:
        expected = [frame.image for frame in source]
    found = read_frames(video, [0, 20], [0.0, 20 / 25])
    assert sorted(found) == [0, 20]
    for index, image in found.items():
        assert image.shape == (144, 192, 3)
        np.testing.assert_array_equal(image, expected[index])


def test_folder_of_images(tmp_path):
    for index in range(4):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((20, 30, 3), 10 * index, np.uint8))
    found = read_frames(tmp_path, [3, 1], [0.12, 0.04])
    assert {index: int(image[0, 0, 0]) for index, image in found.items()} == {1: 10, 3: 30}


def test_no_video_no_images(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    assert read_frames(tmp_path / "gone.mp4", [0], [0.0]) == {}
    assert read_frames(text, [0], [0.0]) == {}


def test_crop_holds_the_person_and_lies_within_the_image():
    generator = np.random.default_rng(0)
    for _ in range(50):
        points = generator.uniform([0, 0], [640, 480], (16, 2)) * generator.uniform(0.1, 1)
        crop = crop_round(points, (640, 480))
        low, high = np.array([crop.left, crop.top]), np.array([crop.left + crop.width, crop.top + crop.height])
        assert (low >= 0).all()
        assert (high <= [640, 480]).all()
        assert (points >= low).all()
        assert (points <= high).all()


def test_crop_by_hand():
    """A person of 10 x 100 pixels: 29 px of margin (25 % + 4), and 3:4 of the height 158 across."""
    crop = crop_round(np.array([[300.0, 200], [310, 300]]), (640, 480))
    assert (crop.top, crop.height) == (171, 158)
    assert (crop.left, crop.width) == (245, 120)


def test_joints_that_are_not_there_do_not_shape_the_crop():
    points = np.array([[300.0, 200], [310, 300]])
    more = np.concatenate([points, [[np.nan, 3], [-50, 20], [9999, 9999]]])
    assert crop_round(more, (640, 480)) == crop_round(points, (640, 480))


def test_without_joints_the_whole_image():
    assert crop_round(np.full((16, 2), np.nan), (640, 480)) == Crop(0, 0, 640, 480)


def test_cut_is_a_jpeg_of_that_part():
    image = np.zeros((100, 200, 3), np.uint8)
    image[20:60, 30:110] = (0, 0, 255)
    address = Crop(30, 20, 80, 40).cut(image, longest_px=40, quality=95)
    decoded = cv2.imdecode(np.frombuffer(b64decode(address.split(",")[1]), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (20, 40, 3)
    assert abs(decoded.astype(int) - [0, 0, 255]).max() < 8
