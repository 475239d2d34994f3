/* trace.c: nncc trace: the values of a function at a point, one after another,
 * with tangents and adjoints. */

#include "trace/trace.h"
#include "cli/call.h"
#include "cli/derivative.h"
#include "gradcheck/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Lines of a table at most: more nobody reads. */
enum { MOST_LINES = 400, DIGITS = 4 };

typedef struct Tracing {
    Args *args;
    Load load;
    const char *of;
    Function *f;
    Call call;
    Nodes input, root;
    nncc_rng rng;
    Trace *trace;
} Tracing;

/* Arguments */

/* The type and the leaves of a parameter or result, as a call has it. */
static nn_port *port_of(const Tracing *c, const Port *p)
{
    Arena *a = c->load.arena;
    Graph *g = c->load.module->graph;
    nn_port *to = NEW(a, nn_port);
    const nn_leaf **leaf = NEWN(a, const nn_leaf *, p->nleaf + 1);
    Leaf *of = type_leaves(g, p->type, NULL);
    Str type = str_new(a);

    type_describe(p->type, c->load.module->real, &type);
    for (int i = 0; i < p->nleaf; i++) {
        nn_leaf *l = NEW(a, nn_leaf);
        *l = (nn_leaf){.size = sizeof *l,
                       .dtype = (int32_t)of[i].dtype,
                       .path = of[i].path,
                       .shape = "",
                       .rank = of[i].rank};
        leaf[i] = l;
    }
    *to = (nn_port){.size = sizeof *to,
                    .name = p->name,
                    .type = type.at,
                    .leaf = leaf,
                    .nleaf = p->nleaf};
    return to;
}

static bool same_size(const Tracing *c, const Node *n, const nncc_tensor *t)
{
    int64_t size;

    for (int i = 0; i < n->rank; i++)
        if (!dim_eval(n->dim[i], c->f->nvar, c->f->var, c->call.dims, &size) ||
            size != t->size[i])
            return false;
    return true;
}

/* Sizes that arguments tell, and 3 or 4 for others. */
static void draw_sizes(Tracing *c)
{
    const Call *of = &c->call;

    nncc_solve(of->f, of->leaf, of->dims);
    for (int j = 0; j < of->f->ndim; j++)
        if (of->dims[j] == -1)
            of->dims[j] = 3 + j % 2;
}

static bool draw_input(Tracing *c, int i)
{
    const Node *n = c->input.at[i];
    int64_t size[NNCC_MAX_RANK] = {0};

    for (int k = 0; k < n->rank; k++)
        if (!dim_eval(n->dim[k], c->f->nvar, c->f->var, c->call.dims, &size[k]))
            size[k] = -1;
    if (nncc_tensor_new((int)n->dtype, n->rank, size, &c->call.leaf[i]) !=
        NN_OK) {
        cli_fail("%s: %s", n->attr.name, nncc_last_error());
        return false;
    }
    int64_t count = tensor_elements(c->call.leaf[i]);
    for (int64_t k = 0; k < count; k++)
        tensor_set(c->call.leaf[i], k, draw_argument(&c->rng, n->dtype));
    return true;
}

static bool draw_missing(Tracing *c)
{
    int64_t seed = 1;
    bool good = option_int(c->args, "seed", 0, &seed);

    nncc_rng_seed(&c->rng, (uint64_t)seed);
    draw_sizes(c);
    for (int i = 0; good && i < c->input.n; i++)
        if (!c->call.leaf[i])
            good = draw_input(c, i);
    return good;
}

static bool take_arguments(Tracing *c)
{
    const Args *a = c->args;

    for (int i = 2; i < a->word.n; i++)
        if (!call_word(&c->call, a->word.at[i]))
            return false;
    if (option_value(a, "seed") && !draw_missing(c))
        return false;
    if (!call_defaults(&c->call))
        return false;
    if (nncc_solve(c->call.f, c->call.leaf, c->call.dims) == NN_OK)
        return true;
    return cli_failed();
}

/* Directions and adjoints */

typedef const EvalValue *const *Values;

static const EvalValue *kept(Tracing *c, const Node *n, const nncc_tensor *t)
{
    EvalValue v = call_value(c->load.arena, n, t);
    return arena_copy(c->load.arena, &v, sizeof v);
}

