/* test_show.c: formulas: every operator in every notation; signs, powers and
 * order; costs. */
#include "eval/eval.h"
#include "graph/op.h"
#include "show/cost.h"
#include "show/show.h"
#include "suite.h"

#include <check.h>
#include <string.h>

static Arena *arena;
static Graph *g;
static const Dim *n;
static Node *x, *y, *s;

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f64);
    n = dim_var(g, "n");
    x = g_param(g, DT_f64, 1, &n, "x");
    y = g_param(g, DT_f64, 1, &n, "y");
    s = g_param(g, DT_f64, 0, NULL, "s");
}

static void teardown(void) { arena_free(arena); }

static const Notation *const notations[] = {&notation_text, &notation_tex,
                                            &notation_html, &notation_nn};

/* f as an equation in one of the notations. */
static const char *shown(Node *f, const Notation *in)
{
    ShowOptions o = {.literal = in == &notation_nn};
    Node *const input[] = {x, y, s};
    Shows *w = show_new(arena, g, &o, 3, input);
    ShowResult r = {form_name(w->maker, "f", f->rank), "f", f};
    Str to = str_new(arena);
    show_results(w, 1, &r);
    equations_write(in, &w->all, &to);
    ck_assert_int_eq(w->left_off, 0);
    if (in == &notation_nn)
        ck_assert_msg(!equations_wordless(&w->all), "no word in %s", to.at);
    return to.at;
}

static void expect(Node *f, const char *want)
{
    ck_assert_str_eq(shown(f, &notation_text), want);
}

static int balance(const char *text, const char *open, const char *close)
{
    int depth = 0;
    for (const char *c = text; (c = strstr(c, open)); c += strlen(open))
        depth++;
    for (const char *c = text; (c = strstr(c, close)); c += strlen(close))
        depth--;
    return depth;
}

/* An elementwise operator on inputs that it takes, or NULL. */
static Node *applied(OpId op)
{
    const Op *row = op_table[op];
    DType t = row->takes & 1u << DT_f64   ? DT_f64
              : row->takes & 1u << DT_i32 ? DT_i32
                                          : DT_bool;
    Node *arg[3];
    if (row->cls != OPC_ewise || row->arity > 3 || !row->takes ||
        (row->infer && !(row->flags & OP_MASKS)))
        return NULL;
    for (int i = 0; i < row->arity; i++)
        arg[i] = t == DT_f64 ? (i == 0   ? x
                                : i == 1 ? y
                                         : g_fill(g, x, 2))
                             : g_param(g, t, 1, &n, "i");
    if (row->flags & OP_MASKS)
        arg[0] = g2(g, OP_lt, x, y);
    if (row->flags & OP_ORDER)
        arg[0] = g_fill(g, x, 1);
    Attr attr = {0};
    return graph_make(g, op, t, row->arity, arg, &attr);
}

START_TEST(operators_in_all_notations)
{
    static const char *const pairs[][2] = {{"(", ")"},
                                           {"[", "]"},
                                           {"<mrow>", "</mrow>"},
                                           {"<mo>", "</mo>"},
                                           {"<msup>", "</msup>"},
                                           {"<mfrac>", "</mfrac>"},
                                           {"\\left", "\\right"}};
    Node *f = applied(_i);
    if (!f)
        return;
    for (int k = 0; k < 4; k++) {
        const char *text;
        if (op_table[f->op]->takes & 1u << DT_f64)
            text = shown(f, notations[k]);
        else
            continue;
        ck_assert_msg(text && strlen(text) > 3, "%s", op_table[_i]->name);
        for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
            ck_assert_msg(balance(text, pairs[p][0], pairs[p][1]) == 0,
                          "%s: %s", op_table[_i]->name, text);
        if (notations[k] == &notation_tex)
            ck_assert_msg(balance(text, "{", "}") == 0, "%s", text);
    }
}
END_TEST

/* Every kind is written, by its row in write.c, between what stands around it;
 * a program has no derivatives. */
