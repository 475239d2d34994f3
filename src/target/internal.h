/* internal.h: what the files of target/ share with each other only. */
#ifndef NNCC_TARGET_INTERNAL_H
#define NNCC_TARGET_INTERNAL_H

#include "target/machine.h"

/* rows.c */

/* The row of a triple as LLVM has it, or NULL. */
const Target *target_find(const char *triple);
const char *target_unknown(Arena *a, const char *triple);
/* What LLVM is to call a triple that it has normalised. */
char *target_triple(Arena *a, char *normalised);

/* cpu.c */

bool cpu_known(Arena *a, LLVMTargetRef target, const char *triple,
               const char *cpu);
/* The message for one that is not known. */
const char *cpu_unknown(Arena *a, LLVMTargetRef target, const char *triple,
                        const char *cpu);

#endif
