# Everything runs on the Node that `npm ci` brings (an exact, optional dependency), whatever Node is on the machine.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
IMAGE ?= kube-controller-manager:dev
INSTALLED := node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help run smoke test unit watch test-one debug check format build bench deflake image clean

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(INSTALLED): package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@# The Node of npm ci is for glibc and needs libatomic; where it does not start, the one on PATH has its turn.
	@if [ -e node_modules/.bin/node ] && ! node_modules/.bin/node --version >/dev/null; then \
	  echo "node_modules/.bin/node, which npm ci installs, does not start here: see the error above." >&2; \
	  echo "Where libatomic.so.1 is missing: apt-get install libatomic1, dnf install libatomic or apk add libatomic; then make clean." >&2; \
	  rm -f node_modules/.bin/node; fi
	@node deploy/check-node.cjs || { rm -f $@; exit 1; }
	@touch $@

run: $(INSTALLED) ## the embedded cluster with the controller manager on it and a sample rolling out; Ctrl-C ends it
	@exec node cmd/devcluster/main.ts run $(ARGS)

smoke: $(INSTALLED) ## the same from nothing to a finished rollout, an update and a failover; prints the times
	@exec node cmd/devcluster/main.ts smoke $(ARGS)

test: check ## lint, types and tests; ends with one line of counts
	@vitest run $(ARGS)

unit: $(INSTALLED) ## tables and worlds only: what starts no process and opens no socket
	@vitest run --project=unit $(ARGS)

watch: $(INSTALLED) ## the unit tests, again for whatever is edited
	@vitest watch --project=unit $(ARGS)

test-one: $(INSTALLED) ## one test file: F=controllers/job/job.world.test.ts, and N="part of a title" for one test of it
	@vitest run $(F) $(if $(N),-t "$(N)")

debug: $(INSTALLED) ## one test file under the inspector, waiting for a debugger: F=...
	@vitest run --inspect-brk --no-file-parallelism --test-timeout=0 $(F) $(if $(N),-t "$(N)")

check: $(INSTALLED) ## formatting, lint, types and the rules of the architecture
	@oxfmt --check .
	@oxlint --type-aware --deny-warnings
	@tsc -p .
	@vitest run --config test/architecture/vitest.config.ts

format: $(INSTALLED) ## format the sources
	@oxfmt .

build: $(INSTALLED) ## bundle the binary into dist/, and the library into dist/library
	@rolldown --config rolldown.config.ts
	@node deploy/code-cache.ts dist
	@tsc -p tsconfig.library.json
	@node deploy/library-package.ts dist/library

bench: $(INSTALLED) ## measure: all benchmarks, or BENCH="name ..."
	@node --expose-gc test/bench/run.ts $(BENCH)

deflake: $(INSTALLED) ## the tests again and again in new orders until one fails; RUNS=20
	@for i in $$(seq $${RUNS:-20}); do \
	  echo "run $$i, seed $$i$$$$"; vitest run --sequence.seed=$$i$$$$ --reporter=dot $(ARGS) || exit 1; done

image: build ## the container image
	docker build --file deploy/Dockerfile --tag $(IMAGE) .

clean: ## remove what was built and installed
	rm -rf dist node_modules .cluster coverage
