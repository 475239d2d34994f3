/* layout.h: texts with places where a line may end, and lines made of them.
 *
 * A layout is a sequence: texts, breaks, forced line ends, comments, groups.
 * A group that fits on the line stays on it; of one that does not, some breaks
 * become line ends (Oppen 1980). Everything lives in the arena given; texts
 * must outlive the layout. */
#ifndef NNCC_LAYOUT_H
#define NNCC_LAYOUT_H

#include "base/base.h"

enum { LAYOUT_WIDTH = 100 };

typedef struct Layout Layout;

/* Which breaks of a group that does not fit become line ends. */
typedef enum GroupKind {
    GR_all,   /* all */
    GR_fill,  /* those before something that does not fit on the line */
    GR_list,  /* as GR_fill, aligned where it begins; or, where that leaves too
                 little room, from its first break on at its indentation */
    GR_after, /* its one break, if what follows then fits on a line */
} GroupKind;

/* What a group's indentation counts from. */
typedef enum IndentFrom {
    IN_group,  /* the group around it */
    IN_line,   /* the line it begins on */
    IN_column, /* where it begins */
} IndentFrom;

Layout *layout_new(Arena *a);
void layout_text(Layout *l, const char *s, int n);
/* Nothing else comes on the line after it. */
void layout_comment(Layout *l, const char *s, int n);
/* `space` blanks, or the end of a line; the next is indented by the group's
 * indentation and `offset`. */
void layout_break(Layout *l, int space, int offset);
/* The end of a line, and an empty one if `blank`. */
void layout_line(Layout *l, bool blank, int offset);
void layout_begin(Layout *l, GroupKind kind, IndentFrom from, int offset);
void layout_end(Layout *l);

/* What was added since a mark: its width on one line; taken back. */
int layout_mark(const Layout *l);
int layout_width(const Layout *l, int mark);
void layout_cut(Layout *l, int mark);

/* The lines. Comments at the ends of lines that follow each other are
 * aligned. */
void layout_print(Layout *l, Str *to);

#endif
