/* rows.c: the machines that code can be made for, one row each. */
#include <fnmatch.h>
#include <string.h>

#include "target/internal.h"

/* Systems by the end of their triples. Those that choose among functions when a
 * library is loaded (ifunc) have code for several CPUs by default. */
#define CHOOSING "*linux *linux-gnu *freebsd*"
#define SIMPLE "*linux-musl *linux-android* *netbsd* *openbsd* *elf *none*"
#define ANY CHOOSING " " SIMPLE

/* What rows of ARM have in common. Reals in integer registers are what "soft"
 * says of C's calls; such rows forbid the FPU, as other compilers do for them,
 * so that a CPU without one will do. */
#define SOFT_FLOAT                                                             \
    .system = "*eabi", .calls = "AAPCS, soft float",                           \
    .abi_features = "+soft-float,-fpregs"
#define HARD_FLOAT .system = "*eabihf", .calls = "AAPCS, hard float"
#define MICROCONTROLLER .small = true, .bare = true

/* A row is found by its first match, so the narrower ones are above. */
static const Target target[] = {
    {
        .name = "x86_64-linux-gnu",
        .arch = "x86_64",
        .system = CHOOSING,
        .calls = "System V",
        .cpu = "x86-64",
        .levels = "x86-64-v2,x86-64-v3,x86-64-v4",
        .typical = "x86-64-v3",
        .cpus = x86_cpu,
        .cache = {32, 256, 2048},
        .tested = "here",
    },
    {
        .name = "x86_64-none-elf",
        .arch = "x86_64",
        .system = SIMPLE,
        .calls = "System V",
        .cpu = "x86-64",
        .cpus = x86_cpu,
        .cache = {32, 256, 2048},
        .tested = "qemu-x86_64",
    },
    {
        .name = "i686-linux-gnu",
        .arch = "i?86",
        .system = ANY,
        .calls = "System V i386",
        .cpu = "pentium4",
        .vectors = "addps",
        .wide_add = "addsd",
        .registers = 16,
        .needs = NEEDS_sse2,
        .cache = {32, 256, 2048},
        .tested = "qemu-i386",
    },
    {
        .name = "aarch64-linux-gnu",
        .arch = "aarch64",
        .system = ANY,
        .calls = "AAPCS64",
        .cpu = "generic",
        .vectors = "v0.4s",
        .registers = 32,
        .needs = NEEDS_f64,
        .cache = {32, 256, 1024},
        .tested = "qemu-aarch64",
    },
    {
        .name = "arm-linux-gnueabihf",
        .arch = "arm armv7 armv7a armv7l thumbv7 thumbv7a",
        HARD_FLOAT,
        .alone = "armv7",
        .cpu = "generic",
        .features = "+armv7-a,+vfp3d16,-d32,-neon",
        .needs = NEEDS_f64,
        .cache = {32, 256, 0},
        .tested = "qemu-arm",
    },
    {
        .name = "armv6-linux-gnueabihf",
        .arch = "armv6 armv6k armv6kz",
        HARD_FLOAT,
        .cpu = "arm1176jzf-s",
        .needs = NEEDS_f64,
        .cache = {16, 0, 0},
        .tested = "qemu-arm -cpu arm1176",
    },
    {
        .name = "arm-linux-gnueabi",
        .arch = "arm armv5te armv6 armv7 armv7a",
        SOFT_FLOAT,
        .alone = "armv5te",
        .cpu = "arm926ej-s",
        .cache = {16, 0, 0},
        .tested = "qemu-arm -cpu arm926",
    },
    {
        .name = "thumbv6m-none-eabi",
        .arch = "thumbv6m armv6m",
        SOFT_FLOAT,
        .cpu = "cortex-m0",
        MICROCONTROLLER,
        .tested = "qemu-arm -cpu cortex-m0",
    },
    {
        .name = "thumbv7m-none-eabi",
        .arch = "thumbv7m armv7m",
        SOFT_FLOAT,
        .cpu = "cortex-m3",
        MICROCONTROLLER,
        .tested = "qemu-arm -cpu cortex-m3",
    },
    {
        .name = "thumbv7em-none-eabi",
        .arch = "thumbv7em armv7em",
        SOFT_FLOAT,
        .cpu = "cortex-m4",
        MICROCONTROLLER,
        .tested = "qemu-arm -cpu cortex-m4",
    },
    {
        .name = "thumbv7em-none-eabihf",
        .arch = "thumbv7em armv7em",
        HARD_FLOAT,
        .cpu = "cortex-m4",
        .needs = NEEDS_f32,
        MICROCONTROLLER,
        .tested = "qemu-arm -cpu cortex-m4",
    },
    {
        .name = "thumbv8m.main-none-eabi",
        .arch = "thumbv8m.main",
        SOFT_FLOAT,
        .cpu = "cortex-m33",
        MICROCONTROLLER,
        .tested = "qemu-arm -cpu cortex-m33",
    },
    {
        .name = "thumbv8m.main-none-eabihf",
        .arch = "thumbv8m.main",
        HARD_FLOAT,
        .cpu = "cortex-m33",
        .needs = NEEDS_f32,
        MICROCONTROLLER,
        .tested = "qemu-arm -cpu cortex-m33",
    },
    {
        .name = "riscv64-linux-gnu",
        .arch = "riscv64",
        .system = "*linux* *bsd*",
        .calls = "lp64d",
        .abi = "lp64d",
        .cpu = "generic-rv64",
        .features = "+m,+a,+f,+d,+c",
        .vectors = "vsetivli",
        .registers = 32,
        .signs = true,
        .needs = NEEDS_f64,
        .cache = {32, 256, 1024},
        .tested = "qemu-riscv64",
    },
    {
        .name = "riscv64-none-elf",
        .arch = "riscv64",
        .system = "*elf *none*",
        .calls = "lp64",
        .abi = "lp64",
        .abi_hard = "lp64d",
        .cpu = "generic-rv64",
        .features = "+m,+a,+c",
        .vectors = "vsetivli",
        .registers = 32,
        .signs = true,
        .cache = {32, 256, 1024},
        .tested = "qemu-riscv64",
    },
    {
        .name = "riscv32-none-elf",
        .arch = "riscv32",
        .system = "*elf *none*",
        .calls = "ilp32",
        .abi = "ilp32",
        .abi_hard = "ilp32d",
        .cpu = "generic-rv32",
        .features = "+m,+a,+c",
        .small = true,
        .cache = {16, 0, 0},
        .tested = "qemu-riscv32",
    },
    {
        .name = "powerpc64le-linux-gnu",
        .arch = "powerpc64le ppc64le",
        .system = CHOOSING " *linux-musl",
        .calls = "ELFv2",
        .cpu = "ppc64le",
        .vectors = "xvaddsp",
        .registers = 32,
        .signs = true,
        .needs = NEEDS_f64,
        .cache = {32, 512, 4096},
        .tested = "qemu-ppc64le",
    },
    {
        .name = "s390x-linux-gnu",
        .arch = "s390x",
        .system = CHOOSING " *linux-musl",
        .calls = "s390x ELF",
        .cpu = "z10",
        .vectors = "vfasb",
        .registers = 32,
        .signs = true,
        .needs = NEEDS_f64,
        .cache = {128, 1024, 8192},
        .tested = "qemu-s390x",
    },
    {
        .name = "wasm32-unknown-unknown",
        .arch = "wasm32",
        .system = "unknown* *wasi* *emscripten",
        .calls = "WebAssembly C",
        .cpu = "generic",
        .vectors = "f32x4.add",
        .registers = 16,
        .needs = NEEDS_f64,
        .format = FORMAT_wasm,
        .bare = true,
        .cache = {32, 256, 2048},
        .tested = "node",
    },
};
enum { NTARGET = sizeof target / sizeof *target };

