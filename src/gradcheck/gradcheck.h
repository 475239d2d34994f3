/* gradcheck.h: every derivative of a program against central differences, every
 * function against the reference evaluator, in float64. Nothing is printed:
 * what is found is handed to the caller. */
#ifndef NNCC_GRADCHECK_H
#define NNCC_GRADCHECK_H

#include "check/check.h"
#include "emit/emit.h"
#include "nn.h"

typedef enum GradcheckOutcome {
    GRADCHECK_right,
    GRADCHECK_off,
    GRADCHECK_unjudged, /* differences disagree wherever it was tried */
    GRADCHECK_untried,  /* no arguments to check it at */
    GRADCHECK_untyped,  /* a function that nothing has given types to */
} GradcheckOutcome;

typedef struct GradcheckResult {
    GradcheckOutcome outcome;
    const char *function;
    const char *what; /* "value", "d_w": a result; NULL: all of it */
    double error;     /* the largest, relative */
    const char *note; /* what there is to add, or why; or NULL */
} GradcheckResult;

/* Arguments are drawn from there; name NULL: all reals. */
typedef struct GradcheckRange {
    const char *name;
    double from, to;
    bool used; /* by a function with such a parameter */
} GradcheckRange;

typedef struct GradcheckOptions {
    uint64_t seed;
    bool edges; /* at zeros, ties, infinities, NaN and no rows as well */
    GradcheckRange *range;
    int nrange;
    void *user; /* the first argument of: */
    /* Makes the parameter's leaves, or leaves them NULL: then they are drawn.
     * False stops all. */
    bool (*given)(void *user, const nn_port *p, nncc_tensor **leaf);
    /* The functions as machine code; NULL stops all. */
    Jit *(*compile)(void *user, Function *const *f, int n);
    void (*found)(void *user, const GradcheckResult *r);
} GradcheckOptions;

/* Errors above it are off. */
extern const double gradcheck_tolerance;

/* requires a program without errors whose reals are f64; its exports, the loss
 * that is trained, what `derivative` items give and what samples() types, each
 * result once in order. What it compiles is left simplified. False where it
 * stopped; *error says why, NULL where one of the caller's functions did. */
bool gradcheck(Arena *a, Program *program, const GradcheckOptions *o,
               const char **error);

#endif
