/* fmt_internal.h: what the formatter's files share. Only fmt*.c include it.
 *
 * Every function lays out a range of tokens, [i, end), and puts the comments
 * before each of them before it. */
#ifndef NNCC_FMT_INTERNAL_H
#define NNCC_FMT_INTERNAL_H

#include "syntax/fmt_tokens.h"
#include "syntax/layout.h"

typedef struct Fmt {
    Toks t;
    Layout *out;
    bool whole;   /* in what is never taken apart: types */
    bool fresh;   /* a block was opened: no empty line yet */
    bool comment; /* a comment was put last: the line must end */
} Fmt;

/* The elements of a list in brackets. */
typedef enum Element { EL_value, EL_sub, EL_param, EL_type } Element;

/* fmt_expr.c */

void fmt_text(Fmt *f, const char *s);
void fmt_blanks(Fmt *f, int n);
/* The comments before token i; false: there are none. Empty lines are kept
 * before them where blanks is true. */
bool fmt_comments(Fmt *f, int i, bool blanks);
void fmt_tok(Fmt *f, int i);
/* Before token i: `space` blanks or a new line; a new line in any case. */
void fmt_break(Fmt *f, int i, int space, int offset);
void fmt_line(Fmt *f, int i, int offset);
/* An expression; chained: it follows a break of its own. */
void fmt_expr(Fmt *f, int i, int end, bool chained);
void fmt_type(Fmt *f, int i, int end);
/* "-> type" if it is there, before a body that ends at `end`; what follows. */
int fmt_result(Fmt *f, int i, int end);
/* ' =' at token i and the expression after it. */
void fmt_value(Fmt *f, int i, int end, int offset);
/* What stands in brackets, with them; gives what follows. */
int fmt_list(Fmt *f, int open, Element kind);

/* fmt.c */

/* { … } as a part of a group that is indented already. */
void fmt_block(Fmt *f, int open, bool broken);
/* Its author began a new line in it, or must have. */
bool fmt_broken(const Fmt *f, int open);

#endif
