/* contract.c: the product of two tensors, out[lout] = sum a[la] b[lb].
 *
 * In the graph a contract is in one form: the result's labels are 0, 1, …;
 * every label from there on is in both operands and summed, and there is at
 * least one; labels are numbered by first appearance; the operand with the
 * smaller id comes first; no operand is a permute, a broadcast, a negation or
 * a product with a scalar or quotient by one. */
#include "graph/ops/ops.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { MAX_LABELS = 2 * MAX_RANK };

/* A product with any small labels. */
typedef struct Product {
    Node *x[2];
    int l[2][MAX_RANK];
    int rank;
    int lout[MAX_RANK];
} Product;

static void copy_labels(int *to, const int *from, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = from[i];
}

static bool contract_infer(Graph *g, Node *n)
{
    const Dim **dim = infer_dims(g), *size[MAX_LABELS] = {NULL};
    int at = 0, rank = (int)n->attr.integer;
    if (rank > MAX_RANK || n->arg[0]->dtype != n->arg[1]->dtype ||
        n->attr.nint != n->arg[0]->rank + n->arg[1]->rank)
        return false;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n->arg[k]->rank; i++) {
            int label = n->attr.ints[at++];
            if (label < 0 || label >= MAX_LABELS ||
                (size[label] && size[label] != n->arg[k]->dim[i]))
                return false;
            size[label] = n->arg[k]->dim[i];
        }
    for (int i = 0; i < rank; i++) {
        if (!size[i])
            return false;
        dim[i] = size[i];
    }
    n->dtype = n->arg[0]->dtype;
    n->rank = rank;
    n->dim = dim;
    return dtype_is_real(n->dtype);
}

static Product product_of(const Node *n)
{
    Product p = {.x = {n->arg[0], n->arg[1]}, .rank = n->rank};
    const int *l = n->attr.ints;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < p.x[k]->rank; i++)
            p.l[k][i] = *l++;
    for (int i = 0; i < n->rank; i++)
        p.lout[i] = i;
    return p;
}

static Node *make(Graph *g, const Product *p)
{
    return g_contract(g, p->x[0], p->l[0], p->x[1], p->l[1], p->rank, p->lout);
}

static bool in_out(const Product *p, int label)
{
    return find_label(label, p->rank, p->lout) >= 0;
}

static bool in_operand(const Product *p, int k, int label)
{
    return find_label(label, p->x[k]->rank, p->l[k]) >= 0;
}

/* A label that only one operand has and the result lacks is summed first. */
static Node *sum_lonely(Graph *g, Product *p, int k)
{
    int axis[MAX_RANK], kept[MAX_RANK], n = 0, left = 0;
    for (int i = 0; i < p->x[k]->rank; i++) {
        int label = p->l[k][i];
        if (in_out(p, label) || in_operand(p, 1 - k, label))
            kept[left++] = label;
        else
            axis[n++] = i;
    }
    if (n == 0)
        return NULL;
    for (int i = 0; i < n; i++)
        p->x[1 - k] = g_factor_outside(g, p->x[1 - k], p->x[k]->dim[axis[i]]);
    p->x[k] = g_reduce(g, OP_sum, p->x[k], n, axis);
    copy_labels(p->l[k], kept, left);
    return make(g, p);
}

/* The order of axes only renames labels. */
static Node *absorb_order(Graph *g, Product *p, int k)
{
    const Node *x = p->x[k];
    int l[MAX_RANK], perm[MAX_RANK];
    View v, sorted;
    if (x->op != OP_view || node_repeats(x))
        return NULL;
    v = view_of(x);
    if (!view_sort(&v, &sorted, perm))
        return NULL;
    for (int i = 0; i < x->rank; i++)
        l[perm[i]] = p->l[k][i];
    copy_labels(p->l[k], l, x->rank);
    p->x[k] = g_view(g, x->arg[0], &sorted);
    return make(g, p);
}

/* A new axis drops out of the labels; where the other operand lacks it too,
 * the product is repeated along it. */
