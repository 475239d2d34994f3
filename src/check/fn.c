/* fn.c: functions as values: what they are, their names and parameters, and
 * what is known of a function's text. */
#include "check/builtin.h"
#include "check/scope.h"

#include <string.h>

/* One for each function in the text. */
static FnInfo *info_of(Check *c, const FnItem *f)
{
    Map *all = check_own(c, OWN_fn, sizeof *all);
    FnParam *param;
    FnInfo *info = map_of(all, f);

    if (info)
        return info;
    param = NEWN(c->arena, FnParam, f->nparam + 1);
    for (int i = 0; i < f->nparam; i++)
        param[i] = (FnParam){f->param[i].name, f->param[i].span,
                             f->param[i].init != NULL};
    info = NEW(c->arena, FnInfo);
    info->item = f;
    info->name = f->name ? f->name : "fn";
    info->param = param;
    map_set(c->arena, all, f, info);
    return info;
}

const Fn *fn_item(Check *c, const FnItem *item, const Scope *s, int limit)
{
    Fn *f = NEW(c->arena, Fn);
    FnInfo *info = info_of(c, item);

    *f = (Fn){.kind = FK_item,
              .param = info->param,
              .nparam = item->nparam,
              .info = info,
              .scope = s,
              .limit = limit};
    return f;
}

const Fn *fn_remat(Check *c, const Fn *of)
{
    Fn *f = NEW(c->arena, Fn);

    *f = (Fn){
        .kind = FK_remat, .param = of->param, .nparam = of->nparam, .of = of};
    return f;
}

/* With a tangent for each parameter, or an adjoint. */
const Fn *fn_derivative(Check *c, DerivKind mode, const Fn *of, int nby,
                        const int *by)
{
    int more =
        deriv_modes[mode].tangent ? nby : deriv_modes[mode].adjoint != NULL;
    FnParam *param = NEWN(c->arena, FnParam, of->nparam + more + 1);
    Fn *f = NEW(c->arena, Fn);

    if (of->nparam > 0)
        memcpy(param, of->param, sizeof *param * (size_t)of->nparam);
    *f = (Fn){.kind = FK_derivative,
              .param = param,
              .nparam = of->nparam + more,
              .mode = mode,
              .of = of,
              .by = by,
              .nby = nby};
    for (int i = 0; i < more; i++)
        param[of->nparam + i].name = deriv_param_name(c, f, i);
    return f;
}

/* Parameters of any function. */

int fn_param_named(const Fn *f, const char *name)
{
    int n = f->nparam;

    for (int i = 0; i < n; i++)
        if (f->param[i].name == name)
            return i;
    return -1;
}

const char *fn_param_near(Check *c, const Fn *f, const char *name)
{
    int n = f->nparam;
    const char **all = NEWN(c->arena, const char *, n + 1);

    for (int i = 0; i < n; i++)
        all[i] = f->param[i].name;
    return name_suggestion(c, name, all, n);
}

bool fn_takes(const Fn *f, int n)
{
    int least = 0, most = f->nparam;

    for (int i = 0; i < most; i++)
        least += !f->param[i].optional;
    return n >= least && n <= most;
}

const char *fn_name(Check *c, const Fn *f)
{
    Str s = str_new(c->arena);

    if (f->kind == FK_item)
        return f->info->name;
    if (f->kind == FK_builtin)
        return f->builtin->name;
    str_printf(&s, "%s(%s", f->kind == FK_remat ? "remat" : deriv_mode(f)->name,
               fn_name(c, f->of));
    for (int i = 0; i < f->nby; i++)
        str_printf(&s, ", %s", f->of->param[f->by[i]].name);
    str_printf(&s, ")");
    return s.at;
}

Span fn_span(const Fn *f)
{
    if (f->kind == FK_item)
        return f->info->item->name ? f->info->item->name_span
                                   : f->info->item->span;
    return f->kind != FK_builtin ? fn_span(f->of) : (Span){0, 0};
}

const Value *fn_declared(Check *c, const Fn *f)
{
    return check_note(c, fn_span(f), "'%s' is declared here", fn_name(c, f));
}

const Value *fn_param_declared(Check *c, const Fn *f, int i)
{
    return check_note(c, f->param[i].span, "'%s' is declared here",
                      f->param[i].name);
}

Span fn_result_span(const Fn *f)
{
    const Expr *body = f->info->item->body;

    return body->kind == EX_block ? body->block->value->span : body->span;
}

/* Which are one. */

