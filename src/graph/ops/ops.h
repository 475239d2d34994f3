/* ops.h: what the rows in ops/ share.
 *
 * A row of an elementwise operator needs no infer: graph_make sees to it that
 * all arguments have one shape and one dtype out of `takes`; the result has
 * that dtype, or bool with OP_TO_BOOL. It needs no vjp or jvp either (diff/
 * multiplies by partial), and no constant folding: graph_make calls eval when
 * all arguments are constants, rounds to the dtype and wraps integers. So a
 * whole block is
 *
 *     // d tanh(x) = (1 - tanh(x)²) dx
 *     static Node *tanh_partial(Graph *g, Node *n)
 *     {
 *         return g2(g, OP_sub, g_fill(g, n, 1), g2(g, OP_mul, n, n));
 *     }
 *
 *     static Val *tanh_lower(Lower *l, Val *x) { … }
 *
 *     const Op op_tanh = {
 *         FUNCTION(tanh, 1, OP_COSTLY),
 *         .doc = "hyperbolic tangent",
 *         .shown = {FORM_call, "tanh", "tanh", "\\tanh"},
 *         .eval1 = tanh,
 *         .partial1 = tanh_partial,
 *         .lower1 = tanh_lower,
 *     };
 *
 * In partial, n is in the graph. In identity it is not: read its fields but
 * never make it an argument; what is returned has n's shape and dtype. Its
 * arguments may be broadcasts: ask node_is_const(n->arg[1], 1) and answer
 * constants with g_fill(g, n, v). All-constant arguments never reach it where
 * the row has eval. */
#ifndef NNCC_OPS_H
#define NNCC_OPS_H

#include "graph/bound.h"
#include "graph/op.h"
#include "graph/view.h"

/* How rows begin: of what acts on each of n elements of the types `on`; of such
 * a function of reals that programs call by its name. */
#define ELEMENTWISE(op, n, on)                                                 \
    .name = #op, .cls = OPC_ewise, .arity = (n), .takes = (on)
#define FUNCTION(op, n, more)                                                  \
    .name = #op, .cls = OPC_ewise, .arity = (n), .takes = ON_real,             \
    .flags = OP_SURFACE | (more)

/* What the ops keep in Node.attr:
 *
 * const        real; integer for ints, bool (0, 1) and key
 * data         dims the shape, data, integer their number
 * param        dims the shape, name, integer a number of its own
 * dim          dims[0]; integer: DIVISOR or 0
 * iota         dims[0]
 * index_check  dims[0]: the bound; dims[1], or absent: how many ask for each
 *              element; integer: MASKED_INDEX, NUMBER_CHECK or 0
 * where        integer: MASKED_INDEX or 0
 * reductions   ints: the axes, ascending (argmax, argmin: exactly one)
 * logsumexp    integer: FINITE_LSE or 0
 * contract     ints: the labels of a, then of b; integer: the result's rank;
 *              the result's labels are 0 … rank-1 in order, those from there
 *              on are summed
 * view         dims: the result's, then of the View coef and base; ints: axis
 * view_add     the same
 * reshape      dims: the result's
 * concat       integer: the axis
 * loop, call   region
 * part         integer: which
 * gather       integer: the axis; arg 1 the index
 * scatter_add  integer: the axis; arg 1 the index, dims[0] its bound
 * argsort      dims[0]: how many places; integer: is it descending
 * factor_…     integer: how, see graph.h */

/* A where(c, i, k) whose k only stands for "never asked for": i would do. k is
 * 0 where that is within the bound; else a number that no index has, which an
 * index_check that says MASKED_INDEX lets pass. */
enum { MASKED_INDEX = 1, NUMBER_CHECK = 2 };
bool index_is_masked(const Node *n);
double never_asked(DType t);
/* How many elements of batches, in which it is the same, ask for n, a check;
 * NULL: some do for sure. */
const Dim *check_asked(const Node *n);
/* n of this index, where d more of each do. */
Node *check_asked_by(Graph *g, const Node *n, Node *index, const Dim *d);
/* Less than any index, but more than that: indices are held above it. */
double least_asked(DType t);

/* A dim that is divided by; see g_divisor. */
enum { DIVISOR = 1 };
/* What a dim is where its dimension is v. */
double dim_number(const Node *n, int64_t v);

/* Is the reduction n one of something for sure. */
bool reduce_of_some(const Node *n);
/* May the reduction n be one of a number that is repeated no times. */
bool reduce_of_none(const Node *n);
/* A logsumexp that is the least finite number where it would be -inf: so that
 * exp(x - it) is 0 where all of x is -inf. */
enum { FINITE_LSE = 1 };
/* The same of a logsumexp. */
Node *g_finite_lse(Graph *g, const Node *n);
/* logsumexp.c. Does n show one tensor in another way. */
bool node_views_one(const Node *n);
/* exp(x - y), where y is a view of a finite logsumexp as that is expanded, by
 * the exponentials that are in it; NULL: it is not. */
