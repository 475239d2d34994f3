/* bind.c: arguments to parameters: what the variables of a signature are. */
#include "check/scope.h"

#include <string.h>

/* Matching. */

typedef struct Equation {
    const Expr *pattern;
    const Dim *is;
    int param;
    bool solved;
} Equation;

typedef struct Bind {
    Check *c;
    const Fn *f;
    const FnInfo *info;
    Scope *s; /* of the call; type parameters and `..` are bound in it */
    Arguments *a;
    const Dim **var; /* NULL: not yet known */
    int *from;       /* the parameter that told */
    int leading_from;
    LIST(Equation) equation;
    const Scope *patterns; /* unknowns and int parameters, made when needed */
    bool reported;
} Bind;

static const char *written_text(Check *c, const TypeEx *t)
{
    Str s = str_new(c->arena);

    type_print(t, &s);
    return s.at ? s.at : "";
}

/* Once for a call: the rest would follow from the first. */
static bool misfit(Bind *b, int i, const Value *v, const char *why)
{
    const ParamEx *p = &b->info->item->param[i];
    Check *c = b->c;

    if (b->reported)
        return false;
    b->reported = true;
    check_fail(c, b->a->span[i], "argument", "'%s' cannot take this as '%s'",
               b->info->name, p->name);
    check_is(c, b->a->span[i], v);
    if (p->type)
        check_detail(c, "'%s' is declared as %s", p->name,
                     written_text(c, p->type));
    if (why)
        check_detail(c, "%s", why);
    check_declared(c, b->a->scope, b->a->expr[i]);
    check_note(c, p->span, "'%s' of '%s' is declared here", p->name,
               b->info->name);
    return false;
}

static int var_index(const FnInfo *info, const char *name)
{
    for (int i = 0; i < info->nvar; i++)
        if (info->var[i] == name)
            return i;
    return -1;
}

static bool dim_misfit(Bind *b, int i, int var, const Dim *is)
{
    Check *c = b->c;

    return misfit(b, i, b->a->value[i],
                  arena_printf(c->arena, "'%s' is %s from '%s', but %s here",
                               b->info->var[var],
                               dim_text(c->graph, b->var[var]),
                               b->info->item->param[b->from[var]].name,
                               dim_text(c->graph, is)));
}

static bool match_dim(Bind *b, int i, const Expr *e, const Dim *is)
{
    Equation q = {e, is, i, false};
    int v = e->kind == EX_name ? var_index(b->info, e->name) : -1;

    if (v < 0) {
        list_push(b->c->arena, &b->equation, q);
        return true;
    }
    if (!b->var[v]) {
        b->var[v] = is;
        b->from[v] = i;
        return true;
    }
    return b->var[v] == is || dim_misfit(b, i, v, is);
}

static bool match_leading(Bind *b, int i, int n, const Dim *const *dim)
{
    Scope *s = b->s;
    Check *c = b->c;

    if (b->leading_from < 0) {
        b->leading_from = i;
        s->has_leading = true;
        s->nleading = n;
        s->leading = arena_copy(c->arena, dim, sizeof *dim * (size_t)n);
        return true;
    }
    if (s->nleading == n) {
        int same = 0;

        while (same < n && s->leading[same] == dim[same])
            same++;
        if (same == n)
            return true;
    }
    return misfit(b, i, b->a->value[i],
                  arena_printf(c->arena, "'..' is %s from '%s', but %s here",
                               dims_text(c->arena, s->nleading, s->leading),
                               b->info->item->param[b->leading_from].name,
                               dims_text(c->arena, n, dim)));
}

static bool match_tensor(Bind *b, int i, const TypeEx *t, const Type *is)
{
    int lead = is->rank - t->narg;

    if (lead < 0 || (lead > 0 && !t->leading))
        return misfit(b, i, b->a->value[i], NULL);
    if (t->leading && !match_leading(b, i, lead, is->dim))
        return false;
    for (int k = 0; k < t->narg; k++)
        if (!match_dim(b, i, t->arg[k], is->dim[lead + k]))
            return false;
    return true;
}

static bool match_ty(Bind *b, int i, const TypeEx *t, const Type *is);

