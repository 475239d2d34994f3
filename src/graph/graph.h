/* graph.h: dimensions, types and the expression graph.
 *
 * Everything here lives in the graph's arena. Nodes and dimensions are
 * immutable and hash-consed: equal ones are the same pointer. A node's id is
 * larger than those of its arguments, so ascending ids are a topological
 * order and no traversal needs recursion. Passes keep their notes in arrays
 * indexed by id. */
#ifndef NNCC_GRAPH_H
#define NNCC_GRAPH_H

#include "base/base.h"

typedef struct Graph Graph;
typedef struct Node Node;
typedef struct Dim Dim;

enum { MAX_RANK = 16 };

/* dim.c: integer polynomials over dimension variables, with floor division
 * and remainder as further atoms. Equal polynomials are the same pointer. */

const Dim *dim_const(Graph *g, int64_t v);
/* A new variable, different from all others even of the same name. */
const Dim *dim_var(Graph *g, const char *name);
const Dim *dim_add(Graph *g, const Dim *a, const Dim *b);
const Dim *dim_sub(Graph *g, const Dim *a, const Dim *b);
const Dim *dim_mul(Graph *g, const Dim *a, const Dim *b);
/* Rounds down. b must not be the constant 0. */
const Dim *dim_div(Graph *g, const Dim *a, const Dim *b);
const Dim *dim_mod(Graph *g, const Dim *a, const Dim *b);
/* a / b where that leaves nothing over, else NULL. */
const Dim *dim_exact(Graph *g, const Dim *a, const Dim *b);
const Dim *dim_product(Graph *g, int n, const Dim *const *dim);
/* n, then the dimensions of an element. */
const Dim **dims_along(Graph *g, const Dim *n, int rank, const Dim *const *dim);
/* max(d, 0), for a d that is no size by itself but a number of steps. */
const Dim *dim_positive(Graph *g, const Dim *d);
/* The larger and the smaller of two, made of that. */
const Dim *dim_max(Graph *g, const Dim *a, const Dim *b);
const Dim *dim_min(Graph *g, const Dim *a, const Dim *b);
/* The d of such a one; else p. */
const Dim *dim_clamps(const Dim *p);
/* Is it a constant, and which. */
bool dim_is(const Dim *d, int64_t v);
bool dim_const_value(const Dim *d, int64_t *v);
bool dim_is_var(const Dim *d);
const char *dim_var_name(const Dim *d);
/* Replace the variables var[i] by val[i] at once. */
const Dim *dim_subst(Graph *g, const Dim *d, int n, const Dim *const *var,
                     const Dim *const *val);
/* Is `var` anywhere in d. */
bool dim_uses(const Dim *d, const Dim *var);
/* Adds the variables in d that are not there yet, as they come in it. */
typedef LIST(const Dim *) DimVars;
void dim_vars(Arena *a, const Dim *d, DimVars *to);
/* If d = q * var + r with q and r free of var, a variable or a quotient: true.
 * For solving for var. */
bool dim_linear_in(Graph *g, const Dim *d, const Dim *var, const Dim **q,
                   const Dim **r);
/* The value where var[i] is val[i]. False on a variable without value, a
 * division by zero or an overflow. */
bool dim_eval(const Dim *d, int n, const Dim *const *var, const int64_t *val,
              int64_t *out);
/* The same modulo 2^64: no overflow. */
bool dim_wrapped(const Dim *d, int n, const Dim *const *var, const int64_t *val,
                 int64_t *out);
void dim_print(const Dim *d, Str *to);                     /* "2*b + 1" */
void dims_print(int rank, const Dim *const *dim, Str *to); /* "[n, 10]" */
const char *dims_text(Arena *a, int rank, const Dim *const *dim);
const char *dim_text(Graph *g, const Dim *d);
/* The ends of what d may be where all variables are at least 0 and var[i] is at
 * most most[i], if that is not negative; INT64_MIN and INT64_MAX: not known. */
