/* parallel.c: the gradient by many rows, by the calling thread alone and by
 * several: the same to the last bit. */
#include "model.h"
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 1 << 16, CALLS = 10 };

static model_Net net, one, many;
static double x[ROWS][2], z[ROWS];
static void *workspace;

static void stop(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds that a call takes, the best of some. */
static double gradient(model_Net *d_net, const nn_exec *exec)
{
    double loss, best = 0;

    for (int i = 0; i < CALLS; i++) {
        double start = now();
        if (model_loss_grad(&net, &x[0][0], z, ROWS, &loss, d_net, workspace,
                            exec) != NN_OK)
            stop("the gradient has no value");
        double took = now() - start;
        best = i == 0 || took < best ? took : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 2;
    size_t bytes = model_loss_grad_workspace(ROWS);
    const nn_exec *exec = pool_open(threads > 0 ? threads : 1);

    workspace = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!exec || !workspace)
        stop("no memory");
    if (model_init(1, &net, NULL, NULL) != NN_OK)
        stop("no parameters");
    for (int i = 0; i < ROWS; i++) {
        x[i][0] = (double)(i % 251) / 125 - 1;
        x[i][1] = (double)(i % 241) / 120 - 1;
        z[i] = x[i][0] * x[i][1];
    }
    double a = gradient(&one, NULL), b = gradient(&many, exec);
    if (memcmp(&one, &many, sizeof one) != 0)
        stop("threads make a difference");
    printf("the same gradient: %.2f ms, with %d threads %.2f ms\n", 1e3 * a,
           threads, 1e3 * b);
    pool_close();
    free(workspace);
    return 0;
}
