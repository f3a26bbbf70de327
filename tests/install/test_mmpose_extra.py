"""`pip install ".[mmpose]"` in one command into a new environment, and a detector that works in it.

It downloads a gigabyte and takes a minute or more, so it runs on its own: `make install-test`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USE = """
import warnings
warnings.simplefilter("ignore")
import numpy as np
from sdk.detectors.mmpose.configs import find_config
from sdk.detectors.mmpose.import_shims import import_mmpose
config = "rtmpose-t_8xb1024-700e_body8-halpe26-256x192"
import_mmpose()
import torch
from mmpose.apis import init_model
torch.save(init_model(str(find_config(config)), device="cpu").state_dict(), "random.pth")
from sdk.detectors.detection import Detections
from sdk.detectors.mmpose.detector import open_mmpose_detector
from sdk.skeletons.skeleton import COCO17
from pathlib import Path
class Whole:
    skeleton, identity = COCO17, "whole"
    def __call__(self, image): return Detections.from_keypoints(
        np.float32([[[10, 10], [90, 150]] + [[50, 50]] * 15]), np.ones((1, 17), np.float32), 0.5)
    def reset(self): pass
found = open_mmpose_detector(config, Path("random.pth"), Whole)(np.zeros((160, 100, 3), np.uint8))
print(found.keypoints.shape, np.isfinite(found.keypoints).all())
"""


@pytest.mark.install
def test_one_command_installs_mmpose(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), f"{ROOT}[mmpose]"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([str(python), "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    done = subprocess.run([str(python), "-c", USE], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "(1, 26, 2) True"
