/* test_products.c: products of matrices whose sizes are near those of blocks,
 * panels and tiles, as machine code, against sums in double precision. */
#include "compiled.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "pieces.h"
#include "suite.h"

/* What is multiplied, in which order; what becomes of it. */
typedef struct Case {
    const char *a, *b;
    DType t;
    bool follows; /* relu(x + bias), with the sum of each row */
} Case;

static const Case cases[] = {
    {"mk", "kn", DT_f32, false}, {"mk", "nk", DT_f32, false},
    {"km", "kn", DT_f32, false}, {"km", "nk", DT_f64, false},
    {"km", "kn", DT_f64, false}, {"mk", "kn", DT_f32, true},
    {"km", "kn", DT_f32, true},
};
enum { CASES = sizeof cases / sizeof *cases, M = 0, N, K };

typedef struct Bench {
    Compiled *c;
    Node *param[CASES][3];
    const Dim *dim[3]; /* of m, n, k: free ones, or numbers */
} Bench;

static Node *operand(Bench *b, const Case *f, const char *axes, int *label)
{
    const Dim *dim[2];
    for (int i = 0; i < 2; i++) {
        label[i] = axes[i] == 'm' ? M : axes[i] == 'n' ? N : K;
        dim[i] = b->dim[label[i]];
    }
    return g_param(b->c->graph, f->t, 2, dim, axes);
}

static void add_case(Bench *b, int which)
{
    const Case *f = &cases[which];
    Graph *g = b->c->graph;
    int la[2], lb[2], lout[2] = {M, N}, last = 1;
    Node **p = b->param[which];
    p[0] = operand(b, f, f->a, la);
    p[1] = operand(b, f, f->b, lb);
    p[2] = g_param(g, f->t, 1, &b->dim[N], "bias");
    Node *y = g_contract(g, p[0], la, p[1], lb, 2, lout);
    if (f->follows) {
        y = g2(g, OP_add, y, g_broadcast(g, p[2], 2, y->dim, (int[]){-1, 0}));
        y = g2(g, OP_max, y, g_fill_like(g, y, g_const(g, f->t, 0)));
    }
    Node *result[] = {y, g_reduce(g, OP_sum, y, 1, &last)};
    compiled_add(b->c, 3, p, f->follows ? 2 : 1, result);
}

static void bench_make(Bench *b, int level, const int64_t *size)
{
    b->c = compiled_new(size ? 0 : 3);
    for (int i = 0; i < 3; i++)
        b->dim[i] = size ? dim_const(b->c->graph, size[i]) : b->c->var[i];
    for (int i = 0; i < CASES; i++)
        add_case(b, i);
    compiled_make(b->c, level);
}

/* Element (i, j) of the matrix with these axes. */
static double element(const Case *f, const void *x, const char *axes, char i_is,
                      int64_t i, int64_t j, const int64_t *size)
{
    bool turned = axes[0] != i_is;
    int columns = axes[1] == 'm' ? M : axes[1] == 'n' ? N : K;
    int64_t row = turned ? j : i, column = turned ? i : j;
    return get_number(f->t, x, row * size[columns] + column);
}

static double product_at(const Case *f, void *const *leaf, const int64_t *size,
                         int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t k = 0; k < size[K]; k++)
        sum += element(f, leaf[0], f->a, 'm', i, k, size) *
               element(f, leaf[1], f->b, 'k', k, j, size);
    if (!f->follows)
        return sum;
    return fmax(0, sum + get_number(f->t, leaf[2], j));
}

static void near(const Case *f, double got, double want, const int64_t *size)
{
    double eps = (f->t == DT_f32 ? 2e-6 : 1e-14) * sqrt((double)size[K] + 9);
    ck_assert_msg(fabs(got - want) <= eps * (1 + fabs(want)),
                  "%s %s, m = %d, n = %d, k = %d: %g, not %g", f->a, f->b,
                  (int)size[M], (int)size[N], (int)size[K], got, want);
}

/* Some elements, the first and last among them; a sum of a row. */
static void compare(const Case *f, void *const *leaf, const int64_t *size)
{
    enum { SOME = 60 };
    int64_t count = size[M] * size[N];
    for (int s = 0; s < SOME && count; s++) {
        int64_t at = scatter((uint64_t)s, (int)count);
        at = s == 0 ? 0 : s == 1 ? count - 1 : at;
        near(f, get_number(f->t, leaf[3], at),
             product_at(f, leaf, size, at / size[N], at % size[N]), size);
    }
    for (int64_t i = 0; f->follows && i < size[M]; i += size[M] / 3 + 1) {
        double sum = 0;
        for (int64_t j = 0; j < size[N]; j++)
            sum += get_number(f->t, leaf[3], i * size[N] + j);
        near(f, get_number(f->t, leaf[4], i), sum, size);
    }
}

