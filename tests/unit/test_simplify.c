/* test_simplify.c: the table of rules, and identities.txt: both sides of each
 * become the same node, or stay two, and have the same value. */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "eval/eval.h"
#include "graph/ops/ops.h"
#include "simplify/simplify.h"
#include "suite.h"

enum { MAX_LINES = 1000 };

typedef struct Line {
    char *file, *params, *left, *right;
    bool formulas; /* ~~: as formulas */
    bool apart;    /* !=: each stays as it is written */
} Line;

static Line lines[MAX_LINES];
static int nlines;

static char *trimmed(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && strchr(" \t\r\n", to[-1]))
        to--;
    return strndup(from, (size_t)(to - from));
}

static void read_lines(void)
{
    FILE *f = fopen("tests/identities.txt", "r");
    char text[1024], *file = NULL, *params = NULL;

    while (f && fgets(text, sizeof text, f) && nlines < MAX_LINES) {
        char *end = text + strlen(text), *eq = strstr(text, " == ");
        bool formulas = !eq && (eq = strstr(text, " ~~ "));
        bool apart = !eq && (eq = strstr(text, " != "));

        if (*text == '%')
            file = trimmed(text + 1, end);
        else if (*text == '@')
            params = trimmed(text + 1, end);
        else if (*text != '#' && eq)
            lines[nlines++] = (Line){
                file,     params, trimmed(text, eq), trimmed(eq + 4, end),
                formulas, apart};
    }
    if (f)
        fclose(f);
}

typedef struct Case {
    Arena *arena;
    Diags *diags;
    Program *program;
    Function *side[2]; /* left and right */
} Case;

static const char program_text[] = "use nn;\n";

/* file: the program whose functions they use, or NULL for `use nn;`. */
static void case_open(Case *c, const char *file, const char *params,
                      const char *left, const char *right, bool formulas)
{
    CheckOptions o = {.real = DT_f64, .labels = formulas};

    c->arena = arena_new();
    c->diags = diags_new(c->arena);
    if (file)
        c->program = check_program(c->arena, c->diags, file, NULL, 0, &o);
    else
        c->program = check_program(c->arena, c->diags, "identities.nn",
                                   program_text, sizeof program_text - 1, &o);
    const char *fn[] = {arena_printf(c->arena, "fn(%s) = %s", params, left),
                        arena_printf(c->arena, "fn(%s) = %s", params, right)};
    if (!c->program || !program_alike(c->program, 2, fn, c->side)) {
        diags_print(c->diags, stderr, false);
        ck_abort_msg("%s == %s", left, right);
    }
}

static const char *formula(Case *c, const Node *n)
{
    Str s = str_new(c->arena);

    node_print(n, &s);
    return s.at;
}

/* Values of both sides at one random point, before simplification. */
static void same_value(Case *c)
{
    Node *root[2] = {c->side[0]->result[0].leaf[0],
                     c->side[1]->result[0].leaf[0]};
    EvalInput in[32];
    int64_t size[32];
    double *out[2];
    int nin = 0;
    int64_t count = 1, v;

    for (int i = 0; i < c->side[0]->nvar; i++)
        size[i] = 2 + i;
    for (int p = 0; p < c->side[0]->nparam; p++) {
        Node *leaf = c->side[0]->param[p].leaf[0];
        double *data;

        count = 1;
        for (int k = 0; k < leaf->rank; k++) {
            ck_assert(dim_eval(leaf->dim[k], c->side[0]->nvar, c->side[0]->var,
                               size, &v));
            count *= v;
        }
        data = NEWN(c->arena, double, count);
        for (int64_t k = 0; k < count; k++)
            data[k] = dtype_is_int(leaf->dtype)
                          ? rand() % 2
                          : 0.3 + (double)(rand() % 1000) / 1000;
        in[nin++] = (EvalInput){leaf, data};
    }
    ck_assert_int_eq(root[0]->rank, root[1]->rank);
    ck_assert_int_eq(eval_nodes(c->arena, program_module(c->program)->graph, 2,
                                root, nin, in, c->side[0]->nvar,
                                c->side[0]->var, size, out),
                     EVAL_OK);
    count = 1;
    for (int k = 0; k < root[0]->rank; k++) {
        ck_assert_ptr_eq(root[0]->dim[k], root[1]->dim[k]);
        ck_assert(dim_eval(root[0]->dim[k], c->side[0]->nvar, c->side[0]->var,
                           size, &v));
        count *= v;
    }
    for (int64_t k = 0; k < count; k++)
        if (fabs(out[0][k] - out[1][k]) > 1e-9 * (1 + fabs(out[1][k])))
            ck_abort_msg("element %d is %.17g and %.17g", (int)k, out[0][k],
                         out[1][k]);
}

static void same_node(Case *c, bool formulas, bool apart)
{
    Graph *g = program_module(c->program)->graph;

    simplify_functions(g, c->side, 2);
    Node *root[2] = {c->side[0]->result[0].leaf[0],
                     c->side[1]->result[0].leaf[0]};
    if (formulas)
        simplify_formulas(g, 2, root);
    if (apart && root[0] == root[1])
        ck_abort_msg("both are %s", formula(c, root[0]));
    if (!apart && root[0] != root[1])
        ck_abort_msg("left is  %s\nright is %s", formula(c, root[0]),
                     formula(c, root[1]));
}

