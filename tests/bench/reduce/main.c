/* main.c: functions of reduce.nn, each beside the one that it should cost like:
 * how many times as long it takes, the least of rounds that take turns. Exits 1
 * where that is more than it may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "reduce.h"

enum { ROUNDS = 25, MAX_LEAVES = 8, MAX_DIMS = 4, SIZES = 64 };

typedef struct Call {
    const nn_function *f;
    int64_t dims[MAX_DIMS];
    void *leaf[MAX_LEAVES], *workspace;
    double least;
} Call;

typedef struct Row {
    const char *name, *peer;
    int64_t n, m;
    double most; /* times the peer's */
} Row;

static const Row row[] = {
    {"square", "oblong", 256, 256, 1.2},
    {"most", "total", 512, 256, 2},
    {"shares", "exponentials", 64, 128, 3.5},
    {"written", "shares", 64, 128, 1.1},
    {"causal", "shares", 128, 128, 1.3},
    {"logsumexps", "halves", 100000, 1, 2},
    {"nearest_slope", "found_slope", 1000, 500, 1.5},
    {"known_slope", "any_slope", 1000, 1, 1},
    {"times_two", "times", 200, 300, 1.3},
};

static void *block(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!p)
        exit(2);
    return p;
}

static float *numbers(int64_t n)
{
    float *x = block(sizeof *x * (size_t)n);
    uint32_t s = 1;
    for (int64_t i = 0; i < n; i++) {
        s = s * 1664525u + 1013904223u;
        x[i] = 0.5f + (float)(s >> 8) / 16777216;
    }
    return x;
}

static Call call_of(const char *name, const Row *r)
{
    const nn_module *module = reduce_module();
    Call c = {.least = 1e9};
    int64_t size[SIZES], *at = size;
    int leaf = 0;
    for (int i = 0; i < module->nfunction; i++)
        if (strcmp(module->function[i]->name, name) == 0)
            c.f = module->function[i];
    if (!c.f)
        exit(2);
    for (int i = 0; i < c.f->ndim; i++)
        c.dims[i] = strcmp(c.f->dim[i], "n") == 0 ? r->n : r->m;
    c.f->sizes(c.dims, size);
    for (int i = 0; i < c.f->nparam + c.f->nresult; i++) {
        const nn_port *p =
            i < c.f->nparam ? c.f->param[i] : c.f->result[i - c.f->nparam];
        int64_t n = 1;
        for (int k = 0; k < p->nleaf; k++, n = 1) {
            for (int j = 0; j < p->leaf[k]->rank; j++)
                n *= *at++;
            c.leaf[leaf++] = numbers(n);
        }
    }
    c.workspace = block(c.f->workspace(c.dims));
    return c;
}

static void run(Call *c, int times)
{
    double from = now();
    for (int i = 0; i < times; i++)
        if (c->f->call(c->leaf, c->dims, c->workspace, NULL))
            exit(2);
    double t = (now() - from) / times;
    c->least = t < c->least ? t : c->least;
}

int main(void)
{
    int slow = 0;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const Row *r = &row[i];
        Call ours = call_of(r->name, r), peer = call_of(r->peer, r);
        run(&ours, 1);
        run(&ours, 1);
        int times = (int)(3e-4 / ours.least) + 1;
        for (int k = 0; k < ROUNDS; k++) {
            run(&ours, times);
            run(&peer, times);
        }
        double ratio = ours.least / peer.least;
        printf("%s%s %.2f times %s (%.1f)", i ? "; " : "", r->name, ratio,
               r->peer, r->most);
        slow += ratio > r->most;
    }
    printf("\n");
    return slow > 0;
}
