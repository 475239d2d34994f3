/* test_graph.c: dimensions, hash-consing, identities, printing. */
#include "graph/ops/ops.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;
static Graph *g;
static const Dim *n, *m, *k, *one;
/* x y: [n, m]; v: [m]; a: [n, k]; b: [k, m]; s: scalar */
static Node *x, *y, *v, *a, *b, *s;

static Node *param2(const Dim *d0, const Dim *d1, const char *name)
{
    return g_param(g, DT_f32, 2, (const Dim *[]){d0, d1}, name);
}

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f32);
    n = dim_var(g, "n");
    m = dim_var(g, "m");
    k = dim_var(g, "k");
    one = dim_const(g, 1);
    x = param2(n, m, "x");
    y = param2(n, m, "y");
    v = g_param(g, DT_f32, 1, &m, "v");
    a = param2(n, k, "a");
    b = param2(k, m, "b");
    s = g_param(g, DT_f32, 0, NULL, "s");
}

static void teardown(void) { arena_free(arena); }

static const Dim *num(int64_t c) { return dim_const(g, c); }

/* Dimensions. */

static const Dim *add(const Dim *p, const Dim *q) { return dim_add(g, p, q); }
static const Dim *mul(const Dim *p, const Dim *q) { return dim_mul(g, p, q); }
static const Dim *quo(const Dim *p, const Dim *q) { return dim_div(g, p, q); }
static const Dim *rem(const Dim *p, const Dim *q) { return dim_mod(g, p, q); }

/* Against a list: few hashes, so that many share one; cleared on the way. */
START_TEST(maps_find_what_was_put)
{
    enum { PUT = 5000 };
    Map map = {0}, thing = {0};
    int *value = NEWN(arena, int, PUT), first = 0;

    srand(7);
    for (int i = 0; i < PUT; i++) {
        uint64_t h = (uint64_t)(rand() % 900) << rand() % 2 * 40;
        int count = 0, known = 0, *p;

        if (i == 700 || i == 3000) {
            map_clear(&map);
            first = i;
        }
        value[i] = (int)(h ^ h >> 32);
        for (size_t seen = 0; (p = map_next(&thing, h, &seen)); known++)
            ck_assert_int_eq(*p, value[i]);
        size_t seen = 0;
        for (int c; (c = map_next_int(&map, h, &seen)) >= 0; count++)
            ck_assert(c >= first && c < i && value[c] == value[i]);
        for (int c = 0; c < i; c++) {
            known -= value[c] == value[i];
            count -= c >= first && value[c] == value[i];
        }
        ck_assert_int_eq(known, 0);
        ck_assert_int_eq(count, 0);
        map_put(arena, &thing, h, &value[i]);
        map_put_int(arena, &map, h, i);
    }
    ck_assert_uint_eq(map.n, PUT - 3000);
}
END_TEST

/* Against counts: what is taken is the smallest that is there. */
START_TEST(heaps_give_the_smallest)
{
    enum { STEPS = 4000, VALUES = 100 };
    Heap h = {0};
    int count[VALUES] = {0}, there = 0;

    srand(7);
    for (int i = 0; i < STEPS || there; i++) {
        int value = rand() % VALUES;

        if (i < STEPS && (!there || rand() % 3)) {
            heap_push(arena, &h, value);
            count[value]++;
            there++;
            continue;
        }
        for (value = 0; !count[value];)
            value++;
        ck_assert_int_eq(heap_pop(&h), value);
        count[value]--;
        there--;
    }
    ck_assert_int_eq(h.n, 0);
}
END_TEST

START_TEST(dims_are_canonical)
{
    ck_assert_ptr_eq(add(n, m), add(m, n));
    ck_assert_ptr_eq(mul(add(n, one), add(n, one)),
                     add(add(mul(n, n), mul(num(2), n)), one));
    ck_assert_ptr_eq(dim_sub(g, n, n), num(0));
    ck_assert_ptr_ne(dim_var(g, "n"), n);
    ck_assert_ptr_eq(quo(mul(k, n), n), k);
    ck_assert_ptr_eq(quo(mul(num(2), n), num(2)), n);
    ck_assert_ptr_eq(quo(mul(mul(num(6), n), m), mul(num(3), m)),
                     mul(num(2), n));
    ck_assert_ptr_eq(quo(n, one), n);
    ck_assert_ptr_eq(rem(n, one), num(0));
    ck_assert_ptr_eq(quo(add(mul(k, n), m), n), add(k, quo(m, n)));
    ck_assert_ptr_eq(quo(mul(add(n, one), m), add(n, one)), m);
    ck_assert_ptr_eq(quo(quo(n, num(2)), num(3)), quo(n, num(6)));
    ck_assert_ptr_eq(add(mul(num(2), quo(n, num(2))), rem(n, num(2))), n);
    ck_assert_ptr_eq(quo(add(n, num(5)), num(2)),
                     add(quo(add(n, one), num(2)), num(2)));
    ck_assert_ptr_eq(quo(num(-7), num(2)), num(-4));
    ck_assert_ptr_eq(rem(num(-7), num(2)), one);
    ck_assert_ptr_eq(quo(num(7), num(-2)), num(-4));
}
END_TEST

