/* ranks.h: one training by the processes that mpirun has started. */
#ifndef NNCC_CLI_RANKS_H
#define NNCC_CLI_RANKS_H

#include "cli/cli.h"

typedef struct Ranks {
    nncc_ranks of;
    void *library; /* NULL: this process is alone */
    void (*end)(void);
    int kept; /* where messages went before ranks_agree, or -1 */
    int real; /* where they go else */
} Ranks;

/* Is this one of several processes? Then they find each other. All but the
 * first write no files and nothing to standard output. A status to exit with.
 */
int ranks_begin(Args *a, Ranks *r);
/* The worst of the statuses of all. What is wrong for all is told once. */
int ranks_agree(Ranks *r, int status);
/* Is it the one that tells and writes? */
bool ranks_first(const Ranks *r);
void ranks_end(Ranks *r);

#endif