START_TEST(identity)
{
    Case c;

    case_open(&c, lines[_i].file, lines[_i].params, lines[_i].left,
              lines[_i].right, lines[_i].formulas);
    same_value(&c);
    same_node(&c, lines[_i].formulas, lines[_i].apart);
    arena_free(c.arena);
}
END_TEST

START_TEST(rule)
{
    static const char params[] = "x: real[3, 4], y: real[3, 4], z: real[3, 1], "
                                 "v: real[4], s: real, t: real";
    const Rule *r = &simplify_rules[_i];
    const char *eq = strstr(r->identity, " == ");
    Case c;

    char *left = trimmed(r->identity, eq);

    case_open(&c, NULL, params, left, eq + 4, false);
    same_value(&c);
    same_node(&c, false, false);
    arena_free(c.arena);
    free(left);
}
END_TEST

/* Matrices whose rows' sums are nothing, and matrices nearly such. */
typedef struct Centred {
    Graph *g;
    const Dim *dim[3];
    Node *x, *y, *c, *d; /* c, d: x and y less the means of rows */
    Node *row, *column;  /* a vector repeated along the other axis */
} Centred;

/* x less what n of its axes' sums are divided by their number, put back. */
static Node *less_mean(Graph *g, Node *x, int axis, const int *map)
{
    Node *q = g_reduce(g, OP_sum, x, 1, &axis);

    q = g2(g, OP_div, q, g_fill_like(g, q, g_divisor(g, DT_f64, x->dim[axis])));
    return g2(g, OP_sub, x, g_broadcast(g, q, x->rank, x->dim, map));
}

static const int along_rows[] = {0, -1}, along_columns[] = {-1, 0};

static Centred centred_new(Arena *a)
{
    Centred k = {.g = graph_new(a, DT_f64)};
    Node *v;

    for (int i = 0; i < 3; i++)
        k.dim[i] = dim_var(k.g, "n");
    v = g_param(k.g, DT_f64, 1, k.dim, "v");
    k.x = g_param(k.g, DT_f64, 2, k.dim, "x");
    k.y = g_param(k.g, DT_f64, 2, k.dim, "y");
    graph_deriving(k.g, true);
    k.c = less_mean(k.g, k.x, 1, along_rows);
    k.d = less_mean(k.g, k.y, 1, along_rows);
    k.row = g_broadcast(k.g, v, 2, k.dim, along_columns);
    k.column = g_broadcast(k.g, v, 2, k.dim, along_rows);
    return k;
}

static void ck_adds_up(Graph *g, Node *x, bool is)
{
    int last = x->rank - 1;
    Node *n = g_reduce(g, OP_sum, x, 1, &last);

    Str text = str_new(graph_arena(g));

    simplify(g, 1, &n);
    node_print(n, &text);
    ck_assert_msg(node_is_const(n, 0) == is, "%s is no %s", text.at,
                  is ? "0" : "sum");
}

START_TEST(what_is_left_of_a_mean_adds_up_to_nothing)
{
    Arena *a = arena_new();
    Centred k = centred_new(a);
    Graph *g = k.g;
    Node *made[] = {k.c, g2(g, OP_add, k.c, k.d),
                    g2(g, OP_add, g2(g, OP_div, k.c, k.column), k.d),
                    g2(g, OP_add, g2(g, OP_mul, k.c, k.column), k.d)};
    Node *near[] = {g2(g, OP_add, k.c, k.y),
                    g2(g, OP_sub, k.y, k.c),
                    g2(g, OP_sub, k.c, k.y),
                    g2(g, OP_strong_mul, k.c, k.row),
                    g2(g, OP_strong_mul, k.row, k.c),
                    g2(g, OP_strong_mul, k.column, k.x),
                    g2(g, OP_add, g2(g, OP_div, k.c, k.row), k.d),
                    g2(g, OP_add, g2(g, OP_div, k.x, k.column), k.d),
                    g2(g, OP_add, g2(g, OP_mul, k.c, k.row), k.d),
                    less_mean(g, k.x, 0, along_columns),
                    less_mean(g, k.x, 0, along_rows)};

    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        ck_adds_up(g, made[i], true);
    for (size_t i = 0; i < sizeof near / sizeof *near; i++)
        ck_adds_up(g, near[i], false);
    arena_free(a);
}
END_TEST

/* Of three axes, in their order or not. */
START_TEST(means_are_taken_away_in_order)
{
    Arena *a = arena_new();
    Centred k = centred_new(a);
    Node *x = g_param(k.g, DT_f64, 3, k.dim, "x");

    ck_adds_up(k.g, less_mean(k.g, x, 2, (const int[]){0, 1, -1}), true);
    ck_adds_up(k.g, less_mean(k.g, x, 2, (const int[]){1, 0, -1}), false);
    ck_adds_up(k.g, less_mean(k.g, x, 1, (const int[]){0, 1, -1}), false);
    arena_free(a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("simplify");
    TCase *t = tcase_create("identities");

    read_lines();
    if (nlines == 0) {
        fprintf(stderr, "run from the top of the project\n");
        return 1;
    }
    tcase_add_loop_test(t, identity, 0, nlines);
    tcase_add_loop_test(t, rule, 0, simplify_nrules);
    tcase_add_test(t, what_is_left_of_a_mean_adds_up_to_nothing);
    tcase_add_test(t, means_are_taken_away_in_order);
    suite_add_tcase(s, t);
    return run_suite(s);
}
