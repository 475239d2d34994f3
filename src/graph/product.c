/* product.c: products of powers. */

#include "graph/product.h"

#include <math.h>
#include <string.h>

/* n shows its argument along other axes, or repeated. */
bool is_spread(const Node *n) { return node_repeats(n) || node_permutes(n); }

/* Those of n's argument. */
Axes axes_through(const Whole *w, const Node *n, const Axes *at)
{
    Axes a;

    for (int i = 0; i < w->n->rank; i++)
        a.to[i] = at->to[i] < 0 ? -1 : (signed char)n->attr.ints[at->to[i]];
    return a;
}

static bool same_axes(const Whole *w, const Axes *a, const Axes *b)
{
    return memcmp(a->to, b->to, sizeof *a->to * (size_t)w->n->rank) == 0;
}

static unsigned axes_bits(const Whole *w, const Axes *a)
{
    unsigned bits = 0;

    for (int i = 0; i < w->n->rank && i < MAX_RANK; i++)
        bits |= (unsigned)(a->to[i] >= 0) << i;
    return bits;
}

bool is_arithmetic(const Node *n)
{
    switch (n->op) {
    case OP_add:
    case OP_sub:
    case OP_neg:
    case OP_mul:
    case OP_strong_mul:
    case OP_div:
    case OP_sqrt:
    case OP_rsqrt:
    case OP_pow:
    case OP_where:
        return dtype_is_real(n->dtype);
    }
    return is_spread(n) && dtype_is_real(n->dtype);
}

bool is_atom(Whole *w, const Node *n, int depth)
{
    bool shared =
        n != w->n && !is_spread(n) && uses_of(w->uses, n) > 1 && !w->deep;

    w->stopped |= shared;
    return shared || n == w->atom || depth >= MAX_READ;
}

/* A power is whole but for a root. */
static bool is_half(double e) { return e != rint(e); }

/* Products read. */

/* Without its room being set, which is large. */
void product_start(Product *p, double c)
{
    p->c = c;
    p->n = 0;
    p->strong = false;
}

bool same_factor(const Whole *w, const Factor *a, const Factor *b)
{
    return a->x == b->x && same_axes(w, &a->at, &b->at);
}

void drop_factor(Product *p, int k)
{
    memmove(&p->f[k], &p->f[k + 1], sizeof *p->f * (size_t)(--p->n - k));
}

static void merge_powers(Factor *to, const Factor *f)
{
    double above = fmax(to->e, 0) + fmax(f->e, 0);

    to->lost = fmax(to->lost, f->lost);
    to->e += f->e;
    to->rooted |= f->rooted;
    if (to->e <= 0)
        to->lost = fmax(to->lost, above);
}

static bool add_factor(const Whole *w, Product *p, const Factor *f)
{
    for (int k = 0; k < p->n; k++) {
        Factor *to = &p->f[k];

        if (!same_factor(w, to, f))
            continue;
        if (f->kind != F_power)
            return true;
        merge_powers(to, f);
        return true;
    }
    if (p->n == MAX_FACTORS)
        return false;
    p->f[p->n++] = *f;
    return true;
}

/* Is n's condition that two counters are equal; which axes of the whole. */
static bool is_equal(const Whole *w, const Node *n, const Axes *at, Factor *f)
{
    Node *iota = NULL;
    int count = 0;

    if (n->op != OP_eq || n->arg[0] == n->arg[1])
        return false;
    *f = (Factor){.kind = F_equal};
    for (int i = 0; i < w->n->rank; i++)
        f->at.to[i] = -1;
    for (int k = 0; k < 2; k++) {
        const Node *b = n->arg[k];
        Axes to;

        if (!node_repeats(b) || b->arg[0]->op != OP_iota ||
            (iota && b->arg[0] != iota))
            return false;
        iota = b->arg[0];
        to = axes_through(w, b, at);
        for (int i = 0; i < w->n->rank; i++)
            if (to.to[i] == 0) {
                f->at.to[i] = 0;
                count++;
            }
    }
    f->x = iota;
    return count == 2;
}

bool product_read(Whole *w, Product *p, Node *n, Axes at, int e, int depth);

static bool add_mask(Whole *w, Product *p, Node *cond, Axes at)
{
    Factor f;

    while (is_spread(cond)) {
        at = axes_through(w, cond, &at);
        cond = cond->arg[0];
    }
    if (!is_equal(w, cond, &at, &f))
        f = (Factor){.x = cond, .at = at, .kind = F_mask};
    return add_factor(w, p, &f);
}

