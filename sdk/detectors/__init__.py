from sdk.detectors.detection import Detections, Detector
from sdk.detectors.factory import DETECTOR_SPECS, open_detector

__all__ = ["DETECTOR_SPECS", "Detections", "Detector", "open_detector"]