START_TEST(prints_dims)
{
    ck_assert_str_eq(dim_text(g, add(mul(num(2), n), one)), "2*n + 1");
    ck_assert_str_eq(dim_text(g, dim_sub(g, m, n)), "m - n");
    ck_assert_str_eq(dim_text(g, quo(n, num(2))), "n/2");
    ck_assert_str_eq(dim_text(g, mul(m, quo(add(n, one), num(2)))),
                     "m*((n + 1)/2)");
    ck_assert_str_eq(dim_text(g, mul(n, mul(n, m))), "n^2*m");
    ck_assert_str_eq(dim_text(g, num(0)), "0");
    ck_assert_str_eq(dim_text(g, num(-3)), "-3");
}
END_TEST

/* What a dimension built in some way is, against the same in int64. */
START_TEST(dims_evaluate)
{
    srand(1);
    for (int round = 0; round < 300; round++) {
        const Dim *d[12] = {n, m, k, num(rand() % 9 - 4)};
        int64_t val[3] = {rand() % 9, rand() % 9, rand() % 9}, w[12] = {0};
        memcpy(w, val, sizeof val);
        dim_const_value(d[3], &w[3]);
        for (int i = 4; i < 12; i++) {
            int p = rand() % i, q = rand() % i, by = rand() % 5 + 1;
            int64_t low = w[p] - ((w[p] % by) + by) % by;
            switch (rand() % 5) {
            case 0:
                d[i] = add(d[p], d[q]), w[i] = w[p] + w[q];
                break;
            case 1:
                d[i] = dim_sub(g, d[p], d[q]), w[i] = w[p] - w[q];
                break;
            case 2:
                d[i] = quo(d[p], num(by)), w[i] = low / by;
                break;
            case 3:
                d[i] = rem(d[p], num(by)), w[i] = w[p] - low;
                break;
            case 4:
                d[i] = mul(d[p], num(by)), w[i] = w[p] * by;
                break;
            }
            int64_t got;
            const Dim *var[3] = {n, m, k};
            ck_assert(dim_eval(d[i], 3, var, val, &got));
            ck_assert_int_eq(got, w[i]);
            const Dim *as[3] = {num(val[0]), num(val[1]), num(val[2])};
            ck_assert_ptr_eq(dim_subst(g, d[i], 3, var, as), num(w[i]));
        }
    }
}
END_TEST

START_TEST(dims_solve)
{
    const Dim *q, *r;
    ck_assert(dim_linear_in(g, add(mul(num(2), n), m), n, &q, &r));
    ck_assert_ptr_eq(q, num(2));
    ck_assert_ptr_eq(r, m);
    ck_assert(!dim_linear_in(g, mul(n, n), n, &q, &r));
    ck_assert(!dim_linear_in(g, quo(n, num(2)), n, &q, &r));
    ck_assert(dim_uses(quo(n, num(2)), n));
    ck_assert(!dim_uses(quo(n, num(2)), m));
}
END_TEST

/* What 64 bits do not hold has no value. */
START_TEST(values_overflow)
{
    const Dim *var[] = {n, m};
    const int64_t least[] = {INT64_MIN, -1}, most[] = {INT64_MAX, 1};
    int64_t sum;

    ck_assert(!dim_eval(quo(n, m), 2, var, least, &sum));
    ck_assert(!dim_eval(add(n, m), 2, var, most, &sum));
    ck_assert(!dim_eval(mul(n, add(m, one)), 2, var, most, &sum));
    ck_assert(dim_eval(add(n, m), 2, var, (int64_t[]){INT64_MAX, 0}, &sum));
    ck_assert_int_eq(sum, INT64_MAX);
}
END_TEST

START_TEST(dims_overflow)
{
    const Dim *d = num(INT64_MAX);
    int64_t value;
    d = add(d, one);
    ck_assert(dim_too_large(d));
    ck_assert_ptr_eq(mul(num(INT64_MIN), num(-1)), d);
    ck_assert_ptr_eq(quo(num(INT64_MIN), num(-1)), d);
    const Dim *long_one = add(n, one);
    for (int i = 0; i < 40; i++)
        long_one = mul(long_one, long_one);
    ck_assert_ptr_eq(long_one, d);
    const Dim *deep = n;
    for (int i = 0; i < 100000; i++)
        deep = quo(add(deep, one), num(2));
    ck_assert_ptr_eq(deep, d);
    /* It stays so, nothing is known of it, and others are as they were. */
    const Dim *of[] = {add(d, n),          add(n, d),
                       dim_sub(g, d, d),   mul(d, n),
                       mul(num(0), d),     quo(d, n),
                       quo(n, d),          rem(d, num(2)),
                       dim_positive(g, d), dim_subst(g, d, 1, &n, &one)};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        ck_assert_ptr_eq(of[i], d);
    ck_assert(!dim_is(d, 0) && !dim_never_negative(d) && !dim_is_var(d));
    ck_assert(!dim_const_value(d, NULL) && !dim_uses(d, n));
    ck_assert(!dim_linear_in(g, d, n, &of[0], &of[1]));
    ck_assert(!dim_eval(d, 1, &n, (int64_t[]){2}, &value));
    ck_assert(!dim_too_large(mul(n, n)) && !dim_too_large(num(INT64_MAX)));
    ck_assert(!dim_eval(mul(num(INT64_MAX), n), 1, &n, (int64_t[]){2}, &value));
    ck_assert(!dim_eval(quo(m, n), 2, (const Dim *[]){n, m}, (int64_t[]){0, 1},
                        &value));
}
END_TEST

