/* sum.c: sums of products. */
#include "graph/product.h"

#include <math.h>

static bool same_product(const Whole *w, const Product *a, const Product *b)
{
    bool same = a->n == b->n;

    for (int k = 0; k < a->n && same; k++)
        same = same_factor(w, &a->f[k], &b->f[k]) && a->f[k].e == b->f[k].e;
    return same;
}

/* Constants that differ by less differ by having been rounded. */
static double rounding(const Whole *w)
{
    return w->n->dtype == DT_f32 ? 0x1p-20 : 0x1p-48;
}

static bool add_term(const Whole *w, Sum *s, const Product *p)
{
    for (int k = 0; k < s->n; k++) {
        Product *t = &s->t[k];

        if (!same_product(w, t, p))
            continue;
        t->strong |= p->strong;
        for (int i = 0; i < t->n; i++)
            t->f[i].lost = fmax(t->f[i].lost, p->f[i].lost);
        if (fabs(t->c + p->c) > rounding(w) * fabs(p->c)) {
            t->c += p->c;
            return true;
        }
        *t = s->t[--s->n];
        return true;
    }
    if (s->n == MAX_TERMS)
        return false;
    s->t[s->n++] = *p;
    return true;
}

static bool is_sum(const Node *n) { return n->op == OP_add || n->op == OP_sub; }

/* c n as terms of s. */
static bool read_sum(Whole *w, Sum *s, Node *n, Axes at, double c, int depth)
{
    bool apart = !node_is_any_const(n) && !is_atom(w, n, depth);
    Product p;

    if (apart && is_sum(n))
        return read_sum(w, s, n->arg[0], at, c, depth + 1) &&
               read_sum(w, s, n->arg[1], at, n->op == OP_sub ? -c : c,
                        depth + 1);
    if (apart && n->op == OP_neg)
        return read_sum(w, s, n->arg[0], at, -c, depth + 1);
    if (apart && is_spread(n))
        return read_sum(w, s, n->arg[0], axes_through(w, n, &at), c, depth + 1);
    product_start(&p, c);
    return product_read(w, &p, n, at, 1, depth) && product_settle(w, &p) &&
           add_term(w, s, &p);
}

bool sum_read(Whole *w, Sum *s)
{
    s->n = 0;
    return read_sum(w, s, w->n, axes_of_whole(w), 1, 0);
}

/* The first factor of p that is a sum, or -1. */
static int sum_in(const Product *p)
{
    for (int k = 0; k < p->n; k++)
        if (p->f[k].kind == F_power && p->f[k].e == 1 && is_sum(p->f[k].x))
            return k;
    return -1;
}

/* How many factors p has, equal ones counted as often. */
static double degree(const Product *p)
{
    double sum = 0;

    for (int k = 0; k < p->n; k++)
        sum += fabs(p->f[k].e);
    return sum;
}

/* A sum that others use, whose terms meet nothing, stays: in other words it
 * would be rounded otherwise than theirs, and be no 0 where theirs is. */
bool sum_expand(Whole *w, const Sum *s, Sum *to)
{
    bool any = false, shared = false, meets = false;
    int terms = 0;

    to->n = 0;
    for (int k = 0; k < s->n; k++) {
        Product p = s->t[k];
        int at = sum_in(&p);
        Sum inner;
        Factor f;

        if (at < 0) {
            terms++;
            if (!add_term(w, to, &p))
                return false;
            continue;
        }
        any = true;
        shared |= uses_of(w->uses, p.f[at].x) > 1;
        f = p.f[at];
        drop_factor(&p, at);
        inner.n = 0;
        if (!read_sum(w, &inner, f.x, f.at, 1, 0))
            return false;
        for (int i = 0; i < inner.n; i++) {
            Product q = p;

            if (!product_multiply(w, &q, &inner.t[i]) || !add_term(w, to, &q))
                return false;
            meets |= degree(&q) < degree(&p) + degree(&inner.t[i]);
        }
        terms += inner.n;
    }
    return any && (!shared || meets || to->n < terms);
}

