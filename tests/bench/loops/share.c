/* share.c: MODEL.so IMAGES LABELS: how much of a training at batch 32 is
 * libnn's own, in per cent: all that is not spent in the module's step, which
 * is called through a clock. */
#include "../clock.h"
#include "nn.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 64 };

static const nn_function *step;
static double inside;

static int timed(void *const *leaf, const int64_t *dims, void *workspace,
                 const nn_exec *exec)
{
    double from = now();
    int status = step->call(leaf, dims, workspace, exec);

    inside += now() - from;
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

/* A training's time, and the step's in it. */
static int train(nncc_model *m, const nncc_data *d, int epochs, double *all,
                 double *in)
{
    nncc_train_options o = NNCC_TRAIN_DEFAULTS;
    nncc_train_result r;
    double from = now();

    o.epochs = epochs;
    o.batch = 32;
    inside = 0;
    if (nncc_train(m, &o, d, NULL, &r))
        return 1;
    *all = now() - from;
    *in = inside;
    return 0;
}

int main(int argc, char **argv)
{
    nncc_model *m, *w;
    nncc_data *d;
    double start, start_in, all, in;

    /* The second training is longer by epochs, not by what a beginning takes.
     */
    if (argc != 4 || nncc_open(argv[1], &m) || wrap_timed(m, &w) ||
        nncc_data_read(argv[2], argv[3], NULL, &d) ||
        nncc_data_scale(d, 1 / 255.) || train(w, d, 1, &start, &start_in) ||
        train(w, d, 4, &all, &in))
        return fprintf(stderr, "%s\n", nncc_last_error()), 1;
    all -= start;
    printf("%.1f %% of %.0f us\n", 100 * (all - (in - start_in)) / all,
           1e6 * all / (3 * 60000 / 32));
    nncc_data_free(d);
    nncc_close(w);
    nncc_close(m);
    return 0;
}
