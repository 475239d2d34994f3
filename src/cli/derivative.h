/* derivative.h: a function and the derivatives of it that are asked for: what
 * commands share that show them. */
#ifndef NNCC_CLI_DERIVATIVE_H
#define NNCC_CLI_DERIVATIVE_H

#include "cli/cli.h"
#include "show/show.h"

/* One derivative: of f by parameters x and, where it is a second one, y. */
typedef struct DerivativePart {
    const char *expression;
    const int *by; /* parameters of f, a result for each */
    int nby;
    int second; /* another parameter; -1: none */
} DerivativePart;

typedef struct Derivatives {
    Args *args;
    Load load;
    const char *of, *name; /* the expression, and what it is called */
    const char *kind;      /* "jacobian", "hessian", "hvp"; NULL: as f has it */
    bool primal;           /* none: f alone */
    bool program;          /* results are called as in a program */
    Function *f;
    int *by;
    int nby;
    LIST(DerivativePart) part;
    Function **made; /* f, then one for each part, of the same parameters */
} Derivatives;

#define DERIVATIVE_OPTIONS                                                     \
    {"by", 0, "NAME",                                                          \
     "differentiate by this parameter (by all that are real)"},                \
        {"jacobian", 0, NULL,                                                  \
         "the derivative of a function that gives no number"},                 \
        {"hessian", 0, NULL, "the second derivative"},                         \
        {"hvp", 0, NULL, "the second derivative times v"}
#define DERIVATIVE_KINDS "jacobian hessian hvp"
#define DERIVATIVE_RULE {RULE_one, DERIVATIVE_KINDS, NULL, NULL}

/* Loads the model that is the first word; the function is the second, what of
 * it is shown in DERIVATIVE_OPTIONS. Status 0, or what to exit with. */
int derivatives_load(Args *a, Derivatives *to);
/* Makes them, and simplifies them together, so that what several need is there
 * once. False after a message. */
bool derivatives_make(Derivatives *d, bool simplified);
/* The function of those made that has the most parameters: an hvp has more
 * than f. */
const Function *derivatives_widest(const Derivatives *d);
/* f and the derivatives, each with what is on the left of its equation. How
 * many are of f. */
int derivatives_results(const Derivatives *d, Shows *s, ShowResults *to);
bool function_is_scalar(const Function *f);
/* A message, as cli_unknown. */
int unknown_port(Arena *a, const char *of, const char *what, const char *name,
                 const Port *among, int n);

#endif