typedef struct Ends {
    int64_t lo, hi;
} Ends;
Ends dim_ends(const Dim *d, int n, const Dim *const *var, const int64_t *most);
/* Is d at least 0 by its ends alone. bound.h knows more. */
bool dim_never_negative(const Dim *d);
/* A quotient in d, as a dimension, that no other in d contains; false: none. */
bool dim_quotient(const Dim *d, const Dim **q, const Dim **num,
                  const Dim **den);
/* d is a variable + *by, or a product: at most `max` variables in it, which are
 * positive where that is. */
bool dim_positive_vars(const Dim *d, int64_t *by, int max, int *n,
                       const Dim **var);
/* Variable k of a few, up to MAX_UNKNOWNS, that stand for what is not known in
 * a proof. */
enum { MAX_UNKNOWNS = 24 };
const Dim *dim_unknown(Graph *g, int k);
/* Is d the one dimension that stands for all that are too large to be written
 * down: a coefficient left 64 bits, say. Nothing is known of it, so nothing is
 * proven of it; what a program has of it is to be refused. */
bool dim_too_large(const Dim *d);

/* Walks a dimension bottom up without knowing its representation: how the
 * emitter, the C header and the formulas of cost are made. A sum of products:
 * each callback gets `u` first and returns a handle. */
typedef struct DimVisitor {
    void *u;
    void *(*constant)(void *u, int64_t v);
    void *(*variable)(void *u, const Dim *var);
    void *(*add)(void *u, void *a, void *b);
    void *(*mul)(void *u, void *a, void *b);
    void *(*div)(void *u, void *a, void *b); /* rounds down */
    void *(*positive)(void *u, void *a);     /* max(a, 0) */
} DimVisitor;
void *dim_visit(const Dim *d, const DimVisitor *v);

/* type.c */

typedef enum DType {
    DT_bool,
    DT_u8,
    DT_i32,
    DT_i64,
    DT_f32,
    DT_f64,
    DT_key, /* 64 bits, as DT_i64 in memory */
    NDTYPES
} DType;

bool dtype_is_real(DType t);
bool dtype_is_int(DType t);         /* u8 i32 i64 */
int dtype_size(DType t);            /* bytes in memory; bool is 1 */
const char *dtype_name(DType t);    /* "f32" */
const char *dtype_word(DType t);    /* in the language; "int" for an i32 */
extern const char *const real_word; /* "real", of the type that is called so */
const char *dtype_cname(DType t);   /* "float" */

/* The type of a value of the language, as the ABI sees it: leaves are tensors.
 * Built by the checker; equal types need not be the same pointer. */
typedef enum TypeKind { TY_tensor, TY_struct, TY_tuple, TY_stack } TypeKind;

enum { MAX_TYPE_LEAVES = 100000 }; /* tensors in one value */

typedef struct Type Type;
typedef struct StructDef StructDef; /* known to the checker alone */

/* What a struct is given in brackets: a dimension or a type. */
typedef struct TypeArg {
    const Dim *dim;
    const Type *type;
} TypeArg;

/* The type of a value that has leaves. Compare with type_equal. */
struct Type {
    TypeKind kind;
    DType dtype;           /* TY_tensor */
    int rank;              /* TY_tensor */
    const Dim *const *dim; /* TY_tensor */
    /* TY_struct: what declares it, with arguments, which tell its fields' types
     * but where it is open; its name and those of its fields. */
    const StructDef *def;
    const TypeArg *arg;
    int narg;
    bool open;
    const char *name;
    const char *const *field;
    const Type *const *part; /* TY_struct fields, TY_tuple parts, TY_stack's
                                 element */
    int npart;
    const Dim *count; /* TY_stack: its leaves gain this leading dimension */
    int nleaf;        /* at most MAX_TYPE_LEAVES + 1 */
    const char *text; /* as the user would write it: "Linear[64, 100]"; set
                          once it is exported */
};

const Type *type_tensor(Arena *a, DType t, int rank, const Dim *const *dim);
const Type *type_scalar(Arena *a, DType t);
const Type *type_tuple(Arena *a, int n, const Type *const *part);
const Type *type_stack(Arena *a, const Type *of, const Dim *count);
/* Made of def, arg, open, name, field and part. */
const Type *type_struct(Arena *a, const Type *as);
bool type_equal(const Type *a, const Type *b);
/* As the user would write it; `real` is what is called that. */
void type_describe(const Type *t, DType real, Str *to);

