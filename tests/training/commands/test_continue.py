"""adaptpose-train --continue: what is carried from run to run, and what does not fit."""

import json
import shutil

import numpy as np
import pytest

from sdk.errors import BadModelFile, BadTarget
from sdk.lifting.model_metadata import LifterMetadata
from tests.lifters import random_lifter
from tests.training.commands.test_adapt import call, keypoint_file, same, source_motion, weights, words
from training.adaptation.default_step import DefaultStep
from training.commands.run_inputs import adapt_inputs
from training.lifter.checkpoint import LifterCheckpoint
from training.runs.run_folder import RunFolder
from training.settings.adapt import Adapt
from training.settings.settings_check import BadSetting
from training.target import earlier_targets
from training.target.earlier_targets import kept_tracks, read_earlier_targets
from training.target.target_windows import TargetSequence

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's and plotly's own imports


def other_keypoints(path, phase, **changes):
    """Another person of 70 frames, who stands elsewhere."""
    keypoint_file(path, frames=70, **changes)
    arrays = dict(np.load(path))
    arrays["keypoints"] = arrays["keypoints"] + np.float32([40 * np.cos(phase), 40 * np.sin(phase), 0])
    np.savez(path, **arrays)


@pytest.fixture(scope="module", autouse=True)
def little_motion():
    """Of the motion model, whose clips take longer than all else here."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ANCHOR_CLIPS", "_HELD_OUT_CLIPS"):
            patch.setattr(f"training.motion_model.source_motion.{name}", 4)
        yield


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Three targets, source motion and a lifter to start from."""
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("a", "b", "c", "motion"):
        (folder / name).mkdir()
    keypoint_file(folder / "a" / "anna.npz")
    other_keypoints(folder / "b" / "bert.npz", 1.0)
    other_keypoints(folder / "b" / "ben.npz", 2.0)
    other_keypoints(folder / "c" / "carl.npz", 3.0)
    source_motion(folder / "motion")
    LifterCheckpoint(random_lifter(channels=16), LifterMetadata(name="random")).save(folder / "start.pt")
    return folder


@pytest.fixture(scope="module")
def options(inputs):
    return {"--source": inputs / "motion", "--steps": 4, "--batch": 16, "--threads": 1}


@pytest.fixture(scope="module")
def first(inputs, options, tmp_path_factory):
    """A run on the first target."""
    out = tmp_path_factory.mktemp("runs") / "first"
    with pytest.MonkeyPatch.context() as patch:
        start = {"--target": inputs / "a", "--start": inputs / "start.pt", "--out": out}
        call(patch, *words(options | start))
    return RunFolder(out)


@pytest.fixture(scope="module")
def second(inputs, options, first, tmp_path_factory):
    """The first run, continued on the second target."""
    out = tmp_path_factory.mktemp("runs") / "second"
    with pytest.MonkeyPatch.context() as patch:
        call(patch, *words(options | {"--target": inputs / "b", "--continue": first.path, "--out": out}))
    return RunFolder(out)


def targets_of(run):
    return json.loads(run.history.read_text())["targets"]