static Node *absorb_broadcast(Graph *g, const Node *n, Product *p, int k)
{
    const Node *x = p->x[k];
    int l[MAX_RANK], axis[MAX_RANK], rank = 0;
    if (!node_repeats(x))
        return NULL;
    for (int i = 0; i < x->rank; i++)
        if (x->attr.ints[i] >= 0)
            l[x->attr.ints[i]] = p->l[k][i];
    p->x[k] = x->arg[0];
    copy_labels(p->l[k], l, x->arg[0]->rank);
    for (int i = 0; i < n->rank; i++) {
        bool has = in_operand(p, 0, i) || in_operand(p, 1, i);
        axis[i] = has ? rank : -1;
        if (has)
            p->lout[rank++] = i;
    }
    p->rank = rank;
    return g_broadcast(g, make(g, p), n->rank, n->dim, axis);
}

/* x, which multiplies or divides operand k, as it does the result. */
static Node *outside(Graph *g, const Product *p, int k, OpId op, Node *x)
{
    for (int i = 0; i < p->x[k]->rank; i++) {
        const Dim *size = p->x[k]->dim[i];
        if (!in_out(p, p->l[k][i]))
            x = op == OP_mul ? g_factor_outside(g, x, size)
                             : g_divisor_outside(g, x, size);
    }
    return x;
}

/* Signs and scalar factors and divisors are applied to the result. */
static Node *pull_scalar(Graph *g, Product *p, int k)
{
    Node *x = p->x[k], *s = NULL;
    if (x->op == OP_neg) {
        p->x[k] = x->arg[0];
        return g1(g, OP_neg, make(g, p));
    }
    if (x->op != OP_mul && x->op != OP_div)
        return NULL;
    int at = 1;
    if (x->op == OP_mul && scalar_of(x->arg[0]))
        at = 0;
    s = scalar_of(x->arg[at]);
    if (!s)
        return NULL;
    p->x[k] = x->arg[1 - at];
    s = outside(g, p, k, (OpId)x->op, s);
    Node *y = make(g, p);
    return g2(g, x->op, y, g_fill_like(g, y, s));
}

/* Operand k, all of whose labels are below rank, in the shape where axis i
 * has label i. */
static Node *embed(Graph *g, const Product *p, int k, int rank,
                   const Dim *const *dim)
{
    int perm[MAX_RANK], axis[MAX_RANK], n = 0;
    for (int i = 0; i < rank; i++) {
        int at = find_label(i, p->x[k]->rank, p->l[k]);
        axis[i] = at < 0 ? -1 : n;
        if (at >= 0)
            perm[n++] = at;
    }
    Node *x = g_permute(g, p->x[k], perm);
    return g_broadcast(g, x, rank, dim, axis);
}

/* With nothing summed it is an elementwise product. */
static Node *without_sum(Graph *g, const Node *n, const Product *p)
{
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < p->x[k]->rank; i++)
            if (p->l[k][i] >= n->rank)
                return NULL;
    Node *x = embed(g, p, 0, n->rank, n->dim);
    Node *y = embed(g, p, 1, n->rank, n->dim);
    Node *diagonal = product_of_diagonal(g, x, y);
    if (!diagonal)
        diagonal = product_of_diagonal(g, y, x);
    return diagonal ? diagonal : g2(g, OP_mul, x, y);
}

/* The labels of both operands, numbered: the result's by place, the others by
 * first appearance from `rank` on. */
static int number_labels(const Product *p, int first, int *to)
{
    int other[MAX_LABELS], n = 0, at = 0;
    for (int j = 0; j < 2; j++) {
        int k = j ? 1 - first : first;
        for (int i = 0; i < p->x[k]->rank; i++) {
            int place = find_label(p->l[k][i], p->rank, p->lout);
            if (place < 0) {
                place = find_label(p->l[k][i], n, other);
                if (place < 0)
                    other[place = n++] = p->l[k][i];
                place += p->rank;
            }
            to[at++] = place;
        }
    }
    return at;
}

/* Does the second operand belong first. */
static bool out_of_order(const Product *p)
{
    int a[MAX_LABELS], b[MAX_LABELS];
    if (p->x[0] != p->x[1])
        return p->x[0]->id > p->x[1]->id;
    int n = number_labels(p, 0, a);
    number_labels(p, 1, b);
    for (int i = 0; i < n; i++)
        if (a[i] != b[i])
            return a[i] > b[i];
    return false;
}

