# Every target sets up what it needs; none needs root but `services`, which installs Debian packages.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The demo needs no tools; where they are installed, so is what it runs on.
RUNTIME := $(or $(wildcard $(STAMP)),$(VENV)/.runtime)
# What the rows beside the lock have, and which tests they run: docs/contributing.md tells why.
EXTRAS := dns,notify,parquet,postgres,similar,test
PART := -n 2 --quiet -m libraries
LOWEST_PYTHON := $(or $(shell command -v python3.11),$(PYTHON))
UV := .venv-lock/bin/uv
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --upgrade --universal \
	--generate-hashes --no-strip-extras --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help demo test test-plain test-lowest test-newest services check lock format bench clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(STAMP): pyproject.toml locks/dev.txt
	@PYTHON=$(PYTHON) .ci/install $(VENV) locks/dev.txt
	@touch $(STAMP)

$(VENV)/.runtime: pyproject.toml locks/run.txt
	@PYTHON=$(PYTHON) .ci/install $(VENV) locks/run.txt
	@touch $@

.venv-plain/.installed: pyproject.toml locks/test.txt
	@PYTHON=$(PYTHON) .ci/install .venv-plain locks/test.txt
	@touch $@

$(UV): locks/lock.txt
	@test -x .venv-lock/bin/python || $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement locks/lock.txt
	@touch $(UV)

demo: $(RUNTIME) ## show the main job on a small web on this machine; needs no internet
	@$(BIN)/linkhealth demo

test: $(STAMP) services ## run every test, on the locked packages
	@$(BIN)/python -m pytest -n 2 --quiet

test-plain: .venv-plain/.installed ## run the part about other packages without any extra
	@CI= .venv-plain/bin/python -m pytest $(PART)

test-lowest: $(UV) services ## run it on the lowest versions that pyproject.toml allows
	@$(UV) venv --quiet --clear --python $(LOWEST_PYTHON) .venv-lowest
	@$(UV) pip install --quiet --python .venv-lowest --resolution lowest-direct --editable '.[$(EXTRAS)]'
	@.venv-lowest/bin/python -m pytest $(PART)

test-newest: $(UV) services ## run it on the newest versions that pyproject.toml allows
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv-newest
	@$(UV) pip install --quiet --python .venv-newest --refresh --editable '.[$(EXTRAS)]'
	@.venv-newest/bin/python -m pytest $(PART)

services: ## install the servers that tests need (Debian, as root; else their tests are skipped)
	@tests/services.sh

check: $(STAMP) ## lint, types, import floors, and whether the lock fits
	@$(BIN)/python -m tests.locks
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > $(VENV)/floors.log || { cat $(VENV)/floors.log; exit 1; }
	@echo "lint, types, floors and locks are fine"

lock: $(UV) ## lock the newest versions that pyproject.toml allows
	@$(COMPILE) pyproject.toml --all-extras --group build --output-file locks/dev.txt
	@$(COMPILE) pyproject.toml --extra test --group build --constraint locks/dev.txt --output-file locks/test.txt
	@$(COMPILE) pyproject.toml --group build --constraint locks/dev.txt --output-file locks/run.txt
	@$(COMPILE) --group lock --output-file locks/lock.txt

format: $(STAMP) ## write the code in its one format
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: $(STAMP) ## measure reading and checking against their limits
	@$(BIN)/python -m benchmarks.reading
	@$(BIN)/python benchmarks/throughput.py
	@$(BIN)/python -m benchmarks.order
	@$(BIN)/python -m benchmarks.memory

clean: ## remove what was built and installed
	rm -rf $(VENV) .venv-* build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache linkhealth-demo
