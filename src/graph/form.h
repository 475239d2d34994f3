/* form.h: formulas, as trees: how a value is written for people, before it is
 * decided in which notation.
 *
 * The row of an operator says how it is written: elementwise ones by `shown`,
 * others by their class or `show`. A value is written whole (`A x + b`) or
 * element by element (`Σ A[i, j] x[j] + b[i]`). Trees live in the maker's
 * arena. */
#ifndef NNCC_FORM_H
#define NNCC_FORM_H

#include "graph/graph.h"

typedef enum FormKind {
    FORM_call, /* of what `shown` names */
    FORM_number,
    FORM_name,
    FORM_sum,
    FORM_difference, /* in rows only: a sum with a negative */
    FORM_product,
    FORM_strong,   /* a product that is 0 where a factor is */
    FORM_fraction, /* of reals */
    FORM_quotient, /* of integers, rounded down */
    FORM_remainder,
    FORM_negative,
    FORM_power,
    FORM_root,
    FORM_inverse_root, /* in rows only: 1 over a root */
    FORM_matrix,       /* product of matrices and vectors */
    FORM_dot,          /* of two vectors */
    FORM_outer,        /* of two vectors */
    FORM_transpose,    /* of a matrix */
    FORM_bars,
    FORM_floor,
    FORM_ceil,
    FORM_compare,
    FORM_and,
    FORM_or,
    FORM_not,
    FORM_cases,   /* condition, what is if it holds, and if not */
    FORM_same,    /* in rows only: as its first argument */
    FORM_cast,    /* of what `shown` names; no word for it but in a program */
    FORM_at,      /* an element: of what, indices */
    FORM_over,    /* a reduction that `shown` names: indices and bounds in turn,
                     a condition if there is one, what is reduced */
    FORM_each,    /* a tensor by its elements: indices and bounds, an element */
    FORM_list,    /* a tensor written out */
    FORM_partial, /* ∂f/∂x: of what, by what, maybe by what again */
    FORM_step,    /* what a loop carries, before a step */
} FormKind;
enum { NFORMS = FORM_step + 1 };

/* What a kind does, roughly. */
typedef enum FormSort {
    SORT_other, /* names, choices, parts */
    SORT_add,
    SORT_multiply,
    SORT_divide,
    SORT_root,
    SORT_function, /* calls and powers */
    SORT_contract, /* products of matrices and vectors */
    SORT_reduce,
    NSORTS,
} FormSort;
FormSort form_sort(FormKind kind);

/* What something is called in a program (NULL: there is no word for it), in
 * Unicode and in TeX. */
typedef struct Shown {
    FormKind kind;
    const char *nn, *text, *tex;
} Shown;

/* A value's own name, its tangent's, its adjoint's. */
typedef enum FormMark { MARK_none, MARK_dot, MARK_bar } FormMark;

typedef struct Form Form;
struct Form {
    FormKind kind;
    const Shown *shown;
    const char *name; /* FORM_name; NULL: v and the number of a row, */
    int row, through; /* and what number an adjoint comes through, or 0 */
    FormMark mark;    /* of FORM_name */
    double number;    /* FORM_number */
    bool integer;     /* it is one of the language too; a sum of such */
    bool f32;         /* the real numbers of the program are */
    int rank;         /* of what stands there */
    bool spread;      /* it stands for a larger tensor that repeats it */
    int order;        /* of the input that comes first in it; 0: of none */
    int nvar;         /* indices of FORM_over, FORM_each */
    bool conditional; /* of FORM_over */
    bool implied;     /* a bound that is the size of an input */
    int narg;
    const Form *const *arg;
};

typedef struct FormMaker FormMaker;
struct FormMaker {
    Arena *arena;
    Graph *graph;
    /* Operations as they are made, one after another: for a program that gives
     * the same numbers. Else as one would write them. */
    bool literal;
    /* What is being written is derived: what can be cancelled is. */
    bool derived;
    /* x written whole, or NULL where it can be written by elements only. */
    const Form *(*whole)(FormMaker *m, const Node *x);
    /* The same, under a name of its own if need be. */
    const Form *(*named)(FormMaker *m, const Node *x);
    /* Its element at an index for each axis. */
    const Form *(*element)(FormMaker *m, const Node *x, const Form *const *at);
    /* Is that the size of an input's axis. */
    bool (*is_size)(const FormMaker *m, const Dim *d);
    /* Is something called so. */
    bool (*taken)(const FormMaker *m, const char *name);
    /* Index names in use; index_name(k) is number k. */
    int nindex;
    const char *(*index_name)(FormMaker *m, int k);
};

/* n by what its row says: whole where at is NULL, else its element there. NULL:
 * its row cannot say it so. */
const Form *form_of(FormMaker *m, const Node *n, const Form *const *at);

const Form *form_name(FormMaker *m, const char *name, int rank);
/* The same with a mark. */
const Form *form_marked(FormMaker *m, const Form *name, FormMark mark);
/* vᵢ, of a trace; with a mark and a second row, v̄ᵢ→ⱼ. */
const Form *form_row(FormMaker *m, int row, int through, FormMark mark,
                     int rank);
const Form *form_number(FormMaker *m, double v, bool integer);
const Form *form_dim(FormMaker *m, const Dim *d);
/* A number or an index as a program has it, of that type: converted, where a
 * literal alone would be of another. */
const Form *form_typed(FormMaker *m, DType t, const Form *f);
/* What a label has instead of a node: "relu", "axis = 0". */
const Form *form_label_text(FormMaker *m, const NodeLabelArg *a);
/* The kinds that are made of arguments alone. */
const Form *form_make(FormMaker *m, FormKind kind, const Shown *shown, int n,
                      const Form *const *arg);
const Form *form1(FormMaker *m, FormKind kind, const Form *x);
const Form *form2(FormMaker *m, FormKind kind, const Form *x, const Form *y);
/* Of integers that are sizes and indices: put together in programs too. */
const Form *form_of_sizes(FormMaker *m, FormKind kind, const Form *x,
                          const Form *y);
const Form *form_less(FormMaker *m, const Form *x, const Form *y);
const Form *form_at_most(FormMaker *m, const Form *x, const Form *y);
const Form *form_equal(FormMaker *m, const Form *x, const Form *y);
const Form *form_at(FormMaker *m, const Form *x, int n, const Form *const *at);
/* A new index, which is in use until nindex is set back. */
const Form *form_index(FormMaker *m);
/* shown: of a reduction; NULL: a tensor by its elements. cond may be NULL. */
const Form *form_over(FormMaker *m, const Shown *shown, int nvar,
                      const Form *const *var, const Dim *const *bound,
                      const Form *cond, const Form *body);
bool form_is_number(const Form *f, double v);
/* Is it a negative, or a number below 0. */
bool form_has_sign(const Form *f);
bool form_alike(const Form *a, const Form *b);
/* Are they powers or roots of the same. */
bool form_same_base(const Form *x, const Form *y);
/* -x, of a sum each term. */
const Form *form_opposite(FormMaker *m, const Form *x);
uint64_t form_hash(const Form *f); /* the same for such */
/* What reading and writing them costs: the number of symbols. */
int form_size(const Form *f);

#endif
