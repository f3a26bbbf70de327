"""The SDK's tests run where there is no torch (`make test-sdk`), but for files that compare it with the torch twin."""

import re
from importlib.util import find_spec
from pathlib import Path

_NEEDS_TORCH = re.compile(r"^(import|from) (torch|training|export|tests\.lifters)\b", re.MULTILINE)

collect_ignore = (
    []
    if find_spec("torch")
    else [str(path) for path in Path(__file__).parent.rglob("test_*.py") if _NEEDS_TORCH.search(path.read_text())]
)
