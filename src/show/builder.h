/* builder.h: what the files that make formulas of nodes share. */
#ifndef NNCC_SHOW_BUILDER_H
#define NNCC_SHOW_BUILDER_H

#include "show/show.h"

typedef struct Known {
    bool live, done, named, bound;
    bool own; /* nothing else has its name */
    bool result;
    bool open; /* no call is seen in it */
    int uses, depth;
    const char *name;  /* it shall have if it is named */
    const Form *whole; /* NULL: by elements only */
} Known;

typedef struct Builder {
    FormMaker m; /* first: FormMaker * is Builder * */
    Shows s;
    Graph *g;
    ShowOptions o;
    Known *known; /* by id */
    int nknown;
    Node *const *input;
    int ninput;
    Equations *to;
    Intern *names;
    Map taken;             /* how often, by name */
    LIST(char *) numbered; /* v1, v2 … */
    int next;              /* the last of these */
    int bound;             /* parameters that have a formula */
    int equations;
    bool last; /* the results themselves are shown in any case */
} Builder;

/* build.c */

/* Formulas of what the roots are made of. */
void builder_build(Builder *b, int n, Node *const *root);
/* param is written so. */
void builder_bind(Builder *b, const Node *param, const Form *f);
/* n by an index for each axis, at which `element` gives it; NULL: that gives
 * none. */
typedef const Form *FormElement(FormMaker *m, const Node *n,
                                const Form *const *at);
const Form *builder_each(Builder *b, const Node *n, FormElement *element);
/* That name, or one like it; NULL: v1, v2 … */
const char *builder_name(Builder *b, const char *name);
/* Nothing else gets that name until it is released. */
void builder_take(Builder *b, const char *name);
void builder_release(Builder *b, const char *name);
/* v1, v2 … anew, of those that have not been released. */
void builder_number_again(Builder *b);
/* An element of what may be written with indices already. */
const Form *builder_at(FormMaker *m, const Form *x, int n,
                       const Form *const *at);
bool form_has_index(const Form *f);
Equation *builder_equation(Builder *b, const Form *left, const Form *right,
                           const Node *n);
/* n gets a name, which is defined. */
void builder_name_node(Builder *b, const Node *n);
/* left = n, whole (right) or by elements. */
void builder_define(Builder *b, const Form *left, const Node *n,
                    const Form *right);

/* unread.c */

/* Without those that neither results nor others read. */
void drop_unread(Builder *b, Equations *all, int nresult,
                 const ShowResult *result);

/* loops.c */

/* A loop, a call, or a part of one. */
void builder_region(Builder *b, const Node *n);

#endif
