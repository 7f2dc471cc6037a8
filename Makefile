# Every way to build, check and run genspan. Each target installs what it misses; a second run is quick.

# How binaryen works on the shipped module. It inlines nothing that LLVM did not, and puts functions of one name's beginning side by
# side: both compress better. Rust has nothing below address 1024.
WASM_OPT := -Os --converge --low-memory-unused --reorder-functions-by-name $(addprefix --skip-pass=,inlining-optimizing simplify-locals memory-packing)

WASM_BINDGEN_VERSION := $(shell sed -n 's/^wasm-bindgen = .*"=\([0-9.]*\)".*/\1/p' Cargo.toml)
WASM_BINDGEN_ROOT    := target/tools/wasm-bindgen-$(WASM_BINDGEN_VERSION)
WASM_BINDGEN_IN_PATH := $(if $(filter $(WASM_BINDGEN_VERSION),$(shell wasm-bindgen --version 2>/dev/null)),$(shell command -v wasm-bindgen))
WASM_BINDGEN         := $(or $(WASM_BINDGEN_IN_PATH),$(WASM_BINDGEN_ROOT)/bin/wasm-bindgen)

RAW_WASM := target/wasm/wasm32-unknown-unknown/wasm/genspan.wasm
WASM     := pkg/wasm/core.wasm
# The same core with OTLP bodies in, for the command line: the others would carry that for nothing.
RAW_INGEST := target/wasm-ingest/wasm32-unknown-unknown/wasm/genspan.wasm
INGEST   := pkg/wasm/ingest.wasm
DIST     := pkg/dist/index.js
PAGE     := www/dist/index.html
# The module with its names kept.
NAMED    := target/size/named.wasm

# The C ABI as a module that any engine runs, and as one for engines with SIMD.
ABI := abi/dist/genspan.wasm abi/dist/genspan-simd.wasm
# The shared library for this machine.
NATIVE := abi/dist/$(if $(filter Darwin,$(shell uname -s)),libgenspan.dylib,libgenspan.so)

# What makes the header of the C ABI.
CBINDGEN_VERSION := 0.29.4
CBINDGEN := target/tools/cbindgen-$(CBINDGEN_VERSION)/bin/cbindgen

