/* test_trace.c: traces of all functions of the examples and of the standard
 * library: values, tangents and adjoints against those of the whole graph. */
#include "diff/diff.h"
#include "programs.h"
#include "suite.h"
#include "trace/trace.h"

#include <check.h>
#include <glob.h>
#include <math.h>
#include <string.h>

enum { TRIES = 2, MOST_ROWS = 80 };

typedef struct Point {
    bool whole; /* functions of the library are not opened */
    Program *program;
    Graph *g;
    Function *f;
    const char *name;
    Nodes input, root;
    int64_t *size;
    EvalValue *value, *dot, *bar; /* of inputs, inputs, roots */
    Trace *t;
    double slack; /* of adjoints along a direction */
} Point;

static uint64_t state;

static double draw(void)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

static double draw_of(DType t)
{
    double v = draw();
    return dtype_is_real(t) ? 0.1 + 1.4 * v : t == DT_key ? 7 : v >= 0.5;
}

/* False: it has no size, or a large one. */
static bool room(const Point *p, const Node *n, EvalValue *v)
{
    int64_t *size = NEWN(arena, int64_t, n->rank + 1);
    v->count = 1;
    for (int i = 0; i < n->rank; i++) {
        if (!dim_eval(n->dim[i], p->f->nvar, p->f->var, p->size, &size[i]) ||
            size[i] < 0 || size[i] > 4000)
            return false;
        v->count *= size[i];
        if (v->count > 100000)
            return false;
    }
    v->size = size;
    v->x = NEWN(arena, double, v->count + 1);
    if (n->dtype == DT_i64 || n->dtype == DT_key)
        v->wide = NEWN(arena, int64_t, v->count + 1);
    for (int64_t i = 0; i < v->count; i++) {
        v->x[i] = draw_of(n->dtype);
        if (v->wide)
            v->wide[i] = (int64_t)v->x[i];
    }
    return true;
}

static bool rooms(const Point *p, const Nodes *of, EvalValue **to)
{
    *to = NEWN(arena, EvalValue, of->n + 1);
    for (int i = 0; i < of->n; i++)
        if (!room(p, of->at[i], &(*to)[i]))
            return false;
    return true;
}

/* A trace at a random point; false: there is none, or it is long. */
static bool point_new(Point *p, int number, bool expand)
{
    p->size = NEWN(arena, int64_t, p->f->nvar + 1);
    for (int j = 0; j < p->f->nvar; j++)
        p->size[j] = number % 2 ? 4 : 2 + j % 2;
    if (!rooms(p, &p->input, &p->value) || !rooms(p, &p->input, &p->dot) ||
        !rooms(p, &p->root, &p->bar))
        return false;
    TraceOptions o = {.expand = expand,
                      .most = MOST_ROWS,
                      .nvar = p->f->nvar,
                      .var = p->f->var,
                      .size = p->size};
    p->t = trace_new(arena, p->g, &o, p->input.n, p->input.at, p->value,
                     p->root.n, p->root.at);
    return p->t->status == TRACE_ok;
}

static bool is_close(double a, double b, double slack)
{
    return a == b || (isnan(a) && isnan(b)) ||
           fabs(a - b) <= 1e-7 * (1 + fabs(a) + fabs(b)) + slack;
}

/* How far values are apart that rounding alone makes differ: two points that
 * are next to each other. */
static double slack_of(const double *want, const double *beside, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(want[i] - beside[i]));
    return isfinite(most) ? 10 * most : 0;
}

static void expect_same(const Point *p, const char *what, const EvalValue *got,
                        const double *want, const double *beside, int64_t n)
{
    double slack = slack_of(want, beside, n);
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(is_close(got ? got->x[i] : 0, want[i], slack),
                      "%s: %s[%d] is %.17g, expected %.17g", p->name, what,
                      (int)i, got ? got->x[i] : 0, want[i]);
}

/* v, or what is next to it. */
static const double *near(const Node *n, const EvalValue *v, bool beside)
{
    double *x = arena_copy(arena, v->x, sizeof *x * (size_t)(v->count + 1));
    for (int64_t i = 0; beside && i < v->count; i++)
        x[i] *= dtype_is_real(n->dtype) ? 1 + 0x1p-51 : 1;
    return x;
}

/* The values of nodes of the whole graph, of inputs (or what is beside them)
 * and of more parameters. */
