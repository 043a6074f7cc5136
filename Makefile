# Everything that is done with this repository, on a fresh Debian machine with rust, gcc and python3.

PYTHON ?= python3
VENV := .venv
CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help demo build tools test test-rust test-e2e soak bench lint fmt fuzz clean

help:
	@echo "make demo    build and run the example; Ctrl-C ends it"
	@echo "make test    every test: Rust and end to end"
	@echo "make soak    twenty minutes of mixed traffic and changes"
	@echo "make bench   elbow beside HAProxy, NGINX and Envoy; results go to docs/benchmarks.md"
	@echo "make lint    format and lints, as CI checks them"
	@echo "make fmt     format the Rust code"
	@echo "make fuzz    how to fuzz"

build:
	$(CARGO) build --locked --package elbow

# The aws command and what else the end-to-end tests are made of.
tools: $(VENV)/installed

demo: build
	$(TARGET)/debug/elbow demo $(DEMO_ARGS)

test: test-rust test-e2e

test-rust:
	@if command -v cargo-nextest >/dev/null; \
	then $(CARGO) nextest run --locked --workspace --no-tests=pass; \
	else $(CARGO) test --locked --workspace; fi
	$(CARGO) test --locked --manifest-path fuzz/Cargo.toml --target-dir $(TARGET)/fuzz

test-e2e: build $(VENV)/installed
	$(VENV)/bin/python -m unittest discover bench
	$(VENV)/bin/python -m pytest -c tests/pytest.ini --rootdir tests -n 4 $(PYTEST_ARGS) tests

$(VENV)/installed: tests/requirements.txt tests/install-tools tests/oidc-provider/package-lock.json
	@./tests/install-tools
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement tests/requirements.txt
	cd tests/oidc-provider && npm ci --silent --no-audit --no-fund
	touch $@

# Twenty minutes of mixed traffic with a change every second.
soak: build $(VENV)/installed
	$(VENV)/bin/python tests/soak.py

bench:
	./bench/run --write-page

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

fmt:
	$(CARGO) fmt --all

fuzz:
	@cat fuzz/README.md

clean:
	$(CARGO) clean
	rm -rf $(VENV) bench/.venv tests/oidc-provider/node_modules
