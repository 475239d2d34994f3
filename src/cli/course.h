/* course.h: how a training goes: for how long, by which schedules, what ends
 * it; and several of them side by side. */
#ifndef NNCC_COURSE_H
#define NNCC_COURSE_H

#include "cli/sets.h"
#include "cli/trained.h"

/* What the command line says of it. A status to exit with. */
int course_read(const Args *a, nncc_train_options *o);

/* One training of several: other seeds, other settings. */
typedef struct GridAxis {
    const char *name;
    LIST(double) value;
} GridAxis;

typedef struct Grid {
    int64_t seeds; /* 0: one training, as usual */
    int64_t jobs;  /* so many at a time */
    LIST(GridAxis) axis;
} Grid;

/* --seeds and --grid; a status to exit with. */
int grid_read(const Args *a, const Module *m, Grid *to);
/* What is done before each; false after a message. */
typedef bool GridLoad(const Args *a, nncc_model *m, nncc_train_options *o,
                      const Sets *s);
/* Trains all of them and prints what they gave; t->model is the best one then.
 * ranks: NULL, or several processes that each train some of them and say what
 * came out. False after a message. */
bool grid_train(const Args *a, const Grid *g, Trained *t,
                const nncc_train_options *o, const Sets *s, GridLoad *load,
                const nncc_ranks *ranks);
/* Are there to be several trainings? */
bool grid_asked(const Args *a);

#endif
