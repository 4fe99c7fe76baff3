# make run: the desk on this machine. make test: the tests. Nothing else to install or set.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test test-servers test-mongodb test-slow test-finetune install-finetune faults lint types audit clean install

# The newest of the supported Pythons that is there; PYTHON=… overrides.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
PORT ?= 8000
BIN := .venv/bin

help:  ## What there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 20

# Python stands there before pip does, so pip tells a whole environment from one that was cut off.
.venv/runtime: requirements.txt constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and none was found. Install one, or say which: make run PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into .venv with $(PYTHON): about 160 packages, a minute or two, once."
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv || { \
		echo "$(PYTHON) could not make the environment .venv. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

.venv/development: .venv/runtime requirements-dev.txt
	@echo "Installing what the tests need."
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@

data/secret_key: .venv/runtime
	@mkdir -p -m 700 data
	@umask 077; test -s $@ || $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))' > $@; touch $@

install: .venv/development data/secret_key  ## Make the environment without starting anything

run: data/secret_key  ## Start the desk on 127.0.0.1:$(PORT): web, worker, demo; Ctrl-C stops it
	@exec $(BIN)/python manage.py run_desk --port $(PORT)

test: .venv/development data/secret_key  ## Run the tests
	@$(BIN)/python -m pytest -n 2 -m "not servers and not finetune and not slow" $(ARGS)

# Any PostgreSQL where the user may create databases; the tests make one of their own beside the one that is named.
TEST_POSTGRES_URL ?= postgres://root@127.0.0.1/postgres

test-servers: .venv/development data/secret_key  ## The tests again on PostgreSQL, and the queue on Redis
	@TEST_POSTGRES_URL=$(TEST_POSTGRES_URL) $(BIN)/python -m pytest -m "servers and not slow" $(ARGS)
	@TEST_DATABASE_URL=$(TEST_POSTGRES_URL) $(BIN)/python -m pytest -n 2 -m "not servers and not browser and not finetune and not slow" $(ARGS)

# On the server that TEST_MONGO_URI names, else on one that speaks its protocol.
test-mongodb: .venv/development data/secret_key  ## The tests again on MongoDB
	@$(BIN)/python -m tests.on_mongodb -n 2 -m "not servers and not browser and not finetune and not slow" $(ARGS)

# torch first and by itself: where pip knows a wheel for this machine's hardware, it is taken as it is.
.venv/finetune: .venv/runtime requirements-finetune.txt
	@echo "Installing what fine-tuning needs: torch and some 25 packages, 1 GB on a CPU, 6 GB with CUDA."
	@$(BIN)/pip install -q --disable-pip-version-check $$(grep '^torch==' requirements-finetune.txt) -c constraints.txt
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements-finetune.txt -c constraints.txt
	@touch $@

install-finetune: .venv/finetune  ## What train_analyzer --algorithm sft, grpo and dpo need

test-finetune: .venv/development .venv/finetune data/secret_key  ## Fine-tuning with a tiny model, on the CPU
	@$(BIN)/python -m pytest -m finetune $(ARGS)

test-slow: .venv/development data/secret_key  ## Rounds of kill -9 and the benchmarks, on small numbers; minutes
	@TEST_POSTGRES_URL=$(TEST_POSTGRES_URL) $(BIN)/python -m pytest -m slow $(ARGS)

faults: .venv/development data/secret_key  ## Ten rounds of kill -9 under load; ARGS="--rounds 2 --items 500"
	@$(BIN)/python -m tests.faults.campaign $(ARGS)

lint: .venv/development  ## Style, templates, types, pending migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	DEBUG=1 $(BIN)/mypy .
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') ALLOWED_HOSTS=desk.example \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

audit: .venv/development  ## Known vulnerabilities in what is installed; asks PyPI's advisory service
	@$(BIN)/pip check
	@$(BIN)/python -m tests.audit $(ARGS)

clean:  ## Remove the environment and caches; data/ (database, key) stays
	rm -rf .venv staticfiles .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
