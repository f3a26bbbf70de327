"""What is installed says under which licence it may be used."""

import email
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CMU = "The data used in this project was obtained from mocap.cs.cmu.edu."


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """A wheel and an sdist of the package's metadata, built as pip builds them, without most of the code."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "sdk/version.py", "sdk/__init__.py"):
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    build = "from setuptools import build_meta as b; b.build_wheel('out'); b.build_sdist('out')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    return source / "out"


def test_wheel_says_apache_and_carries_both_files(archives):
    (path,) = archives.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
        metadata = email.message_from_bytes(wheel.read(f"{info}/METADATA"))
        assert metadata["License-Expression"] == "Apache-2.0"
        assert metadata.get_all("License-File") == ["LICENSE", "NOTICE"]
        assert b"Apache License" in wheel.read(f"{info}/licenses/LICENSE")
        assert CMU.encode() in wheel.read(f"{info}/licenses/NOTICE")


def test_sdist_carries_both_files(archives):
    (path,) = archives.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        assert {Path(name).name for name in sdist.getnames()} >= {"LICENSE", "NOTICE"}


def test_citation_names_this_version_and_the_paper():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    version = (ROOT / "sdk" / "version.py").read_text(encoding="utf-8")
    assert f'"{citation["version"]}"' in version
    assert citation["license"] == "Apache-2.0"
    (paper,) = citation["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["Gholami", "Wandt", "Rhodin", "Ward", "Wang"]
    assert paper["year"] == 2022
