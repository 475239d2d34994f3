/* formula.c: rows, tangents and adjoints as formulas of other rows. */
#include "trace/internal.h"

/* What is larger is written as a derivative, and not how it is computed. */
enum { LARGE = 30 };

struct TraceText {
    Trace *t;
    Shows *s;
    Shows *calls; /* of the library, in derivatives, are seen */
};

TraceText *trace_text(Trace *t)
{
    ShowOptions o = {.alone = true, .calls = SHOW_no_calls};
    ShowOptions calls = {.alone = true};
    TraceText *x = NEW(t->arena, TraceText);
    Nodes in = {0};
    for (int k = 0; k < t->row.n && t->row.at[k].input; k++)
        list_push(t->arena, &in, t->row.at[k].local);
    *x = (TraceText){t, show_new(t->arena, t->graph, &o, in.n, in.at),
                     show_new(t->arena, t->graph, &calls, in.n, in.at)};
    return x;
}

/* Names */

const Form *trace_number(const TraceText *x, int k, int through, FormMark mark)
{
    const TraceRow *row = &x->t->row.at[k];
    int other = through >= 0 ? x->t->row.at[through].number : 0;
    Form *f = arena_copy(
        x->t->arena,
        form_row(x->s->maker, row->number, other, mark, row->node->rank),
        sizeof *f);
    f->order = 1; /* formulas are as they were written */
    return f;
}

const Form *trace_name(const TraceText *x, int k, FormMark mark)
{
    const TraceRow *row = &x->t->row.at[k];
    FormMaker *m = x->s->maker;
    if (!row->name)
        return trace_number(x, k, -1, mark);
    const Form *f =
        form_marked(m, form_name(m, row->name, row->node->rank), mark);
    if (row->after >= 0)
        f = form2(m, FORM_step, f, form_number(m, (double)row->after, true));
    Form *own = arena_copy(x->t->arena, f, sizeof *f);
    own->order = 1;
    own->rank = row->node->rank;
    return own;
}

/* Formulas */

typedef struct Names {
    Nodes param;
    LIST(const Form *) name;
} Names;

static void add_name(const TraceText *x, Names *to, Node *param, const Form *f)
{
    if (!param || nodes_find(&to->param, param) >= 0)
        return;
    list_push(x->t->arena, &to->param, param);
    list_push(x->t->arena, &to->name, f);
}

static Names names_of(const TraceText *x, const TraceRow *row)
{
    Names all = {0};
    for (int i = 0; i < row->use.n; i++) {
        const TraceUse *u = &row->use.at[i];
        add_name(x, &all, u->cell->value, trace_name(x, u->row, MARK_none));
        add_name(x, &all, u->cell->dot, trace_name(x, u->row, MARK_dot));
    }
    int k = (int)(row - x->t->row.at);
    if (!row->input) {
        add_name(x, &all, row->cell->value, trace_name(x, k, MARK_none));
        add_name(x, &all, row->cell->bar, trace_name(x, k, MARK_bar));
    }
    return all;
}

/* left = n; false: it takes more than one formula, or a large one. */
static bool equation(TraceText *x, const TraceRow *row, const Form *left,
                     Node *n, Equation *to)
{
    Names names = names_of(x, row);
    bool call = row->call && n != row->local;
    return show_equation(call ? x->calls : x->s, left, n, names.param.n,
                         names.param.at, names.name.at, to) &&
           form_size(to->right) <= LARGE;
}

static const Form *call(const TraceText *x, const char *name, int n,
                        const Form *const *arg)
{
    Shown *s = NEW(x->t->arena, Shown);
    s->kind = FORM_call;
    s->text = name;
    return form_make(x->s->maker, FORM_call, s, n, arg);
}

/* relu(z): its arguments are names, or formulas of these. */
static const Form *call_formula(TraceText *x, const TraceRow *row)
{
    LIST(const Form *) arg = {0};
    for (int i = 0; i < row->call->narg; i++) {
        Equation e = {0};
        Node *n = row->call_arg[i];
        const Form *f = n ? form_name(x->s->maker, "…", 0)
                          : form_label_text(x->s->maker, &row->call->arg[i]);
        if (n && equation(x, row, f, n, &e) && !e.nindex)
            f = e.right;
        list_push(x->t->arena, &arg, f);
    }
    return call(x, row->call->name, arg.n, arg.at);
}

/* What is chosen where the condition holds or does not; the rest is not
 * computed. */
