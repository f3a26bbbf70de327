from sdk.detectors.detection import Detections, Detector
from sdk.detectors.opening import open_detector
from sdk.detectors.specification import DETECTOR_SPECS

__all__ = ["DETECTOR_SPECS", "Detections", "Detector", "open_detector"]