START_TEST(kinds_in_all_notations)
{
    static const Shown word = {FORM_call, "word", "word", "\\word"};
    FormMaker m = {.arena = arena, .graph = g};
    const Form *arg[] = {form_name(&m, "a", 0), form_name(&m, "b", 0),
                         form_name(&m, "c", 0)};
    Form f = {.kind = (FormKind)_i,
              .shown = &word,
              .name = "a",
              .number = 2,
              .nvar = 1,
              .narg = 3,
              .arg = arg};
    const Form *both[] = {&f, arg[0]};
    Form times = {.kind = FORM_product, .narg = 2, .arg = both};
    for (int k = 0; k < 4; k++) {
        Str alone = str_new(arena), within = str_new(arena);
        if (notations[k] == &notation_nn && _i == FORM_partial)
            continue;
        form_write(notations[k], &f, &alone);
        form_write(notations[k], &times, &within);
        ck_assert_ptr_nonnull(strchr(alone.at, _i == FORM_number ? '2' : 'a'));
        ck_assert_msg(strstr(within.at, alone.at), "%s", within.at);
    }
}
END_TEST

START_TEST(sums_and_products)
{
    Node *two = g_fill(g, s, 2), *q = g2(g, OP_mul, s, s);
    expect(g2(g, OP_sub, g1(g, OP_sin, s), two), "f = sin(s) − 2\n");
    expect(q, "f = s²\n");
    expect(g2(g, OP_mul, q, g2(g, OP_mul, s, two)), "f = 2·s³\n");
    expect(g1(g, OP_neg, q), "f = −s²\n");
    expect(g2(g, OP_sub, two, g1(g, OP_exp, g1(g, OP_neg, s))),
           "f = 2 − exp(−s)\n");
    expect(g2(g, OP_div, g_fill(g, s, 1), g2(g, OP_add, s, two)),
           "f = 1 / (s + 2)\n");
    expect(g2(g, OP_mul, two, g2(g, OP_add, s, g1(g, OP_exp, s))),
           "f = 2·(s + exp(s))\n");
    expect(g2(g, OP_mul, x, y), "f = x ∘ y\n");
}
END_TEST

START_TEST(matrices_and_elements)
{
    const Dim *mn[2] = {dim_var(g, "m"), n}, *mnk[3] = {mn[0], n, mn[0]};
    Node *A = g_param(g, DT_f64, 2, mn, "A"), *turned;
    Node *B = g_param(g, DT_f64, 3, mnk, "B"),
         *r = g_param(g, DT_f64, 1, mn, "r");
    static const int turn[2] = {1, 0};
    ShowOptions o = {.literal = false};
    Node *const in[] = {A, x, B, r};
    Str to = str_new(arena);
    Shows *w = show_new(arena, g, &o, 4, in);
    turned = g_permute(g, A, turn);
    ShowResult made[] = {
        {form_name(w->maker, "u", 1), NULL, g_matmul(g, A, x)},
        {form_name(w->maker, "v", 2), NULL, g_matmul(g, turned, A)},
        {form_name(w->maker, "w", 1), NULL, g_flip(g, x, 0)},
        {form_name(w->maker, "z", 0), NULL, g_reduce_all(g, OP_sum, x)},
        {form_name(w->maker, "C", 2), NULL,
         g_contract(g, B, (int[]){0, 1, 2}, r, (int[]){2}, 2, (int[]){0, 1})},
        {form_name(w->maker, "D", 2), NULL,
         g_contract(g, x, (int[]){1}, B, (int[]){0, 1, 2}, 2, (int[]){0, 2})},
        {form_name(w->maker, "c", 0), NULL,
         g_contract(g, A, (int[]){0, 1}, g1(g, OP_exp, A), (int[]){0, 1}, 0,
                    NULL)},
        {form_name(w->maker, "d", 1), NULL,
         g_contract(g, A, (int[]){0, 1}, g1(g, OP_exp, A), (int[]){0, 1}, 1,
                    (int[]){0})},
        {form_name(w->maker, "e", 0), NULL,
         g_contract(g, x, (int[]){0}, g1(g, OP_exp, x), (int[]){0}, 0, NULL)},
    };
    /* show_new knows the nodes that there are then. */
    w = show_new(arena, g, &o, 4, in);
    show_results(w, 9, made);
    equations_write(&notation_text, &w->all, &to);
    ck_assert_str_eq(to.at, "u = A x\n"
                            "v = Aᵀ A\n"
                            "wᵢ = x[n − 1 − i]\n"
                            "z = Σᵢ xᵢ\n"
                            "Cᵢⱼ = Σₖ Bᵢⱼₖ·rₖ\n"
                            "Dᵢⱼ = Σₖ xₖ·Bᵢₖⱼ\n"
                            "c = Σᵢⱼ Aᵢⱼ·exp(Aᵢⱼ)\n"
                            "dᵢ = Σⱼ Aᵢⱼ·exp(Aᵢⱼ)\n"
                            "e = xᵀ exp(x)\n");
}
END_TEST

