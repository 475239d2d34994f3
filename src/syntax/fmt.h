/* fmt.h: programs laid out in the one way there is. */
#ifndef NNCC_FMT_H
#define NNCC_FMT_H

#include "base/base.h"

/* The source laid out; comments stay where they are. False after messages:
 * what is no program is not touched. */
bool format_source(Arena *a, Diags *d, const Source *source, Str *to);

#endif
