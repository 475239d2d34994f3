/* derive.c: derivatives of functions: their parameters, values, types.
 *
 * jacobian(f, x) of a y and an x that are no bare tensors has y's structure,
 * each leaf being as many values of x's type as the leaf has elements: stacks
 * of it, nested along the leaf's axes. So the Hessian by a P { a: real[2],
 * b: real } holds a: [P; 2] and b: P. */
#include "check/check_internal.h"
#include "diff/diff.h"
#include "region/region.h"

#include <string.h>

const DerivMode *deriv_mode(const Fn *f) { return &deriv_modes[f->mode]; }

int deriv_extra_params(const Fn *f)
{
    return deriv_mode(f)->tangent ? f->nby : deriv_mode(f)->adjoint != NULL;
}

const char *deriv_named_after(Check *c, const char *pattern, const char *x)
{
    const char *at = strstr(pattern, "%s");

    return arena_printf(c->arena, "%.*s%s%s", (int)(at - pattern), pattern, x,
                        at + 2);
}

/* Is it the name of a parameter, or of what vjp gives for one. */
static bool is_taken(Check *c, const Fn *f, const char *name)
{
    for (int i = 0; i < fn_nparam(f->of); i++)
        if (fn_param_name(c, f->of, i) == name)
            return true;
    for (int i = 0; i < f->nby && deriv_mode(f)->adjoint; i++)
        if (strcmp(deriv_named_after(c, deriv_mode(f)->result,
                                     fn_param_name(c, f->of, f->by[i])),
                   name) == 0)
            return true;
    return false;
}

static const char *unique_param(Check *c, const Fn *f, const char *name)
{
    const char *full = intern(c->names, name);

    for (int k = 2; is_taken(c, f, full); k++)
        full = intern(c->names, arena_printf(c->arena, "%s%d", name, k));
    return full;
}

const char *deriv_param_name(Check *c, const Fn *f, int i)
{
    int n = fn_nparam(f->of);
    const DerivMode *mode = deriv_mode(f);

    if (i < n)
        return fn_param_name(c, f->of, i);
    if (mode->adjoint)
        return unique_param(c, f, mode->adjoint);
    if (mode->only_tangent && f->nby == 1)
        return unique_param(c, f, mode->only_tangent);
    return unique_param(
        c, f,
        deriv_named_after(c, mode->tangent,
                          fn_param_name(c, f->of, f->by[i - n])));
}

static int by_index(Check *c, const Fn *of, const Expr *e)
{
    int n = fn_nparam(of);
    const char **name = NEWN(c->arena, const char *, n + 1);

    if (e->kind != EX_name) {
        check_fail(c, e->span, "derivative",
                   "a parameter's name was expected here, to differentiate by");
        return -1;
    }
    for (int i = 0; i < n; i++) {
        name[i] = fn_param_name(c, of, i);
        if (name[i] == e->name)
            return i;
    }
    check_fail(c, e->span, "derivative", "'%s' has no parameter '%s'%s",
               fn_name(c, of), e->name, name_suggestion(c, e->name, name, n));
    check_note(c, fn_span(of), "'%s' is declared here", fn_name(c, of));
    return -1;
}

static bool take_by(Check *c, Fn *f, const Expr *call)
{
    int n = call->call.narg - 1;
    int *by = NEWN(c->arena, int, n + 1);

    f->by = by;
    f->nby = n > 0 ? n : 1;
    if (fn_nparam(f->of) == 0)
        return check_refuse(c, call->call.arg[0].value->span, "derivative",
                            "'%s' has no parameters to differentiate by",
                            fn_name(c, f->of));
    for (int i = 0; i < n; i++) {
        const Expr *e = call->call.arg[1 + i].value;

        by[i] = by_index(c, f->of, e);
        if (by[i] < 0)
            return false;
        for (int k = 0; k < i; k++) {
            if (by[k] != by[i])
                continue;
            return check_refuse(c, e->span, "derivative", "'%s' is named twice",
                                e->name);
        }
    }
    return true;
}

