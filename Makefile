# Each target sets up .venv itself; ARGS= passes arguments on.
#   make run       start Rolecall with its own servers and create an account through each API; Ctrl-C ends it
#   make test      run all tests, in three processes for two processors; a part, in one process: make test ARGS="tests/unit -x"
#                  search 800 schedules of each scenario instead of 300: make test SCHEDULES=800
#   make quick     run the tests that need no server, within 40 s
#   make simulate  search schedules of the domain for counter-examples: make simulate ARGS="--seconds 600"
#   make fuzz      fuzz the parsers of unauthenticated input, a minute each: make fuzz ARGS="json -max_total_time=600"
#   make mutants   mutate the code of changes and recovery, list what no test notices: ARGS="rolecall.domain.accounts.repairs.*"
#   make lint      check style, types and secrets
#   make fmt       fix the style
#   make bench     compare calls with the same statements directly on the servers, and user calls with bare hashing
#                  print the goals for speed beside what is measured: make bench ARGS="--only goals --moto ../moto"
#                  measure 1 to 3 replicas over one store, and carry the figures on: make bench ARGS="--replicas 3"
#   make profile   measure where the time of a create goes: make profile ARGS="--only AddUser --functions 20"
#   make screenshots  take the pictures of the console in docs/pictures
#   make docs      write the pages of the contracts into docs/
#   make site      build the documents into build/site, with strict links
#   make dist      build wheel and sdist into dist/, the same bytes from the same commit
#   make image     build the container image, if a builder runs: make image ARGS="--target with-mariadb"
#   make lock      resolve the dependencies; make lock ARGS=--upgrade takes the newest versions
#   make sbom      write build/sbom.json (CycloneDX)
#   make audit     compare the lock files with published vulnerabilities
#   make clean     remove .venv and caches; the data of `rolecall up` stays (docs/configuration.md)

BIN := .venv/bin
PYTEST := $(BIN)/python -u -m pytest
# A process takes whole files, since the tests of a file share servers and snapshots; files run in the order of their names, after EARLY ones (tests/conftest.py).
SPREAD := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: run test quick simulate fuzz mutants lint fmt bench profile screenshots docs site dist image lock sbom audit clean setup-run setup-test

run: setup-run
	@exec $(BIN)/rolecall up --demo $(ARGS)

test: setup-test
	$(PYTEST) $(or $(ARGS),$(SPREAD))

quick: setup-test
	$(PYTEST) $(SPREAD) tests/unit tests/contract $(ARGS)

simulate: setup-test
	$(BIN)/python -m tests.simulation $(ARGS)

fuzz: setup-test
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-fuzz.lock
	$(BIN)/python -m tests.fuzz $(ARGS)

mutants: setup-test
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-mutants.lock
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src
	scripts/scan-secrets

fmt: setup-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-test
	$(BIN)/python -m bench $(ARGS)

profile: setup-test
	$(BIN)/python -m bench.profile $(ARGS)

screenshots: setup-test
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

docs: setup-test
	$(BIN)/python scripts/contract_docs.py $(ARGS)

site: setup-test
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-site.lock
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build $(ARGS)

dist:
	@scripts/setup-venv run
	rm -rf dist
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} $(BIN)/python -m hatchling build
	sha256sum dist/*

image:
	@scripts/build-image $(ARGS)

sbom: setup-test
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible -o build/sbom.json

audit: setup-test
	$(BIN)/python scripts/audit

lock:
	scripts/lock $(ARGS)

clean:
	rm -rf .venv build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* src/*.egg-info
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

setup-run:
	@scripts/setup-venv run
	@scripts/setup-mariadb

setup-test:
	@scripts/setup-venv test
	@scripts/setup-mariadb
	@scripts/setup-failover
	@scripts/setup-browser
