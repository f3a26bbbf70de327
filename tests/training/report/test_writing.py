"""The whole report: complete, self-contained, escaped, and written in one step."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from sdk.pages.page import MINUS
from tests.training.report.examples import NOTHING, Page, clip, content, numbered_video, sample
from training.report import LossCurve, MetricRow, MotionPair, SkippedVideo, TargetVideo, write_report

EVIL = "<script>alert(1)</script>.mp4"


@pytest.fixture(scope="module")
def library():
    return get_plotlyjs()


def written(tmp_path, report, library):
    """The page as a browser reads it, without the library, which is there once."""
    path = tmp_path / "report.html"
    write_report(report, path)
    html = path.read_text(encoding="utf-8")
    assert html.count(library) == 1
    return Page(html.replace(library, ""))


def test_all_numbers_and_names_are_there(tmp_path, library):
    text = written(tmp_path, content(), library).text
    for expected in (
        "ski-run-7", "adaptpose-train --target videos/ski --seed 1234", "detector", "mediapipe", "51", "1.26.4", "1234",
        "a machine with 2 cores", "12.3 minutes", "2025-03-01 14:05",
        "Source error", "57.3", "48.9", f"{MINUS}8.4", f"{MINUS}14.6", "Held out.",
        "Symmetry", "0.512", "0.256", f"{MINUS}0.256",
        "walk.mp4#1 · frame 3", "jump 3 · 1.04 s", "walk.mp4", "1,234", "61.7", "run.mp4", "66", "3.3", "1,300", "65.0",
        "notes.mp4", "not a video", "Little target.", "People taken: the largest (--people largest).",
    ):  # fmt: skip
        assert expected in text


def test_never_claims_accuracy_on_the_target(tmp_path, library):
    for report in (content(), NOTHING):
        assert "no number here is accuracy on the target" in written(tmp_path, report, library).text


@pytest.mark.parametrize("report", [content(), NOTHING], ids=["full", "empty"])
def test_nothing_is_loaded_from_elsewhere(tmp_path, library, report):
    page = written(tmp_path, report, library)
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    styles = page.styles + [attributes.get("style") or "" for _, attributes in page.tags]
    assert not any(word in style for style in styles for word in ("url(", "@import", "http"))
    assert not any(word in script for script in page.scripts for word in ("fetch(", "XMLHttpRequest", "import("))
    policy = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert "default-src 'none'" in policy[0]
    assert "http" not in policy[0]


def test_file_names_are_text_and_never_markup(tmp_path, library):
    report = content(
        title=EVIL,
        command=EVIL,
        config={EVIL: EVIL},
        versions={EVIL: EVIL},
        machine=EVIL,
        finished_at=EVIL,
        metrics=(MetricRow(EVIL, EVIL, 1.0, 2.0, EVIL),),
        samples=(sample(name=EVIL),),
        clip=clip(name=EVIL),
        motions=tuple(MotionPair(EVIL, m.source_m, m.generated_m, 25.0) for m in content().motions),
        curves=tuple(LossCurve(EVIL, c.group, c.steps, c.values) for c in content().curves),
        videos=(TargetVideo(EVIL, 1, 2, 3.0),),
        skipped=(SkippedVideo(EVIL, EVIL),),
        warnings=(EVIL,),
    )
    harmless = written(tmp_path, content(), library)
    page = written(tmp_path, report, library)
    assert len(page.scripts) == len(harmless.scripts)
    assert not any("<script>" in script for script in page.scripts)
    assert page.text.count(EVIL) >= 14


def test_file_names_of_any_bytes_are_written(tmp_path, library):
    name = os.fsdecode(b"caf\xe9.mp4")
    write_report(content(skipped=(SkippedVideo(name, f"{name} is no video"),)), tmp_path / "report.html")
    assert r"caf\xe9.mp4 is no video" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_reader_without_content_is_told_so(tmp_path, library):
    text = written(tmp_path, NOTHING, library).text
    for expected in (
        "No numbers were measured", "No target frames", "No part of the target", "No viewpoints",
        "No generated motions", "No training curves", "No videos.", "Nothing was skipped.",
    ):  # fmt: skip
        assert expected in text
    assert "Please note" not in text


def test_images_come_from_the_video(tmp_path, library):
    video = tmp_path / "walk.mp4"
    times = numbered_video(video, 8)
    with_video = content(
        samples=(sample(video=video, timestamp_s=times[3]),), clip=clip(video=video, timestamps_s=clip().timestamps_s)
    )
    page = written(tmp_path, with_video, library)
    images = [a["href"] for tag, a in page.tags if tag == "image" and "href" in a]
    assert len(images) == 1
    assert images[0].startswith("data:image/jpeg;base64,")
    player = next(script for script in page.scripts if script.startswith("playTarget"))
    assert player.count("data:image/jpeg;base64,") == 5
    assert "could not be read again" not in page.text

    without = written(tmp_path, content(), library)
    assert not any(tag == "image" and "href" in a for tag, a in without.tags)
    assert "2D joints" in without.text


def test_a_video_that_is_gone_is_said_to_be(tmp_path, library):
    gone = tmp_path / "gone.mp4"
    text = written(tmp_path, content(samples=(sample(video=gone),), clip=clip(video=gone)), library).text
    assert "could not be read again from the video: walk.mp4#1, frame 3" in text
    assert "5 images could not be read again" in text


def test_same_content_same_file(tmp_path):
    paths = [tmp_path / "a.html", tmp_path / "b.html"]
    for path in paths:
        write_report(content(), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_failed_write_leaves_the_old_report(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_report(replace(NOTHING, title="a lone surrogate \ud800"), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_without_torch(tmp_path):
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from tests.training.report.examples import content\n"
        "from training.report import write_report\n"
        "write_report(content(), Path(sys.argv[1]))\n"
    )
    checkout = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "report.html")], check=True, cwd=checkout)
    assert (tmp_path / "report.html").exists()
