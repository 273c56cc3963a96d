# make: set up and build everything. make test: set up and run every test. See README.md.
PYTHON ?= python3
VENV := .venv
QLIB := .venv-qlib
CLOUD := .venv-cloud
BROWSER := .venv-browser
SLURM := .venv-slurm
BIN := $(VENV)/bin
CORES ?= all
TARGETS ?=
ARGS ?=
RUN ?= demo
LAST ?= 10
RULE ?=
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: all update venv test test-slurm slurm lint format sql bench docs lock unlock clean perf plan check verify nightly torture venvs

all: venv
	$(BIN)/python -m snakemake_logger_plugin_almanac.unlock
	$(BIN)/snakemake --cores $(CORES) $(ARGS) -- $(TARGETS)

# Ask the vendor first which files of the open window it has replaced, then build what follows.
update: venv
	$(BIN)/python -m snakemake_logger_plugin_almanac.unlock
	$(BIN)/snakemake --cores $(CORES) $(ARGS) --forcerun lake_check_revisions -- revisions
	$(BIN)/snakemake --cores $(CORES) $(ARGS) -- $(TARGETS)

venv: $(VENV)/installed

# Bytecode is compiled at install: without it every Snakemake start takes two to three times as long.
$(VENV)/installed: requirements.lock pyproject.toml $(wildcard plugin/*/*.py)
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --compile --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --compile .
	rm -rf build plugin/*.egg-info
	touch $@

test: venvs
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --ignore tests/slurm

# All that the tests need, so that it can be set up by several at once: make --jobs 2 venvs
venvs: venv $(QLIB)/installed $(CLOUD)/installed $(BROWSER)/installed

# The real reader of the Qlib export, for the tests: its packages are its own.
$(QLIB)/installed: tests/qlib/requirements.lock
	test -x $(QLIB)/bin/python || $(PYTHON) -m venv $(QLIB)
	$(QLIB)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	touch $@

# The executors and the storage of profiles/kubernetes, aws-batch and generic, for the tests.
$(CLOUD)/installed: tests/cloud/requirements.lock | venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade \
		--target $(CLOUD) --requirement $<
	touch $@

# What drives Chromium, for the tests of the control room.
$(BROWSER)/installed: tests/browser/requirements.lock | venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade \
		--target $(BROWSER) --requirement $<
	touch $@

# A real Slurm on this machine, as root: three nodes, one with a stand-in for a card.
test-slurm: $(SLURM)/installed
	command -v slurmd slurmdbd mariadbd munged >/dev/null || (apt-get update -q && apt-get install -qy \
		--no-install-recommends slurm-wlm slurmdbd slurm-wlm-basic-plugins slurm-client munge mariadb-server)
	PYTHONPATH=$(CURDIR)/$(SLURM) $(BIN)/pytest tests/slurm

# The same packages as `make slurm` installs, for the tests alone.
$(SLURM)/installed: profiles/slurm/requirements.lock | venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --compile --upgrade \
		--target $(SLURM) --requirement $<
	touch $@

# What profiles/slurm needs besides; not by default, for it makes every start of Snakemake slower.
slurm: venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --compile \
		--requirement profiles/slurm/requirements.lock

lint: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile rules

# The warehouse of a run in psql: make sql, or make sql RUN=nfl ARGS="-c 'SELECT 1'".
sql: venv
	$(BIN)/python -m scripts.psql $(RUN) $(ARGS)

# What the rules of the last runs cost, and which became slower.
perf: venv
	$(BIN)/python -m scripts.control.perf results/$(RUN)/events --last $(LAST) $(if $(RULE),--rule $(RULE))

# What would run, why, and what it would cost. ARGS="--why FILE_OR_RULE": the way back to the causes.
plan: venv
	$(BIN)/python -m scripts.control.plan $(ARGS) -- $(TARGETS)

# Whether this machine can run what is configured.
check: venv
	$(BIN)/python -m scripts.control.check $(ARGS)

# Whether every file of a run is still what a job wrote, by its SHA-256.
verify: venv
	$(BIN)/python -m scripts.control.verify $(RUN)

# For cron and timers: update, then the report; says nothing when all is well (docs/operations.md).
nightly: venv
	@$(BIN)/python -m scripts.control.nightly -- $(ARGS) -- $(TARGETS)

# Blows of every kind at a small run of all domains (docs/torture.md).
torture: venv
	$(BIN)/python -m tests.torture $(ARGS)

bench: venv
	$(BIN)/python -m tests.bench.run
	$(BIN)/python -m tests.bench.lake
	$(BIN)/python -m tests.bench.weekly
	$(BIN)/python -m tests.bench.nfl
	$(BIN)/python -m tests.bench.book
	$(BIN)/python -m tests.bench.warehouse
	$(BIN)/python -m tests.bench.memory
	$(BIN)/python -m tests.bench.cores
	$(BIN)/python -m tests.bench.scale --quick

# Files that are generated and tracked: a test fails when one is out of date.
docs: venv
	$(BIN)/python -m scripts.plan.render_docs

lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --extra test --output-file requirements.lock pyproject.toml
	rm -rf .venv-lock

unlock: venv
	$(BIN)/python -m snakemake_logger_plugin_almanac.unlock --force

# One domain's files of a run, with their logs: make clean-nfl, make clean-grid RUN=nfl.
clean-%: venv
	$(BIN)/python -m scripts.control.clean $* $(RUN)

# Where a server's data could not stand in results, they are a link's target.
clean:
	find results -path '*/warehouse/server/data' -type l -exec sh -c \
		'case $$(readlink "$$1") in */almanac-*/data) rm -rf "$$(dirname "$$(readlink "$$1")")";; esac' _ {} \;
	rm -rf results .snakemake