const Value *eval_derivative(Check *c, const Scope *s, DerivKind mode,
                             const Expr *call)
{
    Fn *f = NEW(c->arena, Fn);
    const Expr *first = call->call.narg > 0 ? call->call.arg[0].value : NULL;
    const char *name = deriv_modes[mode].name;
    const Value *of;

    if (!first)
        return check_fail(c, call->span, "derivative",
                          "'%s' needs a function: %s(f, x)", name, name);
    of = eval(c, s, first);
    if (value_is_error(of))
        return of;
    if (of->kind != V_fn) {
        check_fail(c, first->span, "derivative", "'%s' takes a function", name);
        check_is(c, first->span, of);
        if (first->kind == EX_call)
            check_detail(
                c, "name the function and call the result: %s(f, x)(…)", name);
        return c->error;
    }
    *f = (Fn){.kind = FK_derivative, .mode = mode, .of = of->fn};
    return take_by(c, f, call) ? value_fn(c, f) : c->error;
}

bool type_all_real(Check *c, const Type *t)
{
    const Leaf *type = type_leaves(c->graph, t, NULL);
    bool real = true;

    for (int i = 0; i < t->nleaf; i++)
        real = real && dtype_is_real(type[i].dtype);
    return real;
}

static const char *leaf_text(Check *c, const Leaf *l)
{
    return type_text(c, type_tensor(c->arena, l->dtype, l->rank, l->dim));
}

bool value_all_real(Check *c, const Value *v, Span at, const char *what)
{
    const Type *t = value_ty(c, v);
    const Leaf *type;

    if (!t)
        return check_refuse(c, at, "derivative", "%s is a function, not reals",
                            what);
    type = type_leaves(c->graph, t, NULL);
    for (int i = 0; i < t->nleaf; i++) {
        if (dtype_is_real(type[i].dtype))
            continue;
        return check_refuse(c, at, "derivative",
                            "%s holds something that is not real\n"
                            "%s%s%s",
                            what, type[i].path,
                            *type[i].path ? " is " : "it is ",
                            leaf_text(c, &type[i]));
    }
    return true;
}

/* Arguments in their types. */

static bool coerce_like(Check *c, const Fn *f, Arguments *a, int i,
                        const Type *t)
{
    const Value *v = value_fit(c, t, a->value[i]);

    if (v) {
        a->value[i] = v;
        return true;
    }
    check_fail(c, a->span[i], "argument",
               "'%s' cannot take this as '%s'\n"
               "'%s' is %s",
               fn_name(c, f), fn_param_name(c, f, i), fn_param_name(c, f, i),
               type_text(c, t));
    check_is(c, a->span[i], a->value[i]);
    return false;
}

static bool coerce_derivative(Check *c, const Fn *f, Arguments *a)
{
    Arguments of = *a;
    int n = fn_nparam(f->of);
    const Value *y;

    of.n = n;
    if (!fn_coerce(c, f->of, &of))
        return false;
    for (int i = 0; i < f->nby; i++) {
        const Value *x = a->value[f->by[i]];

        if (x && x->kind == V_tensor && x->literal != LIT_no)
            a->value[f->by[i]] = value_tensor(c, value_adapt(c, x, c->real));
    }
    for (int i = 0; deriv_mode(f)->tangent && i < f->nby; i++) {
        const Type *t = value_ty(c, a->value[f->by[i]]);

        if (!t || !coerce_like(c, f, a, n + i, t))
            return false;
    }
    if (!deriv_mode(f)->adjoint)
        return true;
    of = args_copy(c, a, n);
    y = value_settle(c, a->at, fn_apply(c, f->of, &of));
    return value_ty(c, y) && coerce_like(c, f, a, n, value_ty(c, y));
}

bool fn_coerce(Check *c, const Fn *f, Arguments *a)
{
    switch (f->kind) {
    case FK_item:
        fn_define(c, f);
        return f->info->state != FN_bad &&
               bind_arguments(
                   c, f, scope_new(c, f->scope, f->limit, f->scope->unit), a);
    case FK_builtin:
        for (int i = 0; i < a->n; i++)
            if (a->value[i] && a->value[i]->kind == V_tensor &&
                a->value[i]->literal != LIT_no)
                a->value[i] =
                    value_tensor(c, value_adapt(c, a->value[i], c->real));
        return true;
    case FK_derivative:
        return coerce_derivative(c, f, a);
    case FK_remat:
        return fn_coerce(c, f->of, a);
    }
    return false;
}