static void *text_constant(void *u, int64_t c)
{
    return arena_printf(u, "%lld", (long long)c);
}
static void *text_variable(void *u, const Dim *d)
{
    return arena_printf(u, "%s", dim_var_name(d));
}
static void *text_add(void *u, void *p, void *q)
{
    return arena_printf(u, "(%s+%s)", (char *)p, (char *)q);
}
static void *text_mul(void *u, void *p, void *q)
{
    return arena_printf(u, "(%s*%s)", (char *)p, (char *)q);
}
static void *text_div(void *u, void *p, void *q)
{
    return arena_printf(u, "(%s/%s)", (char *)p, (char *)q);
}

static void *text_positive(void *u, void *p)
{
    return arena_printf(u, "max(%s)", (char *)p);
}

START_TEST(dims_visit)
{
    DimVisitor to = {arena,    text_constant, text_variable, text_add,
                     text_mul, text_div,      text_positive};
    const Dim *d = add(mul(num(2), mul(n, n)), quo(m, num(3)));
    ck_assert_str_eq(dim_visit(d, &to), "(((2*n)*n)+(m/3))");
    ck_assert_str_eq(dim_visit(num(0), &to), "0");
    d = dim_positive(g, dim_sub(g, n, num(5)));
    ck_assert_str_eq(dim_visit(d, &to), "max((n+-5))");
}
END_TEST

/* max(d, 0) */
START_TEST(dims_clamp)
{
    const Dim *d = dim_sub(g, n, num(5)), *p = dim_positive(g, d);
    int64_t is = 0, three[] = {3}, nine[] = {9};
    const Dim *to = num(9);
    ck_assert_ptr_eq(dim_positive(g, d), p);
    ck_assert_ptr_eq(dim_clamps(p), d);
    ck_assert_ptr_eq(dim_clamps(d), d);
    ck_assert_ptr_eq(dim_positive(g, n), n);
    ck_assert_ptr_eq(dim_positive(g, p), p);
    ck_assert_ptr_eq(dim_positive(g, num(-3)), num(0));
    ck_assert_ptr_eq(dim_positive(g, dim_sub(g, num(0), n)), num(0));
    ck_assert_str_eq(dim_text(g, add(mul(num(2), p), num(1))),
                     "2*max(n - 5, 0) + 1");
    ck_assert(dim_uses(p, n));
    ck_assert(!dim_uses(p, m));
    ck_assert(dim_eval(p, 1, &n, three, &is) && is == 0);
    ck_assert(dim_eval(p, 1, &n, nine, &is) && is == 4);
    ck_assert_ptr_eq(dim_subst(g, p, 1, &n, &to), num(4));
    to = num(2);
    ck_assert_ptr_eq(dim_subst(g, p, 1, &n, &to), num(0));
}
END_TEST

/* Types. */

START_TEST(type_has_leaves)
{
    const Type *w = type_tensor(arena, DT_f32, 1, &m);
    const Type *i = type_scalar(arena, DT_i32);
    const Type *net =
        type_struct(arena, &(Type){.name = "Net",
                                   .npart = 2,
                                   .field = (const char *[]){"w", "i"},
                                   .part = (const Type *[]){w, i}});
    const Type *stack = type_stack(arena, net, n);
    const Type *pair = type_tuple(arena, 2, (const Type *[]){i, stack});
    Str said = str_new(arena);
    int count;
    Leaf *leaf = type_leaves(g, pair, &count);
    ck_assert_int_eq(count, 3);
    ck_assert_int_eq(pair->nleaf, 3);
    type_describe(pair, DT_f32, &said);
    ck_assert_str_eq(said.at, "(int, [Net; n])");
    ck_assert(
        type_equal(pair, type_tuple(arena, 2, (const Type *[]){i, stack})));
    ck_assert(!type_equal(stack, type_stack(arena, net, m)));
    ck_assert(!type_equal(w, type_tensor(arena, DT_f32, 1, &n)));
    ck_assert(!type_equal(w, type_tensor(arena, DT_f64, 1, &m)));
    ck_assert_str_eq(leaf[0].path, "0");
    ck_assert_str_eq(leaf[1].path, "1.w");
    ck_assert_int_eq(leaf[1].rank, 2);
    ck_assert_ptr_eq(leaf[1].dim[0], n);
    ck_assert_int_eq(leaf[2].rank, 1);
    ck_assert(!type_is_fixed(pair));
    ck_assert(type_is_fixed(i));
}
END_TEST