static bool add_constant(Whole *w, Product *p, double v, int e)
{
    p->c *= pow(v, e);
    return isnormal(w->n->dtype == DT_f32 ? (float)p->c : p->c);
}

static bool is_choice_or_0(const Node *n)
{
    return n->op == OP_where && node_is_const(n->arg[2], 0);
}

/* a - b, or b - a where that is what others use. */
static Node *turned(const Whole *w, Node *n)
{
    Node *other;
    int more;

    if (n->op != OP_sub || !dtype_is_real(n->dtype))
        return n;
    other = g2(w->g, OP_sub, n->arg[1], n->arg[0]);
    if (other->op != OP_sub || other->arg[0] != n->arg[1])
        return n;
    more = uses_of(w->uses, other) - uses_of(w->uses, n);
    return more > 0 || (more == 0 && other->id < n->id) ? other : n;
}

static bool add_atom(Whole *w, Product *p, Node *n, const Axes *at, double e,
                     bool rooted)
{
    Factor f = {
        .x = rooted ? n : turned(w, n), .at = *at, .e = e, .rooted = rooted};

    return (f.x == n || add_constant(w, p, -1, 1)) && add_factor(w, p, &f);
}

/* n to the power of e, 1 or -1, as factors of p, n's axes being at. False: it
 * cannot be read, and p means nothing. */
bool product_read(Whole *w, Product *p, Node *n, Axes at, int e, int depth)
{
    double v = node_is_any_const(n) ? const_value(n) : 0;

    if (v != 0 && isfinite(v))
        return add_constant(w, p, v, e);
    if (!is_arithmetic(n) || is_atom(w, n, depth))
        return add_atom(w, p, n, &at, e, false);
    depth++;
    if (is_spread(n))
        return product_read(w, p, n->arg[0], axes_through(w, n, &at), e, depth);
    if (n->op == OP_neg)
        return add_constant(w, p, -1, e) &&
               product_read(w, p, n->arg[0], at, e, depth);
    if (node_is_product(n)) {
        p->strong |= n->op == OP_strong_mul && !w->canonical;
        return product_read(w, p, n->arg[0], at, e, depth) &&
               product_read(w, p, n->arg[1], at, e, depth);
    }
    if (n->op == OP_div)
        return product_read(w, p, n->arg[0], at, e, depth) &&
               product_read(w, p, n->arg[1], at, -e, depth);
    if (n->op == OP_sqrt || n->op == OP_rsqrt)
        return add_atom(w, p, n->arg[0], &at,
                        n->op == OP_sqrt ? e / 2.0 : -e / 2.0, true);
    if (is_choice_or_0(n) && e == 1)
        return add_mask(w, p, n->arg[0], at) &&
               product_read(w, p, n->arg[1], at, e, depth);
    return add_atom(w, p, n, &at, e, false);
}

/* Where two counters are equal, so are their axes: all else runs along the
 * later one alone, where it can. */
static void settle_axes(Product *p)
{
    for (int k = 0; k < p->n; k++) {
        int i = 0, j;

        if (p->f[k].kind != F_equal)
            continue;
        while (p->f[k].at.to[i] < 0)
            i++;
        for (j = i + 1; p->f[k].at.to[j] < 0;)
            j++;
        for (int m = 0; m < p->n; m++) {
            signed char *to = p->f[m].at.to;

            if (m != k && to[i] >= 0 && to[j] < 0) {
                to[j] = to[i];
                to[i] = -1;
            }
        }
    }
}

static bool come_before(const Whole *w, const Factor *a, const Factor *b)
{
    if (a->x != b->x)
        return a->x->id < b->x->id;
    return memcmp(a->at.to, b->at.to, sizeof *a->at.to * (size_t)w->n->rank) <
           0;
}

/* The cube of a cube root is what it is the root of. */
static bool settle_cubes(const Whole *w, Product *p)
{
    for (int k = 0; k < p->n; k++) {
        Factor *f = &p->f[k], cubed = *f;

        if (f->kind != F_power || f->x->op != OP_cbrt || fabs(f->e) < 3)
            continue;
        cubed.x = f->x->arg[0];
        cubed.e = trunc(f->e / 3);
        cubed.lost = 0;
        f->e -= 3 * cubed.e;
        if (!add_factor(w, p, &cubed))
            return false;
    }
    return true;
}

