# make demo     install what is missing, build, train on real data
# make test     everything that must pass
# make [all]    build/nncc, build/libnn.a, build/libnn.so
# make test CPU=x86-64-v2: as on a CPU that has no more
# make check    the tests of one build; SAN=1: under sanitizers
# make unit/emit e2e/install golden docs-check: some of them
# make bench    timings beside their targets, ONLY='products sort': some parts;
#               AGAINST=nncc: beside those of another compiler; COUNT=1: in
#               instructions; TUNE=1: where another schedule of a kernel would
#               be faster
# make bench-peers  what it compares with, into build/peers and from Debian
# make fuzz     look for inputs that crash the compiler, and files that crash
#               the readers; FUZZ_TIME=seconds of each
# make fuzz-diff  random programs, their values and derivatives; COUNT= SEED=
# make golden UPDATE=1 | format | install PREFIX= | clean
# Everything made goes to build/.

CC          ?= cc
B           := build$(if $(SAN),/san)
LLVM_CONFIG ?= $(firstword $(foreach v,19 20 21 22 18,\
                 $(shell command -v llvm-config-$v 2>/dev/null)) llvm-config-19)
PREFIX      ?= /usr/local
CLANG       ?= clang-19
CLANG_FORMAT ?= clang-format-19
VERSION     := 0.1.0

CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
          -Wwrite-strings -Wcast-qual -Wpointer-arith -Werror
# Only clang tells of a row that op.def does not list.
ifneq (,$(findstring clang,$(CC)))
WARN   += -Wmissing-variable-declarations
endif
ALL    := -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) $(CFLAGS) -MMD -MP \
          -Isrc -Iruntime -I$B -DNNCC_VERSION='"$(VERSION)"'
# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '%-6s %s\n' $(1) $(2))
ifdef SAN
ALL    += -fsanitize=address,undefined -fno-sanitize-recover=all
endif

# Evaluated when used, after the packages are there.
LLVM_CFLAGS = -isystem $(shell $(LLVM_CONFIG) --includedir)
LLVM_LIBS   = $(shell $(LLVM_CONFIG) --ldflags --libs)
# Where the archives are, nncc has LLVM in it: it starts in a third of the time.
LLVM_STATIC = -no-pie -Wl,--gc-sections,--as-needed $(patsubst -lzstd,-l:libzstd.so.1,\
              $(filter-out -lPolly%,$(shell $(LLVM_CONFIG) --link-static --ldflags --libs all --system-libs 2>/dev/null))) \
              $(CXX_RUNTIME) -lprotobuf-c $(NN_LIBS)
CXX_RUNTIME = $(if $(filter /%,$(shell $(CC) -print-file-name=libstdc++.a)),\
                -l:libstdc++.a -static-libgcc,-l:libstdc++.so.6)
CHECK_CFLAGS = $(shell pkg-config --cflags check)
CHECK_LIBS  = $(shell pkg-config --libs check)
# What libnn needs.
NN_LIBS     = -ljansson -llbfgs -lz -lpthread -ldl -lm
LIBS        = $(LLVM_LIBS) -lprotobuf-c $(NN_LIBS)
# For the many test programs, and the sooner where there are sanitizers.
QUICK_LINK  = $(patsubst %/ld.lld,-B% -fuse-ld=lld,\
                $(wildcard $(shell $(LLVM_CONFIG) --bindir)/ld.lld))