static bool match_struct(Bind *b, int i, const TypeEx *t, StructDef *d,
                         const Type *is)
{
    const TypeEx *type;

    if (is->kind != TY_struct || is->def != d)
        return misfit(b, i, b->a->value[i], NULL);
    if (t->narg != d->item->nparam) {
        b->reported = true;
        type_eval(b->c, b->f->scope, t); /* tells what is wrong with it */
        return false;
    }
    for (int k = 0; k < t->narg; k++) {
        if (!d->is_type[k]) {
            if (!match_dim(b, i, t->arg[k], is->arg[k].dim))
                return false;
            continue;
        }
        type = type_of_expr(b->c, t->arg[k]);
        if (!type || !match_ty(b, i, type, is->arg[k].type))
            return false;
    }
    return true;
}

/* The type parameter that t is, or NULL. */
static const TypeParam *type_param_of(const FnItem *f, const TypeEx *t)
{
    for (int i = 0; i < f->ntype_param && !t->module; i++)
        if (f->type_param[i].name == t->name)
            return &f->type_param[i];
    return NULL;
}

static bool match_type_param(Bind *b, int i, const TypeEx *t, const Type *is)
{
    const Binding *bound = scope_find(b->s, INT32_MAX, t->name);

    if (type_param_of(b->info->item, t)->real && !type_all_real(b->c, is))
        return misfit(b, i, b->a->value[i],
                      arena_printf(b->c->arena, "'%s' is of reals only%s",
                                   t->name,
                                   is->kind == TY_tensor && is->dtype != DT_key
                                       ? "; write real(…) to convert"
                                       : ""));
    if (!bound) {
        scope_bind(b->c, b->s, t->name, t->span, NULL)->ty = is;
        return true;
    }
    if (type_equal(bound->ty, is))
        return true;
    return misfit(b, i, b->a->value[i],
                  arena_printf(b->c->arena, "'%s' is %s already", t->name,
                               type_text(b->c, bound->ty)));
}

static bool match_name(Bind *b, int i, const TypeEx *t, const Type *is)
{
    Check *c = b->c;
    StructDef *d;
    DType dtype;

    if (type_param_of(b->info->item, t))
        return match_type_param(b, i, t, is);
    if (!t->module && dtype_of_name(c, t->name, &dtype)) {
        if (is->kind != TY_tensor || is->dtype != dtype)
            return misfit(b, i, b->a->value[i], NULL);
        return match_tensor(b, i, t, is);
    }
    d = struct_of_type(c, b->f->scope, t);
    if (!d || !struct_ready(c, d)) {
        const Type *type = type_eval(c, b->f->scope, t);

        if (type && type_equal(type, is)) /* a type parameter from outside */
            return true;
        b->reported |= !type;
        return misfit(b, i, b->a->value[i], NULL);
    }
    return match_struct(b, i, t, d, is);
}

static bool match_stack(Bind *b, int i, const TypeEx *t, const Type *is)
{
    if (is->kind == TY_stack)
        return match_dim(b, i, t->arg[0], is->count) &&
               match_ty(b, i, t->part[0], is->part[0]);
    if (is->kind != TY_tensor || is->rank == 0)
        return misfit(b, i, b->a->value[i], NULL);
    return match_dim(b, i, t->arg[0], is->dim[0]) &&
           match_ty(
               b, i, t->part[0],
               type_tensor(b->c->arena, is->dtype, is->rank - 1, is->dim + 1));
}

static bool match_ty(Bind *b, int i, const TypeEx *t, const Type *is)
{
    switch (t->kind) {
    case TE_name:
        return match_name(b, i, t, is);
    case TE_stack:
        return match_stack(b, i, t, is);
    case TE_tuple:
        if (is->kind != TY_tuple || is->npart != t->npart)
            break;
        for (int k = 0; k < t->npart; k++)
            if (!match_ty(b, i, t->part[k], is->part[k]))
                return false;
        return true;
    case TE_fn:
        break;
    }
    return misfit(b, i, b->a->value[i], NULL);
}

static const Value *match_fn(Bind *b, int i, const TypeEx *t, const Value *v)
{
    int most;

    if (v->kind != V_fn) {
        misfit(b, i, v, NULL);
        return NULL;
    }
    if (fn_takes(v->fn, t->npart))
        return v;
    most = v->fn->nparam;
    misfit(b, i, v,
           arena_printf(b->c->arena, "it takes %d parameter%s", most,
                        most == 1 ? "" : "s"));
    return NULL;
}

static const TypeParam *names_type_param(const Bind *b, const TypeEx *t)
{
    return t && t->kind == TE_name ? type_param_of(b->info->item, t) : NULL;
}

