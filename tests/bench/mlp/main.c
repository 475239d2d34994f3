/* main.c: nncc's MLP gradient against plain C loops, interleaved rounds, best
 * of each; exits 1 where the two disagree. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../clock.h"
#include "loops.h"
#include "mlp.h"

enum { BATCH = 128, ROUNDS = 60, REPEAT = 5 };

static float noise(void) { return (float)rand() / (float)RAND_MAX - 0.5f; }

static void *block(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);

    if (!p)
        exit(2);
    return p;
}

static double relative(const float *a, const float *b, int n)
{
    double diff = 0, norm = 0;

    for (int i = 0; i < n; i++) {
        diff += (a[i] - b[i]) * (a[i] - b[i]);
        norm += b[i] * b[i];
    }
    return sqrt(diff / norm);
}

int main(void)
{
    mlp_Net *net = block(sizeof *net), *d = block(sizeof *d),
            *e = block(sizeof *e);
    float *x = block(sizeof *x * BATCH * N_IN), loss = 0, loss2 = 0;
    float *work = block(sizeof *work * BATCH * (2 * N_HID + N_OUT));
    int32_t y[BATCH];
    void *workspace = block(mlp_loss_grad_workspace(BATCH) + 1);
    double best = 1e9, best2 = 1e9, error;
    float *W1 = &net->hidden.W[0][0], *W2 = &net->out.W[0][0];

    for (int i = 0; i < N_IN * N_HID; i++)
        W1[i] = noise() * 0.1f;
    for (int i = 0; i < N_HID * N_OUT; i++)
        W2[i] = noise() * 0.1f;
    for (int i = 0; i < N_HID; i++)
        net->hidden.b[i] = noise();
    for (int i = 0; i < N_OUT; i++)
        net->out.b[i] = noise();
    for (int i = 0; i < BATCH * N_IN; i++)
        x[i] = noise();
    for (int i = 0; i < BATCH; i++)
        y[i] = i % N_OUT;
    for (int r = 0; r < ROUNDS; r++) {
        double t = now(), u;

        for (int k = 0; k < REPEAT; k++)
            if (mlp_loss_grad(net, x, y, BATCH, &loss, d, workspace, NULL))
                return 2;
        u = now();
        best = u - t < best ? u - t : best;
        for (int k = 0; k < REPEAT; k++)
            loss2 = loops_loss_grad(W1, net->hidden.b, W2, net->out.b, x, y,
                                    BATCH, &e->hidden.W[0][0], e->hidden.b,
                                    &e->out.W[0][0], e->out.b, work);
        t = now();
        best2 = t - u < best2 ? t - u : best2;
    }
    error = relative(&d->hidden.W[0][0], &e->hidden.W[0][0], N_IN * N_HID) +
            relative(&d->out.W[0][0], &e->out.W[0][0], N_HID * N_OUT) +
            relative(d->hidden.b, e->hidden.b, N_HID) +
            relative(d->out.b, e->out.b, N_OUT) + fabs(loss - loss2);
    printf("%.0f us, plain loops %.0f us: %.2f times as fast\n",
           best / REPEAT * 1e6, best2 / REPEAT * 1e6, best2 / best);
    if (error > 1e-4)
        printf("but they differ by %g\n", error);
    return error > 1e-4;
}
