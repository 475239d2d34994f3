/* driver.c: twelve steps by the compiled module and by plain C; the last six
 * once more from a copy of the state, to the same bits. */

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { N = 5, CALLS = 12, EVERY = 3 };

typedef struct Plain {
    double p[4], sum[4], mean[3]; /* p: w, c */
    double x[CALLS][N][3], y[CALLS][N];
    int count;
} Plain;

typedef struct Module {
    int (*init)(uint64_t, model_Net *, model_Stats *, model_train_state *,
                void *, const nn_exec *);
    int (*step)(model_Net *, model_Stats *, model_train_state *, const double *,
                const double *, int64_t, double, double, double, double,
                int32_t, double *, void *, const nn_exec *);
    int (*evaluate)(const model_Net *, const model_Stats *, const double *,
                    const double *, int64_t, double *, double *, double *,
                    void *, const nn_exec *);
    int (*mask)(uint64_t, const double *, int64_t, double *, void *,
                const nn_exec *);
    void *workspace;
} Module;

/* Threefry-2x32-20 (Salmon et al. 2011) of the counter -1 - i: how a key's i-th
 * one is derived. */
static uint64_t derived(uint64_t key, int64_t i)
{
    static const int rotation[8] = {13, 15, 26, 6, 17, 29, 16, 24};
    uint64_t counter = (uint64_t)(-1 - i);
    uint32_t k[3], x, y;
    int r;

    k[0] = (uint32_t)key;
    k[1] = (uint32_t)(key >> 32);
    k[2] = 0x1BD11BDA ^ k[0] ^ k[1];
    x = (uint32_t)counter + k[0];
    y = (uint32_t)(counter >> 32) + k[1];
    for (r = 0; r < 20; r++) {
        x += y;
        y = (y << rotation[r % 8] | y >> (32 - rotation[r % 8])) ^ x;
        if (r % 4 == 3) {
            int s = r / 4 + 1;

            x += k[s % 3];
            y += k[(s + 1) % 3] + (uint32_t)s;
        }
    }
    return (uint64_t)y << 32 | x;
}

static double clamp(double x, double most)
{
    return x > most ? most : x < -most ? -most : x;
}

static void descend(Plain *s)
{
    double norm = 0, g[4];
    int k;

    for (k = 0; k < 4; k++) {
        g[k] = clamp(s->sum[k] / EVERY, 0.75);
        norm += g[k] * g[k];
    }
    norm = sqrt(norm);
    for (k = 0; k < 4; k++) {
        s->p[k] -= 0.1 * (norm > 1 ? g[k] / norm : g[k]);
        s->sum[k] = 0;
    }
    s->count = 0;
}

static double plain_step(Plain *s, int t, const Module *m, uint64_t key)
{
    double mean[3] = {0}, in[N][3], kept[N][3], loss = 0;
    int i, k;

    for (i = 0; i < N; i++)
        for (k = 0; k < 3; k++)
            mean[k] += s->x[t][i][k] / N;
    for (i = 0; i < N; i++)
        for (k = 0; k < 3; k++)
            in[i][k] = s->x[t][i][k] - mean[k];
    if (m->mask(key, &in[0][0], N, &kept[0][0], m->workspace, NULL) != NN_OK)
        return NAN;
    for (i = 0; i < N; i++) {
        double e = s->p[3] - s->y[t][i];

        for (k = 0; k < 3; k++)
            e += kept[i][k] * s->p[k];
        loss += e * e / N;
        for (k = 0; k < 3; k++)
            s->sum[k] += 2 * e * kept[i][k] / N;
        s->sum[3] += 2 * e / N;
    }
    if (++s->count == EVERY)
        descend(s);
    for (k = 0; k < 3; k++)
        s->mean[k] = 0.75 * s->mean[k] + 0.25 * mean[k];
    return loss;
}

static int near(double a, double b) { return fabs(a - b) <= 1e-12; }

