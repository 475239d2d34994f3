/* dim_internal.h: what a dimension is made of; for dim.c, which makes them, and
 * dim_read.c, which says what is in them. */
#ifndef NNCC_DIM_INTERNAL_H
#define NNCC_DIM_INTERNAL_H

#include "graph/internal.h"

typedef enum AtomKind {
    ATOM_var,
    ATOM_div,
    ATOM_max,
    ATOM_large, /* alone: what is too large to be written down */
} AtomKind;

typedef struct Atom {
    uint64_t hash;
    AtomKind kind;
    int id, size, depth;
    const char *name;     /* ATOM_var */
    const Dim *num, *den; /* ATOM_div; of ATOM_max only num */
    const Dim *self;      /* the atom as a polynomial */
} Atom;

typedef struct Factor {
    const Atom *atom;
    int power;
} Factor;

/* Factors by ascending id of their atoms. */
typedef struct Mono {
    uint64_t hash;
    int n, degree, size;
    Factor f[];
} Mono;

typedef struct Term {
    int64_t coef;
    const Mono *mono;
} Term;

/* Larger monomials first, the constant last, no zero coefficients. `size` is
 * the length when written out. */
struct Dim {
    uint64_t hash;
    int n, size;
    Term t[];
};

/* The single variable or quotient that d is, or NULL. */
const Atom *dim_as_atom(const Dim *d);
/* a/b rounded down; b is not 0. */
int64_t dim_floor_div(int64_t a, int64_t b);

#endif
