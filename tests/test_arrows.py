"""Imports point one way: training -> sdk, export -> both, demos -> what `sdk` publishes; `sdk` needs neither torch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import sdk

ROOT = Path(__file__).parents[1]
OURS = ("sdk", "training", "export", "demos", "tests", "benchmarks")
MAY_IMPORT = {
    "sdk": {"sdk"},
    "training": {"sdk", "training"},
    "export": {"sdk", "training", "export"},
    "demos": {"sdk", "demos"},
}
TORCH = {"torch", "torchvision", "lightning", "lightning_fabric", "roma"}
TORCH_IN_SDK = "sdk/detectors/mmpose/"
"""Files of the one detector that is a torch program; loaded only when it is asked for."""

FLOORS = {
    "sdk": (
        *("files", "runtime", "workers", "skeletons", "video", "camera", "detectors", "results", "drawing", "tracking"),
        *("keypoint_files", "lifting", "stream", "writers", "pages", "prediction", "commands"),
    ),
    "training": (
        *("files", "datasets", "geometry", "losses", "settings", "lifter", "generator", "discriminators"),
        *("evaluation", "protocols", "motion"),
        *("runs", "target", "cameras", "motion_model", "adversarial", "matching", "adaptation", "report"),
        *("reproduction", "commands"),
    ),
}
"""Packages from the ground up: each imports only those before it, and the files at the top of the folder."""
AT_THE_TOP = {"sdk": {"__init__", "errors", "version"}, "training": {"__init__"}}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@cache
def imports(path: Path) -> list[tuple[int, str]]:
    """Line and dotted name of every import in a file, also of those inside functions."""
    return list(found_imports(path))


def found_imports(path: Path) -> Iterator[tuple[int, str]]:
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *filter(None, [node.module])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def wrong_arrows(folder: str) -> list[str]:
    wrong = []
    for path in files(folder):
        for line, name in imports(path):
            top, *rest = name.split(".")
            place = f"{path.relative_to(ROOT)}:{line} imports {name}"
            if top in OURS and top not in MAY_IMPORT[folder]:
                wrong.append(place)
            if folder == "sdk" and top in TORCH and not path.relative_to(ROOT).as_posix().startswith(TORCH_IN_SDK):
                wrong.append(place)
            if (
                folder == "demos"
                and top == "sdk"
                and rest
                and not (rest[0] == "errors" or rest in [[public] for public in sdk.__all__])
            ):
                wrong.append(f"{place}, which sdk does not publish")
    return wrong


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_point_one_way(folder: str) -> None:
    assert files(folder)
    assert wrong_arrows(folder) == []


def test_wrong_arrows_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    for folder in ("sdk/deep", "demos"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "sdk/deep/a.py").write_text("def f():\n    import torch.nn\n    from ...training import pretrain\n")
    (tmp_path / "demos/b.py").write_text(
        "from sdk import Lifter\nfrom sdk.lifting.windows import WindowBuffer\nimport export.bench\n"
    )
    assert wrong_arrows("sdk") == [
        "sdk/deep/a.py:2 imports torch.nn",
        "sdk/deep/a.py:3 imports training.pretrain",
    ]
    assert wrong_arrows("demos") == [
        "demos/b.py:2 imports sdk.lifting.windows.WindowBuffer, which sdk does not publish",
        "demos/b.py:3 imports export.bench",
    ]


def wrong_floors(folder: str) -> list[str]:
    """Imports of a package further up; with `typing.TYPE_CHECKING` too, for a reader follows those as well."""
    height = {package: floor for floor, package in enumerate(FLOORS[folder])}
    wrong = []
    for path in files(folder):
        package = path.relative_to(ROOT / folder).parts[0]
        for line, name in imports(path):
            top, *rest = name.split(".")
            if top == folder and package in height and rest and height.get(rest[0], -1) > height[package]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    return wrong


@pytest.mark.parametrize("folder", FLOORS)
def test_packages_import_only_those_below(folder: str) -> None:
    assert wrong_floors(folder) == []


def test_an_import_upwards_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "sdk/video").mkdir(parents=True)
    (tmp_path / "sdk/video/source.py").write_text(
        "from sdk.files import downloads\nfrom sdk.stream import pose_stream\n"
    )
    assert wrong_floors("sdk") == ["sdk/video/source.py:2 imports sdk.stream.pose_stream"]


@pytest.mark.parametrize("folder", FLOORS)
def test_every_package_has_a_floor(folder: str) -> None:
    inside = {path.relative_to(ROOT / folder).parts for path in files(folder)}
    assert {parts[0] for parts in inside if len(parts) > 1} == set(FLOORS[folder])
    assert {Path(parts[0]).stem for parts in inside if len(parts) == 1} == AT_THE_TOP[folder]


def test_no_file_is_named_like_a_library() -> None:
    shadowing = {"onnx", "tensorrt", "torch", "code", "types", "utils", "helpers"}
    named = [path for folder in MAY_IMPORT for path in files(folder) if path.stem in shadowing]
    assert named == []
