# Everything a newcomer or CI needs.  `make help` lists the targets.
# A distribution's Python is built with optimizations that a Python installed by hand often lacks: on Debian 13 the
# tests take three quarters of the time.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo /usr/bin/python3 || echo python3)
VENV   := .venv
BIN    := $(VENV)/bin
WORKERS ?= 4
STAMP  := $(VENV)/.installed

# Tests start hundreds of programs, each of which would compile Fanous anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install lab-packages browser postgresql demo lab test test-long test-lab test-browser peers check format fuzz bench lock tables site man release images licences audit

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

install: $(STAMP)  ## set up .venv with Fanous, its server parts, its lab and the tools

$(STAMP): pyproject.toml lab/pyproject.toml requirements.lock packaging/build.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Fanous needs Python 3.11 or newer: make install PYTHON=python3.13"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@sed -n '/^uv==/,/^ *#/p' requirements.lock >$(VENV)/uv.lock
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --require-hashes -r $(VENV)/uv.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock packaging/build.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e . -e lab
	@touch $@

demo: install  ## the main job on a recorded event: offline, in under a minute; on a terminal, its pages too
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/fanous demo; else $(BIN)/fanous demo --once; fi

browser:  ## Chromium for the tests of the pages, where it is missing and may be installed
	@command -v chromium-headless-shell >/dev/null || tools/debian-packages chromium-headless-shell fonts-noto-core || \
	  command -v chromium >/dev/null || \
	  echo "no Chromium: the tests of the pages will say so (apt-get install chromium-headless-shell)"

# The tests start one of their own.
postgresql:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
	  tools/debian-packages postgresql || echo "no PostgreSQL: its tests are left out (apt-get install postgresql)"

# Packages of Debian 13; `fanous doctor` says what else a lab needs.
LAB_PACKAGES := iproute2 iptables nginx-light bird2
lab-packages:
	@for program in ip tc iptables-legacy-restore nginx bird; do \
	  PATH="$$PATH:/usr/sbin:/sbin" command -v $$program >/dev/null || lacks="$$lacks $$program"; done; \
	test -z "$$lacks" || tools/debian-packages $(LAB_PACKAGES) || \
	  echo "no$$lacks: the lab's tests are left out; as root: apt-get install $(LAB_PACKAGES)"

lab: install lab-packages  ## the truth table: every technique played over three seeds; hours, can be stopped; needs root
	$(BIN)/python -m fanous_lab.evaluation.rehearsal.table --seeds 3

# Tests with real packets need the machine to themselves; the others share it.  Looking for them only in the files
# that have some saves a quarter of a minute.
define TESTS
$(BIN)/pytest -m "not lab and not matrix and not peers" -n $(WORKERS) --dist loadfile --no-loadscope-reorder
$(BIN)/pytest -m "lab and not matrix and not peers" $(LAB_TESTS)
endef
LAB_TESTS = $$(grep -rl --include='test_*.py' 'pytest\.mark\.lab' tests | sort)

test: install lab-packages browser postgresql  ## install what the tests need, then run them all
	$(TESTS)

test-long: install lab-packages postgresql  ## the long ones, of which `make test` runs a core: whole corpora, every command of the documents, twenty kills
	$(BIN)/pytest -m "matrix and not lab and not browser" -n $(WORKERS)

test-lab: install lab-packages  ## every test with real packets, of which `make test` runs a core; needs root
	$(BIN)/pytest -m lab $(LAB_TESTS)

# Programs of others: packages of Debian 13, and environments of their own for what is on PyPI.  OONI's server needs a checkout: make peers OONI_BACKEND=/path/of/ooni/backend
PEERS := $(CURDIR)/build/peers
PEER_PACKAGES := nats-server prometheus promtool prometheus-alertmanager nginx-light apache2 caddy systemd-container debootstrap
OONIDATA := oonidata==0.3.0
FRICTIONLESS := frictionless==5.21.0
# OONI's server pins older releases than Python 3.13 has; these are what it imports.
OONI_SERVER := "fastapi~=0.108.0" "sqlalchemy~=2.0" "pydantic>=2.10" alembic boto3 "boto3-stubs[s3]" clickhouse-driver \
  fastapi-utils geoip2 gunicorn httpx lz4 ooniauth-py==0.3.3 packaging pem prometheus-client \
  prometheus-fastapi-instrumentator psycopg2-binary pydantic-settings pyjwt python-dateutil pyyaml requests statsd \
  typing-inspect ujson uvicorn zstd
