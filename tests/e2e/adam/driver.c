/* driver.c: thirty steps of Adam by the compiled module and by plain C loops
 * written for this test; losses and parameters agree to 1e-12. */

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

enum { B = 11, N = 5, H = 7, K = 3, STEPS = 30 };
enum { SIZE = N * H + H + H * K + K };

/* Parameters, gradient and moments as flat arrays: W1 b1 W2 b2. */
typedef struct Plain {
    double p[SIZE], g[SIZE], m[SIZE], v[SIZE];
    double x[B][N];
    int y[B];
} Plain;

static double forward_backward(Plain *s)
{
    double *W1 = s->p, *b1 = W1 + N * H, *W2 = b1 + H, *b2 = W2 + H * K;
    double *dW1 = s->g, *db1 = dW1 + N * H, *dW2 = db1 + H, *db2 = dW2 + H * K;
    double loss = 0;
    int i, j, k;

    for (i = 0; i < SIZE; i++)
        s->g[i] = 0;
    for (i = 0; i < B; i++) {
        double h[H], z[K], dh, sum = 0;

        for (j = 0; j < H; j++) {
            h[j] = b1[j];
            for (k = 0; k < N; k++)
                h[j] += s->x[i][k] * W1[k * H + j];
            h[j] = tanh(h[j]);
        }
        for (k = 0; k < K; k++) {
            z[k] = b2[k];
            for (j = 0; j < H; j++)
                z[k] += h[j] * W2[j * K + k];
            sum += exp(z[k]);
        }
        loss += (log(sum) - z[s->y[i]]) / B;
        for (k = 0; k < K; k++)
            z[k] = (exp(z[k]) / sum - (k == s->y[i])) / B;
        for (k = 0; k < K; k++)
            db2[k] += z[k];
        for (j = 0; j < H; j++) {
            dh = 0;
            for (k = 0; k < K; k++) {
                dW2[j * K + k] += h[j] * z[k];
                dh += z[k] * W2[j * K + k];
            }
            dh *= 1 - h[j] * h[j];
            db1[j] += dh;
            for (k = 0; k < N; k++)
                dW1[k * H + j] += s->x[i][k] * dh;
        }
    }
    return loss;
}

static void adam(Plain *s, int t, double lr)
{
    int i;

    for (i = 0; i < SIZE; i++) {
        double m, v;

        s->m[i] = 0.9 * s->m[i] + 0.1 * s->g[i];
        s->v[i] = 0.999 * s->v[i] + 0.001 * s->g[i] * s->g[i];
        m = s->m[i] / (1 - pow(0.9, t));
        v = s->v[i] / (1 - pow(0.999, t));
        s->p[i] -= lr * m / (sqrt(v) + 1e-8);
    }
}

static void flatten(const model_Net *net, double *p)
{
    int j, k;

    for (k = 0; k < N; k++)
        for (j = 0; j < H; j++)
            *p++ = net->hidden.W[k][j];
    for (j = 0; j < H; j++)
        *p++ = net->hidden.b[j];
    for (j = 0; j < H; j++)
        for (k = 0; k < K; k++)
            *p++ = net->out.W[j][k];
    for (k = 0; k < K; k++)
        *p++ = net->out.b[k];
}

static double difference(const model_Net *net, const Plain *s)
{
    double p[SIZE], most = 0;
    int i;

    flatten(net, p);
    for (i = 0; i < SIZE; i++)
        if (!(fabs(p[i] - s->p[i]) <= most))
            most = fabs(p[i] - s->p[i]);
    return most;
}

typedef int (*Init)(uint64_t, model_Net *, model_train_state *, void *,
                    const nn_exec *);
typedef int (*Step)(model_Net *, model_train_state *, const double *,
                    const int32_t *, int64_t, double, double, double, double,
                    double *, void *, const nn_exec *);
typedef size_t (*Size)(int64_t);

int main(int argc, char **argv)
{
    void *so = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    Init init = so ? (Init)(intptr_t)dlsym(so, "model_init") : NULL;
    Step step = so ? (Step)(intptr_t)dlsym(so, "model_step") : NULL;
    Size size = so ? (Size)(intptr_t)dlsym(so, "model_step_workspace") : NULL;
    static model_Net net;
    static model_train_state state;
    static Plain s;
    int32_t y[B];
    void *workspace = NULL;
    int i, t;

    if (!init || !step || !size || posix_memalign(&workspace, 64, size(B) + 64))
        return 2;
    if (init(42, &net, &state, workspace, NULL) != NN_OK)
        return 2;
    flatten(&net, s.p);
    for (i = 0; i < B * N; i++)
        s.x[i / N][i % N] = sin(i * 1.7) * 2;
    for (i = 0; i < B; i++)
        y[i] = s.y[i] = i * i % K;
    for (t = 1; t <= STEPS; t++) {
        double loss = 0, want = forward_backward(&s);

        adam(&s, t, 1e-2);
        if (step(&net, &state, &s.x[0][0], y, B, 1e-2, 0.9, 0.999, 1e-8, &loss,
                 workspace, NULL) != NN_OK)
            return 2;
        if (!(fabs(loss - want) <= 1e-12) || !(difference(&net, &s) <= 1e-12)) {
            printf("step %d: loss %.17g, not %.17g; parameters differ by %g\n",
                   t, loss, want, difference(&net, &s));
            return 1;
        }
    }
    y[3] = K;
    if (step(&net, &state, &s.x[0][0], y, B, 1e-2, 0.9, 0.999, 1e-8, s.g,
             workspace, NULL) != NN_ERR_INDEX)
        return 3;
    free(workspace);
    return 0;
}