/* One tensor of a value of some type, in order of declaration. */
typedef struct Leaf {
    const char *path; /* "hidden.W", "0.b"; "" for a bare tensor */
    DType dtype;
    int rank;
    const Dim *const *dim;
} Leaf;
Leaf *type_leaves(Graph *g, const Type *t, int *n); /* n may be NULL */
bool type_is_fixed(const Type *t); /* all dimensions are constants */

/* graph.c: nodes */

/* OP_sin and its like, from op.def (see op.h). */
typedef int OpId;

/* What distinguishes two nodes of one op and the same arguments. Each op says
 * in its block what it keeps where. */
typedef struct Attr {
    const int *ints; /* axes, permutations, labels */
    int nint;
    const Dim *const *dims; /* result dimensions, starts, paddings */
    int ndim;
    int64_t integer;    /* OP_const of an integer or bool, axis */
    double real;        /* OP_const of a real */
    const char *name;   /* OP_param */
    const double *data; /* OP_data: row-major; integer is their number */
    const struct Region *region; /* OP_loop, OP_call: see region.h */
} Attr;

struct Node {
    OpId op;
    int id;
    DType dtype;
    int rank;
    const Dim *const *dim;
    int narg;
    Node *const *arg;
    Attr attr;
    /* Where it came from, and in which call: see label.c; a derivative's is its
     * origin's. */
    Span span;
    int call;
    bool derived; /* differentiation alone made it: no program says it */
    bool wild;    /* a region's parameter: what it stands for may be infinite */
    bool far;     /* so it may be where nothing overflows, see node_is_far */
    bool divisor; /* the program divides by it, or by what has it as a factor */
};

Graph *graph_new(Arena *a, DType real); /* real: DT_f32 or DT_f64 */
/* Nodes made from here on are what they are made as: no operator's identities,
 * no rules of simplify(). Constants are still folded. For tests, which hold
 * what those make of a program against it. */
void graph_plain(Graph *g, bool plain);
bool graph_is_plain(const Graph *g);
/* Computations with reals are nodes as they are written: of these, too, none
 * but derivatives has identities. For who shows them one by one. */
void graph_written(Graph *g, bool written);
/* Whether diagonals of what is computed stay reads of it; gives the former
 * answer. */
bool graph_reads_diagonals(Graph *g, bool on);
bool graph_is_reading(const Graph *g);
/* Calls that were made for many values at once: see batch_region.c. */
Map *graph_batched(Graph *g);
/* Whether nodes made from now on are derived; gives the former answer. */
bool graph_deriving(Graph *g, bool on);
Arena *graph_arena(const Graph *g);
DType graph_real(const Graph *g);
int graph_count(const Graph *g); /* ids are below this */
Node *graph_node(const Graph *g, int id);
/* Nodes made from now on come from here; returns the former span. */
Span graph_span(Graph *g, Span s);
/* The same of where another node came from. */
typedef struct Provenance {
    Span span;
    int call;
} Provenance;
Provenance graph_provenance(Graph *g, Provenance o);
Provenance node_provenance(const Node *n);

/* The one constructor behind all others: infers type and shape by the op's
 * row, orders commuting arguments, folds constants, applies local identities,
 * looks up and only then allocates. `dtype` is read by the ops that cannot
 * infer it (const, data, param, iota, dim, cast). Asserts on arguments that do
 * not fit: the checker has refused those. */
Node *graph_make(Graph *g, OpId op, DType dtype, int narg, Node *const *arg,
                 const Attr *attr);
/* op, which keeps type and shape, of x if that is there, or NULL. */
Node *graph_find(const Graph *g, OpId op, Node *x);
/* Do these arguments fit op, whose row needs no more to tell. */
bool graph_fits(Graph *g, OpId op, int narg, Node *const *arg);
/* The same op and attributes on other arguments. */
Node *graph_remake(Graph *g, const Node *n, Node *const *arg);

/* Replace from[i] by to[i] in roots, at once; roots is overwritten. */
void graph_subst(Graph *g, int n, Node *const *from, Node *const *to, int nroot,
                 Node **root);
