# The two commands are `make demo` and `make test`; both install what they need and leave nothing running.
.PHONY: help setup demo demo-clean test test-long lint format reference docs man pictures bench clean
.DEFAULT_GOAL := help

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages, a virtual environment
	@scripts/setup

demo: setup ## play the whole story on a fleet of two WordPress sites
	@scripts/with-engine .venv/bin/python -m demo

demo-clean: setup ## remove every trace of the demo
	@scripts/with-engine .venv/bin/python -m demo clean

# Two processors are kept busy by five workers, since tests wait for containers, clocks and networks half of the time.
test: lint ## formatter, linter, types, shellcheck and the tests
	@scripts/setup tests
	@scripts/with-engine .venv/bin/pytest --numprocesses 5 --dist worksteal

test-long: setup ## the tests of backups at full length: a gigabyte, a month of nights, each fault 50 times; hours
	@scripts/setup tests
	@FAULTS=50 RESTORE_KILLS=50 LARGE=1000 MONTH_NIGHTS=30 MONTH_FAULTS=5 scripts/with-engine .venv/bin/pytest --numprocesses 2 tests/backup

lint: setup
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@.venv/bin/shellcheck scripts/* .ci/run hooks/* templates/*.sh templates/completion/gitops.bash

format: setup ## let the formatter and the linter mend what they can
	@.venv/bin/ruff format --quiet .
	@.venv/bin/ruff check --quiet --fix .

reference: setup ## write docs/reference.md and docs/commands.md anew, from models and verbs
	@.venv/bin/python -m gitops.fleet.reference >docs/reference.md
	@.venv/bin/python -m gitops.cli.commands >docs/commands.md

docs: setup ## make the documentation a site, in site/
	@.venv/bin/mkdocs build --quiet --strict

pictures: setup ## draw docs/status.svg and docs/plan.svg anew
	@.venv/bin/python -m demo.pictures

man: setup ## write the manual pages into man/
	@.venv/bin/python -m gitops.cli.manual man

bench: setup ## measure against the named floors and peers; prints a table
	@scripts/setup tests
	@scripts/with-engine .venv/bin/python -m bench
