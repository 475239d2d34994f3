/* bench.h: what is timed by turns, the least of several rounds. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "linalg.h"

static void *room(size_t bytes)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes + 64))
        exit(1);
    memset(p, 0, bytes + 64);
    return p;
}

/* Adds to *least the time that `call` takes, where that is less. */
#define TIME(least, call)                                                      \
    do {                                                                       \
        double from = now();                                                   \
        call;                                                                  \
        double took = now() - from;                                            \
        *(least) = took < *(least) ? took : *(least);                          \
    } while (0)
