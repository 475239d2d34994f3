/* test_bound.c: what is proved of random integers holds wherever it may. */
#include "graph/bound.h"
#include "graph/ops/ops.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>

enum { NVAR = 2, NCOUNTER = 2, VALUES = 6, ROUNDS = CASES(6000) };

static Arena *arena;
static Graph *g;
static const Dim *var[NVAR], *count_var[NCOUNTER], *extent[NCOUNTER];
static Node *index_node[NCOUNTER];

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f32);
    for (int i = 0; i < NVAR; i++)
        var[i] = dim_var(g, i ? "m" : "n");
    for (int i = 0; i < NCOUNTER; i++) {
        index_node[i] = g_param(g, DT_i32, 0, NULL, i ? "j" : "i");
        count_var[i] = dim_var(g, i ? "j" : "i");
    }
    srand(7);
}

static void teardown(void) { arena_free(arena); }

static const Dim *num(int64_t v) { return dim_const(g, v); }

static int below(int n) { return rand() % n; }

/* Random sizes, integers and conditions. */

static const Dim *random_divisor(const Dim *d)
{
    return below(3) || dim_is(d, 0) ? num(1 + below(3)) : d;
}

static const Dim *random_dim(int depth)
{
    const Dim *a, *b;
    if (depth == 0)
        return below(2) ? var[below(NVAR)] : num(below(5) - 1);
    a = random_dim(depth - 1);
    b = random_dim(depth - 1);
    switch (below(5)) {
    case 0:
        return dim_add(g, a, b);
    case 1:
        return dim_sub(g, a, b);
    case 2:
        return dim_mul(g, a, b);
    case 3:
        return dim_div(g, a, random_divisor(b));
    default:
        return dim_mod(g, a, random_divisor(b));
    }
}

static Node *random_cond(int depth);

static Node *random_int(int depth)
{
    static const OpId ops[] = {OP_add, OP_sub, OP_mul, OP_min,
                               OP_max, OP_div, OP_mod, OP_add};
    Node *a, *b;
    int k = below(13);
    if (depth == 0)
        return below(4) ? index_node[below(NCOUNTER)]
                        : g_dim(g, DT_i32, random_dim(below(2)));
    a = random_int(depth - 1);
    if (k == 12)
        return g_index_check(g, a, random_dim(1));
    if (k == 11)
        return g_cast(g, DT_i32, random_cond(0));
    if (k == 10)
        return g_cast(g, DT_i32, g_cast(g, DT_u8, a));
    if (k == 9)
        return g1(g, OP_neg, a);
    if (k == 8)
        return g_where(g, random_cond(0), a, random_int(depth - 1));
    b = random_int(depth - 1);
    if (ops[k] == OP_mul || ops[k] == OP_div || ops[k] == OP_mod)
        b = g_dim(g, DT_i32, random_divisor(random_dim(1)));
    return g2(g, ops[k], a, b);
}

static Node *random_cond(int depth)
{
    static const OpId order[] = {OP_lt, OP_le, OP_eq, OP_ne};
    if (depth == 0)
        return g2(g, order[below(4)], random_int(below(2)), random_int(0));
    if (below(4) == 0)
        return g1(g, OP_not, random_cond(depth - 1));
    return g2(g, below(3) ? OP_and : OP_or, random_cond(depth - 1),
              random_cond(depth - 1));
}

/* What they are. */

typedef struct At {
    int64_t size[NVAR], i[NCOUNTER];
} At;

static bool dim_at(const Dim *d, const At *at, int64_t *v)
{
    const Dim *all[NVAR + NCOUNTER];
    int64_t value[NVAR + NCOUNTER];
    for (int i = 0; i < NVAR; i++) {
        all[i] = var[i];
        value[i] = at->size[i];
    }
    for (int i = 0; i < NCOUNTER; i++) {
        all[NVAR + i] = count_var[i];
        value[NVAR + i] = at->i[i];
    }
    return dim_eval(d, NVAR + NCOUNTER, all, value, v);
}