static double **values(const Point *p, const Nodes *of, const Nodes *more,
                       const EvalValue *more_value, bool beside)
{
    EvalInput *in = NEWN(arena, EvalInput, p->input.n + more->n + 1);
    double **out = NEWN(arena, double *, of->n + 1);
    int n = 0;
    for (int i = 0; i < p->input.n; i++)
        in[n++] = (EvalInput){p->input.at[i],
                              near(p->input.at[i], &p->value[i], beside)};
    for (int i = 0; i < more->n; i++)
        if (more->at[i])
            in[n++] = (EvalInput){more->at[i], more_value[i].x};
    ck_assert_int_eq(eval_nodes(arena, p->g, of->n, of->at, n, in, p->f->nvar,
                                p->f->var, p->size, out),
                     EVAL_OK);
    return out;
}

static Nodes params_like(Point *p, const Nodes *of)
{
    Nodes to = {0};
    for (int i = 0; i < of->n; i++) {
        const Node *n = of->at[i];
        Node *x = dtype_is_real(n->dtype)
                      ? g_param(p->g, n->dtype, n->rank, n->dim, "like")
                      : NULL;
        list_push(arena, &to, x);
    }
    return to;
}

static void check_values(Point *p)
{
    Nodes none = {0};
    double **want = values(p, &p->root, &none, NULL, false);
    double **beside = values(p, &p->root, &none, NULL, true);
    for (int i = 0; i < p->root.n; i++) {
        const EvalValue *v = &p->t->row.at[p->t->result[i]].value;
        expect_same(p, "value", v, want[i], beside[i], v->count);
    }
}

static const EvalValue *const *given(const Nodes *of, const EvalValue *v)
{
    const EvalValue **to = NEWN(arena, const EvalValue *, of->n + 1);
    for (int i = 0; i < of->n; i++)
        to[i] = dtype_is_real(of->at[i]->dtype) ? &v[i] : NULL;
    return to;
}

/* Of the inputs that are real. */
static void check_adjoints(Point *p)
{
    Nodes bar = params_like(p, &p->root), x = {0};
    p->slack = 0;
    ck_assert(trace_reverse(p->t, given(&p->root, p->bar)));
    for (int i = 0; i < p->input.n; i++)
        if (dtype_is_real(p->input.at[i]->dtype))
            list_push(arena, &x, p->input.at[i]);
    Nodes d = {NEWN(arena, Node *, x.n + 1), x.n, x.n};
    diff_reverse(p->g, p->root.n, p->root.at, bar.at, x.n, x.at, d.at);
    double **want = values(p, &d, &bar, p->bar, false);
    double **beside = values(p, &d, &bar, p->bar, true);
    for (int i = 0, k = 0; i < p->input.n; i++) {
        const TraceRow *row = &p->t->row.at[i];
        if (!dtype_is_real(row->node->dtype))
            continue;
        expect_same(p, row->name, row->has_adjoint ? &row->adjoint : NULL,
                    want[k], beside[k], row->value.count);
        p->slack += 10 * slack_of(want[k], beside[k], row->value.count) *
                    (double)row->value.count;
        k++;
    }
}

/* Each adjoint is what was put in and what comes through others. */
static void check_sums(const Point *p)
{
    for (int k = 0; k < p->t->row.n; k++) {
        const TraceRow *row = &p->t->row.at[k];
        double *sum = NEWN(arena, double, row->value.count + 1);
        if (!row->has_adjoint)
            continue;
        for (int i = 0; row->seeded && i < p->root.n; i++)
            for (int64_t j = 0; p->t->result[i] == k && j < row->value.count;
                 j++)
                sum[j] += p->bar[i].x[j];
        for (int i = 0; i < row->partial.n; i++)
            for (int64_t j = 0; j < row->value.count; j++)
                sum[j] += row->partial.at[i].value.x[j];
        expect_same(p, "sum", &row->adjoint, sum, sum, row->value.count);
    }
}

static double product(const EvalValue *a, const EvalValue *b)
{
    double sum = 0;
    for (int64_t i = 0; i < a->count; i++)
        sum += a->x[i] * b->x[i];
    return sum;
}

/* The adjoint of the result times its tangent is that of the inputs times
 * theirs. */
