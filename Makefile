# Everything a newcomer or CI needs.  `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install browser demo test check format lint types pytest fuzz bench lock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

install: $(STAMP)  ## set up .venv with Fanous, its server parts and the tools

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Fanous needs Python 3.11 or newer: make install PYTHON=python3.13"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  "$$(sed -n 's/^\(uv==[^ ;]*\).*/\1/p' requirements.lock)"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@

demo: install  ## the main job on a recorded event: offline, in under a minute; on a terminal, its pages too
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/fanous demo; else $(BIN)/fanous demo --once; fi

test: install browser  ## install what the tests need, then run them all
	$(BIN)/pytest

browser:  ## Chromium for the tests of the pages, where it is missing and may be installed
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  { apt-get install -qq -y --no-install-recommends chromium fonts-noto-core >/dev/null 2>&1 || \
	    { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-noto-core >/dev/null; }; }; } || \
	  echo "no Chromium: the tests of the pages will say so (apt-get install chromium)"

check: install browser  ## format, lint, types, tests
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/pytest

format: install  ## format the code
	$(BIN)/ruff format src tests benchmarks tools
	$(BIN)/ruff check --fix src tests benchmarks tools

lock: install  ## write requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra server --group dev \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --upgrade \
	  -o requirements.lock pyproject.toml

fuzz: install  ## fuzz the readers for five minutes
	$(BIN)/python -m tests.connectors.fuzz_ooni 300

bench: install  ## speed of reading, judging, storing and detecting (set FANOUS_SHARED_DATA)
	$(BIN)/python -m benchmarks.transform
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.filter
	$(BIN)/python -m benchmarks.store
	$(BIN)/python -m benchmarks.probe
	$(BIN)/python -m benchmarks.collect