/* Of more equations than are asked for, the last and the results are counted.
 */
START_TEST(large_ones_are_cut)
{
    ShowOptions o = {.most = 5};
    Node *const in[] = {s};
    Node *f = s;
    for (int i = 0; i < 300; i++)
        f = g1(g, i % 2 ? OP_sin : OP_exp, g2(g, OP_mul, f, g1(g, OP_cos, f)));
    Shows *w = show_new(arena, g, &o, 1, in);
    ShowResult r = {form_name(w->maker, "f", 0), NULL, f};
    show_results(w, 1, &r);
    ck_assert_int_gt(w->left_off, 10);
    ck_assert_int_eq(w->all.list.n, 6);
}
END_TEST

static const char *cost_text(const Cost *c, CostKind k)
{
    return dim_text(g, c->of[k]);
}

START_TEST(costs)
{
    static const int64_t ten = 10;
    Node *f = g2(g, OP_div, g1(g, OP_exp, g2(g, OP_mul, x, y)), y);
    Node *root[] = {f, g_reduce_all(g, OP_sum, f)};
    Cost c = cost_count(g, 2, root);
    ck_assert_str_eq(cost_text(&c, COST_function), "n");
    ck_assert_str_eq(cost_text(&c, COST_multiply), "n");
    ck_assert_str_eq(cost_text(&c, COST_divide), "n");
    ck_assert_str_eq(cost_text(&c, COST_add), "n");
    ck_assert_str_eq(cost_text(&c, COST_product), "0");
    ck_assert(cost_total(&c, 1, &n, &ten) == 40);
}
END_TEST

/* Of an `if` one branch is taken: the larger counts, with what both ask for. */
START_TEST(costs_of_branches)
{
    Node *both = g1(g, OP_exp, x), *sum = g_reduce_all(g, OP_sum, x);
    Node *yes = g2(g, OP_lt, sum, g_fill(g, sum, 0));
    Node *inner =
        g_if(g, g2(g, OP_lt, sum, g_fill(g, sum, 1)), g1(g, OP_sin, both),
             g2(g, OP_mul, both, g1(g, OP_sqrt, x)));
    Node *f = g_if(g, yes, g2(g, OP_add, g1(g, OP_tanh, inner), x),
                   g2(g, OP_mul, both, g1(g, OP_log, x)));
    Cost c = cost_count(g, 1, &f);
    ck_assert_str_eq(cost_text(&c, COST_function), "2*n"); /* exp tanh */
    ck_assert_str_eq(cost_text(&c, COST_multiply), "n");
    ck_assert_str_eq(cost_text(&c, COST_divide), "n");
    ck_assert_str_eq(cost_text(&c, COST_add), "2*n");

    Node *root[] = {f, inner}; /* asked for outside, too */
    c = cost_count(g, 2, root);
    ck_assert_str_eq(cost_text(&c, COST_function), "2*n");
    ck_assert_str_eq(cost_text(&c, COST_divide), "n");

    Node *p = g2(g, OP_pow, x, y);
    c = cost_count(g, 1, &p);
    ck_assert_str_eq(cost_text(&c, COST_function), "2*n");
    ck_assert_str_eq(cost_text(&c, COST_multiply), "n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("show");
    TCase *t = tcase_create("show");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, operators_in_all_notations, 0, NOPS);
    tcase_add_loop_test(t, kinds_in_all_notations, 0, NFORMS);
    tcase_add_test(t, sums_and_products);
    tcase_add_test(t, matrices_and_elements);
    tcase_add_test(t, large_ones_are_cut);
    tcase_add_test(t, costs);
    tcase_add_test(t, costs_of_branches);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