# What searches for bad input. The options of rustc that it needs are those of a nightly toolchain.
CARGO_FUZZ_VERSION := 0.13.2
CARGO_FUZZ   := target/tools/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin/cargo-fuzz
CORPUS       := target/fuzz/corpus
FUZZED       := $(basename $(notdir $(wildcard fuzz/targets/*.rs)))
FUZZ_SECONDS ?= 300
fuzz: export RUSTC_BOOTSTRAP := 1
# Without them a target is built in minutes.
fuzz: export CARGO_PROFILE_RELEASE_LTO := off
fuzz: export CARGO_PROFILE_RELEASE_CODEGEN_UNITS := 16

# What make profile and make instructions look at.
SHAPE   ?= genai
LOAD    ?= b
LANG_OF ?= en
export SHAPE LOAD LANG_OF

# Folders with packages of npm, by who needs them.
installed  = $(patsubst %/package-lock.json,%/node_modules/.installed,$(wildcard $(addsuffix /package-lock.json,$(1))))
FOR_PKG      := $(call installed,pkg)
FOR_DEMO     := $(call installed,demo examples/node-langfuse)
FOR_TEST     := $(call installed,tests/node/*)
FOR_WWW      := $(call installed,www)
FOR_PAGES    := $(call installed,tests/www)
FOR_RUNTIMES := $(call installed,tests/runtimes examples/cloudflare-worker examples/receive-worker examples/vercel-ai)
FOR_BENCH    := $(call installed,benches/js/*)
NPM       := npm --no-audit --no-fund --no-update-notifier --loglevel=error

FOR_PYTHON := target/py/.installed
# Engines that run the modules of the C ABI, and what checks them.
FOR_ABI := target/py-abi/.installed
# What the tests of the Python package need. Other Langfuse SDKs are those of the plugin's tests.
FOR_PACKAGE  := target/py-package/.installed
FOR_LANGFUSE := $(patsubst python/tests/requirements-%.txt,target/py-%/.installed,$(wildcard python/tests/requirements-*.txt))
FOR_PHOENIX := target/phoenix/.installed
FOR_READERS := target/readers/.installed
# The plugin for Envoy, and the clients that its tests run.
PLUGIN    := plugins/proxy-wasm/genspan.wasm
FOR_ENVOY := $(patsubst tests/envoy/requirements-%.txt,target/py-%/.installed,$(wildcard tests/envoy/requirements-*.txt))

# Without a terminal node's test runner would fall back to TAP, which nobody reads. What a failed test leaves open does not keep it from ending.
# Files run two at a time on two cores: most of them wait.
NODE_TEST := node --test --test-reporter=spec --test-force-exit --test-concurrency=2
# For each file, in ms.
test-%: NODE_TEST += --test-timeout=600000

# Where make finds the browser, and where the tests do.
export CHROMIUM ?= /usr/bin/chromium

.DEFAULT_GOAL := help
.PHONY: help build wheel sdist test-python abi abi-native header cbindgen plugin test demo bench bench-native bench-envoy bench-outage attack faults kill fuzz profile instructions size lint clean test-core check-core test-abi test-pkg test-node test-readers test-runtimes test-envoy test-www test-backends readers screenshots python chromium rust-components FORCE
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(PAGE) ## build the npm package: Rust core to WebAssembly, TypeScript to pkg/dist, the inspector's page to www/dist

abi: $(ABI) abi-native ## build what hosts in other languages embed, into abi/dist: two WebAssembly modules without imports, and a shared library

wheel: abi $(FOR_PACKAGE) ## build the Python package for this machine, into target/wheels
	@cp LICENSE python/
	target/py-package/bin/python -m build --wheel --no-isolation --outdir target/wheels python

sdist: $(FOR_PACKAGE) ## build the source distribution of the Python package, which needs cargo to be installed, into target/wheels
	@cp LICENSE python/
	target/py-package/bin/python -m build --sdist --no-isolation --outdir target/wheels python

plugin: $(PLUGIN) ## build the proxy-wasm plugin for Envoy and its like

test: ## run everything that must pass: lint, all tests, no imports in the core (STEP_LIMIT=1500: seconds that a step may take)
	@MAKE="$(MAKE)" node scripts/test.mjs build abi plugin lint test-core check-core test-abi test-pkg test-node test-readers test-runtimes test-python test-envoy test-www

demo: build $(FOR_DEMO) ## run an instrumented agent against a local receiver, show what arrived, and look inside (OPEN=0: do not stay, OPEN=1: in a browser)
	@node demo/run.mjs

bench: build $(NAMED) $(FOR_BENCH) $(FOR_RUNTIMES) ## speed beside named peers and the floor, 5 minutes; BENCH=quick: under one; WRITE_PAGE=1: into docs/performance.md
	$(if $(BENCH),,@cargo bench --quiet --bench native --no-run)
	@node benches/js/run.mjs

bench-native: ## the native part of the bench: OTLP bytes to OTLP bytes, beside prost and memcpy
	@cargo bench --quiet --bench native --no-run
	@BENCH=native node benches/js/run.mjs

bench-envoy: $(PLUGIN) $(FOR_ENVOY) ## requests a second through Envoy, with the plugin and without it (needs wrk)
	@command -v wrk >/dev/null || { echo "make: wrk is needed for this bench (Debian: apt-get install wrk)" >&2; exit 1; }
	@node benches/envoy/run.mjs

bench-outage: $(DIST) $(FOR_DEMO) $(FOR_TEST) ## a service whose backend is down for two minutes: its latency, its memory, what arrives
	@node benches/js/outage.mjs

test-backends: $(DIST) $(FOR_TEST) $(FOR_PHOENIX) ## send to a real Arize Phoenix and read back through its API
	$(NODE_TEST) $(wildcard tests/backends/*.test.mjs)

attack: $(DIST) $(PLUGIN) $(FOR_DEMO) $(FOR_ENVOY) ## hostile and normal senders at once, to a relay and to Envoy, for MINUTES (30): latency, memory, losses
	@node benches/attack.mjs

faults: $(DIST) $(FOR_DEMO) $(FOR_TEST) ## every fault by every transport; writes what was found into docs/delivery.md
	WRITE_PAGE=1 $(NODE_TEST) tests/node/faults.test.mjs

kill: $(DIST) $(FOR_DEMO) $(FOR_TEST) ## kill -9 a process with a spool 200 times, and see what arrives
	KILL_ROUNDS=200 $(NODE_TEST) tests/node/kill.test.mjs

fuzz: $(CARGO_FUZZ) $(FOR_PKG) ## search for input that breaks what must hold, FUZZ_SECONDS (300) for each target; start from captured bodies and from what was found before
	@cargo run --quiet -p genspan-fuzz --example seeds -- $(CORPUS)
	@for target in $(FUZZED); do \
	  echo "$$target"; \
	  $(CARGO_FUZZ) run --sanitizer none --features libfuzzer --target-dir target/fuzz/build $$target $(CORPUS)/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -rss_limit_mb=4096 -timeout=20 -print_final_stats=1 2>&1 | grep -E '^stat::number|ERROR|panicked|artifact' || true; \
	done
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(NODE_TEST) pkg/test/fuzz.test.mjs
	@if ls fuzz/artifacts/*/* 2>/dev/null; then echo "make: these inputs break what must hold" >&2; exit 1; fi

profile: $(DIST) $(NAMED) $(FOR_BENCH) ## where the time of a span goes, by function; LOAD=a|b|c LANG_OF=en|mix|cjk SHAPE=genai|langfuse|openinference|vercel
	@node benches/js/profile.mjs

instructions: $(DIST) $(FOR_BENCH) ## the same of the core alone, natively, in instructions (needs valgrind)
	@command -v valgrind >/dev/null || { echo "make: valgrind is needed for this (Debian: apt-get install valgrind)" >&2; exit 1; }
	@CARGO_PROFILE_RELEASE_DEBUG=1 cargo build --quiet --release --example replay --target-dir target/callgrind
	@node benches/js/frames.mjs $(SHAPE) $(LOAD) $(LANG_OF) target/callgrind/frames
	@cd target/callgrind && valgrind --quiet --tool=callgrind --callgrind-out-file=found release/examples/replay frames 4
	@cd target/callgrind && callgrind_annotate --auto=no found | sed 1,/^Ir/d | head -40

size: $(WASM) $(NAMED) ## what the module weighs, and what each part of it costs
	@node scripts/size.mjs $(WASM) $(NAMED)

lint: $(DIST) | rust-components ## rustfmt, clippy, tsc and Biome, warnings are errors
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	cargo clippy --quiet --lib --features bindings -- -D warnings
	cargo clippy --quiet --lib --features ingest -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --workspace
	cd pkg && node_modules/.bin/tsc --noEmit
	pkg/node_modules/.bin/biome ci --error-on-warnings .

test-core: ## tests of the Rust core
	cargo test --quiet --workspace --no-fail-fast
	@cargo test --quiet --test conventions -- --nocapture | grep -E 'rows honoured|^  all'

check-core: $(ABI) $(FOR_ABI) ## the core without bindings builds for wasm32 and imports nothing; the modules of the C ABI are what every engine runs
	scripts/build-core.sh --quiet --no-default-features --target-dir target/wasm-core
	@node scripts/check-imports.mjs target/wasm-core/wasm32-unknown-unknown/debug/genspan.wasm
	$(NODE_TEST) tests/abi/modules.test.mjs

test-abi: $(ABI) abi-native $(FOR_ABI) cbindgen ## the C ABI: a C program, and the same calls with the same results in every engine
	$(NODE_TEST) tests/abi/abi.test.mjs

header: $(CBINDGEN) ## write the header of the C ABI anew, abi/include/genspan.h
	@$(CBINDGEN) --quiet --config abi/cbindgen.toml abi --output abi/include/genspan.h

test-pkg: $(DIST) $(FOR_DEMO) ## tests of the npm package
	$(NODE_TEST) $(wildcard pkg/test/*.test.mjs)

test-node: $(DIST) $(FOR_DEMO) $(FOR_TEST) $(FOR_ENVOY) $(FOR_PYTHON) ## end to end: real SDKs, real instrumentation, other decoders
	cargo build --quiet --release --example convert --example ingest --example exporter
	$(NODE_TEST) $(wildcard tests/node/*.test.mjs)

test-readers: $(DIST) $(FOR_DEMO) $(FOR_READERS) ## what MLflow, Arize Phoenix and Langfuse read out of every captured body
	$(NODE_TEST) $(wildcard tests/readers/*.test.mjs)

readers: $(DIST) $(FOR_DEMO) $(FOR_READERS) ## write the tables of docs/readers.md
	@WRITE_PAGE=1 node tests/readers/page.mjs

test-runtimes: $(PAGE) $(FOR_DEMO) $(FOR_RUNTIMES) | chromium ## the packed package in Node, Deno, Bun, workerd and Chromium, by every bundler
	cargo build --quiet --release --example convert
	$(NODE_TEST) $(wildcard tests/runtimes/*.test.mjs)

test-python: abi $(FOR_PACKAGE) ## the Python package: types, delivery, forks, servers, real SDKs
	@$(MAKE) --no-print-directory --keep-going $(FOR_ENVOY) $(FOR_LANGFUSE) || true
	@cp LICENSE python/
	@if [ -e target/missing/python3 ]; then echo "SKIPPED [1] python/tests: $$(cat target/missing/python3)"; \
	elif [ ! -e $(FOR_PACKAGE) ]; then echo "SKIPPED [1] python/tests: pip could not install python/tests/requirements.txt"; \
	else cd python && ../target/py-package/bin/mypy && ../target/py-package/bin/pyright --pythonpath ../target/py-package/bin/python && \
	  GENSPAN_LIBRARY=$(CURDIR)/$(NATIVE) GENSPAN_WASM=$(CURDIR)/abi/dist/genspan.wasm PYTHONPATH=src ../target/py-package/bin/python -m pytest -rs; fi

test-envoy: $(PLUGIN) $(FOR_DEMO) $(FOR_ENVOY) ## the plugin in a real Envoy, between real Python SDKs and receivers
	cargo build --quiet --release --example ingest
	$(NODE_TEST) $(wildcard tests/envoy/*.test.mjs)

test-www: $(PAGE) $(FOR_DEMO) $(FOR_ENVOY) $(FOR_PAGES) | chromium ## the inspector in Chromium: captures, hostile content, keyboard, axe, bounds; screenshots go to target/www
	$(NODE_TEST) $(wildcard tests/www/*.test.mjs)

screenshots: $(PAGE) $(FOR_DEMO) $(FOR_PAGES) | chromium ## draw the README's pictures of the inspector anew (needs cwebp, and fonts: Inter, JetBrains Mono, Noto Sans CJK)
	@command -v cwebp >/dev/null || { echo "make: cwebp is needed for this (Debian: apt-get install webp)" >&2; exit 1; }
	$(NODE_TEST) tests/www/screenshots.test.mjs
	cwebp -quiet -m 6 -q 85 -resize 1920 0 target/www/span-light-1440.png -o docs/inspector-light.webp
	cwebp -quiet -m 6 -q 85 -resize 1920 0 target/www/changes-dark-1440.png -o docs/inspector-dark.webp

clean: ## remove everything that make has built or installed here
	rm -rf target abi/dist pkg/dist pkg/wasm www/dist $(dir $(FOR_PKG) $(FOR_DEMO) $(FOR_TEST) $(FOR_RUNTIMES) $(FOR_WWW) $(FOR_PAGES) $(FOR_BENCH))

# ---- what the targets stand on

# cargo decides whether there is something to do; it leaves the file alone if not, and then nothing below is redone.
$(RAW_WASM): FORCE
	@scripts/build-core.sh --quiet --profile wasm --features bindings

$(WASM_BINDGEN_ROOT)/bin/wasm-bindgen:
	cargo install --quiet wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION) --debug --root $(WASM_BINDGEN_ROOT) --target-dir target/tools/build
	@rm -rf target/tools/build

$(CBINDGEN):
	cargo install --quiet cbindgen --version $(CBINDGEN_VERSION) --locked --debug --root target/tools/cbindgen-$(CBINDGEN_VERSION) --target-dir target/tools/build
	@rm -rf target/tools/build

# Without it the header is not compared, and that is listed as a test that did not run.
cbindgen:
	@[ -x $(CBINDGEN) ] || $(MAKE) --no-print-directory $(CBINDGEN) || { mkdir -p target/missing && echo "cbindgen is not installed, and cargo could not install it" > target/missing/cbindgen; }

$(CARGO_FUZZ):
	cargo install --quiet cargo-fuzz --version $(CARGO_FUZZ_VERSION) --locked --root target/tools/cargo-fuzz-$(CARGO_FUZZ_VERSION) --target-dir target/tools/build
	@rm -rf target/tools/build

$(WASM): $(RAW_WASM) $(WASM_BINDGEN) $(FOR_PKG) Makefile
	$(WASM_BINDGEN) --target web --omit-default-module-path --out-dir $(@D) $(RAW_WASM)
	@scripts/several-instances.sh $(@D)
	pkg/node_modules/.bin/wasm-opt $(WASM_OPT) --strip-debug --strip-producers $(@D)/genspan_bg.wasm -o $@
	@scripts/check-paths.sh $@

$(NAMED): $(WASM)
	@$(WASM_BINDGEN) --target web --omit-default-module-path --keep-debug --out-dir $(@D) $(RAW_WASM)
	@pkg/node_modules/.bin/wasm-opt $(WASM_OPT) -g $(@D)/genspan_bg.wasm -o $@

$(RAW_INGEST): FORCE
	@scripts/build-core.sh --quiet --profile wasm --features ingest --target-dir target/wasm-ingest

# Both modules are called through the same bindings: cmp holds them to it.
$(INGEST): $(RAW_INGEST) $(WASM) Makefile
	$(WASM_BINDGEN) --target web --omit-default-module-path --out-dir target/wasm-ingest/bound $(RAW_INGEST)
	@scripts/several-instances.sh target/wasm-ingest/bound
	@cmp target/wasm-ingest/bound/genspan.js $(dir $(WASM))genspan.js
	pkg/node_modules/.bin/wasm-opt $(WASM_OPT) --strip-debug --strip-producers target/wasm-ingest/bound/genspan_bg.wasm -o $@
	@scripts/check-paths.sh $@

$(DIST): $(WASM) $(INGEST) $(wildcard pkg/src/*.ts pkg/src/serve/*.ts) pkg/build.mjs pkg/package.json pkg/tsconfig.json LICENSE $(FOR_PKG)
	cd pkg && node build.mjs

$(PAGE): $(DIST) $(FOR_WWW) $(shell find www/src www/public -type f 2>/dev/null) www/index.html www/vite.config.ts www/tsconfig.json
	pkg/node_modules/.bin/tsc --noEmit -p www
	cd www && node_modules/.bin/vite build --logLevel warn
	cd pkg && node build.mjs
	@touch $@

%/node_modules/.installed: %/package-lock.json
	cd $* && $(NPM) ci
	@touch $@

$(PLUGIN): FORCE $(FOR_PKG)
	@scripts/build-core.sh --quiet --profile proxy -p genspan-proxy-wasm
	@WASM_OPT="$(WASM_OPT)" scripts/optimize.sh target/wasm/wasm32-unknown-unknown/proxy/genspan_proxy_wasm.wasm $@ plugins/proxy-wasm/exports.json

abi/dist/genspan.wasm: FORCE $(FOR_PKG)
	@SIMD=- scripts/build-core.sh --quiet --profile wasm -p genspan-abi --target-dir target/wasm-plain
	@WASM_OPT="$(WASM_OPT)" scripts/optimize.sh target/wasm-plain/wasm32-unknown-unknown/wasm/genspan_abi.wasm $@

abi/dist/genspan-simd.wasm: FORCE $(FOR_PKG)
	@scripts/build-core.sh --quiet --profile wasm -p genspan-abi
	@WASM_OPT="$(WASM_OPT)" scripts/optimize.sh target/wasm/wasm32-unknown-unknown/wasm/genspan_abi.wasm $@

# For this machine: libgenspan.so, libgenspan.dylib or genspan.dll.
abi-native: FORCE
	@scripts/build-native.sh --quiet

# What the tests need of the machine, installed where that is possible. Where it is not, their tests are listed as not run.
python:
	@scripts/install.sh python3 'python3 -c "import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 10))"' python3 python3-venv

chromium:
	@scripts/install.sh chromium '"$$CHROMIUM" --version' chromium

rust-components:
	@{ cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1 || rustup component add rustfmt clippy

# Makes a virtual environment beside the target, with the packages that the first prerequisite lists.
define venv
	@[ -e target/missing/python3 ] || { python3 -m venv $(@D) && $(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@; }
endef

target/py-%/.installed: tests/envoy/requirements-%.txt | python
	$(venv)

target/py-%/.installed: python/tests/requirements-%.txt | python
	$(venv)

# Where pip can't install, the tests are listed as not run.
$(FOR_PACKAGE): python/tests/requirements.txt | python
	-$(venv)

$(FOR_PYTHON): tests/python-requirements.txt | python
	$(venv)

# Phoenix alone: without the server's libraries it is there in seconds. Where a package can't be had, the reason is kept for the list of tests.
$(FOR_READERS): tests/readers/requirements.txt tests/readers/requirements-alone.txt | python
	@mkdir -p target/missing; rm -f target/missing/readers
	@if [ -e target/missing/python3 ]; then cp target/missing/python3 target/missing/readers; else \
	  rm -rf $(@D); python3 -m venv $(@D) && pip="$(@D)/bin/python -m pip install --quiet --disable-pip-version-check" && \
	  $$pip -r $< && $$pip --no-deps -r $(word 2,$^) && touch $@ || { rm -rf $(@D); echo "pip could not install the readers" >target/missing/readers; }; fi

# A package that can't be installed keeps none of the others from it: its tests are listed as not run.
$(FOR_ABI): tests/abi/requirements.txt | python
	@[ -e target/missing/python3 ] || { python3 -m venv $(@D) && scripts/install-python.sh $(@D) $< && touch $@; }

$(FOR_PHOENIX): tests/backends/requirements.txt | python
	$(venv)
