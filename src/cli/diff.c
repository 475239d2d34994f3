/* diff.c: nncc diff: a function and its derivative as formulas. */

#include "cli/cli.h"
#include "show/show.h"
#include "simplify/simplify.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* More than that nobody reads. */
enum { MOST_EQUATIONS = 400 };

/* One derivative to be shown: of f by parameters x and, where it is a second
 * one, y. */
typedef struct Part {
    const char *expression;
    const int *by; /* parameters of f, a result for each */
    int nby;
    int second; /* another parameter; -1: none */
} Part;

typedef struct Diff {
    Args *args;
    Load load;
    const char *of, *name; /* the expression, and what it is called */
    const Notation *notation;
    Function *f;
    int *by;
    int nby;
    LIST(Part) part;
    Function **made; /* f, then one for each part, of the same parameters */
} Diff;

/* What is asked for */

static const char *const kinds[] = {"jacobian", "hessian", "hvp"};
static const char *const notations[] = {"tex", "html", "nn"};

/* The one of three options that is given; NULL: none. False: several are. */
static bool one_of(const Args *a, const char *const *names, const char **given)
{
    *given = NULL;
    for (int i = 0; i < 3; i++) {
        if (!option_value(a, names[i]))
            continue;
        if (*given) {
            cli_usage(a, "'--%s' and '--%s': one at a time", *given, names[i]);
            return false;
        }
        *given = names[i];
    }
    return true;
}

static const Notation *notation_named(const char *name)
{
    return !name                  ? &notation_text
           : !strcmp(name, "tex") ? &notation_tex
           : !strcmp(name, "nn")  ? &notation_nn
                                  : &notation_html;
}

static bool is_real(const Port *p)
{
    for (int i = 0; i < p->nleaf; i++)
        if (!dtype_is_real(p->leaf[i]->dtype))
            return false;
    return p->nleaf > 0;
}

static int find_param(const Diff *d, const char *name)
{
    for (int i = 0; i < d->f->nparam; i++)
        if (!strcmp(d->f->param[i].name, name))
            return i;
    return -1;
}

static int no_param(const Diff *d, const char *name)
{
    Arena *a = d->load.arena;
    const char **known = NEWN(a, const char *, d->f->nparam + 1);
    Str list = str_new(a);

    for (int i = 0; i < d->f->nparam; i++) {
        known[i] = d->f->param[i].name;
        str_printf(&list, "%s%s", i ? ", " : "; it has ", known[i]);
    }
    return cli_fail("%s has no parameter '%s'%s%s", d->of, name,
                    cli_suggest(a, name, known, d->f->nparam),
                    d->f->nparam ? list.at : "");
}