/* False: it has no value, by a division by 0. */
static bool node_at(Node *n, const At *at, int64_t *v)
{
    int64_t x[3] = {0};
    const Dim *d = node_as_dim(g, n);
    if (d)
        return dim_at(d, at, v);
    for (int i = 0; i < NCOUNTER; i++)
        if (n == index_node[i]) {
            *v = at->i[i];
            return true;
        }
    if (n->op == OP_const) {
        *v = node_is_const(n, 1);
        return true;
    }
    for (int i = 0; i < n->narg; i++)
        if (!node_at(n->arg[i], at, &x[i]))
            return false;
    if ((n->op == OP_div || n->op == OP_mod) && x[1] == 0)
        return false;
    if (n->op == OP_index_check) {
        *v = x[0];
        return dim_at(n->attr.dims[0], at, &x[1]) && x[0] >= 0 && x[0] < x[1];
    }
    if (n->op == OP_cast)
        *v = n->dtype == DT_u8 ? x[0] & 255 : x[0];
    else if (op_table[n->op]->eval_int)
        *v = op_table[n->op]->eval_int(x);
    else
        *v = (int64_t)op_table[n->op]->eval(
            (double[]){(double)x[0], (double)x[1], (double)x[2]});
    return true;
}

/* The next place, in order; false after the last. A counter whose extent is not
 * positive has no values. */
static bool next_place(At *at)
{
    for (int i = 0; i < NCOUNTER; i++) {
        int64_t most;
        if (dim_at(extent[i], at, &most) && ++at->i[i] < most)
            return true;
        at->i[i] = 0;
    }
    for (int i = 0; i < NVAR; i++) {
        if (++at->size[i] < VALUES)
            return true;
        at->size[i] = 0;
    }
    return false;
}

static bool has_values(const At *at)
{
    int64_t most;
    for (int i = 0; i < NCOUNTER; i++)
        if (!dim_at(extent[i], at, &most) || most < 1)
            return false;
    return true;
}

static bool counter(void *u, const Node *n, Unknown *to)
{
    (void)u;
    for (int i = 0; i < NCOUNTER; i++)
        if (n == index_node[i]) {
            to->var = count_var[i];
            to->extent = extent[i];
            return true;
        }
    return false;
}

static Bound question(Node *cond)
{
    Bound b = bound_of(g);
    b.counter = counter;
    if (cond)
        bound_assume(&b, cond, NULL);
    return b;
}

static const char *text(Node *n, Node *cond)
{
    Str s = str_new(arena);
    node_print(n, &s);
    str_printf(&s, ", i < ");
    dim_print(extent[0], &s);
    str_printf(&s, ", j < ");
    dim_print(extent[1], &s);
    if (cond) {
        str_printf(&s, ", where ");
        node_print(cond, &s);
    }
    return s.at;
}

static void random_extents(void)
{
    for (int i = 0; i < NCOUNTER; i++)
        extent[i] = below(3) ? var[below(NVAR)] : random_dim(1 + below(2));
}

/* Between which values n lies where cond holds; NULL: any. */
typedef struct Lies {
    int64_t least, most;
    bool any;
} Lies;

static Lies brute_force(Node *n, Node *cond)
{
    Lies x = {INT64_MAX, INT64_MIN, false};
    At at = {{0}, {0}};
    do {
        int64_t v, holds = 1;
        if (!has_values(&at) || !node_at(n, &at, &v) ||
            (cond && (!node_at(cond, &at, &holds) || !holds)))
            continue;
        x.any = true;
        x.least = v < x.least ? v : x.least;
        x.most = v > x.most ? v : x.most;
    } while (next_place(&at));
    return x;
}

START_TEST(signs_are_right)
{
    int positive = 0, negative = 0;
    for (int i = 0; i < ROUNDS; i++) {
        random_extents();
        Node *n = random_int(1 + below(3));
        Node *cond = below(2) ? random_cond(below(3)) : NULL;
        Bound b = question(cond);
        const Dim *p = bound_form(&b, n, NULL);
        if (!p)
            continue;
        bool up = bound_never_negative(&b, p), down = bound_negative(&b, p);
        if (!up && !down)
            continue;
        Lies x = brute_force(n, cond);
        positive += up && x.any;
        negative += down && x.any;
        ck_assert_msg(!up || x.least >= 0, "%s: not negative", text(n, cond));
        ck_assert_msg(!down || x.most < 0, "%s: negative", text(n, cond));
    }
    ck_assert_int_gt(positive, ROUNDS / 5);
    ck_assert_int_gt(negative, ROUNDS / 100);
}
END_TEST

