/* diff.c: nncc diff: a function and its derivative as formulas. */

#include "cli/derivative.h"

#include <stdlib.h>
#include <string.h>

/* More than that nobody reads. */
enum { MOST_EQUATIONS = 400 };

typedef struct Diff {
    Derivatives of;
    const Notation *notation;
} Diff;

static const Notation *notation_named(const char *name)
{
    return !name                  ? &notation_text
           : !strcmp(name, "tex") ? &notation_tex
           : !strcmp(name, "nn")  ? &notation_nn
                                  : &notation_html;
}

/* Writing */

static void put_type(const Diff *d, const Node *p, Str *to)
{
    type_describe(type_tensor(to->arena, p->dtype, p->rank, p->dim),
                  d->of.load.module->real, to);
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
static void put_program(const Diff *d, const Shows *s, const ShowResults *r,
                        const Nodes *in, Str *to)
{
    Str body = str_new(d->of.load.arena);
    const Function *f = derivatives_widest(&d->of);
    const char *mode = d->of.kind                    ? d->of.kind
                       : function_is_scalar(d->of.f) ? "grad"
                                                     : "jacobian";

    equations_write(&notation_nn, &s->all, &body);
    if (body.at && strstr(body.at, "chain("))
        str_printf(to, "%s", chain_text);
    str_printf(to, "fn %s_%s(", d->of.name, mode);
    for (int i = 0; i < in->n; i++) {
        str_printf(to, i ? ", " : "");
        put_identifier(in->at[i]->attr.name, to);
        str_printf(to, ": ");
        put_type(d, in->at[i], to);
    }
    for (int i = 0; i < f->nvar; i++)
        if (!function_takes_size(f, i))
            str_printf(to, "%s%s: int", i || in->n ? ", " : "",
                       dim_var_name(f->var[i]));
    str_printf(to, ") {\n%s  (", body.at ? body.at : "");
    for (int i = 0; i < r->n; i++) {
        str_printf(to, i ? ", " : "");
        put_identifier(r->at[i].name, to);
    }
    str_printf(to, ")\n}\n\nexport %s_%s;\n", d->of.name, mode);
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
                   d->of.name);
    equations_write(n, &s->all, to);
    if (tex)
        str_printf(to, "\\end{align*}\n\\end{document}\n");
    if (html)
        str_printf(to, "</body>\n</html>\n");
}

static int show(Diff *d)
{
    Arena *a = d->of.load.arena;
    bool program = d->of.program;
    ShowOptions o = {.literal = program,
                     .self = {d->of.name},
                     .most = program ? 0 : MOST_EQUATIONS};
    Nodes in = function_inputs(a, derivatives_widest(&d->of));
    Shows *s = show_new(a, d->of.load.module->graph, &o, in.n, in.at);
    ShowResults r = {0};
    Str text = str_new(a);
    int status;

    derivatives_results(&d->of, s, &r);
    show_results(s, r.n, r.at);
    const char *w = program ? equations_wordless(&s->all) : NULL;
    if (w)
        return cli_fail("%s cannot be written as a program: there is no word "
                        "for %s",
                        d->of.of, w);
    if (program)
        put_program(d, s, &r, &in, &text);
    else
        put_document(d, s, &text);
    status = cli_output(d->of.args, &text);
    if (s->left_off)
        fprintf(stderr,
                "nncc: %s is large: %d of its %d equations are left "
                "out\n",
                d->of.of, s->left_off, s->all.list.n + s->left_off);
    return status;
}

#define NOTATIONS "tex html nn"

static int diff(Args *a)
{
    Diff d = {.notation = notation_named(option_among(a, NOTATIONS))};

    d.of.program = d.notation == &notation_nn;
    int status = derivatives_load(a, &d.of);
    if (status)
        return status;
    return derivatives_make(&d.of, true) ? show(&d) : EXIT_FAILURE;
}

static const Option options[] = {
    DERIVATIVE_OPTIONS,
    {"tex", 0, NULL, "a LaTeX document"},
    {"html", 0, NULL, "a page with MathML"},
    {"nn", 0, NULL, "a program that computes the same"},
    {"output", 'o', "FILE", "write there"},
    MODEL_OPTIONS,
    {NULL, 0, NULL, NULL},
};

static const OptionRule rules[] = {
    DERIVATIVE_RULE,
    {RULE_one, NOTATIONS, NULL, NULL},
    {RULE_one, NULL, NULL, NULL},
};

const Command command_diff = {
    .name = "diff",
    .usage = "diff MODEL.nn FUNCTION [options]",
    .about = "Shows a function, or what an expression like 'grad(f, x)' "
             "denotes, and its\nderivative as formulas.",
    .option = options,
    .rule = rules,
    .least = 2,
    .most = 2,
    .run = diff,
};
