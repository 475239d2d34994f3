/* op.h: all that the compiler knows of an operator, in one row.
 *
 * op.def lists the operators; each one's functions and, right under them, its
 * row `const Op op_NAME` stand in one block in ops/. Stages look in the table
 * and never switch on an operator. */
#ifndef NNCC_OP_H
#define NNCC_OP_H

#include "graph/form.h"
#include "lower/lower.h"

typedef struct EvalTensor EvalTensor;

typedef enum OpClass {
    OPC_leaf,   /* const data param dim iota */
    OPC_ewise,  /* each element alone, all of one shape */
    OPC_select, /* if */
    OPC_reduce,
    OPC_contract,
    OPC_view,    /* which element is a function of the index alone */
    OPC_index,   /* gather, scatter_add */
    OPC_sort,    /* argsort */
    OPC_routine, /* factorisations and the like, see ops/routine.c */
    OPC_region,  /* loop call part */
} OpClass;

/* Which dtypes an elementwise operator takes, as bits 1 << DType. */
enum {
    ON_bool = 1 << DT_bool,
    ON_int = 1 << DT_u8 | 1 << DT_i32 | 1 << DT_i64,
    ON_real = 1 << DT_f32 | 1 << DT_f64,
    ON_number = ON_int | ON_real,
    ON_any = ON_number | ON_bool | 1 << DT_key,
};

enum OpFlags {
    OP_COMMUTES = 1,
    /* Callable under its name in the language: sin(x). */
    OP_SURFACE = 2,
    /* The result is bool whatever the arguments are (comparisons). */
    OP_TO_BOOL = 4,
    /* Linear in all arguments together: add sub neg cast sum. */
    OP_LINEAR = 16,
    /* Arguments (condition, a, b), either a or b is the result: adjoints are
     * masked from here on. Such a row has vjp and jvp, not partial. */
    OP_MASKS = 64,
    /* Linear in each argument while the others stay: mul contract. */
    OP_LINEAR_EACH = 128,
    /* Linear in the first argument while the others stay: div gather. */
    OP_LINEAR_FIRST = 256,
    /* The first argument is a constant, the same for all elements: the order of
     * a derivative or an integral. */
    OP_ORDER = 512,
    /* Worth computing once rather than again at each use (exp, log, …). */
    OP_COSTLY = 32,
    /* The result is at least 0, or NaN, whatever the arguments are. */
    OP_NOT_NEGATIVE = 8,
    /* A reduction to the place of an element and no value of its kind. */
    OP_PLACE = 1024,
    /* A partial may be infinite where the result is finite: sqrt at 0. */
    OP_STEEP = 2048,
    /* Linear but for kinks: the result is an element of the arguments or its
     * opposite, of equals their mean, or the constant among two. */
    OP_KINK = 4096,
    /* NaN of some numbers, by `finite`: a root or logarithm of what may be
     * below 0. */
    OP_DOMAIN = 8192,
    /* Of one number: f(-x) is f(x), or -f(x). */
    OP_EVEN = 16384,
    OP_ODD = 32768,
    /* The result is the argument, or the call fails. */
    OP_CHECKS = 65536,
};

enum { MAX_INPUTS = 32, MAX_ASKED = 3 };