static const EvalValue *one(Tracing *c)
{
    EvalValue v = {.x = NEW(c->load.arena, double), .count = 1};
    v.x[0] = 1;
    return arena_copy(c->load.arena, &v, sizeof v);
}

static bool is_real_scalar(const Node *n)
{
    return n->rank == 0 && dtype_is_real(n->dtype);
}

/* text as values of p's real leaves, to[0 … nleaf-1]. */
static bool read_port(Tracing *c, const Port *p, const char *text,
                      const EvalValue **to)
{
    Arena *a = c->load.arena;
    const nn_port *port = port_of(c, p);
    nncc_tensor **leaf = NEWN(a, nncc_tensor *, p->nleaf + 1);
    bool good = value_read(a, port, text, leaf);

    for (int i = 0; i < p->nleaf && good; i++) {
        good = same_size(c, p->leaf[i], leaf[i]);
        if (!good)
            cli_fail("%s: '%s' is not of the shape of %s", c->of, text,
                     p->name);
        else if (dtype_is_real(p->leaf[i]->dtype))
            to[i] = kept(c, p->leaf[i], leaf[i]);
    }
    for (int i = 0; i < p->nleaf; i++)
        nncc_tensor_free(leaf[i]);
    return good;
}

static bool no_port(const Tracing *c, const char *what, const char *name,
                    const Port *p, int n)
{
    unknown_port(c->load.arena, c->of, what, name, p, n);
    return false;
}

static const char *type_text(const Tracing *c, const Port *p)
{
    Str s = str_new(c->load.arena);
    type_describe(p->type, c->load.module->real, &s);
    return s.at;
}

/* x, or x=VALUE. */
static bool read_direction(Tracing *c, const char *text, const EvalValue **to)
{
    const char *value, *given = cli_name(c->load.arena, text, &value);
    const char *name = given ? given : text;
    const Port *p = c->f->param;
    int i = 0;

    for (; i < c->f->nparam; to += p[i++].nleaf)
        if (!strcmp(p[i].name, name))
            break;
    if (i == c->f->nparam)
        return no_port(c, "parameter", name, p, c->f->nparam);
    if (given)
        return read_port(c, &p[i], value, to);
    if (p[i].nleaf != 1 || !is_real_scalar(p[i].leaf[0])) {
        cli_fail("%s is %s: in which direction? --forward %s=VALUE", p[i].name,
                 type_text(c, &p[i]), p[i].name);
        return false;
    }
    to[0] = one(c);
    return true;
}

static bool forward(Tracing *c)
{
    const Args *a = c->args;
    const EvalValue **v =
        NEWN(c->load.arena, const EvalValue *, c->input.n + 1);

    const char *text;
    for (int i = 0; (text = option_next(a, "forward", &i));)
        if (!read_direction(c, text, v))
            return false;
    return !option_value(a, "forward") || trace_forward(c->trace, v);
}

/* VALUE, or NAME=VALUE of one of several results. */
static bool read_adjoint(Tracing *c, const char *text, const EvalValue **to)
{
    const char *value, *name = cli_name(c->load.arena, text, &value);
    const Port *p = c->f->result;

    if (c->f->nresult == 1 && !name)
        return read_port(c, p, text, to);
    for (int i = 0; name && i < c->f->nresult; to += p[i++].nleaf)
        if (!strcmp(p[i].name, name))
            return read_port(c, &p[i], value, to);
    return no_port(c, "result", name ? name : "", p, c->f->nresult);
}

/* 1, of the one result that is a real number. */
static bool usual_adjoint(Tracing *c, const EvalValue **to)
{
    int found = 0;

    for (int i = 0; i < c->root.n; i++)
        if (dtype_is_real(c->root.at[i]->dtype))
            found = found || !is_real_scalar(c->root.at[i]) ? -1 : i + 1;
    if (found > 0) {
        to[found - 1] = one(c);
        return true;
    }
    if (c->f->nresult == 1)
        cli_fail("%s gives %s: which adjoint does it have? --adjoint=VALUE",
                 c->of, type_text(c, &c->f->result[0]));
    else
        cli_fail("%s gives %d results: which adjoints do they have? "
                 "--adjoint=%s=VALUE",
                 c->of, c->f->nresult, c->f->result[0].name);
    return false;
}

