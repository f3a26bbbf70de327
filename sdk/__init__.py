"""AdaptPose's SDK: from video or 2D keypoints to 3D poses, without torch.

`__init__.pyi` lists what is published. Names are loaded when they are first used, so `import sdk` is quick and brings
neither OpenCV nor ONNX Runtime. Errors are in `sdk.errors`.
"""

import lazy_loader

_load, _list, __all__ = lazy_loader.attach_stub(__name__, __file__)
_OLD_NAMES = {"LifterCard": "LifterMetadata", "SharedLook": "ParallelDetector", "BadPicture": "BadImage"}
"""Names of 0.1's development that programs may still import."""


def __getattr__(name: str) -> object:
    name = _OLD_NAMES.get(name, name)
    if name in __all__:
        return _load(name)
    errors = _load("errors")
    if hasattr(errors, name):  # `from sdk import BadVideo`, as before there was sdk.errors
        return getattr(errors, name)
    raise AttributeError(f"module 'sdk' has no attribute {name!r}. It publishes: {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return _list()
