# Two commands do everything: `make demo` opens the product on a real project, `make test` passes the tests.
.PHONY: demo test test-packages install lint format types imports unit test-long bench screenshots docs clean
.DEFAULT_GOAL := help

BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE :=

help:
	@echo "make demo         open runtower on a real little project, live (DIR=folder keeps it)"
	@echo "make test         lint, types, layers and all tests"
	@echo "make install      set up .venv; then .venv/bin/runtower runs"
	@echo "make lint | test-long | bench | screenshots | docs | clean"

.venv/.installed: uv.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh

install: .venv/.installed

demo: install
	@$(BIN)/runtower demo $(DIR)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint test-packages
	$(BIN)/pytest -n 3 --dist worksteal -m "not long"

test-packages:
	@sh scripts/test-packages.sh

test-long: install test-packages
	$(BIN)/pytest -n 3 --dist worksteal

bench: install
	$(BIN)/python bench/run.py

screenshots: install
	$(BIN)/python scripts/screenshots.py

docs: install
	$(BIN)/runtower docs docs

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache dist