START_TEST(places_are_inside)
{
    int found = 0;
    for (int i = 0; i < ROUNDS; i++) {
        random_extents();
        Node *n = random_int(1 + below(3));
        Node *cond = below(2) ? random_cond(below(3)) : NULL;
        const Dim *reach = num(1 + below(2)), *d = random_dim(below(3));
        Bound b = question(cond);
        const Dim *p = bound_form(&b, n, NULL);
        if (!p || !bound_inside(&b, p, reach, d))
            continue;
        Node *last = g2(g, OP_add, n, g_dim(g, DT_i32, dim_sub(g, reach, d)));
        Lies lo = brute_force(n, cond), hi = brute_force(last, cond);
        ck_assert_msg(lo.least >= 0 && hi.most <= 0, "%s: inside %s",
                      text(n, cond), dim_text(g, d));
        found += lo.any;
    }
    ck_assert_int_gt(found, ROUNDS / 50);
}
END_TEST

/* At sizes where all counters have values, none is beyond an end, and one that
 * is exact is reached. */
static void ck_end(Node *n, const Dim *end, bool most, bool exact)
{
    At at = {{0}, {0}};
    int64_t best = 0, v, to;
    bool any = false, more = true;
    while (more) {
        At here = at;
        if (has_values(&at) && node_at(n, &at, &v)) {
            best = !any || (most ? v > best : v < best) ? v : best;
            any = true;
        }
        more = next_place(&at);
        if (more && at.size[0] == here.size[0] && at.size[1] == here.size[1])
            continue;
        if (any && dim_at(end, &here, &to)) {
            ck_assert_msg(most ? best <= to : best >= to, "%s: end %s",
                          text(n, NULL), dim_text(g, end));
            ck_assert_msg(!exact || best == to, "%s: exactly %s", text(n, NULL),
                          dim_text(g, end));
        }
        any = false;
    }
}

START_TEST(ends_are_reached)
{
    int found = 0;
    for (int i = 0; i < ROUNDS; i++) {
        bool most = below(2), exact = true;
        random_extents();
        Node *n = random_int(1 + below(3));
        Bound b = question(NULL);
        const Dim *p = bound_form(&b, n, NULL);
        const Dim *end = p ? bound_end(&b, p, most, &exact) : NULL;
        if (!end)
            continue;
        ck_end(n, end, most, exact);
        found += exact;
    }
    ck_assert_int_gt(found, ROUNDS / 10);
}
END_TEST

/* The same of tensors, whose places are the counters: whole ones, views, and
 * what a mask asks for. */

static Node *tensor(Node *n) { return g_broadcast_to(g, n, NCOUNTER, extent); }

static Node *random_mask(int depth);

static Node *random_tensor(int depth)
{
    static const OpId ops[] = {OP_add, OP_sub, OP_mul, OP_min, OP_max,
                               OP_div, OP_mod, OP_add, OP_sub};
    int k = below(NCOUNTER), axis[NCOUNTER] = {-1, -1};
    if (depth == 0 && below(3) == 0)
        return tensor(g_dim(g, DT_i32, random_dim(below(2))));
    if (depth == 0) {
        Node *i = g_iota(g, DT_i32, extent[k]);
        if (below(3) == 0)
            i = g_flip(g, i, 0);
        if (below(4) == 0)
            i = g2(g, OP_mod, i, g_fill(g, i, 2));
        axis[k] = 0;
        return g_broadcast(g, i, NCOUNTER, extent, axis);
    }
    OpId op = ops[below(9)];
    Node *a = random_tensor(depth - 1), *b = random_tensor(depth - 1);
    if (below(4) == 0)
        return g_where(g, random_mask(below(2)), a, b);
    if (op == OP_mul || op == OP_div || op == OP_mod)
        b = tensor(g_dim(g, DT_i32, random_divisor(random_dim(1))));
    return g2(g, op, a, b);
}

/* Is there a k below some size that a place compares to so. */
static Node *random_any(OpId order)
{
    const Dim *dim[] = {extent[0], extent[1], var[below(NVAR)]};
    const int first[] = {0, 1, -1}, last[] = {-1, -1, 0}, axis = 2;
    Node *k = g_iota(g, DT_i32, dim[2]), *x = random_tensor(below(2));
    k = g_broadcast(g, k, 3, dim, last);
    x = g_broadcast(g, x, 3, dim, first);
    return g_reduce(g, OP_any,
                    below(2) ? g2(g, order, k, x) : g2(g, order, x, k), 1,
                    &axis);
}