/* Is `text` like one of the patterns, which have blanks between them? */
static bool matches(const char *patterns, const char *text)
{
    char one[64];
    while (*patterns) {
        size_t n = strcspn(patterns, " ");
        snprintf(one, sizeof one, "%.*s", (int)n, patterns);
        if (fnmatch(one, text, 0) == 0)
            return true;
        patterns += n + strspn(patterns + n, " ");
    }
    return false;
}

const Target *target_find(const char *triple)
{
    char arch[64];
    size_t n = strcspn(triple, "-");
    const char *system = triple[n] ? triple + n + 1 : "";
    snprintf(arch, sizeof arch, "%.*s", (int)n, triple);
    for (int i = 0; i < NTARGET; i++)
        if (matches(target[i].arch, arch) &&
            (matches(target[i].system, system) || !*system))
            return &target[i];
    return NULL;
}

char *target_triple(Arena *a, char *normalised)
{
    const Target *t = target_find(normalised);
    if (t && t->alone && strncmp(normalised, "arm-", 4) == 0)
        return arena_printf(a, "%s%s", t->alone, normalised + 3);
    return normalised;
}

const char *target_unknown(Arena *a, const char *triple)
{
    Str s = str_new(a);
    str_printf(&s, "no code for target '%s'; there is for", triple);
    for (int i = 0; i < NTARGET; i++)
        str_printf(&s, "%s %s", i > 0 ? "," : "", target[i].name);
    return s.at;
}

