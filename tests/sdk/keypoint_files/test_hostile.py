"""Files that are damaged, or made to do harm, get one clear error; a few hundred random ones of each form as well."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import fuzzing
from benchmarks.broken_files import hostile_text, samples
from sdk.errors import BadKeypoints
from sdk.keypoint_files import read_keypoints

KNOWN = fuzzing.KNOWN
INPUTS = 200
TEXTS = [name for name in samples.SAMPLES if not name.endswith(("npz", "tracks"))]
JSONS = ["AlphaPose list", "AlphaPose by frame", "OpenPose folder", "MMPose predictions", "MediaPipe landmarks"]


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_random_damage_is_one_error_or_a_pose(name: str) -> None:
    answers = fuzzing.fuzz(samples.SAMPLES[name], INPUTS, seed=len(name))
    assert answers.failures == []
    assert answers.counts["refused"] > INPUTS / 4


def test_random_damage_to_hdf5() -> None:
    for package in ("h5py", "tables", "pandas"):
        pytest.importorskip(package)
    assert fuzzing.fuzz(samples.deeplabcut_hdf5, INPUTS, seed=1).failures == []


def test_the_fuzzing_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(path: Path, **_: Any) -> Any:
        json.loads(path.read_text())["people"]

    monkeypatch.setattr(fuzzing, "collect_keypoints", careless)
    assert fuzzing.ask(Path("nowhere"))[0] == "failure"


def sample(name: str, folder: Path) -> tuple[Path, Path]:
    """What to read, and the file to damage."""
    path = samples.SAMPLES[name](folder)
    return path, sorted(path.iterdir())[0] if path.is_dir() else path


@pytest.mark.parametrize("name", TEXTS)
def test_a_truncated_file(tmp_path: Path, name: str) -> None:
    path, file = sample(name, tmp_path)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(BadKeypoints, match=r"JSON file|cells|header says|data row"):
        read_keypoints(path, **KNOWN)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("word", ['"57.1"', "word"])
def test_text_in_the_place_of_a_number(tmp_path: Path, name: str, word: str) -> None:
    path, file = sample(name, tmp_path)
    pose = samples.person({"AlphaPose list": 17, "AlphaPose by frame": 18, "OpenPose folder": 25,
                           "MMPose predictions": 26, "MediaPipe landmarks": 33, "Sports2D TRC": 22,
                           "DeepLabCut CSV": 14, "COCO annotations": 17}[name])  # fmt: skip
    number = pose[0, 3, 0] / (samples.SIZE[0] if name == "MediaPipe landmarks" else 1)
    content = file.read_text()
    assert str(number) in content
    file.write_text(content.replace(str(number), word.strip('"') + "x" if file.suffix in (".csv", ".trc") else word, 1))
    with pytest.raises(BadKeypoints, match=r"not a number|not a JSON file"):
        read_keypoints(path, **KNOWN)


@pytest.mark.parametrize("name", JSONS)
@pytest.mark.parametrize("value", ["Infinity", "1e999", "1e300"])
def test_numbers_that_are_no_place_in_a_image(tmp_path: Path, name: str, value: str) -> None:
    path, file = sample(name, tmp_path)
    pose = samples.person({"AlphaPose list": 17, "AlphaPose by frame": 18, "OpenPose folder": 25,
                           "MMPose predictions": 26, "MediaPipe landmarks": 33}[name])  # fmt: skip
    number = pose[0, 3, 0] / (samples.SIZE[0] if name == "MediaPipe landmarks" else 1)
    file.write_text(file.read_text().replace(str(number), value, 1))
    with pytest.raises(BadKeypoints, match=r"finite|a coordinate of 1e|fractions"):
        read_keypoints(path, **KNOWN)


@pytest.mark.parametrize("name", JSONS)
def test_deep_nesting(tmp_path: Path, name: str) -> None:
    path, file = sample(name, tmp_path)
    file.write_text("[" * 200_000)
    with pytest.raises(BadKeypoints, match=r"nested too deeply|JSON file"):
        read_keypoints(path, **KNOWN)


def test_a_million_people_in_a_frame(tmp_path: Path) -> None:
    numbers = ",".join(["50"] * 51)
    one = f'{{"image_id":"0.jpg","keypoints":[{numbers}]}}'
    (tmp_path / "a.json").write_text(f"[{','.join([one] * 5000)}]")
    with pytest.raises(BadKeypoints, match="frame 0 has more than 300 people"):
        read_keypoints(tmp_path / "a.json", **KNOWN)


def test_a_new_person_in_every_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdk.keypoint_files.track_collection.MOST_NUMBERS", 20)
    for people in (20, 21):
        entries = [{"image_id": f"{i}.jpg", "keypoints": [50, 50, 1] * 17, "idx": i} for i in range(people)]
        (tmp_path / "a.json").write_text(json.dumps(entries))
        if people == 20:
            assert len(read_keypoints(tmp_path / "a.json", **KNOWN)) == 20
        else:
            with pytest.raises(BadKeypoints, match="more than 20 different people"):
                read_keypoints(tmp_path / "a.json", **KNOWN)


def test_frame_numbers_of_no_video(tmp_path: Path) -> None:
    people = [{"image_id": f"{10**i}.jpg", "keypoints": [50, 50, 1] * 17} for i in (0, 30)]
    for last, words in ((people[1], "no frame number"), (people[0] | {"image_id": "99999999999.jpg"}, "not between")):
        (tmp_path / "a.json").write_text(json.dumps([people[0], last]))
        with pytest.raises(BadKeypoints, match=words):
            read_keypoints(tmp_path / "a.json", **KNOWN)


def test_an_archive_that_unpacks_to_more_than_keypoints_take(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**28,)})
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("keypoints.npy", "w", force_zip64=True) as member,
    ):
        member.write(header.getvalue())
        for _ in range(17):
            member.write(bytes(64 << 20))
    assert path.stat().st_size < 10_000_000
    with pytest.raises(BadKeypoints, match=r"unpacks to 1\.1 GB"):
        read_keypoints(path, **KNOWN)


def test_a_pickle_can_not_ask_for_memory(tmp_path: Path) -> None:
    """`ndarray((10**13,))` as a call of a pickle."""

    class Large:
        def __reduce__(self) -> Any:
            return np.ndarray, ((10**13,),)

    array = np.array(None)
    array[()] = Large()
    np.savez(tmp_path / "a.npz", positions_2d=array)
    with pytest.raises(BadKeypoints, match="calls ndarray"):
        read_keypoints(tmp_path / "a.npz", **KNOWN)
    assert pickle.loads(pickle.dumps(np.ones(3))).sum() == 3  # what numpy itself would allow


def pickled_npz(path: Path, content: bytes, name: str = "positions_2d") -> Path:
    """An .npz file whose member holds that pickle."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": ()})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", header.getvalue() + content)
    return path


