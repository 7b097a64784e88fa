# The verbs of this project. Each one sets up what it needs; a second call starts at once.
#   make demo    train the demo model and draw its attention
#   make test    run the tests
#   make coverage  the same, and which lines and branches they reach
#   make lint    check style, formatting and types
#   make bench   measure beside peers, and print the figures (hours; the scripts in benchmarks/ run alone too)
# Another Python: make test PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install
TORCH_CPU := https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint format bench clean

help:
	@sed -n '2,7s/^# *//p' Makefile

demo: $(VENV)/.runtime
	$(BIN)/seqloom demo

test: $(VENV)/.development
	$(BIN)/python -m pytest -n auto --dist loadfile

coverage: $(VENV)/.development
	$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-fail-under=90

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.development
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/store_open.py
	$(BIN)/python benchmarks/translation.py
	$(BIN)/python benchmarks/tokenizing.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/quality.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .coverage*

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Seqloom needs Python 3.11 or newer, and '$(PYTHON)' is not." \
	       "Name another one: make $(or $(MAKECMDGOALS),test) PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# PyTorch's default build for Linux carries 3 GB of CUDA libraries, so without a GPU the processor
# build is taken from its own index; where that index cannot be reached, the ordinary one serves.
$(VENV)/.torch: constraints.txt | $(BIN)/python
	@set -e; if nvidia-smi >/dev/null 2>&1; then index=; \
	elif $(BIN)/python -c 'import torch' 2>/dev/null; then index=; \
	elif $(BIN)/python -c 'import sys, urllib.request as web; web.urlopen(sys.argv[1], timeout=5)' \
	  $(TORCH_CPU)/torch/ 2>/dev/null; then index="--extra-index-url $(TORCH_CPU)"; \
	else index=; fi; \
	$(PIP) --quiet -c constraints.txt torch $$index || $(PIP) -c constraints.txt torch
	@touch $@

$(VENV)/.runtime: pyproject.toml $(VENV)/.torch
	$(PIP) --quiet -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.development: pyproject.toml $(VENV)/.torch
	$(PIP) --quiet -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.runtime
