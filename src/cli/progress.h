/* progress.h: what is told of a training while it goes on. */
#ifndef NNCC_PROGRESS_H
#define NNCC_PROGRESS_H

#include "cli/cli.h"

typedef struct Progress {
    const nncc_model *model;
    const char *held;    /* what is looked at after each epoch: "test" */
    bool bar;            /* a terminal: one line that is drawn over */
    bool lines;          /* of epochs; neither: nothing is printed */
    double drawn;        /* seconds at which it was last */
    int64_t told;        /* the step of the last line */
    double printed;      /* likewise */
    nncc_progress epoch; /* the last finished epoch */
} Progress;

void progress_begin(const Args *a, const nncc_model *m, Progress *p);
void progress_tell(Progress *p, const nncc_progress *now);
void progress_end(Progress *p);

#endif