/* f on new inputs in place of what is differentiated by, and back. */

typedef struct Derivation {
    Check *c;
    const Fn *f;
    const Arguments *a;
    const Value **by; /* the arguments that it is by, as given */
    int nx;
    Node **x, **actual; /* leaves of the arguments: new inputs, and given */
    const Value *y;
    Node **y_leaf;
    int ny;
    bool direct; /* x is actual */
} Derivation;

static bool is_plain_scope(const Fn *f)
{
    if (f->kind == FK_derivative || f->kind == FK_remat)
        return is_plain_scope(f->of);
    return f->kind == FK_builtin ||
           (f->scope->up == NULL && f->scope->binding.n == 0);
}

/* Arguments that are different inputs of the graph need no stand-ins. */
static bool distinct_inputs(Check *c, const Fn *f, const Arguments *a)
{
    enum { MANY = 64 };
    Node **all;
    int n;

    for (int i = 0; i < a->n; i++)
        if (a->value[i] && a->value[i]->kind == V_fn)
            return false;
    all = values_leaves(c, a->n, a->value, &n);
    if (n > MANY || !is_plain_scope(f->of))
        return false;
    for (int i = 0; i < n; i++) {
        if (all[i]->op == OP_dim)
            continue; /* an int parameter that is a dimension */
        if (all[i]->op != OP_param)
            return false;
        for (int k = 0; k < i; k++)
            if (all[i] == all[k])
                return false;
    }
    return true;
}

static bool holds_reals(Check *c, const Value *v)
{
    const Type *t = v ? value_ty(c, v) : NULL;

    return t && t->nleaf > 0 && type_all_real(c, t);
}

/* After a message that it is not differentiable by the parameter asked for. */
static void suggest_by(const Derivation *d, const Arguments *inner)
{
    Check *c = d->c;
    const Fn *of = d->f->of;

    for (int i = 0; i < inner->n && d->f->nby == 1; i++) {
        if (!holds_reals(c, inner->value[i]))
            continue;
        check_detail(c, "by '%s' it is %s(%s, %s)", fn_param_name(c, of, i),
                     deriv_mode(d->f)->name, fn_name(c, of),
                     fn_param_name(c, of, i));
        return;
    }
}

static bool differentiable(Derivation *d, const Arguments *inner, int by)
{
    Check *c = d->c;
    const char *name = fn_param_name(c, d->f->of, by);

    if (!inner->value[by])
        return check_refuse(
            c, d->a->at, "derivative",
            "'%s' is not given, so there is no derivative by it", name);
    if (value_all_real(
            c, inner->value[by], d->a->span[by],
            arena_printf(c->arena, "'%s' of '%s'", name, fn_name(c, d->f->of))))
        return true;
    suggest_by(d, inner);
    return false;
}

static bool stand_ins(Derivation *d, Arguments *inner)
{
    Check *c = d->c;
    int n = d->f->nby;
    const Value **x = NEWN(c->arena, const Value *, n);

    d->by = NEWN(c->arena, const Value *, n);
    for (int i = 0; i < n; i++) {
        int by = d->f->by[i];

        if (!differentiable(d, inner, by))
            return false;
        x[i] = d->by[i] = inner->value[by];
        if (!d->direct)
            x[i] = value_fresh(c, value_ty(c, x[i]),
                               fn_param_name(c, d->f->of, by));
        inner->value[by] = x[i];
    }
    d->actual = values_leaves(c, n, d->by, &d->nx);
    d->x = values_leaves(c, n, x, &d->nx);
    return true;
}

/* Give the derivative part, whose leaves are dx, the types of the arguments. */
static const Value *like_arguments(Derivation *d, Node *const *dx)
{
    Check *c = d->c;
    const Value **part = NEWN(c->arena, const Value *, d->f->nby);

    for (int i = 0; i < d->f->nby; i++) {
        part[i] = value_of_leaves(c, value_ty(c, d->by[i]), dx);
        dx += d->by[i]->nleaf;
    }
    return value_of_parts(c, d->a->at, d->f->nby, part);
}

