"""The colours of drawn skeletons: a person's left is orange, the right blue, the middle white (all BGR)."""

from __future__ import annotations

from sdk.skeletons import Skeleton

Colour = tuple[int, int, int]

LEFT: Colour = (43, 145, 255)
RIGHT: Colour = (255, 160, 64)
MIDDLE: Colour = (240, 240, 240)


def joint_colours(skeleton: Skeleton) -> tuple[Colour, ...]:
    """One colour for each joint by the side in its name; told apart by colour-blind people too."""
    sides = {"left": LEFT, "right": RIGHT}
    return tuple(sides.get(joint.split("_")[0], MIDDLE) for joint in skeleton.joints)


def bone_colours(skeleton: Skeleton) -> tuple[Colour, ...]:
    """One colour for each bone: that of its side, or the middle's where it joins two sides."""
    colours = joint_colours(skeleton)
    return tuple(
        colours[child] if colours[parent] in (MIDDLE, colours[child]) else MIDDLE for parent, child in skeleton.bones
    )
