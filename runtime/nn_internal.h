/* nn_internal.h: what the files of libnn share with each other. */
#ifndef NN_INTERNAL_H
#define NN_INTERNAL_H

#include "nn.h"
#include "nn_files.h"

#include <stdbool.h>

/* error.c */

/* Sets the thread's error text and returns status. The arguments may point
 * into the text that is there. */
int nncc_fail(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* NN_ERR_MEMORY, saying for what. */
int nncc_fail_memory(size_t bytes, const char *what);

/* memory.c: all of it from malloc, so that free() fits. NULL and the error
 * text set where there is no memory or the product overflows. */

void *nncc_alloc(size_t count, size_t size, const char *what); /* zeroed */
/* Aligned to 64 bytes, zeroed, never of 0 bytes. */
void *nncc_alloc_aligned(size_t bytes, const char *what);
char *nncc_strdup(const char *s);

/* A growing string; after a failed allocation `failed` is set and text is
 * dropped. */
typedef struct nncc_text {
    char *at;
    size_t n, cap;
    bool failed;
} nncc_text;
void nncc_text_printf(nncc_text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* tensor.c */

size_t nncc_tensor_bytes(const nncc_tensor *t); /* of one that is right */
int nncc_tensor_copy(const nncc_tensor *t, nncc_tensor **out);
bool nncc_same_shape(const nncc_tensor *a, const nncc_tensor *b);

/* element.c */

bool nncc_is_real(int dtype);
/* Elements at … at + n - 1 as doubles. */
void nncc_load_numbers(int dtype, const void *from, int64_t at, int64_t n,
                       double *to);
/* n numbers as elements at … at + n - 1. */
void nncc_store_numbers(int dtype, void *to, int64_t at, int64_t n,
                        const double *v);
/* Rows of m elements each, `step` apart, times factor. */
typedef struct nncc_rows {
    int dtype;
    const void *at;
    int64_t step, m;
    double factor;
} nncc_rows;
/* n of them as elements of a dtype that holds them, one after another; false:
 * by way of doubles it is as quick. */
bool nncc_convert_rows(const nncc_rows *r, const int64_t *row, int64_t n,
                       int dtype, void *to);
void nncc_scale_numbers(double *v, int64_t n, double factor);
/* Can the dtype hold v? Integers must be whole, reals stay finite. */
bool nncc_holds(int dtype, double v);
/* The first of n that it cannot hold, or n. */
int64_t nncc_find_unheld(int dtype, const double *v, int64_t n);

/* elf.c: what a file says of itself before it is loaded */

/* Refuses what is no complete shared library for this machine that exports one
 * function NAME_module (of several, the one of the file's own name), or was
 * changed since nncc linked it. *symbol is to be freed. */
int nncc_elf_read(const char *path, char **symbol);

/* verify.c */

/* Refuses a descriptor that is not one; path is for messages. */
int nncc_verify(const nn_module *d, const char *path);

/* module.c */

struct nncc_trainer;

struct nncc_model {
    const nn_module *d;
    void *library; /* of dlopen, or NULL */
    char *path;    /* or NULL */
    void *workspace;
    size_t workspace_bytes;
    nncc_pool *pool; /* for calls without threads of their own; or NULL */
    struct nncc_trainer *trainer; /* NULL before nncc_train */
    nn_error stop;                /* of the last call that failed */
    nncc_store *stopped;          /* arguments of the step that did; or NULL */
    const struct nncc_binding *running; /* steps of items, during nncc_train */
};

/* The leaf's place in f for messages, "net.hidden.W", into buf; returns buf. */
const char *nncc_leaf_name(const nn_function *f, int leaf, char *buf, size_t n);

/* call.c */

enum { NNCC_AXIS_CONST = -1, NNCC_AXIS_OTHER = -2 };

/* All axes of all leaves of a function, in the order of `sizes`. */
typedef struct nncc_axes {
    int nleaf, nparam_leaf;
    const nn_leaf **leaf; /* [nleaf] */
    bool *in_place;       /* [nleaf] */
    int *first;           /* [nleaf + 1]: index of each leaf's first axis */
    int *owner;    /* per axis: the dimension it is, or one of the above */
    int64_t *size; /* per axis: as of the last nncc_axes_at */
} nncc_axes;

int nncc_axes_new(const nn_function *f, nncc_axes *a);
void nncc_axes_free(nncc_axes *a);
/* Fills a->size. NN_ERR_SHAPE for a size that is negative or absurd. */
int nncc_axes_at(const nn_function *f, nncc_axes *a, const int64_t *dims);
/* Bytes of a leaf at a->size. NN_ERR_SHAPE where too large. */
int nncc_axes_bytes(const nncc_axes *a, int leaf, size_t *bytes);
/* Dimensions as far as the leaves' shapes tell them; others stay as they are.
 */
int nncc_axes_bind(const nn_function *f, nncc_axes *a, nncc_tensor *const *leaf,
                   int64_t *dims);
/* Does the size of a leaf depend on dimension k? Of trial, [ndim], nothing
 * remains. */
bool nncc_axes_depend(const nn_function *f, nncc_axes *a, int leaf,
                      const int64_t *dims, int k, int64_t *trial);
/* nncc_solve with the axes at hand; leaves a->size filled. */
int nncc_axes_solve(const nn_function *f, nncc_axes *a,
                    nncc_tensor *const *leaf, int64_t *dims);

/* ": model.nn:7: " and what was wrong there; nothing where nothing is known. */
void nncc_tell_place(nncc_text *t, const nn_function *f, const nn_error *e);
/* What a step found not to be a number: "the gradient of net.w", into buf;
 * returns buf. */
const char *nncc_number_name(const nn_function *f, const nn_error *e, char *buf,
                             size_t n);

/* Makes m's workspace large enough for f. */
int nncc_reserve(nncc_model *m, const nn_function *f, const int64_t *dims);
/* Calls f with everything in place; the error text names f. */
int nncc_invoke(nncc_model *m, const nn_function *f, void *const *leaf,
                const int64_t *dims, const nn_exec *exec);

/* number.c: what a text says; in the C locale */

enum nncc_text_kind { NNCC_NUMBER, NNCC_EMPTY, NNCC_NOT_FINITE, NNCC_TEXT };
int nncc_number(const char *text, double *value);
/* [+-] (digit+ [. digit*] | . digit+) [(e|E) [+-] digit+] */
bool nncc_is_decimal(const char *text);
bool nncc_is_missing(const char *text);
/* Days since 1970-01-01; order: enum nncc_date_order. */
bool nncc_date(const char *text, int order, double *days);

/* words.c: distinct texts, numbered as they come */

enum { NNCC_MAX_CLASSES = 65536 }; /* different labels, or categories */

typedef struct nncc_words {
    char **word;
    int32_t *slot; /* hash table of 1 + number, or NULL */
    int32_t n;
    uint32_t nslot; /* a power of 2, or 0 */
} nncc_words;
int32_t nncc_words_find(const nncc_words *w, const char *text); /* or -1 */
int nncc_words_add(nncc_words *w, const char *text, int32_t *number);
/* In the order of their bytes, or as numbers where all are; (*place)[i], to be
 * freed, is where i went. None is found or added after that. */
int nncc_words_sort(nncc_words *w, int32_t **place);
void nncc_words_free(nncc_words *w);

/* columns.c: what is said of the columns of a CSV file */

/* The column called text[0 … n-1], or -1. NN_ERR_NAME where two are called so.
 */
int nncc_column_named(const char *path, char *const *name, int64_t count,
                      const char *text, size_t n, int64_t *at);
/* "'price', 'size'"; of many the first ones. */
void nncc_list_names(nncc_text *t, char *const *name, int64_t n);
/* Adds to the last error, which was of the status, what features d has, where
 * they have names. */
int nncc_tell_features(const nncc_data *d, int status);
/* The columns that text lists, "price,size,0", "2:14", "2:" or several of
 * these, by their names ([n], or NULL) or numbers, to[0 … *count - 1], a new
 * array. path is for messages. */
int nncc_list_columns(const char *path, char *const *name, int64_t n,
                      const char *text, int64_t **to, int64_t *count);
/* The kind of each of n columns, [n]. */
int nncc_column_kinds(const char *path, const nncc_csv_options *o,
                      char *const *name, int64_t n, int32_t *kind);
int nncc_columns_copy(const nncc_data *from, nncc_data *to);
void nncc_column_free(nncc_column *c); /* what it owns */
void nncc_columns_free(nncc_data *d);
/* The column that the feature is made of, or NULL. */
const nncc_column *nncc_column_of(const nncc_data *d, int64_t feature);
/* Features of categories are no numbers to calculate with. */
bool nncc_is_category(const nncc_data *d, int64_t feature);
/* Only fields that are predicted have it (nncc_data_target). */
bool nncc_is_target(const nncc_data *d, int64_t feature);

/* csv.c: text to rows of fields */

/* One field of a row: text[0 … n-1], NUL-terminated, and where it began. */
typedef struct nncc_field {
    char *text;
    size_t n;
    int64_t line, column;
} nncc_field;

typedef struct nncc_row {
    nncc_field *field;
    int64_t nfield;
} nncc_row;

typedef struct nncc_csv nncc_csv;

int nncc_csv_open(const char *path, const nncc_csv_options *o, nncc_csv **out);
char nncc_csv_delimiter(const nncc_csv *c);
/* The next row that is not blank; row->nfield = 0 at the end. The row is valid
 * until the next call. */
int nncc_csv_next(nncc_csv *c, nncc_row *row);
/* What messages call the file. */
const char *nncc_csv_path(const nncc_csv *c);
void nncc_csv_close(nncc_csv *c); /* may be NULL */

/* data.c */

/* Copies of n names, or numbers; NULL stays NULL. NN_ERR_MEMORY. */
int nncc_copy_names(char *const *from, int64_t n, char ***to);
void nncc_free_names(char **name, int64_t n); /* may be NULL, as may each */
/* The first of n names that is such, or -1. */
int64_t nncc_find_name(char *const *name, int64_t n, const char *wanted);
int nncc_copy_numbers(const double *from, int64_t n, double **to);

/* fields.c */

/* Where numbers of a row come from: a field by its number, or: */
enum { NNCC_FEATURES = -1, NNCC_LABELS = -2 };
/* How many a row has. */
int64_t nncc_data_width(const nncc_data *d, int source);
/* n of row `row` from number `from` on, features scaled. */
int nncc_data_numbers(const nncc_data *d, int source, int64_t row, int64_t from,
                      int64_t n, double *to);
/* Where rows are in memory, as they are; false: they are not. */
bool nncc_data_rows(const nncc_data *d, int source, nncc_rows *to);
/* Are they read from a file? */
bool nncc_data_is_bulk(const nncc_data *d, int source);
/* The field of that name, or -1. */
int64_t nncc_data_field(const nncc_data *d, const char *name);

/* Adds one that is made of features. */
int nncc_fields_add(nncc_data *d, const nncc_array *f);
void nncc_fields_free(nncc_data *d);
/* Does any of d's numbers stay in a file? */
bool nncc_data_has_files(const nncc_data *d);

/* "FILE:LINE", or the row's number where the file has no lines; to->at is to
 * be freed. */
const char *nncc_data_place(const nncc_data *d, int64_t row, nncc_text *to);

/* y, [n][nlabel], instead of the labels that there are. */
void nncc_data_take_labels(nncc_data *d, int32_t *y);
/* What a text says that a row is for: enum nncc_part_kind, or -1. */
int nncc_part_of(const char *text);
/* classes.c: names of classes, or characters, get the numbers that fit has for
 * them. NN_ERR_DATA where it has none. */
int nncc_classes_fit(nncc_data *d, const nncc_data *fit);

/* Weights of n classes, kept in d, and a field of them by its labels. */
int nncc_data_take_weights(nncc_data *d, const char *name, const double *weight,
                           int64_t n);
/* Rows row[0 … n-1] of d as a data set of their own; of no rows, what was
 * fitted to it. */
int nncc_data_subset(const nncc_data *d, const int64_t *row, int64_t n,
                     nncc_data **out);
/* d's features less mean, times factor ([nfeature] both), anew as reals: f32
 * where they are, or are single bytes. d says so then. */
int nncc_data_transform(nncc_data *d, const double *mean, const double *factor);

/* fill, [nfeature], where numbers are missing; d says so then. */
int nncc_data_take_fill(nncc_data *d, const double *fill);

/* Of all numbers of d: tells other data, not who means harm. */
int nncc_data_hash(const nncc_data *d, uint64_t *h);

/* output.c */

typedef struct nncc_part {
    const void *at;
    size_t n;
} nncc_part;

/* The parts one after another as the file at path: written beside it, on the
 * disk, then renamed. What was there stays until then, and its permissions.
 * NN_ERR_FILE, NN_ERR_MEMORY. */
int nncc_write_parts(const char *path, const nncc_part *part, int64_t n);

/* store.c */

/* Room, all zeros, for a tensor of that shape and a name that is new; *out is
 * valid until the next one. */
int nncc_store_add(nncc_store *s, const char *name, const nncc_tensor *shape,
                   nncc_tensor **out);
/* An entry whose numbers stay in b, which is the store's then; and that, or
 * NULL. */
int nncc_store_add_bulk(nncc_store *s, const char *name,
                        const nncc_tensor *shape, struct nncc_bulk *b);
struct nncc_bulk *nncc_store_bulk(const nncc_store *s, int64_t i);
/* nncc_store_read, where large tensors of a safetensors file stay there. */
int nncc_store_open(const char *path, nncc_store **out);
/* The key of text number i, or NULL behind the last. */
const char *nncc_store_text_at(const nncc_store *s, int64_t i,
                               const char **value);

/* bind.c: a data set as arguments of a step or evaluate function */

enum nncc_role {
    NNCC_ROLE_STATE,
    NNCC_ROLE_DATA,
    NNCC_ROLE_KEY,
    NNCC_ROLE_SCALAR
};

/* One block of the training state: a parameter of a step that it overwrites,
 * or that is frozen. */
typedef struct nncc_block {
    const nn_port *port;   /* step's */
    const nn_function *of; /* the first step that has it */
    bool held;             /* part of the model that no step changes */
    void *memory;      /* the C struct, or NULL where it has no fixed size */
    nncc_tensor *leaf; /* [port->nleaf], over memory or over their own */
} nncc_block;

/* A `train` item. */
typedef struct nncc_item {
    const char *name;
    const nn_function *step, *evaluate;
    const nn_function *update; /* or NULL */
    const nn_function *carry;  /* or NULL */
    int64_t steps;             /* of it in a round */
} nncc_item;

/* A metric that is a tensor. */
typedef struct nncc_matrix {
    const char *name;
    nncc_tensor *mean; /* f64 */
} nncc_matrix;

/* What training keeps in the model. */
typedef struct nncc_trainer {
    const nn_function *init;
    nncc_item item[NNCC_MAX_ITEMS];
    int nitem;
    const nn_function *step, *evaluate; /* of the first */
    nncc_block *block;
    int nblock;
    nncc_setting *setting; /* a copy */
    char **setting_name;   /* behind it */
    int nsetting;
    uint64_t seed;
    int64_t batch;
    nncc_data *fit;     /* what was fitted to the data: a data set of no rows */
    uint64_t data_hash; /* of the training set */
    nncc_matrix *matrix; /* of the last evaluation */
    int nmatrix;
    bool unlabelled; /* no step is made: data need no labels */
} nncc_trainer;

/* A parameter that gets rows of the data set. */
typedef struct nncc_input {
    int param, leaf;
    int source; /* the field's number, or one of these */
} nncc_input;

typedef struct nncc_binding {
    const nn_function *f;
    nncc_axes axes;
    int *role;         /* [nparam]: enum nncc_role */
    nncc_input *input; /* the first one's first axis is the batch */
    int ninput;
    int label;         /* the input that gets the labels, or -1 */
    int key;           /* parameter, or -1 */
    int batch_dim;     /* the dimension that is the batch, or -1: fixed */
    int64_t batch;     /* the largest batch, or the fixed one */
    int64_t *dims;     /* for `batch` */
    int64_t *dims_now; /* for the batch at hand */
    void **leaf;       /* arguments of f->call */
    void **owned;      /* [nleaf]: memory behind those that are the binding's */
} nncc_binding;

/* Sets up calls of f on batches of d of at most `batch` rows (0: fallback).
 * The state is t's, whose blocks may be empty as yet (see nncc_bind_state). */
int nncc_bind(const nncc_trainer *t, const nn_function *f, const nncc_data *d,
              int64_t batch, int64_t fallback, nncc_binding *b);
void nncc_bind_free(nncc_binding *b);
/* Points the binding at t's blocks; checks their shapes. */
int nncc_bind_state(nncc_binding *b, const nncc_trainer *t);
/* Fills in rows row[0 … n-1] of d, all of them checked by nncc_bind_check but
 * those that are read from a file; a fixed batch must be full. */
int nncc_bind_rows(nncc_binding *b, const nncc_data *d, const int64_t *row,
                   int64_t n);
/* Every feature and label of d can be held by x and y's dtypes. */
int nncc_bind_check(const nncc_binding *b, const nncc_data *d);
/* The value of scalar result i (not in place) after a call. */
int nncc_bind_result(const nncc_binding *b, int i, double *value);
/* Index of the i-th result that is not in place and a number, or -1. */
int nncc_bind_output(const nn_function *f, int i);
/* The scalar parameter of that name: its value, and another. NN_ERR_NAME,
 * NN_ERR_ARGUMENT. */
int nncc_bind_scalar(const nncc_binding *b, const char *name, double *value);
int nncc_bind_set(nncc_binding *b, const char *name, double value);

/* fault.c */

/* The arguments of the call that b is ready for, in place of *to. */
int nncc_bind_keep(const nncc_binding *b, nncc_store **to);

/* evaluate.c: batches through a function of the model */

/* A key parameter's value for call number `count`. */
void nncc_bind_key(nncc_binding *b, uint64_t seed, uint64_t count);
/* One call, on rows row[0 … n-1] of d; a label out of range is named. */
int nncc_run_batch(nncc_model *m, const nncc_trainer *t, nncc_binding *b,
                   const nncc_data *d, const int64_t *row, int64_t n,
                   const nn_exec *exec);
/* Means over all rows of a data set. */
typedef struct nncc_means {
    double loss, metric[NNCC_MAX_METRICS];
    int nmetric;
} nncc_means;
/* Of all items; b: a binding for each, to be freed also after a failure. */
int nncc_bind_evaluate(const nncc_trainer *t, const nncc_data *d, int64_t batch,
                       nncc_binding *b);
struct nncc_run;
/* ranks: NULL, or the training in which several processes evaluate this. */
int nncc_evaluate_bound(nncc_model *m, const nncc_trainer *t, nncc_binding *b,
                        const nncc_data *d, const nn_exec *exec,
                        struct nncc_run *ranks, nncc_means *means);

/* items.c */

/* The `train` items of m, or the one that it is without: at most
 * NNCC_MAX_ITEMS. NN_ERR_NAME, NN_ERR_MODULE. */
int nncc_items_find(const nncc_model *m, nncc_item *item, int *n,
                    const nn_function **init);
/* Behind "NAME." of a setting's name, where that is the item's; or NULL. */
const char *nncc_setting_of(const nncc_item *item, const char *name);
/* What a setting of that name is called in the item; NULL: it is another's. */
const char *nncc_setting_in(const nncc_item *item, const char *name);
/* How many metrics it has, without the loss. */
int nncc_item_metrics(const nncc_item *item);

/* metrics.c: metrics that are tensors */

void nncc_matrices_free(nncc_trainer *t);
/* Zeros for those of b's function, behind those that there are. */
int nncc_matrices_begin(nncc_trainer *t, const nncc_binding *b);
/* Adds share times what a call gave, to those from number `first` on. */
void nncc_matrices_add(nncc_trainer *t, int first, const nncc_binding *b,
                       double share);

/* trainer.c: what is trained */

/* The training functions of m and the settings of o, checked. */
int nncc_trainer_new(const nncc_model *m, const nncc_train_options *o,
                     nncc_trainer **out);
void nncc_trainer_free(nncc_trainer *t); /* may be NULL */
/* The number of the block of the parameter so named, or -1. */
int nncc_trainer_block(const nncc_trainer *t, const char *name);
/* The block of that name (NULL: the first) of what m was trained to.
 * NN_ERR_ARGUMENT where it was not, NN_ERR_NAME. */
int nncc_model_block(const nncc_model *m, const char *name, nncc_block **out);
/* Memory for the state, of the sizes that the steps' bindings have, one for
 * each item. */
int nncc_trainer_allocate(nncc_trainer *t, const nncc_binding *step);
/* The values that m has; NN_ERR_ARGUMENT where it has none of these sizes. */
int nncc_trainer_keep(const nncc_model *m, nncc_trainer *t);
/* Calls init. */
int nncc_trainer_init(nncc_model *m, nncc_trainer *t, const nncc_binding *step,
                      const nn_exec *exec);
/* A copy of the state in *saved, made where that is NULL; and back again. To be
 * freed with free(). */
int nncc_trainer_save(const nncc_trainer *t, void **saved);
size_t nncc_trainer_bytes(const nncc_trainer *t); /* of that copy */
void nncc_trainer_restore(nncc_trainer *t, const void *saved);

/* weights.c: blocks to a store and back */

/* All leaves of b, by their names behind a prefix; where copy is not NULL with
 * the values at *copy, which goes on behind them. */
int nncc_weights_put(const nncc_block *b, const char *prefix, const void **copy,
                     nncc_store *s);
/* What a store has for blocks. */
typedef struct nncc_take {
    const nncc_store *s;
    const char *prefix;
    bool bare;         /* names without the parameter's are good, too */
    int found;         /* leaves */
    nncc_text missing; /* names, a line each */
    nncc_text wrong;   /* of another shape or dtype, as a sentence */
} nncc_take;
void nncc_take_check(nncc_take *k, const nncc_block *b);
/* After a check without faults. */
void nncc_take_copy(const nncc_take *k, nncc_block *b);
/* All of b's leaves, exactly, to *copy, which goes on behind them. */
int nncc_take_back(const nncc_take *k, const nncc_block *b, void **copy);
void nncc_take_free(nncc_take *k);

/* checkpoint.c: the whole of a training in a file */

/* Of an item's losses, weighted by rows. */
typedef struct nncc_sum {
    double loss, rows;
} nncc_sum;

/* Where a training is, beside its state. */
typedef struct nncc_position {
    int64_t epoch;                    /* at hand, from 1 */
    int64_t step;                     /* done in it */
    int64_t done;                     /* of all epochs */
    nncc_sum sum[NNCC_MAX_ITEMS];     /* of the epoch at hand so far */
    double last_loss[NNCC_MAX_ITEMS]; /* means of the epoch before */
    int64_t looks; /* evaluations on the test set, and which was the best */
    int64_t best_look;
    int64_t
        drops[NNCC_MAX_SCHEDULES]; /* of plateaus, and the last one's look */
    int64_t drop_look[NNCC_MAX_SCHEDULES];
    int64_t best_epoch; /* with patience */
    double best_loss;
    double best_metric[NNCC_MAX_METRICS];
} nncc_position;

/* The state of t and where it is; best: a copy of the state (nncc_trainer_save)
 * or NULL; mean: nncc_mean_new's, or NULL. */
int nncc_checkpoint_write(const struct nncc_trainer *t, const nncc_position *at,
                          const void *best, const void *mean, const char *path);
/* Back again, if it is of the same model, data, seed and batch; else as it was.
 * *best and *mean are made where the checkpoint has them. */
int nncc_checkpoint_read(struct nncc_trainer *t, const char *path,
                         nncc_position *at, void **best, void **mean);

/* options.c */

/* Refuses what makes no sense; makes the folder of checkpoints. test: NULL
 * without one. */
int nncc_check_options(const nncc_train_options *o, const nncc_data *train,
                       const nncc_data *test);

/* schedule.c */

/* The schedules of a training, and what each item's setting is without them. */
typedef struct nncc_schedules {
    const nncc_schedule *at;
    int n;
    double base[NNCC_MAX_SCHEDULES][NNCC_MAX_ITEMS];
} nncc_schedules;
/* Those of o, checked; step: a binding for each item. tests: is there a test
 * set. */
int nncc_schedules_bind(const nncc_trainer *t, const nncc_binding *step,
                        const nncc_train_options *o, bool tests,
                        nncc_schedules *s);
/* What item k's schedules in the language count to, its steps in all, unless it
 * is set. */
void nncc_schedules_total(const nncc_trainer *t, int k, double steps,
                          nncc_binding *step);
/* The settings of the step at hand, of `steps`. */
void nncc_schedules_follow(const nncc_schedules *s, const nncc_trainer *t,
                           const nncc_position *at, int64_t steps,
                           nncc_binding *step);
/* After an evaluation on the test set: what waits for a better one. */
void nncc_schedules_look(const nncc_schedules *s, nncc_position *at);

/* mean.c: the running mean of what is trained: its leaves one after another */

/* Is it changed by an optimizer? */
bool nncc_is_trained(const nncc_trainer *t, const nncc_block *b);
/* A copy of what there is; NULL where there is no memory. */
void *nncc_mean_new(const nncc_trainer *t);
size_t nncc_mean_bytes(const nncc_trainer *t);
/* After step number `step`, from 1. */
void nncc_mean_add(const nncc_trainer *t, void *mean, double decay,
                   int64_t step);
/* What is trained becomes the mean, and the mean what was trained. */
void nncc_mean_swap(const nncc_trainer *t, void *mean);

#endif
