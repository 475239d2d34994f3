/* form_internal.h: what the files that put formulas together share. */
#ifndef NNCC_FORM_INTERNAL_H
#define NNCC_FORM_INTERNAL_H

#include "graph/form.h"

typedef LIST(const Form *) Forms;

const Form *form_list(FormMaker *m, FormKind kind, const Shown *shown,
                      const Forms *of);

/* form_words.c: what people write otherwise than programs. */

/* A comparison, a number on its right. */
const Form *form_comparison(FormMaker *m, const Shown *shown, const Form *x,
                            const Form *y);
/* A sum above the line and the number of its terms below it are a mean. */
void form_average(FormMaker *m, Forms *over, Forms *under);

#endif
