# `make help` lists the commands. Each sets up first what it needs. Settings: docs/settings.md.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
# Names are taken as they are given, with every $ in them, and quoted where a shell reads them.
GIVEN := IMAGES STORE VGG16_WEIGHTS INDEXER_MODEL EVAL_PHOTOS EVAL_TRUTH
as_given = $(if $(filter undefined,$(origin $(1))),,$(eval override export $(1) := $$(value $(1))))
$(foreach name,$(GIVEN),$(call as_given,$(name)))
quoted = '$(subst ','\'',$(1))'
STORE ?= store
# Without IMAGES: the folder that is in STORE already, so that forgetting it once does not empty an index;
# for a new STORE the sample photos.
ifeq ($(origin IMAGES),undefined)
IMAGES := $(shell cat $(call quoted,$(STORE)/IMAGES) 2>/dev/null)
endif
SAMPLES := var/samples

PY     := .venv/bin/python
VENV   := .venv/.installed
STUBS  := protos/imagesearch/v1/search_pb2.py
READY  := $(VENV) $(STUBS)
COMPILE = ../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
          --no-emit-index-url --no-emit-find-links --no-header
SPREAD := -n auto --dist loadfile  # over the processors, the tests of a file together
PHOTOS := $(if $(filter-out $(SAMPLES),$(IMAGES)),,samples)

remember = printf '%s\n' "$$INDEXER_IMAGES_DIR" >"$$INDEXER_STORE_DIR/IMAGES"

define has_chromium
[ -n "$$CHROMIUM" ] || command -v chromium >/dev/null || command -v google-chrome >/dev/null \
  || $(PY) -m playwright install --only-shell chromium
endef

# What docker-compose.yml takes from outside: absolute folders, and a user who may read and write them (not root).
given = $(call quoted,$(if $(filter file,$(origin $(1))),,$($(1))))
define in_containers
set -e; \
IMAGES=$(call given,IMAGES); STORE=$(call given,STORE); \
[ -z "$$IMAGES" ] || [ -d "$$IMAGES" ] || { echo "IMAGES=$$IMAGES is not a folder" >&2; exit 1; }; \
[ -z "$$STORE" ] || mkdir -p "$$STORE"; \
[ ! -d "$$INDEXER_MODEL" ] || export MODEL="$$(realpath "$$INDEXER_MODEL")"; \
[ "$$(id -u)" = 0 ] || export APP_USER="$$(id -u):$$(id -g)"; \
export IMAGES="$${IMAGES:+$$(realpath "$$IMAGES")}" STORE="$${STORE:+$$(realpath "$$STORE")}"
endef

.PHONY: help run test index weights samples photos up down lint format bench eval torture train-smoke proto lock clean

help:  ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-11s %s\n", $$1, $$2}'

# Through the environment, unquoted here: names may hold anything.
run index weights: export INDEXER_STORE_DIR    = $(STORE)
run index:         export INDEXER_IMAGES_DIR   = $(or $(IMAGES),$(SAMPLES))
run:               export EXTRACTOR_STORE_DIR  = $(STORE)
run:               export EXTRACTOR_IMAGES_DIR = $(INDEXER_IMAGES_DIR)

run: $(READY) $(PHOTOS)  ## Serve the page at once, index IMAGES=folder (or the sample photos) into STORE=folder, and follow it
	@$(PY) -m scripts.serve --check
	@if [ -d "$$INDEXER_IMAGES_DIR" ]; then mkdir -p "$$INDEXER_STORE_DIR" && $(remember); fi
	@exec $(PY) -m scripts.serve

test: $(READY)  ## Run the whole test suite, in a browser too (Chromium)
	@if $(PY) -m playwright --version >/dev/null && { $(has_chromium); }; then \
	  $(PY) -m pytest $(SPREAD); \
	elif [ -n "$$CI" ]; then \
	  echo "No browser can be driven: apt-get install chromium libatomic1" >&2; exit 1; \
	else \
	  echo "Without the browser tests, which need: apt-get install chromium libatomic1" >&2; \
	  $(PY) -m pytest $(SPREAD) -m "not browser"; \
	fi

index: $(READY) $(PHOTOS)  ## Index IMAGES=folder into STORE=folder: only what changed
	@$(PY) -m indexer build && $(remember)

weights: $(READY)  ## Fetch (or take VGG16_WEIGHTS=file.h5), check and convert the VGG16 weights
	@exec $(PY) -m indexer weights

samples: $(READY)  ## Draw the sample photos into var/samples
	@exec $(PY) -m samples draw --out $(SAMPLES)

photos: $(READY)  ## Fetch 3,670 photos of flowers (CC BY) into photos/flower_photos
	@exec $(PY) -m samples photos --out photos

up:  ## Start the containers, for IMAGES=folder (or the sample photos) and STORE=folder (or a volume)
	@$(in_containers); docker compose up --build --detach
	@echo "Open http://127.0.0.1:$${GATEWAY_PORT:-8000}"

down:  ## Stop the containers
	docker compose down

lint: $(READY)  ## Check style and types (ruff, mypy --strict)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(VENV)  ## Format the code
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(READY)  ## Measure the speed of everything in minutes, with BENCH=full to ten million descriptors in hours
	$(PY) -m benchmarks $(if $(filter full,$(BENCH)),--full)

eval: $(READY)  ## Measure retrieval quality on EVAL_PHOTOS=folder (holidays/ and corel1k/ in it)
	$(PY) -m benchmarks.quality $(if $(EVAL_TRUTH),--truth $(call quoted,$(EVAL_TRUTH)))
	$(if $(EVAL_TRUTH),,$(PY) -m benchmarks.feedback)

torture: $(READY)  ## Try what is promised of failures for some 20 minutes: odd files, hostile clients, stops, kills, changed bits
	$(PY) -m tests.torture

train-smoke: $(READY)  ## Fine-tune on the sample photos, and serve the result
	$(PY) -m pytest tests/training/test_smoke.py

proto: $(STUBS)  ## Generate the gRPC stubs

lock: $(VENV)  ## Lock the newest versions that requirements/*.in allow, all locks agreeing
	cd requirements && $(COMPILE) --upgrade development.in --output-file development.txt
	cd requirements && for part in gateway extractor convert milvus dask stubs; do \
	  $(COMPILE) $$part.in --constraint development.txt --output-file $$part.txt || exit 1; done

clean:  ## Remove what was built here, but no store and no photos
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	rm -f protos/imagesearch/v1/search_pb2*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV): requirements/development.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
	  echo "Python 3.11, 3.12 or 3.13 is needed (TensorFlow has no other), and $(PYTHON) is none of them:" >&2; \
	  echo "make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing the locked requirements into .venv: this happens once and takes some minutes"
	@test -e $@ || rm -rf .venv  # an installation that was broken off cannot be told from a whole one
	@test -x $(PY) || $(PYTHON) -m venv .venv || { \
	  rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@$(PY) -m pip install --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(STUBS): protos/imagesearch/v1/search.proto $(VENV)
	$(PY) -m grpc_tools.protoc -I . --python_out=. --pyi_out=. --grpc_python_out=. $<
