/* main.c: nncc's MLP gradient against plain C loops; exits 1 where the two
 * disagree. */
#include "../rows.h"

#include "loops.h"
#include "mlp.h"

enum { BATCH = 128 };

static mlp_Net *net, *d, *e;
static float *x, *work, loss, loss2;
static int32_t y[BATCH];
static void *workspace;

static void noise(float *to, int n, float by)
{
    for (int i = 0; i < n; i++)
        to[i] = by * ((float)rand() / (float)RAND_MAX - 0.5f);
}

static void ours(void *unused)
{
    (void)unused;
    if (mlp_loss_grad(net, x, y, BATCH, &loss, d, workspace, NULL))
        exit(2);
}

static void loops(void *unused)
{
    (void)unused;
    loss2 =
        loops_loss_grad(&net->hidden.W[0][0], net->hidden.b, &net->out.W[0][0],
                        net->out.b, x, y, BATCH, &e->hidden.W[0][0],
                        e->hidden.b, &e->out.W[0][0], e->out.b, work);
}

int main(void)
{
    const char *what = "MLP 784-128-10 gradient, batch 128";

    pin();
    net = block(sizeof *net);
    d = block(sizeof *d);
    e = block(sizeof *e);
    x = block(sizeof *x * BATCH * N_IN);
    work = block(sizeof *work * BATCH * (2 * N_HID + N_OUT));
    workspace = block(mlp_loss_grad_workspace(BATCH));
    noise(&net->hidden.W[0][0], N_IN * N_HID, 0.1f);
    noise(&net->out.W[0][0], N_HID * N_OUT, 0.1f);
    noise(net->hidden.b, N_HID, 1);
    noise(net->out.b, N_OUT, 1);
    noise(x, BATCH * N_IN, 1);
    for (int i = 0; i < BATCH; i++)
        y[i] = i % N_OUT;
    row(what, BY_HAND, (Way[]){{.run = ours}, {.run = loops}}, 2, ">= 1.5");
    check(what, differ_f32((float *)d, (float *)e, sizeof *d / sizeof(float)),
          1e-4);
    check(what, fabs(loss - loss2), 1e-4);
    return 0;
}
