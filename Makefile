# Everything starts here: each target sets up what it needs on a machine with Python 3.11 and apt-get.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
TYPESCRIPT := .cache/typescript

.PHONY: demo paper serve test lint docs setup browser programs image compose-test supply-chain fuzz

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dlnflow needs Python 3.11 or later; set PYTHON=")'
	@echo "installing into $(VENV): a minute or two, once"
	$(PYTHON) -m venv $(VENV) || { apt-get update && apt-get install -y python3-venv && $(PYTHON) -m venv --clear $(VENV); }
	$(RUN) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[service,plot,dev]'
	touch $@

demo: setup
	$(RUN) examples/demo.py

# The findings of the paper, one script each, with figures and checks; DLNFLOW_PAPER=quick for small sizes.
paper: setup
	$(RUN) examples/paper/all.py

serve: setup
	exec $(RUN) -m service

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test: setup browser programs $(TYPESCRIPT)/ready
	$(RUN) -m pytest

image:
	DLNFLOW_REVISION=$$(git rev-parse HEAD) docker compose build

# The image and the containers, for real; says why where there is no Docker engine. Takes four minutes, and three more to build the image.
compose-test: setup browser programs $(TYPESCRIPT)/ready
	$(RUN) -m pytest tests/compose

docs: setup $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build -q

$(VENV)/docs: pyproject.toml constraints.txt $(VENV)/ready
	$(RUN) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@

# The tests of the web page use the system's Chromium.
browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; } \
	  || { echo "the tests of the web page need Chromium: sudo apt-get install chromium" >&2; exit 1; }

# Two more that a few tests use, and say so where they are not there: a proxy, and the oldest store that works.
programs:
	@command -v nginx >/dev/null && command -v redis-server >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q \
	  && apt-get install -qy --no-install-recommends nginx-light redis-server; } || echo "nginx or redis-server cannot be installed here"

# What makes a client of the interface's description in TypeScript.
$(TYPESCRIPT)/ready: tests/e2e/clients/package.json
	@mkdir -p $(TYPESCRIPT) && cp $< $(TYPESCRIPT)
	@command -v npm >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -qy --no-install-recommends nodejs npm; } || true
	@{ cd $(TYPESCRIPT) && npm install --silent --no-package-lock --no-audit --no-fund && touch ready; } || echo "npm cannot install here"

TOOLS := .cache/supply-chain

$(TOOLS)/ready: deploy/supply-chain.txt
	$(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/pip install -q --disable-pip-version-check -r deploy/supply-chain.txt
	touch $@

# Licences, pins, withdrawn releases and known vulnerabilities of everything installed; writes sbom.json.
supply-chain: setup $(TOOLS)/ready
	$(TOOLS)/bin/python deploy/supply_chain.py $(RUN)

# Thousands of requests that the API's document allows, and many that it does not.
fuzz: setup
	SCHEMATHESIS_SECONDS=600 $(RUN) -m pytest -s tests/service/test_schema.py
