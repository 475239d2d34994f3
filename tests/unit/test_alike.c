/* test_alike.c: what differs in one respect is not equal. Nodes, regions and
 * the like are found by their hashes, which tell most that differ apart before
 * they are compared; here they are compared. */
#include "graph/form.h"
#include "graph/internal.h"
#include "graph/ops/ops.h"
#include "region_cases.h"
#include "suite.h"

#include <check.h>

/* A copy of a struct in which one field is another, compared both ways. */
#define ck_differ(Type, same, x, change)                                       \
    do {                                                                       \
        Type changed_ = *(x);                                                  \
        ck_assert(same(x, &changed_));                                         \
        changed_.change;                                                       \
        ck_assert_msg(!same(x, &changed_), #change);                           \
        ck_assert_msg(!same(&changed_, x), #change " of the first");           \
    } while (0)

START_TEST(nodes)
{
    const Dim *two = dim_const(g, 2), *three = dim_const(g, 3);
    const double value[] = {1, 2}, others[] = {1, 3};
    const int turned[] = {1, 0}, ones[] = {1};
    const Dim *size[] = {three};
    Node *order = g_permute(g, W, turned), *one = num(1);
    Node *size_of = g_dim(g, DT_i64, var_T),
         *data = g_data(g, DT_f64, 1, &two, value);
    Node *bit = g_const_int(g, DT_i64, 1);
    Node *spread = g_broadcast_to(g, a, 1, &two);

    ck_differ(Node, node_same_alone, one, op = OP_neg);
    ck_differ(Node, node_same_alone, one, dtype = DT_f32);
    ck_differ(Node, node_same_alone, one, attr.real = 2);
    ck_differ(Node, node_same_alone, num(0), attr.real = -0.0);
    ck_differ(Node, node_same_alone, bit, attr.integer = 2);
    ck_differ(Node, node_same_alone, order, attr.nint--);
    ck_differ(Node, node_same_alone, spread, attr.ints = ones);
    ck_differ(Node, node_same_alone, size_of, attr.ndim--);
    ck_differ(Node, node_same_alone, size_of, attr.dims = size);
    ck_differ(Node, node_same_alone, data, attr.data = others);
    ck_differ(Node, node_same_alone, data, attr.data = NULL);
    ck_differ(Node, same_type, W, dtype = DT_f32);
    ck_differ(Node, same_type, W, rank--);
    ck_differ(Node, same_type, data, dim = size);
}
END_TEST

/* h = x[t] - (t - k h), with its rows, until h is above 40. */
static Node *loop(DType t, Node *k)
{
    Node *i = g_param(g, t, 0, NULL, "t"), *h = scalar("h"), *x = scalar("x");
    Node *next = g2(g, OP_sub, x, g2(g, OP_sub, real(i), mul(k, h)));
    Node *out[] = {next, h};
    Node *init[] = {b, xs};
    Region r = fold_of(var_T, i, &h, &next, 2, out);
    r.input = &x;
    r.ninput = 1;
    r.until = g2(g, OP_lt, num(40), h);
    return g_region_close(g, &r, 2, init);
}

/* As if both had one hash. */
static bool same_but_for_hash(const Region *x, const Node *n)
{
    Region other = *node_region(n);
    other.key = x->key;
    return region_same(x, &other);
}

START_TEST(regions)
{
    const Region *r = node_region(loop(DT_i32, a));

    ck_assert(region_same(r, r) && region_same(NULL, NULL));
    ck_assert(!region_same(r, NULL) && !region_same(NULL, r));
    ck_differ(Region, region_same, r, key++);
    ck_differ(Region, region_same, r, trips = dim_const(g, 3));
    ck_differ(Region, region_same, r, reverse = true);
    ck_differ(Region, region_same, r, counted = true);
    ck_differ(Region, region_same, r, remat = true);
    ck_differ(Region, region_same, r, apart = true);
    ck_differ(Region, region_same, r, ncarry = 0);
    ck_differ(Region, region_same, r, ninput = 0);
    ck_differ(Region, region_same, r, ncapture = 0);
    ck_differ(Region, region_same, r, noutput = 1);
    ck_differ(Region, region_same, r, index = NULL);
    ck_differ(Region, region_same, r, until = NULL);
    ck_differ(Region, region_same, r, vjp = r);
    Region endless = *r;
    endless.until = NULL;
    ck_differ(Region, region_same, &endless, noutput = 1);
}
END_TEST

START_TEST(bodies)
{
    const Node *l = loop(DT_i32, a);
    const Region *r = node_region(l);
    Node *h = r->carry[0], *k = r->capture[0], *x = r->input[0];
    Node *t = real(r->index),
         *next[] = {r->next[0],
                    g2(g, OP_sub, x, g2(g, OP_sub, t, mul(k, k))),
                    g2(g, OP_sub, x, g2(g, OP_sub, t, mul(h, h))),
                    g2(g, OP_sub, x, g2(g, OP_sub, x, mul(k, h))),
                    g2(g, OP_sub, t, g2(g, OP_sub, x, mul(k, h))),
                    mul(mul(k, h), x),
                    g2(g, OP_sub, r->next[0], num(1))};
    Node *out[] = {r->output[1], r->output[0]}, *twice[] = {out[0], out[0]};

    ck_assert(same_but_for_hash(r, loop(DT_i32, a)));
    ck_assert(same_but_for_hash(r, loop(DT_i32, b)));
    ck_assert(!same_but_for_hash(r, loop(DT_i64, a)));
    for (int i = 0; i < 7; i++) {
        Region s = *r;
        s.next = &next[i];
        const Node *m = g_region(g, &s, l->narg, l->arg);
        ck_assert_int_eq(same_but_for_hash(r, m), i == 0);
        ck_assert_int_eq(same_but_for_hash(node_region(m), l), i == 0);
    }
    ck_differ(Region, region_same, r, output = out);
    ck_differ(Region, region_same, r, output = twice);
}
END_TEST

START_TEST(types)
{
    const Dim *one = dim_const(g, 1), *two = dim_const(g, 2);
    const Type *x = type_tensor(arena, DT_f64, 1, &one),
               *y = type_scalar(arena, DT_f64), *part[] = {x, y},
               *other[] = {x, x};
    const TypeArg size = {.dim = one}, larger = {.dim = two}, of = {.type = x},
                  of_other = {.type = y};
    const StructDef *def[2] = {(const StructDef *)&size,
                               (const StructDef *)&larger};
    Type s = *type_tuple(arena, 2, part), t = s, stack = s;

    ck_differ(Type, type_equal, x, dtype = DT_f32);
    ck_differ(Type, type_equal, x, rank = 0);
    ck_differ(Type, type_equal, x, dim = &two);
    ck_differ(Type, type_equal, &t, part = other);
    ck_differ(Type, type_equal, &t, npart = 1);
    ck_differ(Type, type_equal, &t, kind = TY_stack);
    stack.kind = TY_stack;
    stack.count = one;
    ck_differ(Type, type_equal, &stack, count = two);
    ck_differ(Type, type_equal, &stack, part = other);
    s.kind = TY_struct;
    s.def = def[0];
    s.arg = &size;
    s.narg = 1;
    ck_differ(Type, type_equal, &s, def = def[1]);
    ck_differ(Type, type_equal, &s, narg = 0);
    ck_differ(Type, type_equal, &s, arg = &larger);
    s.arg = &of;
    ck_differ(Type, type_equal, &s, arg = &of_other);
    /* What declares it and its arguments tell all, but for open ones. */
    t = s;
    t.part = other;
    ck_assert(type_equal(&s, &t));
    s.open = t.open = true;
    ck_assert(!type_equal(&s, &t));
}
END_TEST

START_TEST(forms)
{
    FormMaker m = {.arena = arena, .graph = g};
    const Form *x = form_name(&m, "x", 1), *y = form_name(&m, "y", 1);
    const Form *two = form_number(&m, 2, false),
               *row = form_row(&m, 1, 2, MARK_bar, 0);
    const Form *sum = form2(&m, FORM_product, x, y), *other[] = {x, x};

    const Shown f = {.kind = FORM_call, .nn = "f"}, h = f;
    const Form *call = form_make(&m, FORM_call, &f, 1, &x);

    ck_differ(Form, form_alike, call, shown = &h);
    ck_differ(Form, form_alike, call, shown = NULL);
    ck_differ(Form, form_alike, x, name = "y");
    ck_differ(Form, form_alike, x, name = NULL);
    ck_differ(Form, form_alike, x, rank = 0);
    ck_differ(Form, form_alike, x, mark = MARK_dot);
    ck_differ(Form, form_alike, row, row = 2);
    ck_differ(Form, form_alike, row, through = 1);
    ck_differ(Form, form_alike, row, mark = MARK_none);
    ck_differ(Form, form_alike, two, number = 3);
    ck_differ(Form, form_alike, two, integer = true);
    ck_differ(Form, form_alike, sum, kind = FORM_sum);
    ck_differ(Form, form_alike, sum, narg = 1);
    ck_differ(Form, form_alike, sum, nvar = 1);
    ck_differ(Form, form_alike, sum, arg = other);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("alike");
    TCase *t = tcase_create("alike");

    tcase_add_checked_fixture(t, graph_setup, graph_teardown);
    tcase_add_test(t, nodes);
    tcase_add_test(t, regions);
    tcase_add_test(t, bodies);
    tcase_add_test(t, types);
    tcase_add_test(t, forms);
    suite_add_tcase(s, t);
    return run_suite(s);
}
