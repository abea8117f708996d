# The same commands on a laptop and in CI. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test check format lint types bench prove sample-report guide-figures late-head

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[local,sandbox,dev]'
	@touch $@

install: $(STAMP)  ## make .venv with everything in it

demo: $(STAMP)  ## run the bundled suite offline and say where its report lies
	$(BIN)/evalkit demo

test: $(STAMP)  ## run the tests
	$(BIN)/python -m pytest

format: $(STAMP)  ## rewrite the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy evalkit

check: lint types  ## format, lint, types and tests: what CI runs
	$(MAKE) test

bench: $(STAMP)  ## measure every figure of speed and memory, and write the tables
	$(BIN)/python -m benchmarks --write

prove: $(STAMP)  ## repeat the proofs by simulation at full size, and write their tables
	$(BIN)/python -m tests.simulation

sample-report: $(STAMP)  ## run the handbook again and renew reports/handbook
	$(BIN)/evalkit run datasets/handbook --offline --out reports/handbook

guide-figures: $(STAMP)  ## draw the figures of the guides again
	$(BIN)/python -m benchmarks.guide_thresholds

late-head: $(STAMP)  ## fit the head of local/late-interaction again
	$(BIN)/python benchmarks/late_head.py --write
