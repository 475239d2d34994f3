/* internal.h: what the files of target/ share with each other only. */
#ifndef NNCC_TARGET_INTERNAL_H
#define NNCC_TARGET_INTERNAL_H

#include "target/machine.h"

/* What CPUs of an architecture have that are known by name. */
typedef struct Level {
    const char *name;
    const char *features; /* by which others are seen to have it, */
    const char *rest;     /* and what else code for it may use */
    int vector_bytes, registers;
    bool fma, masks, rounding;
} Level;
struct CpuRow {
    const char *name;
    int level;
};

/* rows.c */

/* The row of a triple as LLVM has it, or NULL. */
const Target *target_find(const char *triple);
const char *target_unknown(Arena *a, const char *triple);
/* What LLVM is to call a triple that it has normalised. */
char *target_triple(Arena *a, char *normalised);
/* The CPU of t's table, or NULL. */
const CpuRow *target_cpu(const Target *t, const char *name);
/* Levels of x86-64, from the lowest. */
extern const Level x86_level[MAX_LEVELS];

/* cpu.c */

bool cpu_known(Arena *a, LLVMTargetRef target, const char *triple,
               const char *cpu);
/* The message for one that is not known. */
const char *cpu_unknown(Arena *a, LLVMTargetRef target, const char *triple,
                        const char *cpu);

#endif