START_TEST(dtypes_convert)
{
    ck_assert_double_eq(dtype_convert(DT_f64, DT_i32, 1e20), INT32_MAX);
    ck_assert_double_eq(dtype_convert(DT_f64, DT_i32, -1e20), INT32_MIN);
    ck_assert_double_eq(dtype_convert(DT_f64, DT_u8, -1.5), 0);
    ck_assert_double_eq(dtype_convert(DT_f64, DT_i32, NAN), 0);
    ck_assert_double_eq(dtype_convert(DT_f64, DT_i32, -2.9), -2);
    ck_assert_double_eq(dtype_convert(DT_i32, DT_u8, 259), 3);
    ck_assert_int_eq(int_of_real(INFINITY), INT64_MAX);
    ck_assert_int_eq(int_of_real(-1e30), INT64_MIN);
    ck_assert_int_eq(g_const(g, DT_i64, 1e30)->attr.integer, INT64_MAX);
    ck_assert_int_eq(g_const(g, DT_u8, -1)->attr.integer, 0);
    ck_assert_double_eq(dtype_fit(DT_i32, 0x1p31), -0x1p31);
    ck_assert_double_eq(dtype_fit(DT_u8, -1), 255);
    ck_assert_double_eq(dtype_fit(DT_f32, 0.1), 0.1f);
}
END_TEST

/* Nodes. */

static Node *sum_axis(Node *p, int axis)
{
    return g_reduce(g, OP_sum, p, 1, &axis);
}

static Node *swap(Node *p) { return g_permute(g, p, (int[]){1, 0}); }

START_TEST(equal_nodes_are_one)
{
    ck_assert_ptr_eq(g2(g, OP_add, x, y), g2(g, OP_add, y, x));
    ck_assert_ptr_ne(g2(g, OP_sub, x, y), g2(g, OP_sub, y, x));
    ck_assert_ptr_eq(g1(g, OP_exp, x), g1(g, OP_exp, x));
    ck_assert_ptr_ne(param2(n, m, "x"), x);
    ck_assert_ptr_eq(g_const(g, DT_f32, 0.1), g_const(g, DT_f32, 0.1f));
    ck_assert_ptr_ne(g_const(g, DT_f32, 1), g_const(g, DT_f64, 1));
    ck_assert_ptr_eq(g_const(g, DT_f32, NAN), g_const(g, DT_f32, -NAN));
    double data[3] = {1, 2, 3};
    const Dim *three = num(3), *none = num(0);
    Node *d = g_data(g, DT_f32, 1, &three, data);
    ck_assert_ptr_eq(g_data(g, DT_f32, 1, &three, data), d);
    data[0] = 4;
    ck_assert_ptr_ne(g_data(g, DT_f32, 1, &three, data), d);
    ck_assert_ptr_eq(g_data(g, DT_f32, 1, &none, NULL),
                     g_data(g, DT_f32, 1, &none, NULL));
}
END_TEST

START_TEST(constants_fold)
{
    Node *two = g_const(g, DT_f32, 2), *three = g_const(g, DT_f32, 3);
    ck_assert_ptr_eq(g2(g, OP_mul, two, three), g_const(g, DT_f32, 6));
    ck_assert_ptr_eq(g2(g, OP_lt, two, three), g_const(g, DT_bool, 1));
    Node *big = g_const_int(g, DT_i32, INT32_MAX);
    ck_assert_ptr_eq(g2(g, OP_add, big, g_const_int(g, DT_i32, 1)),
                     g_const_int(g, DT_i32, INT32_MIN));
    Node *wide = g_const_int(g, DT_i64, INT64_MAX - 1);
    ck_assert_ptr_eq(g2(g, OP_add, wide, g_const_int(g, DT_i64, 1)),
                     g_const_int(g, DT_i64, INT64_MAX));
    Node *in = g_dim(g, DT_i32, n);
    ck_assert_ptr_eq(g2(g, OP_mul, in, g_const_int(g, DT_i32, 2)),
                     g_dim(g, DT_i32, mul(n, num(2))));
    ck_assert_ptr_eq(node_as_dim(g, g2(g, OP_add, in, in)), mul(n, num(2)));
    ck_assert_ptr_eq(node_as_dim(g, g1(g, OP_neg, in)), dim_sub(g, num(0), n));
    ck_assert_ptr_eq(node_as_dim(g, g_const_int(g, DT_i64, 7)), num(7));
    ck_assert_ptr_null(node_as_dim(g, s));
}
END_TEST

/* Nothing is divided by a size of 0. */
START_TEST(sizes_divide)
{
    Node *in = g_dim(g, DT_i32, n), *none = g_const_int(g, DT_i32, 0);
    ck_assert_int_eq(g2(g, OP_div, in, none)->op, OP_div);
    ck_assert_int_eq(g2(g, OP_mod, in, none)->op, OP_mod);
    ck_assert_ptr_eq(node_as_dim(g, g2(g, OP_mul, in, none)), num(0));
    ck_assert_ptr_eq(
        node_as_dim(g, g2(g, OP_div, in, g_const_int(g, DT_i32, 1))), n);
}
END_TEST

/* What is written is not simplified, but of constants. */
START_TEST(written_nodes_stay)
{
    Node *none = g_const(g, DT_f32, 0);
    ck_assert_ptr_eq(g2(g, OP_add, s, none), s);
    graph_written(g, true);
    ck_assert_int_eq(g2(g, OP_sub, s, none)->op, OP_sub);
    ck_assert_int_eq(g2(g, OP_mul, g2(g, OP_sub, s, none), none)->op, OP_mul);
    ck_assert_ptr_eq(g2(g, OP_add, none, none), none);
    graph_written(g, false);
}
END_TEST

