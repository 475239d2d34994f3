/* notation.h: what the files of show/ share: how each notation writes what. */
#ifndef NNCC_SHOW_NOTATION_H
#define NNCC_SHOW_NOTATION_H

#include "show/show.h"

/* From what binds least to what binds most. */
enum {
    PREC_all,
    PREC_either,
    PREC_both,
    PREC_comparison,
    PREC_sum,
    PREC_product,
    PREC_matrix,
    PREC_power,
    PREC_postfix,
    PREC_whole,
};

/* Text around and between two parts; within: the first, the second needs no
 * parentheses. */
typedef struct Pattern {
    const char *open, *between, *close;
} Pattern;

struct Notation {
    Pattern paren, fraction, power, list;
    const char *plus, *minus, *negative, *times, *elementwise, *juxtaposed;
    const char *comma, *begin, *between, *end, *indent; /* of equations */
    bool stacked; /* fractions and powers delimit themselves */
    bool program;
    Pattern root, bars, floor, ceil, transpose;
    const char *and_, *or_, *not_, *mod;
    void (*name)(const char *name, Str *to);
    void (*number)(const Form *f, Str *to);
    void (*word)(const Shown *s, Str *to);
    void (*raise)(const Notation *n, const Form *f, Str *to); /* or `power` */
    /* By kinds that each notation writes in its own way. */
    void (*at)(const Notation *n, const Form *f, Str *to);
    void (*step)(const Notation *n, const Form *f, Str *to);
    void (*over)(const Notation *n, const Form *f, Str *to);
    void (*cases)(const Notation *n, const Form *f, Str *to);
    void (*partial)(const Notation *n, const Form *f, Str *to);
    void (*steps)(const Notation *n, const Recurrence *r, Str *to);
};

/* f, in parentheses where it binds less than `least`. */
void write_form(const Notation *n, const Form *f, int least, Str *to);
int form_precedence(const Notation *n, const Form *f);
/* The fewest digits that tell it from others. */
void write_digits(double v, Str *to);

#endif
