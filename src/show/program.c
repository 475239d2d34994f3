/* program.c: what of formulas the language has, and loops as it has them. */
#include "graph/region.h"
#include "show/notation.h"

/* 0 of the type of a value. */
static const Form *zero_like(FormMaker *m, const Node *x)
{
    const Form *at[MAX_RANK], *zero;
    int before = m->nindex;
    if (x->dtype == DT_bool)
        zero = form_name(m, "false", 0);
    else
        zero = form_typed(m, x->dtype,
                          form_number(m, 0, !dtype_is_real(x->dtype)));
    for (int i = 0; i < x->rank; i++)
        at[i] = form_index(m);
    m->nindex = before;
    return form_over(m, NULL, x->rank, at, x->dim, NULL, zero);
}

const Form *const *program_zeros(FormMaker *m, const Region *r)
{
    const Form **zero = NEWN(m->arena, const Form *, r->noutput + 1);
    for (int i = 0; i < r->noutput; i++)
        zero[i] = zero_like(m, r->output[i]);
    return zero;
}

/* Loops: one pass for what is carried, and one for what is kept of each step;
 * they compute the same. */

static void write_indent(const Notation *n, int depth, Str *to)
{
    for (int k = 0; k < depth; k++)
        str_printf(to, "%s", n->indent);
    str_printf(to, "%s", n->begin);
}

typedef enum Part { PART_let, PART_carried, PART_kept } Part;

/* What an equation of a step is: only what is kept has an index, of the step.
 */
static Part part_of(const Equation *q)
{
    if (q->loop || q->left->kind == FORM_name)
        return PART_let;
    return q->left->kind == FORM_step ? PART_carried : PART_kept;
}

static int count_part(const Equations *e, Part part)
{
    int count = 0;
    for (int i = 0; i < e->list.n; i++)
        count += part_of(&e->list.at[i]) == part;
    return count;
}

/* They read nothing that a step gives, wherever they stand. */
static void write_lets(const Notation *n, const Equations *e, int depth,
                       Str *to)
{
    Equations lets = {0};
    for (int i = 0; i < e->list.n; i++)
        if (part_of(&e->list.at[i]) == PART_let)
            list_push(to->arena, &lets.list, e->list.at[i]);
    write_equations(n, &lets, depth, to);
}

/* The steps made, where they are counted: left of an equation or after it. */
static void write_made(const Notation *n, const Form *made, bool left,
                       bool kept, Str *to)
{
    if (left && kept)
        str_printf(to, "_");
    else
        form_write(n, made, to);
    str_printf(to, left ? "" : " + 1");
}

/* "(T, h, c)": what is carried, and what is kept too. */
static void write_tuple(const Notation *n, const Recurrence *r, bool left,
                        bool kept, Str *to)
{
    const Equations *e = r->step;
    int count = (r->made != NULL) + count_part(e, PART_carried), done = 0;
    count += kept ? count_part(e, PART_kept) : 0;
    str_printf(to, count > 1 ? "(" : "");
    if (r->made && ++done)
        write_made(n, r->made, left, kept, to);
    for (int i = 0; i < e->list.n; i++) {
        const Equation *q = &e->list.at[i];
        Part part = part_of(q);
        if (part == PART_let || (part == PART_kept && !kept))
            continue;
        str_printf(to, done++ ? ", " : "");
        if (left && kept && part == PART_carried)
            str_printf(to, "_");
        else
            form_write(n, left ? q->left->arg[0] : q->right, to);
    }
    str_printf(to, count > 1 ? ")" : "");
}

/* ", until = c", c after what it reads. */
static void write_until(const Notation *n, const Recurrence *r, Str *to)
{
    bool block = r->until && r->before_until->list.n;
    str_printf(to, ", until = ");
    if (r->count) {
        form_write(n, r->count, to);
        str_printf(to, " <= ");
        form_write(n, r->made, to);
    }
    if (!r->until)
        return;
    str_printf(to, r->count ? " || (" : "");
    str_printf(to, block ? "{\n" : "");
    write_equations(n, r->before_until, 2, to);
    form_write(n, r->until, to);
    str_printf(to, block ? " }" : "");
    str_printf(to, r->count ? ")" : "");
}

/* "t < n, h = x" */
static void write_start(const Notation *n, const Recurrence *r, bool kept,
                        Str *to)
{
    int zero = 0;
    form_write(n, r->index, to);
    str_printf(to, " < ");
    form_write(n, r->trips, to);
    if (r->made) {
        str_printf(to, ", ");
        form_write(n, r->made, to);
        str_printf(to, " = i64(0)");
    }
    for (int i = 0; i < r->start->list.n; i++) {
        const Equation *q = &r->start->list.at[i];
        if (part_of(q) == PART_let)
            continue;
        str_printf(to, ", ");
        form_write(n, q->left, to);
        str_printf(to, " = ");
        form_write(n, q->right, to);
    }
    for (int i = 0; i < r->step->list.n && kept; i++) {
        const Equation *q = &r->step->list.at[i];
        if (part_of(q) != PART_kept)
            continue;
        str_printf(to, ", ");
        form_write(n, q->left->arg[0], to);
        str_printf(to, " = ");
        form_write(n, r->zero[zero++], to);
    }
    if (r->made)
        write_until(n, r, to);
}