static const Value *pair(Derivation *d, const Value *y, const Value *dx)
{
    const Value *part[2] = {y, dx};

    return value_tuple(d->c, d->a->at, 2, part);
}

/* Back to the given arguments: roots are y's leaves, then n of dx. */
static void put_back(Derivation *d, int n, Node **dx)
{
    Node **root;

    if (d->direct)
        return;
    root = NEWN(d->c->arena, Node *, d->ny + n + 1);
    memcpy(root, d->y_leaf, sizeof *root * (size_t)d->ny);
    memcpy(root + d->ny, dx, sizeof *root * (size_t)n);
    graph_subst(d->c->graph, d->nx, d->x, d->actual, d->ny + n, root);
    memcpy(d->y_leaf, root, sizeof *root * (size_t)d->ny);
    memcpy(dx, root + d->ny, sizeof *root * (size_t)n);
}

static const Value *reverse(Derivation *d)
{
    Check *c = d->c;
    Node **dx = NEWN(c->arena, Node *, d->nx + 1), **y_bar;
    const Value *y, *x_bar;
    const Type *t = value_ty(c, d->y);

    if (deriv_mode(d->f)->adjoint) {
        y_bar = value_leaves(c, d->a->value[d->a->n - 1]);
    } else {
        y_bar = NEWN(c->arena, Node *, 1);
        y_bar[0] = g_fill(c->graph, d->y_leaf[0], 1);
    }
    diff_reverse(c->graph, d->ny, d->y_leaf, y_bar, d->nx, d->x, dx);
    put_back(d, d->nx, dx);
    y = value_of_leaves(c, t, d->y_leaf);
    x_bar = like_arguments(d, dx);
    return deriv_mode(d->f)->value ? pair(d, y, x_bar) : x_bar;
}

/* Leaves of the arguments that stand for tangents. */
static Node **tangents(Derivation *d)
{
    int n = d->f->nby;

    return values_leaves(d->c, n, d->a->value + d->a->n - n, &n);
}

static const Value *forward(Derivation *d)
{
    Check *c = d->c;
    Node **y_dot = NEWN(c->arena, Node *, d->ny + 1);
    const Type *t = value_ty(c, d->y);

    diff_forward(c->graph, d->ny, d->y_leaf, d->nx, d->x, tangents(d), y_dot);
    put_back(d, d->ny, y_dot);
    return pair(d, value_of_leaves(c, t, d->y_leaf),
                value_of_leaves(c, t, y_dot));
}

/* Matrices of derivatives. */

/* A struct with d's fields, whatever their types. */
static const StructDef *matrix_def(Check *c, const StructDef *of)
{
    StructDef *d = (StructDef *)(uintptr_t)of, *m = d->matrix;
    StructItem *item;

    if (m)
        return m;
    item = arena_copy(c->arena, d->item, sizeof *item);
    item->name = arena_printf(c->arena, "%s_matrix", item->name);
    m = arena_copy(c->arena, d, sizeof *d);
    m->item = item;
    m->is_matrix = true;
    d->matrix = m;
    return m;
}

/* rows, with values of type `of` in the place of its elements. */
static const Type *matrix_type(Check *c, const Type *rows, const Type *of)
{
    const Type **part, *t = of;

    if (rows->kind == TY_tensor) {
        for (int i = rows->rank - 1; i >= 0; i--)
            t = type_along(c, t, rows->dim[i]);
        return t;
    }
    part = NEWN(c->arena, const Type *, rows->npart + 1);
    for (int i = 0; i < rows->npart; i++)
        part[i] = matrix_type(c, rows->part[i], of);
    if (rows->kind == TY_stack)
        return type_along(c, part[0], rows->count);
    if (rows->kind == TY_tuple)
        return type_tuple(c->arena, rows->npart, part);
    return type_of_struct(c, matrix_def(c, rows->def), rows->arg, part);
}

