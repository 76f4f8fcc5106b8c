# `make` alone prints the targets. PYTHON=python3.12 picks another interpreter for .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

INSTALLED := $(VENV)/.installed
PLUGINS   := .meltano/.installed
WANTED    := .meltano/.wanted

# Where Python may not keep the bytecode of what it imports, as in many containers, it would compile all of it at
# each start: what is installed is compiled at once.
ifdef PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE := 1
endif

.DEFAULT_GOAL := help
.PHONY: help install plugins demo report test test-whole test-next orchestrate airflow scale reliability mutants bench lint format docs lock dist clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## install the taps, Meltano, the runner and the tools into .venv

# Stamps: a second run does nothing, and so needs no network.
$(INSTALLED): pyproject.toml sandbox/pyproject.toml loaders/target_duckdb_exact/pyproject.toml \
		orchestrate/tap_suite/pyproject.toml requirements.txt
	@echo "==> installing into $(VENV) (once; again when a pyproject.toml or requirements.txt change)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/uv || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements.txt --editable '.[dev]' \
		--editable ./sandbox --editable loaders/target_duckdb_exact --editable orchestrate/tap_suite
	@touch $@

plugins: $(PLUGINS) ## let Meltano install the plugins of meltano.yml into .meltano

# What is installed, of all that meltano.yml says: an edit of anything else leaves this file as it is.
$(WANTED): meltano.yml
	@grep -E '^ *(backend|pip_url|python):' meltano.yml >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(PLUGINS): $(INSTALLED) $(WANTED)
	@echo "==> meltano install: each plugin into its own environment (once; again when a pip_url changes)"
	@mkdir -p output
	@$(BIN)/meltano install >output/install.log 2>&1 || { cat output/install.log >&2; exit 1; }
	@touch $@

demo: $(PLUGINS) ## fill output/warehouse.duckdb from the local sandbox and show what is there
	@sh scripts/demo.sh

report: $(INSTALLED) ## draw what was loaded: output/report.html, one page without need of a network
	@$(BIN)/python scripts/report.py

TWO_FILES := --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: $(INSTALLED) ## install, lint, and run the tests but for the longest; of those with many variants, one of twenty-four
	@$(MAKE) --no-print-directory --jobs=2 $(PLUGINS) lint
	@echo "==> pytest, two files at a time"
	@$(BIN)/python -m pytest $(TWO_FILES) --some

airflow: $(INSTALLED)
	@test -f .venv-airflow/.installed || $(MAKE) --no-print-directory .venv-airflow/.installed \
		|| echo "==> Airflow can't be installed here: the tests of its DAGs are skipped"

test-whole: $(PLUGINS) airflow ## run all variants of all tests
	@$(BIN)/python -m pytest $(TWO_FILES)

test-next: $(INSTALLED) ## the tests of core and taps under the newest singer-sdk, pre-releases too, in .venv-next
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-next
	@$(BIN)/uv pip install --quiet --python .venv-next/bin/python --requirement requirements.txt \
		--editable '.[dev]' --editable ./sandbox --editable loaders/target_duckdb_exact
	@$(BIN)/uv pip install --quiet --python .venv-next/bin/python --prerelease allow --upgrade 'singer-sdk>=0.55.0b0,<0.56'
	@.venv-next/bin/python -m pytest $(TWO_FILES) \
		tests/core tests/events tests/scheduling tests/promotions tests/billing tests/rewards

orchestrate: $(INSTALLED) .venv-airflow/.installed ## the Airflow DAG under an Airflow of its own, in .venv-airflow, and the Kubernetes job
	@.venv-airflow/bin/kubernetes-validate --strict orchestrate/kubernetes/cronjob.yaml
	@RELIABILITY_FULL=1 $(BIN)/python -m pytest tests/orchestrate/test_airflow.py

.venv-airflow/.installed: orchestrate/dags/requirements.txt
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-airflow
	@$(BIN)/uv pip install --quiet --python .venv-airflow/bin/python --requirement $<
	@touch $@

scale: $(PLUGINS) .venv-scale/.installed ## the DAG on two Celery workers, one of which is killed (ten minutes)
	@SCALE=40 $(BIN)/python -m pytest tests/orchestrate/test_scale.py

.venv-scale/.installed: orchestrate/dags/requirements-scale.txt orchestrate/tap_suite/pyproject.toml
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-scale/airflow
	@$(BIN)/uv pip install --quiet --python .venv-scale/airflow/bin/python --requirement $<
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-scale/meltano
	@$(BIN)/uv pip install --quiet --python .venv-scale/meltano/bin/python 'meltano[s3]' --editable orchestrate/tap_suite
	@touch $@

reliability: $(PLUGINS) ## the tests that inject harm, at full size (forty minutes); writes docs/reliability.md
	@RELIABILITY_FULL=1 RELIABILITY_POINTS=34 RELIABILITY_EXAMPLES=200000 \
		$(BIN)/python -m pytest tests/core tests/loaders/test_interruption.py tests/loaders/test_merge.py \
		tests/targets/test_arrow.py tests/targets/test_killed.py tests/test_killed_meltano.py \
		tests/orchestrate/test_meltano.py tests/orchestrate/test_many.py \
		--reliability docs/reliability.md

mutants: $(INSTALLED) ## change the core in small ways, and see that a test fails (a quarter of an hour); writes docs/mutants.md
	@$(BIN)/python scripts/mutants.py

bench: $(PLUGINS) ## measure the taps against their peers into benchmarks/*.md (about an hour)
	@echo "==> benchmarks: peers go into benchmarks/.work; let nothing else run meanwhile"
	@$(BIN)/python -m benchmarks.run
	@$(BIN)/python -m benchmarks.every
	@$(BIN)/python -m benchmarks.warehouse

lint: $(INSTALLED) ## ruff, mypy, pip-audit, and whether the generated files are current
	@echo "==> ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "==> mypy"
	@$(BIN)/mypy
	@echo "==> pip-audit"
	@$(BIN)/python scripts/audit.py
	@echo "==> meltano.yml, README.md, hub/ and docs/ against the taps"
	@$(BIN)/python scripts/definitions.py --check

format: $(INSTALLED) ## let ruff format and fix the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(INSTALLED) ## write what the taps say of themselves into meltano.yml, README.md, hub/ and docs/
	@$(BIN)/python scripts/definitions.py

lock: $(INSTALLED) ## resolve the tested versions again into requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --upgrade --extra dev --python-version 3.10 \
		--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' \
		--output-file requirements.txt pyproject.toml sandbox/pyproject.toml loaders/target_duckdb_exact/pyproject.toml \
		orchestrate/tap_suite/pyproject.toml

dist: $(INSTALLED) ## build all packages into dist/, with their hashes
	@rm -rf dist
	@for folder in . sandbox loaders/target_duckdb_exact orchestrate/tap_suite; do \
		$(BIN)/uv build --quiet --out-dir dist $$folder || exit 1; done
	@cd dist && sha256sum *.whl *.tar.gz >SHA256SUMS && cat SHA256SUMS

clean: ## remove what was installed, built and loaded
	@test ! -x $(BIN)/api-sandbox || $(BIN)/api-sandbox down || true
	rm -rf $(VENV) .venv-next .venv-airflow .venv-scale benchmarks/.work build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find .meltano output -mindepth 1 -maxdepth 1 ! -name .gitignore -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +
