/* nn.h: libnn, the runtime of modules compiled by nncc.
 *
 * Every function that can fail returns a status: NN_OK (0), one of enum
 * nn_status (nn_abi.h) or one of enum nncc_runtime_status. What went wrong is
 * then told by nncc_last_error(). Nothing prints and nothing exits. After a
 * failure the objects that were passed in are as before, unless said
 * otherwise, and out parameters are not written.
 *
 * All names here begin with nncc_ or NNCC_, but for the statuses, which go on
 * from those of nn_abi.h.
 *
 * Objects may be used by one thread at a time; different objects by different
 * threads. The only state outside of objects is the thread's error text.
 * Valid C99 and C++. */
#ifndef NN_H
#define NN_H

#include "nn_abi.h"

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default) /* what libnn exports */
#endif

enum nncc_runtime_status {
    NN_ERR_MEMORY = 100, /* no memory left */
    NN_ERR_ARGUMENT,     /* an option or argument makes no sense */
    NN_ERR_FILE,         /* missing, unreadable, a directory, damaged */
    NN_ERR_MODULE,       /* no module of this ABI, or an implausible one */
    NN_ERR_NAME,     /* no function, parameter, setting or column so named */
    NN_ERR_SHAPE,    /* a tensor or data set does not fit the function */
    NN_ERR_TYPE,     /* a tensor has another dtype than the function's */
    NN_ERR_DATA,     /* what a file holds is not what it should hold */
    NN_ERR_DIVERGED, /* the loss became infinite or not a number */
    NN_ERR_RANK      /* processes that train together do not go together, or do
                        not answer */
};

#define NNCC_MAX_RANK 16

/* error.c */

/* What the last failed call of this thread found and expected, in one line
 * without a newline: "iris.csv:3:5: 'abc' is no number (column 'width')". ""
 * if nothing has failed. Valid until the thread's next call into libnn. */
const char *nncc_last_error(void);

/* A few words for a status: "label or index out of range". Never null. */
const char *nncc_status_text(int status);

/* tensor.c */

typedef struct nncc_tensor {
    int32_t dtype; /* enum nn_dtype */
    int32_t rank;
    int64_t size[NNCC_MAX_RANK];
    void *data; /* row-major, without gaps */
} nncc_tensor;

/* Bytes of one element; 0 where dtype is none of enum nn_dtype. */
size_t nncc_dtype_bytes(int dtype);
/* "bool", "u8", "int", "i64", "f32", "f64", "key"; "?" for others. */
const char *nncc_dtype_name(int dtype);

/* A new tensor of zeros, data aligned to 64 bytes. size: rank sizes, each at
 * least 0. Free with nncc_tensor_free. NN_ERR_ARGUMENT, NN_ERR_MEMORY. */
int nncc_tensor_new(int dtype, int rank, const int64_t *size,
                    nncc_tensor **out);
/* Frees what nncc_tensor_new made; t may be null. A tensor over memory of the
 * caller's own is simply an nncc_tensor that the caller fills in. */
void nncc_tensor_free(nncc_tensor *t);
/* Number of elements and of bytes. NN_ERR_ARGUMENT where the rank, dtype or a
 * size is none, or the product too large. Either may be null. */
int nncc_tensor_count(const nncc_tensor *t, int64_t *count, size_t *bytes);

/* module.c: opening and describing */

/* An open module with a workspace that grows as calls need it. */
typedef struct nncc_model nncc_model;

/* Opens the shared library at path. Its descriptor is found by the one exported
 * function NAME_module, whatever the file is called. What is no ELF file for
 * this machine, is cut short or damaged or exports no such function is refused
 * before any of its code runs, other ABI versions after it was loaded. A file
 * that means harm is not found out: loading a library runs its code. Free with
 * nncc_close. NN_ERR_FILE, NN_ERR_MODULE, NN_ERR_MEMORY. */
int nncc_open(const char *path, nncc_model **out);
/* The same over a descriptor in this process (linked in, or from a JIT), which
 * must outlive the handle. Free with nncc_close. NN_ERR_MODULE, NN_ERR_MEMORY.
 */
int nncc_wrap(const nn_module *descriptor, nncc_model **out);
/* Frees the handle, its workspace and parameters, and unloads the library; what
 * nncc_descriptor gave is gone with it. m may be null. */
void nncc_close(nncc_model *m);

/* The descriptor: the names, types and shapes of all functions, for reading.
 * It lives as long as the handle (nncc_open) or as its owner says (nncc_wrap).
 */
const nn_module *nncc_descriptor(const nncc_model *m);
/* The file's name, or the module's where there is no file. */
const char *nncc_path(const nncc_model *m);

/* The function of that name. NN_ERR_NAME names those that there are. */
int nncc_find(const nncc_model *m, const char *name, const nn_function **out);
/* The first function of a kind (enum nn_function_kind). NN_ERR_NAME. */
int nncc_find_kind(const nncc_model *m, int kind, const nn_function **out);
/* Index among f's parameters (results). NN_ERR_NAME. */
int nncc_find_param(const nn_function *f, const char *name, int *out);
int nncc_find_result(const nn_function *f, const char *name, int *out);
/* Number of leaves of all parameters (of all results). */
int nncc_param_leaves(const nn_function *f);
int nncc_result_leaves(const nn_function *f);
/* Index, in the order of `call`, of the first leaf of parameter i (result i).
 */
int nncc_param_leaf(const nn_function *f, int i);
int nncc_result_leaf(const nn_function *f, int i);

/* Text for people: module, functions, parameters, leaves with their shapes. To
 * be freed with free(). NN_ERR_MEMORY. */
int nncc_describe(const nncc_model *m, char **text);

/* call.c: calling any function */

/* The sizes of f's free dimensions (ndim of them, named f->dim) that the given
 * tensors have. leaf: nncc_param_leaves + nncc_result_leaves entries in the
 * order of `call`; those that are null are not looked at. dims: in: a size, or
 * -1 where it is to be found; out: all sizes, every given tensor being checked
 * against them; after an error they are as far as they were found. NN_ERR_SHAPE
 * and NN_ERR_TYPE name parameter, expected and found. */
int nncc_solve(const nn_function *f, nncc_tensor *const *leaf, int64_t *dims);

/* Calls f. leaf as above, none of the parameters' null. A result's leaf that is
 * null is filled with a new tensor, which the caller frees; those of results
 * in place stay as they are, the parameter's tensor being overwritten. dims:
 * null, or as for nncc_solve. exec: null, or how to run in parallel.
 * NN_ERR_SHAPE, NN_ERR_TYPE, NN_ERR_MEMORY, or the status of f itself, after
 * which the results hold no meaning. */
int nncc_call(nncc_model *m, const nn_function *f, nncc_tensor **leaf,
              int64_t *dims, const nn_exec *exec);

/* pool.c: threads. Results do not depend on how many there are, to the last
 * bit: what a function does in parallel, and in which pieces, follows from its
 * sizes alone. */

/* Threads that run the pieces of functions. */
typedef struct nncc_pool nncc_pool;

/* A pool of so many threads (0: one for each processor), of which the caller's
 * own is one. The others start when a function first has something for them,
 * wait for more without taking time, and get no signals; where the system gives
 * fewer, those are used. Free with nncc_pool_free. NN_ERR_ARGUMENT,
 * NN_ERR_MEMORY. */
int nncc_pool_new(int threads, nncc_pool **out);
/* When no call uses it any more; p may be null. */
void nncc_pool_free(nncc_pool *p);
/* What a function of a module is given as `exec`; it lives as long as the pool.
 * The pool may be used from several threads at once: while one call has it,
 * others do all by themselves. */
const nn_exec *nncc_pool_exec(const nncc_pool *p);
/* Calls of functions of m that are given no way to run in parallel use so many
 * threads from here on, by a pool of the handle's own; 1, as at first: the
 * caller's alone. 0: one for each processor. Errors as nncc_pool_new, after
 * which all is as before. */
int nncc_use_threads(nncc_model *m, int threads);

/* data.c: rows of features with a label */

enum nncc_label_kind {
    NNCC_LABEL_NONE = 0,
    NNCC_LABEL_INT = 1,  /* y holds integers */
    NNCC_LABEL_REAL = 2, /* y holds numbers, not all of them integers */
    NNCC_LABEL_NAME = 3  /* y is an index into class_name */
};

/* A part of each row that goes to the parameter of its name. */
typedef struct nncc_array {
    char *name;
    int32_t dtype; /* enum nn_dtype, not NN_KEY */
    int32_t rank;  /* of a row */
    int64_t size[NNCC_MAX_RANK];
    int64_t width;          /* numbers of a row: the product of the sizes */
    void *at;               /* row i begins at element i * width */
    int64_t *column;        /* or: the features that it is made of, [width] */
    struct nncc_bulk *file; /* or: where it is read from */
    int32_t target;         /* not 0: nncc_data_target */
    int32_t reserved;
} nncc_array;

enum nncc_column_kind {
    NNCC_COLUMN_NUMBER = 0,
    NNCC_COLUMN_DATE = 1,     /* days since 1970-01-01, UTC */
    NNCC_COLUMN_CATEGORY = 2, /* the number of its text among all, sorted */
    NNCC_COLUMN_ONE_HOT = 3,  /* a feature for each text: 1 or 0 */
    NNCC_COLUMN_DROP = 4      /* is not looked at */
};

/* A column of a CSV file that features are made of. */
typedef struct nncc_column {
    char *name;   /* or null where the file has no header */
    char *was;    /* there, where it was renamed; or null */
    int32_t kind; /* enum nncc_column_kind, but not NNCC_COLUMN_DROP */
    int32_t ncategory;
    char **category;      /* sorted; null where there are none */
    int64_t at;           /* in the file, from 0; below: how many fields the row
                             has from column -1 - at on */
    int64_t first, width; /* its features */
    int32_t absent;       /* the file lacks it */
    int32_t date_order;   /* of dates: enum nncc_date_order */
} nncc_column;

/* Rows of features and labels in the dtype that they came in: from CSV NN_F64,
 * from other files as those say. Owned by whoever got it; free with
 * nncc_data_free. */
typedef struct nncc_data {
    int64_t n;        /* rows */
    int64_t nfeature; /* numbers in a row of x */
    int64_t nlabel;   /* numbers in a row of y: 1; more in sequences; or 0 */
    void *x;          /* of x_dtype; row i begins at element i * x_step */
    void *y;          /* of y_dtype; row i begins at element i * y_step */
    int64_t x_step, y_step;
    int32_t x_dtype, y_dtype; /* enum nn_dtype, not NN_KEY */
    double scale;             /* what the features are multiplied by */
    int64_t *line;  /* [n]: where in the file the row begins, from 1; or null */
    int32_t label;  /* enum nncc_label_kind */
    int32_t nclass; /* entries of class_name */
    char **class_name;
    char **feature_name;  /* [nfeature], or null where the file names none */
    char *label_name;     /* or null */
    int64_t label_column; /* of a CSV file, from 0; -1 */
    char *path;           /* as it was given */
    int32_t y_inside;     /* not 0: y points into x's memory */
    int32_t text; /* x and y are numbers into class_name: 1, of characters; 2,
                     bytes */
    /* What nncc_data_standardise did: x is (v * fit_scale - mean) * factor of
     * what the file has. [nfeature] both, or null. */
    double *mean, *factor;
    double fit_scale;
    nncc_array *field; /* what goes to parameters by name; or null */
    int64_t nfield;
    int32_t chosen; /* not 0: features go to fields alone */
    int32_t reserved;
    nncc_column *column; /* of a CSV file, in its order; or null */
    int64_t ncolumn;
    int64_t width;        /* all columns of that file, the label's too */
    int64_t dropped_rows; /* left out for what they lack */
    double *fill; /* [nfeature], what nncc_data_fill puts where there is none
                     (NaN), before anything is scaled; or null */
    /* Of an array of more than 64 MiB x, y or a field's `at` is null: its
     * numbers are read as they are needed. Other rows may then be meant than
     * the first n; what changes features is done as they are read. */
    struct nncc_bulk *x_file, *y_file;
    struct nncc_view *view;
    uint8_t *part;     /* enum nncc_part_kind of each row as it was read; or
                          null */
    char *weight_name; /* the field of weights (nncc_data_weigh), or null */
    double *weight;    /* of each class */
    int64_t nweight;
} nncc_data;

/* A data set of zeros with room for n rows of nfeature numbers and, unless
 * label is NNCC_LABEL_NONE, a label, all NN_F64; label: enum nncc_label_kind
 * but NNCC_LABEL_NAME. For data that comes from elsewhere than a file.
 * NN_ERR_ARGUMENT, NN_ERR_MEMORY. */
int nncc_data_new(int64_t n, int64_t nfeature, int label, nncc_data **out);
void nncc_data_free(nncc_data *d); /* may be null */

/* Adds a copy of t, whose first axis are the rows, for the parameter of that
 * name. A data set without features and fields gets its number of rows from it.
 * NN_ERR_NAME where there is such a field, NN_ERR_SHAPE, NN_ERR_MEMORY. */
int nncc_data_add(nncc_data *d, const char *name, const nncc_tensor *t);
/* The same of the array in a file (nncc_array_read), which stays there where it
 * is large. */
int nncc_data_add_file(nncc_data *d, const char *name, const char *path);
/* The same of the features of another data set, as they are in its file. */
int nncc_data_add_features(nncc_data *d, const char *name,
                           const nncc_data *from);
/* The same of all arrays of a .npz or safetensors file (nncc_store_read), by
 * their names; large ones of a safetensors file stay there. */
int nncc_data_add_store(nncc_data *d, const char *path);
/* Makes of d's features fields: each of n texts is "x=2:14", columns 2 to 13,
 * "x=2:", all from there, or "y=price,size,0", columns by name or number from
 * 0. What no text names goes nowhere. NN_ERR_NAME, NN_ERR_ARGUMENT,
 * NN_ERR_MEMORY. */
int nncc_data_columns(nncc_data *d, int n, const char *const *text);
/* The field of that name is what is to be predicted: its columns stay as they
 * are when features are standardised, so that predictions are in its unit;
 * those that another field has too do not. NN_ERR_ARGUMENT, NN_ERR_NAME. */
int nncc_data_target(nncc_data *d, const char *name);

/* n numbers of row `row` from number `from` on, the features times d->scale.
 * Integers beyond 2^53 are rounded. That there are such is not checked.
 * NN_ERR_FILE where they cannot be read any more. */
int nncc_data_features(const nncc_data *d, int64_t row, int64_t from, int64_t n,
                       double *to);
int nncc_data_labels(const nncc_data *d, int64_t row, int64_t from, int64_t n,
                     double *to);

/* How many rows of n a split keeps for testing. */
typedef struct nncc_split_options {
    uint64_t seed;
    int64_t count;      /* rows for the test set; -1: by fraction */
    double fraction;    /* of the rows, rounded to the nearest, 0 to 1 */
    int32_t keep_order; /* not 0: no permutation */
    int32_t stratify;   /* not 0: each class has its share of both */
} nncc_split_options;

/* Splits d into two new data sets: the rows are permuted by the seed, the last
 * ones are the test set. Both keep the order of the permutation. Free both.
 * NN_ERR_ARGUMENT, NN_ERR_MEMORY. */
int nncc_data_split(const nncc_data *d, const nncc_split_options *o,
                    nncc_data **train, nncc_data **test);

/* What the rows of a CSV file are for, as a column of it says (option split of
 * nncc_csv_options): those rows, as a new data set. */
enum nncc_part_kind {
    NNCC_PART_TRAIN = 0,
    NNCC_PART_VALIDATION = 1,
    NNCC_PART_TEST = 2
};
int nncc_data_part(const nncc_data *d, int part, nncc_data **out);

/* Adds a field of weights for the parameter `name`, so that all classes count
 * alike in train: a row of a class of m rows, of k classes in n rows, weighs
 * n / (k m). other, which may be null, gets the same by class. NN_ERR_ARGUMENT,
 * NN_ERR_DATA where labels are no classes, NN_ERR_NAME, NN_ERR_MEMORY. */
int nncc_data_weigh(nncc_data *train, nncc_data *other, const char *name);

/* Makes classes of integer labels, one a row: their numbers are 0, 1, … in the
 * order of the labels, which become their names. For labels 1 … k, or -1 and 1.
 * Labels with names stay. NN_ERR_ARGUMENT where they are no integers,
 * NN_ERR_MEMORY. */
int nncc_data_classes(nncc_data *d);

/* Multiplies all features by factor, which must be finite. NN_ERR_ARGUMENT. */
int nncc_data_scale(nncc_data *d, double factor);
/* Subtracts from each feature its mean and divides by its standard deviation,
 * both as train has them (a feature that is constant is only shifted;
 * categories and targets stay as they are), in
 * train and in other, which may be null. NN_ERR_ARGUMENT where the numbers of
 * features differ or train is empty, NN_ERR_MEMORY. */
int nncc_data_standardise(nncc_data *train, nncc_data *other);

/* What stands where a number is missing (NaN). */
enum nncc_fill_kind {
    NNCC_FILL_VALUE = 0, /* the value given */
    NNCC_FILL_MEAN = 1,  /* of the feature's numbers in train */
    NNCC_FILL_MEDIAN = 2 /* likewise; between the two in the middle */
};
/* Puts something where numbers are missing in train and in other, which may be
 * null; what it is is kept in both. After nncc_csv_read with
 * NNCC_MISSING_KEEP, before nncc_data_standardise. NN_ERR_ARGUMENT,
 * NN_ERR_MEMORY. */
int nncc_data_fill(nncc_data *train, nncc_data *other, int kind, double value);

/* Makes of d, as a file has it, what a model takes that was trained on a data
 * set like `fit` (nncc_fit_read): of its columns those so named, in that order
 * (without names, as many as there are); classes and characters by the numbers
 * they had there; what is missing filled in, features scaled and standardised
 * as there, and given to the same parameters. A CSV file with categories or
 * dates is read with the option `like` for it. NN_ERR_DATA where a class or
 * character is new, with its line, NN_ERR_SHAPE, NN_ERR_NAME where a column is
 * missing, NN_ERR_MEMORY. */
int nncc_data_fit(nncc_data *d, const nncc_data *fit);

/* Random numbers for shuffles: xoshiro256** (Blackman, Vigna, 2018), its state
 * filled from the seed by splitmix64. The same on every machine. */
typedef struct nncc_rng {
    uint64_t s[4];
} nncc_rng;
void nncc_rng_seed(nncc_rng *r, uint64_t seed);
uint64_t nncc_rng_next(nncc_rng *r);
/* Uniform among 0 … n-1, without bias (Lemire's method); 0 where n < 2. */
uint64_t nncc_rng_below(nncc_rng *r, uint64_t n);
/* order[0 … n-1] permuted (Fisher, Yates, from the end). */
void nncc_rng_shuffle(nncc_rng *r, int64_t *order, int64_t n);

/* csv.c, table.c: reading CSV */

/* What columns are: "price,2,4:7", by name or by number from 0. */
typedef struct nncc_column_option {
    const char *columns;
    int32_t kind; /* enum nncc_column_kind */
    int32_t reserved;
} nncc_column_option;

/* What is missing: an empty field, NA, N/A, #N/A, NaN, null, none, nil, ?, -.
 */
enum nncc_missing_kind {
    NNCC_MISSING_REFUSE = 0, /* NN_ERR_DATA */
    NNCC_MISSING_DROP = 1,   /* the row is left out */
    NNCC_MISSING_KEEP = 2    /* NaN, for nncc_data_fill; a row without a label
                                is left out; among categories it is one more,
                                named "" */
};

/* How 01/02/2024 is read; 2024-02-01 and 01.02.2024 are clear. */
enum nncc_date_order {
    NNCC_DATE_ISO = 0, /* not at all */
    NNCC_DATE_DMY = 1, /* the first of February */
    NNCC_DATE_MDY = 2  /* the second of January */
};

typedef struct nncc_csv_options {
    /* The label's column: its name in the header, or its number from 0, or from
     * -1 counted from the end. Null: the last. */
    const char *label;
    int no_label;   /* not 0: all columns are features */
    int header;     /* 1: the first line names the columns; 0: it does not; -1:
                       it does where it has text and the second line a number */
    char delimiter; /* ',' ';' '\t' ' ' (any run of blanks); 0: that of these
                       which the first line has */
    uint64_t max_bytes; /* of numbers in all; 0: 1 TiB */
    char comment;       /* lines that begin with it are none; 0: '#'; '\n': no
                           line is */
    char decimal;    /* '.' or ','; 0: whichever comes first, a comma where it
                        is not the delimiter */
    int32_t missing; /* enum nncc_missing_kind */
    int32_t date_order; /* enum nncc_date_order */
    int32_t classes;    /* not 0: labels are names of classes, also numbers */
    int32_t ncolumn, nrename;
    const nncc_column_option *column; /* ncolumn of them */
    const char *const *rename; /* "old=new"; all else knows the new names */
    /* Rows may end early, as sequences do: what they lack is 0, and behind all
     * others is a column so named with the number of fields that there are from
     * column ragged_from on. Empty fields at the end of a row are none. */
    const char *ragged;
    int64_t ragged_from;
    /* The columns, kinds and categories that another data set, or what
     * nncc_fit_read gives, has; all of the above that says what columns are is
     * not looked at. A label may be there or not. */
    const struct nncc_data *like;
    /* A column that says what rows are for: train, validation (valid, val,
     * dev) or test. Null: there is none. */
    const char *split;
    /* Of numbers in memory: more of them go to a file without a name in $TMPDIR
     * (or /tmp), from which they are read as they are needed. 0: 64 MiB. */
    uint64_t memory_bytes;
} nncc_csv_options;

#define NNCC_CSV_DEFAULTS                                                      \
    {NULL, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, NULL, NULL, 0}

/* Reads a CSV file (RFC 4180; also LF, a byte order mark, gzip); "-" is
 * standard input. A feature must be a finite number, unless its column is of
 * another kind. A label column of text becomes classes 0 … k-1 in the sorted
 * order of their names. A first
 * line "rows,features,class names…", as scikit-learn's files have, gives the
 * names of integer labels. o may be null: the defaults.
 * NN_ERR_FILE, NN_ERR_DATA with file:line:column, NN_ERR_NAME where the label
 * column is missing, NN_ERR_ARGUMENT, NN_ERR_MEMORY. */
int nncc_csv_read(const char *path, const nncc_csv_options *o, nncc_data **out);

/* array.c: arrays in files */

/* Reads an array: an IDX file, as MNIST and its like are, a .npy file of
 * NumPy's, or a .npz file with one array, plain or gzipped; "a.npz:x" is array
 * x of a .npz or .safetensors file. Elements that are none of enum nn_dtype
 * become the next larger that is. Free with nncc_tensor_free. NN_ERR_FILE,
 * NN_ERR_DATA, NN_ERR_MEMORY. */
int nncc_array_read(const char *path, nncc_tensor **out);
/* The bytes of a .npy file; to be freed with free(). NN_ERR_MEMORY. */
int nncc_array_bytes(const nncc_tensor *t, void **bytes, size_t *n);

/* Reads a data set from whatever path holds, which its first bytes tell: an
 * array, whose first axis are the rows, or CSV, which o is for. labels, if not
 * null, is another such file, with a label for each row (a CSV file of one
 * column); without it an array has no labels. Errors as nncc_array_read and
 * nncc_csv_read; NN_ERR_SHAPE where there are not as many labels as rows. */
int nncc_data_read(const char *path, const char *labels,
                   const nncc_csv_options *o, nncc_data **out);

/* text.c: sequences of characters */

typedef struct nncc_text_options {
    int64_t length;     /* characters in a row */
    int64_t stride;     /* from one row's begin to the next's; 0: length */
    uint64_t max_bytes; /* of text, which is then in memory; 0: 1 GiB, but of a
                           regular file any number: more than 16 MiB stay in
                           a file */
    int32_t bytes;      /* not 0: bytes are what counts, not characters */
    int32_t reserved;
} nncc_text_options;

/* Reads a UTF-8 text, plain or gzipped, as rows of `length` characters, each
 * labelled with the character that follows it. A character is an integer: its
 * place in class_name, which holds all that occur, in the order of their code
 * points. Bytes of any file are their own numbers, 0 to 255. Rows lie one after
 * another in the text: split them with keep_order. NN_ERR_FILE, NN_ERR_DATA,
 * NN_ERR_ARGUMENT, NN_ERR_MEMORY. */
int nncc_text_read(const char *path, const nncc_text_options *o,
                   nncc_data **out);

/* store.c, safetensors.c: named tensors in files */

/* Tensors by name, and texts by key. It owns copies of what is put into it. Not
 * for use by two threads at once. */
typedef struct nncc_store nncc_store;

/* An empty one; to be freed with nncc_store_free. NN_ERR_MEMORY. */
int nncc_store_new(nncc_store **out);
void nncc_store_free(nncc_store *s); /* may be null */
/* Adds a copy of t. NN_ERR_NAME where there is one of that name, NN_ERR_MEMORY.
 */
int nncc_store_put(nncc_store *s, const char *name, const nncc_tensor *t);
/* NN_ERR_MEMORY. */
int nncc_store_set_text(nncc_store *s, const char *key, const char *value);
/* How many tensors, and each in the order in which it came; null for i that is
 * none. Valid until another is put there. */
int64_t nncc_store_count(const nncc_store *s);
const char *nncc_store_name(const nncc_store *s, int64_t i);
const nncc_tensor *nncc_store_tensor(const nncc_store *s, int64_t i);
/* Null where there is none of that name, or key. */
const nncc_tensor *nncc_store_find(const nncc_store *s, const char *name);
const char *nncc_store_text(const nncc_store *s, const char *key);
/* As a safetensors file, which NumPy, PyTorch and JAX read; texts are its
 * metadata, a key is a U64. Where path ends in .npz as such a file of NumPy's,
 * a text being the array KEY of a string of bytes. The file is there whole or
 * as it was before: it is written as path.part and renamed. NN_ERR_FILE,
 * NN_ERR_ARGUMENT, NN_ERR_MEMORY.
 */
int nncc_store_write(const nncc_store *s, const char *path);
/* The bytes of such files; to be freed with free(). */
int nncc_store_bytes(const nncc_store *s, void **bytes, size_t *n);
int nncc_store_npz(const nncc_store *s, void **bytes, size_t *n);
/* Reads a safetensors or .npz file, plain or gzipped; what is of none of enum
 * nn_dtype (F16, BF16, small integers) becomes the next larger that is. To be
 * freed with nncc_store_free. NN_ERR_FILE, NN_ERR_DATA where it is damaged,
 * NN_ERR_TYPE, NN_ERR_MEMORY. */
int nncc_store_read(const char *path, nncc_store **out);

/* fit.c: a data set of no rows that says what was fitted to the training data
 * (names of columns and classes, means and deviations), as nncc_params_store
 * has put it into s; *out is null where s has nothing of the kind. To be freed
 * with nncc_data_free. NN_ERR_DATA, NN_ERR_MEMORY. */
int nncc_fit_read(const nncc_store *s, nncc_data **out);
/* The other way: what was fitted to fit, whose rows are not looked at.
 * NN_ERR_DATA where a name is no UTF-8, NN_ERR_MEMORY. */
int nncc_fit_write(const nncc_data *fit, nncc_store *s);

/* train.c: training over a module's init, step and evaluate */

/* A value for a parameter of `step` that is a scalar, such as an optimizer's
 * learning rate, or for a free dimension that the data does not tell. "lr" is
 * for all `train` items that have it, "critic.lr" for one. */
typedef struct nncc_setting {
    const char *name;
    double value;
} nncc_setting;

/* The share of a setting's value that holds at each step, t being the part of
 * all steps after the warm-up that are done. */
enum nncc_schedule_kind {
    NNCC_SCHEDULE_CONSTANT = 0,  /* 1 */
    NNCC_SCHEDULE_LINEAR = 1,    /* from 1 to factor: 1 - (1 - factor) t */
    NNCC_SCHEDULE_COSINE = 2,    /* likewise: f + (1 - f) (1 + cos(pi t)) / 2
                                  (Loshchilov, Hutter 2017, without restarts) */
    NNCC_SCHEDULE_STEP = 3,      /* times factor after every `every` epochs */
    NNCC_SCHEDULE_ONE_CYCLE = 4, /* up from 1/25 to 1 in the warm-up, or the
                                    first 0.3 of all steps, then down to factor,
                                    both along a cosine (Smith 2018) */
    NNCC_SCHEDULE_PLATEAU = 5    /* times factor whenever `every` evaluations on
                                    the test set gave nothing better */
};

#define NNCC_MAX_SCHEDULES 8