/* reach.c: mark what the roots reach, in bodies (and derivatives of calls) too
 * where it is deep: live[id], an array of graph_count(g) bools. */
bool *graph_reach(const Graph *g, Arena *scratch, bool deep, int nroot,
                  Node *const *root);
/* One of them, in bodies too, that has more elements than can be written down,
 * or is made with such a number; or NULL. */
Node *node_too_large(Graph *g, Arena *scratch, int nroot, Node *const *root);
/* Marks on the nodes that exist when graph_unmark takes all marks away;
 * graph_mark is false where there is one already. One walk at a time. */
void graph_unmark(Graph *g);
bool graph_mark(Graph *g, const Node *n);
/* Every node reachable is as its row says. Dies where not. */
void graph_verify(const Graph *g, int nroot, Node *const *root);

/* What was rewritten, in order: for --explain. The rule's name is kept as a
 * pointer. */
typedef struct Rewrite {
    const char *rule;
    const Node *from, *to;
} Rewrite;
void graph_log(Graph *g, const char *rule, const Node *from, const Node *to);
const Rewrite *graph_logged(const Graph *g, int *n);

/* label.c: what the program calls a node: a `let` that gave it a name, or the
 * call whose result it is. Of nodes that are no leaf and have no such label
 * yet; kept where somebody is to read them. */
typedef struct NodeLabelArg {
    Node *node;          /* or NULL: */
    const char *text;    /* a struct's name, a function's, or a setting's */
    const Node *setting; /* the number or bool that this has; or NULL */
} NodeLabelArg;
typedef struct NodeLabel {
    Node *node;
    const char *name;
    bool call, library; /* library: of a function of it */
    const NodeLabelArg *arg;
    int narg;
} NodeLabel;
void graph_keep_labels(Graph *g);
bool graph_keeps_labels(const Graph *g);
void graph_label(Graph *g, const NodeLabel *l);
/* Of a call around those before: where both are the library's it is that. */
void graph_label_outer(Graph *g, const NodeLabel *l);
/* A pass made `to` of n, and of other nodes what `now` says (NULL: it does not
 * know them). */
void graph_follow_labels(Graph *g, const Node *n, Node *to,
                         Node *(*now)(const void *u, const Node *x),
                         const void *u);
/* Nodes made from now on are made in a call of that name (NULL: of no other),
 * inside of the one they were made in before; gives what to set back. Calls are
 * numbered from 1; without labels kept all is call 0, none. */
Provenance graph_call(Graph *g, const char *name);
const char *graph_call_name(const Graph *g, int call);
int graph_call_outer(const Graph *g, int call);
/* Of the same node for many values. */
void graph_follow_let(Graph *g, const Node *n, Node *to);
const NodeLabel *graph_call_label(const Graph *g, const Node *n);
const NodeLabel *graph_let_label(const Graph *g, const Node *n);

bool same_shape(const Node *a, const Node *b);
bool same_type(const Node *a, const Node *b); /* shape and dtype */
int nodes_rank(int n, Node *const *x);        /* the greatest */
/* Op, dtype and attributes, whatever the arguments are. */
bool node_same_alone(const Node *a, const Node *b);

/* Leaves. */
Node *g_const(Graph *g, DType t, double v); /* scalar; any dtype */
Node *g_const_int(Graph *g, DType t, int64_t v);
Node *g_data(Graph *g, DType t, int rank, const Dim *const *dim,
             const double *data);
/* A new input, different from all others. */
Node *g_param(Graph *g, DType t, int rank, const Dim *const *dim,
              const char *name);
Node *g_dim(Graph *g, DType t, const Dim *d); /* a dimension's value; scalar */
/* The same as a real to divide by: nothing divided by how many there are is 0
 * where there are none. */
Node *g_divisor(Graph *g, DType t, const Dim *d);
Node *g_iota(Graph *g, DType t, const Dim *n); /* 0, 1, …, n-1 */
/* The dimension that an integer scalar node is: a constant or g_dim, or sums,
 * products, quotients of them (folded at construction); else NULL. */