class TestGoingOn:
    def test_the_history_names_each_target(self, first, second):
        assert [entry["target"] for entry in targets_of(first)] == ["a"]
        was, now = targets_of(second)
        assert was == targets_of(first)[0]
        assert (now["target"], now["frames"], list(now["files"])) == ("b", 140, ["ben.npz", "bert.npz"])
        assert LifterCheckpoint.load(second.checkpoint).metadata.name.startswith("random")

    def test_the_keypoints_of_all_targets_are_kept(self, first, second):
        earlier = read_earlier_targets(second.path)
        assert [len(track.sequence.keypoints) for track in earlier.tracks] == [80, 70, 70]
        (anna,) = read_earlier_targets(first.path).tracks
        np.testing.assert_array_equal(earlier.tracks[0].sequence.keypoints, anna.sequence.keypoints)

    def test_it_begins_from_that_lifter_and_measures_it_on_what_it_knew(self, first, second):
        """The lifter that the first run ended with, on the first run's keypoints: the same numbers from both runs."""
        ended = targets_of(first)[0]["measured"]
        began = targets_of(second)[1]["measured"]
        assert began["earlier targets"]["before"] == pytest.approx(ended["this target"]["after"])
        for name in ("motion of the motion model", "source motion"):
            assert began[name]["before"] == pytest.approx(ended[name]["after"])
        assert began["earlier targets"]["after"] != began["earlier targets"]["before"]

    def test_the_report_shows_both_targets(self, second):
        page = second.report.read_text()
        assert "Earlier targets: cycle consistency" in page
        assert "On a, replayed in this run." in page

    def test_the_earlier_run_stays_as_it_was(self, first, second):
        assert read_earlier_targets(first.path).names == "a"
        assert not same(weights(first), weights(second))

    def test_it_is_said_at_the_end_and_only_new_tracks_are_learned(
        self, inputs, options, second, tmp_path, monkeypatch, capsys
    ):
        """A folder that grows: of the files of a and c, c's is new. And a third target comes after the second."""
        target = tmp_path / "season"
        target.mkdir()
        for name in ("a/anna.npz", "c/carl.npz"):
            shutil.copy(inputs / name, target)
        out = RunFolder(tmp_path / "third")
        call(monkeypatch, *words(options | {"--target": target, "--continue": second.path, "--out": out.path}))
        said = capsys.readouterr().out
        assert "note      1 tracks are not new" in said
        assert f"continued {second.path}   (adapted to a, b)" in said
        for name in ("this target", "earlier targets", "motion of the motion model"):
            assert f"measured  {name}: " in said
        assert [entry["target"] for entry in targets_of(out)] == ["a", "b", "season"]
        assert targets_of(out)[-1]["frames"] == 70

    def test_an_interrupted_run_ends_as_the_other(self, inputs, options, first, second, tmp_path, monkeypatch, capsys):
        step = DefaultStep.step

        def interrupted(self, number, random):
            if number == 3:
                raise KeyboardInterrupt
            return step(self, number, random)

        run = RunFolder(tmp_path / "run")
        with monkeypatch.context() as patch:
            patch.setattr(DefaultStep, "step", interrupted)
            going_on = {"--target": inputs / "b", "--continue": first.path, "--out": run.path, "--save-every": 1}
            with pytest.raises(SystemExit):
                call(patch, *words(options | going_on))
        call(monkeypatch, "--resume", run.path)
        capsys.readouterr()
        assert same(weights(second), weights(run))
        assert targets_of(run)[1]["tracks"] == targets_of(second)[1]["tracks"]


