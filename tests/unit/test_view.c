/* test_view.c: the algebra of views, on random ones: what is read, composed and
 * transposed, against places computed one by one. */
#include "eval/eval.h"
#include "graph/op.h"
#include "graph/view.h"
#include "simplify/simplify.h"
#include "strided.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>

enum { ROUNDS = 1500, N = 3, MOST = 3 };

static Arena *arena;
static Graph *g;
static const Dim *n;

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f64);
    n = dim_var(g, "n");
    srand(11);
}

static void teardown(void) { arena_free(arena); }

static int below(int k) { return rand() % k; }

static const Dim *num(int64_t v) { return dim_const(g, v); }

static int64_t value(const Dim *d)
{
    int64_t v;
    ck_assert(dim_eval(d, 1, &n, (int64_t[]){N}, &v));
    return v;
}

/* The dimensions of a tensor. */
typedef struct Shape {
    int rank;
    const Dim *dim[MAX_RANK];
} Shape;

static int64_t elements(const Shape *s)
{
    int64_t count = 1;
    for (int i = 0; i < s->rank; i++)
        count *= value(s->dim[i]);
    return count;
}

static const Dim *random_size(void)
{
    switch (below(5)) {
    case 0:
        return num(1);
    case 1:
        return n;
    case 2:
        return dim_add(g, n, num(1));
    }
    return num(2 + below(2));
}

static Shape random_shape(void)
{
    Shape s = {.rank = below(MOST + 1)};
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = random_size();
    return s;
}

/* A map from indices of `of` and a shape that has all it names. */
static View random_view(const Shape *of, Shape *to)
{
    View v = {.rank = of->rank, .from = below(MOST + 1)};
    for (int j = 0; j < v.rank; j++) {
        v.axis[j] = below(v.from + 1) - 1;
        v.size[j] = of->dim[j];
        v.coef[j] = num(v.axis[j] < 0 ? 0 : below(3) ? 1 : below(6) - 2);
        if (v.axis[j] >= 0 && below(6) == 0)
            v.coef[j] = dim_sub(g, n, num(below(2)));
    }
    to->rank = v.from;
    for (int k = 0; k < v.from; k++) {
        const Dim *lo = num(below(2)), *hi = num(below(3));
        for (int j = 0; j < v.rank; j++) {
            const Dim *last = dim_sub(g, v.size[j], num(1));
            if (v.axis[j] != k)
                continue;
            last = dim_mul(g, last, v.coef[j]);
            if (value(v.coef[j]) < 0)
                lo = dim_sub(g, lo, last);
            else
                hi = dim_add(g, hi, last);
        }
        v.base[k] = below(4) ? lo : dim_add(g, lo, n);
        to->dim[k] = dim_add(g, dim_add(g, v.base[k], hi), num(1));
    }
    return v;
}

/* A permutation, a slice, a flip: what needs no further node. */
static View simple_view(const Shape *of, Shape *to)
{
    View v = {.rank = of->rank, .from = of->rank};
    int at = below(of->rank + 1), by = 1 + below(2), most = below(3);
    *to = *of;
    for (int j = 0; j < v.rank; j++) {
        int k = v.axis[j] = (j + at) % v.rank;
        const Dim *last = dim_mul(g, dim_sub(g, of->dim[j], num(1)), num(by));
        bool back = below(3) == 0;
        v.size[j] = of->dim[j];
        v.coef[j] = num(back ? -by : by);
        v.base[k] = back ? last : num(most);
        to->dim[k] = dim_add(g, dim_add(g, last, num(most)), num(1));
    }
    return v;
}

/* The element that element i of `of` is at. */
static int64_t place(const View *v, const Shape *of, const Shape *to, int64_t i)
{
    int64_t at[MAX_RANK], linear = 0;
    for (int k = 0; k < to->rank; k++)
        at[k] = value(v->base[k]);
    for (int j = of->rank - 1; j >= 0; j--) {
        int64_t size = value(of->dim[j]);
        if (v->axis[j] >= 0)
            at[v->axis[j]] += value(v->coef[j]) * (i % size);
        i /= size;
    }
    for (int k = 0; k < to->rank; k++) {
        int64_t size = value(to->dim[k]);
        ck_assert(at[k] >= 0 && at[k] < size);
        linear = linear * size + at[k];
    }
    return linear;
}