const Dim *node_as_dim(Graph *g, const Node *n);

/* Elementwise: all arguments have one shape. */
Node *g1(Graph *g, OpId op, Node *a);
Node *g2(Graph *g, OpId op, Node *a, Node *b);
Node *g3(Graph *g, OpId op, Node *a, Node *b, Node *c);
/* g2 of what is there: NULL is nothing. */
Node *g_join(Graph *g, OpId op, Node *a, Node *b);
Node *g_cast(Graph *g, DType t, Node *a);
Node *g_where(Graph *g, Node *c, Node *a, Node *b);
/* c is a scalar bool; only the branch that is taken is evaluated. */
Node *g_if(Graph *g, Node *c, Node *a, Node *b);
Node *g_stop(Graph *g, Node *a);
/* An adjoint or tangent a times a partial derivative: 0 where a is 0, also
 * where the partial is infinite or NaN. If a is steep, infinite on the way
 * maybe, also 0 where the partial is; without being told that is seen from a.
 */
Node *g_chain(Graph *g, Node *a, Node *partial, bool steep);
Node *g_chain_seen(Graph *g, Node *a, Node *partial);
/* Is n finite wherever what it is put together from is: seen from the few
 * operators that partial derivatives are made of. */
bool node_is_finite(const Node *n);
/* The same, a quotient being taken for finite. */
bool node_is_finite_but_quotients(const Node *n);
/* Is n finite where its arguments are. */
bool node_keeps_finite(const Node *n);
/* Is n no root or logarithm of what may be below 0, as far as can be seen. */
bool node_is_defined(const Node *n);
/* Is n such, or an infinity that the program wrote, as far as can be seen. */
bool node_is_far(const Node *n);
/* May this partial derivative of n be infinite where n is finite. */
bool node_is_steep(const Node *n, const Node *partial);
/* i, and status NN_ERR_INDEX when an element is outside 0 … n-1. */
Node *g_index_check(Graph *g, Node *i, const Dim *n);
/* 1 where all of ok, scalars, hold; else status NN_ERR_NUMBER with the number
 * of the first that does not, and the kernel ends there. */
Node *g_number_check(Graph *g, int n, Node *const *ok);

/* The constant v in the shape and dtype of `like`. */
Node *g_fill(Graph *g, const Node *like, double v);
/* Whether computing n may find an index out of range. */
bool node_can_fail(const Graph *g, const Node *n);
/* The same where dimension d is 0: a check of nothing holds. */
bool node_fails_without(Graph *g, Node *n, const Dim *d);
bool node_is_const(const Node *n, double v); /* a constant, or one broadcast */

/* Views. */
/* Result axis i is argument axis axis[i], or new where axis[i] is -1; the
 * argument's axes all occur, once. */
Node *g_broadcast(Graph *g, Node *a, int rank, const Dim *const *dim,
                  const int *axis);
/* A scalar, or anything whose shape is the end of this one. */
Node *g_broadcast_to(Graph *g, Node *a, int rank, const Dim *const *dim);
Node *g_permute(Graph *g, Node *a, const int *perm); /* result i is perm[i] */
/* Axis `from` at place `to`, the others in their order. */
Node *g_move_axis(Graph *g, Node *a, int from, int to);
Node *g_reshape(Graph *g, Node *a, int rank, const Dim *const *dim);
/* n, elementwise, on what is computed in a shape whose axes a reshape joins,
 * but for the last: computed in that shape, and joined after; or NULL. */
Node *elements_apart(Graph *g, Node *n);
/* n axes from `axis` on as one; of no axes, one of a single element. */
Node *g_merge_axes(Graph *g, Node *a, int axis, int n);
/* The diagonal along axes a and a + 1, as axis a: a read, whatever x is. */
Node *g_diagonal(Graph *g, Node *x, int a);
/* n times, along a new first axis. */
Node *g_repeat(Graph *g, const Dim *n, Node *a);
/* Per axis: size[i] elements from start[i], step[i] >= 1 (NULL: 1) apart. */
Node *g_slice(Graph *g, Node *a, const Dim *const *start,
              const Dim *const *size, const int *step);