static Node *random_mask(int depth)
{
    static const OpId order[] = {OP_lt, OP_le, OP_eq, OP_ne};
    if (depth == 0 && below(4) == 0)
        return random_any(order[below(2)]);
    if (depth == 0)
        return g2(g, order[below(4)], random_tensor(below(2)),
                  random_tensor(0));
    if (below(4) == 0)
        return g1(g, OP_not, random_mask(depth - 1));
    return g2(g, below(2) ? OP_and : OP_or, random_mask(depth - 1),
              random_mask(depth - 1));
}

/* What view n reads for its element x. */
static bool place(const Node *n, const At *at, const int64_t *x, int64_t *to)
{
    View view = view_of(n);
    int64_t coef;
    for (int k = 0; k < view.from; k++)
        if (!dim_at(view.base[k], at, &to[k]))
            return false;
    for (int j = 0; j < view.rank; j++) {
        if (!dim_at(view.coef[j], at, &coef))
            return false;
        if (view.axis[j] >= 0)
            to[view.axis[j]] += coef * x[j];
    }
    return true;
}

/* Element x of n, where sizes are what `at` says. */
static bool element(const Node *n, const At *at, const int64_t *x, int64_t *v)
{
    int64_t to[MAX_RANK], of[3] = {0}, size;
    int axis;
    const Dim *d = node_as_dim(g, n);
    for (int i = 0; i < n->rank; i++)
        to[i] = x[i];
    if (d)
        return dim_at(d, at, v);
    switch (n->op) {
    case OP_const:
        *v = node_is_const(n, 1);
        return true;
    case OP_iota:
        *v = x[0];
        return true;
    case OP_view:
        return place(n, at, x, to) && element(n->arg[0], at, to, v);
    case OP_any:
        axis = n->attr.ints[0];
        ck_assert_int_eq(n->attr.nint, 1);
        if (!dim_at(n->arg[0]->dim[axis], at, &size))
            return false;
        for (int i = axis; i < n->rank; i++)
            to[i + 1] = x[i];
        for (to[axis] = 0, *v = 0; to[axis] < size && !*v; to[axis]++)
            if (!element(n->arg[0], at, to, v))
                return false;
        return true;
    }
    for (int i = 0; i < n->narg; i++)
        if (!element(n->arg[i], at, x, &of[i]))
            return false;
    if ((n->op == OP_div || n->op == OP_mod) && of[1] == 0)
        return false;
    ck_assert(op_table[n->op]->cls == OPC_ewise);
    *v = op_table[n->op]->eval_int
             ? op_table[n->op]->eval_int(of)
             : (int64_t)op_table[n->op]->eval(
                   (double[]){(double)of[0], (double)of[1], (double)of[2]});
    return true;
}

static bool all_inside(Node *n, Node *mask, const Dim *d)
{
    Bound b = bound_of(g);
    const Dim *place[MAX_RANK], *p;
    if (!mask)
        return bound_all_inside(g, n, d);
    bound_places(&b, n, place);
    p = bound_form(&b, n, place);
    bound_assume(&b, mask, place);
    return p && bound_inside(&b, p, num(1), d);
}

START_TEST(tensors_are_inside)
{
    int found[2] = {0, 0};
    for (int i = 0; i < 2 * ROUNDS; i++) {
        At at = {{0}, {0}};
        random_extents();
        Node *n = random_tensor(below(3));
        Node *mask = below(2) ? random_mask(below(3)) : NULL;
        const Dim *d = below(2) ? extent[below(2)] : random_dim(below(3));
        if (n->rank != NCOUNTER || !all_inside(n, mask, d))
            continue;
        do {
            int64_t v, most, holds = 1;
            if (!has_values(&at) || !element(n, &at, at.i, &v) ||
                !dim_at(d, &at, &most) ||
                (mask && (!element(mask, &at, at.i, &holds) || !holds)))
                continue;
            found[mask != NULL]++;
            ck_assert_msg(v >= 0 && v < most, "%s of %s", text(n, mask),
                          dim_text(g, d));
        } while (next_place(&at));
    }
    ck_assert_int_gt(found[0], ROUNDS / 10);
    ck_assert_int_gt(found[1], ROUNDS / 10);
}
END_TEST

