/* folder.h: tests of the runtime: files in a folder of the run's own, and what
 * the last error says. */
#ifndef NNCC_TEST_FOLDER_H
#define NNCC_TEST_FOLDER_H

#include "suite.h"

#include <stdbool.h>
#include <stddef.h>

extern char folder[64];
/* Makes it, and exits where that fails. */
void folder_make(void);
/* Runs the suite, and removes the folder: main's result. */
int folder_run(Suite *s);

/* "folder/name", in one of a few buffers. */
const char *path_of(const char *name);
/* Their path. */
const char *write_bytes(const char *name, const void *bytes, size_t n);
const char *write_text(const char *name, const char *text);
/* Of a file of at most 1 MiB; to be freed. */
char *read_bytes(const char *path, size_t *n);

/* Has the last error of libnn that part; else it is printed. */
bool said(const char *part);

#endif