/* The table */

/* The first CPU that there is code for by default, or the last. */
static const char *default_cpu(Arena *a, const Target *t, bool last)
{
    if (!t->levels)
        return t->cpu;
    return last ? strrchr(t->levels, ',') + 1
                : arena_copy(a, t->levels, strcspn(t->levels, ","));
}

static void open_row(Arena *a, const Target *t, bool last, Machine *m)
{
    const char *error = "";
    TargetOptions o = {.cpu = default_cpu(a, t, last),
                       .target = t->name,
                       .optimise = EFFORT_default};
    if (!machine_open(m, a, &o, &error))
        die("%s: %s", t->name, error);
}

/* The others of a list by what follows the last '-' in them: "…-v2, -v3". */
static const char *cpu_text(Arena *a, const Target *t)
{
    Str s = str_new(a);
    str_printf(&s, "%s", default_cpu(a, t, false));
    for (const char *p = t->levels; p && (p = strchr(p, ','));) {
        size_t n = strcspn(++p, ","), dash = n;
        while (dash > 0 && p[dash] != '-')
            dash--;
        str_printf(&s, ", %.*s", (int)(n - dash), p + dash);
    }
    return s.at;
}

static const char *vectors_text(Arena *a, int least, int most)
{
    return !most           ? "none"
           : least == most ? arena_printf(a, "%d bytes", most)
                           : arena_printf(a, "%d-%d bytes", least, most);
}

/* What of f32 and f64 is done in hardware. */
static const char *reals_text(bool f32, bool f64)
{
    return f64 ? "f32 f64" : f32 ? "f32" : "none";
}

static const char *caches_text(Arena *a, Caches c)
{
    Str s = str_new(a);
    const int size[] = {c.l1, c.l2, c.l3};
    for (int i = 0; i < 3 && size[i]; i++)
        str_printf(&s, "%s%d", i ? "/" : "", size[i]);
    return c.l1 ? s.at : "none";
}

static void put_row(Str *to, const char *const *column)
{
    static const int width[] = {26, 18, 22, 12, 13, 8, 8, 7, 4, 0};
    for (int i = 0; i < 10; i++)
        str_printf(to, "%-*s%s", width[i], column[i], i < 9 ? " " : "\n");
}

void target_table(Arena *a, Str *to)
{
    static const char *const head[] = {
        "target", "C calls", "CPU",    "vectors", "cache, KiB",
        "FPU",    "a*b + c", "size_t", "effort",  "tested by",
    };
    put_row(to, head);
    for (int i = 0; i < NTARGET; i++) {
        const Target *t = &target[i];
        Machine first, last;
        open_row(a, t, false, &first);
        open_row(a, t, true, &last);
        const char *const column[] = {
            t->name,
            t->calls,
            cpu_text(a, t),
            vectors_text(a, first.has.vector_bytes, last.has.vector_bytes),
            caches_text(a, last.has.cache),
            reals_text(first.real, first.wide_real),
            reals_text(last.has.fma, last.has.wide_fma),
            arena_printf(a, "%d bits", 8 * (int)LLVMPointerSize(last.layout)),
            last.has.small ? "-Os" : "-O2",
            t->tested,
        };
        put_row(to, column);
        machine_close(&first);
        machine_close(&last);
    }
}
