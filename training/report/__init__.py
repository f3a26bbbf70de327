"""Makes `report.html`: one file that shows what an adaptation did and opens offline."""

from training.report.content import (
    LossCurve,
    MetricRow,
    MotionPair,
    ReportContent,
    SkippedVideo,
    TargetClip,
    TargetSample,
    TargetVideo,
    Viewpoints,
)
from training.report.viewpoints import body_viewpoint
from training.report.writing import write_report

__all__ = [
    "LossCurve",
    "MetricRow",
    "MotionPair",
    "ReportContent",
    "SkippedVideo",
    "TargetClip",
    "TargetSample",
    "TargetVideo",
    "Viewpoints",
    "body_viewpoint",
    "write_report",
]
