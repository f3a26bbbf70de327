"""The lifters in this package: how they were trained is in weights/README.md, what they reach in docs/lifter.md."""

from __future__ import annotations

from pathlib import Path

DEFAULT_LIFTER = "fast"
SHIPPED_LIFTERS = {name: Path(__file__).with_name("weights") / f"{name}.onnx" for name in ("fast", "base")}
"""`fast`: 27 frames, 256 channels. `base`: 27 frames, 512 channels. Beside each lies its streaming form."""
