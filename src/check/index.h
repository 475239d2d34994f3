/* index.h: indices: what is evaluated once for all their values.
 *
 * The body of a comprehension, a reduction or a loop is evaluated on an int
 * that is an input of its own in the graph, the index. While that is under way
 * it is among the active ones (c->index, the innermost; up leads out). Its
 * extent may be written, or it is found at the first dimension that it is used
 * in. What is asked of it meanwhile (where it lies, what depends on it) is
 * asked of all its values at once; what needs the extent before it is known is
 * asked again at the end of the body (late checks). */
#ifndef NNCC_INDEX_H
#define NNCC_INDEX_H

#include "check/check_internal.h"

/* indices.c */

/* The index of a comprehension, a reduction or a loop while its body is
 * evaluated: an int of its own in the graph. */
struct Index {
    Index *up;
    const char *name;
    Span span;
    Node *param;
    const Dim *extent; /* 0 … extent-1; NULL: not known yet */
    bool given;        /* the extent is written; otherwise it is inferred */
    Span from;         /* where */
    /* The bound where that is no dimension; the extent is what it is at most.
     */
    Node *bound;
    Span bound_span;
    const Dim *var; /* range.c */
    int branch;     /* c->branch where each of its values is evaluated */
    int since;      /* the first id of what varies with it */
    int frame;      /* calls under way around the body */
    int defining;   /* functions being checked on their own around it */
    /* What the body calls although it is a part of it, or NULL. */
    const FnInfo *recursive;
    const Expr *of;  /* what it is an index of */
    const Scope *in; /* where it is bound */
};

/* A new index b, bound in s; x->extent or x->bound from b's bound. False after
 * reporting. */
bool index_new(Check *c, Scope *s, const Binder *b, const Expr *of, Index *x);
void index_push(Check *c, Index *x);
/* The body under n indices that were pushed, and they are active no more; lazy:
 * it need not be evaluated for all their values. Of the late checks those from
 * number `late` on are its own. */
const Value *index_eval(Check *c, const Scope *s, const Expr *body, int n,
                        Index *x, int late, bool lazy);
/* Its extent must be known now; false after reporting. */
bool index_known(Check *c, const Index *x);
/* A subscript into a dimension of d: where it is an index itself, that is its
 * extent. False after reporting a second extent. */
bool index_seen(Check *c, Node *i, const Dim *d, Span at);
/* Is a call of f, with these arguments, part of a body that f evaluates? Such
 * bodies are evaluated for each value of the index instead. */
bool index_recursion(Check *c, const FnInfo *f, const Value *const *arg);
/* What the bound is at run time, at most x->extent. */
Node *index_bound(Check *c, const Index *x);
/* The values of an index that are written out; -1 after reporting. */
int64_t index_count(Check *c, const Scope *s, const Binder *b, const Index *x);
/* Where b is that. */
Scope *index_at(Check *c, const Scope *s, const Binder *b, int64_t i);

/* Bits for the active indices that n depends on. */
uint64_t index_mask(Check *c, Node *n);
/* Does n depend on a parameter with at least this id? */
bool index_depends(Check *c, const Node *n, int since);
/* The active index that n is, or NULL. */
Index *index_of(Check *c, const Node *n);
/* See graph_batch_indices. False after saying that `what` ("this takes tensors
 * of") has more dimensions than there can be. */
bool index_batch(Check *c, Span at, const char *what, int n, Node *const *param,
                 const Dim *const *extent, int nroot, Node **root);

/* range.c */

typedef enum Inside { IN_maybe, IN_surely, IN_never, IN_late } Inside;

/* Where i … i+reach-1 lies in 0 … d-1, for all values of the active indices.
 * IN_never: not all inside for sure; they go from lo to hi. IN_late: that
 * cannot be told before the extent of an index is known. */
Inside range_inside(Check *c, Node *i, const Dim *reach, const Dim *d,
                    const Dim **lo, const Dim **hi);
/* Is place i inside d because the active indices have any values? Else it may
 * be up to *below below 0 and *above above d-1. */
bool range_reached(Check *c, const Dim *i, const Dim *d, const Dim **below,
                   const Dim **above);
bool range_not_negative(Check *c, Node *i);
/* What an int is at most (or more, where that may be negative); NULL: nothing
 * is known. */
const Dim *range_most(Check *c, Node *i);
/* hi - lo where that is a dimension, else NULL; text: what it is. */
const Dim *range_difference(Check *c, Node *hi, Node *lo, const char **text);
/* How far x goes at most where i, which is asked for at all its values, is an
 * index into a dimension of d; NULL: that does not say. */
const Dim *range_extent(Check *c, const Index *x, Node *i, const Dim *d);

/* index.c */

/* Checks that were made before it was known how far an index goes: how many;
 * those from number `from` on, at the end of a body: false after reporting that
 * one is never inside; or only the first n count. */
int index_late(Check *c);
bool index_late_end(Check *c, int from);
void index_late_drop(Check *c, int n);
/* How many indices are checked at run time so far. */
int index_checks(Check *c);

#endif
