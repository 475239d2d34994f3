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

/* What stands before, between and after what a value is in cases: this, what
 * holds then, what it is else. */
typedef struct CaseWords {
    const char *open, *holds, *otherwise, *close;
} CaseWords;

/* ∂f/∂x; of a second one ∂²f/∂x², where x is around twice, or ∂²f/∂x∂y. */
typedef struct PartialWords {
    const char *first, *second, *by, *twice, *squared, *by_next, *close;
} PartialWords;

/* for t = 0 … n - 1, until c: */
typedef struct StepWords {
    const char *open, *from_first, *from_last; /* before the number of steps */
    const char *to_last, *to_first;            /* after it */
    const char *until, *close;
} StepWords;

/* A program has no partial derivatives. */
struct Notation {
    Pattern paren, fraction, power, list;
    const char *plus, *minus, *negative, *times, *elementwise, *juxtaposed;
    const char *comma, *begin, *between, *end, *indent; /* of equations */
    bool stacked; /* fractions and powers delimit themselves */
    bool program;
    Pattern root, bars, floor, ceil, transpose, at, step;
    const char *and_, *or_, *not_, *mod;
    CaseWords cases;
    PartialWords partial;
    StepWords steps;
    void (*name)(const Form *f, Str *to);
    void (*number)(const Form *f, Str *to);
    void (*word)(const Shown *s, Str *to);
    void (*over)(const Notation *n, const Form *f, Str *to);
    /* Signs above and below the line, or NULL: as the patterns say. */
    void (*raise)(const Notation *n, const Form *f, Str *to); /* `power` */
    void (*lift)(const Notation *n, const Form *f, Str *to);  /* `step` */
    /* False: there are none for these indices. */
    bool (*lower)(const Form *f, Str *to); /* `at`, after its first */
};

/* f, in parentheses where it binds less than `least`. */
void write_form(const Notation *n, const Form *f, int least, Str *to);
/* The indices of f below their bounds and, behind `condition`, that which they
 * have. */
void write_indices(const Notation *n, const Form *f, const char *comma,
                   const char *less, const char *condition, Str *to);
void write_equations(const Notation *n, const Equations *e, int depth, Str *to);
/* program.c: a loop as a program, and what Recurrence has for it. */
void write_program_loop(const Notation *n, const Recurrence *r, int depth,
                        Str *to);
const Form *const *program_zeros(FormMaker *m, const struct Region *r);
/* The fewest digits that tell it from others, of f32 or f64. */
void write_digits(double v, bool f32, Str *to);
/* For people: of f32 where that has it. */
bool is_short(double v);

#endif