static void check_tangents(Point *p)
{
    double left = 0, right = 0;
    ck_assert(trace_forward(p->t, given(&p->input, p->dot)));
    for (int i = 0; i < p->root.n; i++) {
        const TraceRow *row = &p->t->row.at[p->t->result[i]];
        if (row->tangent_of)
            left += product(&row->tangent, &p->bar[i]);
    }
    for (int i = 0; i < p->input.n; i++) {
        const TraceRow *row = &p->t->row.at[i];
        if (row->has_adjoint)
            right += product(&row->adjoint, &p->dot[i]);
    }
    ck_assert_msg(
        is_close(left, right, p->slack) || isnan(left) || isnan(right),
        "%s: %.17g by tangents, %.17g by adjoints", p->name, left, right);
}

/* Everything is a formula, in all notations. */
static void check_text(const Point *p)
{
    static const Notation *const all[] = {&notation_text, &notation_tex,
                                          &notation_html};
    TraceText *x = trace_text(p->t);
    const char **name = NEWN(arena, const char *, p->root.n + 1);
    for (int i = 0; i < p->root.n; i++)
        name[i] = "f";
    for (int k = 0; k < 3; k++) {
        Str s = str_new(arena);
        TraceTable o = {.notation = all[k],
                        .digits = 4,
                        .forward = true,
                        .reverse = true,
                        .result = name,
                        .most = 400};
        trace_write(x, &o, p->t, &s);
        ck_assert(s.n > 0 && !strstr(s.at, "(null)"));
    }
    Str s = str_new(arena);
    trace_json(x, p->t, NULL, &s);
    ck_assert(s.n > 0);
}

/* How many points were looked at: 0, or one with and one without the parts of
 * library functions. */
static int check_function(Point *p)
{
    int done = 0;
    if (!p->f)
        return 0;
    p->input = function_inputs(arena, p->f);
    p->root = functions_roots(arena, &p->f, 1);
    for (int expand = 0; expand < 2 - p->whole; expand++)
        for (int k = 0; k < TRIES; k++) {
            graph_written(p->g, true);
            if (!point_new(p, k, expand))
                continue;
            check_values(p);
            check_adjoints(p);
            check_sums(p);
            check_tangents(p);
            check_text(p);
            done++;
            break;
        }
    return done;
}

static Program *load(const char *path, const char *text)
{
    const CheckOptions o = {.real = DT_f64, .labels = true, .written = true};
    Program *p = check_program(arena, diags, path, text, strlen(text), &o);
    ck_assert_msg(p, "%s", messages());
    return p;
}

/* A function by its name, or what an expression denotes. */
static int check_named(Point *p, const char *name, const char *expression)
{
    graph_written(p->g, true);
    p->name = name;
    p->f = program_function(p->program, expression);
    return check_function(p);
}

/* All functions that a text declares. */
static int check_declared(Point *p, const char *text)
{
    int done = 0;
    for (const char *c = text; (c = strstr(c, "\nfn ")); c += 4) {
        size_t n = strcspn(c + 4, "([");
        const char *name = arena_printf(arena, "%.*s", (int)n, c + 4);
        done += check_named(p, name, name);
    }
    return done;
}

static int check_samples(Point *p, Program *of)
{
    int n, done = 0;
    Sample *s = program_samples(of, &n);
    for (int i = 0; i < n; i++)
        if (s[i].function)
            done += check_named(p, s[i].name, s[i].expression);
    return done;
}

static Point point_in(Program *p)
{
    return (Point){.whole = true, .program = p, .g = program_module(p)->graph};
}

/* Its functions; of a file of the library as a program's, and as others call
 * them. */
static int check_file(const char *path)
{
    const char *text = file_text(arena, path);
    Program *own = load(path, text);
    Point p = point_in(own);
    int done = check_declared(&p, text) + check_samples(&p, own);
    if (!strstr(path, "src/std"))
        return done;
    p = point_in(load("user.nn", "use nn; use optim; use solvers;"));
    p.whole = false;
    return done + check_declared(&p, text) + check_samples(&p, own);
}

static void check_files(const char *pattern, int at_least)
{
    glob_t g;
    int done = 0;
    ck_assert_int_eq(glob(pattern, 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        programs_setup();
        done += check_file(g.gl_pathv[i]);
        programs_teardown();
    }
    globfree(&g);
    ck_assert_msg(done >= at_least, "%d points", done);
}

START_TEST(examples) { check_files("examples/*/*.nn", 80); }
END_TEST

START_TEST(library) { check_files("src/std/*.nn", 100); }
END_TEST

int main(void)
{
    Suite *s = suite_create("trace");
    TCase *t = tcase_create("trace");
    tcase_add_test(t, examples);
    tcase_add_test(t, library);
    suite_add_tcase(s, t);
    return run_suite(s);
}
