"""`import sdk` is light, publishes what it lists, and lifts where torch does not exist."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sdk
from tests.sdk.linear_lifter import write_linear_lifter

ROOT = Path(__file__).parents[2]


def fresh(program: str, *words: object) -> str:
    """Run a program in a new interpreter; return what it prints."""
    command = [sys.executable, "-c", program, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_brings_nothing_heavy() -> None:
    program = "import sys, sdk; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = fresh(program)
    for heavy in ("numpy", "cv2", "onnxruntime", "supervision", "torch", "mediapipe", "tyro"):
        assert f"'{heavy}'" not in loaded


@pytest.mark.parametrize("name", sdk.__all__)
def test_every_published_name_is_there(name: str) -> None:
    assert getattr(sdk, name) is not None


def test_other_names_are_refused_with_the_choices() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'Lifters'\. It publishes: .*Lifter,"):
        sdk.Lifters  # noqa: B018


def test_type_checkers_see_what_is_published() -> None:
    """The stub is the one list; each name in it once, under its own name, out of the module that defines it."""
    import ast

    tree = ast.parse((ROOT / "sdk" / "__init__.pyi").read_text(encoding="utf-8"))
    lines = [(node.module, alias) for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert all(alias.asname == alias.name for _, alias in lines)  # else type checkers take it for private
    names = [alias.name for _, alias in lines]
    assert sorted(names) == sorted(sdk.__all__)
    assert len(set(names)) == len(names)
    for module, alias in lines:
        published = getattr(sdk, alias.name)
        home = getattr(published, "__module__", f"sdk.{module}")
        assert home == "typing" or home.startswith(f"sdk.{module}"), alias.name


@pytest.mark.parametrize(
    ("old", "new"),
    [("LifterCard", "LifterMetadata"), ("SharedLook", "ParallelDetector"), ("BadPicture", "BadImage")],
)
def test_names_of_before_still_import(old: str, new: str) -> None:
    assert getattr(sdk, old) is getattr(sdk, new)


@pytest.mark.parametrize(
    "name", [name for name, value in vars(sdk.errors).items() if getattr(value, "__module__", "") == "sdk.errors"]
)
def test_errors_import_from_sdk_as_before(name: str) -> None:
    assert getattr(sdk, name) is getattr(sdk.errors, name)


def test_sdk_lifts_video_with_torch_blocked(tmp_path: Path) -> None:
    from tests.sdk.stick_figures import walk, write_video

    write_linear_lifter(tmp_path / "linear.onnx")
    people = [(k,) for k in walk(20, (100, 60), (1, 0))]
    write_video(tmp_path / "walk.mp4", people)
    program = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "training", "export", "demos"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, NoTorch())
import numpy as np, sdk
from tests.sdk.stick_figures import KnowingDetector, walk
lifter = sdk.Lifter(sys.argv[1])
people = [(k,) for k in walk(20, (100, 60), (1, 0))]
with sdk.PoseStream(sys.argv[2], KnowingDetector(people), lifter, smoothing=None) as stream:
    poses = [frame.people[0].joints_m for frame in stream]
expected = lifter(np.stack([k for (k,) in people]), image_size=(320, 240), skeleton="coco17", fps=25.0)
print(len(poses), np.allclose(poses, expected, atol=1e-5), "torch" in sys.modules)
"""
    assert fresh(program, tmp_path / "linear.onnx", tmp_path / "walk.mp4") == "20 True False\n"
