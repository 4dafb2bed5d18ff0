# make                  builds the library and the C examples into build/
# make demo             builds the library and runs the main job in a terminal, on loopback
# make check            the fast tests: format, lints, the protocol and connection tests in Rust, generated files
# make test             installs what the tests need and passes all of them; tests/run NAME runs one suite, tests/README.md has more
# make test-long        hours of fuzzing, mutants, sanitizers, attacks and a crowd; make fuzz, mutants, asan, tsan, attacks, soak and autobahn-full are its parts
# make install          PREFIX=/usr/local, DESTDIR=; `make uninstall` takes the same
# make generate         writes include/wspeer.h, and whatever the bindings and docs repeat of the interface, from the sources
# make abi-record       records the binary interface anew: at a release, or after an addition
# make release-check    whether version, changelog, ABI record, header and generated files agree
# make godot            the addon for Godot 4.3 and later: build/godot-addon/addons/wspeer
# make unity-package    puts what this machine built into bindings/csharp and packs build/com.wspeer.wspeer-VERSION.tgz
# make examples-web     the chat in a page: build/examples-web
# make windows          builds wspeer.dll with MinGW and tries it under Wine; as root on Debian it installs both (apt, 1.9 GB)
# make autobahn-full    all 517 cases of the Autobahn suite in both roles: a quarter of an hour
# make bench            installs the peers, measures wspeer beside them (BENCH="--quick": one short round) and writes build/bench/benchmarks.md
# make bench-godot      measures echo through wspeer's Godot classes beside Godot's own and writes build/bench/godot.md
# make bench-bindings   what one message costs through each binding, as a multiple of C
# make clean            removes build/ and what cargo built
TARGET := $(or $(CARGO_TARGET_DIR),target)
CC ?= cc
CFLAGS ?= -O2 -g
STRICT := -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Wconversion
PREFIX ?= /usr/local
DESTDIR ?=
EXAMPLES := $(patsubst examples-c/%.c,build/%,$(wildcard examples-c/*.c))
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)

all: library examples

# CMakeLists.txt and pip (bindings/python/setup.py) build by this very command, and so the same library. Without the Rust library beside them what only C calls
# is compiled as internal, which makes each call some 35 instructions shorter.
library:
	cargo rustc --release --locked --lib --crate-type cdylib,staticlib
	mkdir -p build
	cp -f $(TARGET)/release/libwspeer.so build/libwspeer.so.new
	mv -f build/libwspeer.so.new build/libwspeer.so # a program that runs keeps the one that it has mapped
	cp -f $(TARGET)/release/libwspeer.a build/libwspeer.a.new
	mv -f build/libwspeer.a.new build/libwspeer.a
	ln -sf libwspeer.so build/libwspeer.so.0

# For `sudo make install`, which may have no cargo: only what is older than the sources is built anew.
build/libwspeer.so: $(shell find src -name '*.rs') src/ffi/manual.h build.rs cbindgen.toml Cargo.toml Cargo.lock
	$(MAKE) library

build/libwspeer.a: build/libwspeer.so
	test -e $@ || $(MAKE) library

examples: $(EXAMPLES)

build/%: examples-c/%.c include/wspeer.h | library
	$(CC) $(STRICT) $(CFLAGS) -Iinclude $< -o $@ -Lbuild -lwspeer -Wl,-rpath,'$$ORIGIN'

# Debian's Emscripten needs Node's modules of Debian, which a Node from elsewhere does not look for.
EMCC := $(if $(wildcard /usr/share/nodejs),NODE_PATH="$${NODE_PATH:+$$NODE_PATH:}/usr/share/nodejs" )emcc

# The chat in a page, build/examples-web: any static server serves it.
examples-web: build/examples-web/chat.js build/examples-web/index.html

build/examples-web/chat.js: examples-web/chat.c include/wspeer.h $(wildcard bindings/web/*.js)
	mkdir -p build/examples-web
	$(EMCC) -std=gnu99 -Wall -Wextra -O2 -Iinclude $< $(patsubst %,--js-library %,$(wildcard bindings/web/*.js)) -sEXPORTED_FUNCTIONS=_main,_malloc,_free -sALLOW_MEMORY_GROWTH=1 -o $@

build/examples-web/index.html: examples-web/index.html
	mkdir -p build/examples-web
	cp $< $@

# The addon for Godot 4.3 and later: build/godot-addon/addons/wspeer.
godot: library
	$(MAKE) -C bindings/godot

demo: library build/demo
	cargo run --quiet --locked --example make_cert -- build/demo-cert
	build/demo --cert build/demo-cert/cert.pem --key build/demo-cert/key.pem

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

test:
	tests/setup.sh
	tests/run

# What needs no network beyond loopback and nothing but cargo and python3, in under three minutes when warm.
check:
	tests/run fmt clippy current fast

release-check:
	tests/release.py

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

bench-bindings: library
	benches/bindings/run.py

autobahn-full: all
	tests/setup.sh
	tests/suites/autobahn.sh --full

# A crowd that joins, talks, leaves and is cut, for an hour; build/soak.csv has memory and descriptors, build/soak.svg shows them.
soak:
	WSPEER_SOAK_SECONDS=3600 WSPEER_SOAK_CLIENTS=500 cargo test --release --locked --test soak -- --nocapture
	tests/soak/plot.py build/soak.csv build/soak.svg

# Attacks on a server, half a minute each, beside a hundred honest players.
attacks: library
	tests/suites/attacks.sh --seconds 30

# The careless host: too little memory or no descriptors, forks, signals, clocks that jump, polls that come late or never.
careless: all
	tests/run careless forks lack loss signals
	cargo test --locked --test descriptors
	cargo test --locked --test server fairness::

# Runs each of the fuzzer's targets (TARGETS="frames calls": some) for SECONDS; wants a nightly toolchain. What is found lies in fuzz/artifacts.
SECONDS ?= 60
TARGETS ?= $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
fuzz:
	command -v cargo-fuzz > /dev/null || cargo install cargo-fuzz --version 0.13.2 --locked
	for target in $(TARGETS); do \
	  mkdir -p fuzz/corpus/$$target; \
	  cargo +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(SECONDS) -max_len=8192 -timeout=20 -rss_limit_mb=4096 || exit 1; \
	done

# Changes of one operator, condition or result, each of which a test should notice (MUTANTS="src/protocol src/peer/beat.rs": some).
# tests/mutants/known.md has those that none does.
mutants:
	command -v cargo-mutants > /dev/null || cargo install cargo-mutants --version 27.1.0 --locked
	tests/mutants/run.py $(MUTANTS)

# AddressSanitizer and LeakSanitizer over the Rust tests and the C, C++ and C# programs (ASAN="c cpp": some); wants a nightly toolchain.
asan:
	tests/setup.sh
	tests/sanitize/asan.sh $(ASAN)

# ThreadSanitizer over the C programs and Rust tests that have threads (TSAN="c": some); as root it installs Debian's rustc and its source (apt, 1.1 GB).
tsan:
	tests/sanitize/tsan.sh $(TSAN)

# The long forms of what `make test` does in short, in turn: the longest messages and calls, all handles there are, 100 minutes of fuzzing, an hour of a crowd, and the rest.
test-long: all
	WSPEER_LONG_BYTES=4294967301 cargo test --release --locked --test long_messages
	WSPEER_FRAME_BYTES=67108864 cargo test --release --locked --test longest_call -- --nocapture
	WSPEER_OPENS=2200000000 cargo test --release --locked --lib table::slots
	$(MAKE) fuzz SECONDS=600
	$(MAKE) mutants
	$(MAKE) asan
	$(MAKE) tsan
	$(MAKE) attacks
	$(MAKE) soak
	$(MAKE) autobahn-full

# Writes the record of the binary interface anew: at a release, or after an addition.
abi-record:
	tests/abi/guard.py --record include/wspeer.h

# Writes whatever follows from src/options.toml, src/codes.rs and src/ffi; tools/generate/README.md says what that is.
generate:
	tools/generate/generate.py
	bindings/csharp/tools~/package.py --metas

unity-package: library
	bindings/csharp/tools~/package.py

# The suite of the web build in another browser (apt: firefox-esr), and with the Emscripten of Debian sid (as root, apt: debootstrap; 1 GB in build/sid).
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
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/lib/cmake/wspeer $(DESTDIR)$(PREFIX)/share/doc/wspeer
	install -m 644 LICENSE-MIT LICENSE-APACHE $(DESTDIR)$(PREFIX)/share/doc/wspeer/
	install -m 644 include/wspeer.h bindings/cpp/wspeer.hpp $(DESTDIR)$(PREFIX)/include/
	install -m 755 build/libwspeer.so $(DESTDIR)$(PREFIX)/lib/libwspeer.so.0
	ln -sf libwspeer.so.0 $(DESTDIR)$(PREFIX)/lib/libwspeer.so
	install -m 644 build/libwspeer.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 cmake/wspeerConfig.cmake cmake/wspeerTargets.cmake $(DESTDIR)$(PREFIX)/lib/cmake/wspeer/
	sed 's|@VERSION@|$(VERSION)|' cmake/wspeerConfigVersion.cmake.in > $(DESTDIR)$(PREFIX)/lib/cmake/wspeer/wspeerConfigVersion.cmake
	sed 's|@VERSION@|$(VERSION)|; s|@PREFIX@|$(PREFIX)|' cmake/wspeer.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/wspeer.pc

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/include/wspeer.h $(DESTDIR)$(PREFIX)/include/wspeer.hpp
	rm -f $(DESTDIR)$(PREFIX)/lib/libwspeer.so $(DESTDIR)$(PREFIX)/lib/libwspeer.so.0 $(DESTDIR)$(PREFIX)/lib/libwspeer.a $(DESTDIR)$(PREFIX)/lib/pkgconfig/wspeer.pc
	rm -rf $(DESTDIR)$(PREFIX)/lib/cmake/wspeer $(DESTDIR)$(PREFIX)/share/doc/wspeer

clean:
	cargo clean
	rm -rf build

.PHONY: all library examples windows examples-web godot unity-package web-firefox web-emscripten6 demo help check release-check test autobahn-full bench bench-godot fuzz mutants soak attacks careless asan tsan test-long abi-record generate fmt lint install uninstall clean