static bool wants_reverse(const Args *a)
{
    return option_value(a, "reverse") || option_value(a, "adjoint");
}

static bool reverse(Tracing *c)
{
    const Args *a = c->args;
    const EvalValue **v = NEWN(c->load.arena, const EvalValue *, c->root.n + 1);

    if (!wants_reverse(a))
        return true;
    if (c->trace->status == TRACE_long) {
        cli_fail("%s is too large for adjoints: it has more than %d rows",
                 c->of, TRACE_ROWS);
        return false;
    }
    const char *text;
    for (int i = 0; (text = option_next(a, "adjoint", &i));)
        if (!read_adjoint(c, text, v))
            return false;
    if (!option_value(a, "adjoint") && !usual_adjoint(c, v))
        return false;
    return trace_reverse(c->trace, v);
}

/* Writing */

/* "f: m.nn:3", or "f". */
static const char *place_text(const Tracing *c, Span at)
{
    Arena *a = c->load.arena;
    const char *place = diags_place(c->load.diags, a, at, false);

    return place ? arena_printf(a, "%s: %s", c->of, place) : c->of;
}

/* None of what the call makes has a negative size; false after reporting. */
static bool sizes_hold(const Tracing *c)
{
    const Function *f = c->f;
    int64_t v;

    for (int i = 0; i < f->nsize; i++)
        if (dim_eval(f->size[i].dim, f->nvar, f->var, c->call.dims, &v) &&
            v < 0) {
            cli_fail("%s: a size is negative: '%s' is %lld",
                     place_text(c, f->size[i].at),
                     dim_text(c->load.module->graph, f->size[i].dim),
                     (long long)v);
            return false;
        }
    return true;
}

/* Where the trace stopped, and why. */
static int tell_stop(const Tracing *c)
{
    const Trace *t = c->trace;
    const Source *s = t->at.end ? diags_source_of(c->load.diags, t->at) : NULL;
    const char *at = place_text(c, t->at);

    if (t->status == TRACE_index)
        return cli_fail("%s: index %lld%s%s%s is not in 0 ... %lld", at,
                        (long long)t->stop.index, s ? " of '" : "",
                        s ? source_text(c->load.arena, s, t->at) : "",
                        s ? "'" : "", (long long)t->stop.limit - 1);
    return cli_fail("%s: a size is negative, or the values are too large to be "
                    "kept",
                    at);
}

static int show(Tracing *c, const TraceTable *o)
{
    Str text = str_new(c->load.arena);
    TraceText *x = trace_text(c->trace);
    int left_off = 0;

    if (option_value(c->args, "json"))
        trace_json(x, c->trace, c->load.diags, &text);
    else
        left_off = trace_write(x, o, c->trace, &text);
    int status = cli_output(c->args, &text);
    if (c->trace->status == TRACE_long)
        fprintf(stderr, "nncc: %s is large: it is traced as far as row %d\n",
                c->of, TRACE_ROWS);
    if (left_off)
        fprintf(stderr,
                "nncc: %s is large: %d lines are left out; --json has all\n",
                c->of, left_off);
    return status;
}

static Node **known(void *program, int nroot, Node *const *root, int *n)
{
    return program_known(program, nroot, root, n);
}

/* What the results are called, leaf after leaf. */
static const char *const *result_names(const Tracing *c)
{
    LIST(const char *) name = {0};
    Arena *a = c->load.arena;

    for (int i = 0; i < c->f->nresult; i++) {
        const Port *p = &c->f->result[i];
        Leaf *leaf = type_leaves(c->load.module->graph, p->type, NULL);
        for (int k = 0; k < p->nleaf; k++)
            list_push(a, &name,
                      *leaf[k].path
                          ? arena_printf(a, "%s.%s", p->name, leaf[k].path)
                          : p->name);
    }
    return name.at;
}

