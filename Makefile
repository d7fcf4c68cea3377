# Everything a developer or CI does. The environment is .venv; it is made once, and again when its inputs change.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.stamp
NODE_STAMP := tests/node/node_modules/.stamp
ENGINE_STAMP := reference/interop/node_modules/.stamp
PIP_FLAGS := --quiet --disable-pip-version-check
# cases of all findings on the production engine, and as many that pass
KNOWN := RELAY-G-09/said-meanwhile-plain ACK-G-08/room-again LINK-G-09/ready CONN-G-38/open CONN-G-40/offered TUN-G-07/after-TUN-G-04 \
	CONN-G-25 CONN-G-07/awaitin? CONN-G-06/offered ACK-G-17 ACK-G-08 CONN-G-11 LINK-G-12/ready LINK-G-11/ready CONN-G-15/after-CONN-G-1? \
	REQ-G-45/running REQ-G-08/running REQ-G-21/offered CONN-G-18/vanished
CHECKS := draw book lessons handouts "export json" "export vectors" findings explore agree "mutate --sample 20"

.DEFAULT_GOAL := help
.PHONY: help demo test lint types check draw book lessons handouts export findings explore agree mutate mutants interop conform-engine bench lock clean

help:  ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP)  ## see the protocol work over real sockets
	@$(BIN)/tunnelspec demo

test: $(STAMP) $(NODE_STAMP)  ## run the tests
	@$(BIN)/python -m pytest -n 2 -q

lint: $(STAMP)  ## ruff: rules and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)  ## mypy --strict
	@$(BIN)/mypy

check: $(STAMP)  ## fail if anything generated is stale
	@for what in $(CHECKS); do $(BIN)/tunnelspec $$what --check >.venv/check.log || { code=$$?; cat .venv/check.log; exit $$code; }; tail -n 1 .venv/check.log; done
	@$(BIN)/python tools/engine_report.py check

draw: $(STAMP)  ## draw the diagrams anew
	@$(BIN)/tunnelspec draw

export: $(STAMP)  ## write the tables and the test vectors anew
	@$(BIN)/tunnelspec export json -o exports && $(BIN)/tunnelspec export vectors

book: $(STAMP)  ## write the tables into the specification's pages anew
	@$(BIN)/tunnelspec book

lessons: $(STAMP)  ## write the lessons anew from the tables
	@$(BIN)/tunnelspec lessons

handouts: $(STAMP)  ## make the poster, the cheat sheet and the guarantee card
	@$(BIN)/tunnelspec handouts

findings: $(STAMP)  ## decide the reviews' claims anew, and write their page
	@$(BIN)/tunnelspec findings

explore: $(STAMP)  ## pin what the explorer's page shows anew
	@$(BIN)/tunnelspec explore --pin
agree: $(STAMP)  ## hold the explorer against SPIN on every world and deviation
	@$(BIN)/tunnelspec agree --processes 2

mutate: $(STAMP)  ## put faults into the tables, and see who notices (minutes)
	@$(BIN)/tunnelspec mutate

mutants: $(STAMP)  ## put faults into the reference's code, and see which cases notice (what is new: half a minute each)
	@$(BIN)/python -m tools.mutants

interop: $(STAMP) $(ENGINE_STAMP)  ## our runner against the production engine
	@$(BIN)/python -m reference.interop

conform-engine: $(STAMP) $(ENGINE_STAMP)  ## what is known of the production engine, tried again (about two minutes)
	@$(BIN)/tunnelspec conform gateway --subject engine --profile engine-v2 --walks 0 --no-shrink $(KNOWN:%=--only '%') \
		--baseline conformance/reports/engine-2.3.19.json

bench: $(STAMP) $(NODE_STAMP)  ## measure; ratios, not promises
	@for bench in bench/*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

lock:  ## pin the newest versions that pyproject.toml allows
	@sh tools/lock.sh $(PYTHON)

clean:  ## remove the environments
	rm -rf .venv tests/node/node_modules reference/interop/node_modules

$(STAMP): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11"; exit 1; }
	@echo "setting up .venv (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements.lock
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation -e .
	@touch $@

$(NODE_STAMP): tests/node/package.json tests/node/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed: the tests talk to clients written in JavaScript"; exit 1; }
	@echo "setting up tests/node (once)"
	@cd tests/node && npm ci --no-audit --no-fund --silent
	@touch $@

$(ENGINE_STAMP): reference/interop/package.json  # npm ci cannot read a lock that has other platforms' binaries and no hosts
	@command -v npm >/dev/null || { echo "npm is needed: it installs the production engine"; exit 1; }
	@echo "setting up the production engine (once)"
	@cd reference/interop && npm install --no-audit --no-fund --silent
	@touch $@