static Node *contract_identity(Graph *g, const Node *n)
{
    Node *y = NULL;
    for (int k = 0; k < 2 && !y; k++) {
        Product p = product_of(n);
        y = sum_lonely(g, &p, k);
        if (!y)
            y = absorb_order(g, &p, k);
        if (!y)
            y = absorb_broadcast(g, n, &p, k);
    }
    if (y)
        return y;
    Product p = product_of(n);
    y = without_sum(g, n, &p);
    for (int k = 0; k < 2 && !y; k++)
        y = pull_scalar(g, &p, k);
    if (!y)
        y = contract_onehot(g, n);
    if (!y)
        y = contract_structure(g, n);
    return !y && out_of_order(&p) ? make(g, &p) : y;
}

/* The sum of elementwise products, as it is written. NULL: too many labels. */
static Node *sum_of_products(Graph *g, const Product *p, OpId op)
{
    int l[MAX_LABELS], at = 0, rank = p->rank, axis[MAX_RANK], n = 0;
    const Dim *dim[MAX_LABELS];
    Product q = *p;
    number_labels(p, 0, l);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < p->x[k]->rank; i++) {
            q.l[k][i] = l[at++];
            dim[q.l[k][i]] = p->x[k]->dim[i];
            if (q.l[k][i] >= rank)
                rank = q.l[k][i] + 1;
        }
    if (rank > MAX_RANK)
        return NULL;
    for (int i = p->rank; i < rank; i++)
        axis[n++] = i;
    Node *right = embed(g, &q, 1, rank, dim);
    Node *y = g2(g, op, embed(g, &q, 0, rank, dim), right);
    return g_reduce(g, OP_sum, y, n, axis);
}

Node *contract_each(Graph *g, OpId op, Node *a, const int *la, Node *b,
                    const int *lb, int rank, const int *lout)
{
    Product p = {.x = {a, b}, .rank = rank};
    copy_labels(p.l[0], la, a->rank);
    copy_labels(p.l[1], lb, b->rank);
    copy_labels(p.lout, lout, rank);
    return sum_of_products(g, &p, op);
}

/* Integers have no kernels for products. */
static Node *product_of_integers(Graph *g, const Product *p)
{
    Node *y = sum_of_products(g, p, OP_mul);
    if (!y)
        die("a product of more than %d dimensions", MAX_RANK);
    return y;
}

Node *g_contract(Graph *g, Node *a, const int *la, Node *b, const int *lb,
                 int rank, const int *lout)
{
    Product p = {.x = {a, b}, .rank = rank};
    int label[MAX_LABELS];
    copy_labels(p.l[0], la, a->rank);
    copy_labels(p.l[1], lb, b->rank);
    copy_labels(p.lout, lout, rank);
    if (!dtype_is_real(a->dtype))
        return product_of_integers(g, &p);
    bool swap = out_of_order(&p);
    Attr attr = {.ints = label, .integer = rank};
    attr.nint = number_labels(&p, swap, label);
    Node *arg[2] = {p.x[swap], p.x[!swap]};
    return graph_make(g, OP_contract, a->dtype, 2, arg, &attr);
}

/* Batch axes of size 1 that meet others repeat: they are dropped. */
static Node *drop_unit_batch(Graph *g, Node *x, const Node *other, int *l)
{
    const Dim *dim[MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        int end = x->rank - i, at = other->rank - end;
        if (end > 2 && at >= 0 && dim_is(x->dim[i], 1) &&
            !dim_is(other->dim[at], 1))
            continue;
        l[rank] = end > 2 ? end : -1;
        dim[rank++] = x->dim[i];
    }
    return rank == x->rank ? x : g_reshape(g, x, rank, dim);
}

