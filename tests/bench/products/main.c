/* main.c: FOLDER PATTERN…: the products of products.nn, compiled for their
 * sizes and for any, beside OpenBLAS, oneDNN and the most multiply-adds that
 * the core can do. FOLDER has any-f32.so, any-f64.so and B-N-M-f32.so …; a
 * product is named FORM B N M DTYPE, and shown if it has a PATTERN in it. */
#include "../rows.h"

#include <stdint.h>

#include "libraries.h"
#include "nn_abi.h"

enum { MOST = 2048 * 2048, ORDER = 101, PLAIN = 111, TURNED = 112 };

typedef enum Who { FIXED, ANY, OPENBLAS, MKL, DNNL, PEAK, NWHO } Who;

typedef struct Row {
    const char *form;
    int b, n, m;
    int wide;
} Row;

static const char *const sizes[] = {"fixed sizes", "any sizes"};

/* What is multiplied; out[Who]. The largest of each. */
static void *x, *y, *w, *out[PEAK], *work;
static size_t work_size;

/* The most multiply-adds: chains of them that need no memory; the vectors are
 * as wide as the program was compiled for. */
#ifdef __AVX512F__
enum { VECTOR = 64 };
#elif defined __AVX__
enum { VECTOR = 32 };
#else
enum { VECTOR = 16 };
#endif
typedef float Vector __attribute__((vector_size(VECTOR)));

enum { CHAINS = 12, TIMES = 4000 };
static const double peak_flop =
    2.0 * TIMES * CHAINS * (VECTOR / 4); /* of f32 */

static void peak(void *unused)
{
    Vector a = (Vector){0} + 0.999f, c = (Vector){0} + 1e-3f;
    Vector p = a, q = a, r = a, s = a, t = a, u = a;
    Vector v = a, d = a, e = a, f = a, g = a, h = a;

    (void)unused;
    for (int i = 0; i < TIMES; i++) {
        p = p * a + c, q = q * a + c, r = r * a + c, s = s * a + c;
        t = t * a + c, u = u * a + c, v = v * a + c, d = d * a + c;
        e = e * a + c, f = f * a + c, g = g * a + c, h = h * a + c;
        __asm__ volatile(""
                         : "+x"(p), "+x"(q), "+x"(r), "+x"(s), "+x"(t), "+x"(u),
                           "+x"(v), "+x"(d), "+x"(e), "+x"(f), "+x"(g),
                           "+x"(h));
    }
}

/* Ours */

typedef struct Module {
    void *library;
    const nn_function *function;
} Module;

static Module module_of(const char *folder, const char *name, const char *form)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.so", folder, name);
    Module m = {dlopen(path, RTLD_NOW | RTLD_LOCAL), NULL};
    const nn_module *(*table)(void) = NULL;
    if (m.library)
        *(void **)&table = dlsym(m.library, "p_module");
    for (int i = 0; table && i < table()->nfunction; i++)
        if (strcmp(table()->function[i]->name, form) == 0)
            m.function = table()->function[i];
    return m;
}

static void call_ours(const Module *module, const Row *r, void *to)
{
    const nn_function *f = module->function;
    int64_t dims[3];
    for (int i = 0; i < f->ndim; i++)
        dims[i] = *f->dim[i] == 'b' ? r->b : *f->dim[i] == 'n' ? r->n : r->m;
    void *leaf[4];
    int n = 0;
    for (int i = 0; i < f->nparam; i++) {
        char name = *f->param[i]->name;
        leaf[n++] = name == 'x' ? x : name == 'y' ? y : w;
    }
    leaf[n] = to;
    size_t need = f->workspace(dims);
    if (need > work_size) {
        free(work);
        work = block(need);
        work_size = need;
    }
    if (f->call(leaf, dims, work, NULL) != NN_OK)
        exit(3);
}

/* Theirs */

typedef struct Gemm {
    int ta, tb, m, n, k, lda, ldb;
    const void *a, *b;
    double alpha, beta;
} Gemm;

static Gemm gemm_of(const Row *r)
{
    if (strcmp(r->form, "nn") == 0 || strcmp(r->form, "xw") == 0)
        return (Gemm){0, 0, r->b, r->m, r->n, r->n, r->m, x, w, 1, 0};
    if (strcmp(r->form, "nt") == 0 || strcmp(r->form, "wy") == 0)
        return (Gemm){0, 1, r->b, r->n, r->m, r->m, r->m, y, w, 1, 0};
    if (strcmp(r->form, "tn") == 0)
        return (Gemm){1, 0, r->n, r->m, r->b, r->n, r->m, x, y, 1, 0};
    return (Gemm){1, 0, r->n, r->m, r->b, r->n, r->m, x, y, -1e-3, 1};
}

