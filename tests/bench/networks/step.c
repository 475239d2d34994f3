/* step.c: steps of the training of networks/mlp.nn, against C that updates the
 * weights in oneDNN's products, or in its own loops. */
#include "../rows.h"

#include <dnnl.h>

#include "net.h"

enum { IN = 784, HIDDEN = 128, OUT = 10, MOST = 1024 };

static const float rate = 0.01f;

static int batch;
static float x[MOST][IN], h[MOST][HIDDEN], z[MOST][OUT], back[MOST][HIDDEN];
static int32_t y[MOST];
static net_Net *net;
static net_train_state *state;
static net_Net *blas, *loops; /* the same network, each with its own steps */
static float losses[3];
static void *work;

static void ours(void *unused)
{
    (void)unused;
    if (net_step(net, state, &x[0][0], y, batch, rate, 0, &losses[0], work,
                 NULL))
        exit(2);
}

/* z is logits, then the loss's derivative by them. */
static float cross_entropy(void)
{
    float loss = 0;

    for (int i = 0; i < batch; i++) {
        float most = z[i][0], sum = 0, e[OUT];

        for (int k = 1; k < OUT; k++)
            most = z[i][k] > most ? z[i][k] : most;
        for (int k = 0; k < OUT; k++)
            sum += e[k] = expf(z[i][k] - most);
        loss -= z[i][y[i]] - most - logf(sum);
        for (int k = 0; k < OUT; k++)
            z[i][k] = (e[k] / sum - (k == y[i])) / (float)batch;
    }
    return loss / (float)batch;
}

static void product(char ta, char tb, int m, int n, int k, float alpha,
                    const float *a, int lda, const float *b, int ldb,
                    float beta, float *c)
{
    if (dnnl_sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, n))
        exit(2);
}

/* Each row of c becomes b. */
static void fill(float *restrict c, const float *restrict b, int n)
{
    for (int i = 0; i < batch; i++)
        memcpy(c + i * n, b, (size_t)n * sizeof *b);
}

static void descend(float *restrict b, const float *restrict d, int n)
{
    for (int i = 0; i < batch; i++)
        for (int j = 0; j < n; j++)
            b[j] -= rate * d[i * n + j];
}

static void with_products(void *unused)
{
    net_Net *w = blas;

    (void)unused;
    fill(&h[0][0], w->hidden.b, HIDDEN);
    product('N', 'N', batch, HIDDEN, IN, 1, &x[0][0], IN, &w->hidden.W[0][0],
            HIDDEN, 1, &h[0][0]);
    for (int i = 0; i < batch; i++)
        for (int j = 0; j < HIDDEN; j++)
            h[i][j] = h[i][j] > 0 ? h[i][j] : 0;
    fill(&z[0][0], w->out.b, OUT);
    product('N', 'N', batch, OUT, HIDDEN, 1, &h[0][0], HIDDEN, &w->out.W[0][0],
            OUT, 1, &z[0][0]);
    losses[1] = cross_entropy();
    product('N', 'T', batch, HIDDEN, OUT, 1, &z[0][0], OUT, &w->out.W[0][0],
            OUT, 0, &back[0][0]);
    for (int i = 0; i < batch; i++)
        for (int j = 0; j < HIDDEN; j++)
            back[i][j] = h[i][j] > 0 ? back[i][j] : 0;
    product('T', 'N', HIDDEN, OUT, batch, -rate, &h[0][0], HIDDEN, &z[0][0],
            OUT, 1, &w->out.W[0][0]);
    product('T', 'N', IN, HIDDEN, batch, -rate, &x[0][0], IN, &back[0][0],
            HIDDEN, 1, &w->hidden.W[0][0]);
    descend(w->out.b, &z[0][0], OUT);
    descend(w->hidden.b, &back[0][0], HIDDEN);
}

/* to += rows of w, weighed */
static void add_rows(float *restrict to, const float *restrict v, int n,
                     const float *restrict w, int m)
{
    for (int i = 0; i < n; i += 4)
        for (int j = 0; j < m; j++)
            to[j] += v[i] * w[i * m + j] + v[i + 1] * w[(i + 1) * m + j] +
                     v[i + 2] * w[(i + 2) * m + j] +
                     v[i + 3] * w[(i + 3) * m + j];
}

static void with_loops(void *unused)
{
    net_Net *w = loops;

    (void)unused;
    memcpy(h[0], w->hidden.b, sizeof w->hidden.b);
    add_rows(h[0], x[0], IN, &w->hidden.W[0][0], HIDDEN);
    for (int j = 0; j < HIDDEN; j++)
        h[0][j] = h[0][j] > 0 ? h[0][j] : 0;
    memcpy(z[0], w->out.b, sizeof w->out.b);
    add_rows(z[0], h[0], HIDDEN, &w->out.W[0][0], OUT);
    losses[2] = cross_entropy();
    for (int j = 0; j < HIDDEN; j++) {
        float sum = 0, by = rate * h[0][j];

        for (int k = 0; k < OUT; k++) {
            sum += w->out.W[j][k] * z[0][k];
            w->out.W[j][k] -= by * z[0][k];
        }
        back[0][j] = h[0][j] > 0 ? sum : 0;
    }
    for (int i = 0; i < IN; i++)
        for (int j = 0; j < HIDDEN; j++)
            w->hidden.W[i][j] -= rate * x[0][i] * back[0][j];
    descend(w->out.b, z[0], OUT);
    descend(w->hidden.b, back[0], HIDDEN);
}

static void bench(int b)
{
    char what[64], peer[64];
    const dnnl_version_t *v = dnnl_version();
    Way way[] = {{.run = ours}, {.run = with_products}, {.run = with_loops}};
    int ways = b == 1 ? 3 : 2;

    batch = b;
    if (net_init(1, net, state, work, NULL))
        exit(2);
    memcpy(blas, net, sizeof *blas);
    memcpy(loops, net, sizeof *loops);
    snprintf(what, sizeof what, "MLP 784-128-10, step, batch %d", b);
    snprintf(peer, sizeof peer, "C, gcc, oneDNN %d.%d.%d, fused", v->major,
             v->minor, v->patch);
    for (int i = 0; i < ways; i++)
        way[i].run(NULL);
    for (int i = 1; i < ways; i++)
        check(what, fabs(losses[i] - losses[0]), 1e-4);
    check(what, differ_f32((float *)blas, (float *)net, sizeof *blas / 4),
          1e-5);
    row(what, peer, way, ways, ">= 1");
}

int main(void)
{
    pin();
    net = block(sizeof *net);
    state = block(sizeof *state);
    blas = block(sizeof *blas);
    loops = block(sizeof *loops);
    work = block(net_step_workspace(MOST) + net_init_workspace());
    for (int i = 0; i < MOST; i++) {
        y[i] = i * 7919 % OUT;
        for (int j = 0; j < IN; j++)
            x[i][j] = (float)rand() / (float)RAND_MAX;
    }
    bench(1);
    bench(32);
    bench(128);
    bench(1024);
    return 0;
}
