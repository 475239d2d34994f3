/* derivative.c: a function and the derivatives of it that are asked for. */

#include "cli/derivative.h"
#include "simplify/simplify.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What is asked for */

static bool is_real(const Port *p)
{
    for (int i = 0; i < p->nleaf; i++)
        if (!dtype_is_real(p->leaf[i]->dtype))
            return false;
    return p->nleaf > 0;
}

int unknown_port(Arena *a, const char *of, const char *what, const char *name,
                 const Port *among, int n)
{
    const char **known = NEWN(a, const char *, n + 1);

    for (int i = 0; i < n; i++)
        known[i] = among[i].name;
    return cli_unknown(a, of, what, name, known, n);
}

/* Those of --by, or all that are real. */
static int choose_params(Derivatives *d)
{
    Args *a = d->args;

    d->by = NEWN(a->arena, int, d->f->nparam + a->given.n + 1);
    const char *name;
    for (int i = 0; (name = option_next(a, "by", &i));) {
        int k = ports_named(d->f->param, d->f->nparam, name);
        if (k < 0)
            return unknown_port(d->load.arena, d->of, "parameter", name,
                                d->f->param, d->f->nparam);
        if (!is_real(&d->f->param[k]))
            return cli_fail("'%s' is no real, so nothing is differentiated by "
                            "it",
                            name);
        d->by[d->nby++] = k;
    }
    for (int i = 0; i < d->f->nparam && !option_value(a, "by"); i++)
        if (is_real(&d->f->param[i]))
            d->by[d->nby++] = i;
    if (!d->nby)
        return cli_fail("%s has no real parameter to differentiate by", d->of);
    return EXIT_SUCCESS;
}

bool function_is_scalar(const Function *f)
{
    return f->nresult == 1 && f->result[0].nleaf == 1 &&
           f->result[0].leaf[0]->rank == 0;
}

static void add_part(Derivatives *d, const char *expression, const int *by,
                     int nby, int second)
{
    DerivativePart p = {expression, by, nby, second};
    list_push(d->load.arena, &d->part, p);
}

static const char *param_name(const Derivatives *d, int k)
{
    return d->f->param[d->by[k]].name;
}

/* mode(f, x, y, …) */
static const char *by_all(const Derivatives *d, const char *mode)
{
    return deriv_text(d->load.arena, mode, d->of, d->f, d->nby, d->by);
}

static bool is_hvp(const Derivatives *d)
{
    return d->kind && !strcmp(d->kind, "hvp");
}

/* What of f is shown: a function for each. */
static void plan(Derivatives *d)
{
    Arena *a = d->load.arena;
    const char *kind = d->kind;

    if (!kind && function_is_scalar(d->f)) {
        add_part(d, by_all(d, "grad"), d->by, d->nby, -1);
        return;
    }
    if (is_hvp(d)) {
        add_part(d, by_all(d, "hvp"), d->by, d->nby, -1);
        return;
    }
    for (int k = 0; k < d->nby; k++) {
        const char *x = param_name(d, k);
        if (!kind || !strcmp(kind, "jacobian"))
            add_part(d, arena_printf(a, "jacobian(%s, %s)", d->of, x),
                     &d->by[k], 1, -1);
        for (int l = k; kind && !strcmp(kind, "hessian") && l < d->nby; l++)
            add_part(d,
                     l == k ? arena_printf(a, "hessian(%s, %s)", d->of, x)
                            : arena_printf(a, "jacobian(grad(%s, %s), %s)",
                                           d->of, x, param_name(d, l)),
                     &d->by[k], 1, d->by[l]);
    }
}

/* As one function, so that what several need is there once. */
static void simplify_together(Derivatives *d, int n)
{
    Arena *a = d->load.arena;
    LIST(Port) all = {0};
    Function one = *d->made[0], *f = &one;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < d->made[i]->nresult; k++)
            list_push(a, &all, d->made[i]->result[k]);
    one.result = all.at;
    one.nresult = all.n;
    simplify_functions(d->load.module->graph, &f, 1);
}

/* What the library may call values of the functions: apart from these, of which
 * it is no part. */
static void find_known(Derivatives *d, int n)
{
    Nodes r = functions_roots(d->load.arena, d->made, n);
    int nknown;
    Node **known = program_known(d->load.program, r.n, r.at, &nknown);

    simplify(d->load.module->graph, nknown, known);
}

bool derivatives_make(Derivatives *d, bool simplified)
{
    int n = d->part.n + 1;
    const char **text = NEWN(d->load.arena, const char *, n);

    text[0] = d->of;
    for (int i = 1; i < n; i++)
        text[i] = d->part.at[i - 1].expression;
    d->made = NEWN(d->load.arena, Function *, n);
    if (!program_alike(d->load.program, n, text, d->made)) {
        driver_diags(&d->load);
        return false;
    }
    if (!simplified)
        return true;
    simplify_together(d, n);
    if (!d->program)
        find_known(d, n);
    return true;
}

/* Names */

