/* routine.h: what the files that make machine code of routines share. */
#ifndef NNCC_EMIT_ROUTINE_H
#define NNCC_EMIT_ROUTINE_H

#include "emit/emit_internal.h"
#include "routine/routine.h"

typedef enum RoutineType {
    RT_void,
    RT_int,
    RT_real,
    RT_vec,
    RT_bool,
    RT_reals, /* real * */
} RoutineType;

typedef struct RoutineValue {
    RoutineType t;
    LLVMValueRef v;
} RoutineValue;

typedef struct RoutineVar {
    const char *name;
    RoutineType t;
    LLVMValueRef slot;
    bool array; /* the slot is what it is */
} RoutineVar;

/* A function being built, and how far its words are read. */
enum { ROUTINE_VARS = 80, ROUTINE_ARGS = 24 };
typedef struct RoutineCode {
    Emit *e;
    const Routines *all;
    int at;
    DType t;
    LLVMTypeRef one, vec;
    int wide; /* lanes of a vec */
    RoutineType result;
    RoutineVar var[ROUTINE_VARS];
    int nvar;
} RoutineCode;

const char *routine_word(const RoutineCode *c);
bool routine_take(RoutineCode *c, const char *word);
void routine_expect(RoutineCode *c, const char *word);
LLVMTypeRef routine_llvm(const RoutineCode *c, RoutineType t);
RoutineVar *routine_var(RoutineCode *c, const char *name); /* or NULL */
RoutineValue routine_read(RoutineCode *c, const RoutineVar *v);

/* routine_expr.c */
RoutineValue routine_expr(RoutineCode *c);
RoutineValue routine_as(RoutineCode *c, RoutineValue x, RoutineType t);
RoutineValue routine_binary(RoutineCode *c, char op, RoutineValue a,
                            RoutineValue b);
/* If `word` calls a micro-kernel, that is a helper. */
void routine_micro_helper(Emit *e, const char *word, DType t, Helpers *h);

/* routine.c: the function of that name for reals of type t, what it gives. */
Helper routine_helper(Emit *e, const char *name, DType t);
RoutineType routine_result(Emit *e, const char *name);

#endif