START_TEST(broadcasts_float_outward)
{
    const Dim *nm[2] = {n, m};
    Node *vb = g_broadcast_to(g, v, 2, nm), *sb = g_broadcast_to(g, s, 2, nm);
    Node *sv = g_broadcast_to(g, s, 1, &m);
    ck_assert_ptr_eq(g1(g, OP_exp, vb),
                     g_broadcast_to(g, g1(g, OP_exp, v), 2, nm));
    ck_assert_ptr_eq(g2(g, OP_mul, vb, sb),
                     g_broadcast_to(g, g2(g, OP_mul, v, sv), 2, nm));
    ck_assert_ptr_eq(
        g2(g, OP_add, vb, g_fill(g, x, 1)),
        g_broadcast_to(g, g2(g, OP_add, v, g_fill(g, v, 1)), 2, nm));
    Node *rows =
        g_broadcast(g, g_param(g, DT_f32, 1, &n, "r"), 2, nm, (int[]){0, -1});
    ck_assert_int_eq(g2(g, OP_add, rows, vb)->op, OP_add);
    ck_assert(node_is_const(g_fill(g, x, 2), 2));
    ck_assert_ptr_eq(g_broadcast_to(g, sv, 2, nm), sb);
    ck_assert_ptr_eq(g_broadcast_to(g, x, 2, nm), x);
}
END_TEST

START_TEST(views_compose)
{
    const Dim *nm[2] = {n, m}, *mn[2] = {m, n}, *flat = mul(n, m);
    const Dim *zero2[2] = {num(0), num(0)}, *one2[2] = {one, one};
    const Dim *less[2] = {dim_sub(g, n, num(2)), dim_sub(g, m, num(2))};
    int step1[2] = {1, 1}, step2[2] = {2, 2}, step4[2] = {4, 4};
    ck_assert_ptr_eq(swap(swap(x)), x);
    Node *r = g_reshape(g, x, 1, &flat);
    ck_assert_ptr_eq(g_reshape(g, r, 2, nm), x);
    ck_assert_ptr_eq(g_reshape(g, r, 2, mn), g_reshape(g, x, 2, mn));
    ck_assert_ptr_eq(g_slice(g, x, zero2, nm, step1), x);
    Node *c = g_slice(g, x, one2, less, step1);
    const Dim *two2[2] = {num(2), num(2)}, *four[2] = {num(4), num(4)};
    ck_assert_ptr_eq(g_slice(g, c, one2, two2, step1),
                     g_slice(g, x, two2, two2, step1));
    Node *c2 = g_slice(g, x, zero2, four, step2);
    ck_assert_ptr_eq(g_slice(g, c2, one2, two2, step2),
                     g_slice(g, x, two2, two2, step4));
    Node *p = g_pad(g, c, one2, nm, step1);
    ck_assert_ptr_eq(g_slice(g, p, one2, less, step1), c);
    ck_assert_ptr_eq(g_pad(g, x, zero2, nm, step1), x);
    ck_assert_ptr_eq(g_flip(g, g_flip(g, x, 1), 1), x);
    Node *vb = g_broadcast_to(g, v, 2, nm);
    ck_assert_ptr_eq(g_flip(g, vb, 0), vb);
    ck_assert_ptr_eq(g_flip(g, vb, 1),
                     g_broadcast_to(g, g_flip(g, v, 0), 2, nm));
    ck_assert_ptr_eq(swap(vb), g_broadcast(g, v, 2, mn, (int[]){0, -1}));
    Node *cat = g_concat(g, 2, (Node *[]){x, y}, 0);
    const Dim *start[2] = {n, num(0)};
    ck_assert_ptr_eq(cat->dim[0], mul(num(2), n));
    ck_assert_ptr_eq(g_slice(g, cat, start, nm, step1), y);
    ck_assert_ptr_eq(g_concat(g, 1, &x, 0), x);
}
END_TEST

/* The number where d is above 0, else what leaves a sum of nothing 0. */
static Node *where_some(const Dim *d, Node *to, double other)
{
    Node *size = g_dim(g, DT_i64, d);
    Node *some = g2(g, OP_lt, g_const_int(g, DT_i64, 0), size);
    return g_where(g, some, to, g_const(g, DT_f32, other));
}

