/* view.h: affine maps between the indices of two tensors.
 *
 * A View takes an index i of one tensor, of rank `rank`, to an index of
 * another, of rank `from`: along axis k of that to
 *
 *     base[k] + Σ coef[j] i[j], over the axes j with axis[j] = k.
 *
 * OP_view reads by it, y[i] = x[v(i)]; OP_view_add adds up by it, y[v(i)] +=
 * x[i], and is 0 elsewhere: each is the other's transpose. docs/design.md has
 * their algebra. */
#ifndef NNCC_VIEW_H
#define NNCC_VIEW_H

#include "graph/graph.h"

typedef struct View {
    int rank, from;
    int axis[MAX_RANK + 1]; /* which axis axis j moves along; -1: none */
    const Dim *size[MAX_RANK + 1], *coef[MAX_RANK + 1]; /* of axis j */
    const Dim *base[MAX_RANK + 1];                      /* along axis k */
} View;

/* That of an OP_view or OP_view_add. */
View view_of(const Node *n);
/* That of x as it is. */
View view_whole(Graph *g, const Node *x);
/* Is v that, of a tensor with the dimensions dim. */
bool view_is_whole(const View *v, const Dim *const *dim);
/* Axis j goes once through the axis along which it moves, of dimensions dim. */
bool view_goes_through(const View *v, int j, const Dim *const *dim);
/* Does v only repeat a tensor of dimensions dim, whose axes come in order, each
 * once and whole. */
bool view_only_repeats(const View *v, const Dim *const *dim);
/* First outer, then inner: view(view(x, inner), outer) is view(x, this). */
View view_compose(Graph *g, const View *outer, const View *inner);
bool view_equal(const View *a, const View *b);
/* Are its numbers too large to be written down. */
bool view_too_large(const View *v);
/* v with an axis put in at, or taken out of, place j. */
void view_insert(View *v, int j, int axis, const Dim *size, const Dim *coef);
void view_remove(View *v, int j);
/* Axis j goes through all of the axis, of size dim, that it alone moves along.
 */
void view_widen(Graph *g, View *v, int j, const Dim *dim);
/* v behind a first axis of size b, which stays as it is. */
View view_batch(Graph *g, const View *v, const Dim *b);
/* How many axes move along axis k. */
int view_movers(const View *v, int k);
/* Axis j moves along axis j alone, in constant steps upwards. */
bool view_is_slice(const View *v);
/* v with its axes in the order of what they move along: axis j is perm[j] then.
 * False: they are. */
bool view_sort(const View *v, View *sorted, int *perm);
/* The least and the greatest place along axis k, if there is any; false: a step
 * is no constant. */
bool view_range(Graph *g, const View *v, int k, const Dim **lo, const Dim **hi);
/* An axis of one element moves along nothing, where another does, else by 1;
 * what does not move moves along nothing. False: so it was. */
bool view_tidy(Graph *g, View *v);
/* Axes *i and *j move as the digits of one number, coef[i] = coef[j] size[j].
 * False: none do. */
bool view_digits(Graph *g, const View *v, int *i, int *j);
/* Those as one axis, at the place that is returned. */
int view_join(Graph *g, View *v, int i, int j);

/* A view or a reshape: it only moves the index. */
bool is_view(const Node *n);
/* Is n a view with new axes along which it repeats its argument, and nothing
 * else: attr.ints[i] is the argument's axis, ascending, or -1. */
bool node_repeats(const Node *n);
/* What n repeats; n where it repeats nothing. */
const Node *node_repeated(const Node *n);
/* Is n the axes of its argument in another order: result axis i is
 * attr.ints[i]. */
bool node_permutes(const Node *n);

/* Does n take a part of its argument, in constant steps upwards along each
 * axis. */
bool node_slices(const Node *n);
/* The transpose: does n put zeros around and between what it has, or else add
 * up. */
bool node_pads(const Node *n);

/* Every place read must be inside. */
Node *g_view(Graph *g, Node *a, const View *v);
/* Into zeros of the dimensions dim. */
Node *g_view_add(Graph *g, Node *a, const View *v, const Dim *const *dim);

/* What n does in a word: "broadcast", "slice", …; or its operator's name. */
const char *view_word(const Node *n);
/* "i + 1, 2*j": the index that v makes of (i, j, …). */
void view_print(const View *v, Str *to);

#endif
