"""Forgetting, measured: four adaptations of one split, each in its turn, and numbers that follow from the errors."""

import dataclasses
import json

import pytest

from benchmarks import continual
from benchmarks.continual import Continual, as_markdown, measure
from sdk.lifting.model_metadata import LifterMetadata
from tests.lifters import random_lifter
from training.lifter.checkpoint import LifterCheckpoint
from training.settings.settings_check import BadSetting

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports


@pytest.fixture
def settings(files, tmp_path):
    start = tmp_path / "start.pt"
    LifterCheckpoint(random_lifter((3, 3), channels=8), LifterMetadata(9, name="random")).save(start)
    return Continual(**files, out=tmp_path / "out", first=("a",), start=start, steps=2, source_people=("02",))


def test_each_begins_from_the_right_lifter_and_sees_the_right_people(settings, monkeypatch):
    begun = []
    new_adaptation = continual.new_adaptation

    def noted(teacher, source, target, *rest, **options):
        begun.append((teacher.lifter.head.weight.detach().clone(), len(target), target.earlier))
        return new_adaptation(teacher, source, target, *rest, **options)

    monkeypatch.setattr(continual, "new_adaptation", noted)
    with pytest.raises(BadSetting, match="begins from the lifter of --stage first, which is not done"):
        measure(dataclasses.replace(settings, stage="continued"))
    assert measure(dataclasses.replace(settings, stage="first")) is None
    result = measure(settings)
    # 40 frames of the first person, 30 of the other.
    assert [(frames, earlier) for _, frames, earlier in begun] == [(40, 0), (70, 40), (30, 0), (70, 0)]
    start, first = (LifterCheckpoint.load(path).network for path in (settings.start, settings.out / "first/lifter.pt"))
    for (head, *_), expected in zip(begun, (start, first, first, start), strict=True):
        assert (head == expected.head.weight).all()

    errors = result["errors"]
    assert list(errors) == ["start", "first", "continued", "unreplayed", "together"]
    now, then = errors["continued"]["first"]["mpjpe_mm"], errors["first"]["first"]["mpjpe_mm"]
    assert result["forgetting_percent"] == pytest.approx(100 * (now - then) / then)
    poses = [errors["start"][part]["poses"] for part in ("first", "others", "all")]
    assert poses == [8, 6, 14]
    assert json.loads((settings.out / "result.json").read_text())["errors"] == errors
    assert "then the others, the first replayed" in as_markdown(result)
    begun.clear()
    assert measure(settings)["errors"] == errors  # nothing is done twice
    assert begun == []


def test_a_half_without_people(settings):
    with pytest.raises(BadSetting, match="the other half has nobody of the target in it"):
        measure(dataclasses.replace(settings, first=("a", "b")))
