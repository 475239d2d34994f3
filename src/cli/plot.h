/* plot.h: the numbers of a training as curves. */
#ifndef NNCC_PLOT_H
#define NNCC_PLOT_H

#include "cli/record.h"

/* The usual charts: losses, then metrics, then norms. */
void plot_all(const Records *r, Str *to);
/* A file of them: an svg element around those. */
void plot_file(const Records *r, Str *to);
/* Text where < and & are none of HTML's. */
void html_text(const char *text, Str *to);

#endif
