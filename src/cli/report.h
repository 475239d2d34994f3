/* report.h: a page and a picture of a training. */
#ifndef NNCC_REPORT_H
#define NNCC_REPORT_H

#include "cli/record.h"
#include "cli/sets.h"
#include "cli/trained.h"

typedef struct Report {
    const Args *args;
    bool has_page, has_plot;
    NewFile page, plot; /* --report, --plot */
} Report;

/* Opens what the options name; a status to exit with. */
int report_begin(const Args *a, Report *r);
/* Writes them. False after a message. */
bool report_write(Report *r, const Trained *t, const Sets *s,
                  const Records *records, const nncc_train_result *result);
void report_drop(Report *r);
/* The function whose results the page shows: that called predict, or the one
 * that a metric looks at; NULL: none. */
Function *report_function(const Args *a, const Load *l);

#endif
