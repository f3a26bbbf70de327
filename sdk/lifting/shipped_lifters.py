"""The lifters in this package, by name. A file of its own because `--help` reads it, and must not import numpy."""

from __future__ import annotations

from pathlib import Path

DEFAULT_LIFTER = "fast"
LIFTER_WITH_FEET = "feet"

SHIPPED_LIFTERS = {name: Path(__file__).parents[1] / "weights" / f"{name}.onnx" for name in ("fast", "base", "feet")}
"""`fast`: 27 frames, 256 channels. `base`: 27 frames, 512 channels. `feet`: as `fast`, with heels and toes;
it also tells how sure it is, which way is up, and which feet stand. The streaming graph of each is in the same folder.
"""
