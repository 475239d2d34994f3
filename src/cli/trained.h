/* trained.h: models with their trained parameters, for train, eval and
 * predict. */
#ifndef NNCC_TRAINED_H
#define NNCC_TRAINED_H

#include "cli/cli.h"

/* The module's init, step and evaluate, and f where it is not NULL, in this
 * process; false after a message. */
typedef struct Trained {
    Jit *jit;
    nncc_model *model;
    const Module *module;
    const nn_function *extra; /* f */
} Trained;
bool trained_open(Load *l, Function *f, Trained *to);
void trained_close(Trained *t);

/* What init begins by that name: of the model, or what a step keeps; or NULL.
 */
const Port *begun_port(const Module *m, const char *name);
/* Do --load and --save name what there is? A status to exit with. */
int trained_check(const Args *a, const Module *m);
/* What a file lacks begins as init has it: without a word, or as is told; or it
 * is refused; or told as of no importance to who reads standard output. */
typedef enum LoadKind { LOAD_quiet, LOAD_tell, LOAD_all, LOAD_part } LoadKind;
/* Parameters of m, which is prepared, as each --load says; of --load files what
 * was fitted to the data goes to *fit (the last one that has it; to be freed).
 * False after a message. */
bool trained_load(const Args *a, nncc_model *m, LoadKind kind, nncc_data **fit);
/* Only that: before there is a model. */
bool trained_fit(const Args *a, nncc_data **fit);

/* --save and --load take [NAME=]FILE: the name, or NULL, and the file. */
const char *trained_name(const Args *a, const char *value, const char **path);

/* What of t is called so (NULL: what is trained) in the format that the file's
 * name ends in; false after a message. */
bool trained_save(const Args *a, const Trained *t, const char *name,
                  NewFile *to);
/* Is the ending one of a format? A status to exit with. */
int trained_format(const Args *a, const char *path);

/* The metrics of m's last evaluation that are tensors: a line for each row of
 * them, or, with json, ", \"name\": [[…]]". */
void trained_print_tensors(const nncc_model *m, const char *held, bool json);

/* save.c: a tensor as a .npy file of NumPy's. */
void npy_print(const nncc_tensor *t, Str *to);

#endif