/* Of the elements of some nodes: how many. */
static const Dim *elements(Graph *g, int n, Node *const *x)
{
    const Dim *sum = dim_const(g, 0), *size;

    for (int i = 0; i < n; i++) {
        size = dim_const(g, 1);
        for (int k = 0; k < x[i]->rank; k++)
            size = dim_mul(g, size, x[i]->dim[k]);
        sum = dim_add(g, sum, size);
    }
    return sum;
}

static bool matrix_possible(Derivation *d, int n, Node *const *row)
{
    int most_row = 0, most = 0;
    Check *c = d->c;

    for (int i = 0; i < n; i++)
        most_row = row[i]->rank > most_row ? row[i]->rank : most_row;
    for (int i = 0; i < d->nx; i++)
        most = d->x[i]->rank > most ? d->x[i]->rank : most;
    if (most_row + most > MAX_RANK)
        check_fail(c, d->a->at, "rank",
                   "this derivative would have %d dimensions; at most %d are "
                   "possible",
                   most_row + most, MAX_RANK);
    else if ((double)n * d->nx > MAX_TYPE_LEAVES)
        check_fail(c, d->a->at, "too-large",
                   "this derivative would hold more than %d tensors",
                   MAX_TYPE_LEAVES);
    else
        return true;
    return false;
}

/* 1 at the element that the index says, 0 elsewhere; makes the index, scalar
 * parameters for the axes of `like`. */
static Node *unit(Graph *g, const Node *like, Node **index)
{
    Node *e = g_const(g, like->dtype, 1), *one, *i, *k;
    int axis[MAX_RANK];

    for (int a = 0; a < like->rank; a++) {
        for (int b = 0; b < like->rank; b++)
            axis[b] = b == a ? 0 : -1;
        index[a] = g_param(g, DT_i32, 0, NULL, "i");
        k = g_iota(g, DT_i32, like->dim[a]);
        i = g_broadcast_to(g, index[a], 1, &like->dim[a]);
        one = g_broadcast_to(g, g_const(g, like->dtype, 1), 1, &like->dim[a]);
        one = g_where(g, g2(g, OP_eq, i, k), one, g_fill(g, one, 0));
        one = g_broadcast(g, one, like->rank, like->dim, axis);
        e = a ? g2(g, OP_mul, e, one) : one;
    }
    return e;
}

/* The roots for all values of the index: axes of `like` come first. False after
 * a message. */
static bool batch_units(Derivation *d, const Node *like, Node *const *index,
                        int n, Node **root)
{
    Graph *g = d->c->graph;

    if (like->rank &&
        index_greatest_rank(d->c, index[0], n, root) + like->rank > MAX_RANK)
        return check_refuse(
            d->c, d->a->at, "rank",
            "computing this derivative takes tensors of more than %d "
            "dimensions",
            MAX_RANK);
    for (int a = like->rank - 1; a >= 0; a--) {
        Node *all = g_iota(g, DT_i32, like->dim[a]);

        graph_batch(g, like->dim[a], 1, &index[a], &all, n, root);
    }
    return true;
}

/* y's axes after `first` axes of x's to before them. */
static Node *to_front(Graph *g, Node *n, int first)
{
    int perm[MAX_RANK];

    for (int i = 0; i < n->rank; i++)
        perm[i] = (i + first) % n->rank;
    return n->rank ? g_permute(g, n, perm) : n;
}

/* to[i * nx + j] is the derivative of y[i] by x[j], of both their axes: y[i]'s
 * elements one by one in reverse mode, or x[j]'s in forward mode. */
static bool matrix_by_rows(Derivation *d, int ny, Node *const *y, Node **to)
{
    Graph *g = d->c->graph;
    Node *index[MAX_RANK], *seed;

    for (int i = 0; i < ny; i++) {
        seed = unit(g, y[i], index);
        diff_reverse(g, 1, &y[i], &seed, d->nx, d->x, to + i * d->nx);
        if (!batch_units(d, y[i], index, d->nx, to + i * d->nx))
            return false;
    }
    return true;
}