START_TEST(reductions_simplify)
{
    const Dim *nm[2] = {n, m}, *n1[2] = {n, one};
    Node *vb = g_broadcast_to(g, v, 2, nm);
    Node *u = g_param(g, DT_f32, 2, n1, "u");
    ck_assert_ptr_eq(sum_axis(sum_axis(x, 0), 0), g_reduce_all(g, OP_sum, x));
    ck_assert_ptr_eq(sum_axis(swap(x), 0), sum_axis(x, 1));
    ck_assert_ptr_eq(g_reduce(g, OP_sum, x, 0, NULL), x);
    ck_assert_ptr_eq(sum_axis(u, 1), g_reshape(g, u, 1, &n));
    ck_assert_ptr_eq(g_reduce(g, OP_logsumexp, u, 1, (int[]){1}),
                     g_reshape(g, u, 1, &n));
    Node *times = g_broadcast_to(g, g_dim(g, DT_f32, n), 1, &m);
    ck_assert_ptr_eq(sum_axis(vb, 0), g2(g, OP_mul, v, times));
    ck_assert_ptr_eq(sum_axis(vb, 1),
                     g_broadcast_to(g, g_reduce_all(g, OP_sum, v), 1, &n));
    ck_assert_ptr_eq(sum_axis(g1(g, OP_neg, x), 1),
                     g1(g, OP_neg, sum_axis(x, 1)));
    Node *sb = g_broadcast_to(g, s, 2, nm), *sn = g_broadcast_to(g, s, 1, &n);
    ck_assert_ptr_eq(sum_axis(g2(g, OP_mul, x, sb), 1),
                     g2(g, OP_mul, sum_axis(x, 1), sn));
    /* what may be infinite comes out where there is something to sum */
    Node *by = g_broadcast_to(g, where_some(m, s, 1), 1, &n);
    ck_assert_ptr_eq(sum_axis(g2(g, OP_div, x, sb), 1),
                     g2(g, OP_div, sum_axis(x, 1), by));
    Node *l = g1(g, OP_log, s), *lb = g_broadcast_to(g, l, 2, nm);
    by = g_broadcast_to(g, where_some(m, l, 0), 1, &n);
    ck_assert_ptr_eq(sum_axis(g2(g, OP_mul, x, lb), 1),
                     g2(g, OP_mul, sum_axis(x, 1), by));
    Node *e = g1(g, OP_exp, g1(g, OP_neg, g2(g, OP_mul, s, s)));
    ck_assert_ptr_eq(
        sum_axis(g2(g, OP_mul, x, g_broadcast_to(g, e, 2, nm)), 1),
        g2(g, OP_mul, sum_axis(x, 1), g_broadcast_to(g, e, 1, &n)));
    ck_assert(node_is_const(sum_axis(g_fill(g, x, 0), 1), 0));
    /* one-hot vectors add up to 1 */
    Node *i = g_index_check(g, g_param(g, DT_i32, 1, &n, "i"), m);
    Node *hit = g2(g, OP_eq, g_broadcast(g, i, 2, nm, (int[]){0, -1}),
                   g_broadcast_to(g, g_iota(g, DT_i32, m), 2, nm));
    Node *hot = g_where(g, hit, g_fill(g, x, 1), g_fill(g, x, 0));
    ck_assert(node_is_const(sum_axis(hot, 1), 1));
    ck_assert_int_eq(sum_axis(hot, 0)->op, OP_scatter_add);
    /* max over an axis that may be empty stays */
    ck_assert_int_eq(g_reduce(g, OP_reduce_max, vb, 1, (int[]){0})->op,
                     OP_reduce_max);
    const Dim *d3[2] = {num(3), m};
    ck_assert_ptr_eq(
        g_reduce(g, OP_reduce_max, g_broadcast_to(g, v, 2, d3), 1, (int[]){0}),
        v);
}
END_TEST

START_TEST(contracts_are_canonical)
{
    const Dim *nm[2] = {n, m}, *nk[2] = {n, k};
    Node *ab = g_matmul(g, a, b);
    ck_assert_int_eq(ab->op, OP_contract);
    ck_assert_ptr_eq(swap(g_matmul(g, swap(b), swap(a))), ab);
    ck_assert_ptr_eq(
        g_contract(g, b, (int[]){7, 9}, a, (int[]){5, 7}, 2, (int[]){5, 9}),
        ab);
    /* a sum of products is a contract */
    const Dim *nkm[3] = {n, k, m};
    Node *wide = g2(g, OP_mul, g_broadcast(g, a, 3, nkm, (int[]){0, 1, -1}),
                    g_broadcast(g, b, 3, nkm, (int[]){-1, 0, 1}));
    ck_assert_ptr_eq(sum_axis(wide, 1), ab);
    /* lonely labels are summed first */
    Node *column = g_broadcast_to(g, s, 2, nk);
    ck_assert_ptr_eq(sum_axis(ab, 1), g_matmul(g, a, sum_axis(b, 1)));
    ck_assert_ptr_eq(g_matmul(g, column, b),
                     g2(g, OP_mul, g_broadcast_to(g, s, 2, nm),
                        g_broadcast_to(g, sum_axis(b, 0), 2, nm)));
    /* scalar factors, divisors and signs come out */
    Node *sk = g_broadcast_to(g, s, 2, nk), *sm = g_broadcast_to(g, s, 2, nm);
    ck_assert_ptr_eq(g_matmul(g, g2(g, OP_mul, a, sk), b),
                     g2(g, OP_mul, ab, sm));
    Node *by = g_broadcast_to(g, where_some(k, s, 1), 2, nm);
    ck_assert_ptr_eq(g_matmul(g, g2(g, OP_div, a, sk), b),
                     g2(g, OP_div, ab, by));
    ck_assert_ptr_eq(g_matmul(g, g1(g, OP_neg, a), b), g1(g, OP_neg, ab));
    /* nothing summed: an elementwise product */
    Node *r = g_param(g, DT_f32, 1, &n, "r");
    Node *outer = g_contract(g, r, (int[]){0}, v, (int[]){1}, 2, (int[]){0, 1});
    ck_assert_int_eq(outer->op, OP_mul);
    ck_assert_ptr_eq(
        sum_axis(outer, 0),
        g2(g, OP_mul, v, g_broadcast_to(g, g_reduce_all(g, OP_sum, r), 1, &m)));
    ck_assert_ptr_eq(g_contract(g, x, (int[]){0, 1}, y, (int[]){0, 1}, 0, NULL),
                     g_reduce_all(g, OP_sum, g2(g, OP_mul, y, x)));
    /* the same operand twice */
    Node *gram = g_matmul(g, swap(x), x);
    ck_assert_ptr_eq(swap(gram), gram);
}
END_TEST

