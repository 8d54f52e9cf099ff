# Everything starts here: each target sets up what it needs on a machine with Python 3.11 and apt-get.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: demo paper serve test lint docs setup browser image compose-test supply-chain fuzz

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

# Many tests wait, so that four run at a time on two processors; each computes in one thread, for two would wait for one another.
test: setup browser
	OPENBLAS_NUM_THREADS=1 $(RUN) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

image:
	DLNFLOW_REVISION=$$(git rev-parse HEAD) docker compose build

# The image and the containers, for real; says why where there is no Docker engine. Takes four minutes, and three more to build the image.
compose-test: setup browser
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
