/* norms.h: how large a model's numbers are while it is trained. */
#ifndef NNCC_NORMS_H
#define NNCC_NORMS_H

#include "cli/cli.h"

typedef struct Norm {
    char *name; /* "gradient.net.hidden.W" */
    double value, first;
} Norm;

/* Those of one `train` item: activations and gradients, which its function
 * gives, then what is trained, and by how much it moved. */
typedef struct NormPart {
    Function *function;
    const char *trained; /* the parameter's name */
    const char *prefix;  /* "critic." of several items */
    int first, computed; /* of all norms */
    double *before;      /* what is trained, before the last step of an epoch */
} NormPart;

typedef struct Norms {
    Load load;
    nncc_model *trained; /* whose training it is */
    Jit *jit;
    nncc_model *model; /* of the functions that give them */
    LIST(NormPart) part;
    LIST(Norm) norm;
    bool has_before, has_first;
} Norms;

/* Of the last batch of each epoch, with what is trained as it is then: the root
 * mean square of the values that the loss has names for or calls functions for,
 * and the norm of the gradient; the norms of what is trained and of the last
 * update, tensor by tensor. False after a message. */
bool norms_begin(const Args *a, nncc_model *trained, Norms *n);
/* Each event; after an epoch's they are known, or NaN. */
void norms_tell(Norms *n, const nncc_progress *now);
/* A table of the first and the last. */
void norms_print(const Norms *n);
void norms_end(Norms *n);

#endif
