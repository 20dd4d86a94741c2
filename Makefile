# Targets that work from a bare checkout with Python >= 3.11; first of all `make demo` and `make test`.
# Each says what it does. PYTHON names the interpreter that the virtual environment is made with.

PYTHON ?= python3
STUDY ?= studies/placement.yaml
SECONDS ?= 600
BIN := .venv/bin

.PHONY: demo test quick check docs faults fuzz clean

demo: .venv/installed
	@echo "== Running $(STUDY): what is missing is trained, what is finished is kept"
	@$(BIN)/cbablate run $(STUDY)

test: .venv/installed-test
	@echo "== Running the tests"
	@$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=
	@echo "== Coverage of what is pure must be above 95 %"
	@$(BIN)/python -m coverage report --skip-covered --fail-under=95 \
	  --include='cbablate/spec/*,cbablate/planning/*,cbablate/records/*,cbablate/statistics/*,cbablate/analysis/*,cbablate/reporting/*'

quick: .venv/installed-test
	@echo "== Running the tests that are not slow"
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup -m "not slow"

faults: .venv/installed-test
	@echo "== Campaigns of faults: what came of them is the table at the end (some hours)"
	@$(BIN)/python -m tests.faults --long

check: .venv/installed-test
	@echo "== Formatting, lint, types and the import arrow"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: .venv/installed-test
	@echo "== Building the documentation into site/; a dead link is an error"
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "Open site/index.html"

fuzz: .venv/installed-test
	@echo "== Fuzzing $(or $(TARGETS),every target) for $(SECONDS) s each; what fails is kept in tests/fuzz/seeds"
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(TARGETS)

.venv/bin/python:
	@echo "== Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "cbablate needs Python 3.11 or newer; name one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "== Installing cbablate and what it needs (torch with CUDA: some GB, some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/installed-test: .venv/installed
	@echo "== Installing what tests and documentation need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,docs]'
	@touch $@

clean:
	rm -rf .venv