typedef struct nncc_schedule {
    const char *setting; /* null: "lr"; "critic.lr" is one item's */
    int32_t kind;        /* enum nncc_schedule_kind */
    int32_t reserved;
    int64_t warmup; /* steps at first in which it grows evenly up to 1 (Goyal et
                       al. 2017) */
    int64_t every;
    double factor;
} nncc_schedule;

enum nncc_event {
    NNCC_EVENT_STEP = 0,  /* after a step: loss is this batch's */
    NNCC_EVENT_EPOCH = 1, /* after an epoch: loss is the epoch's mean, and the
                          test set, if there is one, has been evaluated */
    NNCC_EVENT_TEST = 2,  /* with evaluate_steps: the test set has been; loss is
                             the mean of the epoch so far */
    NNCC_EVENT_SKIPPED = 3 /* a step was not made, its loss or gradient being no
                              number: nncc_last_error says which */
};

/* What is done where a loss or gradient is infinite or not a number. */
enum nncc_on_nan {
    NNCC_NAN_STOP = 0, /* NN_ERR_DIVERGED */
    NNCC_NAN_SKIP = 1  /* the step is not made; NN_ERR_DIVERGED where none of an
                          epoch is */
};

#define NNCC_MAX_METRICS 64
#define NNCC_MAX_ITEMS 16 /* `train` items of a program */

typedef struct nncc_progress {
    int32_t event;    /* enum nncc_event */
    int32_t has_test; /* test_loss is known (NNCC_EVENT_EPOCH) */
    int32_t nmetric;  /* entries of test_metric that are known */
    int32_t reserved;
    int64_t epoch, epochs; /* epoch counts from 1 */
    int64_t step, steps;   /* of all epochs; step counts from 1 */
    double loss;
    double test_loss;                     /* 0 where not known */
    double test_metric[NNCC_MAX_METRICS]; /* named by nncc_metric_name */
    double seconds;                       /* since the training began */
    int64_t rows;                         /* of all steps since then */
    double item_loss[NNCC_MAX_ITEMS]; /* of each `train` item: nncc_item_name */
    int64_t skipped;                  /* steps, as of NNCC_EVENT_SKIPPED */
} nncc_progress;

/* A training in a file from which it goes on to the same bits: last.safetensors
 * in `folder`, which is made where there is none, has the state, its place in
 * the data and the best state so far. It is written whole or not at all, so
 * that whatever ends the training leaves the one before. best.safetensors is
 * that of the epoch with the best test loss; all of them can be loaded. */
typedef struct nncc_checkpoints {
    const char *folder;
    int64_t steps;  /* after every so many steps; 0: at the end of each epoch,
                       and where the callback ends the training, always */
    int64_t keep;   /* also one of its own, epoch-0010.safetensors, every so
                       many epochs; 0: none */
    int32_t resume; /* not 0: from last.safetensors, if it is there. Its model,
                       data, seed and batch must be these: NN_ERR_ARGUMENT,
                       NN_ERR_SHAPE say what differs */
    int32_t overwrite; /* not 0: from the beginning, whatever is there */
} nncc_checkpoints;

/* Makes the folder. NN_ERR_FILE where that cannot be, or it has the
 * last.safetensors of an earlier training and neither `resume` nor `overwrite`
 * says what is to become of it. nncc_train begins with it. c may be null. */
int nncc_checkpoints_begin(const nncc_checkpoints *c);

/* The order of an epoch's rows. */
enum nncc_order_kind {
    NNCC_ORDER_SHUFFLED = 0, /* another in each epoch, by the seed */
    NNCC_ORDER_KEPT = 1,     /* as in the data set */
    /* As many streams as a batch has rows: row k of a batch follows, in the
     * data set, on row k of the batch before, and what the loss carries on
     * begins anew with each epoch (truncated back-propagation through time).
     * Rows that fill no batch in the end are left out. */
    NNCC_ORDER_STREAMS = 2
};

/* Several processes that train together, each with batches of its own:
 * nncc_train is called in all of them at once, on the same model, data and
 * options. What comes out is, to the last bit, what one process makes with
 * `accumulate` set to `count` times what it is here. Of each `count` batches in
 * a row number r goes to the process of rank r; each adds up a part of all
 * gradients, in the order of the ranks, and makes the update for itself. Only
 * rank 0 reads and writes checkpoints. A failure of one is one of all, "rank 2:
 * ...", as long as they can tell each other. Each train item must have
 * `accumulate` and a loss that does not look at what it carries on. With
 * NNCC_NAN_SKIP a rank without a gradient is left out.
 *
 * The functions are those of MPI, or of anything like it (runtime/mpi/mpi.c);
 * all ranks call the same ones in the same order; what they return is 0, or
 * else ends the training. */
typedef struct nncc_ranks {
    int32_t rank, count; /* 0 ... count - 1; 1: a process alone */
    /* Not 0: threads other than the one that called nncc_train may call them,
     * one at a time. Where `accumulate` lets several gradients come before an
     * update one is then sent while the next is made. */
    int32_t any_thread;
    int32_t reserved;
    void *context;
    /* bytes of each rank, in their order, to all: count * bytes at `to`. */
    int (*gather)(void *context, const void *from, size_t bytes, void *to);
    /* Part i of count parts of so many bytes to rank i: `to` gets this rank's
     * part of each rank, in their order. */
    int (*exchange)(void *context, const void *from, size_t bytes, void *to);
    /* Bytes of rank 0 to all others. */
    int (*broadcast)(void *context, void *at, size_t bytes);
} nncc_ranks;

