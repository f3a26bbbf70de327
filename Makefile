# `make demo` and `make test` set up what they need in .venv; PYTHON chooses another interpreter (3.10 to 3.12).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS = train,demo,mediapipe,mmpose,deeplabcut,datasets,openvino,tensorrt,triton,docs,dev

# Threads that wait for each other sleep, as in adaptpose-train: see training/commands/command.py.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test test-sdk rehearsal install-test check docs clean
.DEFAULT_GOAL := test

$(VENV)/installed: setup.py constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 12) else f"The full set needs Python 3.10 to 3.12, for which mediapipe and mmpose have wheels; this is {v[0]}.{v[1]}: make PYTHON=python3.11. The SDK alone also runs on 3.13: pip install .")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

demo: $(VENV)/installed
	$(BIN)/python -m demos.adapt

# A process a core, each with one thread: two that share their threads take longer than one after the other.
test: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

# The SDK as `pip install .` brings it, in an environment of its own, on any Python from 3.10: make test-sdk PYTHON=python3.13
SDK_VENV = build/sdk-$(notdir $(PYTHON))
test-sdk:
	$(PYTHON) -m venv --clear $(SDK_VENV)
	$(SDK_VENV)/bin/python -m pip install --quiet ".[test-sdk]" $(WITH)
	$(SDK_VENV)/bin/python -m pytest tests/sdk

# The paper's nine tables and its figures, from first to last, on drawn data: whether all works, not what comes out.
REHEARSAL = build/rehearsal
rehearsal: $(VENV)/installed
	rm -rf $(REHEARSAL)
	$(BIN)/adaptpose-reproduce --rehearse --threads 1 --out $(REHEARSAL)

install-test: $(VENV)/installed
	$(BIN)/python -m pytest -m install

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed
	$(BIN)/mkdocs build

clean:
	rm -rf $(VENV) build *.egg-info