def test_a_pickle_gets_no_memory_for_bytes_that_are_not_there(tmp_path: Path) -> None:
    """A bytearray of 2 GiB in a file of a few bytes: refused before the memory is asked for."""
    import tracemalloc

    claim = pickle.PROTO + b"\x05" + pickle.BYTEARRAY8 + (1 << 31).to_bytes(8, "little") + b"short" + pickle.STOP
    path = pickled_npz(tmp_path / "a.npz", claim)
    tracemalloc.start()
    try:
        with pytest.raises(BadKeypoints, match="it ends within an array of bytes"):
            read_keypoints(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 26
    finally:
        tracemalloc.stop()


def shared(depth: int, width: int, leaf: object) -> object:
    """Lists of one list, each `width` times: width ** depth leaves from a few bytes."""
    for _ in range(depth):
        leaf = [leaf] * width
    return leaf


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pickle.dumps(shared(9, 10, 1.5)), "unfolds to much more than it holds"),
        (lambda: pickle.dumps(shared(1, 100_000, np.zeros((6, 17, 2)))), "unfolds to much more than it holds"),
        (lambda: pickle.dumps({"s": shared(3, 130, np.zeros((1, 17, 2)))}), "unfolds to much more than it holds"),
        # [[...]]: a list that is put into itself.
        (lambda: b"\x80\x04]\x94h\x00a.", "holds itself"),
        # ((t, t), (t, t), ...) as a key: hashing it takes 2 ** 60 steps.
        (lambda: b"\x80\x04})" + b"2\x86" * 60 + b"K\x01s.", "neither text nor a number"),
        (lambda: b"\x80\x04\x8f(K\x01\x90.", "has a set"),
        # One text of a megabyte, encoded fifty times.
        (
            lambda: b"\x80\x02c_codecs\nencode\nq\x00X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20)
            + b"q\x01X\x06\x00\x00\x00latin1q\x02]"
            + b"h\x00h\x01h\x02\x86Ra" * 50 + b".",
            "makes much more than it holds",
        ),
    ],
)  # fmt: skip
def test_a_pickle_can_not_unfold_or_take_time_without_end(tmp_path: Path, make: Any, words: str) -> None:
    path = pickled_npz(tmp_path / "a.npz", make())
    with pytest.raises(BadKeypoints, match=words):  # without the bounds, some of these take hours
        read_keypoints(path, **KNOWN)


