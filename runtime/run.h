/* run.h: a training that is being made. */
#ifndef NN_RUN_H
#define NN_RUN_H

#include "nn_internal.h"

typedef struct nncc_run {
    nncc_model *m;
    nncc_trainer *t;
    const nncc_train_options *o;
    const nncc_data *train, *test; /* test: NULL for none */
    nncc_binding step[NNCC_MAX_ITEMS];
    nncc_binding eval[NNCC_MAX_ITEMS]; /* of test */
    nncc_view order;         /* of rows of train in the epoch at hand */
    int64_t *batch;          /* rows of the batch at hand */
    int64_t size;            /* rows of a batch, at most */
    int64_t width, calls;    /* batches of a round, steps of items */
    int64_t used;            /* rows of an epoch */
    int64_t steps_per_epoch; /* rounds */
    int64_t steps, epochs;   /* of all, in all */
    void *fresh;             /* the state at first, where streams need it */
    nncc_position at;
    double began;
    int64_t rows;     /* of steps since then */
    nncc_means means; /* of the test set, as of the last evaluation */
    bool evaluated, stopped, out_of_patience;
    nncc_schedules schedules;
    int best; /* the metric that decides, or -1: the loss */
    int64_t skipped;
    void *mean;       /* with `average` */
    void *best_state; /* with patience */
    bool only_prepare;
} nncc_run;

/* prepare.c */

/* Makes r->t, and all of r that the loop needs, of its options and data.
 * Everything that can be found wrong is, before the model's old parameters are
 * given up. */
int nncc_run_prepare(nncc_run *r);
void nncc_run_free(nncc_run *r); /* the model keeps r->t */

#endif