/* The dtype that a literal is to take; without one it settles by itself. */
static const Value *match_literal(Bind *b, int i, const TypeEx *t,
                                  const Value *v)
{
    const TypeParam *own = names_type_param(b, t);
    const Binding *bound;
    DType dtype;
    Node *n = NULL;

    if (t->kind == TE_stack)
        return match_literal(b, i, t->part[0], v);
    if (own) {
        bound = scope_find(b->s, INT32_MAX, t->name);
        if (bound && bound->ty->kind == TY_tensor)
            n = value_adapt(b->c, v, bound->ty->dtype);
        else if (!bound && own->real)
            n = value_adapt(b->c, v, b->c->real);
    } else if (t->kind == TE_name && !t->module &&
               dtype_of_name(b->c, t->name, &dtype)) {
        n = value_adapt(b->c, v, dtype);
    }
    if (n)
        return value_tensor(b->c, n);
    return value_settle(b->c, b->a->span[i], v);
}

/* In what is given for a [T: real] literals are reals. */
static const Value *as_real(Check *c, Span at, const Value *v, const Value *w)
{
    (void)at;
    (void)w;
    return value_as_real(c, v);
}

static const Value *match_value(Bind *b, int i, const TypeEx *t, const Value *v)
{
    const TypeParam *own = names_type_param(b, t);
    const Value **part;

    if (value_is_error(v))
        return NULL;
    if (own && own->real && v->kind == V_tuple)
        v = value_map(b->c, b->a->span[i], v, NULL, as_real);
    if (t->kind == TE_fn)
        return match_fn(b, i, t, v);
    if (v->kind == V_fn) {
        misfit(b, i, v, NULL);
        return NULL;
    }
    if (t->kind == TE_tuple && v->kind == V_tuple && t->npart == v->npart) {
        part = NEWN(b->c->arena, const Value *, v->npart + 1);
        for (int k = 0; k < v->npart; k++) {
            part[k] = match_value(b, i, t->part[k], v->part[k]);
            if (!part[k])
                return NULL;
        }
        return value_tuple(b->c, b->a->span[i], v->npart, part);
    }
    if (value_is_literal(v))
        v = match_literal(b, i, t, v);
    if (value_is_error(v))
        return NULL;
    if (!value_ty(b->c, v)) {
        misfit(b, i, v, NULL);
        return NULL;
    }
    return match_ty(b, i, t, value_ty(b->c, v)) ? v : NULL;
}

/* Equations: compound dimensions, solved when one variable is unknown. */

static const Scope *patterns(Bind *b)
{
    Check *c = b->c;
    const FnItem *f = b->info->item;
    Scope *s;

    if (b->patterns)
        return b->patterns;
    s = scope_new(c, b->f->scope, b->f->limit, b->f->scope->unit);
    for (int i = 0; i < b->info->nvar; i++)
        scope_bind(c, s, b->info->var[i], b->info->var_span[i],
                   value_dim(c, b->info->unknown[i]));
    for (int i = 0; i < f->nparam; i++) {
        const Value *v = b->a->value[i];

        if (!v && f->param[i].init)
            v = eval(c, s, f->param[i].init);
        if (v)
            scope_bind(c, s, f->param[i].name, f->param[i].span, v);
    }
    b->patterns = s;
    return s;
}

static bool equation_misfit(Bind *b, const Equation *q, const Dim *pattern)
{
    Check *c = b->c;
    Str s = str_new(c->arena);

    expr_print(q->pattern, &s);
    if (q->pattern->kind == EX_int)
        return misfit(b, q->param, b->a->value[q->param],
                      arena_printf(c->arena, "%s is wanted, but this is %s",
                                   s.at, dim_text(c->graph, q->is)));
    return misfit(b, q->param, b->a->value[q->param],
                  arena_printf(c->arena, "%s is %s, but %s here", s.at,
                               dim_text(c->graph, pattern),
                               dim_text(c->graph, q->is)));
}