const Function *derivatives_widest(const Derivatives *d)
{
    const Function *f = d->made[0];

    for (int i = 1; i <= d->part.n; i++)
        f = d->made[i]->nparam > f->nparam ? d->made[i] : f;
    return f;
}

static const Form *plain_name(Shows *s, const char *name)
{
    return form_name(s->maker, name, 0);
}

static void add_result(const Derivatives *d, ShowResults *to, const Form *left,
                       const char *name, Node *node)
{
    ShowResult r = {left, name, node};
    list_push(d->load.arena, to, r);
}

static int leaves(const Function *f, const int *by, int n)
{
    int all = 0;

    for (int i = 0; i < n; i++)
        all += f->param[by[i]].nleaf;
    return all;
}

/* What part number k of f is called. */
static const char *value_name(const Derivatives *d, const char *name, int k)
{
    const Function *f = d->made[0];
    bool many = f->nresult > 1 || f->result[0].nleaf > 1;

    return many ? arena_printf(d->load.arena, "%s_%d", name, k) : name;
}

/* f, or its parts. */
static void add_values(const Derivatives *d, Shows *s, ShowResults *to)
{
    const Function *f = d->made[0];
    bool program = d->program;

    for (int i = 0; i < f->nresult; i++)
        for (int j = 0; j < f->result[i].nleaf; j++) {
            const char *name =
                value_name(d, program ? "value" : d->name, to->n);
            add_result(d, to, program ? NULL : plain_name(s, name), name,
                       f->result[i].leaf[j]);
        }
}

/* One result of a derivative: of part number `value` of f by leaf x and, of a
 * second derivative, y. */
typedef struct Partial {
    int value;
    const char *x, *y; /* y: or NULL */
} Partial;

/* Leaf number i of the parameters that p is by. */
static const char *by_name(const Derivatives *d, const DerivativePart *p, int i)
{
    int k = 0;

    for (; i >= d->f->param[p->by[k]].nleaf; k++)
        i -= d->f->param[p->by[k]].nleaf;
    return d->f->param[p->by[k]].leaf[i]->attr.name;
}

/* Result number i: a matrix of them is given row by row. */
static Partial partial_of(const Derivatives *d, const DerivativePart *p, int i)
{
    int columns = p->second >= 0 ? leaves(d->f, &p->second, 1)
                                 : leaves(d->f, p->by, p->nby);
    int row = i / columns, column = i % columns;

    if (p->second < 0)
        return (Partial){row, by_name(d, p, column), NULL};
    return (Partial){0, by_name(d, p, row),
                     d->f->param[p->second].leaf[column]->attr.name};
}

static const Form *derivative_name(const Derivatives *d, Shows *s,
                                   const Partial *p)
{
    if (is_hvp(d))
        return plain_name(s, arena_printf(d->load.arena, "hv_%s", p->x));
    const Form *arg[] = {plain_name(s, value_name(d, d->name, p->value)),
                         plain_name(s, p->x),
                         p->y ? plain_name(s, p->y) : NULL};
    return form_make(s->maker, FORM_partial, NULL, p->y ? 3 : 2, arg);
}

/* What a derivative is called in a program. */
static const char *program_name(const Derivatives *d, const Partial *p)
{
    Arena *a = d->load.arena;

    if (p->y)
        return arena_printf(a, "d_%s_%s", p->x, p->y);
    return p->value ? arena_printf(a, "d_%s_%d", p->x, p->value)
                    : arena_printf(a, "d_%s", p->x);
}

static void add_derivative(const Derivatives *d, Shows *s,
                           const DerivativePart *p, Function *made,
                           ShowResults *to)
{
    bool program = d->program;
    Nodes r = functions_roots(d->load.arena, &made, 1);

    for (int i = 0; i < r.n; i++) {
        Partial of = partial_of(d, p, i);
        const char *own = program ? program_name(d, &of) : NULL;
        add_result(d, to, program ? NULL : derivative_name(d, s, &of), own,
                   r.at[i]);
    }
}

int derivatives_results(const Derivatives *d, Shows *s, ShowResults *to)
{
    add_values(d, s, to);
    int own = to->n;
    for (int i = 0; i < d->part.n; i++)
        add_derivative(d, s, &d->part.at[i], d->made[i + 1], to);
    return own;
}

static const char *name_of(const char *expression)
{
    for (const char *c = expression; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return "f";
    return expression;
}

int derivatives_load(Args *a, Derivatives *d)
{
    d->args = a;
    d->kind = option_among(a, DERIVATIVE_KINDS);
    d->load.labels = d->load.named = true;
    int status = driver_load(a, a->word.at[0], DT_f32, &d->load);
    if (status)
        return status;
    d->of = driver_expression(&d->load, a->word.at[1]);
    d->name = name_of(d->of);
    if (!program_alike(d->load.program, 1, &d->of, &d->f) ||
        !program_dims_used(d->load.program)) {
        driver_diags(&d->load);
        return EXIT_FAILURE;
    }
    if (d->primal)
        return EXIT_SUCCESS;
    status = choose_params(d);
    if (!status)
        plan(d);
    return status;
}