static const Form *choice(TraceText *x, const TraceRow *row, const Form *chosen)
{
    const Form *rest = form_name(x->s->maker, "…", 0);
    Equation e = {0};
    const Form *cond = rest;
    if (equation(x, row, rest, row->condition, &e) && !e.nindex)
        cond = e.right;
    const Form *arg[] = {cond, row->holds ? chosen : rest,
                         row->holds ? rest : chosen};
    return form_make(x->s->maker, FORM_cases, NULL, 3, arg);
}

static const Form *by_name(const TraceText *x, const TraceRow *row)
{
    LIST(const Form *) arg = {0};
    const char *name = op_surface(row->node->op);
    for (int i = 0; i < row->use.n; i++)
        list_push(x->t->arena, &arg,
                  trace_name(x, row->use.at[i].row, MARK_none));
    return call(x, name ? name : op_table[row->node->op]->name, arg.n, arg.at);
}

Equation trace_formula(TraceText *x, int k)
{
    const TraceRow *row = &x->t->row.at[k];
    Equation e = {.left = trace_name(x, k, MARK_none)};
    if (row->input)
        e.right = e.left;
    else if (row->call)
        e.right = call_formula(x, row);
    else if (!equation(x, row, e.left, row->local, &e))
        e = (Equation){.left = trace_name(x, k, MARK_none),
                       .right = by_name(x, row)};
    if (row->condition)
        e.right = choice(x, row, e.right);
    return e;
}

/* ∂vₖ/∂vᵢ */
static const Form *derivative(const TraceText *x, int k, int by)
{
    const Form *arg[] = {trace_name(x, k, MARK_none),
                         trace_name(x, by, MARK_none)};
    Form *f = arena_copy(x->t->arena,
                         form_make(x->s->maker, FORM_partial, NULL, 2, arg),
                         sizeof *f);
    f->rank = 0; /* what is multiplied by it is no product of elements */
    return f;
}

/* A product as it is written here. */
static const Form *times(const TraceText *x, const Form *a, const Form *b)
{
    const Form *arg[] = {a, b};
    Form *f = arena_copy(x->t->arena, a, sizeof *f);
    *f = (Form){.kind = FORM_product, .narg = 2, .rank = a->rank};
    f->arg = arena_copy(x->t->arena, arg, sizeof arg);
    return f;
}

static const Form *sum_of_tangents(const TraceText *x, int k)
{
    const TraceRow *row = &x->t->row.at[k];
    const Form *sum = NULL;
    for (int i = 0; i < row->use.n; i++) {
        int u = row->use.at[i].row;
        if (!x->t->row.at[u].tangent_of)
            continue;
        const Form *term =
            times(x, derivative(x, k, u), trace_name(x, u, MARK_dot));
        sum = sum ? form2(x->s->maker, FORM_sum, sum, term) : term;
    }
    return sum;
}

Equation trace_tangent(TraceText *x, int k)
{
    const TraceRow *row = &x->t->row.at[k];
    const Form *left = trace_name(x, k, MARK_dot);
    Equation e = {.left = left, .right = left};
    if (row->tangent_of && !row->input &&
        !equation(x, row, left, row->tangent_of, &e))
        e = (Equation){.left = left, .right = sum_of_tangents(x, k)};
    return e;
}

Equation trace_partial(TraceText *x, int k, int partial)
{
    const TraceRow *row = &x->t->row.at[k];
    const TracePartial *p = &row->partial.at[partial];
    const TraceRow *through = &x->t->row.at[p->through];
    bool one = row->partial.n == 1 && !row->seeded;
    const Form *left = one ? trace_name(x, k, MARK_bar)
                           : trace_number(x, k, p->through, MARK_bar);
    Equation e = {0};
    if (equation(x, through, left, p->local, &e))
        return e;
    return (Equation){.left = left,
                      .right = times(x, trace_name(x, p->through, MARK_bar),
                                     derivative(x, p->through, k))};
}

Equation trace_adjoint(TraceText *x, int k)
{
    const TraceRow *row = &x->t->row.at[k];
    FormMaker *m = x->s->maker;
    const Form *left = trace_name(x, k, MARK_bar), *sum = NULL;
    if (row->partial.n == 1 && !row->seeded)
        return trace_partial(x, k, 0);
    if (row->seeded)
        sum = form_name(m, "start", row->node->rank);
    if (row->seeded && !row->partial.n)
        return (Equation){.left = left, .right = left};
    for (int i = row->partial.n - 1; i >= 0; i--) {
        const Form *term =
            trace_number(x, k, row->partial.at[i].through, MARK_bar);
        sum = sum ? form2(m, FORM_sum, sum, term) : term;
    }
    return (Equation){.left = left, .right = sum ? sum : left};
}
