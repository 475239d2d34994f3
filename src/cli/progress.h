/* progress.h: what is told of a training while it goes on. */
#ifndef NNCC_PROGRESS_H
#define NNCC_PROGRESS_H

#include "cli/cli.h"

typedef struct Progress {
    const nncc_model *model;
    bool bar;            /* a terminal: one line that is drawn over */
    bool quiet;          /* nothing is printed */
    double drawn;        /* seconds at which it was last */
    nncc_progress epoch; /* the last finished epoch */
    const char *path;    /* of --log */
    FILE *log;           /* NULL: none */
    bool csv;            /* else a line of JSON for each epoch */
} Progress;

/* Opens --log: anew, or at its end with --resume. False after a message. */
bool progress_begin(const Args *a, const nncc_model *m, Progress *p);
void progress_tell(Progress *p, const nncc_progress *now);
/* False after a message: the log could not be written. */
bool progress_end(Progress *p);

#endif