static Node *param(const Shape *s)
{
    return g_param(g, DT_f64, s->rank, s->dim, "x");
}

/* Small whole numbers: sums of them are exact. */
static double *numbers(const Shape *s)
{
    int64_t count = elements(s);
    double *p = NEWN(arena, double, count);
    for (int64_t i = 0; i < count; i++)
        p[i] = below(19) - 9;
    return p;
}

static double *eval(Node *root, Node *x, double *data)
{
    EvalInput in = {x, data};
    double *out = NULL;
    ck_assert_int_eq(
        eval_nodes(arena, g, 1, &root, 1, &in, 1, &n, (int64_t[]){N}, &out),
        EVAL_OK);
    return out;
}

static void same_numbers(const double *a, const double *b, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        ck_assert_double_eq(a[i], b[i]);
}

static double *read_by(const View *v, const Shape *of, const Shape *to,
                       const double *x)
{
    double *y = NEWN(arena, double, elements(of));
    for (int64_t i = 0; i < elements(of); i++)
        y[i] = x[place(v, of, to, i)];
    return y;
}

static double *added_by(const View *v, const Shape *of, const Shape *to,
                        const double *y)
{
    double *x = NEWN(arena, double, elements(to));
    for (int64_t i = 0; i < elements(of); i++)
        x[place(v, of, to, i)] += y[i];
    return x;
}

START_TEST(views_read_and_add)
{
    for (int i = 0; i < ROUNDS; i++) {
        Shape of = random_shape(), to;
        View v = random_view(&of, &to);
        Node *x = param(&to), *y = param(&of);
        double *in = numbers(&to), *out = numbers(&of);
        double *read = read_by(&v, &of, &to, in);
        double *added = added_by(&v, &of, &to, out);
        graph_plain(g, below(2));
        Node *a = g_view(g, x, &v), *b = g_view_add(g, y, &v, to.dim);
        same_numbers(eval(a, x, in), read, elements(&of));
        same_numbers(eval(b, y, out), added, elements(&to));
        expand(g, 1, &b);
        same_numbers(eval(b, y, out), added, elements(&to));
        graph_plain(g, false);
        /* <V x, y> = <x, Vᵀ y> */
        double left = 0, right = 0;
        for (int64_t k = 0; k < elements(&of); k++)
            left += read[k] * out[k];
        for (int64_t k = 0; k < elements(&to); k++)
            right += in[k] * added[k];
        ck_assert_double_eq(left, right);
    }
}
END_TEST

START_TEST(composed_is_one_after_the_other)
{
    for (int i = 0; i < ROUNDS; i++) {
        Shape a = random_shape(), b, c;
        View outer = random_view(&a, &b), inner = random_view(&b, &c);
        View both = view_compose(g, &outer, &inner);
        Node *x = param(&c), *y = param(&a);
        double *in = numbers(&c), *out = numbers(&a);
        double *read = read_by(&both, &a, &c, in);
        same_numbers(read, read_by(&outer, &a, &b, read_by(&inner, &b, &c, in)),
                     elements(&a));
        Node *twice = g_view(g, g_view(g, x, &inner), &outer);
        same_numbers(eval(twice, x, in), read, elements(&a));
        twice = g_view_add(g, g_view_add(g, y, &outer, b.dim), &inner, c.dim);
        same_numbers(eval(twice, y, out), added_by(&both, &a, &c, out),
                     elements(&c));
    }
}
END_TEST

START_TEST(compose_is_a_category)
{
    for (int i = 0; i < ROUNDS; i++) {
        Shape a = random_shape(), b, c, d;
        View u = random_view(&a, &b), v = random_view(&b, &c);
        View w = random_view(&c, &d), uv = view_compose(g, &u, &v);
        View vw = view_compose(g, &v, &w);
        View left = view_compose(g, &uv, &w), right = view_compose(g, &u, &vw);
        ck_assert(view_equal(&left, &right));
        Node *x = param(&a), *y = param(&b);
        View one = view_whole(g, x), other = view_whole(g, y);
        left = view_compose(g, &one, &u);
        right = view_compose(g, &u, &other);
        ck_assert(view_equal(&left, &u) && view_equal(&right, &u));
        ck_assert(view_is_whole(&one, a.dim));
        ck_assert_ptr_eq(g_view(g, x, &one), x);
        ck_assert_ptr_eq(g_view_add(g, x, &one, a.dim), x);
    }
}
END_TEST

