# rag-geo. `make help` says what there is.
#
# Variables: PYTHON (a Python 3.11 or newer), VENV (where the virtual environment goes), TORCH_INDEX (the URL of a package
# index with CPU wheels of torch; empty: the default index).

VENV ?= .venv
TORCH_INDEX ?=
BIN := $(VENV)/bin
TEST_MODEL := smollm2-135m-instruct-q4_1

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$python"; break; }; done)

# The question reaches the program through the environment, unexpanded by make and by the shell, whatever is in it.
override Q := $(value Q)
export Q TORCH_INDEX

RECIPE := pyproject.toml constraints.txt $(wildcard setup/*.py setup/*.cmake) $(VENV)/cpu-flags

SAY_READY = $(if $(filter $@,$(MAKECMDGOALS)),echo "ready: $(VENV)" >&2,:)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help ask chat index models setup dev test test-fast fuzz crash lint advisories bench eval eval-mutants gate lock clean python FORCE

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

# The documents that come with the checkout have an index of their own: index/default is the user's.
ask: question index ## answer a question from corpus/: make ask Q="Who ...?"
	@$(BIN)/rag-geo ask --index index/corpus -- "$$Q"

.PHONY: question
question:
	@test -n "$$Q" || { echo 'usage: make ask Q="Who is described as the junior partner?"' >&2; exit 2; }

CHAT_OPTIONS :=

chat: index ## open the chat about corpus/ on this machine (CHAT_OPTIONS="--open --port 0")
	@$(BIN)/rag-geo chat --index index/corpus $(CHAT_OPTIONS)

index: setup models ## index corpus/ (does nothing when nothing has changed)
	@$(BIN)/rag-geo index corpus --index index/corpus >&2

models: setup ## fetch the default model, 1.1 GB, and check it (once)
	@$(BIN)/rag-geo models pull >&2

setup: $(VENV)/ready ## make the virtual environment, with llama.cpp built for this CPU (once)
	@$(SAY_READY)

dev: $(VENV)/ready-dev ## the same with the tools for development
	@$(SAY_READY)

# In a network without any interface but loopback, where one can be made: see tests/offline.py.
OFFLINE := $(BIN)/python tests/offline.py

test: dev lint advisories models browser ## set up, lint, then every test, with the real models and Chromium, and the gate
	@$(BIN)/rag-geo models pull $(TEST_MODEL) >&2
	$(OFFLINE) $(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered
	@$(MAKE) --no-print-directory gate

.PHONY: browser
browser:
	@for each in chromium chromium-browser google-chrome; do command -v $$each >/dev/null && exit; done; \
		echo 'Chromium is missing: the tests in a browser are skipped.' \
		'On Debian and Ubuntu: sudo apt-get install -y chromium' >&2

test-fast: dev ## the tests that need no model, no browser and no server
	$(BIN)/python -m pytest -n 2 -m "not model and not browser and not server"

fuzz: dev ## damage files and texts at random, ten times as often as `make test` does
	$(OFFLINE) $(BIN)/python -m pytest -n 2 -m fuzz --thorough

crash: dev models ## kill, damage and starve the index at every moment, far more often than `make test` does
	$(OFFLINE) $(BIN)/python -m pytest -n 2 -m crash --thorough

lint: dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --strict setup/prepare.py setup/lock.py setup/advisories.py

advisories: dev ## compare what is pinned with the published advisories, where they can be had
	@$(BIN)/python setup/advisories.py build/advisories

bench: dev models ## speed and memory, as ratios against named references
	@$(BIN)/python -m benchmarks

EVAL := retrieval answer grounding robustness
# The questions that nothing was fitted on; EVAL_SPLIT= asks all.
EVAL_SPLIT := test

eval: index ## measure how far the answers can be trusted, on the test questions (EVAL_OPTIONS="--split dev --limit 50")
	@$(BIN)/rag-geo eval --index index/corpus $(EVAL:%=--tier %) $(EVAL_SPLIT:%=--split %) $(EVAL_OPTIONS)

GATE = $(BIN)/rag-geo eval --index index/corpus --runs build/gate --compare baseline

# Answers to two questions of each kind, the same ones every time.
gate: index ## is it worse than evals/baseline? search for every question, answers to a sample (five minutes)
	@$(GATE) --tier retrieval
	@$(GATE) --tier answer --split test --limit 28 --seed 0

eval-mutants: index ## test the gate itself: does it notice pipelines that are broken on purpose?
	@$(BIN)/rag-geo eval mutants --index index/corpus $(EVAL_OPTIONS)

lock: dev ## write constraints.txt anew from the versions in the virtual environment
	@$(BIN)/python setup/lock.py constraints.txt

clean: ## remove virtual environment, indexes and caches here (models and wheels stay in ~/.cache/rag-geo)
	rm -rf $(VENV) build .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find index -mindepth 1 -not -name README.md -delete
	find src tests setup -name __pycache__ -prune -exec rm -rf {} +

python:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is missing. On Debian and Ubuntu:' >&2; \
		echo '    sudo apt-get update && sudo apt-get install -y python3 python3-venv g++' >&2; \
		echo 'and where python3 is older there (python3 --version): python3.11 python3.11-venv g++' >&2; exit 1; }

# Rewritten only when it differs: a checkout carried to another CPU is set up anew, with a library built for that one.
$(VENV)/cpu-flags: FORCE | python
	@mkdir -p $(@D)
	@$(PYTHON) src/rag_geo/cpu.py > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(VENV)/ready: $(RECIPE)
	@$(PYTHON) setup/prepare.py $(VENV)
	@touch $@

$(VENV)/ready-dev: $(RECIPE)
	@$(PYTHON) setup/prepare.py $(VENV) --dev
	@touch $(VENV)/ready $@