/* Labels: 0 rows, 1 columns, 2 summed, else the place from the end. */
Node *g_matmul(Graph *g, Node *a, Node *b)
{
    int la[MAX_RANK], lb[MAX_RANK], lout[MAX_RANK], rank = 0;
    assert(a->rank > 0 && b->rank > 0);
    int ra = a->rank, rb = b->rank, most = ra > rb ? ra : rb;
    for (int end = most; end > 2; end--)
        lout[rank++] = end;
    if (ra > 1)
        lout[rank++] = 0;
    if (rb > 1)
        lout[rank++] = 1;
    Node *x = drop_unit_batch(g, a, b, la);
    Node *y = drop_unit_batch(g, b, a, lb);
    la[x->rank - 1] = 2;
    if (ra > 1)
        la[x->rank - 2] = 0;
    lb[y->rank - 1] = rb > 1 ? 1 : 2;
    if (rb > 1)
        lb[y->rank - 2] = 2;
    return g_contract(g, x, la, y, lb, rank, lout);
}

/* Of two operands with the same labels, one that is where(c, v, 0), as a
 * one-hot tensor is, chooses: what it leaves out may be infinite. Which; -1:
 * none. */
static int chooser(const Node *n)
{
    Product p = product_of(n);
    if (p.x[0]->rank != p.x[1]->rank)
        return -1;
    for (int i = 0; i < p.x[0]->rank; i++)
        if (!in_operand(&p, 1, p.l[0][i]))
            return -1;
    for (int k = 0; k < 2; k++)
        if (p.x[k]->op == OP_where && node_is_const(p.x[k]->arg[2], 0))
            return k;
    return -1;
}

/* Without summed axes of size 1; where there are none, by its ties. */
static Node *without_units(Graph *g, const Node *n)
{
    const Dim *dim[MAX_RANK];
    Product p = product_of(n);
    for (int k = 0, rank = 0; k < 2; k++, rank = 0) {
        for (int i = 0; i < p.x[k]->rank; i++) {
            dim[rank] = p.x[k]->dim[i];
            p.l[k][rank] = p.l[k][i];
            rank += p.l[k][i] < n->rank || !dim_is(dim[rank], 1);
        }
        p.x[k] = g_reshape(g, p.x[k], rank, dim);
    }
    if (p.x[0] == n->arg[0]) /* and so the other: what is summed both have */
        return contract_tied(g, n);
    Node *y = without_sum(g, n, &p);
    return y ? y : make(g, &p);
}

/* As the sum of what is chosen. */
static Node *contract_expand(Graph *g, Node *n)
{
    int k = chooser(n), perm[MAX_RANK], gone[MAX_RANK], order[MAX_RANK];
    int count = 0, left = 0;
    if (k < 0)
        return without_units(g, n);
    Product p = product_of(n);
    const Node *choice = p.x[k];
    for (int i = 0; i < choice->rank; i++) {
        int label = p.l[k][i];
        perm[i] = find_label(label, choice->rank, p.l[1 - k]);
        if (label < n->rank)
            order[label] = left++;
        else
            gone[count++] = i;
    }
    Node *x = g_permute(g, p.x[1 - k], perm);
    x = g_where(g, choice->arg[0], g2(g, OP_mul, choice->arg[1], x),
                choice->arg[2]);
    return g_permute(g, g_reduce(g, OP_sum, x, count, gone), order);
}

/* Per label: its size, and its stride in each operand. */
typedef struct Walk {
    int nlabel;
    int64_t size[MAX_LABELS], stride[2][MAX_LABELS];
} Walk;

static Walk walk_of(const EvalTensor *e, const Node *n)
{
    Walk w = {.nlabel = n->rank};
    for (int k = 0; k < 2; k++) {
        const int *l = n->attr.ints + (k ? n->arg[0]->rank : 0);
        int64_t stride = 1;
        for (int i = n->arg[k]->rank - 1; i >= 0; i--) {
            w.stride[k][l[i]] = stride;
            w.size[l[i]] = e->in_size[k][i];
            stride *= e->in_size[k][i];
            if (l[i] >= w.nlabel)
                w.nlabel = l[i] + 1;
        }
    }
    return w;
}

/* Steps at[from … to-1] on and the operands' offsets with it. */
static void walk_step(const Walk *w, int from, int to, int64_t *at,
                      int64_t *offset)
{
    for (int i = to - 1; i >= from; i--) {
        bool carry = ++at[i] == w->size[i];
        int64_t by = carry ? 1 - w->size[i] : 1;
        offset[0] += by * w->stride[0][i];
        offset[1] += by * w->stride[1][i];
        if (!carry)
            return;
        at[i] = 0;
    }
}