static int trace_call(Tracing *c, TraceTable *o)
{
    const Function *f = c->f;
    Arena *a = c->load.arena;
    EvalValue *v = NEWN(a, EvalValue, c->input.n + 1);
    TraceOptions to = {.expand = option_value(c->args, "expand") != NULL,
                       .nvar = f->nvar,
                       .var = f->var,
                       .size = c->call.dims,
                       .known = known,
                       .user = c->load.program};

    if (!take_arguments(c) || !sizes_hold(c))
        return EXIT_FAILURE;
    for (int i = 0; i < c->input.n; i++)
        v[i] = call_value(a, c->input.at[i], c->call.leaf[i]);
    c->trace = trace_new(a, c->load.module->graph, &to, c->input.n, c->input.at,
                         v, c->root.n, c->root.at);
    TraceStatus s = c->trace->status;
    if (s == TRACE_index || s == TRACE_size)
        return tell_stop(c);
    if (!forward(c) || !reverse(c))
        return c->trace->status == s ? EXIT_FAILURE : tell_stop(c);
    o->result = result_names(c);
    return show(c, o);
}

/* A function of the same parameters: its code says what arguments are. */
static Function *nothing_of(const Tracing *c)
{
    Function *f = arena_copy(c->load.arena, c->f, sizeof *f);

    f->result = NULL;
    f->nresult = 0;
    f->deriv = DERIV_none;
    return f;
}

static int trace_function(Tracing *c, TraceTable *o)
{
    Function *nothing = nothing_of(c);
    Jit *j = driver_jit(&c->load, &nothing, 1);
    int status = EXIT_FAILURE;

    if (!j)
        return status;
    if (call_begin(&c->call, c->args, jit_module(j))) {
        status = trace_call(c, o);
        call_end(&c->call);
    }
    jit_close(j);
    return status;
}

static bool read_table(const Args *a, TraceTable *o)
{
    int64_t digits = DIGITS;

    if (!option_int(a, "digits", 1, &digits))
        return false;
    *o = (TraceTable){.notation = &notation_text,
                      .digits = digits > 17 ? 17 : (int)digits,
                      .forward = option_value(a, "forward") != NULL,
                      .reverse = wants_reverse(a),
                      .most = MOST_LINES};
    if (option_value(a, "tex"))
        o->notation = &notation_tex;
    if (option_value(a, "html"))
        o->notation = &notation_html;
    return true;
}

static int trace(Args *a)
{
    Tracing c = {.args = a, .load = {.labels = true, .written = true}};
    TraceTable o;

    if (!read_table(a, &o))
        return EXIT_USAGE;
    int status = driver_load(a, a->word.at[0], DT_f64, &c.load);
    if (status)
        return status;
    c.of = driver_expression(&c.load, a->word.at[1]);
    c.f = program_function(c.load.program, c.of);
    if (!c.f) {
        driver_diags(&c.load);
        return EXIT_FAILURE;
    }
    c.input = function_inputs(c.load.arena, c.f);
    c.root = functions_roots(c.load.arena, &c.f, 1);
    return trace_function(&c, &o);
}

static const Option options[] = {
    {"forward", 0, "NAME[=VALUE]",
     "tangents in this direction: by a number, or along VALUE"},
    {"reverse", 0, NULL, "adjoints, of a function that gives a number"},
    {"adjoint", 0, "[NAME=]VALUE", "adjoints from this one of the result on"},
    {"expand", 0, NULL, "what library functions are made of, too"},
    {"seed", 0, "N", "draw the arguments that are not given"},
    {"digits", 0, "N", "of numbers in tables (4)"},
    {"tex", 0, NULL, "a LaTeX document"},
    {"html", 0, NULL, "a page with MathML"},
    {"json", 0, NULL, "all rows with their lines in the source"},
    {"output", 'o', "FILE", "write there"},
    {"dim", 0, "NAME=SIZE", "fix a dimension of the model"},
    {"real", 0, "f32|f64", "what 'real' is (f64)"},
    {NULL, 0, NULL, NULL},
};

static const OptionRule rules[] = {
    {RULE_one, "tex html json", NULL, NULL},
    {RULE_one, NULL, NULL, NULL},
};

const Command command_trace = {
    .name = "trace",
    .usage = "trace MODEL.nn FUNCTION [name=value]… [options]",
    .about =
        "Shows how a function, or what an expression like 'grad(f, x)' "
        "denotes, is\nevaluated: a row for each operation, with its value, its "
        "tangent and its\nadjoint. Arguments are written as for 'nncc run'.",
    .option = options,
    .rule = rules,
    .least = 2,
    .run = trace,
};