START_TEST(matmul_takes_stacks_and_vectors)
{
    const Dim *bnk[3] = {num(5), n, k}, *unit[3] = {one, k, m};
    Node *p = g_param(g, DT_f32, 3, bnk, "p");
    Node *q = g_param(g, DT_f32, 3, unit, "q");
    Node *r = g_param(g, DT_f32, 1, &k, "r");
    Node *pb = g_matmul(g, p, b), *pq = g_matmul(g, p, q);
    ck_assert_int_eq(pb->rank, 3);
    ck_assert_ptr_eq(pb->dim[0], num(5));
    ck_assert_ptr_eq(pb->dim[2], m);
    ck_assert(same_shape(pq, pb));
    ck_assert_int_eq(g_matmul(g, r, r)->rank, 0);
    ck_assert_int_eq(g_matmul(g, p, r)->rank, 2);
    ck_assert_int_eq(g_matmul(g, r, b)->rank, 1);
    Node *i = g_cast(g, DT_i32, a), *j = g_cast(g, DT_i32, b);
    ck_assert_int_eq(g_matmul(g, i, j)->op, OP_sum);
}
END_TEST

START_TEST(indices_simplify)
{
    Node *i = g_param(g, DT_i32, 1, &n, "i");
    Node *c = g_index_check(g, i, m);
    ck_assert_ptr_eq(g_index_check(g, c, m), c);
    ck_assert_ptr_eq(g_index_check(g, g_iota(g, DT_i32, m), m),
                     g_iota(g, DT_i32, m));
    Node *e = g_gather(g, x, i, 1);
    ck_assert_ptr_eq(e->arg[1], c);
    ck_assert_ptr_eq(e->dim[1], n);
    Node *back = g_scatter_add(g, e, i, 1, m);
    ck_assert(same_shape(back, x));
}
END_TEST

START_TEST(substitution)
{
    Node *f = g2(g, OP_add, g1(g, OP_sin, x), g1(g, OP_neg, y));
    Node *root[2] = {f, v};
    Node *from[2] = {x, y}, *to[2] = {y, x};
    graph_subst(g, 2, from, to, 2, root);
    ck_assert_ptr_eq(root[0],
                     g2(g, OP_add, g1(g, OP_sin, y), g1(g, OP_neg, x)));
    ck_assert_ptr_eq(root[1], v);
    Node *ab = g_matmul(g, a, b);
    Node *a2 = param2(n, k, "a2");
    graph_subst(g, 1, &a, &a2, 1, &ab);
    ck_assert_ptr_eq(ab, g_matmul(g, a2, b));
    graph_verify(g, 2, root);
}
END_TEST

/* Printing. */

static const char *text(const Node *p)
{
    Str to = str_new(arena);
    node_print(p, &to);
    return to.at;
}

START_TEST(prints_the_language)
{
    ck_assert_str_eq(text(g2(g, OP_mul, g2(g, OP_add, x, y), y)),
                     "y * (x + y)");
    ck_assert_str_eq(text(g2(g, OP_sub, x, g2(g, OP_sub, y, x))),
                     "x - (y - x)");
    ck_assert_str_eq(text(g2(g, OP_sub, g2(g, OP_sub, x, y), x)), "x - y - x");
    ck_assert_str_eq(text(g2(g, OP_pow, g1(g, OP_neg, x), y)), "(-x) ^ y");
    ck_assert_str_eq(text(g_matmul(g, a, b)), "a @ b");
    ck_assert_str_eq(text(g_matmul(g, swap(x), y)), "x' @ y");
    ck_assert_str_eq(text(g_matmul(g, x, v)), "x @ v");
    ck_assert_str_eq(text(g_matmul(g, swap(g2(g, OP_add, x, y)), a)),
                     "(x + y)' @ a");
    ck_assert_str_eq(text(sum_axis(x, 1)), "sum(x, axis = 1)");
    ck_assert_str_eq(text(g_reduce_all(g, OP_sum, g2(g, OP_mul, x, y))),
                     "sum(x * y)");
    ck_assert_str_eq(text(swap(x)), "x'");
    ck_assert_str_eq(text(g_const(g, DT_f32, 1e-5)), "1e-5");
    ck_assert_str_eq(text(g_const(g, DT_f32, 0.1)), "0.1");
    ck_assert_str_eq(text(g_const(g, DT_f64, -INFINITY)), "-inf");
}
END_TEST

