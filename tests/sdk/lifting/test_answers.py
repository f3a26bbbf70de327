"""Answers as rows: packed and read back, and those of mirrored people."""

import numpy as np
import pytest

from sdk.errors import BadModelFile
from sdk.lifting.answers import FEET_IN_CONTACT, AnswerForm
from sdk.lifting.model_metadata import LifterMetadata
from sdk.skeletons.skeleton import H36M16, H36M20

MORE = LifterMetadata(skeleton="h36m20", input_channels=3, tells_more=True)


def outputs(metadata, people=5):
    random = np.random.default_rng(0)
    shapes = AnswerForm(metadata).outputs.values()
    return [random.random((people, *shape)).astype(np.float32) for shape in shapes]


def test_rows_are_read_back_as_they_were_packed():
    form, told = AnswerForm(MORE), outputs(MORE)
    rows = form.packed(told)
    assert rows.shape == (5, form.size)
    answer = form.unpacked(rows)
    np.testing.assert_array_equal(answer.joints_m, told[0])
    np.testing.assert_array_equal(answer.deviations_m, told[1])
    np.testing.assert_array_equal(answer.up, told[2])
    np.testing.assert_array_equal(answer.up_deviation_rad, told[3][:, 0])
    np.testing.assert_array_equal(answer.contact, told[4])
    np.testing.assert_array_equal(form.joints_m(rows), told[0])
    one = form.unpacked(rows[2])
    np.testing.assert_array_equal(one.up, told[2][2])
    assert one.joints_m.shape == (20, 3)


def test_sixteen_joints_tell_nothing_else():
    form = AnswerForm(LifterMetadata())
    assert list(form.outputs) == ["joints"]
    answer = form.unpacked(form.packed(outputs(LifterMetadata())))
    assert answer.joints_m.shape == (5, 16, 3)
    assert answer.up is None
    assert answer.contact is None


@pytest.mark.parametrize("metadata", [LifterMetadata(), MORE])
def test_mirrored_twice_is_as_before(metadata):
    form = AnswerForm(metadata)
    rows = form.packed(outputs(metadata))
    assert not np.array_equal(form.mirrored(rows), rows)
    np.testing.assert_array_equal(form.mirrored(form.mirrored(rows)), rows)


def test_a_mirrored_answer_by_hand():
    form = AnswerForm(MORE)
    rows = form.packed(outputs(MORE))
    answer, mirrored = form.unpacked(rows), form.unpacked(form.mirrored(rows))
    left, right = H36M20.index("left_toe"), H36M20.index("right_toe")
    np.testing.assert_array_equal(mirrored.joints_m[:, left], answer.joints_m[:, right] * [-1, 1, 1])
    np.testing.assert_array_equal(mirrored.deviations_m[:, left], answer.deviations_m[:, right])
    np.testing.assert_array_equal(mirrored.up, answer.up * [-1, 1, 1])
    toes = [FEET_IN_CONTACT.index(joint) for joint in ("left_toe", "right_toe")]
    np.testing.assert_array_equal(mirrored.contact[:, toes[0]], answer.contact[:, toes[1]])


def test_who_tells_of_feet_has_feet():
    with pytest.raises(BadModelFile, match="a lifter that tells which feet stand has poses of h36m20, not h36m16"):
        LifterMetadata(tells_more=True)
    with pytest.raises(BadModelFile, match="poses are h36m16 or h36m20, not coco17"):
        LifterMetadata(skeleton="coco17")
    assert len(H36M16) == 16
