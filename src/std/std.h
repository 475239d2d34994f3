/* std.h: the standard library, whose text is part of the program. */
#ifndef NNCC_STD_H
#define NNCC_STD_H

#include <stddef.h>

/* The file of this name without ".nn"; NULL: no such file. */
const char *std_source(const char *name, size_t *len);
const char *std_name(int i); /* of file i; NULL: there are fewer */

#endif
