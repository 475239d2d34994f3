/* step.h: a loop's body, or the check whether to go on, as code inside the
 * loop's function: what loop.c and step.c share. */
#ifndef NNCC_STEP_H
#define NNCC_STEP_H

#include "emit/emit_internal.h"

typedef struct StepCode {
    const Schedule *s;
    int n;      /* kernels */
    bool *here; /* by kernel: a map made in place, has no code of its own */
    int *check; /* by kernel: how many checks of the loop are before its own */
    int *ncheck;
    KernelKey *key;
    LLVMValueRef *code;
    LLVMValueRef *bufs, *dims; /* the argument lists of those that are called */
    bool *shared;              /* the list is filled before each call */

    const Buffer **leaf; /* by leaf: NULL where no kernel touches it */
    /* Where it is, by leaf: at an address, or in a buffer of the schedule
     * around the loop, where a row NULL is all of it. */
    LLVMValueRef *at;
    const Buffer **around;
    const Dim **row;
    bool *moves;        /* by leaf: the address is another in each step */
    const Buffer *work; /* around the loop; or NULL */
    /* By Buffer.id: single numbers in registers, as in memory. */
    bool *single;
    LLVMValueRef *value; /* now; NULL: in memory */
} StepCode;

/* Where steps are made. */
typedef struct StepPlace {
    Emit *e;
    DimEnv dims;
    const KernelKey *key;  /* of the loop */
    LLVMValueRef *own;     /* addresses of the key's buffers, by Buffer.id; or
                              NULL: loaded at each use, being too many */
    int *number;           /* of each in the key */
    LLVMValueRef t;        /* the step's number */
    LLVMBasicBlockRef out; /* to here where a kernel fails, */
    LLVMValueRef status;   /* with this phi */
} StepPlace;

/* By kernel of a step: is it a map that is made in place? */
void step_here(const Schedule *s, bool *here);
/* What is made in place, and what may be in a register as far as the kernels
 * are concerned. *ncheck: the checks before those of s; and with them. s may be
 * NULL. */
void step_plan(Emit *e, StepCode *c, const Schedule *s, int *ncheck);
/* The functions of kernels that are called: first of all, for nothing else may
 * be half built meanwhile. */
void step_kernels(Emit *e, StepCode *c);
/* Argument lists on the stack. */
void step_frame(Emit *e, StepCode *body, StepCode *check);
/* A buffer of the schedule around the loop; element row · t of it. */
LLVMValueRef step_around(StepPlace *p, const Buffer *b);
/* Before the loop: arguments that stay. */
void step_arguments(StepPlace *p, StepCode *c);
/* Before the loop, after the arguments: what is the same in all steps. */
void step_once(StepPlace *p, StepCode *c);
/* A step, with at[] and value[] as they are at its beginning. */
void step_run(StepPlace *p, StepCode *c);

#endif
