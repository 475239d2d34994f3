/* product.h: products of powers, and what they are read from and written as.
 */
#ifndef NNCC_GRAPH_PRODUCT_H
#define NNCC_GRAPH_PRODUCT_H

#include "graph/ops/ops.h"

enum { MAX_FACTORS = 12, MAX_TERMS = 8, MAX_READ = 24 };

/* Where a tensor's axes are in the whole: to[i] is its axis that the whole's
 * axis i runs along, or -1. */
typedef struct Axes {
    signed char to[MAX_RANK];
} Axes;

/* x to the power of e; or x a condition, without which the product is 0; or x
 * an iota and its values along two axes equal. */
typedef struct Factor {
    Node *x;
    Axes at;
    double e;
    /* A power of x that a larger one below took away: where x is 0, what is
     * strong is 0 by it and not infinite, unless the program itself divides by
     * x. */
    double lost;
    enum { F_power, F_mask, F_equal } kind;
    bool rooted; /* a root was taken of x: it is to be at least 0 */
} Factor;

typedef struct Product {
    double c;
    int n;
    Factor f[MAX_FACTORS];
    bool strong; /* see strong_mul */
} Product;

/* What is known of nodes by id; nothing of what is new. */
typedef struct Use {
    int times;  /* how often it is used */
    bool bound; /* it is a parameter of a body, and may be any number */
} Use;

/* In pages, those that something is known in: few of a large graph. */
enum { USE_PAGE = 64 };
typedef struct Uses {
    Use **page;
    int n; /* pages */
} Uses;

/* What is known of n, or NULL. */
static inline const Use *use_of(const Uses *u, const Node *n)
{
    int k = n->id / USE_PAGE;

    return k < u->n && u->page[k] ? &u->page[k][n->id % USE_PAGE] : NULL;
}

/* How often n is used as far as is known. */
static inline int uses_of(const Uses *u, const Node *n)
{
    const Use *use = use_of(u, n);

    return use ? use->times : 0;
}

/* The node being read. */
typedef struct Whole {
    Graph *g;
    const Uses *uses;
    Node *n;
    /* A 0 is not strong: for formulas to be compared. */
    bool canonical;
    bool deep;        /* read what others use, too, and not as one factor */
    bool stopped;     /* there was such */
    const Node *atom; /* one that is read as one factor, or NULL */
    /* What is strong is written by strong products alone, whatever is infinite;
     * what roots are taken of is taken for at least 0. */
    bool guarded;
} Whole;

typedef struct Sum {
    int n;
    Product t[MAX_TERMS];
} Sum;

/* Values along some axes of the whole only, in their order. */
typedef struct Part {
    unsigned bits;
    Node *v; /* NULL: 1 */
} Part;

/* n shows its argument along other axes, or repeated; which these are then. */
bool is_spread(const Node *n);
Axes axes_through(const Whole *w, const Node *n, const Axes *at);
/* Is it put together from numbers by what products and sums are read through.
 */
bool is_arithmetic(const Node *n);
/* Is n, which is not the whole, to be read as one factor. */
bool is_atom(Whole *w, const Node *n, int depth);

/* Those of w's node itself. */
Axes axes_of_whole(const Whole *w);

/* 1 times c; its room, which is large, is not set. */
void product_start(Product *p, double c);
bool same_factor(const Whole *w, const Factor *a, const Factor *b);
void drop_factor(Product *p, int k);
/* n to the power of e, 1 or -1, times p, n's axes being at; depth: 0. False: it
 * cannot be read, and p means nothing. */
bool product_read(Whole *w, Product *p, Node *n, Axes at, int e, int depth);
/* The same of w's node, in its shape; as product_settle has it. */
bool product_read_whole(Whole *w, Product *p, int e);
/* p times the factors of q; false: too many. */
bool product_multiply(const Whole *w, Product *p, const Product *q);
/* Equal factors once, in one order, so that equal products are equal factor by
 * factor; false: it cannot be. */
bool product_settle(const Whole *w, Product *p);
/* v is NULL where it cannot be written with the same zeros and infinities. */
Part product_write(const Whole *w, const Product *p);

/* a and b, each along the axes of both. */
Part part_join(const Whole *w, OpId op, Part a, Part b);
/* p along more axes. */
Node *part_widen(const Whole *w, const Part *p, unsigned bits);
int count_bits(unsigned b);

/* sum.c */

/* w's node as a sum of products, equal ones being one; false: too many. */
bool sum_read(Whole *w, Sum *s);
/* s with products of sums as sums of products; false: none is there, or it is
 * too large. */
bool sum_expand(Whole *w, const Sum *s, Sum *to);
Part sum_write(const Whole *w, const Sum *s);
/* With the factors that all terms have before it; NULL in v: there are none. */
Part sum_write_factored(const Whole *w, const Sum *s);
/* In the shape of the whole; NULL without v. */
Node *whole_of(const Whole *w, Part p);

/* work.c */

/* What n takes that no other needs, in multiplications. */
double work_of(const Whole *w, const Node *n);
/* Is n a finite number for sure, where what functions are given is: a parameter
 * of a loop's body may be any number, what is too much to look at is not known.
 */
bool surely_finite(const Whole *w, const Node *n);

#endif
