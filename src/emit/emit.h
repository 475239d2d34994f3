/* emit.h: from kernels to machine code. The only room but target/ that knows
 * LLVM. */
#ifndef NNCC_EMIT_H
#define NNCC_EMIT_H

#include "artefact/artefact.h"
#include "nn_abi.h"
#include "target/target.h"

typedef enum EmitKind {
    EMIT_object,   /* .o, position independent */
    EMIT_assembly, /* .s */
    EMIT_ir,       /* .ll, as it came from us */
    EMIT_bitcode,  /* .bc */
} EmitKind;

/* requires a schedule for each function, which stays as it is; gives machine
 * code for a whole module: for each function NAME of module M the C
 * functions M_NAME and M_NAME_workspace, then M_module. The bytes are allocated
 * in a. False with *error set where the CPU or target is unknown. */
bool emit_module(Arena *a, const ModuleInput *in, EmitKind kind,
                 const TargetOptions *o, char **bytes, size_t *n,
                 const char **error);

/* schedules.c: in, or where o->schedule asks for other forms of kernels, the
 * same with those: to be used instead, and by all that is given o. Bad settings
 * are told by these. */
const ModuleInput *emit_formed(Arena *a, const ModuleInput *in,
                               const TargetOptions *o);
/* How the kernels of a module are run on a machine, as text. */
bool emit_schedules(Arena *a, const ModuleInput *in, const TargetOptions *o,
                    Str *to, const char **error);

/* parts.c: the object in pieces that one linker has to take together, made at
 * the same time by as many threads as there are processors. How many there are
 * and what is in each does not depend on that. */
bool emit_objects(Arena *a, const ModuleInput *in, const TargetOptions *o,
                  Object **object, int *nobject, const char **error);

/* prebuild.c: the store of functions that are the same in every program, for
 * this machine's system; with nothing in it where none is chosen among when a
 * module is loaded. For the program that makes it when nncc is built. */
bool prebuild(Arena *a, Str *to, const char **error);
/* The store, and how long it is; 0: there is none. */
extern const char nncc_prebuilt[];
extern const uint64_t nncc_prebuilt_size;

/* jit.c: the module in this process. */
typedef struct Jit Jit;
Jit *jit_open(const ModuleInput *in, const TargetOptions *o,
              const char **error);
const nn_module *jit_module(Jit *j);
/* Where o->times was asked for: the cycles that each kernel of function `name`
 * has taken so far. NULL: nobody asked. */
int64_t *jit_times(Jit *j, const ModuleInput *in, int function);
/* What this machine does at best, in this process. */
typedef struct SpeedUnits {
    int operations; /* of a round of arithmetic */
    int bytes;      /* of an element */
    int elements;   /* read at least at once */
} SpeedUnits;
typedef struct Speed {
    SpeedUnits units;
    /* So many rounds of arithmetic; at: one register of numbers. */
    double (*arithmetic)(const void *at, int64_t n);
    /* The sum of n elements, a multiple of units.elements. */
    double (*reading)(const void *at, int64_t n);
    Jit *jit;
} Speed;
bool speed_open(Speed *s, DType real, const TargetOptions *o,
                const char **error);
void jit_close(Jit *j);
/* Releases what LLVM keeps for the process. */
void emit_shutdown(void);

#endif