/* The transpose of slice: zeros of shape dim with a[…] at lo + k*step. */
Node *g_pad(Graph *g, Node *a, const Dim *const *lo, const Dim *const *dim,
            const int *step);
/* With lo[i] zeros before the elements along axis i, and hi[i] behind; NULL:
 * none. */
Node *g_pad_around(Graph *g, Node *a, const Dim *const *lo,
                   const Dim *const *hi);
Node *g_flip(Graph *g, Node *a, int axis);
/* One axis becomes n >= 0 axes of sizes size[]: the element at (i0, i1, …) is
 * the one at start + i0*coef[0] + i1*coef[1] + …, which must be inside.
 * Windows, diagonals, steps of run-time size. Where slice, flip, broadcast or
 * reshape say the same, those are made. */
Node *g_strided(Graph *g, Node *a, int axis, const Dim *start, int n,
                const Dim *const *size, const Dim *const *coef);
Node *g_concat(Graph *g, int n, Node *const *a, int axis);

/* Over some axes, ascending, which the result lacks. */
Node *g_reduce(Graph *g, OpId op, Node *a, int naxis, const int *axis);
Node *g_reduce_all(Graph *g, OpId op, Node *a);

/* The product: out[lout] = sum a[la] b[lb]. Labels are small integers, one an
 * axis, none twice in one list; what is not in lout is summed. */
Node *g_contract(Graph *g, Node *a, const int *la, Node *b, const int *lb,
                 int rank, const int *lout);
Node *g_matmul(Graph *g, Node *a, Node *b); /* as NumPy's @, shapes fit */

/* out[…, i…, …] = a[…, index[i…], …] along axis; indices are checked. */
Node *g_gather(Graph *g, Node *a, Node *index, int axis);
/* Of an index that is known to be inside, or was checked. */
Node *g_gather_inside(Graph *g, Node *a, Node *index, int axis);
/* a's elements at places along an axis: of the index's shape, which is a's but
 * for that axis. */
Node *g_take_along(Graph *g, Node *a, Node *index, int axis);
/* The transpose: zeros with n entries along axis, a's slices added where index
 * says. */
Node *g_scatter_add(Graph *g, Node *a, Node *index, int axis, const Dim *n);
/* With an index that is known to be inside, or was checked. */
Node *g_scatter_inside(Graph *g, Node *a, Node *index, int axis, const Dim *n);

/* Of each row along the last axis, the places of its elements in ascending or
 * descending order; of equal ones in the order they have, NaN last. */
Node *g_argsort(Graph *g, Node *a, bool descending);

/* What a routine makes of matrices, the last two axes: ops/routine.c. Of the
 * triangle that a system is solved with. */
enum { SUBSTITUTE_UPPER = 1, SUBSTITUTE_UNIT = 2, SUBSTITUTE_TURNED = 4 };
Node *g_routine(Graph *g, OpId op, int how, int n, Node *const *arg);

/* Random: bits of a key and a counter, elementwise on DT_i64 (Threefry-2x32,
 * 20 rounds: low and high word are the two outputs). */
Node *g_random_bits(Graph *g, Node *key, Node *counter);
/* uniform in [0, 1) and standard normal of any shape, from a scalar key. */
Node *g_uniform(Graph *g, DType t, Node *key, int rank, const Dim *const *dim);
Node *g_normal(Graph *g, DType t, Node *key, int rank, const Dim *const *dim);
/* The i-th key derived from a key; those of all elements of an i64 tensor. */
Node *g_split(Graph *g, Node *key, int64_t i);
Node *g_split_each(Graph *g, Node *key, Node *i);

/* print.c */

/* A formula in one line, in the language's own notation; shared parts are
 * written out, so use it on small things. */
void node_print(const Node *n, Str *to);
/* The same of what is at most so deep in it; below that … stands, or the name
 * that `let` gave. */
void node_print_top(const Graph *g, const Node *n, int depth, Str *to);
/* `%3 = mul(%1, %2) : real[b, 10]`, a line a node in the order of dependence,
 * numbered from 0 within this dump. */
void graph_dump(const Graph *g, int nroot, Node *const *root,
                const char *const *root_name, FILE *to);

#endif