class TestWhatDoesNotFit:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"--recipe": "paper"},
                "was adapted with recipe default, not paper. To go on as it began, add --recipe def",
            ),
            ({"--constants": "average=0.9"}, "constants as the recipe has them, not average=0.9"),
            ({"--height": 1.7}, "height that is not stated, not 1.7. To go on as it began, leave --height out"),
            ({"--start": "fast"}, "begins from the lifter of that run, --start fast from another"),
            ({"--target": "a"}, "was adapted to all 1 tracks of this target already"),
            ({"--continue": "nowhere"}, "nowhere: it holds no config.json"),
        ],
    )
    def test_settings(self, inputs, options, first, tmp_path, monkeypatch, capsys, changes, message):
        monkeypatch.chdir(inputs)
        given = options | {"--target": "b", "--continue": first.path, "--out": tmp_path / "run"} | changes
        with pytest.raises(SystemExit) as stop:
            call(monkeypatch, *words(given))
        assert stop.value.code == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run").exists()

    def test_another_skeleton(self, options, first, tmp_path, monkeypatch, capsys):
        (tmp_path / "target").mkdir()
        keypoints = np.random.default_rng(0).uniform(300, 600, (80, 17, 3)).astype(np.float32)
        keypoint_file(tmp_path / "target" / "d.npz", skeleton="h36m17", keypoints=keypoints)
        given = {"--target": tmp_path / "target", "--continue": first.path, "--out": tmp_path / "run"}
        with pytest.raises(SystemExit):
            call(monkeypatch, *words(options | given))
        assert "learned from keypoints of h36m16; this target has h36m17" in capsys.readouterr().err

    @pytest.fixture
    def copy(self, first, tmp_path):
        shutil.copytree(first.path, tmp_path / "copy")
        return RunFolder(tmp_path / "copy")

    @pytest.mark.parametrize("name", ["lifter.pt", "targets.npz"])
    def test_a_changed_or_missing_file(self, copy, name):
        path = copy.path / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(BadModelFile, match=rf"{name} is not the file that this run wrote"):
            read_earlier_targets(copy.path)
        path.unlink()
        with pytest.raises(BadModelFile, match=rf"{name} can't be read"):
            read_earlier_targets(copy.path)

    @pytest.mark.parametrize(
        "content",
        ["", "{", "[]", '{"version": 1, "hashes": {"lifter": "a", "targets": "b"}, "targets": []}', "{" * 100_000],
    )
    def test_a_damaged_history(self, copy, content):
        copy.history.write_text(content)
        with pytest.raises(BadModelFile, match=r"history\.json is missing, damaged or of another version"):
            read_earlier_targets(copy.path)

    @pytest.mark.parametrize(
        "changes",
        [
            {"length": np.array([79])},
            {"length": np.array([80.0])},
            {"keypoints": np.full((80, 16, 2), np.nan, np.float32)},
            {"keypoints": np.zeros((80, 17, 2), np.float32)},
            {"learned": np.array([False])},
            {"held_out": np.array([True, False])},
            {"name": np.array([1])},
        ],
        ids=str,
    )
    def test_keypoints_that_do_not_fit_themselves(self, copy, changes):
        """Also where somebody wrote the hash anew."""
        np.savez(copy.targets, **(dict(np.load(copy.targets)) | changes))
        content = json.loads(copy.history.read_text())
        content["hashes"]["targets"] = earlier_targets.content_hash(copy.targets)
        copy.history.write_text(json.dumps(content))
        with pytest.raises(BadModelFile, match=r"targets\.npz is damaged"):
            read_earlier_targets(copy.path)

    def test_a_run_of_an_earlier_version(self, copy):
        copy.history.unlink()
        copy.targets.unlink()
        with pytest.raises(BadModelFile, match=r"kept no keypoints.*--start .*lifter\.pt"):
            read_earlier_targets(copy.path)

    def test_a_run_that_is_not_finished(self, copy):
        copy.report.unlink()
        with pytest.raises(BadModelFile, match=r"not finished. Finish it: adaptpose-train --resume"):
            read_earlier_targets(copy.path)

    def test_the_earlier_run_is_one_of_the_files_that_an_interrupted_run_must_find_again(self, inputs, copy):
        config = Adapt(target=inputs / "b", continued=copy.path)
        was = adapt_inputs(config)
        copy.history.write_text(copy.history.read_text().replace('"a"', '"another"'))
        now = adapt_inputs(config)
        assert [name for name in now if now[name] != was[name]] == ["history.json of the run to continue"]


def sequence(frames, value):
    keypoints = np.full((frames, 16, 2), value, np.float32)
    return TargetSequence(str(value), keypoints, keypoints[..., 0], 1.0)


class TestWhatIsKept:
    def test_all_of_a_short_target(self):
        learned, held_out = [sequence(5, 1), sequence(6, 2)], [sequence(7, 3)]
        kept = kept_tracks(learned, held_out)
        assert [(track.sequence.name, track.learned, track.held_out) for track in kept] == [
            ("1", True, False), ("2", True, False), ("3", False, True),
        ]  # fmt: skip
        assert [(track.learned, track.held_out) for track in kept_tracks(learned, learned)] == [(True, True)] * 2

    def test_whole_tracks_of_a_long_one(self, monkeypatch):
        monkeypatch.setattr(earlier_targets, "MOST_KEPT", 100)
        kept = kept_tracks([sequence(30, i) for i in range(10)], [sequence(50, 10)])
        assert [len(track.sequence.keypoints) for track in kept] == [30, 30, 30, 10]
        numbers = [int(track.sequence.name) for track in kept]
        assert numbers == sorted(numbers)
        assert numbers[:3] != [0, 1, 2]  # drawn from all of it

    def test_no_track_is_known_by_its_name(self, first):
        earlier = read_earlier_targets(first.path)
        same_name = sequence(80, 5)
        assert earlier.new_tracks([earlier.tracks[0].sequence, same_name]) == [1]
        with pytest.raises(BadTarget, match="already"):
            earlier.new_tracks([earlier.tracks[0].sequence])


def test_settings_are_compared_with_those_of_the_last_target(first):
    earlier = read_earlier_targets(first.path)
    as_begun = earlier.with_recipe(Adapt())
    assert as_begun.recipe == "default"
    earlier.require_fitting(as_begun)
    with pytest.raises(BadSetting, match="add --recipe default"):
        earlier.require_fitting(Adapt(recipe="detections"))