static Factor *find_factor(const Whole *w, Product *p, const Factor *f)
{
    for (int k = 0; k < p->n; k++)
        if (same_factor(w, &p->f[k], f))
            return &p->f[k];
    return NULL;
}

/* Have all terms f; in what power at least. */
static bool is_common(const Whole *w, Sum *s, Factor *f)
{
    for (int i = 1; i < s->n; i++) {
        const Factor *x = find_factor(w, &s->t[i], f);

        if (!x || x->e * f->e < 0)
            return false;
        if (fabs(x->e) < fabs(f->e))
            f->e = x->e;
    }
    return true;
}

/* The factors that all terms have, in their least power, taken out of them. */
static void take_common(const Whole *w, Sum *s, Product *common)
{
    const Product first = s->t[0];

    product_start(common, 1);
    for (int i = 0; i < s->n; i++)
        common->strong |= s->t[i].strong;
    for (int k = 0; k < first.n; k++) {
        Factor f = first.f[k];

        if (!is_common(w, s, &f))
            continue;
        common->f[common->n++] = f;
        for (int i = 0; i < s->n; i++) {
            Factor *x = find_factor(w, &s->t[i], &f);

            x->e -= f.e;
            if (f.kind != F_power || x->e == 0)
                drop_factor(&s->t[i], (int)(x - s->t[i].f));
        }
    }
}

static Part minus(const Whole *w, Part a, Part b)
{
    unsigned bits = a.bits | b.bits;

    Node *right = part_widen(w, &b, bits);
    return (Part){bits, g2(w->g, OP_sub, part_widen(w, &a, bits), right)};
}

static void sort_parts(Part *p, double *c, int n)
{
    for (int i = 1; i < n; i++)
        for (int j = i;
             j > 0 &&
             (count_bits(p[j].bits) < count_bits(p[j - 1].bits) ||
              (p[j].bits == p[j - 1].bits && p[j].v->id < p[j - 1].v->id));
             j--) {
            Part q = p[j];
            double d = c[j];

            p[j] = p[j - 1];
            c[j] = c[j - 1];
            p[j - 1] = q;
            c[j - 1] = d;
        }
}

Part sum_write(const Whole *w, const Sum *s)
{
    Part part[MAX_TERMS] = {{0, NULL}}, all;
    double sign[MAX_TERMS] = {0};
    int first = 0;

    if (s->n == 0)
        return (Part){0, g_const(w->g, w->n->dtype, 0)};
    for (int k = 0; k < s->n; k++) {
        Product p = s->t[k];

        sign[k] = p.c < 0 ? -1 : 1;
        p.c = fabs(p.c);
        part[k] = product_write(w, &p);
        if (!part[k].v)
            return part[k];
    }
    sort_parts(part, sign, s->n);
    while (first < s->n - 1 && sign[first] < 0)
        first++;
    all = part[first];
    if (sign[first] < 0)
        all.v = g1(w->g, OP_neg, all.v);
    for (int k = 0; k < s->n; k++)
        if (k != first)
            all = sign[k] > 0 ? part_join(w, OP_add, all, part[k])
                              : minus(w, all, part[k]);
    return all;
}

/* A part as a factor. */
static Factor factor_of(const Whole *w, Part p)
{
    Factor f = {.x = p.v, .e = 1};

    for (int i = 0, k = 0; i < w->n->rank; i++)
        f.at.to[i] = p.bits >> i & 1 ? (signed char)k++ : -1;
    return f;
}

Part sum_write_factored(const Whole *w, const Sum *s)
{
    Sum rest;
    Product common;
    Part inner = {0, NULL};

    if (s->n < 2)
        return inner;
    rest = *s;
    take_common(w, &rest, &common);
    if (common.n == 0 || common.n == MAX_FACTORS)
        return inner;
    inner = sum_write(w, &rest);
    if (!inner.v)
        return inner;
    common.f[common.n++] = factor_of(w, inner);
    return product_write(w, &common);
}

Node *whole_of(const Whole *w, Part p)
{
    return p.v ? part_widen(w, &p, (1u << w->n->rank) - 1) : NULL;
}