static bool matrix_by_columns(Derivation *d, int ny, Node *const *y, Node **to)
{
    Graph *g = d->c->graph;
    Node *index[MAX_RANK], **column = NEWN(d->c->arena, Node *, ny + 1);
    Node **seed = NEWN(d->c->arena, Node *, d->nx + 1);

    for (int j = 0; j < d->nx; j++) {
        for (int k = 0; k < d->nx; k++)
            seed[k] = k == j ? unit(g, d->x[j], index) : g_fill(g, d->x[k], 0);
        diff_forward(g, ny, y, d->nx, d->x, seed, column);
        if (!batch_units(d, d->x[j], index, ny, column))
            return false;
        for (int i = 0; i < ny; i++)
            to[i * d->nx + j] = to_front(g, column[i], d->x[j]->rank);
    }
    return true;
}

/* The part of a matrix that is of rows first … first+n-1, by the parameter
 * number k: its leaves, row by row. */
static const Value *matrix_part(Derivation *d, const Type *rows, int first,
                                int n, int k, Node *const *m)
{
    Check *c = d->c;
    const Type *x = value_ty(c, d->by[k]);
    Node **leaf = NEWN(c->arena, Node *, (size_t)n * (size_t)x->nleaf + 1);
    int column = 0, at = 0;

    for (int i = 0; i < k; i++)
        column += d->by[i]->nleaf;
    for (int i = first; i < first + n; i++)
        for (int j = column; j < column + x->nleaf; j++)
            leaf[at++] = m[i * d->nx + j];
    return value_of_leaves(c, matrix_type(c, rows, x), leaf);
}

/* A row of parts, one for each parameter. */
static const Value *matrix_row(Derivation *d, const Type *rows, int first,
                               int n, Node *const *m)
{
    const Value **part = NEWN(d->c->arena, const Value *, d->f->nby);

    for (int k = 0; k < d->f->nby; k++)
        part[k] = matrix_part(d, rows, first, n, k, m);
    return value_of_parts(d->c, d->a->at, d->f->nby, part);
}

/* Which of two sizes is the smaller: one that does not grow with the data is,
 * of two others what is known of their difference tells. */
typedef enum Smaller { FIRST_SMALLER, SECOND_SMALLER, RUN_TELLS } Smaller;

static Smaller smaller(Check *c, const Dim *a, const Dim *b)
{
    Graph *g = c->graph;
    int64_t value;
    bool a_known = dim_const_value(a, &value);
    bool b_known = dim_const_value(b, &value);

    if (dim_never_negative(dim_sub(g, a, b)))
        return SECOND_SMALLER;
    if (dim_never_negative(dim_sub(g, b, a)))
        return FIRST_SMALLER;
    if (a_known != b_known)
        return a_known ? FIRST_SMALLER : SECOND_SMALLER;
    return RUN_TELLS;
}

/* Both ways under a lazy `if` on the sizes. */
static bool matrix_by_fewer(Derivation *d, const Dim *rows, const Dim *columns,
                            Node **to)
{
    Graph *g = d->c->graph;
    int n = d->ny * d->nx;
    Node **other = NEWN(d->c->arena, Node *, n + 1);
    Node *fewer =
        g2(g, OP_lt, g_dim(g, DT_i64, rows), g_dim(g, DT_i64, columns));

    if (!matrix_by_rows(d, d->ny, d->y_leaf, to) ||
        !matrix_by_columns(d, d->ny, d->y_leaf, other))
        return false;
    for (int i = 0; i < n; i++)
        to[i] = g_if(g, fewer, to[i], other[i]);
    return true;
}

static bool matrix(Derivation *d, Node **to)
{
    Graph *g = d->c->graph;
    const Dim *rows = elements(g, d->ny, d->y_leaf);
    const Dim *columns = elements(g, d->nx, d->x);

    switch (smaller(d->c, rows, columns)) {
    case FIRST_SMALLER:
        return matrix_by_rows(d, d->ny, d->y_leaf, to);
    case SECOND_SMALLER:
        return matrix_by_columns(d, d->ny, d->y_leaf, to);
    case RUN_TELLS:
        break;
    }
    return matrix_by_fewer(d, rows, columns, to);
}