Node *g_softmax(Graph *g, Node *x, const Node *y);

/* Precedences of printed forms, as in the grammar. In a row's text, $0 is the
 * first argument, in parentheses where it binds weaker than `prec`; $+0
 * puts them where it binds just as strong too (the right side of a - b); $=0
 * never does (inside \frac{}{}); $*0 and $/0 do as the left and right side of a
 * product, $!0 as what a postfix stands behind. A row with prec 0 is a call and
 * needs none: "$0 + $+1" with PREC_add, "$+0 ^ $1" with PREC_pow. */
enum {
    PREC_same = -1, /* from form: as its argument, which is all it prints */
    PREC_atom,
    PREC_or,
    PREC_and,
    PREC_cmp,
    PREC_add,
    PREC_mul,
    PREC_neg,
    PREC_pow,
    PREC_postfix,
};

/* Shape rules. infer functions find n's op, args, attr and, for the ops whose
 * dtype cannot be inferred, dtype set. */

/* Room for the MAX_RANK dimensions of the node being inferred. */
const Dim **infer_dims(Graph *g);
/* All arguments have the first's shape, which becomes n's. */
bool infer_same_shape(Node *n);
/* The rule that graph_make uses where an elementwise row has no infer. */
bool infer_ewise(Graph *g, Node *n);
/* where, if: bool (a scalar for OPC_select), then two alike. */
bool infer_where(Graph *g, Node *n);
/* cast: n->dtype is the one asked for. */
bool infer_cast(Graph *g, Node *n);

/* A number that does not depend on data: a constant or a dimension, or one
 * repeated. */
bool node_is_size(const Node *n);
/* The scalar that n, of rank above 0, repeats; or NULL. */
Node *scalar_of(const Node *n);
/* s, of rank 0, in the shape of `like`. */
Node *g_fill_like(Graph *g, const Node *like, Node *s);
/* x times the number v. */
Node *g_scale(Graph *g, Node *x, double v);
/* x, a factor or divisor that is to stand outside of a sum over so much: where
 * that is nothing, a number by which 0 stays 0, for x may be infinite. */
Node *g_factor_outside(Graph *g, Node *x, const Dim *size);
Node *g_divisor_outside(Graph *g, Node *x, const Dim *size);

/* A value of dtype `from` as one of dtype `to`, as low_convert does it: reals
 * to integers truncate and saturate, NaN becomes 0, integers wrap, numbers to
 * bool by != 0, to f32 by rounding. cast has this as its eval_tensor (its row
 * leaves eval NULL, since eval does not see the dtype; its identity folds
 * constants with it, and where node_as_dim(arg) is not NULL the answer is
 * g_dim(g, n->dtype, dim)). */
double dtype_convert(DType from, DType to, double v);
/* v, computed in double, as an operator on dtype t leaves it: rounded to f32,
 * wrapped to the integer's width. */
double dtype_fit(DType t, double v);
/* The integer part of v, saturating; 0 for NaN. */
int64_t int_of_real(double v);
/* An integer, bool or key modulo its width. */
int64_t dtype_wrap(DType t, int64_t v);
/* For eval_tensor: a value of dtype t as out holds it; two of them joined. */
double eval_held(const EvalTensor *e, DType t, double v);
double eval_joined(const EvalTensor *e, OpId join, DType t, double a, double b);

/* Integer arithmetic on dimensions stays a dimension: rows of add sub mul div
 * mod set .on_dims = dim_add … (neg: dim_sub, called with 0 first). */

/* contract.c: Σ op(a, b) with labels as g_contract has them, term by term;
 * NULL: too many labels. contract_strong.c: see vjp_strong, jvp_strong in op.h.
 */
Node *contract_each(Graph *g, OpId op, Node *a, const int *la, Node *b,
                    const int *lb, int rank, const int *lout);
void contract_vjp_strong(Graph *g, Node *n, Node *dy, bool steep, Node **dx);
Node *contract_jvp_strong(Graph *g, Node *n, Node *const *dx,
                          const bool *steep);

/* chain.c: what can be seen of the values of n, NaN left aside; positive is
 * above some number above 0. */
typedef enum Sign { SIGN_any, SIGN_not_negative, SIGN_positive } Sign;
Sign node_sign(const Node *n);
bool node_never_positive(const Node *n);
/* For rows that are finite where their last argument is so. */
bool above_zero(const Node *n);
bool not_below_zero(const Node *n);
/* Is n never infinite or NaN where parameters are neither: false where too much
 * would have to be looked at. */
bool node_is_number(const Node *n);
/* Is n a * a, or the sum of such over some axes. */
bool node_is_square(const Node *n);

/* divide.c: a/b without a division, for a sum of products that all have the
 * factor b, equal ones being added up; or NULL. */