/* "n - 1 - t" */
static void write_other_end(const Notation *n, const Recurrence *r, Str *to)
{
    str_printf(to, r->count ? "int(" : "");
    form_write(n, r->count ? r->count : r->trips, to);
    str_printf(to, r->count ? ") - 1 - " : " - 1 - ");
    form_write(n, r->index, to);
}

static void write_body(const Notation *n, const Recurrence *r, bool kept,
                       int depth, Str *to)
{
    if (r->reverse) {
        write_indent(n, depth, to);
        form_write(n, r->index, to);
        str_printf(to, "%s", n->between);
        write_other_end(n, r, to);
        str_printf(to, "%s", n->end);
    }
    write_lets(n, r->step, depth, to);
    for (int k = 0; k <= depth; k++)
        str_printf(to, "%s", n->indent);
    write_tuple(n, r, false, kept, to);
    str_printf(to, "\n");
}

static void write_pass(const Notation *n, const Recurrence *r, bool kept,
                       int depth, Str *to)
{
    write_indent(n, depth, to);
    write_tuple(n, r, true, kept, to);
    str_printf(to, "%s%s(", n->between, kept ? "scan" : "fold");
    write_start(n, r, kept, to);
    str_printf(to, " | {\n");
    write_body(n, r, kept, depth + 1, to);
    for (int k = 0; k <= depth; k++)
        str_printf(to, "%s", n->indent);
    str_printf(to, "})%s", n->end);
}

/* Row t of what is kept: that of its step; 0 where none was made. */
static void write_row(const Notation *n, const Recurrence *r, const Form *kept,
                      const Form *zero, Str *to)
{
    if (r->made) {
        str_printf(to, "if i64(");
        form_write(n, r->index, to);
        str_printf(to, ") < ");
        form_write(n, r->count && r->reverse ? r->count : r->made, to);
        str_printf(to, " { ");
    }
    form_write(n, kept, to);
    str_printf(to, "[");
    if (r->reverse)
        write_other_end(n, r, to);
    else
        form_write(n, r->index, to);
    str_printf(to, "]");
    if (r->made) {
        str_printf(to, " } else { ");
        form_write(n, zero, to);
        str_printf(to, " }");
    }
}

/* What was kept, in the order of the steps. */
static void write_rows(const Notation *n, const Recurrence *r, int depth,
                       Str *to)
{
    int zero = 0;
    for (int i = 0; i < r->step->list.n; i++) {
        const Equation *q = &r->step->list.at[i];
        if (part_of(q) != PART_kept)
            continue;
        write_indent(n, depth, to);
        form_write(n, q->left->arg[0], to);
        str_printf(to, "%s[", n->between);
        form_write(n, r->index, to);
        str_printf(to, " < ");
        form_write(n, r->trips, to);
        str_printf(to, " | ");
        write_row(n, r, q->left->arg[0], r->zero[zero++], to);
        str_printf(to, "]%s", n->end);
    }
}

void write_program_loop(const Notation *n, const Recurrence *r, int depth,
                        Str *to)
{
    write_lets(n, r->start, depth, to);
    if (count_part(r->step, PART_kept))
        write_pass(n, r, true, depth, to);
    if (r->made || count_part(r->step, PART_carried))
        write_pass(n, r, false, depth, to);
    if (r->reverse || r->made)
        write_rows(n, r, depth, to);
}

/* Words */

static const char *wordless(const Form *f)
{
    bool word = f->kind == FORM_call || f->kind == FORM_over;
    if (word && !f->shown->nn)
        return f->shown->text;
    if (f->kind == FORM_partial)
        return "a derivative";
    const char *w = NULL;
    for (int i = 0; i < f->narg && !w; i++)
        w = wordless(f->arg[i]);
    return w;
}

static const char *wordless_loop(const Recurrence *r)
{
    const char *w = equations_wordless(r->start);
    w = w || !r->until ? w : wordless(r->until);
    w = w || !r->until ? w : equations_wordless(r->before_until);
    return w ? w : equations_wordless(r->step);
}

const char *equations_wordless(const Equations *e)
{
    for (int i = 0; i < e->list.n; i++) {
        const Equation *q = &e->list.at[i];
        const char *w = q->loop ? wordless_loop(q->loop) : wordless(q->right);
        if (w)
            return w;
    }
    return NULL;
}