static int same(const Plain *s, const model_Net *net, const model_Stats *stats,
                const model_train_state *state, int calls)
{
    int k, good = near(net->c, s->p[3]);

    for (k = 0; k < 3; k++)
        good = good && near(net->w[k], s->p[k]) &&
               near(stats->mean[k], s->mean[k]);
    return good && stats->seen == calls && state->step == calls &&
           state->count == s->count && near(state->gradient.c, s->sum[3]);
}

static int evaluates(const Plain *s, const Module *m, const model_Net *net,
                     const model_Stats *stats)
{
    double loss = 0, far = 0, farther = 0, got[3];
    int i, k;

    for (i = 0; i < N; i++) {
        double e = s->p[3] - s->y[0][i];

        for (k = 0; k < 3; k++)
            e += (s->x[0][i][k] - s->mean[k]) * s->p[k];
        loss += e * e / N;
        far += (fabs(e) > 1) / (double)N;
        farther += (fabs(e) > 2.5) / (double)N;
    }
    if (m->evaluate(net, stats, &s->x[0][0][0], s->y[0], N, &got[0], &got[1],
                    &got[2], m->workspace, NULL) != NN_OK)
        return 0;
    return near(got[0], loss) && near(got[1], far) && near(got[2], farther) &&
           far != farther;
}

static int step(const Module *m, const Plain *s, int t, model_Net *net,
                model_Stats *stats, model_train_state *state, double *loss)
{
    return m->step(net, stats, state, &s->x[t][0][0], s->y[t], N, 0.1, 0, 1,
                   0.75, EVERY, loss, m->workspace, NULL);
}

static int trains(const Module *m, Plain *s)
{
    static model_Net net, net2;
    static model_Stats stats, stats2;
    static model_train_state state, state2;
    double loss = 0, want;
    uint64_t key;
    int t;

    if (m->init(7, &net, &stats, &state, m->workspace, NULL) != NN_OK)
        return 2;
    key = state.key;
    for (t = 0; t < CALLS; t++) {
        if (t == CALLS / 2 + 1) {
            net2 = net;
            stats2 = stats;
            state2 = state;
        }
        want = plain_step(s, t, m, derived(key, t));
        if (step(m, s, t, &net, &stats, &state, &loss) != NN_OK)
            return 2;
        if (!near(loss, want) || !same(s, &net, &stats, &state, t + 1)) {
            printf("step %d: loss %.17g, not %.17g\n", t, loss, want);
            return 1;
        }
    }
    for (t = CALLS / 2 + 1; t < CALLS; t++)
        if (step(m, s, t, &net2, &stats2, &state2, &want) != NN_OK)
            return 2;
    if (want != loss || memcmp(net.w, net2.w, sizeof net.w) != 0 ||
        net.c != net2.c || memcmp(stats.mean, stats2.mean, sizeof stats.mean))
        return 3;
    return evaluates(s, m, &net, &stats) ? 0 : 4;
}

static void *symbol(void *so, const char *name)
{
    void *at = dlsym(so, name);

    if (!at)
        exit(5);
    return at;
}

int main(int argc, char **argv)
{
    void *so = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    static Plain s;
    Module m;
    int i, k, t, status;

    if (!so || posix_memalign(&m.workspace, 64, 1 << 16))
        return 5;
    *(void **)&m.init = symbol(so, "model_init");
    *(void **)&m.step = symbol(so, "model_step");
    *(void **)&m.evaluate = symbol(so, "model_evaluate");
    *(void **)&m.mask = symbol(so, "model_mask");
    for (k = 0; k < 3; k++)
        s.p[k] = 0.5;
    for (t = 0; t < CALLS; t++)
        for (i = 0; i < N; i++) {
            for (k = 0; k < 3; k++)
                s.x[t][i][k] = sin(t + 2 * i + 3 * k) + k;
            s.y[t][i] = 2 * s.x[t][i][0] - s.x[t][i][2] + cos(i);
        }
    status = trains(&m, &s);
    if (status)
        printf("status %d\n", status);
    free(m.workspace);
    return status;
}