/* What does not fit is not known, and no fault of the graph's. */
START_TEST(overflow_is_unknown)
{
    const Dim *much = dim_mul(g, num(INT64_MAX / 2), var[0]);
    Node *n = g_dim(g, DT_i64, much);
    bool exact = true;
    extent[0] = much;
    extent[1] = var[1];
    Node *i = g_cast(g, DT_i64, index_node[0]);
    Node *all[] = {
        g2(g, OP_mul, n, n),
        g2(g, OP_mul, g2(g, OP_add, n, n), g2(g, OP_add, n, i)),
        g2(g, OP_mul, n, i),
        g2(g, OP_add, g2(g, OP_add, n, i), g2(g, OP_add, n, n)),
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        Bound b = question(NULL);
        const Dim *p = bound_form(&b, all[k], NULL);
        if (p) {
            ck_assert(!bound_inside(&b, p, num(1), much));
            ck_assert_ptr_null(bound_end(&b, p, true, &exact));
        }
        ck_assert(!p || !dim_too_large(p));
    }
    Ends e = dim_ends(dim_mul(g, var[0], var[1]), NVAR, var,
                      (int64_t[]){INT64_MAX / 2, 3});
    ck_assert_int_eq(e.hi, INT64_MAX);
    ck_assert_int_eq(e.lo, 0);
}
END_TEST

/* A number that is cut off is another one: of the integers in two numbers the
 * sum may be below n, and the integer in their sum n. */
START_TEST(reals_are_no_integers)
{
    Node *x[2], *sum[2], *least = g_const_int(g, DT_i32, 0), *cond;
    for (int k = 0; k < 2; k++)
        x[k] = g_param(g, DT_f32, 0, NULL, k ? "y" : "x");
    sum[0] = g_cast(g, DT_i32, g2(g, OP_add, x[0], x[1]));
    for (int k = 0; k < 2; k++)
        x[k] = g_cast(g, DT_i32, x[k]);
    sum[1] = g2(g, OP_add, x[0], x[1]);
    cond = g2(g, OP_and, g2(g, OP_le, least, sum[1]),
              g2(g, OP_lt, sum[1], g_dim(g, DT_i32, var[0])));
    for (int k = 0; k < 2; k++) {
        Bound b = question(cond);
        const Dim *p = bound_form(&b, sum[k], NULL);
        ck_assert_int_eq(p && bound_inside(&b, p, num(1), var[0]), k);
    }
}
END_TEST

/* Of quotients in quotients the outer one is looked at first, whichever is
 * written first: m (2 u - 3 (2 u / 3)) + u for u = n / 2. */
START_TEST(nested_quotients_are_known)
{
    const Dim *u = dim_div(g, var[0], num(2)), *twice = dim_mul(g, num(2), u);
    const Dim *v = dim_mul(g, num(3), dim_div(g, twice, num(3)));
    const Dim *rest = dim_mul(g, var[1], dim_sub(g, twice, v));
    Bound b = bound_of(g);
    ck_assert(bound_never_negative(&b, rest));
    ck_assert(bound_never_negative(&b, dim_add(g, rest, u)));
    ck_assert(!bound_never_negative(&b, dim_sub(g, rest, u)));
}
END_TEST

START_TEST(sizes_have_ends)
{
    for (int i = 0; i < ROUNDS; i++) {
        const Dim *d = random_dim(1 + below(3));
        const int64_t most[NVAR] = {below(VALUES), below(3) ? 2 : -1};
        Ends e = dim_ends(d, NVAR, var, most);
        At at = {{0}, {0}};
        for (int n = 0; n <= most[0]; n++)
            for (int m = 0; m <= (most[1] < 0 ? 3 * VALUES : most[1]); m++) {
                int64_t v;
                at.size[0] = n;
                at.size[1] = m;
                if (!dim_at(d, &at, &v))
                    continue;
                ck_assert_msg(e.lo <= v && v <= e.hi, "%s", dim_text(g, d));
            }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bound");
    TCase *t = tcase_create("bound");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, signs_are_right);
    tcase_add_test(t, places_are_inside);
    tcase_add_test(t, ends_are_reached);
    tcase_add_test(t, tensors_are_inside);
    tcase_add_test(t, overflow_is_unknown);
    tcase_add_test(t, sizes_have_ends);
    tcase_add_test(t, reals_are_no_integers);
    tcase_add_test(t, nested_quotients_are_known);
    suite_add_tcase(s, t);
    return s;
}

int main(void) { return run_suite(suite()); }