typedef struct Op {
    const char *name;
    OpClass cls;
    int arity;       /* -1: any number */
    unsigned flags;  /* OpFlags */
    unsigned takes;  /* ON_…: elementwise operators and reductions; else 0 */
    int weight;      /* instructions of f32 that it is lowered to, a call being
                        some; 0: one or two */
    double cost;     /* in multiplications, as formulas are compared by; 0: 1 */
    const char *doc; /* one line: what it computes */
    /* Printed form: "sin($0)", "$0 + $1" and its precedence (see print.c);
     * NULL: name(args). */
    const char *text;
    int prec;
    /* How it is written in formulas, see form.h: elementwise operators and
     * reductions; 0: by their names. */
    Shown shown;
    double domain[2]; /* where tests draw arguments from; 0, 0 is -2 … 2 */
    /* Where the printed form depends on the attributes: appends a pattern such
     * as text and returns its precedence. */
    int (*form)(const Node *n, Str *to);

    /* Rank, dimensions and dtype of the result from op, args and attr; n has
     * those set. False: they do not fit. Elementwise ops leave it NULL. */
    bool (*infer)(Graph *g, Node *n);
    /* A node equal to the op on these arguments, or NULL; n is not yet in the
     * graph. Constants are folded before this is asked. */
    Node *(*identity)(Graph *g, const Node *n);
    /* Elementwise, float64 (integers and bools as their values): one of these,
     * the latter where a function of one or two numbers says it all. */
    double (*eval)(const double *x);
    double (*eval1)(double a);
    double (*eval2)(double a, double b);
    /* The same where no argument is real and float64 would not do: div and mod
     * round down and give 0 by a zero divisor, 64 bits stay exact and wrap.
     * The result is then wrapped to n's dtype. NULL: eval serves integers. */
    int64_t (*eval_int)(const int64_t *x);
    /* Integer arithmetic that keeps dimensions dimensions; see ops/ops.h. */
    const Dim *(*on_dims)(Graph *g, const Dim *a, const Dim *b);
    /* All others. */
    void (*eval_tensor)(EvalTensor *e, const Node *n);
    /* Routines, for routine_eval: of one matrix each. size has rows and columns
     * of each argument, how is attr.integer. */
    void (*eval_one)(double *out, const double *const *in, const int64_t *size,
                     int how);
    /* Is n finite wherever its arguments are; NULL: always. */
    bool (*finite)(const Node *n);
    /* Elementwise: ∂n/∂arg i, as a graph; NULL where it is 0 everywhere.
     * Elementwise rows whose arguments differ in dtype (cast, where) have vjp
     * and jvp instead. The second of one argument. */
    Node *(*partial)(Graph *g, Node *n, int i);
    Node *(*partial1)(Graph *g, Node *n);
    /* Of two arguments: the second partial as a multiple of the first, which
     * forward mode then multiplies by once; or NULL. */
    Node *(*slope)(Graph *g, Node *n);
    /* The nodes that n is differentiated by where that tells more than its
     * arguments do; how many, at most MAX_INPUTS; 0: its arguments. vjp and jvp
     * are then of these. */
    int (*inputs)(Graph *g, Node *n, Node **x);
    /* All others: dx[i] is the adjoint that n's adjoint dy gives its argument
     * i; left NULL where there is none. */
    void (*vjp)(Graph *g, Node *n, Node *dy, Node **dx);
    /* The same of what has coefficients, where those may be no numbers, or a
     * steep dy infinite: 0 where either is 0. NULL: vjp is so. */
    void (*vjp_strong)(Graph *g, Node *n, Node *dy, bool steep, Node **dx);
    /* n's tangent from those of its arguments (NULL: zero), one at least. */
    Node *(*jvp)(Graph *g, Node *n, Node *const *dx);
    /* The same of what has coefficients, where steep tangents may be infinite:
     * 0 where a coefficient is 0. NULL: jvp is so. */
    Node *(*jvp_strong)(Graph *g, Node *n, Node *const *dx, const bool *steep);
    /* The same times a number of n's shape. */
    Node *(*jvp_times)(Graph *g, Node *n, Node *by, Node *const *dx);
    /* n for many values at once: x[i] is argument i, with a leading axis of
     * size b more than n->arg[i] where lead[i] (at least one is). The result
     * has that axis too. Elementwise rows leave it NULL. */
    Node *(*batch)(Graph *g, const Node *n, const Dim *b, Node *const *x,
                   const bool *lead);
    /* The same value in simpler operators, asked before scheduling; NULL when
     * the scheduler knows the op. */
    Node *(*expand)(Graph *g, Node *n);
    /* Routines: about how many products of numbers they make, and how many
     * reals they need room for (NULL: none). */
    const Dim *(*steps)(Graph *g, const Node *n);
    const Dim *(*work)(Graph *g, const Node *n);
    /* Both, and infer, as text: what the arguments are called, the sizes of
     * their matrices and of the result's, "b:n,m T:n,n > n,m"; sums of products
     * of these letters and r, the number of matrices: "2rnnm+8n". */
    const char *sizes, *products, *room;
    /* What is asked of a routine by the bits of attr.integer: the names of
     * constants that the language passes, and NULL. */
    const char *words[MAX_ASKED + 1];
    /* Elementwise: the machine code, see lower.h; one of these. */
    Val *(*lower)(Lower *l, const Node *n, Val *const *x);
    Val *(*lower1)(Lower *l, Val *a);
    Val *(*lower2)(Lower *l, Val *a, Val *b);
    Val *(*lower2_int)(Lower *l, Val *a,
                       Val *b); /* of integers; NULL: lower2 */
    /* Elementwise, of one number: another operator whose value is next to free
     * with this one's, and both: this one's value. */
    OpId (*partner)(void);
    Val *(*lower_both)(Lower *l, Val *a, Val **partner);
    /* Reductions: what an element counts that changes nothing; of those that
     * the kernels know, how a value joins the accumulator that starts from it
     * (an elementwise op). Where joins start from no finite value, nothing has
     * no value. */
    OpId (*join)(void);
    double start; /* ±INFINITY allowed; for ints the dtype's own limits */
    /* What the language calls it where that is not `name`, and what its result
     * divided by the number of elements; or NULL. */
    const char *surface, *mean;
} Op;