/* True where the equation is settled, for better or worse. */
static bool solve(Bind *b, Equation *q, bool *good)
{
    Check *c = b->c;
    const Dim *d = dim_of_expr(c, patterns(b), q->pattern);
    const Dim *slope, *rest, *value;
    int unknown = -1, n = 0;
    int64_t number;

    *good = d != NULL;
    if (!d) {
        b->reported = true;
        return true;
    }
    for (int i = 0; i < b->info->nvar; i++) {
        const Dim *var = b->info->unknown[i];

        if (b->var[i]) {
            d = dim_subst(c->graph, d, 1, &var, &b->var[i]);
        } else if (dim_uses(d, var)) {
            unknown = i;
            n++;
        }
    }
    if (n > 1)
        return false;
    if (n == 0) {
        *good = d == q->is || equation_misfit(b, q, d);
        return true;
    }
    if (!dim_linear_in(c->graph, d, b->info->unknown[unknown], &slope, &rest))
        return false;
    value = dim_exact(c->graph, dim_sub(c->graph, q->is, rest), slope);
    if (!value) {
        *good =
            misfit(b, q->param, b->a->value[q->param],
                   arena_printf(c->arena, "no whole '%s' makes %s equal to %s",
                                b->info->var[unknown], dim_text(c->graph, d),
                                dim_text(c->graph, q->is)));
        return true;
    }
    if (dim_const_value(value, &number) && number < 0) {
        *good = misfit(b, q->param, b->a->value[q->param],
                       arena_printf(c->arena, "'%s' would be %lld for %s",
                                    b->info->var[unknown], (long long)number,
                                    dim_text(c->graph, q->is)));
        return true;
    }
    b->var[unknown] = value;
    b->from[unknown] = q->param;
    return true;
}

static bool solve_all(Bind *b)
{
    bool progress = true, good;

    while (progress) {
        progress = false;
        for (int i = 0; i < b->equation.n; i++) {
            Equation *q = &b->equation.at[i];

            if (q->solved || !solve(b, q, &good))
                continue;
            if (!good)
                return false;
            q->solved = progress = true;
        }
    }
    for (int i = 0; i < b->info->nvar; i++) {
        if (b->var[i])
            continue;
        check_fail(b->c, b->a->at, "unsolved",
                   "these arguments of '%s' do not tell what '%s' is",
                   b->info->name, b->info->var[i]);
        check_note(b->c, b->info->var_span[i], "'%s' is used here",
                   b->info->var[i]);
        return false;
    }
    return true;
}

static bool bind_defaults(Bind *b)
{
    const FnItem *f = b->info->item;
    Check *c = b->c;

    for (int i = 0; i < f->nparam; i++) {
        const ParamEx *p = &f->param[i];
        const Value *v = b->a->value[i];

        if (!v) {
            v = eval(c, b->s, p->init);
            b->a->span[i] = p->init->span;
            b->a->expr[i] = NULL;
            b->a->value[i] = v;
            if (p->type)
                v = match_value(b, i, p->type, v);
            if (!v || !solve_all(b))
                return false;
        }
        b->a->value[i] = v;
        scope_bind(c, b->s, p->name, p->span, v);
    }
    return true;
}

/* When to match: a literal for a T takes the type that another argument gives
 * T; of literals, 2.5 comes before 2. */
enum { MATCH_ROUNDS = 3 };
static int match_round(const Bind *b, int i)
{
    const Value *v = b->a->value[i];

    if (!v || v->kind != V_tensor ||
        !names_type_param(b, b->info->item->param[i].type))
        return 0;
    return v->literal == LIT_no ? 0 : v->literal == LIT_real ? 1 : 2;
}

static bool match_argument(Bind *b, int i)
{
    const TypeEx *t = b->info->item->param[i].type;
    const Value *v = b->a->value[i];

    if (!v || !t || value_is_error(v))
        return !v || !value_is_error(v);
    v = match_value(b, i, t, v);
    if (v)
        b->a->value[i] = v;
    return v != NULL;
}

static bool match_all(Bind *b)
{
    int n = b->info->item->nparam;
    bool good = true;

    for (int round = 0; round < MATCH_ROUNDS; round++)
        for (int i = 0; i < n && !b->reported; i++)
            if (match_round(b, i) == round)
                good = match_argument(b, i) && good;
    return good && !b->reported && solve_all(b);
}

bool bind_arguments(Check *c, const Fn *f, Scope *s, Arguments *args)
{
    Bind b = {
        .c = c, .f = f, .info = f->info, .s = s, .a = args, .leading_from = -1};

    fn_scan(c, f);
    b.var = NEWN(c->arena, const Dim *, b.info->nvar + 1);
    b.from = NEWN(c->arena, int, b.info->nvar + 1);
    if (!match_all(&b))
        return false;
    s->has_leading = b.info->leading;
    for (int i = 0; i < b.info->nvar; i++)
        scope_bind(c, s, b.info->var[i], b.info->var_span[i],
                   value_dim(c, b.var[i]));
    return bind_defaults(&b);
}