START_TEST(dump_is_stable)
{
    char *buf = NULL;
    size_t len;
    FILE *f = open_memstream(&buf, &len);
    Node *wide = g_broadcast_to(g, v, 2, (const Dim *[]){n, m});
    Node *h = g2(g, OP_add, g_matmul(g, a, b), wide);
    Node *root[3] = {g2(g, OP_mul, h, g_fill(g, h, 3)), s, g_fill(g, v, 2)};
    graph_dump(g, 3, root, (const char *[]){"h", "s", "c"}, f);
    fclose(f);
    ck_assert_str_eq(buf, "v : real[m]\n"
                          "a : real[n, k]\n"
                          "b : real[k, m]\n"
                          "s : real\n"
                          "%0 = broadcast(v; -1 0) : real[n, m]\n"
                          "%1 = contract(a, b; 0 2 2 1) : real[n, m]\n"
                          "%2 = add(%0, %1) : real[n, m]\n"
                          "%3 = mul(%2, 3) : real[n, m]\n"
                          "h = %3\n"
                          "s = s\n"
                          "c = 2 : real[m]\n");
    free(buf);
}
END_TEST

/* Depth: nothing recurses over the graph. */
START_TEST(long_chains)
{
    enum { DEPTH = 100000 };
    Node *c = x, *vb = g_broadcast_to(g, v, 2, (const Dim *[]){n, m});
    for (int i = 0; i < DEPTH; i++)
        c = g2(g, i % 2 ? OP_mul : OP_add, g1(g, OP_sin, c), vb);
    Node *root = c;
    graph_subst(g, 1, &x, &y, 1, &root);
    ck_assert_ptr_ne(root, c);
    graph_subst(g, 1, &y, &x, 1, &root);
    ck_assert_ptr_eq(root, c);
    graph_verify(g, 1, &c);
    Str to = str_new(arena);
    node_print(c, &to);
    ck_assert(to.n > DEPTH);
    FILE *f = fopen("/dev/null", "w");
    graph_dump(g, 1, &c, NULL, f);
    fclose(f);
}
END_TEST

/* The table. */

START_TEST(row_is_complete)
{
    const Op *row = op_table[_i];
    ck_assert_ptr_nonnull(row);
    ck_assert_ptr_nonnull(row->name);
    ck_assert_ptr_nonnull(row->doc);
    if (row->cls == OPC_ewise) {
        ck_assert(row->arity > 0 && row->arity <= 3);
        ck_assert(row->takes != 0);
        ck_assert(op_has_eval(row) || row->eval_int || row->eval_tensor);
        ck_assert(op_has_lower(row) || row->expand);
    } else {
        ck_assert_ptr_nonnull(row->infer);
        ck_assert(row->eval_tensor || row->cls == OPC_select ||
                  row->cls == OPC_region || _i == OP_param);
    }
    if (row->cls == OPC_reduce)
        ck_assert(row->join || row->expand);
    ck_assert_int_eq(row->cls == OPC_routine, row->eval_one != NULL);
    ck_assert_int_eq(row->cls == OPC_routine, row->sizes && row->products);
    ck_assert(!row->on_dims || row->arity <= 2);
}
END_TEST

START_TEST(even_and_odd_functions_are)
{
    const Op *row = op_table[_i];
    bool even = row->flags & OP_EVEN, odd = row->flags & OP_ODD;
    ck_assert(!(even && odd));
    for (double at = 0.125; (even || odd) && at < 1; at += 0.125) {
        double here = op_eval(row, (double[]){at});
        double there = op_eval(row, (double[]){-at});
        ck_assert_int_eq(row->arity, 1);
        ck_assert_double_eq(there, even ? here : -here);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph");
    TCase *t = tcase_create("graph");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, maps_find_what_was_put);
    tcase_add_test(t, heaps_give_the_smallest);
    tcase_add_test(t, dims_are_canonical);
    tcase_add_test(t, prints_dims);
    tcase_add_test(t, dims_evaluate);
    tcase_add_test(t, dims_solve);
    tcase_add_test(t, dims_overflow);
    tcase_add_test(t, values_overflow);
    tcase_add_test(t, dims_visit);
    tcase_add_test(t, dims_clamp);
    tcase_add_test(t, type_has_leaves);
    tcase_add_test(t, dtypes_convert);
    tcase_add_test(t, equal_nodes_are_one);
    tcase_add_test(t, constants_fold);
    tcase_add_test(t, sizes_divide);
    tcase_add_test(t, written_nodes_stay);
    tcase_add_test(t, broadcasts_float_outward);
    tcase_add_test(t, views_compose);
    tcase_add_test(t, reductions_simplify);
    tcase_add_test(t, contracts_are_canonical);
    tcase_add_test(t, matmul_takes_stacks_and_vectors);
    tcase_add_test(t, indices_simplify);
    tcase_add_test(t, substitution);
    tcase_add_test(t, prints_the_language);
    tcase_add_test(t, dump_is_stable);
    tcase_add_test(t, long_chains);
    tcase_add_loop_test(t, row_is_complete, 0, NOPS);
    tcase_add_loop_test(t, even_and_odd_functions_are, 0, NOPS);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
