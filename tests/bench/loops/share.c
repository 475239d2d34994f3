/* share.c: MODEL.so IMAGES LABELS: how much of a training at batch 32 is
 * libnn's own, in per cent: all that is not spent in the module's step, which
 * is called through a clock. Of each step of an epoch the least of several
 * epochs counts, so that it means something on a busy machine too. */
#include "../clock.h"
#include "nn.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 64, BATCH = 32, EPOCHS = 8, MOST_STEPS = 1 << 16 };

static const nn_function *step;

/* Of each step of an epoch: the least time before it, and in it. */
static double outside[MOST_STEPS], inside[MOST_STEPS], ended;
static int64_t done, steps;

static void least(double *of, double t)
{
    if (*of == 0 || t < *of)
        *of = t;
}

static int timed(void *const *leaf, const int64_t *dims, void *workspace,
                 const nn_exec *exec)
{
    double from = now();
    int64_t i = done++ % steps;
    int status = step->call(leaf, dims, workspace, exec);

    if (done > 1)
        least(&outside[i], from - ended);
    ended = now();
    least(&inside[i], ended - from);
    return status;
}

/* m's module, but for its step. */
static int wrap_timed(const nncc_model *m, nncc_model **to)
{
    static nn_module d;
    static nn_function own;
    static const nn_function *all[MOST];
    int at;

    d = *nncc_descriptor(m);
    at = d.train[0]->step;
    if (d.nfunction > MOST)
        return NN_ERR_MODULE;
    memcpy(all, d.function, (size_t)d.nfunction * sizeof *all);
    step = all[at];
    own = *step;
    own.call = timed;
    all[at] = &own;
    d.function = all;
    return nncc_wrap(&d, to);
}

int main(int argc, char **argv)
{
    nncc_train_options o = NNCC_TRAIN_DEFAULTS;
    nncc_train_result r;
    nncc_model *m, *w;
    nncc_data *d;
    double out = 0, in = 0;

    o.epochs = EPOCHS;
    o.batch = BATCH;
    if (argc != 4 || nncc_open(argv[1], &m) || wrap_timed(m, &w) ||
        nncc_data_read(argv[2], argv[3], NULL, &d) ||
        nncc_data_scale(d, 1 / 255.))
        return fprintf(stderr, "%s\n", nncc_last_error()), 1;
    steps = d->n / BATCH;
    if (steps > MOST_STEPS || steps * BATCH != d->n ||
        nncc_train(w, &o, d, NULL, &r))
        return fprintf(stderr, "%s\n", nncc_last_error()), 1;
    for (int64_t i = 0; i < steps; i++) {
        out += outside[i];
        in += inside[i];
    }
    printf("%.1f %% of %.0f us\n", 100 * out / (out + in),
           1e6 * (out + in) / (double)steps);
    nncc_data_free(d);
    nncc_close(w);
    nncc_close(m);
    return 0;
}
