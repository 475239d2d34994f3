/* run.h: a training that is being made. */
#ifndef NN_RUN_H
#define NN_RUN_H

#include "nn_internal.h"

#include <pthread.h>

/* What a rank says to all others when they meet. */
enum {
    NNCC_MARK_MODEL,
    NNCC_MARK_DATA,
    NNCC_MARK_COURSE,
    NNCC_MARK_STATE,
    NNCC_MARKS,
    NNCC_HEAD_TEXT = 400
};
typedef struct nncc_head {
    int32_t status; /* that it ends with, and why */
    int32_t stop;   /* its callback wants the training to end */
    int32_t made;   /* it has a gradient; else text says why not */
    int32_t reserved;
    int64_t rows;
    double loss;
    uint64_t mark[NNCC_MARKS]; /* the same for all, or they do not go together
                                */
    char text[NNCC_HEAD_TEXT];
} nncc_head;

/* The reals of one dtype among the gradients, one after another. */
typedef struct nncc_stretch {
    int dtype;
    size_t n;     /* there are, filled up to a multiple of the ranks */
    size_t slice; /* of which each rank adds up so many */
    char *mine, *all, *sum; /* this rank's; slices of all ranks; the sum */
} nncc_stretch;

/* What an item's loss carries on, where `carry` can make it. */
typedef struct nncc_carry {
    const nn_function *f; /* or NULL */
    void **argument;      /* of it */
    nncc_tensor *leaf;    /* what is carried on */
    nncc_tensor *part;    /* in the train state, what a step says to each */
    int npart;
    size_t bytes;              /* of all of either */
    char *before, *mine, *all; /* copies; parts of each rank */
} nncc_carry;

/* The gradients of an item's steps that do not update, which are added up here.
 */
typedef struct nncc_sums {
    bool on;
    int64_t full;         /* so many make an update; 1 where this is not on */
    void **update;        /* arguments of the item's update */
    nncc_tensor *leaf;    /* of the train state, those of the gradient */
    int nleaf;            /* of them */
    int32_t *count;       /* in the train state: how many there are */
    int32_t *accumulate;  /* argument of step */
    int64_t *step;        /* in the train state: number of steps; or NULL */
    nncc_stretch part[2]; /* f32, f64 */
    const nncc_ranks *ranks;
    const nncc_head *head; /* whose gradients are being added up */
    int64_t heads;
    bool ahead;    /* the train state lacks what was added up since */
    bool underway; /* by `worker` */
    pthread_t worker;
    int status; /* of it */
    nncc_carry carry;
} nncc_sums;

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
    bool in_turn;            /* a round is more than one step */
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
    nncc_sums sums[NNCC_MAX_ITEMS];
    nncc_head *head; /* of each rank; NULL: there is one */
    bool wants_stop; /* as the others do not know yet */
    bool parted;     /* the ranks meet no more */
} nncc_run;

/* prepare.c */

/* Makes r->t, and all of r that the loop needs, of its options and data.
 * Everything that can be found wrong is, before the model's old parameters are
 * given up. */
int nncc_run_prepare(nncc_run *r);
void nncc_run_free(nncc_run *r); /* the model keeps r->t */

/* ranks.c: several processes that train together */

int nncc_rank(const nncc_run *r);        /* this one's number */
int64_t nncc_ranks_n(const nncc_run *r); /* how many there are */
/* All meet: `mine` goes to r->head of each. Where one of them has a status
 * other than NN_OK, or another mark than the first, all of them get it. */
int nncc_ranks_meet(nncc_run *r, const nncc_head *mine);
/* Bytes of each rank to all, in their order; and a status, which is then of
 * all. */
int nncc_ranks_gather(nncc_run *r, int status, const void *from, size_t bytes,
                      void *to);
/* Memory for them, where there are several. */
int nncc_ranks_open(nncc_run *r);
/* Before the first step: all are about to do the same, and from the first one's
 * state. A status of one becomes that of all. */
int nncc_ranks_begin(nncc_run *r, int status);
/* After the last step, likewise. */
int nncc_ranks_end(nncc_run *r, int status);
/* A mark of the whole state. */
uint64_t nncc_ranks_mark(const nncc_trainer *t);

/* sums.c */

/* Finds out of which items gradients are to be added up. */
int nncc_sums_begin(nncc_run *r);
void nncc_sums_free(nncc_sums *s);
/* The state has no gradient but that of the next step. */
void nncc_sums_take(nncc_sums *s);
/* Begins to add this rank's gradient and those of all others, in the order of
 * the n ranks that made a step, as far as they have one. */
void nncc_sums_add(nncc_sums *s, const nncc_head *head, int64_t n);
/* Waits for that. */
int nncc_sums_wait(nncc_sums *s);
/* The state has all that was added up. */
int nncc_sums_put(nncc_sums *s);

/* Is the leaf's path that of a part of `of`? */
bool nncc_is_part(const char *path, const char *of);
/* The arguments of f, which are arguments of step by the same names. */
int nncc_sums_point(const nn_function *f, const nncc_binding *step,
                    void ***argument);

/* carry.c */

/* Of item k, the steps' memory being there. */
int nncc_carry_begin(nncc_run *r, int k);
void nncc_carry_free(nncc_carry *c);
/* Before a step, and after it: what is carried on is as it was. */
void nncc_carry_hold(nncc_carry *c);
void nncc_carry_back(nncc_carry *c);
/* It goes on by what the steps of n ranks have to say, as far as they made one.
 */
int nncc_carry_on(nncc_run *r, int k, const nncc_head *head, int64_t n);

/* group.c */

/* A step of each rank, at most, up to the next that updates or after which
 * something is looked at or written. */
int nncc_group(nncc_run *r);
/* Where a round is more than a step: an update of item k by the gradients of
 * sums[k].full batches, from number j of the round on; call: number of the
 * first step of it in the round. *loss: of the last one. */
int nncc_group_item(nncc_run *r, int k, int64_t j, int64_t call, double *loss);

/* train.c */

/* A step of item k on batch j of the round; call: its number in the round.
 * *rows: what it took; 0: no step, as the epoch has no such batch. */
int nncc_run_call(nncc_run *r, int k, int64_t j, int64_t call, int64_t *rows,
                  double *loss);
/* The status of a step with what it means for the training. */
int nncc_run_check(nncc_run *r, int k, int status, double loss);
void nncc_run_count(nncc_run *r, int k, int64_t rows, double loss);
void nncc_run_report(nncc_run *r, int event, const double *item_loss);
/* A round is done. */
void nncc_run_advance(nncc_run *r);

#endif