typedef struct nncc_train_options {
    int64_t epochs; /* 0: initialise and evaluate only */
    int64_t batch;  /* rows of a step; 0: 32, or as the model is compiled */
    uint64_t seed;  /* of the initial parameters and of the shuffles */
    const nncc_setting *setting; /* over the module's defaults */
    int32_t nsetting;
    int32_t keep_order; /* enum nncc_order_kind */
    /* Called on events; a result other than 0 ends the training early, which is
     * no error. May be null. */
    int (*progress)(void *context, const nncc_progress *p);
    void *context;
    const nn_exec *exec;           /* may be null */
    const nncc_schedule *schedule; /* may be null; nschedule of them */
    /* Not 0: training ends when so many evaluations on the test set in a row
     * gave nothing better, and the parameters become those of the best one. */
    int64_t patience;
    /* Not 0: from the parameters (and what else step updates) that m has, of
     * nncc_prepare, nncc_load or an earlier training, instead of fresh ones. */
    int32_t keep;
    int32_t nschedule;                   /* 0: one, if schedule is not null */
    const nncc_checkpoints *checkpoints; /* may be null */
    int64_t steps;                       /* not 0: so many instead of epochs */
    int64_t evaluate_steps; /* not 0: the test set is evaluated every so many
                               steps, and not after epochs */
    const char *best;       /* the metric of which the best is meant; null: the
                               test loss */
    double
        average; /* not 0: after a step the running mean of what is trained
                    moves towards it by 1 less this, at first by more: 9 / (10
                    + steps made). The mean is what is evaluated and what
                    remains in the end */
    int32_t best_largest;    /* not 0: the largest `best` is */
    int32_t on_nan;          /* enum nncc_on_nan */
    const nncc_ranks *ranks; /* may be null: a process alone */
} nncc_train_options;

#define NNCC_TRAIN_DEFAULTS                                                    \
    {10, 0, 0,    NULL, 0, 0,    NULL, NULL, NULL, NULL, 0,                    \
     0,  0, NULL, 0,    0, NULL, 0,    0,    0,    NULL}

typedef struct nncc_train_result {
    int64_t epochs, steps; /* done */
    int64_t best_epoch;    /* whose parameters these are: the last, unless
                              patience asks for the best */
    int32_t stopped;       /* the callback ended it */
    int32_t out_of_patience;
    int32_t has_test;  /* test_loss is known */
    int32_t nmetric;   /* entries of test_metric that are known */
    double train_loss; /* mean over the rows of the last epoch, each at the
                          time of its step; with 0 epochs of all rows */
    double test_loss;
    double test_metric[NNCC_MAX_METRICS];
    double seconds; /* of training, evaluation at epochs' ends included */
    double item_loss[NNCC_MAX_ITEMS]; /* train_loss of each `train` item */
    int64_t skipped;                  /* steps that were not made */
} nncc_train_result;

/* The `train` items of m, in the order of the program: their names. A training
 * makes rounds: of each item in turn so many steps as it says, the first on the
 * first batch of the round and so on, so that a round has as many batches as
 * the most of them. Where gradients are added up, each of these steps is an
 * update and takes as many batches. `steps` of progress and result are rounds,
 * `loss` is that of the first item. 0 and null where there is none. */
int nncc_item_count(const nncc_model *m);
const char *nncc_item_name(const nncc_model *m, int i);

/* What evaluate gives besides the loss, in order; of further items the loss,
 * under the item's name, and what their evaluate gives besides. 0 and null
 * where m is not trained by a `train` item, or i is none. */
int nncc_metric_count(const nncc_model *m);
const char *nncc_metric_name(const nncc_model *m, int i);
/* A metric that is a tensor of reals, such as a matrix of confusions, is none
 * of these: of those it is number i, from 0, and the mean over the rows of the
 * last evaluation (f64), valid until the next one. NN_ERR_NAME where there is
 * none. */
int nncc_metric_tensor(const nncc_model *m, int i, const char **name,
                       const nncc_tensor **mean);

/* Trains from fresh parameters. Features go to the data parameter that is real
 * (of two, the one of higher rank, or the first), reading a row as the
 * parameter's axes after the first, row-major; labels to the other one, if
 * there is one. The last batch of an epoch may be smaller (where the module is
 * compiled for one batch size it is filled up from the epoch's first rows).
 * test may be null. The trained parameters stay in m: nncc_params,
 * nncc_evaluate. result may be null. NN_ERR_NAME where m has no training
 * functions or no such setting, NN_ERR_SHAPE where the data does not fit the
 * model, NN_ERR_DATA and NN_ERR_INDEX for a label that does not, with its line,
 * NN_ERR_DIVERGED, NN_ERR_ARGUMENT, NN_ERR_MEMORY. After a failure while
 * training m keeps the parameters as they were then. */
int nncc_train(nncc_model *m, const nncc_train_options *o,
               const nncc_data *train, const nncc_data *test,
               nncc_train_result *result);

/* The arguments of the last step of m whose loss or gradient was not finite, by
 * their names ("net.hidden.W", "x"); the text "function" is the step's name,
 * "dim.b" the size b. Valid until the next nncc_train of m. NN_ERR_ARGUMENT
 * where there was none. */
int nncc_stopped_step(const nncc_model *m, const nncc_store **out);
/* In the callback of a training of m: the same of the last step of `train` item
 * number `item`, with what it has updated as it is now; to be freed.
 * NN_ERR_ARGUMENT, NN_ERR_MEMORY. */
int nncc_last_step(const nncc_model *m, int item, nncc_store **out);

/* Fresh parameters for m, as nncc_train begins with; of o those that matter
 * there (seed, setting, batch). d: the data that m is for, which sizes follow
 * from. Errors as nncc_train. */
int nncc_prepare(nncc_model *m, const nncc_train_options *o,
                 const nncc_data *d);

/* Parameters of m (after nncc_prepare or nncc_train) from tensors of the same
 * names and shapes: "net.hidden.W", or without "net." where name says that it
 * is of net. name: the parameter of a step that is meant; null: all. Reals are
 * converted. missing, if not null, becomes the names, a line each, of what s
 * does not have, which stays as it is: to be freed. NN_ERR_NAME where s has
 * nothing of it, NN_ERR_SHAPE, NN_ERR_TYPE with all that differ, after which m
 * is as before. */
int nncc_load(nncc_model *m, const char *name, const nncc_store *s,
              char **missing);
