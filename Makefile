# Everything starts here: each target sets up what it needs on a machine with Python 3.11 and apt-get.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# The versions that were tested, of what runs and of what builds; modules become bytecode when they are first imported, most of them never.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
# Some systems forbid it, so that each of the hundreds of processes that tests start would compile anew what it imports.
export PYTHONDONTWRITEBYTECODE :=
INSTALL := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" CXX="$${CXX:-c++}" $(RUN) -m pip install -q --disable-pip-version-check --no-compile

TYPESCRIPT := .cache/typescript

.PHONY: demo paper serve test lint docs setup browser programs image compose-test supply-chain fuzz sanitize stubs wheel wheels

# What runs and what tests it.
setup: $(VENV)/dev

$(VENV)/tools: constraints.txt native/compiler.sh
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dlnflow needs Python 3.11 or later; set PYTHON=")'
	@echo "installing into $(VENV): a minute or two, once"
	$(PYTHON) -m venv $(VENV) || { apt-get update && apt-get install -y python3-venv && $(PYTHON) -m venv --clear $(VENV); }
	native/compiler.sh $(VENV)
	$(INSTALL) scikit-build-core nanobind cmake ninja
	touch $@

# The library with its core, the service and plots; what they need is fetched while the core compiles, at this processor's level alone. The
# folder build/ keeps what did not change of the core.
$(VENV)/ready: $(VENV)/tools pyproject.toml CMakeLists.txt $(shell find native -name '*.?pp')
	@$(RUN) -c 'import tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	  print(*project["dependencies"], *project["optional-dependencies"]["service"], sep="\n")' >$(VENV)/needs
	$(INSTALL) --no-build-isolation --no-deps --config-settings=cmake.define.LEVELS=best -e . & $(INSTALL) -r $(VENV)/needs && wait $$!
	touch $@

# Every level of the core, which tests compare, and what tests need.
$(VENV)/dev: $(VENV)/ready constraints.txt
	$(INSTALL) --no-build-isolation --config-settings="cmake.define.LEVELS=base;v3;v4" -e '.[dev]'
	touch $@

# It is installed by now, so that this names but what else it needs.
$(VENV)/docs: pyproject.toml constraints.txt | $(VENV)/ready
	$(INSTALL) 'dlnflow[docs]'
	touch $@

demo: $(VENV)/ready
	$(RUN) examples/demo.py

# The findings of the paper, one script each, with figures and checks; DLNFLOW_PAPER=quick for small sizes.
paper: $(VENV)/ready
	$(RUN) examples/paper/all.py

serve: $(VENV)/ready
	exec $(RUN) -m service

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# The tests of the compiled core over one that is built with sanitizers, which takes an hour; slow ones are left out, and what is not so there:
# the best level, and memory.
sanitize: setup
	native/sanitize.sh $(VENV) -n 2 --timeout 0 -m "not slow" tests/native tests/dmft tests/simulation --ignore tests/simulation/test_memory.py \
	  --deselect tests/native/test_level.py::test_the_best_level_of_the_processor_is_loaded

# What type checkers read of the compiled core, made anew from it; a test says when that is due.
stubs: $(VENV)/ready
	for name in _level dmft simulation; do $(RUN) -m nanobind.stubgen -q -m dlnflow.native.$$name -o dlnflow/native/$$name.pyi; done

# Many tests wait, so that four run at a time on two processors; each computes in one thread, for two would wait for one another.
test: setup browser programs $(TYPESCRIPT)/ready
	OPENBLAS_NUM_THREADS=1 $(RUN) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

image:
	DLNFLOW_REVISION=$$(git rev-parse HEAD) docker compose build

# The image and the containers, for real; says why where there is no Docker engine. Takes four minutes, and three more to build the image.
compose-test: setup browser programs $(TYPESCRIPT)/ready
	$(RUN) -m pytest tests/compose

docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build -q

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
	$(PYTHON) -m venv $(TOOLS) && PIP_CONSTRAINT= $(TOOLS)/bin/pip install -q --disable-pip-version-check -r deploy/supply-chain.txt
	touch $@

# Licences, pins, withdrawn releases and known vulnerabilities of everything installed; writes sbom.json.
supply-chain: setup $(TOOLS)/ready
	$(TOOLS)/bin/python deploy/supply_chain.py $(RUN)

WHEEL_TOOLS := .cache/wheel

# A wheel for this Python and for Linux systems like this one, into dist/; used once in an environment without a compiler.
wheel: $(WHEEL_TOOLS)/ready
	native/compiler.sh $(WHEEL_TOOLS)
	CXX="$${CXX:-c++}" deploy/wheel.sh $(WHEEL_TOOLS)

# Wheels for every Python and system that is supported: in containers on Linux, which needs a Docker engine, or on macOS.
wheels: $(WHEEL_TOOLS)/ready
	$(WHEEL_TOOLS)/bin/cibuildwheel --output-dir dist

$(WHEEL_TOOLS)/ready: deploy/wheel.txt
	$(PYTHON) -m venv $(WHEEL_TOOLS) && PIP_CONSTRAINT= $(WHEEL_TOOLS)/bin/pip install -q --disable-pip-version-check -r deploy/wheel.txt
	touch $@

# Thousands of requests that the API's document allows, and many that it does not.
fuzz: setup
	SCHEMATHESIS_SECONDS=600 $(RUN) -m pytest -s tests/service/test_schema.py
