/* sample.c: functions without types of their own, on types tried for them. */
#include "check/export.h"
#include "check/scope.h"

#include <ctype.h>
#include <string.h>

/* What all type parameters may be, the first that does. */
static const char *const tried[] = {"real", "real[_k]", "real[_k, _l]", "int"};
enum { TRIED = sizeof tried / sizeof *tried };

static bool in_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* text with the type parameters of f as `type`, and `..` as no dimensions. */
static void put_type(const FnItem *f, const char *text, const char *type,
                     Str *to)
{
    while (*text) {
        size_t n = 0;
        bool own = false;

        while (in_name(text[n]))
            n++;
        for (int i = 0; n > 0 && i < f->ntype_param; i++)
            own = own || (strlen(f->type_param[i].name) == n &&
                          strncmp(text, f->type_param[i].name, n) == 0);
        if (own)
            str_printf(to, "%s", type);
        else if (n > 0)
            str_printf(to, "%.*s", (int)n, text);
        else if (strncmp(text, "[..]", 4) == 0)
            n = 4;
        else if (strncmp(text, ".., ", 4) == 0)
            n = 4;
        else
            str_printf(to, "%c", *text);
        text += n ? n : 1;
    }
}

/* fn(x: real[_k], by: real) = f(x, by): what has a default is left out. */
static const char *wrapper(Check *c, const FnItem *f, const char *type)
{
    Str s = str_new(c->arena), args = str_new(c->arena);

    str_printf(&s, "fn(");
    str_printf(&args, "%s(", f->name);
    for (int i = 0, n = 0; i < f->nparam; i++) {
        Str t = str_new(c->arena);

        if (f->param[i].init)
            continue;
        type_print(f->param[i].type, &t);
        str_printf(&s, "%s%s: ", n ? ", " : "", f->param[i].name);
        put_type(f, t.at, type, &s);
        str_printf(&args, "%s%s = %s", n++ ? ", " : "", f->param[i].name,
                   f->param[i].name);
    }
    str_printf(&s, ") = %s)", args.at);
    return s.at;
}

static bool takes_function(const TypeEx *t)
{
    bool takes = t->kind == TE_fn;

    for (int i = 0; i < t->npart; i++)
        takes = takes || takes_function(t->part[i]);
    return takes;
}

/* f's expression as a function of the module, by vjp if it can be. */
static Function *build(Check *c, const Fn *f, const char *name)
{
    Span at = fn_span(f);
    Function *plain = function_build(c, f, name, name, at), *by = NULL;
    const Fn *d = plain ? deriv_by_reals(c, f) : NULL;

    if (d) {
        Diags *own = c->diags;

        c->diags = diags_fork(c->arena, own);
        by = function_build(c, d, name, name, at);
        c->diags = own;
    }
    return by ? by : plain;
}

/* On one of the types tried; what was wrong with it is told to nobody. */
static bool try_type(Check *c, Unit *u, Sample *s, const FnItem *f,
                     const char *type)
{
    Diags *own = c->diags;
    const Expr *e;
    const Value *v;

    s->expression = wrapper(c, f, type);
    e = program_read(c, s->expression);
    c->diags = diags_fork(c->arena, own);
    v = e ? eval(c, scope_new(c, NULL, 0, u), e) : c->error;
    if (v->kind == V_fn)
        s->function =
            build(c, v->fn, arena_printf(c->arena, "%s[%s]", s->name, type));
    if (diags_errors(c->diags) > 0) {
        s->function = NULL;
        s->why = diags_first(c->diags);
    }
    c->diags = own;
    return s->function != NULL;
}

static void try_types(Check *c, Unit *u, Sample *s, const FnItem *f)
{
    const char *why = NULL;

    for (int i = 0; i < f->nparam; i++)
        if (takes_function(f->param[i].type)) {
            s->why = "it takes a function, and nothing calls it";
            return;
        }
    for (int i = 0; i < TRIED && !s->function; i++) {
        if (try_type(c, u, s, f, tried[i]))
            return;
        why = why ? why : s->why;
    }
    s->why = arena_printf(c->arena, "for %s, %s", tried[0], why);
}

Sample *program_samples(Program *p, int *n)
{
    Check *c = &p->check;
    LIST(Sample) all = {0};
    const Entry *e;

    for (ItemAt at = {0}; (e = unit_next(c, &at));) {
        const FnInfo *f = e->kind == EN_fn ? e->value->fn->info : NULL;
        Sample s = {.name = e->name};

        if (!f || !f->generic || f->called)
            continue;
        try_types(c, e->unit, &s, f->item);
        list_push(c->arena, &all, s);
    }
    *n = all.n;
    return all.at;
}
