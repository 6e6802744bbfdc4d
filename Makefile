# Two commands for a fresh machine: `make demo` and `make test`. Each sets up what it needs and is quick when repeated.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test test-all lint measure fighters gpu-check clean

demo: $(READY)
	$(BIN)/autoresearch --division optimizer --trials 5 --steps 100 --data toystories

# Where no bytecode is kept, both workers compile every test file anew, and each process that a test starts every module.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n 2 --dist loadfile

test: lint
	$(PYTEST) -m "not slow" --durations=15

test-all: lint
	$(PYTEST) --durations=25

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# make measure optimizer: go on with a shipped measurement; ARENA_REALDATA names the real sample's folder
ifeq (measure,$(firstword $(MAKECMDGOALS)))
NAME := $(word 2,$(MAKECMDGOALS))
$(eval $(NAME):;@:)
endif

measure: $(READY)
	nice -n 10 $(BIN)/python -m autoresearch.measure $(NAME)

# what every fighter costs on this machine, as the table of docs/fighters.md
fighters: $(READY)
	$(BIN)/python -m autoresearch.fighters

# what a CUDA GPU makes of golf's stacks, compiled: step times, their parts, memory
gpu-check: $(READY)
	$(BIN)/python -m autoresearch.gpu_check

$(READY): constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf .venv
