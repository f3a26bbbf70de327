"""The programs that motion files are for read ours, with gaps and late starters: OpenSim, Blender and bvhsdk from PyPI.

They are half a gigabyte, so this runs on its own: `make install-test`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sdk.skeletons.skeleton import COCO17, H36M16
from sdk.writers.factory import open_writer
from tests.sdk.writers.walking import person, result, rigid_pose
from training.motion.readers.bvh_motion import read_bvh

Y_UP = np.array([1, -1, -1])
FRAMES, GAP, LATE = 100, range(30, 55), 40
"""Person 1 is away in the gap, person 2 comes late."""

OPENSIM = """
import json, sys, opensim
opensim.Logger.setLevelString("warn")
told = {}
for path in sys.argv[1:]:
    table = opensim.TimeSeriesTableVec3(path)
    times, wrist = table.getIndependentColumn(), table.getDependentColumn("left_wrist")
    told[path] = [[times[i], *(wrist[i][k] for k in range(3))] for i in range(table.getNumRows())]
    assert opensim.MarkerData(path).getNumFrames() == table.getNumRows()
print(json.dumps(told))
"""
BVHSDK = """
import json, sys, bvhsdk
print(json.dumps({path: bvhsdk.ReadFile(path).frames for path in sys.argv[1:]}))
"""
BLENDER = """
import json, sys, bpy
told = {}
for path in sys.argv[1:]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_anim.bvh(filepath=path, axis_forward="-Z", axis_up="Y", frame_start=1, update_scene_fps=True)
    skeleton = bpy.context.object
    last = int(skeleton.animation_data.action.frame_range[1])
    told[path] = [last, bpy.context.scene.render.fps, sorted(bone.name for bone in skeleton.data.bones)]
    bpy.ops.export_anim.bvh(filepath=path + ".blender.bvh", frame_start=1, frame_end=last, root_transform_only=False)
print("\\n" + json.dumps(told))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the readers."""
    folder = tmp_path_factory.mktemp("readers") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    found = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [str(found), "-m", "pip", "install", "--quiet", "--only-binary=:all:", "bpy", "opensim==4.6"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    subprocess.run([str(found), "-m", "pip", "install", "--quiet", "bvhsdk"], check=True)
    return found


def read(python: Path, program: str, *paths: Path) -> dict[str, list]:
    done = subprocess.run([str(python), "-c", program, *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{"))
    return {Path(path).name: value for path, value in json.loads(told).items()}


def written(folder: Path, suffix: str) -> list[Path]:
    with open_writer(folder / f"walk{suffix}", COCO17, (64, 48), 25.0) as writer:
        for t in range(FRAMES):
            people = [person(1, rigid_pose(t))] if t not in GAP else []
            people += [person(2, rigid_pose(t))] if t >= LATE else []
            writer.write(result(t, t / 25, *people))
    return writer.paths


@pytest.mark.install
def test_opensim_reads_markers_with_gaps_and_late_starters(python: Path, tmp_path: Path) -> None:
    told = read(python, OPENSIM, *written(tmp_path, ".trc"))
    wrist = H36M16.index("left_wrist")
    for name, first, gap in (("walk_person1.trc", 0, GAP), ("walk_person2.trc", LATE, ())):
        table = np.array(told[name], float)
        np.testing.assert_allclose(table[:, 0], np.arange(first, FRAMES) / 25, atol=1e-6)
        expected = [np.full(3, np.nan) if t in gap else rigid_pose(t)[wrist] * Y_UP for t in range(first, FRAMES)]
        np.testing.assert_allclose(table[:, 1:], expected, atol=1e-5)


@pytest.mark.install
def test_bvhsdk_reads_every_frame(python: Path, tmp_path: Path) -> None:
    assert read(python, BVHSDK, *written(tmp_path, ".bvh")) == {f"walk_person{i}.bvh": FRAMES for i in (1, 2)}


@pytest.mark.install
def test_blender_reads_every_frame_and_what_it_exports_is_source_motion(python: Path, tmp_path: Path) -> None:
    paths = written(tmp_path, ".bvh")
    told = read(python, BLENDER, *paths)
    for path in paths:
        assert told[path.name] == [FRAMES, 25, sorted(H36M16.joints)]
        ours, _ = read_bvh(path, "ours", "y")
        blender, _ = read_bvh(path.with_name(f"{path.name}.blender.bvh"), "Blender's", "z")
        np.testing.assert_allclose(blender.joints_world_m, ours.joints_world_m, atol=1e-4)
