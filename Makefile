# thermo-edge: `make run` is the main job on simulated hardware, `make test` everything that proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run flash firmware test suite quick lint format bench lock clean
# Where Python is told to keep no compiled modules, each of the many commands that tests start compiles the project anew.
unexport PYTHONDONTWRITEBYTECODE

# make run BOARD=mps2-an386, rp2040, nrf52840 or nrf52840-fast runs the firmware on an emulated microcontroller, BOARD=host as a program. WEARABLE=NAME|FILE.toml
# builds another wearable into it, BUNDLE=FILE.img and BUNDLE_KEY=FILE.pub.pem another signed bundle.
BOARD ?=
HUB ?=
# What runs on the emulated nRF52840 is built for its emulator.
EMULATED := $(patsubst nrf52840_fast,nrf52840,$(patsubst nrf52840,nrf52840_labwired,$(subst -,_,$(BOARD))))
# The RP2040's emulator runs several times as fast compiled for this Python, where there is a compiler.
FASTER = $(if $(filter rp2040,$(BOARD)),PYTHONPATH="$$($(BIN)/python -m thermo_sim.rp2040.compiled)")
CHOSEN := $(foreach name,BUNDLE BUNDLE_KEY,$(if $($(name)),$(name)=$(abspath $($(name)))))
CHOSEN += $(if $(WEARABLE),WEARABLE=$(if $(wildcard $(WEARABLE)),$(abspath $(WEARABLE)),$(WEARABLE)))

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# HUB=1 opens the live pages of the simulated wearable, and of all others that are plugged in, instead.
run: $(VENV)/.run ## simulated wearable: flash, calibrate, stream, record, compute again; WEARABLE=name, BOARD=mps2-an386 runs the firmware, HUB=1 opens live pages
	@$(if $(BOARD),$(MAKE) --no-print-directory -C device/firmware $(CHOSEN) BOARD=$(EMULATED) $(EMULATED))
	@$(FASTER) PATH="$(CURDIR)/$(BIN):$$PATH" BOARD=$(BOARD) HUB=$(HUB) $(if $(WEARABLE),WEARABLE='$(WEARABLE)') sh demo/first_session.sh

# Whoever has these keys decides what the board runs; they are made once and stay here.
FIRMWARE_KEY ?= keys/firmware.pem
MODEL_KEY ?= keys/models.pem
VERSION ?= 1.0.0
$(FIRMWARE_KEY) $(MODEL_KEY): | $(VENV)/.run
	@mkdir -p $(@D)
	@$(BIN)/thermo-host keygen $@

flash: $(VENV)/.run $(FIRMWARE_KEY) $(MODEL_KEY) ## an RP2040 that was plugged in with BOOTSEL held: build bootloader and firmware, sign, program, watch it
	@$(MAKE) --no-print-directory -C device/firmware $(CHOSEN) update_rp2040 \
	  FIRMWARE_KEY='$(abspath $(FIRMWARE_KEY:.pem=.pub.pem))' MODEL_KEY='$(abspath $(MODEL_KEY:.pem=.pub.pem))'
	@cd device/firmware/build/rp2040 && $(CURDIR)/$(BIN)/thermo-quantize firmware --sign slot_a.elf --sign slot_b.elf --loader loader.elf \
	  --key '$(abspath $(FIRMWARE_KEY))' --version $(VERSION) --board rp2040 --out firmware.zip --force
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh demo/first_flash.sh device/firmware/build/rp2040/firmware.zip

firmware: $(VENV)/.run ## compile the firmware for every board, or for BOARD alone, and hold it to its budgets
	@$(MAKE) --no-print-directory -C device/firmware $(CHOSEN) all size
	$(if $(filter-out mps2-an386,$(BOARD)),,@$(MAKE) --no-print-directory -C device/firmware $(CHOSEN) update_mps2_an386)

# Tests wait for wearables and emulated boards more than they compute, so few cores take three times as many at once.
WORKERS ?= $(shell n=$$(nproc); echo $$((n < 4 ? 3 * n : n)))
test: lint suite ## every test, the linters and the type checker; COVERAGE=1 counts lines and holds them to 92 %

# A module's wearables, hubs and libraries are made once where it stays whole; tests/conftest.py says which begins first.
# COVERAGE=1 tells which lines of each room ran, in all processes that tests start (tests/lines), and fails below 92 %.
COUNT := $(CURDIR)/build/lines
suite: $(VENV)/.test
	$(if $(COVERAGE),$(BIN)/python tests/lines/report.py $(COUNT) --begin)
	$(if $(COVERAGE),THERMO_LINES=$(COUNT) PYTHONPATH=$(CURDIR)/tests/lines) $(BIN)/pytest --dist loadfile --no-loadscope-reorder -n $(WORKERS)
	$(if $(COVERAGE),$(BIN)/python tests/lines/report.py $(COUNT))

quick: $(VENV)/.test ## what to run between edits: format, types, import rules, and the tests of the core
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 -q tests/core

lint: $(VENV)/.test ## ruff, mypy --strict, import rules; clang-format and cppcheck where they are installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests bench
	$(BIN)/lint-imports
	@if command -v clang-format >/dev/null && command -v cppcheck >/dev/null; \
	  then $(MAKE) --no-print-directory -C device/firmware lint; \
	  else echo "the firmware is not checked: install clang-format and cppcheck for that"; fi

format: $(VENV)/.test ## let ruff rewrite the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.test ## print the figures the README quotes (bench/ has more); try properties with fresh examples
	@for name in decode packing simulator streaming calibration properties; do echo "== bench/$$name.py"; $(BIN)/python bench/$$name.py || exit 1; done

lock: $(VENV)/.test ## resolve pyproject.toml anew into locks/
	sh locks/update.sh $(BIN)/uv

clean: ## remove the environment and everything made by runs
	rm -rf $(VENV) out build dist
	@$(MAKE) --no-print-directory -C device/firmware clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "$(PYTHON) must be Python 3.11 or newer with venv: install python3-venv, or name another with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: locks/run.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) (once, about a minute)"
	$(PIP) install --require-hashes -r locks/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: locks/test.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for the tests (once, a few minutes: TensorFlow is among it)"
	$(PIP) install --require-hashes -r locks/test.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run
