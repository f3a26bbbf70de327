"""AdaptPose: packages, command lines, and what each dependency is for.

Ranges are for users; `constraints.txt` pins the set that the tests run against.
"""

from pathlib import Path

from setuptools import find_packages, setup

# The SDK on a CPU: what `pip install adaptpose` brings. No torch.
RUNTIME = [
    "numpy>=1.26",  # arrays
    "lazy_loader>=0.4",  # `import sdk` loads nothing until it is used; one list for run time and type checkers
    "opencv-python>=4.9",  # video in and out, resizing, drawing
    "onnx>=1.16",  # MoveNet's weights are turned into ONNX at first use
    "onnxruntime>=1.20",  # runs the lifter and ONNX detectors
    "supervision>=0.26,<0.28",  # ByteTrack; 0.28 deprecates it, its successor `trackers` needs numpy 2 (mmpose: < 2)
    "tyro>=0.9",  # command lines from dataclasses
    "rich>=13",  # progress bars and tables
    "platformdirs>=4",  # where caches live
]
EXTRAS = {
    # The lifter on an NVIDIA GPU. It shares a folder with onnxruntime: uninstall that one afterwards, then install
    # onnxruntime-gpu again (README).
    "gpu": ["onnxruntime-gpu>=1.20"],
    # --device openvino: 2D detectors on recent Intel and AMD processors, in little more than half of the time.
    "openvino": ["openvino>=2024.4"],
    # adaptpose-export --trt: engines are built by TensorRT for RTX, which needs no GPU to build.
    "tensorrt": [
        "tensorrt-rtx>=1.2",
        "polygraphy>=0.49.20",  # NVIDIA's build and run steps for TensorRT
        "nvidia-ml-py>=12",  # names the GPU, so that an engine for another one is refused
    ],
    # The same with TensorRT proper (--builder tensorrt), whose engines Triton runs; builds on a GPU only.
    "tensorrt-proper": ["tensorrt>=10", "polygraphy>=0.49.20", "nvidia-ml-py>=12"],
    # adaptpose-export --triton: the server's own protobufs write its configurations.
    "triton": ["tritonclient[grpc]>=2.51"],
    "train": [
        "torch>=2.5",
        "onnxscript>=0.3",  # torch.onnx's exporter
        "roma>=1.5",  # rotations
        "scipy>=1.10",  # Euler angles in any order, of Acclaim files
        "lightning-fabric>=2.4",  # devices, several GPUs
        "tensorboard>=2.17",  # training curves
        "plotly>=6",  # report.html
        "pybvh>=0.9",  # BVH motion files as source
        # Carries real clips (motion capture, humanoid3d_*.txt): --source pybullet, and what exports without target are
        # compared on. It has no wheel for Python 3.12, where they come out of the wheel for 3.11.
        "pybullet>=3.2.5 ; python_version < '3.12'",
    ],
    # Any mmpose config and checkpoint as the 2D detector; installs without a compiler. xtcocotools has no wheel for
    # Python 3.12: there mmpose comes at first use, without it (sdk/detectors/mmpose/import_shims.py). Numpy 1 has no
    # wheel for Python 3.13: there the extra brings nothing to run, and sdk.errors.MissingDependency says why.
    "mmpose": [
        "mmpose==1.3.2 ; python_version < '3.12'",
        # Newer ones are CUDA builds of 6 GB on Linux, and so is any that the resolver moves to for torchvision's sake.
        "torch>=2.5,<=2.13.0 ; python_version < '3.13'",
        "torchvision>=0.20 ; python_version < '3.13'",
        "onedl-mmcv>=2.3.6 ; python_version < '3.13'",  # mmcv as a plain wheel
        "onedl-mmengine>=0.10.12 ; python_version < '3.13'",  # runs with current setuptools and weights_only loading
        "chumpy==0.66 ; python_version < '3.12'",  # later ones import pip while they build
        "xtcocotools==1.14.3 ; python_version < '3.12'",
        "numpy<2 ; python_version < '3.13'",  # xtcocotools is compiled against numpy 1
        "six",  # chumpy needs it and does not say so
        "PyYAML>=6",  # mmpose's list of weights
        # What mmpose needs, where pip does not install it.
        "pycocotools>=2.0.7 ; python_version == '3.12'",
        "json_tricks ; python_version == '3.12'",
        "munkres ; python_version == '3.12'",
        "scipy ; python_version == '3.12'",
        "matplotlib ; python_version == '3.12'",
    ],
    # BlazePose as the 2D detector: a wheel that carries its weights (Apache-2.0; later versions bundle none). It brings
    # jax, and has no wheel for Python 3.13.
    "mediapipe": ["mediapipe==0.10.21 ; python_version < '3.13'"],
    # DeepLabCut's HDF5 keypoint files.
    "deeplabcut": ["h5py>=3.8"],
    # adaptpose-data: the paper's data sets in their official files, and derived ones.
    "datasets": [
        "cdflib>=1.3",  # Human3.6M's CDF files, in pure Python
        "scipy>=1.10",  # 3DHP's annot.mat; cameras by least squares
        "h5py>=3.8",  # 3DHP's annot_data.mat and Ski-Pose's labels.h5
        "matplotlib>=3.8",  # adaptpose-data show
    ],
    # --address: many videos on a Ray cluster. 70 MB to fetch: `make` leaves it out, its tests are skipped without it.
    "ray": ["ray>=2.40"],
    # Videos in object stores; each kind needs its own package beside it: s3fs, gcsfs, huggingface_hub.
    "remote": ["fsspec>=2023.10"],
    # Live demos.
    "demo": ["viser>=1.1"],  # demos.viewer: 3D in the browser
    # make docs: the site under docs/.
    "docs": [
        "mkdocs-material>=9.5",
        "mkdocstrings[python]>=0.26",  # the API reference, out of the docstrings
    ],
    # make test-sdk: what the SDK's tests need beside it; no torch, on any Python.
    "test-sdk": [
        "pytest>=8",
        "scipy>=1.10",  # rotations, to check ours
        "onnx>=1.16",  # writes small graphs
        "ezc3d>=1.5",  # readers of what we write
        "c3d>=0.5",
        "trc-data-reader>=0.4",
        "pybvh>=0.9",
    ],
    "dev": [
        "pytest>=8",
        "pytest-xdist>=3.6",  # make test: a process a core
        "ruff>=0.6",
        "mypy>=1.11",
        "ezc3d>=1.5",  # reads what we write as C3D
        "c3d>=0.5",  # likewise, where a recording is long
        "trc-data-reader>=0.4",  # reads what we write as TRC
        "websockets>=13",  # drives the browser that tests look at demos.viewer with
        "pandas>=1.5,<2.3",  # with tables: writes DeepLabCut's files as DeepLabCut does; later ones need numpy 2
        "tables>=3.8",
        "setuptools>=77",  # builds the package whose licence fields a test reads
    ],
}

setup(
    name="adaptpose",
    version=next(
        line.split('"')[1]
        for line in Path(__file__).with_name("sdk").joinpath("version.py").read_text().splitlines()
        if line.startswith("__version__")
    ),
    description="From a folder of videos to a live, adapted 3D human pose lifter (AdaptPose, CVPR 2022).",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    python_requires=">=3.10",
    classifiers=[
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (10, 11, 12, 13)),
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
    packages=find_packages(include=["sdk*", "training*", "export*", "demos*"]),
    package_data={
        "sdk": ["weights/*", "skeletons/*.json", "pages/*.css", "pages/*.js", "py.typed", "*.pyi"],
        "training": ["weights/*", "report/*.js"],
    },
    install_requires=RUNTIME,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "adaptpose-train=training.commands.command:main",
            "adaptpose-data=training.commands.data_command:main",
            "adaptpose-reproduce=training.commands.reproduce_command:main",
            "adaptpose-evaluate=training.commands.evaluate_command:main",
            "adaptpose-export=export.command:main",
            "adaptpose-live=sdk.commands.live_command:main",
            "adaptpose-predict=sdk.commands.predict_command:main",
        ]
    },
)
