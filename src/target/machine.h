/* machine.h: the machine that code is made for, as LLVM and we know it. */
#ifndef NNCC_MACHINE_H
#define NNCC_MACHINE_H

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>

#include "hardware/hardware.h"
#include "target/target.h"

/* What the C functions of a target, or ours, cannot do without. */
typedef enum Need { NEEDS_nothing, NEEDS_f32, NEEDS_f64, NEEDS_sse2 } Need;

typedef enum Format { FORMAT_elf, FORMAT_wasm } Format;

/* A kind of machine and system. */
typedef struct Target {
    const char *name;         /* a triple, as people write it */
    const char *arch;         /* patterns of a triple's first part */
    const char *system;       /* of the rest; bare machines' have no system */
    const char *alone;        /* what ARM is without a version */
    const char *calls;        /* how C calls functions */
    const char *abi;          /* that, if LLVM has to be told */
    const char *abi_hard;     /* on CPUs with an FPU */
    const char *cpu;          /* what all of them can do */
    const char *levels;       /* those there is code for where none is asked
                                 for: chosen among by the loader */
    const char *typical;      /* the one of those that code to be read is for */
    const char *features;     /* of cpu */
    const char *abi_features; /* of any */
    const char *vectors;      /* a word in the code of a vector sum, where
                                 there may be vectors */
    const char *wide_add;     /* one in that of an f64 sum, which is wrong
                                 otherwise */
    int registers;            /* of vectors */
    const CpuRow *cpus;       /* known by name; for others LLVM is asked */
    Caches cache;             /* what most other CPUs have at least */
    Need needs;
    Format format;
    bool signs; /* an int in a wider register has its sign there */
    bool bare;  /* linked at fixed addresses */
    bool small; /* the least code unless told otherwise */
    const char *tested;
} Target;

typedef struct Machine {
    Arena *arena;
    LLVMTargetMachineRef llvm;
    LLVMTargetDataRef layout;
    char *triple, *cpu, *features; /* as LLVM knows them */
    const char *level; /* of x86-64: code made for it with the usual effort can
                          be mixed with this machine's, calling and called, and
                          is as fast; NULL: there is none */

    const Target *target;
    int optimise; /* 0 … 3 */
    Hardware has;
    bool real, wide_real; /* f32 and f64 in hardware */
    bool rounding;        /* floor, rint … are instructions */
    bool exact;           /* an f64 sum is rounded once */
} Machine;
/* The machine for o; false with *error set (in a) where the CPU or target is
 * unknown: then nothing is to be closed. */
bool machine_open(Machine *m, Arena *a, const TargetOptions *o,
                  const char **error);
void machine_close(Machine *m);
/* Of an LLVM string: a copy in a, the string disposed of. */
char *take_message(Arena *a, char *s);

/* code.c: from a module to its bytes. */

/* requires a module that is complete (dies on our own mistakes), leaves it
 * ready for machine_code: the light clean-up passes. */
void machine_optimise(const Machine *m, LLVMModuleRef module);
/* The bytes of an object or assembly file, in m's arena. Once for a module:
 * making code changes it. */
bool machine_code(const Machine *m, LLVMModuleRef module,
                  LLVMCodeGenFileType kind, char **bytes, size_t *n,
                  const char **error);

/* levels.c */

/* A function i32 name() of the module: the highest level of the machine it runs
 * on, from 0. */
LLVMValueRef level_detect(LLVMModuleRef to, const char *name);

#endif