/* One order, and equal factors once. */
bool product_settle(const Whole *w, Product *p)
{
    Product q;

    product_start(&q, p->c);
    q.strong = p->strong;
    settle_axes(p);
    for (int k = 0; k < p->n; k++)
        if (!add_factor(w, &q, &p->f[k]))
            return false;
    if (!settle_cubes(w, &q))
        return false;
    for (int k = 0; k < q.n; k++)
        if (q.f[k].kind == F_power && q.f[k].e == 0) {
            if (!w->guarded && q.f[k].rooted && node_sign(q.f[k].x) == SIGN_any)
                return false;
            drop_factor(&q, k--);
        }
    for (int k = 1; k < q.n; k++)
        for (int j = k; j > 0 && come_before(w, &q.f[j], &q.f[j - 1]); j--) {
            Factor f = q.f[j];

            q.f[j] = q.f[j - 1];
            q.f[j - 1] = f;
        }
    *p = q;
    return true;
}

Axes axes_of_whole(const Whole *w)
{
    Axes a;

    for (int i = 0; i < w->n->rank; i++)
        a.to[i] = (signed char)i;
    return a;
}

bool product_read_whole(Whole *w, Product *p, int e)
{
    return product_read(w, p, w->n, axes_of_whole(w), e, 0) &&
           product_settle(w, p);
}

/* Products written. */

/* x along the axes `bits`, of which it has those in `at`. */
static Node *spread(const Whole *w, Node *x, const Axes *at, unsigned bits)
{
    const Dim *dim[MAX_RANK];
    int axis[MAX_RANK], perm[MAX_RANK], rank = 0, k = 0;

    for (int i = 0; i < w->n->rank; i++) {
        if (!(bits >> i & 1))
            continue;
        axis[rank] = at->to[i] < 0 ? -1 : k;
        if (at->to[i] >= 0)
            perm[k++] = at->to[i];
        dim[rank++] = w->n->dim[i];
    }
    x = g_permute(w->g, x, perm);
    return g_broadcast(w->g, x, rank, dim, axis);
}

/* A part along more axes. */
Node *part_widen(const Whole *w, const Part *p, unsigned bits)
{
    Axes at;
    int k = 0;

    for (int i = 0; i < w->n->rank; i++)
        at.to[i] = p->bits >> i & 1 ? (signed char)k++ : -1;
    return spread(w, p->v, &at, bits);
}

static Node *powered(const Whole *w, Node *x, double e)
{
    Node *r = NULL;

    if (is_half(e)) {
        r = g1(w->g, OP_sqrt, x);
        e -= 0.5;
    }
    if (e != 0)
        x = g2(w->g, OP_pow, x, g_fill(w->g, x, e));
    return !r ? x : e != 0 ? g2(w->g, OP_mul, x, r) : r;
}

/* How the factors of p are multiplied. */
static OpId multiplication(const Whole *w, const Product *p)
{
    return p->strong && w->guarded ? OP_strong_mul : OP_mul;
}

static Node *as_quotient(const Whole *w, Node *above, Node *below)
{
    if (!below)
        return above;
    if (!above)
        above = g_fill(w->g, below, 1);
    return g2(w->g, OP_div, above, below);
}

/* The factors along just these axes: a product of those in positive powers and
 * of the others, or NULL where there are none. */
static void collect(const Whole *w, const Product *p, unsigned bits,
                    Node **above, Node **under)
{
    Node *root = NULL, *below = NULL;
    OpId mul = multiplication(w, p);

    *above = NULL;
    for (int k = 0; k < p->n; k++) {
        const Factor *f = &p->f[k];
        double e = f->e;
        Node *x;

        if (f->kind != F_power || axes_bits(w, &f->at) != bits)
            continue;
        x = spread(w, f->x, &f->at, bits);
        if (p->strong && e < 0 && f->lost > 0 && !f->x->divisor) {
            *above = g_join(w->g, mul, *above, powered(w, x, f->lost));
            e -= f->lost;
        }
        if (e > 0) {
            *above = g_join(w->g, mul, *above, powered(w, x, e));
            continue;
        }
        if (is_half(e)) {
            root = g_join(w->g, mul, root, g1(w->g, OP_rsqrt, x));
            e += 0.5;
        }
        if (e != 0)
            below = g_join(w->g, OP_mul, below, powered(w, x, -e));
    }
    if (p->strong) {
        *under = as_quotient(w, root, below);
    } else {
        *above = as_quotient(w, g_join(w->g, mul, *above, root), below);
        *under = NULL;
    }
}

/* a and b, each along the axes of both. */
Part part_join(const Whole *w, OpId op, Part a, Part b)
{
    unsigned bits = a.bits | b.bits;

    if (!a.v || !b.v)
        return a.v ? a : b;
    return (Part){
        bits, g2(w->g, op, part_widen(w, &a, bits), part_widen(w, &b, bits))};
}

