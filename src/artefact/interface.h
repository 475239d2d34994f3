/* interface.h: what C sees of a module: names, struct types, arguments.
 *
 * header.c and json.c write it down, module.c makes code for it. Everything
 * lives in the arena given. */
#ifndef NNCC_INTERFACE_H
#define NNCC_INTERFACE_H

#include "artefact/artefact.h"

/* names.c */

/* The names taken in one scope of C. */
typedef struct NameSet {
    Arena *arena;
    Map taken;
} NameSet;
/* The name itself, or with underscores after it where that is taken or means
 * something in C. It is taken from now on. */
const char *name_claim(NameSet *s, const char *name);
/* "Linear[64, 100]" as "Linear_64_100". */
const char *name_of(Arena *a, const char *text);

/* What a struct type is called, where nothing else is called so. */
const char *c_type_name(Arena *a, const Module *m, const Type *t);

/* layout.c */

/* A value's type laid flat: structs and tuples open and close, leaves stand
 * between. Stacks have vanished into their leaves' leading dimensions. */
typedef enum StepKind { STEP_open, STEP_close, STEP_leaf } StepKind;

typedef struct Step {
    StepKind kind;
    bool tuple;       /* open, close: of a tuple, else of a struct */
    bool empty;       /* open: nothing inside */
    const char *name; /* a C member's name, "_0" of a tuple's part, "" at the
                         root */
    const Type *type; /* open: as declared, stacks around it included */
    DType dtype;      /* leaf */
    int rank;
    const Dim *const *dim;
} Step;
Step *type_steps(Arena *a, const Type *t, int *n);

/* Where the members of steps[0 … n) are in the struct that they make. A struct
 * of fixed shape holds arrays, 64-byte aligned; another holds pointers and, of
 * rank 0, plain members. */
enum { ARRAY_ALIGN = 64 };
typedef struct StructLayout {
    bool fixed;
    size_t size, align;
    int nleaf;
    int64_t *offset;
} StructLayout;
StructLayout struct_layout(Arena *a, const Step *step, int n,
                           int pointer_bytes);
/* Are all of them arrays of constant size? */
bool steps_fixed(const Step *step, int n);

/* interface.c */

/* A struct type that the header declares. */
typedef struct CType {
    const char *name; /* "digits_Net" */
    const char *text; /* "Net" */
    const Step *step;
    int nstep;
    bool fixed;
    bool constant; /* its pointers are to what is only read */
    uint64_t key;  /* hash of what is inside */
} CType;

typedef enum ArgKind {
    ARG_value,  /* a scalar, by value */
    ARG_tensor, /* a pointer to elements */
    ARG_struct, /* a pointer to a ctype */
    ARG_dim,    /* int64_t */
} ArgKind;

typedef struct CArg {
    ArgKind kind;
    const char *name;
    const Port *port; /* NULL: a dimension */
    bool result;
    bool written;     /* the pointer is not const */
    const Step *leaf; /* value and tensor */
    const CType *type;
    const char *macro; /* its default; NULL: none */
    int first, nleaf;  /* among the function's leaves, parameters' first */
    int dim;           /* ARG_dim: index in var */
} CArg;

typedef struct CFunction {
    const Function *function;
    const Schedule *schedule;
    const char *name, *workspace;
    const char *internal; /* "digits.loss": has a dot, as no C name does */
    const char *macro;    /* NULL where the workspace depends on dimensions */
    int64_t bytes;        /* macro's value */
    CArg *arg;            /* all but workspace and exec, in C's order */
    int narg;
    int nleaf;
    uint32_t hash; /*  of what a caller relies on */
} CFunction;

typedef struct Interface {
    const Module *module;
    const char *descriptor; /* "digits_module" */
    const char *macro;      /* "DIGITS_INTERFACE" */
    uint64_t hash;          /*  of all functions' */
    CFunction *function;
    int nfunction;
    LIST(CType *) type;
} Interface;
Interface *interface_of(Arena *a, const ModuleInput *in);

/* "digits_f.9f3c21aa": the name under which callers that know the interface
 * call a function. Another interface is another name. */
const char *versioned_name(Arena *a, const CFunction *f, const char *name);
/* "value_and_grad(loss, net)" or "" of a plain function. */
const char *function_origin(Arena *a, const Function *f);
const char *file_name(const char *path); /* without its folders */

#endif
