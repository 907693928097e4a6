# Every target sets up what it needs; none needs root but `services`, which installs Debian packages.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test services check format bench clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing linkhealth and its tools into $(VENV) ..."
	@$(BIN)/python -m pip --quiet --quiet install --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP) ## show the main job on a small web on this machine; needs no internet
	@$(BIN)/linkhealth demo

test: $(STAMP) services ## run every test
	@$(BIN)/python -m pytest -n 2 --quiet

services: ## install the servers that tests need (Debian, as root; else their tests are skipped)
	@tests/services.sh

check: $(STAMP) ## lint, types and import floors
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > $(VENV)/floors.log || { cat $(VENV)/floors.log; exit 1; }
	@echo "lint, types and floors are fine"

format: $(STAMP) ## write the code in its one format
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: $(STAMP) ## measure reading and checking against their limits
	@$(BIN)/python -m benchmarks.reading
	@$(BIN)/python benchmarks/throughput.py
	@$(BIN)/python -m benchmarks.order
	@$(BIN)/python -m benchmarks.memory

clean: ## remove what was built and installed
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache linkhealth-demo