enum OpIds {
#define OP(name) OP_##name,
#include "graph/op.def"
#undef OP
    NOPS
};

#define OP(name) extern const Op op_##name;
#include "graph/op.def"
#undef OP

extern const Op *const op_table[NOPS];

/* Whether the row has eval, partial or lower of some kind, and what these give.
 */
bool op_has_eval(const Op *row);
double op_eval(const Op *row, const double *x);
bool op_has_partial(const Op *row);
Node *op_partial(Graph *g, Node *n, int i);
bool op_has_lower(const Op *row);
Val *op_lower(const Op *row, Lower *l, const Node *n, Val *const *x);

/* n values of a reduction, joined in halves: each i with i + width / 2, where
 * that is below n, width a power of two, until the first is all. */
typedef void JoinTwo(void *u, int i, int with);
void join_in_halves(int n, JoinTwo *f, void *u);

/* Is n elementwise, on numbers alone, and linear in one of these ways: some of
 * OP_LINEAR, OP_LINEAR_EACH, OP_LINEAR_FIRST. */
bool node_is_linear(const Node *n, unsigned how);
/* x y, element by element, strong or not. */
bool node_is_product(const Node *n);

/* Scalar constants: OP_const with rank 0, or such a one broadcast. */
bool node_is_any_const(const Node *n);
double const_value(const Node *n); /* of one for which that holds */

/* How much code an operator is, in instructions. */
int op_weight(OpId op);

/* What the language calls it, or NULL. */
const char *op_surface(OpId op);

/* For rows: the shape rules and derivatives that many share are declared in
 * ops/ops.h. */

/* What the reference evaluator hands to eval_tensor: sizes are numbers here.
 * Values are float64, row-major. */
struct EvalTensor {
    double *out;
    const int64_t *out_size; /* n's dimensions */
    const double *const *in;
    const int64_t *const *in_size; /* each argument's dimensions */
    bool wide; /* out and the first of in hold 64-bit integers, as bytes */
    /* value of a dimension; of attr.dims in particular */
    int64_t (*dim)(EvalTensor *e, const Dim *d);
    /* the same as an integer of the program: modulo 2^64 */
    int64_t (*wrapped)(EvalTensor *e, const Dim *d);
    /* report what the compiled code reports as NN_ERR_INDEX */
    void (*bad_index)(EvalTensor *e, int64_t index, int64_t limit);
};

#endif