/* Parameters on new inputs. */

/* What stands for an int parameter where a function is checked on its own. */
typedef struct IntParam {
    const Dim *var;     /* or NULL: */
    const Value *value; /* its default */
    bool *sized;        /* set where it becomes a dimension */
} IntParam;

typedef struct Fresh {
    LIST(const char *) dim; /* of --dim, that occurred */
    LIST(IntParam) integer; /* of the functions being checked */
} Fresh;

static Fresh *own(Check *c) { return check_own(c, OWN_bind, sizeof(Fresh)); }

bool bind_used_dim(Check *c, const char *name)
{
    for (int i = 0; i < own(c)->dim.n; i++)
        if (strcmp(own(c)->dim.at[i], name) == 0)
            return true;
    return false;
}

int bind_ints(Check *c) { return own(c)->integer.n; }

void bind_ints_end(Check *c, int n) { own(c)->integer.n = n; }

bool bind_is_int(Check *c, const Dim *d)
{
    for (int i = 0; i < own(c)->integer.n; i++)
        if (dim_uses(d, own(c)->integer.at[i].var))
            return true;
    return false;
}

void bind_sized(Check *c, const Value *v, const Dim *d)
{
    for (int i = 0; i < own(c)->integer.n; i++) {
        const IntParam *p = &own(c)->integer.at[i];

        if (p->var ? dim_uses(d, p->var) : v == p->value)
            *p->sized = true;
    }
}

static const Dim *fresh_dim(Check *c, const char *name, bool fixed)
{
    for (int i = 0; fixed && i < c->options->ndim; i++) {
        if (strcmp(c->options->dim_name[i], name) == 0) {
            list_push(c->arena, &own(c)->dim, name);
            return dim_const(c->graph, c->options->dim_value[i]);
        }
    }
    return dim_var(c->graph, name);
}

/* An int of a function that is checked on its own: its default, or a dimension
 * that tells when it is used as one. */
static const Value *any_int(Check *c, const ParamEx *p, Scope *s, bool *sized)
{
    const Value *v = NULL;
    IntParam ip = {NULL, NULL, sized};

    if (p->init)
        v = value_fit(c, type_scalar(c->arena, DT_i32), eval(c, s, p->init));
    if (!v || value_is_error(v)) {
        ip.var = dim_var(c->graph, p->name);
        v = value_dim(c, ip.var);
    }
    ip.value = v;
    list_push(c->arena, &own(c)->integer, ip);
    return v;
}

static bool fresh_param(Check *c, const Fn *f, int i, Scope *s, bool export,
                        const Value **value)
{
    const ParamEx *p = &f->info->item->param[i];
    const Type *t = type_eval(c, s, p->type);

    if (!t)
        return false;
    if (!export && type_names_int(p->type))
        *value = any_int(c, p, s, &f->info->sized[i]);
    else if (type_names_int(p->type) && f->info->sized[i])
        *value = value_dim(c, fresh_dim(c, p->name, true));
    else
        *value = value_fresh(c, t, p->name);
    scope_bind(c, s, p->name, p->span, *value);
    return true;
}

static bool is_plain(const TypeEx *t)
{
    return t->kind == TE_name && !t->module && !t->leading && t->narg == 0;
}

bool type_names_int(const TypeEx *t)
{
    return is_plain(t) && strcmp(t->name, "int") == 0;
}

/* Scalars first: ints may stand in the types of the others. */
bool bind_fresh(Check *c, const Fn *f, Scope *s, bool export,
                const Value **value)
{
    const FnItem *item = f->info->item;
    const Dim *any;
    bool good = true;

    fn_scan(c, f);
    s->signature = item;
    if (f->info->leading) {
        any = dim_var(c->graph, "..");
        s->has_leading = true;
        s->nleading = 1;
        s->leading = arena_copy(c->arena, &any, sizeof any);
    }
    for (int i = 0; i < f->info->nvar; i++)
        scope_bind(c, s, f->info->var[i], f->info->var_span[i],
                   value_dim(c, fresh_dim(c, f->info->var[i], export)));
    for (int scalars = 1; scalars >= 0; scalars--)
        for (int i = 0; i < item->nparam; i++)
            if (is_plain(item->param[i].type) == (scalars == 1))
                good = fresh_param(c, f, i, s, export, &value[i]) && good;
    return good;
}
