# SPDX-License-Identifier: Apache-2.0
# The front door: `make help`. Meson does the building; each goal first lets scripts/setup install what
# is missing.
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60
ONLY ?=
SMOKE ?=
LISTEN ?=
export PREFIX

.PHONY: all run test bench fuzz install clean help
all:
	@scripts/setup build
	@scripts/configure build -Dprefix=$(PREFIX)
	@ninja -C build --quiet program
	@echo "built: build/whydown"

run: all
	@SMOKE=$(SMOKE) LISTEN=$(LISTEN) scripts/run

test:
	@scripts/setup test
	@scripts/test

bench: all
	@scripts/setup bench
	@scripts/bench $(ONLY)

fuzz:
	@scripts/setup fuzz
	@scripts/fuzz $(FUZZ_SECONDS) $(ONLY)

install: all
	@ninja -C build --quiet
	@meson install -C build --no-rebuild --quiet $(if $(DESTDIR),--destdir "$(abspath $(DESTDIR))")
	@echo "installed under $(DESTDIR)$(PREFIX)"

clean:
	@rm -rf build build-*

help:
	@echo "make             build the program: build/whydown"
	@echo "make run         build it and run it with the example configuration [LISTEN=127.0.0.1:8080]"
	@echo "make test        run every test; the last line counts them"
	@echo "make bench       measure it beside its peers, in one table [ONLY=part of a name]"
	@echo "make fuzz        fuzz every reader of input [FUZZ_SECONDS=60] [ONLY=part of a name]"
	@echo "make install     install it [PREFIX=/usr/local] [DESTDIR=]"
	@echo "make clean       remove what was built"
	@echo "Each first installs what is missing (scripts/setup)."
