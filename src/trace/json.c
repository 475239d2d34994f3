/* json.c: a trace as JSON, for other programs. */
#include "trace/internal.h"

#include <math.h>

enum { MOST_ELEMENTS = 1000 }; /* of a tensor whose elements are there */

static void put_form(const char *what, const Form *f, Str *to)
{
    Str s = str_new(to->arena);
    form_write(&notation_text, f, &s);
    str_printf(to, "\"%s\": ", what);
    str_json(to, s.at);
}

/* What is no number is text, as `nncc run` has it. */
static void put_number(double v, DType t, Str *to)
{
    if (t == DT_bool)
        str_printf(to, v != 0 ? "true" : "false");
    else if (!isfinite(v))
        str_printf(to, isnan(v) ? "\"nan\"" : v > 0 ? "\"inf\"" : "\"-inf\"");
    else
        str_printf(to, "%.17g", v);
}

static void put_elements(const Node *n, const EvalValue *v, int axis,
                         int64_t *next, Str *to)
{
    if (axis == n->rank) {
        int64_t i = (*next)++;
        if (v->wide)
            str_printf(to, "%lld", (long long)v->wide[i]);
        else
            put_number(v->x[i], n->dtype, to);
        return;
    }
    str_printf(to, "[");
    for (int64_t i = 0; i < v->size[axis]; i++) {
        str_printf(to, i ? ", " : "");
        put_elements(n, v, axis + 1, next, to);
    }
    str_printf(to, "]");
}

static void put_value(const char *what, const Node *n, const EvalValue *v,
                      Str *to)
{
    int64_t next = 0;
    double sum = 0;
    if (v->count <= MOST_ELEMENTS) {
        str_printf(to, ", \"%s\": ", what);
        put_elements(n, v, 0, &next, to);
        return;
    }
    for (int64_t i = 0; i < v->count; i++)
        sum += v->x[i] * v->x[i];
    str_printf(to, ", \"%s_norm\": ", what);
    put_number(sqrt(sum), DT_f64, to);
}

static void put_steps(const TraceStep *s, Str *to)
{
    if (s->up)
        put_steps(s->up, to);
    str_printf(to, s->up ? ", {" : "{");
    str_json(to, s->name);
    str_printf(to, ": %lld}", (long long)s->t);
}

static void put_place(const Diags *sources, Span at, Str *to)
{
    const Source *s = sources && at.end ? diags_source_of(sources, at) : NULL;
    int line, column;
    if (!s)
        return;
    diags_position(sources, at, &line, &column);
    str_printf(to, ", \"file\": ");
    str_json(to, s->path);
    str_printf(to, ", \"line\": %d", line);
}

static void put_shape(const TraceRow *row, Str *to)
{
    str_printf(to, ", \"dtype\": \"%s\", \"shape\": [",
               dtype_name(row->node->dtype));
    for (int i = 0; i < row->node->rank; i++)
        str_printf(to, "%s%lld", i ? ", " : "", (long long)row->value.size[i]);
    str_printf(to, "]");
}

static void put_partials(TraceText *x, const Trace *t, int k, Str *to)
{
    const TraceRow *row = &t->row.at[k];
    str_printf(to, ", \"partial_adjoints\": [");
    for (int i = row->partial.n - 1; i >= 0; i--) {
        const TracePartial *p = &row->partial.at[i];
        Equation e = trace_partial(x, k, i);
        str_printf(to, "{\"through\": %d, ", t->row.at[p->through].number);
        put_form("formula", e.right, to);
        put_value("value", row->node, &p->value, to);
        str_printf(to, i ? "}, " : "}");
    }
    str_printf(to, "]");
}

static void put_row(TraceText *x, const Trace *t, const Diags *sources, int k,
                    Str *to)
{
    const TraceRow *row = &t->row.at[k];
    Equation e = trace_formula(x, k);
    str_printf(to, "{\"row\": %d, ", row->number);
    put_form("name", trace_name(x, k, MARK_none), to);
    str_printf(to, ", ");
    put_form("formula", e.right, to);
    put_place(sources, row->node->span, to);
    if (row->step) {
        str_printf(to, ", \"steps\": [");
        put_steps(row->step, to);
        str_printf(to, "]");
    }
    put_shape(row, to);
    put_value("value", row->node, &row->value, to);
    if (row->tangent_of) {
        e = trace_tangent(x, k);
        str_printf(to, ", ");
        put_form("tangent_formula", e.right, to);
        put_value("tangent", row->node, &row->tangent, to);
    }
    if (row->has_adjoint) {
        put_value("adjoint", row->node, &row->adjoint, to);
        put_partials(x, t, k, to);
    }
    str_printf(to, "}");
}

void trace_json(TraceText *x, const Trace *t, const Diags *sources, Str *to)
{
    const char *comma = "";
    str_printf(to, "{\"rows\": [");
    for (int k = 0; k < t->row.n; k++) {
        if (!t->row.at[k].number)
            continue;
        str_printf(to, "%s\n", comma);
        put_row(x, t, sources, k, to);
        comma = ",";
    }
    str_printf(to, "],\n\"results\": [");
    for (int i = 0; i < t->nresult; i++)
        str_printf(to, "%s%d", i ? ", " : "", t->row.at[t->result[i]].number);
    str_printf(to, "]}\n");
}