static void contract_eval(EvalTensor *e, const Node *n)
{
    Walk w = walk_of(e, n);
    int64_t at[MAX_LABELS] = {0}, offset[2] = {0, 0};
    int64_t outer = eval_elements(n->rank, w.size);
    int64_t inner = eval_elements(w.nlabel - n->rank, w.size + n->rank);
    int mask = chooser(n);
    for (int64_t i = 0; i < outer; i++) {
        double sum = 0;
        for (int64_t k = 0; k < inner; k++) {
            bool out = mask >= 0 && e->in[mask][offset[mask]] == 0;
            sum += out ? 0 : e->in[0][offset[0]] * e->in[1][offset[1]];
            walk_step(&w, n->rank, w.nlabel, at, offset);
        }
        e->out[i] = sum;
        walk_step(&w, 0, n->rank, at, offset);
    }
}

static void result_labels(const Node *n, int *l)
{
    for (int i = 0; i < n->rank; i++)
        l[i] = i;
}

static bool is_summed(const Product *p)
{
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < p->x[k]->rank; i++)
            if (!in_out(p, p->l[k][i]))
                return true;
    return false;
}

/* dy · b. Where nothing is summed it is a product of numbers as any other. */
static Node *adjoint(Graph *g, Node *dy, const int *l, Node *b, const int *lb,
                     int rank, const int *lout)
{
    Product p = {.x = {dy, b}, .rank = rank};
    copy_labels(p.l[0], l, dy->rank);
    copy_labels(p.l[1], lb, b->rank);
    copy_labels(p.lout, lout, rank);
    return is_summed(&p) || node_is_finite(b)
               ? make(g, &p)
               : sum_of_products(g, &p, OP_strong_mul);
}

/* The adjoint of one operand is the contract of dy with the other. */
static void contract_vjp(Graph *g, Node *n, Node *dy, Node **dx)
{
    Node *a = n->arg[0], *b = n->arg[1];
    const int *la = n->attr.ints, *lb = la + a->rank;
    int l[MAX_RANK];
    result_labels(n, l);
    dx[0] = adjoint(g, dy, l, b, lb, a->rank, la);
    dx[1] = adjoint(g, dy, l, a, la, b->rank, lb);
}

static Node *contract_jvp(Graph *g, Node *n, Node *const *dx)
{
    Node *y[2] = {NULL, NULL};
    const int *la = n->attr.ints, *lb = la + n->arg[0]->rank;
    int l[MAX_RANK];
    result_labels(n, l);
    if (dx[0])
        y[0] = g_contract(g, dx[0], la, n->arg[1], lb, n->rank, l);
    if (dx[1])
        y[1] = g_contract(g, n->arg[0], la, dx[1], lb, n->rank, l);
    return g_join(g, OP_add, y[0], y[1]);
}

/* Printed form. */

/* The one label of operand k for which keep holds, -1 without, -2 with more. */
static int sole_label(const Product *p, int k, bool out, bool shared)
{
    int sole = -1;
    for (int i = 0; i < p->x[k]->rank; i++) {
        int l = p->l[k][i];
        if (in_out(p, l) == out && in_operand(p, 1 - k, l) == shared)
            sole = sole == -1 ? l : -2;
    }
    return sole;
}

/* Is operand k a stack, in the order of the result, of [r, c] (or [c, r] with
 * flip): r and c may be missing. */
static bool is_matrix(const Product *p, int k, int batch, int r, int c,
                      bool flip)
{
    int want[MAX_RANK + 2], n = 0;
    for (int i = 0; i < batch; i++)
        want[n++] = i;
    int first = flip ? c : r, second = flip ? r : c;
    if (first >= 0)
        want[n++] = first;
    if (second >= 0)
        want[n++] = second;
    return n == p->x[k]->rank &&
           memcmp(want, p->l[k], sizeof *want * (size_t)n) == 0;
}