int count_bits(unsigned b)
{
    int n = 0;

    for (; b; b &= b - 1)
        n++;
    return n;
}

/* The sets of axes that factors run along, smaller ones first. */
static int groups(const Whole *w, const Product *p, unsigned *bits)
{
    int n = 0;

    for (int k = 0; k < p->n; k++) {
        unsigned b = axes_bits(w, &p->f[k].at);
        int i = 0;

        if (p->f[k].kind != F_power)
            continue;
        while (i < n && bits[i] != b)
            i++;
        if (i < n)
            continue;
        for (i = n++; i > 0 && (count_bits(bits[i - 1]) > count_bits(b) ||
                                (count_bits(bits[i - 1]) == count_bits(b) &&
                                 bits[i - 1] > b));
             i--)
            bits[i] = bits[i - 1];
        bits[i] = b;
    }
    return n;
}

static Part with_constant(const Whole *w, Part p, double c)
{
    Node *x = p.v;

    if (c == 1 && x)
        return p;
    if (!x)
        return (Part){0, g_const(w->g, w->n->dtype, c)};
    if (c == -1)
        p.v = g1(w->g, OP_neg, x);
    else
        p.v = g2(w->g, OP_mul, x, g_fill(w->g, x, c));
    return p;
}

/* What a factor of 0 leaves 0 is not to be multiplied by anything else that may
 * be infinite, or no number. */
static bool may_be_strong(const Whole *w, const Product *p)
{
    for (int k = 0; k < p->n; k++)
        if (p->f[k].kind == F_power &&
            (!surely_finite(w, p->f[k].x) ||
             (is_half(p->f[k].e) && node_sign(p->f[k].x) == SIGN_any)))
            return false;
    return true;
}

/* A root of a square is no power of what is squared. */
static bool roots_stay(const Product *p)
{
    for (int k = 0; k < p->n; k++)
        if (p->f[k].rooted && p->f[k].e == rint(p->f[k].e) &&
            node_sign(p->f[k].x) == SIGN_any)
            return false;
    return true;
}

static Part masked(const Whole *w, const Product *p, Part v)
{
    Graph *g = w->g;

    for (int k = 0; k < p->n; k++) {
        const Factor *f = &p->f[k];
        unsigned own = axes_bits(w, &f->at), bits = v.bits | own;
        Node *cond, *x;

        if (f->kind == F_power)
            continue;
        if (f->kind == F_mask) {
            cond = spread(w, f->x, &f->at, bits);
        } else {
            Axes one = f->at, two = f->at;
            int i = 0;

            while (one.to[i] < 0)
                i++;
            two.to[i] = -1;
            for (i++; i < w->n->rank; i++)
                one.to[i] = -1;
            Node *right = spread(w, f->x, &two, own);
            cond = g2(g, OP_eq, spread(w, f->x, &one, own), right);
            cond = part_widen(w, &(Part){own, cond}, bits);
        }
        x = part_widen(w, &v, bits);
        v = (Part){bits, g_where(g, cond, x, g_fill(g, x, 0))};
    }
    return v;
}

/* NULL in v: it cannot be written. */
Part product_write(const Whole *w, const Product *p)
{
    unsigned bits[MAX_FACTORS];
    int n = groups(w, p, bits);
    Part all = {0, NULL}, under = {0, NULL};
    bool first = true;

    if (!w->guarded && (!roots_stay(p) || (p->strong && !may_be_strong(w, p))))
        return (Part){0, NULL};
    for (int i = 0; i < n; i++) {
        Node *above, *below;
        Part own;

        collect(w, p, bits[i], &above, &below);
        under = part_join(w, OP_mul, under, (Part){bits[i], below});
        if (!above)
            continue;
        own = (Part){bits[i], above};
        if (first)
            own = with_constant(w, own, p->c);
        first = false;
        all = part_join(w, multiplication(w, p), all, own);
    }
    if (first)
        all = with_constant(w, all, p->c);
    if (under.v)
        all = part_join(w, OP_strong_mul, all, under);
    return masked(w, p, all);
}

/* p times the factors of q. */
bool product_multiply(const Whole *w, Product *p, const Product *q)
{
    p->c *= q->c;
    p->strong |= q->strong;
    for (int k = 0; k < q->n; k++)
        if (!add_factor(w, p, &q->f[k]))
            return false;
    return product_settle(w, p);
}