static void start_step(const Gemm *g, int wide, void *to)
{
    if (g->beta != 0)
        memcpy(to, w, (size_t)g->m * (size_t)g->n * (wide ? 8 : 4));
}

static void call_blas(const Blas *l, const Gemm *g, int wide, void *to)
{
    int ta = g->ta ? TURNED : PLAIN, tb = g->tb ? TURNED : PLAIN;
    start_step(g, wide, to);
    if (wide && g->m == 1)
        l->dgemv(ORDER, tb == PLAIN ? TURNED : PLAIN, g->tb ? g->n : g->k,
                 g->tb ? g->k : g->n, 1, g->b, g->ldb, g->a, 1, 0, to, 1);
    else if (wide)
        l->dgemm(ORDER, ta, tb, g->m, g->n, g->k, g->alpha, g->a, g->lda, g->b,
                 g->ldb, g->beta, to, g->n);
    else if (g->m == 1)
        l->sgemv(ORDER, tb == PLAIN ? TURNED : PLAIN, g->tb ? g->n : g->k,
                 g->tb ? g->k : g->n, 1, g->b, g->ldb, g->a, 1, 0, to, 1);
    else
        l->sgemm(ORDER, ta, tb, g->m, g->n, g->k, (float)g->alpha, g->a, g->lda,
                 g->b, g->ldb, (float)g->beta, to, g->n);
}

static void call_dnnl(const Gemm *g, void *to)
{
    start_step(g, 0, to);
    if (dnnl_sgemm(g->ta ? 'T' : 'N', g->tb ? 'T' : 'N', g->m, g->n, g->k,
                   (float)g->alpha, g->a, g->lda, g->b, g->ldb, (float)g->beta,
                   to, g->n) != 0)
        exit(3);
}

/* Rows */

/* What all products of forms nn, nt, tn come to. */
typedef struct Mean {
    double best, median; /* sums of logarithms */
    int n;
} Mean;

typedef struct Job {
    Who who;
    const Module *module;
    const Row *r;
    const Gemm *g;
} Job;

static void run(void *of)
{
    const Job *j = of;
    if (j->who <= ANY)
        call_ours(&j->module[j->who], j->r, out[j->who]);
    else if (j->who < DNNL)
        call_blas(&blas[j->who - OPENBLAS], j->g, j->r->wide, out[j->who]);
    else
        call_dnnl(j->g, out[j->who]);
}

static int is_there(Who who, const Module *module, const Row *r)
{
    return who <= ANY   ? module[who].function != NULL
           : who < DNNL ? blas[who - OPENBLAS].sgemm != NULL
                        : dnnl_sgemm && !r->wide;
}

/* Infinite where there is none. */
static void measure(const Module *module, const Row *r, const Gemm *g,
                    Times *to)
{
    Way way[NWHO];
    Job job[NWHO];
    Times t[NWHO];
    int n = 0;
    for (Who who = 0; who < PEAK; who++) {
        job[who] = (Job){who, module, r, g};
        to[who] = (Times){INFINITY, INFINITY};
        if (is_there(who, module, r))
            way[n++] = (Way){run, &job[who], NULL};
    }
    way[n++] = (Way){peak, NULL, NULL};
    take_turns(way, n, t);
    to[PEAK] = t[--n];
    for (Who who = PEAK; who-- > 0;)
        if (is_there(who, module, r))
            to[who] = t[--n];
}

