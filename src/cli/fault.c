/* fault.c: the step that failed is evaluated again, operation by operation, by
 * the reference evaluator with numbers rounded as in the compiled code; from
 * what is not finite in the end the way leads back to where it began. */

#include "cli/fault.h"
#include "cli/call.h"
#include "graph/op.h"
#include "trace/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Fault {
    Load load;
    const nncc_store *step; /* its arguments */
    const Function *f;
    Nodes input;
    int64_t *size; /* of f's variables */
    TraceOptions options;
    Trace *trace;
} Fault;

/* The step */

static const nncc_tensor *find(const Fault *f, const Port *p, const char *path)
{
    return nncc_store_find(f->step, leaf_name(f->load.arena, p->name, path));
}

static bool read_sizes(Fault *f)
{
    f->size = NEWN(f->load.arena, int64_t, f->f->nvar + 1);
    for (int i = 0; i < f->f->nvar; i++) {
        const char *text =
            nncc_store_text(f->step, arena_printf(f->load.arena, "dim.%s",
                                                  dim_var_name(f->f->var[i])));
        if (!text)
            return false;
        f->size[i] = strtoll(text, NULL, 10);
    }
    return true;
}

/* One value for each input; NULL: the store is of another function. */
static EvalValue *read_values(Fault *f)
{
    Arena *a = f->load.arena;
    EvalValue *v = NEWN(a, EvalValue, f->input.n + 1);
    int n = 0;

    for (int i = 0; i < f->f->nparam; i++) {
        const Port *p = &f->f->param[i];
        Leaf *leaf = type_leaves(f->load.module->graph, p->type, NULL);
        for (int k = 0; k < p->nleaf; k++, n++) {
            const nncc_tensor *t = find(f, p, leaf[k].path);
            if (!t || t->rank != p->leaf[k]->rank)
                return NULL;
            v[n] = call_value(a, p->leaf[k], t);
        }
    }
    return v;
}

static bool trace_step(Fault *f)
{
    Node *loss = f->f->result[0].leaf[0];
    f->input = function_inputs(f->load.arena, f->f);
    EvalValue *v = read_sizes(f) ? read_values(f) : NULL;

    if (!v)
        return false;
    f->options = (TraceOptions){.expand = true,
                                .narrow = true,
                                .nvar = f->f->nvar,
                                .var = f->f->var,
                                .size = f->size};
    f->trace = trace_new(f->load.arena, f->load.module->graph, &f->options,
                         f->input.n, f->input.at, v, 1, &loss);
    return true;
}

/* What is not finite */

/* The first element that is NaN, or else infinite; -1: all are finite. */
static int64_t bad_element(const EvalValue *v)
{
    int64_t found = -1;

    for (int64_t i = 0; i < v->count; i++) {
        if (isnan(v->x[i]))
            return i;
        if (found < 0 && !isfinite(v->x[i]))
            found = i;
    }
    return found;
}

static bool has_nan(const EvalValue *v)
{
    int64_t i = bad_element(v);
    return i >= 0 && isnan(v->x[i]);
}

static bool is_bad(const TraceRow *r)
{
    return dtype_is_real(r->node->dtype) && bad_element(&r->value) >= 0;
}

/* Of what row k is made of, that which made it so: NaN of NaN, or else of what
 * is infinite; -1: it began here. */
static int bad_use(const Trace *t, int k)
{
    const TraceRow *r = &t->row.at[k];
    int found = -1;

    for (int i = 0; i < r->use.n; i++) {
        int u = r->use.at[i].row;
        const TraceRow *of = &t->row.at[u];
        if (!is_bad(of))
            continue;
        if (has_nan(&of->value))
            return u;
        found = u;
    }
    return found;
}

/* Telling */

/* "m.nn:3:8: 'exp(z)'", and for what is inside of the library the call. */
static void tell_operation(const Fault *f, const Node *n, Str *to)
{
    const Diags *d = f->load.diags;
    const char *place = diags_place(d, to->arena, n->span, true);

    if (!place) {
        str_printf(to, "an operation '%s'", op_table[n->op]->name);
        return;
    }
    str_printf(to, "%s: '%s'", place,
               source_text(to->arena, diags_source_of(d, n->span), n->span));
    for (int call = n->call; call;
         call = graph_call_outer(f->load.module->graph, call))
        str_printf(to, " in %s", graph_call_name(f->load.module->graph, call));
}

static void tell_number(double v, Str *to)
{
    if (isnan(v))
        str_printf(to, "not a number");
    else if (isinf(v))
        str_printf(to, v > 0 ? "infinite" : "-infinite");
    else
        str_printf(to, "%.6g", v);
}

/* " at [2, 0]" */
static void tell_place(const Node *n, const EvalValue *v, int64_t i, Str *to)
{
    str_printf(to, n->rank ? " at " : "");
    str_element(to, n->rank, v->size, i);
}

static const char *name_of(const Fault *f, const TraceRow *r)
{
    const Source *s = r->node->span.end
                          ? diags_source_of(f->load.diags, r->node->span)
                          : NULL;

    return r->name ? r->name
           : s     ? source_text(f->load.arena, s, r->node->span)
                   : op_table[r->node->op]->name;
}

