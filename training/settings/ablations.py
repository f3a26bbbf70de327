"""The variants of the method that the paper's tables 5 to 8 compare. No heavy import here.

The paper does not define all rows. Here, rows without the domain discriminator (DD) have a 2D discriminator on the
source instead, and do not lift the target, so that they see nothing of it. Rows without bone generation (BG) keep the
directions and lengths of bones. Rows without camera generation (Cam) keep the source's cameras.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from training.settings.method import RECIPES, Method

_PAPER = RECIPES["paper"]
_NO_BONES: dict[str, Any] = {"bone_rotation": "none", "bone_lengths": False}
_NO_CAMERA: dict[str, Any] = {"camera": "none"}
_NO_DOMAIN: dict[str, Any] = {"real_2d": "source", "reprojection": 0.0}
_NO_SELECTION: dict[str, Any] = {"selection": None}


@dataclass(frozen=True)
class Variant:
    """The changes of a row.

    Attributes:
        changes: Changed fields of the paper's `Method`.
        filter_widths: Filter widths of the lifter.
    """

    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    filter_widths: tuple[int, ...] = (3, 3, 3)

    @property
    def method(self) -> Method:
        """All constants of the variant."""
        return dataclasses.replace(_PAPER, **self.changes)


VARIANTS = {
    "paper": Variant(),
    "bones": Variant(_NO_CAMERA | _NO_DOMAIN | _NO_SELECTION),
    "camera": Variant(_NO_BONES | _NO_DOMAIN | _NO_SELECTION),
    "bones-camera": Variant(_NO_DOMAIN | _NO_SELECTION),
    "camera-domain-selection": Variant(_NO_BONES),
    "bones-camera-domain": Variant(_NO_SELECTION),
    "bg1": Variant({"bone_rotation": "bg1"}),
    "bg2": Variant({"bone_rotation": "bg2"}),
    "deterministic": Variant({"camera": "deterministic"}),
    "quaternion": Variant({"camera_rotation": "quaternion"}),
    "euler": Variant({"camera_rotation": "euler"}),
    "1-frame": Variant({}, (1, 1, 1)),
}
"""Every run by name. `paper` is in all four tables."""