/* Those of --by, or all that are real. */
static int choose_params(Diff *d)
{
    Args *a = d->args;

    d->by = NEWN(a->arena, int, d->f->nparam + a->given.n + 1);
    for (int i = 0; i < a->given.n; i++) {
        const char *name = a->given.at[i].value;
        if (strcmp(a->given.at[i].name, "by"))
            continue;
        int k = find_param(d, name);
        if (k < 0)
            return no_param(d, name);
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

static bool is_scalar(const Function *f)
{
    return f->nresult == 1 && f->result[0].nleaf == 1 &&
           f->result[0].leaf[0]->rank == 0;
}

static void add_part(Diff *d, const char *expression, const int *by, int nby,
                     int second)
{
    Part p = {expression, by, nby, second};
    list_push(d->load.arena, &d->part, p);
}

static const char *param_name(const Diff *d, int k)
{
    return d->f->param[d->by[k]].name;
}

/* mode(f, x, y, …) */
static const char *by_all(const Diff *d, const char *mode)
{
    Str s = str_new(d->load.arena);
    str_printf(&s, "%s(%s", mode, d->of);
    for (int k = 0; k < d->nby; k++)
        str_printf(&s, ", %s", param_name(d, k));
    str_printf(&s, ")");
    return s.at;
}

/* What of f is shown: a function for each. */
static void plan(Diff *d, const char *kind)
{
    Arena *a = d->load.arena;

    if (!kind && is_scalar(d->f)) {
        add_part(d, by_all(d, "grad"), d->by, d->nby, -1);
        return;
    }
    if (kind && !strcmp(kind, "hvp")) {
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

/* What the library may call values of the functions, as one more result. */
static void add_known(Diff *d, Function *to, int n)
{
    Arena *a = d->load.arena;
    Nodes r = functions_roots(a, d->made, n);
    Port *known = NEW(a, Port);

    known->leaf = program_known(d->load.program, r.n, r.at, &known->nleaf);
    to->result = known;
    to->nresult = 1;
}

/* As one function, so that what several need is there once. */
static void simplify_together(Diff *d, int n)
{
    Arena *a = d->load.arena;
    LIST(Port) all = {0};
    Function one = *d->made[0], *f = &one;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < d->made[i]->nresult; k++)
            list_push(a, &all, d->made[i]->result[k]);
    one.nresult = 0;
    if (d->notation != &notation_nn)
        add_known(d, &one, n);
    for (int k = 0; k < one.nresult; k++)
        list_push(a, &all, one.result[k]);
    one.result = all.at;
    one.nresult = all.n;
    simplify_functions(d->load.module->graph, &f, 1);
}

static bool make_functions(Diff *d)
{
    int n = d->part.n + 1;
    const char **text = NEWN(d->load.arena, const char *, n);

    text[0] = d->of;
    for (int i = 1; i < n; i++)
        text[i] = d->part.at[i - 1].expression;
    d->made = NEWN(d->load.arena, Function *, n);
    if (!program_alike(d->load.program, n, text, d->made))
        return false;
    simplify_together(d, n);
    return true;
}

/* Names */

/* The function that has the most parameters: an hvp has more than f. */
static const Function *widest(const Diff *d)
{
    const Function *f = d->made[0];

    for (int i = 1; i <= d->part.n; i++)
        f = d->made[i]->nparam > f->nparam ? d->made[i] : f;
    return f;
}

typedef LIST(ShowResult) Results;

static const Form *plain_name(Shows *s, const char *name)
{
    return form_name(s->maker, name, 0);
}

static void add_result(const Diff *d, Results *to, const Form *left,
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
static const char *value_name(const Diff *d, const char *name, int k)
{
    const Function *f = d->made[0];
    bool many = f->nresult > 1 || f->result[0].nleaf > 1;

    return many ? arena_printf(d->load.arena, "%s_%d", name, k) : name;
}

/* f, or its parts. */
static void add_values(const Diff *d, Shows *s, Results *to)
{
    const Function *f = d->made[0];
    bool program = d->notation == &notation_nn;

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
static const char *by_name(const Diff *d, const Part *p, int i)
{
    int k = 0;

    for (; i >= d->f->param[p->by[k]].nleaf; k++)
        i -= d->f->param[p->by[k]].nleaf;
    return d->f->param[p->by[k]].leaf[i]->attr.name;
}

/* Result number i: a matrix of them is given row by row. */
static Partial partial_of(const Diff *d, const Part *p, int i)
{
    int columns = p->second >= 0 ? leaves(d->f, &p->second, 1)
                                 : leaves(d->f, p->by, p->nby);
    int row = i / columns, column = i % columns;

    if (p->second < 0)
        return (Partial){row, by_name(d, p, column), NULL};
    return (Partial){0, by_name(d, p, row),
                     d->f->param[p->second].leaf[column]->attr.name};
}

static const Form *derivative_name(const Diff *d, Shows *s, const Partial *p)
{
    if (option_value(d->args, "hvp"))
        return plain_name(s, arena_printf(d->load.arena, "hv_%s", p->x));
    const Form *arg[] = {plain_name(s, value_name(d, d->name, p->value)),
                         plain_name(s, p->x),
                         p->y ? plain_name(s, p->y) : NULL};
    return form_make(s->maker, FORM_partial, NULL, p->y ? 3 : 2, arg);
}

/* What a derivative is called in a program. */
static const char *program_name(const Diff *d, const Partial *p)
{
    Arena *a = d->load.arena;

    if (p->y)
        return arena_printf(a, "d_%s_%s", p->x, p->y);
    return p->value ? arena_printf(a, "d_%s_%d", p->x, p->value)
                    : arena_printf(a, "d_%s", p->x);
}

static void add_derivative(const Diff *d, Shows *s, const Part *p,
                           Function *made, Results *to)
{
    bool program = d->notation == &notation_nn;
    Nodes r = functions_roots(d->load.arena, &made, 1);

    for (int i = 0; i < r.n; i++) {
        Partial of = partial_of(d, p, i);
        const char *own = program ? program_name(d, &of) : NULL;
        add_result(d, to, program ? NULL : derivative_name(d, s, &of), own,
                   r.at[i]);
    }
}

/* Writing */

static void put_type(const Diff *d, const Node *p, Str *to)
{
    str_printf(to, "%s",
               p->dtype == d->load.module->real ? "real"
                                                : dtype_word(p->dtype));
    for (int k = 0; k < p->rank; k++) {
        str_printf(to, k ? ", " : "[");
        dim_print(p->dim[k], to);
    }
    str_printf(to, p->rank ? "]" : "");
}

static bool is_told(const Nodes *in, const Dim *var)
{
    for (int i = 0; i < in->n; i++)
        for (int k = 0; k < in->at[i]->rank; k++)
            if (dim_uses(in->at[i]->dim[k], var))
                return true;
    return false;
}

static void put_identifier(const char *name, Str *to)
{
    form_write(&notation_nn, &(Form){.kind = FORM_name, .name = name}, to);
}

static const char *const chain_text =
    "# A product in which 0 times anything is 0.\n"
    "fn chain[A: real, P: real](a: A, p: P) = where(a == 0 || p == 0, 0, a * "
    "p);\n\n";

/* The equations as a function of the language. */
static void put_program(const Diff *d, const Shows *s, const Results *r,
                        const Nodes *in, Str *to)
{
    Str body = str_new(d->load.arena);
    const Function *f = widest(d);
    const char *mode = option_value(d->args, "hvp")       ? "hvp"
                       : option_value(d->args, "hessian") ? "hessian"
                       : is_scalar(d->f) && !option_value(d->args, "jacobian")
                           ? "grad"
                           : "jacobian";

    equations_write(&notation_nn, &s->all, &body);
    if (body.at && strstr(body.at, "chain("))
        str_printf(to, "%s", chain_text);
    str_printf(to, "fn %s_%s(", d->name, mode);
    for (int i = 0; i < in->n; i++) {
        str_printf(to, i ? ", " : "");
        put_identifier(in->at[i]->attr.name, to);
        str_printf(to, ": ");
        put_type(d, in->at[i], to);
    }
    for (int i = 0; i < f->nvar; i++)
        if (!is_told(in, f->var[i]))
            str_printf(to, "%s%s: int", i || in->n ? ", " : "",
                       dim_var_name(f->var[i]));
    str_printf(to, ") {\n%s  (", body.at ? body.at : "");
    for (int i = 0; i < r->n; i++) {
        str_printf(to, i ? ", " : "");
        put_identifier(r->at[i].name, to);
    }
    str_printf(to, ")\n}\n\nexport %s_%s;\n", d->name, mode);
}

static void put_document(const Diff *d, const Shows *s, Str *to)
{
    const Notation *n = d->notation;
    bool tex = n == &notation_tex, html = n == &notation_html;

    if (tex)
        str_printf(to, "\\documentclass{article}\n"
                       "\\usepackage{amsmath}\n"
                       "\\allowdisplaybreaks\n"
                       "\\begin{document}\n\\begin{align*}\n");
    if (html)
        str_printf(to,
                   "<!DOCTYPE html>\n<html>\n<head><meta "
                   "charset=\"utf-8\"/><title>%s</title></head>\n<body>\n",
                   d->name);
    equations_write(n, &s->all, to);
    if (tex)
        str_printf(to, "\\end{align*}\n\\end{document}\n");
    if (html)
        str_printf(to, "</body>\n</html>\n");
}

static int put(const Diff *d, const Str *text)
{
    const char *path = option_value(d->args, "output");

    if (!path) {
        fwrite(text->at, 1, text->n, stdout);
        return EXIT_SUCCESS;
    }
    return file_write(d->load.arena, path, text->at, text->n) ? EXIT_SUCCESS
                                                              : EXIT_FAILURE;
}

static int show(Diff *d)
{
    Arena *a = d->load.arena;
    bool program = d->notation == &notation_nn;
    ShowOptions o = {.literal = program,
                     .self = {d->name},
                     .most = program ? 0 : MOST_EQUATIONS};
    Nodes in = function_inputs(a, widest(d));
    Shows *s = show_new(a, d->load.module->graph, &o, in.n, in.at);
    Results r = {0};
    Str text = str_new(a);
    int status;

    add_values(d, s, &r);
    for (int i = 0; i < d->part.n; i++)
        add_derivative(d, s, &d->part.at[i], d->made[i + 1], &r);
    show_results(s, r.n, r.at);
    const char *w = program ? equations_wordless(&s->all) : NULL;
    if (w)
        return cli_fail("%s cannot be written as a program: there is no word "
                        "for %s",
                        d->of, w);
    if (program)
        put_program(d, s, &r, &in, &text);
    else
        put_document(d, s, &text);
    status = put(d, &text);
    if (s->left_off)
        fprintf(stderr,
                "nncc: %s is large: %d of its %d equations are left "
                "out\n",
                d->of, s->left_off, s->all.list.n + s->left_off);
    return status;
}

static const char *name_of(const char *expression)
{
    for (const char *c = expression; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return "f";
    return expression;
}

static int diff(Args *a)
{
    Diff d = {.args = a, .load = {.labels = true}};
    const char *kind, *notation;

    if (a->word.n < 2)
        return cli_usage(a, "which function of %s?", a->word.at[0]);
    if (a->word.n > 2)
        return cli_usage(a, "one function at a time: what is '%s'?",
                         a->word.at[2]);
    if (!one_of(a, kinds, &kind) || !one_of(a, notations, &notation))
        return EXIT_USAGE;
    int status = driver_load(a, a->word.at[0], DT_f32, &d.load);
    if (status)
        return status;
    d.of = driver_expression(&d.load, a->word.at[1]);
    d.name = name_of(d.of);
    d.notation = notation_named(notation);
    if (!program_alike(d.load.program, 1, &d.of, &d.f)) {
        driver_diags(&d.load);
        return EXIT_FAILURE;
    }
    status = choose_params(&d);
    if (status)
        return status;
    plan(&d, kind);
    if (!make_functions(&d)) {
        driver_diags(&d.load);
        return EXIT_FAILURE;
    }
    return show(&d);
}

static const Option options[] = {
    {"by", 0, "NAME", "differentiate by this parameter (by all that are real)"},
    {"jacobian", 0, NULL, "the derivative of a function that gives no number"},
    {"hessian", 0, NULL, "the second derivative"},
    {"hvp", 0, NULL, "the second derivative times v"},
    {"tex", 0, NULL, "a LaTeX document"},
    {"html", 0, NULL, "a page with MathML"},
    {"nn", 0, NULL, "a program that computes the same"},
    {"output", 'o', "FILE", "write there"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

const Command command_diff = {
    .name = "diff",
    .usage = "diff MODEL.nn FUNCTION [options]",
    .about = "Shows a function, or what an expression like 'grad(f, x)' "
             "denotes, and its\nderivative as formulas.",
    .option = options,
    .run = diff,
};
