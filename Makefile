# make demo | test | test-long | check | docs | browser       Set-up happens by itself, once (see .ci/setup for PYTHON=, TORCH=, PIP_ARGS=).
SHELL := /bin/bash
BIN := .venv/bin
WORKERS ?= 2
ISSUE ?= 13
# One thread a worker: two workers with two threads each on two cores wait for each other.
LIMITS := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
export PYTHON TORCH PIP_ARGS SKIP_WAIT

.PHONY: help setup demo test test-long check fix docs browser build clean
help:            ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup:
	@.ci/setup

demo: setup      ## trains a small potential on real DFT data and prints the path of its report
	@$(BIN)/sciml demo $(ARGS)

test: setup      ## the gate: all unmarked tests
	@$(LIMITS) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

test-long: setup ## the marked tests; goes on where it was stopped; writes docs/measured/ISSUE.md
	@$(BIN)/python -m pytest -m "long or gpu or slurm or peers" --timeout 0 --measured=docs/measured/$(ISSUE).md $(ARGS)

check: setup     ## lint, format, types, import layers: what the hooks of pre-commit and CI run
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@if [ -d tests/architecture ]; then $(BIN)/python -m pytest -q tests/architecture; fi
	@$(BIN)/python LICENSES/make.py --check

fix: setup       ## lets ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup      ## builds docs/_build/html; a warning is an error
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html && echo "docs/_build/html/index.html"

browser: setup   ## looks for a Chromium and installs Debian's where it may; the report's page tests need one
	@.ci/browser

build: setup     ## the wheel, in dist/
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

clean:           ## removes what was built, not the environment
	@rm -rf build dist docs/_build docs/api .pytest_cache .mypy_cache .ruff_cache