/* As a @ b, with the operands transposed or exchanged as need be. */
static bool matmul_form(const Product *p, Str *to)
{
    int own[2] = {sole_label(p, 0, true, false), sole_label(p, 1, true, false)};
    int k = sole_label(p, 0, false, true);
    int batch = p->rank - (own[0] >= 0) - (own[1] >= 0);
    if (own[0] == -2 || own[1] == -2 || k < 0 || batch < 0 ||
        (batch && (own[0] < 0 || own[1] < 0)))
        return false;
    for (int i = 0; i < 2; i++)
        if (own[i] >= 0 && own[i] < batch)
            return false;
    int left = own[0] >= 0 && own[1] >= 0 && own[0] > own[1];
    for (int i = 0; i < 2; i++) /* a vector stands where the matrix is plain */
        if (own[i] >= 0 && own[1 - i] < 0)
            left = p->l[i][0] == own[i] ? i : 1 - i;
    int right = 1 - left;
    bool plain[2] = {is_matrix(p, left, batch, own[left], k, false),
                     is_matrix(p, right, batch, k, own[right], false)};
    if (!plain[0] && !is_matrix(p, left, batch, own[left], k, true))
        return false;
    if (!plain[1] && !is_matrix(p, right, batch, k, own[right], true))
        return false;
    str_printf(to, plain[0] ? "$%d" : "$!%d'", left);
    str_printf(to, plain[1] ? " @ $+%d" : " @ $!%d'", right);
    return true;
}

/* As sum(a * b, axis): both operands have the same labels in order. */
static bool sum_form(const Node *n, const Product *p, Str *to)
{
    int rank = p->x[0]->rank, place = 0, count = 0;
    if (p->x[1]->rank != rank)
        return false;
    if (memcmp(p->l[0], p->l[1], sizeof **p->l * (size_t)rank) != 0)
        return false;
    for (int i = 0; i < rank; i++)
        if (p->l[0][i] < n->rank && p->l[0][i] != place++)
            return false;
    str_printf(to, "sum($*0 * $/1");
    bool one = rank - n->rank == 1;
    for (int i = 0; i < rank && n->rank; i++)
        if (p->l[0][i] >= n->rank)
            str_printf(to, "%s%d",
                       count++ ? ", "
                       : one   ? ", axis = "
                               : ", axis = [",
                       i);
    str_printf(to, n->rank && !one ? "])" : ")");
    return true;
}

static void print_labels(const int *l, int n, Str *to)
{
    for (int i = 0; i < n; i++)
        if (l[i] < 18) /* i … z, then a … */
            str_printf(to, "%c", 'i' + l[i]);
        else
            str_printf(to, "%c", 'a' + l[i] - 18);
}

static int contract_form(const Node *n, Str *to)
{
    Product p = product_of(n);
    if (matmul_form(&p, to))
        return PREC_mul;
    if (sum_form(n, &p, to))
        return PREC_atom;
    str_printf(to, "einsum(\"");
    print_labels(p.l[0], p.x[0]->rank, to);
    str_printf(to, ",");
    print_labels(p.l[1], p.x[1]->rank, to);
    str_printf(to, "->");
    print_labels(p.lout, n->rank, to);
    str_printf(to, "\", $=0, $=1)");
    return PREC_atom;
}

/* One more label, in front of those of what has the batch axis. */
static Node *contract_batch(Graph *g, const Node *n, const Dim *b,
                            Node *const *x, const bool *lead)
{
    Product p = product_of(n);
    int l[2][MAX_RANK + 1], lout[MAX_RANK + 1] = {MAX_LABELS};
    (void)b;
    for (int k = 0; k < 2; k++) {
        l[k][0] = MAX_LABELS;
        copy_labels(l[k] + lead[k], p.l[k], p.x[k]->rank);
    }
    copy_labels(lout + 1, p.lout, n->rank);
    return g_contract(g, x[0], l[0], x[1], l[1], n->rank + 1, lout);
}

const Op op_contract = {
    .name = "contract",
    .cls = OPC_contract,
    .arity = 2,
    .flags = OP_LINEAR_EACH,
    .doc = "the product of two tensors, summed over the labels that the result "
           "lacks",
    .infer = contract_infer,
    .identity = contract_identity,
    .eval_tensor = contract_eval,
    .vjp = contract_vjp,
    .vjp_strong = contract_vjp_strong,
    .jvp = contract_jvp,
    .jvp_strong = contract_jvp_strong,
    .expand = contract_expand,
    .form = contract_form,
    .batch = contract_batch,
};