static const Value *jacobian(Derivation *d)
{
    Check *c = d->c;
    int n = d->ny * d->nx;
    Node **m = NEWN(c->arena, Node *, n + 1);

    if (!matrix_possible(d, d->ny, d->y_leaf) || !matrix(d, m))
        return c->error;
    put_back(d, n, m);
    return matrix_row(d, value_ty(c, d->y), 0, d->ny, m);
}

static Node **gradient(Derivation *d)
{
    Node **dx = NEWN(d->c->arena, Node *, d->nx + 1);
    Node *one = g_fill(d->c->graph, d->y_leaf[0], 1);

    diff_reverse(d->c->graph, 1, d->y_leaf, &one, d->nx, d->x, dx);
    return dx;
}

/* The gradient's matrix: with several parameters, a row for each. */
static const Value *hessian(Derivation *d)
{
    Check *c = d->c;
    int n = d->nx * d->nx, first = 0;
    Node **m = NEWN(c->arena, Node *, n + 1);
    const Value **row = NEWN(c->arena, const Value *, d->f->nby);

    if (!matrix_possible(d, d->nx, d->x))
        return c->error;
    if (!matrix_by_columns(d, d->nx, gradient(d), m))
        return c->error;
    put_back(d, n, m);
    for (int k = 0; k < d->f->nby; k++) {
        const Value *x = d->by[k];

        row[k] = matrix_row(d, value_ty(c, x), first, x->nleaf, m);
        first += x->nleaf;
    }
    return value_of_parts(c, d->a->at, d->f->nby, row);
}

/* The gradient's tangent. */
static const Value *hessian_vector(Derivation *d)
{
    Node **v = tangents(d), **to = NEWN(d->c->arena, Node *, d->nx + 1);

    diff_forward(d->c->graph, d->nx, gradient(d), d->nx, d->x, v, to);
    put_back(d, d->nx, to);
    return like_arguments(d, to);
}

/* Where derivatives are differentiated again and again. */
static bool has_room(Derivation *d)
{
    Check *c = d->c;

    if (graph_count(c->graph) <= check_most_nodes(c) / 4)
        return true;
    check_fail(c, d->a->at, "too-large",
               "this program expands to too many operations\n"
               "a derivative has up to four times the operations of what is "
               "differentiated");
    c->over = true;
    return false;
}

static bool result_fits(Derivation *d)
{
    Check *c = d->c;

    if (!has_room(d))
        return false;
    if (deriv_mode(d->f)->scalar &&
        (!value_is_scalar(d->y) || !dtype_is_real(d->y->node->dtype))) {
        check_fail(c, d->a->at, "derivative",
                   "'%s' needs a function whose result is a real scalar\n"
                   "the result of '%s' is %s",
                   deriv_mode(d->f)->name, fn_name(c, d->f->of),
                   value_text(c, d->y));
        check_note(c, fn_span(d->f->of), "'%s' is declared here",
                   fn_name(c, d->f->of));
        return false;
    }
    return value_all_real(
        c, d->y, d->a->at,
        arena_printf(c->arena, "the result of '%s'", fn_name(c, d->f->of)));
}

static const Value *(*const derive[NDERIVS])(Derivation *d) = {
    [DERIV_grad] = reverse,       [DERIV_value_and_grad] = reverse,
    [DERIV_jvp] = forward,        [DERIV_vjp] = reverse,
    [DERIV_jacobian] = jacobian,  [DERIV_hessian] = hessian,
    [DERIV_hvp] = hessian_vector,
};

const Value *fn_apply_derivative(Check *c, const Fn *f, Arguments *a)
{
    Derivation d = {.c = c, .f = f, .a = a};
    Arguments inner;

    if (!coerce_derivative(c, f, a))
        return c->error;
    inner = args_copy(c, a, fn_nparam(f->of));
    d.direct = distinct_inputs(c, f, a);
    if (!stand_ins(&d, &inner))
        return c->error;
    d.y = value_settle(c, a->at, fn_apply(c, f->of, &inner));
    if (value_is_error(d.y) || !result_fits(&d))
        return c->error;
    d.y_leaf = value_leaves(c, d.y);
    d.ny = d.y->nleaf;
    return derive[f->mode](&d);
}
