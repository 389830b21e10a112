# Needs Python 3.11, 3.12 or 3.13, make and git; `make node` needs Node 20. `make` alone says what there is.

# The first of these that runs and is new enough. A name may exist without running (pyenv's shims).
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$name && break; done)
VENV ?= .venv
RUN := $(VENV)/bin/python
UV := $(VENV)/bin/uv pip
LOCKED := $(VENV)/.locked
export PYTHONUNBUFFERED := 1
export UV_NO_PROGRESS := 1

.DEFAULT_GOAL := help
.PHONY: help demo up serve wallet secrets rafiki-secrets test check messages docs schema bench node graphiql web lock \
	key sbom

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-21s %s\n", $$1, $$2}'

demo: $(LOCKED)-base ## run the main job from a posted job to a paid one, and exit
	@exec $(RUN) -m tools.demo $(ARGS)

up: $(LOCKED)-base ## a world to develop against: wallets, money, people, GraphiQL; Ctrl-C ends it
	@exec $(RUN) -m tools.up $(ARGS)

serve: $(LOCKED)-base ## the processes of the Procfile on PostgreSQL and Redis, as .env says; Ctrl-C ends them
	@$(RUN) -m tools.procfile start release
	@$(RUN) -m tools.procfile run python manage.py collectstatic --noinput --verbosity 0
	@echo "GraphiQL: http://127.0.0.1:$${PORT:-8000}/graphql, as soon as the server says that it runs"
	@exec $(RUN) -m tools.procfile start web worker beat

wallet: $(LOCKED)-base ## the sandbox wallet of Procfile.sandbox, for `make serve` with play money
	@exec $(RUN) -m tools.procfile --procfile Procfile.sandbox start

secrets: $(LOCKED)-base ## make the files in secrets/ that docker-compose.yml needs and that are not there
	@$(RUN) -m tools.make_secrets

rafiki-secrets: $(LOCKED)-base ## make the files in secrets/rafiki/ that docker-compose.rafiki.yml needs
	@$(RUN) -m tools.make_rafiki

test: $(LOCKED)-dev ## all tests, on SQLite and on PostgreSQL with Redis; ARGS="tests/jobs" for some
	@exec $(RUN) -m tools.run_tests $(ARGS)

check: $(LOCKED)-dev ## style, types, layers, messages, documentation, migrations, settings, lock files, schema changes
	@exec $(RUN) -m tools.check

messages: $(LOCKED)-dev ## extract what people read, merge it into the catalogues, compile them
	@exec $(RUN) -m tools.messages

docs: $(LOCKED)-dev ## the documentation as a site, into var/site; ARGS=serve shows it while you write
	@cd tools/site && npm ci --no-audit --no-fund --silent || echo "Without Node, diagrams are shown as text."
	@NO_MKDOCS_2_WARNING=1 exec $(RUN) -m tools.site $(ARGS)

schema: $(LOCKED)-base ## write schema.graphql and docs/errors.md from the code
	$(RUN) -m tools.schema_file
	$(RUN) -m tools.errors_page

bench: $(LOCKED)-dev ## all benchmarks, with PostgreSQL and Redis; ARGS="signing" for one
	@exec $(RUN) -m bench $(ARGS)

NODE_TESTED := tests/conformance tools/graphiql clients/typescript examples/web tools/site
node: ## what the tests against the official Open Payments packages, GraphQL clients and Chromium need
	@for folder in $(NODE_TESTED); do (cd $$folder && npm ci --no-audit --no-fund) || exit; done

graphiql: ## build GraphiQL into var/, so that it works offline
	cd tools/graphiql && npm ci --no-audit --no-fund && npm run --silent build

web: ## build the example app into var/, where `make up` serves it
	cd examples/web && npm ci --no-audit --no-fund && npm run --silent build -- --emptyOutDir --outDir ../../var/web
	@echo "The app is built. The next \`make up\` serves it at http://localhost:5173"

COMPILE = $(UV) compile -q --universal --generate-hashes --python-version 3.11
lock: $(VENV)/.uv ## lock requirements/*.in with hashes, again
	$(COMPILE) requirements/uv.in -o requirements/uv.lock
	$(COMPILE) requirements/base.in -o requirements/base.lock
	$(COMPILE) requirements/otel.in -o requirements/otel.lock
	$(COMPILE) requirements/dev.in -o requirements/dev.lock

sbom: $(LOCKED)-dev ## write var/sbom.json: what Faena runs with, with hashes, as CycloneDX
	@mkdir -p var
	$(RUN) -W ignore -m cyclonedx_py requirements requirements/base.lock --pyproject pyproject.toml \
	--output-reproducible --output-file var/sbom.json

key: ## print a new entry for ENCRYPTION_KEYS
	@$(or $(PYTHON),python3) -c "import base64, os, time; \
	print(time.strftime('k%Y%m%d:') + base64.b64encode(os.urandom(32)).decode())"

# --- the environment: nothing happens here when the lock files have not changed ---------------------

$(RUN):
	@test -n "$(PYTHON)" || { echo "Faena needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/it" >&2; exit 1; }
	@echo "Installing what is needed into $(VENV)/, once: a minute or two."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.uv: requirements/uv.lock | $(RUN)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@touch $@

# Running needs less than testing. Syncing the one takes the other's packages away, so only the
# smaller set is skipped when the larger one is there.
$(LOCKED)-dev: requirements/dev.lock $(VENV)/.uv
	$(UV) sync --quiet --python $(RUN) --require-hashes requirements/dev.lock
	@touch $(LOCKED)-base $@

$(LOCKED)-base: requirements/base.lock $(VENV)/.uv
	$(UV) sync --quiet --python $(RUN) --require-hashes requirements/base.lock
	@rm -f $(LOCKED)-dev
	@touch $@
