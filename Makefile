# Everything starts here: each target sets up what it needs on a machine with Python 3.11 and apt-get.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: demo serve test lint setup

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dlnflow needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv $(VENV) || { apt-get update && apt-get install -y python3-venv && $(PYTHON) -m venv --clear $(VENV); }
	$(RUN) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[service,plot,dev]'
	touch $@

demo: setup
	$(RUN) examples/demo.py

serve: setup
	exec $(RUN) -m service

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test: setup
	$(RUN) -m pytest
