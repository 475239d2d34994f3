/* nn_internal.h: what the files of libnn share with each other. */
#ifndef NN_INTERNAL_H
#define NN_INTERNAL_H

#include "nn.h"

#include <stdbool.h>

/* error.c */

/* Sets the thread's error text and returns status. The arguments may point
 * into the text that is there. */
int nn_fail(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* NN_ERR_MEMORY, saying for what. */
int nn_fail_memory(size_t bytes, const char *what);

/* memory.c: all of it from malloc, so that free() fits. NULL and the error
 * text set where there is no memory or the product overflows. */

void *nn_alloc(size_t count, size_t size, const char *what); /* zeroed */
/* Aligned to 64 bytes, zeroed, never of 0 bytes. */
void *nn_alloc_aligned(size_t bytes, const char *what);
char *nn_strdup(const char *s);

/* A growing string; after a failed allocation `failed` is set and text is
 * dropped. */
typedef struct nn_text {
    char *at;
    size_t n, cap;
    bool failed;
} nn_text;
void nn_text_printf(nn_text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* elf.c: what a file says of itself before it is loaded */

#define NN_MAX_SEGMENT 64

typedef struct nn_segment {
    uint64_t vaddr, bytes;
    bool executable;
} nn_segment;

typedef struct nn_elf {
    char *symbol; /* NAME_module; owned */
    uint64_t value;
    int nsegment;
    nn_segment segment[NN_MAX_SEGMENT];
} nn_elf;

/* Checks that path is a complete shared library that exports one function
 * NAME_module (of several, the one of the file's own name). Free with
 * nn_elf_free. */
int nn_elf_read(const char *path, nn_elf *e);
void nn_elf_free(nn_elf *e);

/* verify.c */

/* Where a library lies in memory; n = 0: nothing is known, only null pointers
 * are refused. */
typedef struct nn_memory {
    uintptr_t bias;
    const nn_segment *segment;
    int n;
} nn_memory;

/* Refuses a descriptor that is not one; path is for messages. */
int nn_verify(const nn_module *d, const nn_memory *where, const char *path);

/* module.c */

struct nn_trainer;

struct nn_model {
    const nn_module *d;
    void *library; /* of dlopen, or NULL */
    char *path;    /* or NULL */
    void *workspace;
    size_t workspace_bytes;
    struct nn_trainer *trainer; /* NULL before nn_train */
};

/* The leaf's place in f for messages, "net.hidden.W", into buf; returns buf. */
const char *nn_leaf_name(const nn_function *f, int leaf, char *buf, size_t n);

/* call.c */

enum { NN_AXIS_CONST = -1, NN_AXIS_OTHER = -2 };

/* All axes of all leaves of a function, in the order of `sizes`. */
typedef struct nn_axes {
    int nleaf, nparam_leaf;
    const nn_leaf **leaf; /* [nleaf] */
    bool *in_place;       /* [nleaf] */
    int *first;           /* [nleaf + 1]: index of each leaf's first axis */
    int *owner;    /* per axis: the dimension it is, or one of the above */
    int64_t *size; /* per axis: as of the last nn_axes_at */
} nn_axes;

int nn_axes_new(const nn_function *f, nn_axes *a);
void nn_axes_free(nn_axes *a);
/* Fills a->size. NN_ERR_SHAPE for a size that is negative or absurd. */
int nn_axes_at(const nn_function *f, nn_axes *a, const int64_t *dims);
/* Bytes of a leaf at a->size. NN_ERR_SHAPE where too large. */
int nn_axes_bytes(const nn_axes *a, int leaf, size_t *bytes);
/* nn_solve with the axes at hand; leaves a->size filled. */
int nn_axes_solve(const nn_function *f, nn_axes *a, nn_tensor *const *leaf,
                  int64_t *dims);

/* Makes m's workspace large enough for f. */
int nn_reserve(nn_model *m, const nn_function *f, const int64_t *dims);
/* Calls f with everything in place; the error text names f. */
int nn_invoke(nn_model *m, const nn_function *f, void *const *leaf,
              const int64_t *dims, const nn_exec *exec);

/* csv.c: text to rows of fields */

/* One field of a row: text[0 … n-1], NUL-terminated, and where it began. */
typedef struct nn_field {
    char *text;
    size_t n;
    int64_t line, column;
} nn_field;

typedef struct nn_row {
    nn_field *field;
    int64_t nfield;
} nn_row;

typedef struct nn_csv nn_csv;

int nn_csv_open(const char *path, char delimiter, nn_csv **out);
/* The next row that is not blank; row->nfield = 0 at the end. The row is valid
 * until the next call. */
int nn_csv_next(nn_csv *c, nn_row *row);
/* What messages call the file. */
const char *nn_csv_path(const nn_csv *c);
void nn_csv_close(nn_csv *c); /* may be NULL */

/* data.c */

/* "FILE:LINE", or the row's number where the file has no lines; to->at is to
 * be freed. */
const char *nn_data_place(const nn_data *d, int64_t row, nn_text *to);

/* input.c: files as a whole */

typedef struct nn_bytes {
    unsigned char *at; /* to be freed */
    size_t n;
} nn_bytes;

/* All of a file, unzipped where it is gzipped, of at most `most` bytes. */
int nn_read_all(const char *path, uint64_t most, nn_bytes *out);
/* Its first bytes, at most n; how many. 0 where it is no readable file. */
int nn_read_start(const char *path, unsigned char *to, int n);

/* bind.c: a data set as arguments of a step or evaluate function */

enum nn_role {
    NN_ROLE_STATE,
    NN_ROLE_X,
    NN_ROLE_Y,
    NN_ROLE_KEY,
    NN_ROLE_SCALAR
};

/* One block of the training state: a parameter of step that it overwrites. */
typedef struct nn_block {
    const nn_port *port; /* step's */
    void *memory;        /* the C struct, or NULL where it has no fixed size */
    nn_tensor *leaf;     /* [port->nleaf], over memory or over their own */
} nn_block;

/* What training keeps in the model. */
typedef struct nn_trainer {
    const nn_function *init, *step, *evaluate;
    nn_block *block;
    int nblock;
    nn_setting *setting; /* a copy */
    char **setting_name; /* behind it */
    int nsetting;
    uint64_t seed;
    int64_t batch;
} nn_trainer;

typedef struct nn_binding {
    const nn_function *f;
    nn_axes axes;
    int *role;     /* [nparam]: enum nn_role */
    int x, y, key; /* parameters, or -1 */
    int x_leaf, y_leaf;
    int batch_dim;     /* the dimension that is the batch, or -1: fixed */
    int64_t batch;     /* the largest batch, or the fixed one */
    int64_t *dims;     /* for `batch` */
    int64_t *dims_now; /* for the batch at hand */
    void **leaf;       /* arguments of f->call */
    void **owned;      /* [nleaf]: memory behind those that are the binding's */
} nn_binding;

/* Sets up calls of f on batches of d of at most `batch` rows (0: fallback).
 * The state is t's, whose blocks may be empty as yet (see nn_bind_state). */
int nn_bind(const nn_trainer *t, const nn_function *f, const nn_data *d,
            int64_t batch, int64_t fallback, nn_binding *b);
void nn_bind_free(nn_binding *b);
/* Points the binding at t's blocks; checks their shapes. */
int nn_bind_state(nn_binding *b, const nn_trainer *t);
/* Fills in rows row[0 … n-1] of d, all of them checked by nn_bind_check; a
 * fixed batch must be full. */
void nn_bind_rows(nn_binding *b, const nn_data *d, const int64_t *row,
                  int64_t n);
/* Every feature and label of d can be held by x and y's dtypes. */
int nn_bind_check(const nn_binding *b, const nn_data *d);
/* The value of scalar result i (not in place) after a call. */
int nn_bind_result(const nn_binding *b, int i, double *value);
/* Index of the i-th result that is not in place, or -1. */
int nn_bind_output(const nn_function *f, int i);
/* The scalar parameter of that name: its value, and another. NN_ERR_NAME,
 * NN_ERR_ARGUMENT. */
int nn_bind_scalar(const nn_binding *b, const char *name, double *value);
int nn_bind_set(nn_binding *b, const char *name, double value);

/* trainer.c: what is trained */

/* The training functions of m and the settings of o, checked. */
int nn_trainer_new(const nn_model *m, const nn_train_options *o,
                   nn_trainer **out);
void nn_trainer_free(nn_trainer *t); /* may be NULL */
/* Memory for the state, of the sizes that step's binding has. */
int nn_trainer_allocate(nn_trainer *t, const nn_binding *step);
/* Calls init. */
int nn_trainer_init(nn_model *m, nn_trainer *t, const nn_binding *step,
                    const nn_exec *exec);
/* A copy of the state in *saved, made where that is NULL; and back again. To be
 * freed with free(). */
int nn_trainer_save(const nn_trainer *t, void **saved);
void nn_trainer_restore(nn_trainer *t, const void *saved);

/* schedule.c */

/* Refuses a schedule that makes no sense. */
int nn_schedule_check(const nn_schedule *s);
/* The share of its setting's value at step `step` of `steps`, from 0, in epoch
 * `epoch`, from 0. */
double nn_schedule_share(const nn_schedule *s, int64_t step, int64_t steps,
                         int64_t epoch);

#endif
