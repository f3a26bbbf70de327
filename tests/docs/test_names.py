"""What the documentation names exists: files, folders, modules, and pages that README and CONTRIBUTING link to."""

from __future__ import annotations

import importlib
import importlib.util
import re

import pytest

import sdk
from tests.docs.pages import README, ROOT, SITE, WEIGHTS, inline_code

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
FOLDERS = "sdk|training|export|demos|benchmarks|tests|docs"
_PATH = re.compile(rf"(?<![\w/.-])(?:{FOLDERS})/[\w./*-]*")
_MODULE = re.compile(rf"(?<![\w/.-])(?:{FOLDERS})(?:\.[A-Za-z_]\w*)+(?![\w/]|\.\w)")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PAGES = [README, CONTRIBUTING, WEIGHTS, *SITE]


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or can be got out of one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.util.find_spec(".".join(parts[:end])) is not None
        except ModuleNotFoundError:
            continue
        if found:
            value = importlib.import_module(".".join(parts[:end])) if end < len(parts) else None
            for part in parts[end:]:
                if not hasattr(value, part):
                    return False
                value = getattr(value, part)
            return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_and_modules_exist(page):
    gone = []
    for line, code in inline_code(page):
        for path in _PATH.findall(code):
            if not list(ROOT.glob(path.rstrip("/.").replace("NAME", "*"))):
                gone.append(f"{page.name}:{line}: {path}")
        for name in _MODULE.findall(code):
            if not re.search(r"\.(md|py|png|npz|onnx|pt|json)$", name) and not exists(name):
                gone.append(f"{page.name}:{line}: {name}")
    assert not gone, "\n".join(gone)


@pytest.mark.parametrize(
    "page", [README, CONTRIBUTING, WEIGHTS, ROOT / "SECURITY.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_somewhere(page):
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_reference_has_every_public_name():
    described = [
        name
        for page in (ROOT / "docs" / "api").glob("*.md")
        for name in re.findall(r"^::: sdk\.(\w+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert sorted(described) == sorted(set(sdk.__all__) - {"__version__", "errors", "AdaptPoseError"})
    errors = re.findall(r"^::: sdk\.errors\.(\w+)$", (ROOT / "docs/api/errors.md").read_text(), re.MULTILINE)
    assert sorted(errors) == sorted(
        name for name, value in vars(sdk.errors).items() if isinstance(value, type) and value.__module__ == "sdk.errors"
    )


def test_readme_is_a_front_door():
    assert len(README.read_text(encoding="utf-8").splitlines()) < 150
