/* module.h: what a program exports. Built by check/, read by kernel/,
 * artefact/, emit/ and cli/. */
#ifndef NNCC_MODULE_H
#define NNCC_MODULE_H

#include "graph/region.h"

/* A parameter or result of an exported function: a value of some type, its
 * leaves being nodes of the graph. */
typedef struct Port {
    const char *name;
    const Type *type;
    Node **leaf; /* a parameter's are OP_param */
    int nleaf;
    Span span;
    /* Results: index of the parameter whose memory it overwrites, else -1. Such
     * a result is no argument of its own in C: the parameter's pointer is not
     * const instead. */
    int in_place;
    /* Parameters with a default (an optimizer's settings): */
    bool has_default;
    double value;
} Port;

typedef enum FunctionKind {
    FN_plain,
    FN_init, /* export init(Net), and of train */
    FN_step,
    FN_evaluate,
    FN_update, /* of a step that accumulates: its second half */
    FN_carry,  /* of one that carries something on: that part of it */
} FunctionKind;

/* What is made of a function f by some parameters x of it. */
typedef enum DerivKind {
    DERIV_none,
    DERIV_grad,
    DERIV_value_and_grad,
    DERIV_jvp,
    DERIV_vjp,
    DERIV_jacobian,
    DERIV_hessian,
    DERIV_hvp,
    DERIV_sparse_jacobian,
    DERIV_sparse_hessian,
    NDERIVS
} DerivKind;

typedef struct DerivMode {
    const char *name;   /* in the language, and at the end of an export's */
    const char *result; /* what is given for x: "d_%s" */
    bool whole;         /* once, for f and not for each x */
    bool value;         /* after f's value */
    bool matrix;        /* with an x for each element that is differentiated */
    bool sparse; /* a matrix by rows: where they start, columns, values */
    bool scalar; /* f gives one real number */
    bool second; /* f's gradient is differentiated */
    /* Parameters beyond those of f: a tangent for each x ("%s_dot"), which may
     * have another name where there is one x; an adjoint. Or NULL. */
    const char *tangent, *only_tangent, *adjoint;
} DerivMode;

extern const DerivMode deriv_modes[NDERIVS];

/* The mode of that name, or DERIV_none. */
DerivKind deriv_named(const char *name);

/* A size of what a function computes, stored or not. */
typedef struct NamedSize {
    const Dim *dim;
    Span at;
} NamedSize;

typedef struct Function Function;
struct Function {
    const char *name; /* "loss_grad"; in C it is prefixed by the module's */
    Span span;
    FunctionKind kind;
    const Dim **var; /* free dimension variables: int64_t arguments, in order */
    int nvar;
    const int64_t *var_max; /* --max of each, -1 without; NULL: of none */
    Port *param, *result;
    int nparam, nresult;
    /* Sizes that could be negative: a call asks that none is. */
    const NamedSize *size;
    int nsize;
    DerivKind deriv;
    const int *by; /* the parameters differentiated by */
    int nby;
    Function *primal; /* the function differentiated: not exported itself; NULL
                         unless deriv. Its parameters are this one's, less
                         tangents or adjoints, with nodes of its own. */
    const char *optimizer; /* of a step: its name; or NULL */
    /* What this is one of two parts of, the pattern or the values of a sparse
     * matrix: gives both. Or NULL. */
    Function *whole;
};

/* What the parameters that are part of it were trained on. */
typedef struct ModuleFit {
    const char *const *class_name; /* [nclass] */
    int nclass;
    const char *const *feature_name; /* [nfeature], or NULL */
    int64_t nfeature;
    const char *label_name; /* or NULL */
    /* The parameters that are taken as the file has them: "x, z"; or NULL. */
    const char *raw;
} ModuleFit;

/* A `train` item. */
typedef struct Training {
    const char *name; /* the loss's, or of its own */
    Function *step, *evaluate;
    Function *update; /* by the gradients that steps have added up; or NULL */
    Function *carry;  /* by what a step had to say; or NULL */
    int steps;        /* of it in a row, before those of the next item */
} Training;

typedef struct Module {
    const char *name; /* from the file's name, a C identifier */
    const char *path;
    const Diags *sources; /* what spans of nodes are in; or NULL */
    Graph *graph;
    DType real;
    LIST(Function *) function; /* exported, in order */
    /* of the above: what `train` items make; init: NULL without any */
    Function *init;
    LIST(Training) training;
    /* The function called predict, or the one that the first metric is called
     * with; or NULL. */
    const char *predict;
    LIST(const char *) predict_param; /* of it, by name */
    const char *metric;   /* the second result of the first evaluate, or NULL */
    uint64_t hash;        /* of all sources that the program read */
    const ModuleFit *fit; /* or NULL */
} Module;

/* What f takes, parameter after parameter. */
Nodes function_inputs(Arena *a, const Function *f);
/* What n functions give, result after result. */
Nodes functions_roots(Arena *a, Function *const *f, int n);
/* What d is at most while f's variables are between 0 and var_max; false where
 * one has no bound, or nothing can be said. */
bool function_bound(const Function *f, const Dim *d, int64_t *most);
/* "grad(loss, x, y)": a mode of what is called `of`, by parameters of f. */
const char *deriv_text(Arena *a, const char *mode, const char *of,
                       const Function *f, int nby, const int *by);
/* The one that is exported under that name, or NULL. */
Function *module_function(const Module *m, const char *name);
/* How many leaves n ports have; which of them is called so, or -1. */
int ports_leaves(const Port *p, int n);
int ports_named(const Port *p, int n, const char *name);
/* Is var part of a dimension of p. */
bool port_uses(const Port *p, const Dim *var);
/* Does f overwrite its parameter i; is it data, a tensor that is not. */
bool function_overwrites(const Function *f, int i);
bool function_takes_data(const Function *f, int i);
/* Is f's variable number i part of the size of a parameter. */
bool function_takes_size(const Function *f, int i);
/* Is f's variable number i part of the size of a parameter or result. One that
 * is not, an int that steps are counted by, is taken as 0 where it is less. */
bool function_has_size(const Function *f, int i);
/* Is it a keyword of C or C++ and none of the language. */
bool name_is_keyword(const char *name);

#endif
