"""The SDK's tests run where there is no torch (`make test-sdk`), but for files that compare it with the torch twin."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

_NEEDS_TORCH = re.compile(r"^(import|from) (torch|training|export|tests\.lifters)\b", re.MULTILINE)

collect_ignore = (
    []
    if find_spec("torch")
    else [str(path) for path in Path(__file__).parent.rglob("test_*.py") if _NEEDS_TORCH.search(path.read_text())]
)

MODELS = Path(__file__).parents[3] / "shared" / "models"


@pytest.fixture
def movenet_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with MoveNet's weights, for child processes too: `open_detector("movenet")` needs no network."""
    from sdk.files.downloads import CACHE_VARIABLE, weights_folder

    files = {f"movenet-{variant}.onnx" for variant in ("multipose", "thunder", "lightning")}
    there = next((one for one in (MODELS, weights_folder()) if all((one / name).is_file() for name in files)), None)
    if there is None:
        pytest.skip("needs MoveNet's weights: of the folder shared/ beside the checkout, or in the user's cache")
    cache = tmp_path_factory.mktemp("cache")
    (cache / "weights").mkdir()
    for name in files:
        (cache / "weights" / name).symlink_to(there / name)
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    return cache