def test_what_a_pickle_shares_a_few_times_is_read(tmp_path: Path) -> None:
    pose = samples.person(17)[..., :2]
    about = {"layout_name": "coco", "video_metadata": {}}
    np.savez(tmp_path / "a.npz", positions_2d={"s": {"a": [pose, pose], "b": [pose]}}, metadata=about)
    assert len(read_keypoints(tmp_path / "a.npz", **KNOWN)) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image_size": ("1920", "1080")}, "not numbers"),
        ({"image_size": (0, 1080)}, "both positive"),
        ({"frame_rate_hz": float("nan")}, "above 0"),
        ({"frame_rate_hz": 1e9}, "above 0, up to 10000"),
        ({"keypoints": np.full((6, 17, 2), "50")}, "not numbers"),
        ({"keypoints": np.ones((6, 17, 2), bool)}, "not numbers"),
        ({"keypoints": np.full((6, 17, 2), 1e30)}, "a coordinate of 1e"),
        ({"keypoints": np.zeros((0, 17, 2))}, "has no frame"),
    ],
)
def test_npz_with_values_of_another_kind(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    whole = {"keypoints": samples.person(17), "image_size": samples.SIZE, "skeleton": "coco17", "frame_rate_hz": 25.0}
    np.savez(tmp_path / "a.npz", **(whole | change))
    with pytest.raises(BadKeypoints, match=words):
        read_keypoints(tmp_path / "a.npz")


@pytest.mark.parametrize("name", [*samples.SAMPLES, *hostile_text.GENERATORS])
def test_generated_files_are_one_error_or_a_pose(name: str) -> None:
    answers = fuzzing.fuzz_generated(name, 40, seed=1)
    assert answers.failures == []
    assert answers.counts["refused"] > 0


def test_generated_files_of_hdf5() -> None:
    pytest.importorskip("h5py")
    assert fuzzing.fuzz_generated("DeepLabCut HDF5", 40, seed=1).failures == []


def test_hdf5_columns_that_take_for_ever_to_hash(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    table = np.zeros(6, [("index", "<i8"), ("values_block_0", "<f8", (3,))])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stored = file.create_group("df_with_missing").create_dataset("table", data=table)
        stored.attrs["values_block_0_kind"] = np.void(b"\x80\x04})" + b"2\x86" * 60 + b"K\x01s.")
    with pytest.raises(BadKeypoints, match="a dict or a set"):
        read_keypoints(tmp_path / "a.h5", **KNOWN)


def test_a_table_with_a_wide_header_over_short_rows(tmp_path: Path) -> None:
    """100,000 columns over 300,000 rows of one cell would be 240 GB of numbers."""
    levels = ("scorer", "bodyparts", "coords")
    header = "\n".join(f"{level}{',a' * 100_000}" for level in levels)
    (tmp_path / "a.csv").write_text(header + "\n1" * 300_000)
    with pytest.raises(BadKeypoints, match="data row 1 has 1 cells, not 100001"):
        read_keypoints(tmp_path / "a.csv", **KNOWN)


def test_a_table_of_thousands_of_individuals(tmp_path: Path) -> None:
    """Each with a body part of its own: a place for each part of each would be gigabytes."""
    columns = [(f"p{i}", f"b{i}", channel) for i in range(5000) for channel in ("x", "y", "likelihood")]
    levels = ("individuals", "bodyparts", "coords")
    lines = [f"scorer{',a' * len(columns)}"]
    lines += [",".join([level, *(column[i] for column in columns)]) for i, level in enumerate(levels)]
    (tmp_path / "a.csv").write_text("\n".join([*lines, "0" + ",1" * len(columns)]))
    with pytest.raises(BadKeypoints, match="5000 individuals and 5000 body parts"):
        read_keypoints(tmp_path / "a.csv", **KNOWN)


def test_a_message_does_not_repeat_a_long_text(tmp_path: Path) -> None:
    whole = {"keypoints": samples.person(17), "image_size": samples.SIZE, "frame_rate_hz": 25.0}
    for arrays in (whole | {"skeleton": "x" * 100_000}, {"y" * 50_000: np.zeros(2)}):
        np.savez(tmp_path / "a.npz", **arrays)
        assert fuzzing.ask(tmp_path / "a.npz")[0] == "refused"


@pytest.mark.parametrize("change", [{"image_size": [10**400, 5]}, {"frame_rate_hz": 10**400}, {"frame_rate_hz": 1e308}])
def test_saved_tracks_of_an_image_or_rate_that_there_is_not(tmp_path: Path, change: dict[str, Any]) -> None:
    path = samples.saved_tracks(tmp_path)
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays["tracks"]))
    header["tracks"][0] |= change
    np.savez(path, **(arrays | {"tracks": np.array(json.dumps(header))}))
    with pytest.raises(BadKeypoints, match="values of wrong types"):
        read_keypoints(path)


@pytest.mark.parametrize("number", [1321, 5749])
def test_a_marker_with_a_long_name(number: int) -> None:
    assert fuzzing.fuzz_generated("Sports2D TRC", 1, seed=0, first=number).failures == []
