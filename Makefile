# cmksim: one non-recursive makefile for GNU make. `make help` lists the targets.
#
# Layers, each a static archive that sees only those to its left:
#   sim <- models <- faults <- scenarios <- analysis <- sim/cli (the program)
# Everything that is built goes to build/MODE (build/MODE-clang with clang).
#
# What may be set, on the command line or in the environment:
#   MODE=release|debug|asan|tsan|cov    kind of build (release)
#   CC=gcc|clang                        compiler (gcc)
#   DEVELOPER=1                         warnings are errors
#   DEPS=skip                           never install packages
#   V=1                                 show whole commands
#   CFLAGS, CPPFLAGS, LDFLAGS, LDLIBS   added after ours
#   DESTDIR, PREFIX                     where `make install` puts things

VERSION := 0.1.0

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := ar
endif
MODE ?= release
DEPS ?= install
DEVELOPER ?=
FLOOR ?=
PREFIX ?= /usr/local
DESTDIR ?=
bindir = $(PREFIX)/bin
datadir = $(PREFIX)/share/cmksim

# A compiler that makes other code keeps its own tree of objects.
BUILD := build/$(MODE)$(if $(findstring clang,$(notdir $(CC))),-clang)
PROGRAM := $(BUILD)/cmksim

# Options for the makes started here: one job per processor unless the caller has chosen a number.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2)) --no-print-directory

V ?=
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# --- Sources --------------------------------------------------------------------------------------
# Wildcards rather than lists: a new file needs no edit here, and two people who add one do not
# collide. Sorted, so that nothing depends on the order of a directory. The .list files below notice
# a file that goes away.