/* ", where z is 100": of what has an element for this one. */
static void tell_arguments(const Fault *f, const TraceRow *r, int64_t i,
                           Str *to)
{
    bool first = true;

    for (int k = 0; k < r->use.n; k++) {
        const TraceRow *u = &f->trace->row.at[r->use.at[k].row];
        if (u->value.count != r->value.count && u->value.count != 1)
            continue;
        str_printf(to, first ? ", where %s is " : ", %s is ", name_of(f, u));
        tell_number(u->value.x[u->value.count == 1 ? 0 : i], to);
        first = false;
    }
}

static void say(const Str *s) { fprintf(stderr, "%s\n", s->at); }

static void tell_value(const Fault *f, int k)
{
    const TraceRow *r = &f->trace->row.at[k];
    int64_t i = bad_element(&r->value);
    Str s = str_new(f->load.arena);

    if (r->input) {
        str_printf(&s, "the argument %s is ", r->name);
    } else {
        tell_operation(f, r->node, &s);
        str_printf(&s, ": its value (%s) is ", op_table[r->node->op]->name);
    }
    tell_number(r->value.x[i], &s);
    tell_place(r->node, &r->value, i, &s);
    tell_arguments(f, r, i, &s);
    say(&s);
}

/* Where what is not a number began, and what is infinite that it is made of. */
static void tell_values(const Fault *f, int k)
{
    const Trace *t = f->trace;
    int from = k, next;

    while (
        (next = bad_use(t, from)) >= 0 &&
        (!has_nan(&t->row.at[from].value) || has_nan(&t->row.at[next].value)))
        from = next;
    int infinite = from;
    while ((next = bad_use(t, infinite)) >= 0)
        infinite = next;
    if (infinite != from)
        tell_value(f, infinite);
    tell_value(f, from);
}

/* The adjoint of row k is not finite because of that of another, or through a
 * partial derivative of it. */
static const TracePartial *bad_partial(const TraceRow *r)
{
    for (int i = 0; i < r->partial.n; i++)
        if (bad_element(&r->partial.at[i].value) >= 0)
            return &r->partial.at[i];
    return NULL;
}

static void tell_derivative(const Fault *f, int k)
{
    const Trace *t = f->trace;
    const TracePartial *p = bad_partial(&t->row.at[k]);
    Str s = str_new(f->load.arena);

    while (p && t->row.at[p->through].has_adjoint &&
           bad_element(&t->row.at[p->through].adjoint) >= 0) {
        k = p->through;
        p = bad_partial(&t->row.at[k]);
    }
    const TraceRow *r = &t->row.at[k];
    if (!p) {
        int64_t i = bad_element(&r->adjoint);
        str_printf(&s,
                   "the derivative by %s, of which each part is finite, "
                   "is added up to what is ",
                   name_of(f, r));
        tell_number(r->adjoint.x[i], &s);
        say(&s);
        return;
    }
    int64_t i = bad_element(&p->value);
    tell_operation(f, t->row.at[p->through].node, &s);
    str_printf(&s, ": its derivative by %s is ", name_of(f, r));
    tell_number(p->value.x[i], &s);
    tell_place(r->node, &r->value, i, &s);
    str_printf(&s, ", where it is ");
    tell_number(r->value.x[i], &s);
    say(&s);
}

/* Of the first input whose adjoint is not finite; false: all are. */
static bool tell_derivatives(const Fault *f)
{
    Trace *t = f->trace;
    double one = 1;
    EvalValue v = {.x = &one, .count = 1};
    const EvalValue *seed[] = {&v};

    if (!trace_reverse(t, seed))
        return false;
    for (int k = 0; k < f->input.n; k++) {
        const TraceRow *r = &t->row.at[k];
        if (r->has_adjoint && bad_element(&r->adjoint) >= 0) {
            tell_derivative(f, k);
            return true;
        }
    }
    return false;
}

static void tell_trace(const Fault *f)
{
    const Trace *t = f->trace;
    bool told = true;

    if (t->status == TRACE_long) {
        for (int k = 0; k < t->row.n; k++)
            if (is_bad(&t->row.at[k]) && has_nan(&t->row.at[k].value)) {
                tell_values(f, k);
                return;
            }
        fprintf(stderr,
                "the step has more than %d operations, and the first "
                "of them are finite\n",
                TRACE_ROWS);
    } else if (t->status != TRACE_ok) {
        fprintf(stderr, "the values of the step are too many to be kept\n");
    } else if (is_bad(&t->row.at[t->result[0]])) {
        tell_values(f, t->result[0]);
    } else {
        told = tell_derivatives(f);
    }
    if (!told)
        fprintf(stderr, "operation by operation the step is finite: its "
                        "numbers are near the largest that there are\n");
}

void fault_tell(const Args *a, const nncc_model *m, uint64_t hash)
{
    Fault f = {.load = {.labels = true, .written = true}};
    Args own = *a;
    const char *name;

    if (nncc_stopped_step(m, &f.step) != NN_OK)
        return;
    name = nncc_store_text(f.step, "function");
    if (driver_load(&own, a->word.at[0], DT_f32, &f.load))
        return;
    f.f = module_function(f.load.module, name);
    if (!f.f || f.load.module->hash != hash || !trace_step(&f)) {
        fprintf(stderr, "%s has changed since the training began\n",
                a->word.at[0]);
        return;
    }
    tell_trace(&f);
}