uint64_t fn_hash(const Fn *f)
{
    uint64_t h = hash_mix(HASH_SEED, f->kind);

    if (f->kind == FK_item)
        return hash_mix(hash_pointer(hash_pointer(h, f->info), f->scope),
                        (uint64_t)f->limit);
    if (f->kind == FK_builtin)
        return hash_pointer(h, f->builtin);
    return hash_mix(hash_mix(h, f->mode), fn_hash(f->of));
}

bool fn_same_text(const Fn *a, const Fn *b)
{
    if (a == b || a->kind != b->kind)
        return a == b;
    if (a->kind == FK_item)
        return a->info == b->info;
    if (a->kind == FK_builtin)
        return a->builtin == b->builtin;
    return a->mode == b->mode && fn_same_text(a->of, b->of);
}

bool fn_equal(const Fn *a, const Fn *b)
{
    if (a == b || !fn_same_text(a, b))
        return a == b;
    if (a->kind == FK_item)
        return a->scope == b->scope && a->limit == b->limit;
    return a->kind == FK_builtin ||
           (a->nby == b->nby && fn_equal(a->of, b->of) &&
            memcmp(a->by, b->by, sizeof *a->by * (size_t)a->nby) == 0);
}

/* Which names in a signature are its dimension variables. */

typedef struct Scan {
    Check *c;
    const Fn *f;
    FnInfo *info;
    LIST(const char *) name;
    LIST(Span) span;
} Scan;

static bool own_name(const FnItem *f, const char *name)
{
    for (int i = 0; i < f->nparam; i++)
        if (f->param[i].name == name)
            return true;
    for (int i = 0; i < f->ntype_param; i++)
        if (f->type_param[i].name == name)
            return true;
    return false;
}

/* A name in a shape that is no constant from outside is a variable. */
static bool is_variable(Scan *s, const Expr *e)
{
    const Scope *k = s->f->scope;
    int limit = s->f->limit;
    const Entry *entry;
    bool clash;

    if (own_name(s->info->item, e->name))
        return false;
    for (; k; limit = k->up_limit, k = k->up)
        if (scope_find(k, limit, e->name))
            return false;
    entry = unit_find(s->c, s->f->scope->unit, e->name, e->span, &clash);
    return !clash && (!entry || entry->kind != EN_const);
}

static void scan_dim(Scan *s, const Expr *e)
{
    while (e->kind == EX_binary) {
        scan_dim(s, e->binary.right);
        e = e->binary.left;
    }
    if (e->kind != EX_name || !is_variable(s, e))
        return;
    for (int i = 0; i < s->name.n; i++)
        if (s->name.at[i] == e->name)
            return;
    list_push(s->c->arena, &s->name, e->name);
    list_push(s->c->arena, &s->span, e->span);
}

static void scan_param(Scan *s, const TypeEx *t)
{
    StructDef *d;
    DType dtype;

    if (!t || t->kind == TE_fn) {
        s->info->generic = true;
        return;
    }
    s->info->leading |= t->leading;
    for (int i = 0; i < t->npart; i++)
        scan_param(s, t->part[i]);
    d = t->kind == TE_name && !dtype_of_name(s->c, t->name, &dtype)
            ? struct_of_type(s->c, s->f->scope, t)
            : NULL;
    if (d && !struct_ready(s->c, d))
        return;
    for (int i = 0; i < t->narg; i++) {
        if (d && i < d->item->nparam && d->is_type[i])
            scan_param(s, type_of_expr(s->c, t->arg[i]));
        else
            scan_dim(s, t->arg[i]);
    }
}

static void check_param_names(Check *c, const FnItem *f)
{
    for (int i = 0; i < f->nparam; i++)
        for (int k = 0; k < i && i < MAX_PARAMS; k++)
            if (f->param[i].name == f->param[k].name)
                check_fail(c, f->param[i].span, "duplicate",
                           "two parameters are called '%s'", f->param[i].name);
    if (f->nparam > MAX_PARAMS)
        check_fail(c, f->span, "too-large", "more than %d parameters",
                   MAX_PARAMS);
}

void fn_scan(Check *c, const Fn *f)
{
    FnInfo *info = f->info;
    Scan s = {.c = c, .f = f, .info = info};

    if (info->scanned)
        return;
    info->scanned = true;
    check_param_names(c, info->item);
    info->generic = info->item->ntype_param > 0;
    info->sized = NEWN(c->arena, bool, info->item->nparam + 1);
    for (int i = 0; i < info->item->nparam; i++)
        scan_param(&s, info->item->param[i].type);
    info->var = s.name.at;
    info->var_span = s.span.at;
    info->nvar = s.name.n;
    info->unknown = NEWN(c->arena, const Dim *, info->nvar + 1);
    for (int i = 0; i < info->nvar; i++)
        info->unknown[i] = dim_var(c->graph, info->var[i]);
}
