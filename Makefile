# Anything longer than one line is in scripts/.
.DEFAULT_GOAL := help
.PHONY: help run test check dev bench fmt

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

run: ## Install what is missing, build, and serve on http://127.0.0.1:3000
	@scripts/run

test: ## Run the static checks and all tests, with a temporary PostgreSQL and Redis
	@scripts/test

check: ## Run only the static checks: format, lints, documentation, licences, sizes
	@scripts/test check

dev: ## Serve, and rebuild when a file changes
	@scripts/dev

bench: ## Run the benchmarks and write docs/benchmarks.md
	@scripts/bench

fmt: ## Format the Rust code
	@cargo fmt
