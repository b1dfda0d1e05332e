# `make` alone says what there is. Everything needs only Python 3.11 or newer; the first target
# that needs more sets up .venv from requirements.lock.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/.ready
# For one test: make test ARGS="tests/unit -k durations"
ARGS ?=
# The processes of the tests: two per core, since a test waits more than it computes.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/make \1|\2/' \
		| while IFS='|' read -r target meaning; do printf '  %-20s %s\n' "$$target" "$$meaning"; done

.PHONY: run
run: $(READY) ## Try it: enqueue a sample batch, process it, look at the result
	@CRONOPS_DATA_DIR=$${CRONOPS_DATA_DIR:-.data} CRONOPS_LOG_FORMAT=$${CRONOPS_LOG_FORMAT:-console} \
		$(BIN)/python -m cronops.samples.demo

# The demo's directories; in a pod the manifests name them.
DEMO ?= .data/demo
DEMO_SETTINGS = CRONOPS_DATA_DIR=$${CRONOPS_DATA_DIR:-.data} CRONOPS_LOG_LEVEL=$${CRONOPS_LOG_LEVEL:-warning} \
	CRONOPS_SUPPLIERS__ROOT=$(abspath $(DEMO))/suppliers CRONOPS_STOCK__EXPORT_DIR=$(abspath $(DEMO))/exports \
	CRONOPS_PLATFORM__ROOT=$(abspath $(DEMO))/platforms CRONOPS_IMAGES__BATCH_DIR=$(abspath $(DEMO))/images/batches \
	CRONOPS_IMAGES__SOURCE_ROOT=$(abspath $(DEMO))/images/sources CRONOPS_IMAGES__STORE=$(abspath $(DEMO))/images/store CRONOPS_IMAGES__SETTLE=0 \
	CRONOPS_LOGS__RETENTION=365d CRONOPS_SIMULATOR__ROOT=$(abspath $(DEMO))/simulator CRONOPS_SIMULATOR__DESTINATION=mak \
	CRONOPS_SESSIONS__DIRECTORY=$(abspath $(DEMO))/sessions CRONOPS_SESSIONS__ALLOWED='["$(abspath $(DEMO))/sessions"]'

.PHONY: demo
demo: $(READY) ## Each job at work, on a sample shop
	@rm -rf $(DEMO)
	@$(DEMO_SETTINGS) $(BIN)/python -m cronops.samples.jobs

.PHONY: test
test: $(READY) ## Run all tests, or those that ARGS names
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal $(ARGS)

# IMAGE is what the pods run; DATABASE_URL what pods and this machine reach, or a PostgreSQL is
# started from POSTGRES_IMAGE.
.PHONY: e2e
e2e: $(READY) ## Try the cluster commands and the pods: make e2e KUBECONFIG=… IMAGE=…
	@if [ -z "$(IMAGE)" ] || [ -z "$(KUBECONFIG)" ]; then \
		echo "make e2e needs a cluster and an image, as in:" >&2; \
		echo "  make e2e KUBECONFIG=~/.kube/config IMAGE=registry.example.com/cronops:0.1.0" >&2; exit 64; fi
	KUBECONFIG="$(KUBECONFIG)" CRONOPS_E2E_IMAGE="$(IMAGE)" CRONOPS_E2E_DATABASE_URL="$(DATABASE_URL)" \
		CRONOPS_E2E_POSTGRES_IMAGE="$(or $(POSTGRES_IMAGE),postgres:17)" \
		$(BIN)/python -m pytest -x -v -p no:xdist -o timeout=900 tests/e2e $(ARGS)

.PHONY: check
check: $(READY) ## Lint, formatting, types, import borders, docs agree with code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

.PHONY: bench
bench: $(READY) ## Measure, and write docs/performance.md
	$(BIN)/python -m benchmarks --write docs/performance.md $(ARGS)

.PHONY: docs
docs: $(READY) ## Write the pages that are made from the code
	$(BIN)/python docs/generate.py

.PHONY: format
format: $(READY) ## Format, and fix what the linter can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: tools
tools: ## Install what proves image, manifests and chart (hadolint, checkov, Helm's engine, promtool)
	@.ci/tools

.PHONY: manifests
manifests: $(READY) ## Write k8s/ and the chart from schedules.yaml
	@for environment in $(ENVIRONMENTS); do \
		$(BIN)/cronops schedules render --env $$environment --out k8s/$$environment || exit; done
	$(BIN)/cronops schedules chart --out charts/cronops

.PHONY: manifests-check
manifests-check: $(READY) ## Prove schedules.yaml, and that k8s/ and the chart agree with it
	$(BIN)/cronops schedules validate
	@for environment in $(ENVIRONMENTS); do \
		$(BIN)/cronops schedules render --env $$environment --out k8s/$$environment --check || exit; done
	$(BIN)/cronops schedules chart --out charts/cronops --check

.PHONY: manifests-lint
manifests-lint: tools ## Let checkov look at k8s/
	.tools/bin/checkov -d k8s --framework kubernetes --skip-download --compact --quiet

ENVIRONMENTS := production staging development

.PHONY: lock
lock: $(READY) ## Pin every dependency anew, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --python-version 3.11 --all-extras pyproject.toml -o requirements.lock
	$(LOCK) --python-version 3.11 -c requirements.lock pyproject.toml -o requirements-runtime.lock
	echo hatchling | $(LOCK) --python-version 3.11 -c requirements.lock - -o requirements-build.lock
	$(LOCK) --python-version 3.12 requirements-tools.in -o requirements-tools.lock

# Every file of each version, for any platform and newer Python, and no host's name.
LOCK := $(BIN)/uv pip compile --quiet --no-config --upgrade --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: db-stop
db-stop: ## Stop the demo's embedded PostgreSQL, if it runs
	@if [ -e .data/postgres/postmaster.pid ]; then \
		CRONOPS_DATA_DIR=.data $(BIN)/python -m cronops db stop; fi

.PHONY: clean
clean: db-stop ## Remove everything that make has made, the demo's data too
	rm -rf .venv .tools .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Compiled at once, on every core: with PYTHONDONTWRITEBYTECODE set, every start would compile
# everything anew. Some packages carry examples that no Python of ours compiles.
$(READY): requirements.lock pyproject.toml
	@for python in python3.11 python3 python3.12 python3.13; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			found=$$python; break; fi; done; \
	if [ -z "$${found:-}" ]; then \
		echo "cronops needs Python 3.11 or newer; found none named python3.11 or python3" >&2; exit 1; fi; \
	echo "Setting up .venv with $$($$found --version)"; \
	$$found -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q -j 0 .venv/lib cronops || true
	@touch $@