/* The other way: the parameter (null: all of the model, which is what is
 * trained, frozen and carried on by the losses), and what was fitted to the
 * data. */
int nncc_params_store(nncc_model *m, const char *name, nncc_store *s);

/* Calls f, which takes what was trained and rows of features, on all rows of d;
 * *out gets its one result, whose first axis is that of the rows. To be freed
 * with nncc_tensor_free. batch: 0 for that of the training. Errors as
 * nncc_train; NN_ERR_ARGUMENT where f gives anything else. */
int nncc_predict(nncc_model *m, const nn_function *f, const nncc_data *d,
                 int64_t batch, const nn_exec *exec, nncc_tensor **out);

/* Loss and metrics of m's parameters on a data set: means over batches weighted
 * by their rows. metric: nncc_metric_count(m) numbers. Either may be null.
 * batch: 0 for that of the training. A data set for a model compiled for one
 * batch size must be a multiple of it. Errors as nncc_train; NN_ERR_ARGUMENT
 * where m was not trained or d is empty. */
int nncc_evaluate(nncc_model *m, const nncc_data *d, int64_t batch,
                  const nn_exec *exec, double *loss, double *metric);

/* The trained parameters: their port in `step`, the block of port->bytes that
 * is the generated header's struct of that type (null where the struct has no
 * fixed size), and their leaves as tensors (port->nleaf of them) over memory
 * of the handle's, valid until the next nncc_train or nncc_close. Each out
 * parameter may be null. NN_ERR_ARGUMENT where m was not trained. */
int nncc_params(nncc_model *m, const nn_port **port, void **block,
                const nncc_tensor **leaf);
/* The same of any parameter that `step` updates, such as what the loss carries
 * on, by its name. NN_ERR_NAME where there is none. */
int nncc_state(nncc_model *m, const char *name, const nn_port **port,
               void **block, const nncc_tensor **leaf);

/* least_squares.c, lbfgs.c, newton.c: solvers over functions of a module. What
 * is solved for are the parameters that a function was differentiated by: all
 * their reals are one vector, in f64 whatever the module computes in. */

enum nncc_solve_end {
    NNCC_SOLVE_CONVERGED = 0,  /* to within the tolerance */
    NNCC_SOLVE_ITERATIONS = 1, /* as many as were allowed were not enough */
    NNCC_SOLVE_STUCK = 2,      /* no step makes it better, maybe as roundoff is
                                  what is left */
    NNCC_SOLVE_STOPPED = 3     /* the callback ended it */
};

typedef struct nncc_solve_result {
    int32_t end; /* enum nncc_solve_end */
    int32_t reserved;
    int64_t iterations, calls; /* calls of functions of the module */
    int64_t unknowns;          /* elements of the vector */
    double value;              /* of the function; sum of the squares */
    double gradient; /* its length; of least squares the largest cosine
                        between residuals and a column of the matrix */
} nncc_solve_result;

typedef struct nncc_solve_options {
    int64_t iterations; /* at most; 0: 1000 */
    /* nncc_minimise: the length of the gradient divided by that of the vector,
     * or by 1 if that is more; 0: 1e-8. nncc_least_squares: the cosine, or the
     * length of a step divided by that of the vector; 0: 1e-10. Where what is
     * solved for is f32 0 is 1e-4. */
    double tolerance;
    /* Called after each iteration; a result other than 0 ends it. May be null.
     */
    int (*progress)(void *context, const nncc_solve_result *now);
    void *context;
    const nn_exec *exec; /* may be null */
} nncc_solve_options;

#define NNCC_SOLVE_DEFAULTS {0, 0, NULL, NULL, NULL}

/* Minimises f, of which value_and_grad gives value and gradient. leaf: its
 * arguments, in the order of `call`: those that it is differentiated by are
 * where to begin and become the solution, whatever ended it. hvp: f's Hessian
 * times a vector: by Newton's method in a region of trust, each step by
 * conjugate gradients (Steihaug 1983); null: by L-BFGS (Nocedal 1980). A trial
 * point where f is infinite or not a number is one that is too far. dims: null,
 * or the sizes of value_and_grad's free dimensions, -1 where they follow.
 * o and r may be null. NN_ERR_SHAPE, NN_ERR_TYPE, NN_ERR_ARGUMENT where the
 * functions do not belong together, NN_ERR_NUMBER where f is not finite at the
 * start, NN_ERR_MEMORY, or a status of the functions. */
int nncc_minimise(nncc_model *m, const nn_function *value_and_grad,
                  const nn_function *hvp, nncc_tensor *const *leaf,
                  const int64_t *dims, const nncc_solve_options *o,
                  nncc_solve_result *r);

/* What the data says of a solution of least squares. */
typedef struct nncc_covariance {
    int64_t residuals; /* how many there are */
    double variance; /* of a residual: sum of squares / (residuals - unknowns);
                        NaN where there are not more of them */
    /* [unknowns][unknowns]: the inverse of J'J times the variance. Infinite in
     * the row and column of what the data does not determine. */
    double *matrix;
    int64_t undetermined; /* the first such, or -1 */
} nncc_covariance;

/* Makes the sum of the squares of what `residuals` gives, one tensor of reals,
 * least, by the method of Levenberg and Marquardt (steps scaled as in More
 * 1978, damping as in Nielsen 1999). jacobian: of residuals, by what is solved
 * for. leaf: the arguments of residuals, as of nncc_minimise. absolute: not 0:
 * the residuals are divided by their known deviations, so their variance is 1.
 * c, if not null, gets the covariance: c->matrix is to be freed with free().
 * Errors as nncc_minimise. */
int nncc_least_squares(nncc_model *m, const nn_function *residuals,
                       const nn_function *jacobian, nncc_tensor *const *leaf,
                       const int64_t *dims, int absolute,
                       const nncc_solve_options *o, nncc_solve_result *r,
                       nncc_covariance *c);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
