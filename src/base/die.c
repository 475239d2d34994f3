/* die.c: what must not happen. */

#include "base/base.h"

#include <stdlib.h>

void die_at(const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "nncc: internal error at %s:%d: ", file, line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}
