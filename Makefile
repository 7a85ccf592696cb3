# Everything longer than a line is in scripts/.
.DEFAULT_GOAL := help
.PHONY: help run test check dev bench fmt

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

run: ## Install what is missing, build, and serve on http://127.0.0.1:3000
	@scripts/run

test: ## The gate and all tests, with a PostgreSQL and a Redis of their own
	@scripts/test

check: ## The gate alone: format, lints, documentation, licences, sizes
	@scripts/test check

dev: ## Serve, and build anew whenever a file changes
	@scripts/dev

bench: ## Measure, and write docs/benchmarks.md
	@scripts/bench

fmt: ## Format the Rust code
	@cargo fmt
