# Two commands are all a newcomer needs: `make run` and `make test`. `make help` lists the rest.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
WORKDIR ?= .shiftboss
ARGS ?=

.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.run ## bring the mining stack up and prove it with a block
	@$(VENV)/bin/shiftboss up mining --workdir $(WORKDIR) $(ARGS)

stop: $(VENV)/.run ## bring the stack down; its data is kept
	@$(VENV)/bin/shiftboss down --workdir $(WORKDIR) $(ARGS)

status: $(VENV)/.run ## what is there now
	@$(VENV)/bin/shiftboss status --workdir $(WORKDIR) $(ARGS)

test: lint types imports $(VENV)/.dev ## lint, types, import contracts and every test, the real parts included
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

quick: $(VENV)/.dev ## the tests that need no real daemon and no language model
	@$(PY) -m pytest -n 2 --dist loadfile -m "not real and not llm" $(ARGS)

lint: $(VENV)/.dev ## style and common mistakes
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(PY) scripts/sizes.py

types: $(VENV)/.dev ## strict types on src
	@$(VENV)/bin/basedpyright

imports: $(VENV)/.dev ## the layers of ARCHITECTURE.md
	@$(VENV)/bin/lint-imports --no-logo

format: $(VENV)/.dev ## put the code into shape
	@$(VENV)/bin/ruff check --fix-only -q . && $(VENV)/bin/ruff format -q .

bench: $(VENV)/.dev ## measure; writes bench/results/
	@$(PY) bench/run.py $(ARGS)

bench-brains: $(VENV)/.dev ## compare brains, a small real model among them
	@$(PY) bench/brains.py $(ARGS)

chaos: $(VENV)/.run ## break the stack in every known way; writes chaos-results/
	@missed=0; \
	$(VENV)/bin/shiftboss chaos run --simulated --runs 5000 --out chaos-results/simulated $(ARGS) || missed=$$?; \
	$(VENV)/bin/shiftboss chaos run --real --out chaos-results/real $(ARGS) || missed=$$?; \
	exit $$missed

clean: ## remove the virtual environment and caches; never the stack's data
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.run: pyproject.toml constraints.txt
	@sh scripts/venv.sh $(VENV) .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@sh scripts/venv.sh $(VENV) '.[dev]'
	@touch $@

.PHONY: help run stop status test quick lint types imports format bench bench-brains chaos clean