peers: install postgresql  ## Fanous with the programs that it speaks with: what can be installed is fetched, what is missing is named
	@for program in nats-server prometheus promtool prometheus-alertmanager nginx apache2 caddy systemd-nspawn debootstrap; do \
	  PATH="$$PATH:/usr/sbin:/sbin" command -v $$program >/dev/null || lacks="$$lacks $$program"; done; \
	test -z "$$lacks" || tools/debian-packages $(PEER_PACKAGES) || \
	  echo "no$$lacks: their tests are left out; as root: apt-get install $(PEER_PACKAGES)"
	@test -x $(PEERS)/oonidata/bin/python || { $(BIN)/uv venv -q $(PEERS)/oonidata && \
	  VIRTUAL_ENV=$(PEERS)/oonidata $(BIN)/uv pip install -q --no-deps $(OONIDATA) && \
	  VIRTUAL_ENV=$(PEERS)/oonidata $(BIN)/uv pip install -q boto3 click click-loglevel cryptography lxml lz4 mashumaro \
	    orjson pyopenssl pyyaml requests tabulate tqdm; } || echo "oonidata could not be installed: its test is left out"
	@test -x $(PEERS)/frictionless/bin/python || { $(BIN)/uv venv -q $(PEERS)/frictionless && \
	  VIRTUAL_ENV=$(PEERS)/frictionless $(BIN)/uv pip install -q "$(FRICTIONLESS)"; } || \
	  echo "frictionless could not be installed: its test is left out"
	@test -z "$$OONI_BACKEND" || test -x $(PEERS)/ooni-backend/bin/python || { $(BIN)/uv venv -q $(PEERS)/ooni-backend && \
	  VIRTUAL_ENV=$(PEERS)/ooni-backend $(BIN)/uv pip install -q $(OONI_SERVER); } || \
	  echo "what OONI's server needs could not be installed: its tests are left out"
	@test -e $(PEERS)/debian/usr/lib/systemd/systemd || [ "$$(id -u)" != 0 ] || \
	  { mkdir -p $(PEERS) && PATH="$$PATH:/usr/sbin" debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,python3 \
	    trixie $(PEERS)/debian >$(PEERS)/debootstrap.log 2>&1; } || \
	  { rm -rf $(PEERS)/debian; echo "Debian could not be fetched: the test of the systemd units is left out"; }
	$(BIN)/pytest tests/peers tests/store/test_ledger.py tests/store/test_database.py

test-browser: install browser  ## every page in every language and every view, of which `make test` looks at a core
	FANOUS_EVERY_VIEW=1 $(BIN)/pytest -m browser -n $(WORKERS) tests/web/browser

check: install lab-packages browser postgresql  ## format, lint, import contracts, types, tests
	$(BIN)/ruff format --check src lab/src tests benchmarks tools
	$(BIN)/ruff check src lab/src tests benchmarks tools
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(TESTS)

format: install  ## format the code
	$(BIN)/ruff format src lab/src tests benchmarks tools
	$(BIN)/ruff check --fix src lab/src tests benchmarks tools

# What is locked stays as it is; `make lock UPGRADE=--upgrade` brings every package up to date.
UPGRADE ?=
lock: install  ## write requirements.lock, and the locks of what ships, from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra server --group dev \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE) \
	  -o requirements.lock pyproject.toml
	@for part in probe server; do \
	  if [ $$part = server ]; then extra="--extra server"; fi; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 $$extra -c requirements.lock \
	    --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	    -o packaging/$$part.lock pyproject.toml; done
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group build -c requirements.lock \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o packaging/build.lock

tables: install  ## the tables of the documents that follow from the code
	$(BIN)/python -m tests.ontology_tables
	$(BIN)/python -m tests.source_tables
	$(BIN)/python -m tools.tables

site: install  ## the documentation as a site, in build/site
	$(BIN)/zensical build --strict

man: install  ## a man page for each command, in build/man
	$(BIN)/python -m tools.man_pages build/man

licences: install  ## the licence of each package that ships with Fanous; fails if one is incompatible
	$(BIN)/python -m tools.licences

release: install  ## the wheel, the source distribution, what is in them (CycloneDX) and their digests, in build/release
	$(BIN)/python -m tools.release build/release

images:  ## the images of a release, on base images that are named by digest; needs Docker
	for target in monitor probe; do docker build -f packaging/Dockerfile --target $$target -t fanous-$$target . || exit 1; done

PIP_AUDIT := pip-audit==2.9.0
audit: install  ## unsafe calls in the code, each vetted; known faults of dependencies, which asks PyPI
	$(BIN)/ruff check --config tools/audit.toml src lab/src
	@$(BIN)/uv tool run --from "$(PIP_AUDIT)" pip-audit -r packaging/server.lock --require-hashes --disable-pip --strict || \
	  { echo "A fault is known, or PyPI's advisories could not be read: see above.  Behind their newest release:"; \
	    VIRTUAL_ENV=$(VENV) $(BIN)/uv pip list --outdated; exit 1; }

fuzz: install  ## fuzz the readers for five minutes
	$(BIN)/python -m tests.sources.fuzz_ooni 300

bench: install  ## speed here: everything next to its peer, then stages on real files (set FANOUS_SHARED_DATA)
	$(BIN)/python -m benchmarks ingest
	$(BIN)/python -m benchmarks judge
	$(BIN)/python -m benchmarks detect
	$(BIN)/python -m benchmarks filter
	$(BIN)/python -m benchmarks query
	$(BIN)/python -m benchmarks serve
	$(BIN)/python -m benchmarks probe
	$(BIN)/python -m benchmarks collect
	$(BIN)/python -m benchmarks credentials
	@if [ "$$(id -u)" = 0 ]; then $(BIN)/python -m benchmarks scan && $(BIN)/python -m benchmarks.lab; \
	  else echo "benchmarks scan and benchmarks.lab need root"; fi
	$(BIN)/python -m benchmarks.transform
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.store
	$(BIN)/python -m benchmarks.probe
