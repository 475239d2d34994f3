/* nn_files.h: files as a whole and numbers in them. */
#ifndef NN_FILES_H
#define NN_FILES_H

#include "nn.h"

#include <stdbool.h>

/* input.c: files as a whole */

struct gzFile_s; /* a gzFile of zlib is a pointer to it */

typedef struct nncc_bytes {
    unsigned char *at; /* to be freed */
    size_t n;
} nncc_bytes;

/* All of a file, unzipped where it is gzipped, of at most `most` bytes. */
int nncc_read_all(const char *path, uint64_t most, nncc_bytes *out);
/* Is so much made of so little that it must be meant to fill memory? */
bool nncc_is_bomb(uint64_t unpacked, uint64_t packed);
int nncc_refuse_bomb(const char *path);
/* Exactly n bytes of the open file from byte `at` on; path is for messages. */
int nncc_read_at(const char *path, int fd, uint64_t at, void *to, size_t n);
/* NN_OK where a file ended well whose last gzread gave `got`. */
int nncc_gz_ended(struct gzFile_s *gz, int got, const char *path);
/* Its first bytes, at most n; how many. 0 where it is no readable file. */
int nncc_read_start(const char *path, unsigned char *to, int n);
/* How many it has, as it lies there; 0: it is no regular file. *packed: is it
 * gzipped? */
uint64_t nncc_file_bytes(const char *path, bool *packed);

/* format.c: numbers as they lie in files */

/* Integers, with or without a sign, IEEE numbers, or the upper halves of such
 * of 4 bytes (bfloat16). */
typedef struct nncc_format {
    char kind; /* 'b' 'i' 'u' 'f' 'g' */
    int bytes; /* 1, 2, 4, 8 */
    bool big;  /* the first byte is the highest */
} nncc_format;
/* The dtype that holds such elements; -1: there is none. */
int nncc_format_dtype(nncc_format f);
/* n elements as doubles. */
void nncc_format_numbers(nncc_format f, const unsigned char *from, int64_t n,
                         double *to);
/* n elements as those of a tensor whose dtype holds them. */
void nncc_format_copy(nncc_format f, const unsigned char *from, int64_t n,
                      const nncc_tensor *to);

/* npy.c, npz.c: arrays as bytes */

typedef struct nncc_layout {
    nncc_format format;
    int rank;
    int64_t size[NNCC_MAX_RANK];
    size_t at;    /* where the elements begin */
    bool columns; /* the first index goes fastest */
} nncc_layout;

/* Do these first bytes begin an IDX or .npy file, or a .npz file? */
bool nncc_is_array(const unsigned char *start, size_t n);
bool nncc_is_npz(const unsigned char *start, size_t n);
/* What the beginning of a file says; path is for messages. */
int nncc_layout_read(const char *path, const nncc_bytes *b, nncc_layout *h);
/* The elements behind it as a tensor. */
int nncc_layout_take(const char *path, const nncc_bytes *b,
                     const nncc_layout *h, nncc_tensor **out);
/* All arrays and texts of a .npz file. */
int nncc_npz_parse(const char *path, const nncc_bytes *b, nncc_store **out);
/* The same of the file at path, which is gzipped or not; what is large is
 * unpacked into files. */
int nncc_npz_open(const char *path, bool packed, nncc_store **out);

/* bulk.c: arrays that stay in files */

/* Arrays of more bytes are large. */
#define NNCC_LARGE (UINT64_C(64) << 20)

typedef struct nncc_bulk nncc_bulk;
/* The array in the file at path where it is large and lies row by row: its
 * shape, without numbers, and where it is; else *out is NULL. */
int nncc_bulk_open(const char *path, nncc_tensor **shape, nncc_bulk **out);
/* array.c: any array that nncc_array_read reads; *b: where it is instead of in
 * memory, or NULL. */
int nncc_array_open(const char *path, nncc_tensor **t, nncc_bulk **b);
nncc_bulk *nncc_bulk_share(nncc_bulk *b);
void nncc_bulk_free(nncc_bulk *b); /* may be NULL; the last user's frees it */
/* n elements from byte `at` of the open file on, which are there; it becomes
 * the array's. path is for messages. */
int nncc_bulk_of(const char *path, int fd, nncc_format format, int64_t n,
                 uint64_t at, nncc_bulk **out);
/* The same file's array from element `from` on. */
int nncc_bulk_part(const nncc_bulk *b, int64_t from, nncc_bulk **out);
/* Is an array of so many bytes large? */
bool nncc_is_large(uint64_t bytes);
/* Elements at … at + n - 1, which exist. */
int nncc_bulk_numbers(const nncc_bulk *b, int64_t at, int64_t n, double *to);

/* spill.c: what is too much for memory, in a file without a name; path is for
 * messages */

int nncc_spill_file(const char *path, int *fd);
/* Written behind what is there. */
int nncc_spill_bytes(const char *path, int fd, const void *from, size_t n);
/* What is left of a gzipped file, likewise. */
int nncc_spill_gz(struct gzFile_s *gz, const char *path, int fd);
/* All of a gzipped file in a new one; *fd is -1 before. */
int nncc_spill_unzipped(const char *path, int *fd);
/* Where such files are: $TMPDIR or /tmp. */
const char *nncc_spill_folder(void);

/* Numbers in such a file. */
typedef struct nncc_spill {
    const char *path;
    int fd;
    double *buffer; /* those that are not yet written; NULL: not open */
    size_t held;
    int64_t n; /* in all */
} nncc_spill;
int nncc_spill_open(const char *path, nncc_spill *s);
int nncc_spill_put(nncc_spill *s, const double *v, size_t n);
int nncc_spill_get(nncc_spill *s, int64_t at, int64_t n, double *to);
/* All of them as an array; s is to be closed only. */
int nncc_spill_bulk(nncc_spill *s, nncc_bulk **out);
void nncc_spill_close(nncc_spill *s); /* also of zeros, or not opened */

/* A permutation of 0 … n-1 that takes no memory: where i goes is computed. */
enum { NNCC_ROUNDS = 6 };
typedef struct nncc_permutation {
    uint64_t n, key[NNCC_ROUNDS];
    int half;
} nncc_permutation;
void nncc_permutation_new(nncc_permutation *p, uint64_t seed, int64_t n);
int64_t nncc_permute(const nncc_permutation *p, int64_t i);

/* Rows of a data set as rows of another one. */
typedef struct nncc_view {
    int64_t from;
    bool shuffled;
    nncc_permutation order;
    int64_t *row; /* [nrow], or NULL */
    int64_t nrow;
    struct nncc_view *under; /* or NULL */
} nncc_view;
int64_t nncc_view_row(const nncc_view *v, int64_t i); /* v may be NULL */
/* All rows of d, to be shuffled: v->row, to be freed, is room for a list of
 * them; not where data are in files, as the list may be large itself. */
int nncc_view_begin(const nncc_data *d, nncc_view *v);
void nncc_view_shuffle(nncc_view *v, uint64_t seed);
int nncc_view_copy(const nncc_view *v, nncc_view **out);
void nncc_view_free(nncc_view *v);

/* n rows of m elements each, row i being that which v tells. */
void nncc_copy_rows(int dtype, const void *from, int64_t step,
                    const nncc_view *v, int64_t n, int64_t m, void *to);
/* d's fields of to->n such rows. */
int nncc_fields_subset(const nncc_data *d, const nncc_view *v, nncc_data *to);

/* The n rows of d that v tells. */
int nncc_data_see(const nncc_data *d, const nncc_view *v, int64_t n,
                  nncc_data **out);

#endif