/* What is made of a map is made of it however it is put together. */
START_TEST(equal_maps_are_equal_nodes)
{
    for (int i = 0; i < ROUNDS; i++) {
        Shape a = random_shape(), b, c;
        View outer = simple_view(&a, &b), inner = simple_view(&b, &c);
        View both = view_compose(g, &outer, &inner);
        Node *x = param(&c), *y = g_view(g, g_view(g, x, &inner), &outer);
        ck_assert_ptr_eq(y, g_view(g, x, &both));
        ck_assert(y == x || (y->op == OP_view && y->arg[0] == x));
        /* Of each place its own: the transpose is the inverse. */
        Node *z = param(&a);
        y = g_view_add(g, z, &outer, b.dim);
        double *in = numbers(&a);
        same_numbers(eval(g_view(g, y, &outer), z, in), in, elements(&a));
    }
}
END_TEST

/* Repetition is around selection, and of either there is one. */
START_TEST(views_are_of_two_kinds)
{
    for (int i = 0; i < ROUNDS; i++) {
        Shape a = random_shape(), b, c;
        View outer = random_view(&a, &b), inner = random_view(&b, &c);
        Node *x = param(&c), *y = g_view(g, g_view(g, x, &inner), &outer);
        for (; y != x; y = y->arg[0]) {
            const Node *in = y->arg[0];
            if (y->op != OP_view || in->op != OP_view)
                continue;
            ck_assert(node_repeats(y) && !node_repeats(in));
        }
    }
}
END_TEST

START_TEST(printing_picks_the_word)
{
    const Dim *dim[2] = {n, num(4)}, *square = dim_mul(g, n, n);
    const Dim *start[2] = {num(0), num(1)}, *size[2] = {n, num(2)};
    Node *x = g_param(g, DT_f64, 2, dim, "x");
    Node *y = g_param(g, DT_f64, 1, &square, "y");
    Node *v = g_param(g, DT_f64, 1, &n, "v");
    const Dim *one = num(1), *next = dim_add(g, n, one);
    struct {
        Node *node;
        const char *word, *text;
    } all[] = {
        {g_permute(g, x, (int[]){1, 0}), "permute", "x'"},
        {g_slice(g, x, start, size, (int[]){1, 2}), "slice", "x[:, 1::2]"},
        {g_flip(g, x, 1), "view", "flip(x, 1)"},
        {g_flip(g, g_flip(g, x, 0), 1), "view", "view(x, -i + n - 1, -j + 3)"},
        {g_broadcast_to(g, v, 2, (const Dim *[]){num(4), n}), "broadcast", "v"},
        {g_pad(g, v, &one, &next, (int[]){1}), "pad", "pad(v, [1], [n + 1])"},
        {g_strided(g, y, 0, num(0), 1, &n, &next), "view",
         "view(y, (n + 1)*i)"},
        {g_strided(g, y, 0, num(3), 2, (const Dim *[]){num(2), num(2)},
                   (const Dim *[]){num(-2), num(1)}),
         "view", "view(y, -2*i + j + 3)"},
        {strided_add(g, v, 0, num(0), 1, &n, square), "view_add",
         "view_add(v, (n)*i, [n^2])"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        Str s = str_new(arena);
        node_print(all[i].node, &s);
        ck_assert_str_eq(s.at, all[i].text);
        ck_assert_str_eq(view_word(all[i].node), all[i].word);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("view");
    TCase *t = tcase_create("view");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, views_read_and_add);
    tcase_add_test(t, composed_is_one_after_the_other);
    tcase_add_test(t, compose_is_a_category);
    tcase_add_test(t, equal_maps_are_equal_nodes);
    tcase_add_test(t, views_are_of_two_kinds);
    tcase_add_test(t, printing_picks_the_word);
    suite_add_tcase(s, t);
    return s;
}

int main(void) { return run_suite(suite()); }