static double value(const void *p, int wide, size_t i)
{
    return wide ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static void compare(const Row *r, const Gemm *g, Who a, Who b)
{
    double eps = r->wide ? 1e-13 : 1e-4;
    for (size_t i = 0; i < (size_t)g->m * (size_t)g->n; i++) {
        double u = value(out[a], r->wide, i), v = value(out[b], r->wide, i);
        if (!(fabs(u - v) <= eps * (fabs(u) + sqrt(g->k)))) {
            printf("%s %d %d %d: %g and %g at %zu\n", r->form, r->b, r->n, r->m,
                   u, v, i);
            exit(1);
        }
    }
}

/* What this way has of the peak, the other of both being as long for as much.
 */
static void show_peak(const char *name, const Row *r, double flop, Times t,
                      Times most)
{
    double times = flop / peak_flop * (r->wide ? 2 : 1);
    char peer[64];
    snprintf(peer, sizeof peer, "peak, %.0f GFLOP/s",
             1e-9 * peak_flop / (r->wide ? 2 : 1) / most.best);
    most.best *= times;
    most.median *= times;
    print_row(name, peer, t, most, r->b < 128 ? ">= 0.88" : ">= 0.9");
}

static void show_best(const char *name, const Times *t, Who who, Mean *mean)
{
    Times best = quickest(t + OPENBLAS, PEAK - OPENBLAS);
    const char *peer = dnnl_name;
    for (int l = 0; l < NBLAS; l++)
        if (t[OPENBLAS + l].best == best.best)
            peer = blas[l].name;
    if (best.best < INFINITY)
        print_row(name, peer, t[who], best, ">= 0.9");
    if (!mean || best.best == INFINITY)
        return;
    mean->best += log(best.best / t[who].best);
    mean->median += log(best.median / t[who].median);
    mean->n++;
}

static void show(const Row *r, const char *folder, Mean *mean)
{
    char name[64];
    Times t[NWHO];
    const char *type = r->wide ? "f64" : "f32";
    Gemm g = gemm_of(r);
    snprintf(name, sizeof name, "%d-%d-%d-%s", r->b, r->n, r->m, type);
    Module module[] = {module_of(folder, name, r->form), {0}};
    snprintf(name, sizeof name, "any-%s", type);
    module[ANY] = module_of(folder, name, r->form);
    measure(module, r, &g, t);
    for (Who who = 0; who <= ANY; who++) {
        int plain = strlen(r->form) == 2 && *r->form != 'x' && *r->form != 'w';
        snprintf(name, sizeof name, "product %s %d %d %d %s, %s", r->form, r->b,
                 r->n, r->m, type, sizes[who]);
        if (plain && r->b == r->n && r->n == r->m && r->b >= 64)
            show_peak(name, r, 2.0 * g.m * g.n * g.k, t[who], t[PEAK]);
        show_best(name, t, who, plain ? &mean[who] : NULL);
        for (Who peer = OPENBLAS; peer < PEAK; peer++)
            if (is_there(peer, module, r))
                compare(r, &g, who, peer);
        if (module[who].library)
            dlclose(module[who].library);
    }
}

static void show_mean(const Mean *mean)
{
    for (Who who = 0; who <= ANY; who++)
        if (mean[who].n)
            printf("products nn, nt, tn, %s, geometric mean\tthe best of all\t"
                   "%.3g\t%.3g\t>= 1.05\tof %d\n",
                   sizes[who], exp(mean[who].best / mean[who].n),
                   exp(mean[who].median / mean[who].n), mean[who].n);
}

static int wanted(const Row *r, char **pattern)
{
    char name[64];
    snprintf(name, sizeof name, "%s %d %d %d %s", r->form, r->b, r->n, r->m,
             r->wide ? "f64" : "f32");
    for (char **p = pattern; *p; p++)
        if (strstr(name, *p))
            return 1;
    return !*pattern;
}

static void fill(void)
{
    size_t most = (size_t)MOST * 8;
    x = block(most);
    y = block(most);
    w = block(most);
    for (int i = 0; i < PEAK; i++)
        out[i] = block(most);
}

static void set_values(int wide)
{
    unsigned s = 1;
    for (int which = 0; which < 3; which++)
        for (size_t i = 0; i < MOST; i++) {
            void *to = which == 0 ? x : which == 1 ? y : w;
            s = s * 1664525u + 1013904223u;
            double v = (double)(s >> 8) / (1 << 24) - 0.5;
            if (wide)
                ((double *)to)[i] = v;
            else
                ((float *)to)[i] = (float)v;
        }
}

int main(int argc, char **argv)
{
    static const char *const form[] = {"nn", "nt", "tn", "step", "xw", "wy"};
    int wide = -1;
    Mean mean[2] = {{0}};
    Row r;
    if (argc < 2)
        return 2;
    pin();
    open_libraries();
    fill();
    while (scanf("%d %d %d %d", &r.b, &r.n, &r.m, &r.wide) == 4)
        for (int i = 0; i < (r.b == 1 ? 6 : 4); i++) {
            r.form = form[i];
            if (!wanted(&r, argv + 2))
                continue;
            if (wide != r.wide)
                set_values(wide = r.wide);
            show(&r, argv[1], mean);
        }
    show_mean(mean);
    return 0;
}