layers := sim models faults scenarios analysis cli
src_sim := $(sort $(wildcard sim/*.c))
src_models := $(sort $(wildcard models/*.c))
src_faults := $(sort $(wildcard faults/*.c))
src_scenarios := $(sort $(wildcard scenarios/*.c))
src_analysis := $(sort $(wildcard analysis/*.c))
src_cli := $(sort $(filter-out sim/cli/main.c,$(wildcard sim/cli/*.c)))
src_main := sim/cli/main.c
src_bench := $(sort $(wildcard tests/bench/*.c))

# One Criterion binary for each directory tests/unit/NAME with a test_*.c in it; NAME is a layer,
# or anything else, which then sees all layers. Toy models run on the engine alone: tests of sim.
test_names := $(patsubst tests/unit/%/,%,$(sort $(dir $(wildcard tests/unit/*/test_*.c))))
test_names := $(sort $(test_names) $(if $(wildcard tests/tables/*.c),tables))
$(foreach t,$(test_names),$(eval src_test_$(t) := $(sort $(wildcard tests/unit/$(t)/*.c))))
src_test_sim += $(sort $(wildcard tests/toy/*.c))
src_test_tables += $(sort $(wildcard tests/tables/*.c))

src_product := $(sort $(foreach l,$(layers),$(src_$(l))) $(wildcard $(src_main)))
src_tests := $(foreach t,$(test_names),$(src_test_$(t)))
headers := $(sort $(wildcard $(addsuffix /*.h,sim models faults scenarios analysis sim/cli \
                             tests tests/unit tests/unit/* tests/tables tests/toy tests/bench)))

# What each layer may be linked with: itself and what is to its left.
sees_sim := sim
sees_models := models $(sees_sim)
sees_faults := faults $(sees_models)
sees_scenarios := scenarios $(sees_faults)
sees_analysis := analysis $(sees_scenarios)
sees_cli := cli $(sees_analysis)
sees = $(or $(sees_$(1)),$(sees_cli))

# --- Packages -------------------------------------------------------------------------------------
# First what Debian calls them; any one of a|b|c will do, the first is installed if none is there
# (the flavours of gnuplot exclude each other: never replace the one that a user has).

deps_demo := build-essential pkg-config libglib2.0-dev libsqlite3-dev libssl-dev libyaml-dev \
             libjson-glib-dev libxxhash-dev 'gnuplot-nox|gnuplot-qt|gnuplot-x11' fonts-dejavu-core
deps_test := $(deps_demo) libcriterion-dev
deps_ci := $(deps_test) git clang clang-format-14 clang-tidy-14 libclang-rt-14-dev locales \
           shellcheck

# pkg-config is asked once for each package, and only when a recipe needs the answer: `make help`
# and `make deps` work on a machine that has nothing but git and make.
pc_ask = $(shell pkg-config $(1) $(2) 2>/dev/null)$(if $(filter 0,$(.SHELLSTATUS)),,$(error \
  cmksim needs the library $(2), which pkg-config does not find. `make deps-test` installs what is missing))
define pc_rules
cflags_$(1) = $$(eval cflags_$(1) := $$(call pc_ask,--cflags,$(2)))$$(cflags_$(1))
libs_$(1) = $$(eval libs_$(1) := $$(call pc_ask,--libs,$(2)))$$(libs_$(1))
endef
$(eval $(call pc_rules,xxhash,libxxhash))
$(eval $(call pc_rules,crypto,libcrypto))
$(eval $(call pc_rules,glib,glib-2.0))
$(eval $(call pc_rules,yaml,yaml-0.1))
$(eval $(call pc_rules,json,json-glib-1.0))
$(eval $(call pc_rules,sqlite,sqlite3))
$(eval $(call pc_rules,criterion,criterion))

# Libraries by layer. sim uses the header of xxHash only, and libm stays out of sim and models: its
# last bit differs from processor to processor.
link_sim =
link_models = $(libs_crypto) -pthread
link_faults =
link_scenarios = $(libs_glib) $(libs_yaml)
link_analysis = $(libs_json) $(libs_sqlite) $(libs_glib) -lm
link_cli =
archives_for = $(foreach l,$(call sees,$(1)),$(BUILD)/lib/libcmk-$(l).a)
libs_for = $(foreach l,$(call sees,$(1)),$(link_$(l)))

# --- Flags ----------------------------------------------------------------------------------------

warnings := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
  -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 \
  -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion -Walloca

# Binaries of tests are linked without LTO and --gc-sections: both silently drop tests that Criterion
# finds by section. The program and the benchmark gain a quarter from LTO, since the rows of the
# world are reached through small functions of other files; "fat" objects serve both ways. Only gcc
# has them.
is_gcc := $(if $(filter release,$(MODE)),$(shell $(CC) -v 2>&1 | grep '^gcc version'))
lto := $(if $(is_gcc),-flto=auto -ffat-lto-objects)
lto_link := $(if $(is_gcc),-flto=auto)
lto_none := $(if $(is_gcc),-fno-lto)
fortify := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
mode_release := -O2 -g $(fortify)
mode_debug := -O0 -g3
mode_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
mode_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
mode_cov := -O0 -g --coverage
mode_flags := $(or $(mode_$(MODE)),$(error MODE=$(MODE): use release, debug, asan, tsan or cov))
mode_link := $(filter -fsanitize% --coverage,$(mode_flags))

# Sanitizers and coverage add code that the optimiser's warnings misread, so errors are for the rest.
werror := $(if $(filter-out 0 no,$(DEVELOPER)),$(if $(filter release debug,$(MODE)),-Werror))

# Quoted, since the directory of a checkout may have spaces in its name.
prefix_map := '-ffile-prefix-map=$(CURDIR)=.'
common := -iquote . $(warnings) $(werror) $(mode_flags) -fPIE -fno-common -ffp-contract=off \
          -fstack-protector-strong $(CPPFLAGS) $(CFLAGS)
linking := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(mode_link) $(CFLAGS) $(LDFLAGS)

# What a source sees besides, by its directory (tests/unit/sim/x.c: flags_tests_unit_sim, or else
# flags_tests).
core := -std=c17 -Wpedantic -Wswitch-enum
edge := -std=gnu17
flags_sim = $(core) $(cflags_xxhash)
flags_models = $(core) $(cflags_crypto) -pthread
flags_faults = $(edge)
flags_scenarios = $(edge) $(cflags_glib) $(cflags_yaml)
flags_analysis = $(edge) $(cflags_json) $(cflags_sqlite) $(cflags_glib)
flags_sim_cli = $(edge) $(cflags_json) $(cflags_sqlite) $(cflags_glib) $(cflags_yaml) $(cflags_crypto) -pthread
flags_tests_bench = $(flags_sim_cli) $(cflags_xxhash)
flags_tests = $(flags_sim_cli) $(cflags_xxhash) $(cflags_criterion)

# One file says which build this is, so a commit compiles one file and not all. --no-optional-locks
# leaves the index alone; a checkout inside some other repository is not described by that one.
build_id := $(if $(wildcard .git),$(shell git --no-optional-locks describe --always --dirty 2>/dev/null))
build_id := $(or $(build_id),unknown)
defs_sim/cli/version.c := -DCMK_VERSION='"$(VERSION)"' -DCMK_BUILD_ID='"$(build_id)"'

place_of = $(subst /,_,$(patsubst %/,%,$(dir $(1))))
flags_of = $(or $(flags_$(call place_of,$(1))),$(flags_tests)) $(defs_$(1))
lto_of = $(if $(filter tests/unit/% tests/tables/% tests/toy/%,$(1)),,$(lto))
compile = $(CC) $(common) $(prefix_map) $(call flags_of,$(1)) $(call lto_of,$(1))

# --- Notes of what a build was made of ------------------------------------------------------------
# A file under $(BUILD) that holds a text and is renewed when, and only when, the text is another.
define note_rules
ifneq ($$(file <$(1)),$$(strip $$($(2))))
$(1): FORCE
endif
$(1):
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$$(strip $$($(2))))' > $$@
endef
.PHONY: FORCE
FORCE:

flags_text := $(CC) | $(common) | $(lto) | $(linking) | $(LDLIBS)
build_id_text := $(VERSION) $(build_id)
$(eval $(call note_rules,$(BUILD)/flags,flags_text))
$(eval $(call note_rules,$(BUILD)/build-id,build_id_text))

# --- Building -------------------------------------------------------------------------------------

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

.PHONY: all
all: $(PROGRAM) ## build the program: build/MODE/cmksim

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(call compile,$<) -MMD -MP -c $< -o $@

$(call objects,sim/cli/version.c): $(BUILD)/build-id

$(foreach l,$(layers),$(eval $(call note_rules,$(BUILD)/lib/$(l).list,src_$(l))))
define layer_rules
$(BUILD)/lib/libcmk-$(1).a: $(call objects,$(src_$(1))) $(BUILD)/lib/$(1).list
	$$(call say,AR,$$@)
	$(Q)rm -f $$@ && $(AR) rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach l,$(layers),$(eval $(call layer_rules,$(l))))

$(PROGRAM): $(call objects,$(src_main)) $(call archives_for,cli)
	$(call say,LD,$@)
	$(Q)$(CC) $(linking) $(lto_link) $^ $(call libs_for,cli) $(LDLIBS) -o $@

$(foreach t,$(test_names),$(eval $(call note_rules,$(BUILD)/tests/$(t).list,src_test_$(t))))
define test_rules
$(BUILD)/tests/$(1): $(call objects,$(src_test_$(1))) $(call archives_for,$(1)) $(BUILD)/tests/$(1).list
	$$(call say,LD,$$@)
	$(Q)$(CC) $(linking) $(lto_none) $$(filter %.o %.a,$$^) $$(call libs_for,$(1)) $$(libs_criterion) -lm $(LDLIBS) -o $$@
endef
$(foreach t,$(test_names),$(eval $(call test_rules,$(t))))

$(BUILD)/bench: $(call objects,$(src_bench)) $(call archives_for,cli)
	$(call say,LD,$@)
	$(Q)$(CC) $(linking) $(lto_link) $^ $(call libs_for,cli) -lm $(LDLIBS) -o $@

-include $(patsubst %.o,%.d,$(call objects,$(src_product) $(src_tests) $(src_bench)))

# --- What people run ------------------------------------------------------------------------------
# Flags come from packages that may have to be installed first, so these targets install and then
# start make again.

demo_scenarios := permission-revoked identity-detached key-deleted regional-failover

.PHONY: demo
demo: ## install what is missing, build, run the four scenarios, draw their charts (out/demo)
	@DEPS='$(DEPS)' tests/meta/packages $(deps_demo)
	@$(MAKE) $(JOBS) run-demo

.PHONY: run-demo
run-demo: $(PROGRAM)
	@tests/meta/demo $(PROGRAM) out/demo $(demo_scenarios)

.PHONY: test
test: ## install what is missing, build, run all tests
	@DEPS='$(DEPS)' tests/meta/packages $(deps_test)
	@$(MAKE) $(JOBS) run-tests

.PHONY: run-tests
run-tests: $(PROGRAM) $(addprefix $(BUILD)/tests/,$(test_names))
	@tests/meta/run-tests $(FLOOR) $(BUILD) $(test_names)

.PHONY: test-asan
test-asan: ## the tests under the address and undefined-behaviour sanitizers; leaks count
	@DEPS='$(DEPS)' tests/meta/packages $(deps_test)
	@$(MAKE) $(JOBS) MODE=asan run-tests

.PHONY: test-floor
test-floor: ## take the number of tests that ran as the fewest that may run from now on
	@$(MAKE) $(JOBS) FLOOR=--write-floor run-tests

.PHONY: mutate
mutate: ## break the model in one place after the other; say what no row of tests/tables notices
	@$(MAKE) $(JOBS) $(BUILD)/tests/tables
	@CMKSIM_REPORT=1 $(BUILD)/tests/tables --filter '*/each_broken_model_is_noticed' 2>&1 | grep -vF '[----]'

.PHONY: coverage
coverage: ## write down which rows of tests/tables show which rules (analysis/coverage.def)
	@$(MAKE) $(JOBS) $(BUILD)/tests/tables
	@UPDATE_COVERAGE=1 $(BUILD)/tests/tables --filter 'coverage/*'
	@$(MAKE) $(JOBS) docs
	@$(PROGRAM) list rules --coverage

# Pages for everything that the model knows; `make test` compares them with what the program says.
reference := rules ops guards errors statuses roles regions datasources knobs prices faults profiles

.PHONY: docs
docs: ## write docs/reference from the tables of the model
	@$(MAKE) $(JOBS) $(PROGRAM)
	@for kind in $(reference); do $(PROGRAM) list "$$kind" --markdown >docs/reference/"$$kind".md; done

.PHONY: bench
bench: ## measure; the table also goes to build/bench.md
	@$(MAKE) $(JOBS) run-bench

.PHONY: run-bench
run-bench: $(BUILD)/bench $(PROGRAM)
	@CMKSIM=$(PROGRAM) $(BUILD)/bench | tee build/bench.md

.PHONY: determinism
determinism: ## compare digests over compilers, sanitizers, processors, locales, time zones
	@tests/meta/determinism

.PHONY: install
install: $(PROGRAM) ## install to DESTDIR/PREFIX (PREFIX=/usr/local): the program and the scenarios
	install -d "$(DESTDIR)$(bindir)" "$(DESTDIR)$(datadir)/scenarios"
	install -m 755 $(PROGRAM) "$(DESTDIR)$(bindir)/cmksim"
	find scenarios -name '*.yaml' -exec install -D -m 644 '{}' "$(DESTDIR)$(datadir)/{}" ';'

.PHONY: uninstall
uninstall: ## remove what `make install` put there (same DESTDIR and PREFIX)
	rm -f "$(DESTDIR)$(bindir)/cmksim"
	rm -rf "$(DESTDIR)$(datadir)"

.PHONY: deps
deps: ## install what building and the demo need from Debian's packages (DEPS=print: only name them)
	@DEPS='$(DEPS)' tests/meta/packages $(deps_demo)

.PHONY: deps-test
deps-test: ## the same, and what the tests need
	@DEPS='$(DEPS)' tests/meta/packages $(deps_test)

.PHONY: deps-ci
deps-ci: ## the same, and what the checks below need
	@DEPS='$(DEPS)' tests/meta/packages $(deps_ci)

# --- Checks on the code itself --------------------------------------------------------------------

.PHONY: layers
layers: ## check that each layer includes only what it may
	@tests/meta/layers --self-test
	@tests/meta/layers

.PHONY: headers
headers: $(addprefix header-check/,$(headers)) ## compile each header alone
	@echo "headers: $(words $(headers)) compile alone, twice included"

header-check/%.h:
	@printf '#include "%s"\n#include "%s"\n' $*.h $*.h | $(call compile,$*.h) -fsyntax-only -x c -

formatted = $(sort $(shell find sim models faults scenarios analysis tests -name '*.[ch]' 2>/dev/null))
CLANG_FORMAT ?= clang-format-14
CLANG_TIDY ?= clang-tidy-14

.PHONY: format
format: ## format all C files in place
	@$(CLANG_FORMAT) -i $(formatted)

.PHONY: format-check
format-check: ## complain about C files that `make format` would change
	@$(CLANG_FORMAT) --dry-run --Werror $(formatted)
	@echo "format-check: $(words $(formatted)) files"

.PHONY: lint
lint: ## clang-tidy, our own rules of style, shellcheck
	@$(MAKE) $(JOBS) lint-all

.PHONY: lint-all lint-clang lint-own
lint-all: lint-clang lint-own
lint-own: $(foreach l,$(layers),$(BUILD)/lib/libcmk-$(l).a) $(call objects,$(src_main))
	@tests/meta/tidy --self-test
	@tests/meta/tidy
	@tests/meta/statics --self-test
	@tests/meta/statics $(call objects,$(filter-out sim/cli/%,$(src_product)))
	@tests/meta/shell

# One file at a time, and again only when it or any header has changed.
linted := $(src_product) $(src_bench)
lint-clang: $(patsubst %.c,build/lint/%.ok,$(linted))
	@echo "clang-tidy: $(words $(linted)) files"
build/lint/%.ok: %.c .clang-tidy $(headers)
	@mkdir -p $(@D)
	@printf '  TIDY  %s\n' $<
	@$(CLANG_TIDY) --quiet $< -- -iquote . $(call flags_of,$<) 2>&1 | \
	  { grep -v -E '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header-filter' || true; }
	@touch $@

# --- The rest -------------------------------------------------------------------------------------

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

.PHONY: distclean
distclean: clean ## and what runs have left in out/
	rm -rf out

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@sed -n '/^# What may be set/,/^$$/s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))