/* The same bits. */
static void in_pieces(Bench *b, int which, const int64_t *size,
                      void *const *leaf, Fence *work)
{
    size_t bytes = (size_t)dtype_size(cases[which].t);
    size_t all = bytes * (size_t)(size[M] * size[N]);
    size_t sums = cases[which].follows ? bytes * (size_t)size[M] : 0;
    void *y = arena_copy(b->c->arena, leaf[3], all);
    void *sum = arena_copy(b->c->arena, leaf[4], sums);
    Pieces p = {.way = PIECES_reversed};
    nn_exec exec = pieces_exec(&p);
    ck_assert_int_eq(compiled_run(b->c, which, size, leaf, work, &exec), 0);
    ck_assert(memcmp(y, leaf[3], all) == 0 && memcmp(sum, leaf[4], sums) == 0);
}

static void run_case(Bench *b, int which, const int64_t *size)
{
    enum { LEAVES = 5, WORK = 1 << 26 };
    const Case *f = &cases[which];
    const int64_t count[LEAVES] = {size[M] * size[K], size[K] * size[N],
                                   size[N], size[M] * size[N], size[M]};
    Fence *fence[LEAVES], *work = fence_new(WORK);
    void *leaf[LEAVES];
    for (int i = 0; i < LEAVES; i++) {
        size_t bytes = (size_t)count[i] * (size_t)dtype_size(f->t);
        fence[i] = fence_new(bytes + 64);
        leaf[i] = fence_last(fence[i], bytes);
        for (int64_t j = 0; j < count[i]; j++)
            put_number(f->t, leaf[i], j,
                       scatter((uint64_t)(j * 5 + i), 64) / 32.0 - 1);
    }
    ck_assert_int_eq(compiled_call(b->c, which, size, leaf, work), 0);
    compare(f, leaf, size);
    in_pieces(b, which, size, leaf, work);
    for (int i = 0; i < LEAVES; i++)
        fence_free(fence[i]);
    fence_free(work);
}

/* One row, one of k; what is packed of both, of more columns than there is room
 * for; a long k; and what comes of all edges. */
static const int64_t given[][3] = {
    {1, 300, 300},   {1, 2049, 257},  {1, 65, 4100},   {1, 9, 40},
    {97, 33, 1},     {5, 70, 1},      {1, 1, 1},       {300, 300, 257},
    {300, 129, 130}, {97, 2049, 128}, {100, 40, 4097}, {0, 7, 3},
    {7, 0, 3},       {130, 97, 0},
};
static const int64_t edge[3][12] = {
    {1, 2, 5, 6, 7, 23, 25, 95, 96, 97, 193, 260},
    {1, 10, 15, 17, 31, 33, 63, 64, 65, 97, 129, 300},
    {1, 2, 3, 40, 127, 128, 129, 255, 256, 257, 300, 513},
};
enum { GIVEN = sizeof given / sizeof *given, RANDOM = 12 };

static void size_of(int i, int64_t *size)
{
    for (int k = 0; k < 3; k++)
        size[k] = i < GIVEN ? given[i][k]
                            : edge[k][scatter((uint64_t)(3 * i + k), 12)];
}

START_TEST(any_sizes)
{
    Bench b;
    if (level_lacks(_i))
        return;
    bench_make(&b, _i, NULL);
    for (int i = 0; i < GIVEN + RANDOM; i++) {
        int64_t size[3];
        size_of(i, size);
        for (int f = 0; f < CASES; f++)
            run_case(&b, f, size);
    }
    compiled_free(b.c);
}
END_TEST

/* A few of the sizes, known: another few for each level. */
START_TEST(known_sizes)
{
    if (level_lacks(_i))
        return;
    for (int i = _i; i < GIVEN + RANDOM; i += LEVELS + 1) {
        Bench b;
        int64_t size[3];
        size_of(i, size);
        bench_make(&b, _i, size);
        for (int f = 0; f < CASES; f++)
            run_case(&b, f, size);
        compiled_free(b.c);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("products");
    TCase *t = tcase_create("products");
    tcase_add_loop_test(t, any_sizes, 0, LEVELS);
    tcase_add_loop_test(t, known_sizes, 0, LEVELS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
