# make                  builds the library and the C examples in build/
# make demo             builds the library and plays a game of dots for ten seconds, in C and, where they are present, in
#                       Python, Godot and a browser; links are cut, nothing is lost; DEMO="--seconds 0": until Ctrl-C
# make demo-picture     draws what `make demo` shows: docs/demo.svg
# make cli              builds the command line wspeer, its man pages and completions in build/cli: docs/cli.md
# make check            the fast tests: format, lints, protocol and connection tests in Rust, generated files
# make test             installs what the tests need and runs all of them; tests/README.md says how to run one suite
# make test-long        hours of fuzzing, mutants, sanitizers, attacks and a soak test; it runs the targets
#                       fuzz, mutants, asan, tsan, attacks, players, soak and autobahn-full
# make players          breaks the links of 1000 players in all ways, and measures how long they are away and how much
#                       memory that takes; writes build/players.md
# make docs             builds the site: build/docs/index.html
# make install          PREFIX=/usr/local, DESTDIR=; `make uninstall` takes the same
# make generate         writes include/wspeer.h, and the parts of the bindings and docs that follow from the interface
# make abi-record       records the binary interface: at a release, or after an addition
# make release-check    checks that version, changelog, ABI record, header and generated files agree
# make release          makes all packages that this machine can make, in build/release; docs/releasing.md. As root on
#                       Debian it installs what that takes (3 GB); RELEASE="--platform linux-x86_64" makes some
# make godot            builds the addon for Godot 4.3 and later: build/godot-addon/addons/wspeer
# make godot-package    packs it for Godot's Asset Library: build/wspeer-godot-VERSION.zip
# make unity-package    adds this machine's library to bindings/csharp and packs build/com.wspeer.wspeer-VERSION.tgz
# make examples-web     builds the chat example for a web page: build/examples-web
# make windows          builds wspeer.dll with MinGW and tests it in Wine; as root on Debian installs both (1.9 GB)
# make autobahn-full    runs all 517 cases of the Autobahn suite in both roles: a quarter of an hour
# make bench            installs the other libraries, measures wspeer and them (BENCH="--quick": one short round) and
#                       writes build/bench/benchmarks.md
# make bench-goals      measures wspeer, raw TCP, a minimal C server and tungstenite in a few minutes, prints wspeer's
#                       speed goals and which are reached, and fails unless all are; takes BENCH too
# make age-plot         draws how old positions are when they arrive over a slow line: docs/latest.svg
# make bench-guard      counts instructions, allocations, system calls and bytes in fixed scenarios; fails when a count
#                       exceeds its record in benches/guard.toml by 2 %; part of `make test`; see benches/README.md
# make scale            measures servers with up to 15,000 connections, wspeer and others, in half an hour; writes
#                       benches/scale/results.json and docs/scale.md with its plots; takes SCALE="--rounds 1"
# make bench-godot      measures echo, and servers of many peers, with wspeer's Godot classes and with Godot's own, and
#                       writes build/bench/godot.md and godot-peers.md
# make bench-bindings   measures the cost of one message in each binding, relative to C
# make release-again    makes the packages a second time, in other folders, and compares them with build/release
# make clean            removes build/ and cargo's output
TARGET := $(or $(CARGO_TARGET_DIR),target)
CC ?= cc
CFLAGS ?= -O2 -g
STRICT := -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Wconversion
PREFIX ?= /usr/local
DESTDIR ?=
EXAMPLES := $(patsubst examples-c/%.c,build/%,$(wildcard examples-c/*.c))
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)

all: library examples

# CMakeLists.txt and pip (bindings/python/setup.py) use the same command, so they build the same library. It does not
# build the Rust library (rlib), so functions that only C calls are internal, which saves 35 instructions in each call.
library:
	cargo rustc --release --locked --lib --crate-type cdylib,staticlib
	mkdir -p build
	cp -f $(TARGET)/release/libwspeer.so build/libwspeer.so.new
	mv -f build/libwspeer.so.new build/libwspeer.so # a running program keeps the library that it has mapped
	cp -f $(TARGET)/release/libwspeer.a build/libwspeer.a.new
	mv -f build/libwspeer.a.new build/libwspeer.a
	ln -sf libwspeer.so build/libwspeer.so.0

# For `sudo make install`, where cargo may be missing: the library is built only if it is older than its sources.
build/libwspeer.so: $(shell find src -name '*.rs') src/ffi/manual.h build.rs cbindgen.toml Cargo.toml Cargo.lock
	$(MAKE) library

build/libwspeer.a: build/libwspeer.so
	test -e $@ || $(MAKE) library

examples: $(EXAMPLES)

build/%: examples-c/%.c include/wspeer.h | library
	$(CC) $(STRICT) $(CFLAGS) -Iinclude $< -o $@ -Lbuild -lwspeer -pthread -lm -Wl,-rpath,'$$ORIGIN'

# Debian's Emscripten needs Debian's Node modules, which a Node from another source does not search for.
EMCC := $(if $(wildcard /usr/share/nodejs),NODE_PATH="$${NODE_PATH:+$$NODE_PATH:}/usr/share/nodejs" )emcc

# The chat example for a web page. Any static server can serve build/examples-web.
examples-web: build/examples-web/chat.js build/examples-web/index.html

build/examples-web/chat.js: examples-web/chat.c include/wspeer.h $(wildcard bindings/web/*.js)
	mkdir -p build/examples-web
	$(EMCC) -std=gnu99 -Wall -Wextra -O2 -Iinclude $< $(patsubst %,--js-library %,$(wildcard bindings/web/*.js)) \
	  -sEXPORTED_FUNCTIONS=_main,_malloc,_free -sALLOW_MEMORY_GROWTH=1 -o $@

build/examples-web/index.html: examples-web/index.html
	mkdir -p build/examples-web
	cp $< $@

# The addon for Godot 4.3 and later: build/godot-addon/addons/wspeer.
godot: library
	$(MAKE) -C bindings/godot

# With the libraries for other platforms that are in its folder bin, from `make godot` on other machines.
godot-package: godot
	bindings/godot/package.py build/godot-addon/addons/wspeer/bin build/wspeer-godot-$(VERSION).zip

demo: library build/demo
	examples/dots/run.sh $(DEMO)

.PHONY: demo-picture
demo-picture: library build/demo godot
	tests/demo/picture.py docs/demo.svg

# The site. pip installs MkDocs Material into build/venv.
docs:
	tools/site/setup.sh
	build/venv/bin/python tools/site/build.py

# The command line: a static file, which needs no C library, where the target for musl and a C compiler for it are
# installed.
MUSL = $(shell uname -m)-unknown-linux-musl
CLI_TARGET = $(if $(shell command -v musl-gcc),$(filter $(MUSL),$(shell rustup target list --installed 2> /dev/null)))
CLI_FOLDER = $(TARGET)/cli/$(if $(CLI_TARGET),$(CLI_TARGET)/)release
cli:
	cargo build --release --locked --manifest-path cli/Cargo.toml --target-dir $(TARGET)/cli $(if $(CLI_TARGET),--target $(CLI_TARGET))
	mkdir -p build/cli/completions
	cp -f $(CLI_FOLDER)/wspeer build/cli/wspeer.new
	mv -f build/cli/wspeer.new build/cli/wspeer
	build/cli/wspeer man --dir build/cli/man
	build/cli/wspeer completions bash > build/cli/completions/wspeer
	build/cli/wspeer completions zsh > build/cli/completions/_wspeer
	build/cli/wspeer completions fish > build/cli/completions/wspeer.fish
	@echo "build/cli/wspeer is $(if $(CLI_TARGET),static,linked with the C library of this system: the target $(MUSL) or musl-gcc is missing)"

help:
	@sed -n -e 's/^# \(make .*\)/\1/p' -e 's/^# \( \{20\}.*\)/\1/p' Makefile

test:
	tests/setup.sh
	tests/run

# These suites need only cargo, python3 and loopback, and take less than three minutes once the dependencies are built.
check:
	tests/run fmt clippy current fast

release-check:
	tests/release.py

# The packages: archives, wheels, Debian packages, Unity, NuGet, Godot, npm, crate, recipes, SBOM, checksums.
release:
	tools/release/make.py $(RELEASE)

# They are installed and used: each archive on Linux, under qemu or Wine where that is possible.
release-try: all
	python3 tests/release/install.py build/release

release-again:
	tools/release/again.py

bench: library
	benches/setup.sh
	$(MAKE) -C benches
	benches/run.py $(BENCH)

bench-godot: godot
	benches/setup.sh
	tests/setup.sh
	mkdir -p build/bench
	$(MAKE) -C benches ../build/bench/load
	benches/godot/run.py $(BENCH)
	benches/godot/peers.py $(BENCH)

bench-goals: library
	benches/setup.sh gcc make python3 valgrind strace libssl-dev
	$(MAKE) -C benches goals
	benches/run.py --goals $(BENCH)

scale: library
	benches/setup.sh gcc make python3 libssl-dev libwebsockets-dev
	tests/setup.sh
	$(MAKE) -C benches scale
	benches/scale/run.py $(SCALE)
	benches/scale/report.py

bench-guard: library
	benches/setup.sh gcc make python3 valgrind strace
	benches/guard.py $(GUARD)

bench-bindings: library
	benches/bindings/run.py

autobahn-full: all
	tests/setup.sh
	tests/suites/autobahn.sh --full

# Soak test: 500 clients join, talk, leave and lose their connections, for an hour. build/soak.csv has the memory and
# descriptors in use, and build/soak.svg plots them.
soak:
	WSPEER_SOAK_SECONDS=3600 WSPEER_SOAK_CLIENTS=500 cargo test --release --locked --test soak -- --nocapture
	tests/soak/plot.py build/soak.csv build/soak.svg

# Ages of positions over a slow simulated line, put by ws_put_latest() and by ws_put_packet(). Each run draws the same.
age-plot: library
	WSPEER_LIBRARY=$(CURDIR)/build/libwspeer.so python3 -B tests/age/plot.py docs/latest.svg

# Attacks on a server that also serves a hundred honest clients, half a minute each.
attacks: library
	tests/suites/attacks.sh --seconds 30

# 1000 players with sessions whose server stops, whose proxy is cut, whose cable is pulled, and whose addresses change.
players: library
	tests/suites/players.sh --long

# A careless program: it runs out of memory or descriptors, forks, gets signals, polls late or never; its clock jumps.
careless: all
	tests/run careless forks lack loss signals
	cargo test --locked --test descriptors
	cargo test --locked --test server fairness::

# Runs each fuzz target, or those in TARGETS="frames calls", for SECONDS. Needs a nightly toolchain. Inputs that fail
# are stored in fuzz/artifacts.
SECONDS ?= 60
TARGETS ?= $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
fuzz:
	command -v cargo-fuzz > /dev/null || cargo install cargo-fuzz --version 0.13.2 --locked
	for target in $(TARGETS); do \
	  mkdir -p fuzz/corpus/$$target; \
	  cargo +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
	    -max_total_time=$(SECONDS) -max_len=8192 -timeout=20 -rss_limit_mb=4096 || exit 1; \
	done

# Mutation tests: each changes one operator, condition or result, and a test should fail. MUTANTS="src/protocol
# src/link/rate.rs" selects sources. tests/mutants/known.md lists the mutants that no test detects.
mutants:
	command -v cargo-mutants > /dev/null || cargo install cargo-mutants --version 27.1.0 --locked
	tests/mutants/run.py $(MUTANTS)

# AddressSanitizer and LeakSanitizer, with the Rust tests and the C, C++ and C# programs (ASAN="c cpp" selects some).
# Needs a nightly toolchain.
asan:
	tests/setup.sh
	tests/sanitize/asan.sh $(ASAN)

# ThreadSanitizer, with the C programs and Rust tests that use threads (TSAN="c" selects some). As root it installs
# Debian's rustc and its source (apt, 1.1 GB).
tsan:
	tests/sanitize/tsan.sh $(TSAN)

# The long forms of tests that `make test` runs in a short form, one after the other: the longest messages and calls,
# sessions cut at every byte, the reuse of all handles, a new certificate under 10 000 connections, 100 minutes of
# fuzzing, an hour of the soak test, and the others.
test-long: all
	WSPEER_LONG_BYTES=4294967301 cargo test --release --locked --test long_messages
	WSPEER_FRAME_BYTES=67108864 cargo test --release --locked --test longest_call -- --nocapture
	WSPEER_CUT_STEP=1 cargo test --release --locked --test session_cuts --test connection cut -- --nocapture
	WSPEER_OPENS=2200000000 cargo test --release --locked --lib table::slots
	build/venv/bin/python tests/renew/run.py 10000 5
	$(MAKE) sim
	$(MAKE) fuzz SECONDS=600
	$(MAKE) mutants
	$(MAKE) asan
	$(MAKE) tsan
	$(MAKE) attacks
	$(MAKE) players
	$(MAKE) soak
	$(MAKE) autobahn-full
	$(MAKE) release release-try release-again

# Compares simulated networks with the kernel's in a network namespace, and plots them in docs/simulator.svg.
sim: library
	@mkdir -p build/tests
	$(CC) -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -O1 -Iinclude tests/sim/flow.c -o build/tests/flow \
	  -Lbuild -lwspeer -Wl,-rpath,$(CURDIR)/build
	tests/sim/run.py --long --plot docs/simulator.svg

# Records the binary interface: at a release, or after an addition.
abi-record:
	tests/abi/guard.py --record include/wspeer.h

# Writes the files that follow from src/options.toml, src/codes.rs and src/ffi; tools/generate/README.md lists them.
generate:
	tools/generate/generate.py
	tools/release/licences.py
	bindings/csharp/tools~/package.py --metas

unity-package: library
	bindings/csharp/tools~/package.py

# The tests of the web build in another browser (apt: firefox-esr), and with the Emscripten of Debian sid (as root, apt:
# debootstrap; 1 GB in build/sid).
web-firefox: library
	WSPEER_BROWSER=firefox tests/suites/web.sh

web-emscripten6: library
	WEB_TOOLS=sid tests/suites/web.sh

windows:
	tests/setup.sh
	tests/windows/run.sh $(WINDOWS)

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	cargo clippy --all-targets --features inject-panics -- -D warnings

install: build/libwspeer.so build/libwspeer.a
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	  $(DESTDIR)$(PREFIX)/lib/cmake/wspeer $(DESTDIR)$(PREFIX)/share/doc/wspeer
	install -m 644 LICENSE-MIT LICENSE-APACHE $(DESTDIR)$(PREFIX)/share/doc/wspeer/
	install -m 644 include/wspeer.h bindings/cpp/wspeer.hpp $(DESTDIR)$(PREFIX)/include/
	install -m 755 build/libwspeer.so $(DESTDIR)$(PREFIX)/lib/libwspeer.so.0
	ln -sf libwspeer.so.0 $(DESTDIR)$(PREFIX)/lib/libwspeer.so
	install -m 644 build/libwspeer.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 cmake/wspeerConfig.cmake cmake/wspeerTargets.cmake $(DESTDIR)$(PREFIX)/lib/cmake/wspeer/
	sed 's|@VERSION@|$(VERSION)|' cmake/wspeerConfigVersion.cmake.in \
	  > $(DESTDIR)$(PREFIX)/lib/cmake/wspeer/wspeerConfigVersion.cmake
	sed 's|@VERSION@|$(VERSION)|; s|@PREFIX@|$(PREFIX)|' cmake/wspeer.pc.in \
	  > $(DESTDIR)$(PREFIX)/lib/pkgconfig/wspeer.pc

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/include/wspeer.h $(DESTDIR)$(PREFIX)/include/wspeer.hpp
	rm -f $(DESTDIR)$(PREFIX)/lib/libwspeer.so $(DESTDIR)$(PREFIX)/lib/libwspeer.so.0
	rm -f $(DESTDIR)$(PREFIX)/lib/libwspeer.a $(DESTDIR)$(PREFIX)/lib/pkgconfig/wspeer.pc
	rm -rf $(DESTDIR)$(PREFIX)/lib/cmake/wspeer $(DESTDIR)$(PREFIX)/share/doc/wspeer

clean:
	cargo clean
	rm -rf build

.PHONY: all library examples cli windows docs examples-web godot godot-package unity-package web-firefox web-emscripten6 demo help check \
  release release-try release-again release-check test scale sim age-plot autobahn-full bench bench-goals bench-guard bench-godot fuzz mutants soak attacks players careless asan tsan test-long \
  abi-record generate fmt lint install uninstall clean
