# Two commands: `make` builds everything, `make test` runs every test. `make help` lists the rest.
# They stand on the repository's own environment, .venv, made from requirements.txt.

SHELL   := /bin/bash
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
BUILD   := _build
COURSE  ?= $(BUILD)/course
PORT    ?= 8000
PYTEST  ?=
# One thread a process: the work is spread over processes, and forks stay safe.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := course
.PHONY: course env sandbox runtime book slides class summary test test-all lint format unprivileged shapes mutants bench browser-bench serve site dist clean help

course: env sandbox book class summary  ## everything: environment, book, assignment release, a sample class graded

env: $(READY)  ## the repository's own environment

$(READY): requirements.txt pyproject.toml
	@bash tools/make_env.sh $(VENV)
	@touch $@

sandbox: env  ## bubblewrap, which grading needs (installed where that is possible)
	@bash tools/need.sh bwrap bubblewrap || true

runtime: env  ## Python for the browser and the editor for cells, fetched once and verified
	@$(BIN)/python -m tools.browser.runtime
	@$(BIN)/python -m tools.browser.editor

book: runtime  ## the book, with warnings as errors
	@$(BIN)/python -m tools.book

slides: env  ## three lectures with speaker notes, from the chapters' own cells and figures
	@$(BIN)/python -m tools.slides

class: env  ## the assignment released, a sample class made, graded and given feedback
	@$(BIN)/python -m tools.sample_course --course $(COURSE)

summary: env
	@$(BIN)/python -m tools.summary --course $(COURSE)

test: env  ## the test suite, but for what takes long
	@bash tools/need.sh bwrap bubblewrap || true
	@bash tools/need.sh chromium chromium || true
	@$(BIN)/python -m pytest -n auto --dist loadgroup -m "not long" $(PYTEST)

test-all: env  ## what takes long: a thousand seeds, searches, kills and fuzzers at full length, every live cell in a browser
	@bash tools/need.sh bwrap bubblewrap || true
	@bash tools/need.sh chromium chromium || true
	@$(BIN)/python -m pytest -n auto --dist loadgroup -m long $(PYTEST)

unprivileged: env  ## the acceptance suite of the grader once more, as a user without privileges
	@$(BIN)/python -m tools.unprivileged $(BIN)/python -m pytest -n 2 -m "not long" -p no:cacheprovider $(addprefix tests/,$(addprefix acceptance/,test_vectors.py test_channels.py test_fuzz.py test_kill.py test_passes.py test_runs.py) $(addprefix grading/,engine/test_worker_pool.py oracle/test_process.py sandbox/test_bubblewrap.py))

lint: env  ## style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: env  ## put the code into the house's style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Left out are the refusals, where the shape checker would speak before our messages, settings of other types than
# Python's, and compilation and tracing, which cannot look into a checked call.
shapes: env  ## the package's tests once more, with every annotated shape checked at run time
	BNCOURSE_SHAPES=1 $(BIN)/python -m pytest tests/numpy_bn tests/torch_bn -k "not refuse and not compilation and not torch_fx and not traced and not numpys" --jaxtyping-packages=bncourse.numpy_bn,bncourse.torch_bn,beartype.beartype

mutants: env  ## change the functional files in every small way; each change must fail a test
	$(BIN)/python -m tools.mutants

bench: env  ## the speed ratios, each measured side by side in one run
	@$(BIN)/python -m bench; first=$$?; $(BIN)/python -m bench.grading && exit $$first

browser-bench: env  ## how fast the built pages are in a browser, against their bars
	@$(BIN)/python -m tools.browser.bench

site: book  ## a folder that any web server, or a double click, can show, with the book as one PDF in it
	@$(BIN)/python -m tools.offline
	@echo "The site lies in $(BUILD)/html"

serve: book  ## the book at http://127.0.0.1:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(BUILD)/html $(PORT)

dist: env  ## a wheel and an sdist
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

clean:  ## all that was made here, but not the environment
	rm -rf $(BUILD) dist .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache mutants

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12
