# Everything a developer or operator runs, by name. CI runs `make test`; `make check` is the whole gate.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Passed on to `make run` and `make bench`, e.g. `make run ARGS='--listen 0.0.0.0:8080'`.
ARGS ?=

.PHONY: help run test check build format audit unused contract fuzz-api bench clean setup-run setup-test setup-bench

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

run: setup-run ## Build for release and serve on http://127.0.0.1:8080
	cargo build --release -p api
	exec $(TARGET)/release/echoverse serve $(ARGS)

# One compilation for all tests, and one cluster for all test programs. The program is taken from the build, because
# `cargo run -p` selects other features of the libraries and would compile them again.
test: setup-test ## Run all tests
	cargo test --workspace --no-run
	$(TARGET)/debug/local-postgres exec -- cargo test --workspace

check: setup-test ## Format, lints, audit, unused dependencies, contract and tests: all that must hold
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(MAKE) --no-print-directory audit unused
	cargo run -q -p openapi -- check
	$(MAKE) --no-print-directory test

build: ## Build everything for development
	cargo build --workspace --all-targets

format: ## Format the code
	cargo fmt --all

audit: ## Check licences, sources and the dependency graph
	cargo test -q --workspace --test workspace

unused: ## Find dependencies that nothing uses (needs cargo-machete)
	@if cargo machete --version >/dev/null 2>&1; then \
		cargo machete; \
	else \
		echo 'unused dependencies: skipped, cargo-machete is not installed (cargo install cargo-machete)'; \
	fi

contract: ## Write openapi/openapi.json from the code
	cargo run -q -p openapi -- write

fuzz-api: setup-run ## Call a server of its own with generated requests (schemathesis; ARGS are its options)
	scripts/fuzz-api $(ARGS)

# Options alone are those of `load-tests bench`; anything else names a single scenario.
bench: setup-bench ## All load tests and load-tests/REPORT.md; one: ARGS='post --pairs 3'; others: ARGS=help
	cargo build --release -p api
	cargo build --release -p load-tests
	exec $(TARGET)/release/load-tests $(if $(filter-out -%,$(firstword $(ARGS))),,bench) $(ARGS)

clean: ## Remove what was built; ./data stays
	cargo clean
	rm -rf api/tests/browser/node_modules

setup-run:
	@scripts/setup run

setup-test:
	@scripts/setup test

setup-bench:
	@scripts/setup bench