Node *node_divided(Graph *g, Node *a, Node *b);

/* root.c: inputs, vjp and jvp_times of sqrt. */
int root_inputs(Graph *g, Node *n, Node **x);
void root_vjp(Graph *g, Node *n, Node *dy, Node **dx);
Node *root_jvp_times(Graph *g, Node *n, Node *by, Node *const *dx);
/* x, which is made of what p multiplies: 0 where p divides by squares that are
 * all 0, or by a root of such. So a norm's derivatives of all orders are. */
Node *root_stays(Graph *g, Node *p, Node *x);
/* n, which is 0 where squares are that it divides by, elsewhere; or NULL. */
Node *root_moves(const Node *n);

/* For eval_tensor: sizes to element counts, an element's number to its
 * coordinates and back. */
int64_t eval_elements(int rank, const int64_t *size);
void eval_unravel(int64_t i, int rank, const int64_t *size, int64_t *at);
int64_t eval_ravel(int rank, const int64_t *size, const int64_t *at);

/* viewed.c: eval_tensor of view and view_add. */
void eval_view(EvalTensor *e, const Node *n);
void eval_view_add(EvalTensor *e, const Node *n);

/* affine.c: integers as base + Σ coef[i] · (place along axis i). */
typedef struct Affine {
    const Dim *base, *coef[MAX_RANK];
} Affine;
bool affine_of(Graph *g, const Node *n, Affine *a);
/* The axis along which n is *base, *base + 1, …, if it is the same along all
 * others; or -1. */
int affine_counter(Graph *g, const Node *n, const Dim **base);
/* p as such, with counters along the first `rank` axes. */
bool affine_from(const Bound *b, const Dim *p, int rank,
                 const Dim *const *place, Affine *a);
/* The same, looking at no more than *budget nodes. */
bool affine_within(Graph *g, const Node *n, int *budget, Affine *a);
/* Integers that are constants of at most MAX_FOLD elements, as OP_data; NULL
 * where they are not, or are OP_data. */
enum { MAX_FOLD = 4096 };
Node *fold_index(Graph *g, Node *n);

/* onehot.c: a sum, a contract that picks one term, or puts each into one of its
 * sums; or NULL. */
Node *sum_onehot(Graph *g, const Node *n);
Node *contract_onehot(Graph *g, const Node *n);
/* tied.c: a contract with the adjoint of an extreme as one with what is at its
 * place, where there is one only; or NULL. */
Node *contract_tied(Graph *g, const Node *n);
/* Is some place along an axis the one that is asked for; or NULL. */
Node *any_onehot(Graph *g, const Node *n);

/* sort.c: a view of an argsort that is its first places; or NULL. */
Node *sort_first(Graph *g, const Node *order, const View *v);
/* n gathers from an argsort. */
Node *sort_gathered(Graph *g, const Node *n);

/* structure.c: a view of a diagonal, from diagonals; or NULL. */
Node *view_diagonal(Graph *g, const Node *n);
/* A contract with an outer product or a sum of such and diagonals, by what they
 * are made of; or NULL. */
Node *contract_structure(Graph *g, const Node *n);
/* An elementwise n, of a diagonal and numbers: of the vector alone; or NULL. */
Node *elements_of_diagonal(Graph *g, const Node *n);
/* Elementwise x y, one being a diagonal whose zeros meet no infinity: of
 * vectors; or NULL. */
Node *product_of_diagonal(Graph *g, Node *x, Node *y);
/* bands.c: parts of a diagonal, zeros around one, its transpose; sums and
 * products of diagonals and what stands beside them; or NULL. */
bool is_band(Graph *g, const Node *x); /* where(k = i + d, …, …) */
Node *pad_of_bands(Graph *g, const Node *n);
Node *view_of_bands(Graph *g, const Node *n);
Node *permute_of_bands(Graph *g, const Node *n);
Node *elements_of_bands(Graph *g, const Node *n);
/* What n, a permute, takes, where that is its own transpose; or NULL. */
Node *permute_symmetric(const Node *n);

/* view_sum.c: a view_add that adds up along one axis and leaves the others as
 * they are, in operators that there are kernels for. */
Node *view_sum(Graph *g, Node *n);
/* n, a slice of a product of windows of what has zeros around, as a product of
 * slices, with no more zeros than are read; or NULL. */
Node *part_of_windows(Graph *g, const Node *n);

/* index.c: of b tensors with n entries each, put one after another: entry
 * index[k, …] of tensor k. */
Node *g_batch_index(Graph *g, const Dim *b, const Dim *n, Node *index);

/* Where a label is among n, or -1. */
int find_label(int label, int n, const int *among);

/* Linear operators of one argument: n's tangent is n on the tangent. */
Node *jvp_linear(Graph *g, Node *n, Node *const *dx);

#endif