SRC  := $(wildcard src/*/*.c src/graph/ops/*.c)
GEN  := $B/nn.tab.c $B/nn.lex.c $B/std.c $B/routines.c $B/event.pb-c.c
OBJ  := $(patsubst %.c,$B/%.o,$(filter-out src/%/main.c,$(SRC))) $(GEN:.c=.o)
# What makes the store of functions that are the same in every program: the
# back end alone.
PREBUILD := $(filter $(addprefix $B/src/,base/% cache/% graph/% module/% lower/% hardware/% nest/% kernel/% choose/% \
              artefact/% routine/% target/% emit/%) $B/routines.o,$(OBJ))
RT   := $(patsubst %.c,$B/%.o,$(wildcard runtime/*.c))
UNIT := $(patsubst tests/unit/%.c,$B/%,$(wildcard tests/unit/test_*.c))
STD  := $(wildcard src/std/*.nn)
ROUTINES := $(wildcard src/routine/*.rt)

# For nncc train by several processes: a library for each MPI that is there, as
# Debian's mpicc.openmpi and mpicc.mpich, or as mpicc.
MPI  := $(foreach i,openmpi mpich,$(if $(shell command -v mpicc.$i 2>/dev/null),$i))
MPICC = mpicc.$*
ifeq (,$(MPI))
MPICC = mpicc
MPI  := $(shell echo '\#include <mpi.h>' | mpicc -E -dM - 2>/dev/null | awk \
          '/ OPEN_MPI / { print "openmpi" } / MPICH_VERSION / { print "mpich" }')
endif

all: $B/nncc $B/libnn.a $B/libnn.so $(MPI:%=$B/libnncc_%.so)

$B/nncc: $B/src/cli/main.o $B/libnncc.a $B/libnn.a
	$(call say,LINK,$@)
	$Q$(if $(SAN),false,$(CC) $(ALL) $(filter %.o %.a,$^) -o $@ $(LLVM_STATIC) 2>/dev/null) || \
	  $(CC) $(ALL) $(filter %.o %.a,$^) -o $@ $(LIBS)
$B/libnncc.a: $(OBJ) $B/prebuilt/store.o
	$(call say,AR,$@)
	@rm -f $@
	$Qar rcs $@ $^
$B/prebuilt/prebuild: $B/src/prebuild/main.o $(PREBUILD) $B/prebuilt/none.o
	$(call say,LINK,$@)
	$Q$(CC) $(ALL) $^ -o $@ $(LIBS)
$B/prebuilt/store: $B/prebuilt/prebuild
	$(call say,STORE,$@)
	$QNNCC_CACHE= $< $@.part && mv $@.part $@
$B/prebuilt/none:
	@mkdir -p $(@D) && : >$@
$B/prebuilt/%.o: $B/prebuilt/% src/prebuild/store.S
	$Q$(CC) -DSTORE='"$<"' -c src/prebuild/store.S -o $@
# One object, in which what is not of nn.h is no symbol for others.
$B/libnn.o: $(RT)
	$Q$(LD) -r $^ -o $@ && objcopy --localize-hidden $@
$B/libnn.a: $B/libnn.o
	$(call say,AR,$@)
	@rm -f $@
	$Qar rcs $@ $^
$B/libnn.so: $(RT)
	$(call say,LINK,$@)
	$Q$(CC) $(ALL) -shared -Wl,-soname,libnn.so.1 $^ -o $@ $(NN_LIBS)
	@ln -sf libnn.so $@.1

$B/libnncc_%.so: runtime/mpi/nn_mpi.c runtime/mpi/nn_mpi.h runtime/nn.h runtime/nn_abi.h
	@mkdir -p $(@D)
	$(call say,MPICC,$@)
	$QOMPI_CC="$(CC)" MPICH_CC="$(CC)" $(MPICC) $(filter-out -MMD -MP -fsanitize=%,$(ALL)) \
	  -fPIC -fvisibility=hidden -shared $< -o $@
$B/src/emit/%.o $B/src/target/%.o: ALL += $(LLVM_CFLAGS)
$B/runtime/%.o: ALL += -fPIC -fvisibility=hidden
$B/runtime/element.o: ALL += -O3
$B/%.o: %.c | $B/nn.tab.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(ALL) -c $< -o $@
$B/%.o: $B/%.c | $B/nn.tab.h
	$(call say,CC,$<)
	$Q$(CC) $(ALL) -c $< -o $@
$B/nn.tab.c $B/nn.tab.h &: grammar/nn.y
	@mkdir -p $B
	$(call say,BISON,$<)
	$Qbison -Wall -Wcounterexamples -Werror -o $B/nn.tab.c --header=$B/nn.tab.h $<
$B/nn.lex.c: grammar/nn.l
	@mkdir -p $B
	$(call say,FLEX,$<)
	$Qflex -o $@ $<
$B/event.pb-c.c $B/event.pb-c.h &: src/cli/event.proto
	@mkdir -p $B
	$(call say,PROTO,$<)
	$Qprotoc-c -I$(<D) --c_out=$B $<
$B/src/cli/events.o $B/tests/unit/test_record.o: $B/event.pb-c.h
$B/std.c: $(STD) src/std/embed.sh
	@mkdir -p $B
	$(call say,EMBED,$@)
	$Qsh src/std/embed.sh $(STD) >$@.part && mv $@.part $@
$B/routines.c: $(ROUTINES) src/routine/embed.sh
	@mkdir -p $B
	$(call say,EMBED,$@)
	$Qsh src/routine/embed.sh $(ROUTINES) >$@.part && mv $@.part $@
# What tests share; each takes of it what it uses. All have the harness, which
# sets limits before main. Cases are for the tests that name them, and MPFR is.
CASES := $(addprefix $B/tests/unit/,harness.o diff_cases.o region_cases.o exact.o)
$B/libtests.a: $(filter-out $(CASES) $B/tests/unit/runs_here.o,$(patsubst %.c,$B/%.o,\
                 $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))))
	$(call say,AR,$@)
	@rm -f $@
	$Qar rcs $@ $^
$B/test_diff_loops $B/test_diff_random $B/test_zeros: $B/tests/unit/diff_cases.o
$B/test_alike $B/test_region $B/test_region_random: $B/tests/unit/region_cases.o
$B/test_accuracy: $B/tests/unit/exact.o
$B/test_runtime_npz: LIBS += -lzip
$B/test_accuracy: LIBS += $(shell pkg-config --libs mpfr 2>/dev/null)
$B/tests/unit/%.o: ALL += $(CHECK_CFLAGS)
$(UNIT): $B/%: $B/tests/unit/%.o $B/tests/unit/harness.o $B/libtests.a $B/libnncc.a $B/libnn.a
	$(call say,LINK,$@)
	$Q$(CC) $(ALL) $(QUICK_LINK) $(filter %.o,$^) $(filter %.a,$^) -o $@ $(CHECK_LIBS) $(LIBS)

# Tests

# CPU=x86-64-v2 hides what a better CPU has from all tests.
ifneq (,$(CPU))
export NNCC_CPU := $(CPU)
endif
# As many jobs as processors, unless make was told -j.
NPROC := $(shell nproc 2>/dev/null || echo 2)
JOBS   = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(NPROC))
SUB    = $(MAKE) --no-print-directory
KEEP   = $(SUB) -k $(JOBS)

# The runners of one build, those that take long first. Each is a target too:
# make unit/emit e2e/install SAN=1
RUN_UNIT := $(UNIT:$B/test_%=unit/%)
RUN_E2E  := $(sort $(basename $(patsubst tests/%,%,$(wildcard tests/e2e/*))))
LONG     := unit/numbers unit/loops unit/sums unit/artefact docs-check e2e/check
RUN      := $(RUN_UNIT) golden docs-check $(RUN_E2E)
RUN      := $(filter $(RUN),$(LONG)) $(filter-out $(LONG),$(RUN))
RUNNER    = @CC="$(CC)" $(NO_FORK) tests/runner.sh $B
# With sanitizers a process for each test takes longer than the test. These need it.
ifneq (,$(SAN))
$(filter-out unit/artefact unit/runtime,$(RUN_UNIT)): NO_FORK = CK_FORK=no
endif

check: run
	@tests/summary.sh $B
# All of RUN, whichever fail, each with its result in $B/results/; what cannot
# be run has none.
run:
	@rm -rf $B/results && mkdir -p $B/results && echo $(RUN) >$B/results/expected
	+-@$(if $(shell command -v $(CC)),$(KEEP) $(filter-out $(CANNOT),$(RUN)))
CANNOT = $(if $(shell pkg-config --exists check && echo yes),,$(RUN_UNIT))
$(RUN_UNIT): unit/%: $B/test_%
	$(RUNNER) $@ $<
$(RUN_E2E): e2e/%: all
	$(RUNNER) $@ tests/e2e.sh $B $*
golden: $B/nncc
	$(RUNNER) $@ tests/golden.sh $B/nncc
docs-check: all
	$(RUNNER) $@ tests/docs.sh $B $(LIBS_FROM)
layers: all
	$(RUNNER) $@ tests/layers.sh $B
format-check:
	$(RUNNER) $@ tests/format.sh $(CLANG_FORMAT)
programs-check: $B/fuzz-diff
	$(RUNNER) $@ $B/fuzz-diff 1000 1 tests/fuzz/known.txt
shown-check: $B/fuzz-diff all
	$(RUNNER) $@ tests/fuzz/shown.sh $B 40
fuzz-check: $B/fuzz
	$(RUNNER) $@ tests/fuzz/run.sh $B/fuzz 25
fuzz-files-check: $B/fuzz-files
	$(RUNNER) $@ tests/fuzz/files.sh $B/fuzz-files 10
format: $B/nncc
	$(CLANG_FORMAT) -i $$(find src runtime tests examples -name '*.[ch]')
	$B/nncc fmt $$(find src examples -name '*.nn')

# The front end under libFuzzer, with sanitizers.
FUZZ_TIME ?= 0
FUZZ      := CC=$(CLANG) B=build/fuzz CFLAGS='-O1 -gline-tables-only \
             -fsanitize=fuzzer-no-link,address,undefined -fsanitize-trap=undefined \
             -fno-sanitize-recover=all'
FUZZ_OBJ  := $(filter-out $B/event.pb-c.o $(addprefix $B/src/,cli/% cache/% emit/% target/% gradcheck/% artefact/% nest/% kernel/% choose/% eval/% trace/%),\
               $(OBJ))
$B/fuzz: $B/tests/fuzz/fuzz.o $(FUZZ_OBJ)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS) -fsanitize=fuzzer $^ -o $@ -lm
# The readers of files, likewise.
$B/fuzz-files: $(addprefix $B/,tests/fuzz/files.o tests/unit/runtime_module.o \
                 $(addprefix src/cli/,value.o stored.o file.o options.o) src/gradcheck/tensor.o) \
               $(RT) $(filter $B/src/base/%,$(OBJ))
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS) -fsanitize=fuzzer $^ -o $@ $(NN_LIBS)
fuzz: deps deps-test
	+@$(SUB) $(JOBS) $(FUZZ) build/fuzz/fuzz build/fuzz/fuzz-files
	@mkdir -p build/fuzz/corpus build/fuzz/files
	@if [ $(FUZZ_TIME) = 0 ]; then \
	  tests/fuzz/files.sh build/fuzz/fuzz-files 0 build/fuzz/files & fi; \
	tests/fuzz/run.sh build/fuzz/fuzz $(FUZZ_TIME) build/fuzz/corpus; \
	[ $(FUZZ_TIME) = 0 ] || tests/fuzz/files.sh build/fuzz/fuzz-files $(FUZZ_TIME) build/fuzz/files

# Random programs against the reference evaluator and central differences;
# COUNT=0 goes on until stopped.
COUNT ?= 0
SEED  ?= 1
$B/fuzz-diff: $(addprefix $B/tests/fuzz/,diff.o judge.o point.o program.o) \
              $B/libtests.a $B/libnncc.a $B/libnn.a
	$(call say,LINK,$@)
	$Q$(CC) $(ALL) $^ -o $@ $(LIBS)
$B/tests/fuzz/%.o: ALL += -Itests/unit
fuzz-diff: deps
	+@$(SUB) $(JOBS) $B/fuzz-diff
	@$B/fuzz-diff $(COUNT) $(SEED)

# Three builds, and the fuzzer's. What another compiler would only do once more
# is left out of the second and third, which each stand for an older machine.
BUILDS  := build build/san build/clang build/fuzz
# Long, and of code that is not instrumented or runs in other cases too.
SLOW_SAN := e2e/compile-long e2e/check e2e/train-mpi e2e/special-std e2e/std-implicit \
            e2e/std-prelude docs-check unit/numbers unit/accuracy \
            unit/closed
SLOW_CLANG := unit/numbers unit/loops unit/accuracy unit/closed
IF_HAS   = $(or $(CPU),$(if $(shell grep -m1 -w $(1) /proc/cpuinfo 2>/dev/null),$(2)))
test: deps deps-test
	@rm -rf $(BUILDS:%=%/results)
	+@$(SUB) $(JOBS) all
	+-@$(KEEP) test-san test-gcc test-clang test-fuzz
	@tests/summary.sh $(BUILDS)
test-gcc:
	+@$(SUB) run RUN="programs-check shown-check layers format-check $(RUN)"
test-san:
	+@$(SUB) run RUN="$(filter-out $(SLOW_SAN),$(RUN))" SAN=1 \
	  CFLAGS='-O1 -g1' LIBS_FROM=build CPU=$(call IF_HAS,avx2,x86-64-v3)
test-clang:
	+@$(SUB) run RUN="$(filter-out $(SLOW_CLANG),$(RUN_UNIT)) golden" CC=$(CLANG) B=build/clang CFLAGS=-O1 \
	  CPU=$(call IF_HAS,sse4_2,x86-64-v2)
test-fuzz:
	+@$(SUB) run RUN="fuzz-check fuzz-files-check" $(FUZZ)

demo: deps
	+@$(SUB) $(JOBS) all
	build/nncc train examples/digits/digits.nn \
	  --data examples/digits/digits.csv.gz --test 360 --epochs 50

bench: all
	@$(if $(TUNE),tests/bench/tune.sh $B,$(if $(AGAINST),tests/bench/against.sh $B $(AGAINST),tests/bench/run.sh $B))

# An older compiler is one of the peers.
BASE := ca886f1
bench-peers: deps
	-@CC="$(CC)" .ci/packages $(DEPS_BENCH)
	python3 -m venv build/peers
	rm -rf build/peers/base && mkdir build/peers/base
	git archive $(BASE) | tar x -C build/peers/base
	+@$(MAKE) --no-print-directory $(JOBS) -C build/peers/base all
	build/peers/bin/pip install -q -r tests/bench/peers.txt

# Packages

DEPS      := gcc libc6-dev binutils flex bison llvm-19-dev pkg-config \
             libjansson-dev liblbfgs-dev libzip-dev zlib1g-dev libprotobuf-c-dev protobuf-c-compiler
DEPS_TEST := check g++ clang-19 clang-format-19 libclang-rt-19-dev librandom123-dev \
             libmpfr-dev gdb \
             dataset-fashion-mnist lld-19 qemu-user \
             python3-numpy openmpi-bin libopenmpi-dev zsh
DEPS_BENCH := libopenblas-dev libdnnl-dev libsleef-dev libfftw3-dev libjemalloc2 \
             dataset-fashion-mnist python3-venv
deps:
	@CC="$(CC)" LLVM_CONFIG=$(LLVM_CONFIG) .ci/packages $(DEPS)
# What only tests need may be missing: then they tell.
deps-test:
	-@CC="$(CC)" .ci/packages $(DEPS_TEST)

# Installation

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include \
	  $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install $B/nncc $(DESTDIR)$(PREFIX)/bin
	install -m 644 runtime/nn.h runtime/nn_abi.h $(DESTDIR)$(PREFIX)/include
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man3 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	$B/nncc --man >$(DESTDIR)$(PREFIX)/share/man/man1/nncc.1
	awk -v version=$(VERSION) -f runtime/man.awk runtime/nn.h \
	  >$(DESTDIR)$(PREFIX)/share/man/man3/libnn.3
	$B/nncc --completion=bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/nncc
	$B/nncc --completion=zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_nncc
	install -m 644 $B/libnn.a $(DESTDIR)$(PREFIX)/lib
	$(if $(MPI),install -d $(DESTDIR)$(PREFIX)/lib/nncc)
	$(if $(MPI),install $(MPI:%=$B/libnncc_%.so) $(DESTDIR)$(PREFIX)/lib/nncc)
	$(if $(MPI),install -m 644 runtime/mpi/nn_mpi.h $(DESTDIR)$(PREFIX)/include)
	install $B/libnn.so $(DESTDIR)$(PREFIX)/lib/libnn.so.1
	ln -sf libnn.so.1 $(DESTDIR)$(PREFIX)/lib/libnn.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' runtime/libnn.pc.in \
	  >$(DESTDIR)$(PREFIX)/lib/pkgconfig/libnn.pc

clean:
	rm -rf build

.PHONY: all check run golden docs-check layers format-check fuzz-check fuzz-files-check \
  programs-check shown-check format \
  fuzz fuzz-diff test test-gcc test-san test-clang test-fuzz demo bench bench-peers deps deps-test \
  install clean $(RUN_UNIT) $(RUN_E2E)

-include $(shell find $B -name '*.d' 2>/dev/null)
