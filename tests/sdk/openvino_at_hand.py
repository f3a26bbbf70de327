"""Skips tests where OpenVINO is not installed, without importing it: an import by the tests would send telemetry."""

from importlib.util import find_spec

import pytest

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
