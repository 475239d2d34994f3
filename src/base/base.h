/* base.h: arenas, interned names, growing arrays, sources, diagnostics.
 *
 * Lifetimes: whatever comes from an arena lives until arena_free. Nothing in
 * this compiler is freed one by one. */
#ifndef NNCC_BASE_H
#define NNCC_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* die.c */

/* Ours, not the user's: print file, line and message, then abort. */
_Noreturn void die_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define die(...) die_at(__FILE__, __LINE__, __VA_ARGS__)

/* arena.c */

typedef struct Arena Arena;

Arena *arena_new(void); /* never NULL */
void arena_free(Arena *a);
/* Zeroed memory, aligned to 16 bytes; never NULL. */
void *arena_alloc(Arena *a, size_t bytes);
void *arena_copy(Arena *a, const void *from, size_t bytes);
/* Nobody uses p any more, which came from arena_alloc. Its memory is returned
 * where it is a large block: tables that grow leave others behind. */
void arena_drop(Arena *a, void *p);
char *arena_printf(Arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(Arena *a, const char *fmt, va_list ap);
size_t arena_used(const Arena *a);

#define NEW(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define NEWN(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

/* A growing array in an arena: LIST(T) is { T *at; int n, cap; }. Growing
 * moves the elements, so keep indices rather than pointers into it. */
#define LIST(T)                                                                \
    struct {                                                                   \
        T *at;                                                                 \
        int n, cap;                                                            \
    }
#define list_push(a, l, v)                                                     \
    ((l)->n == (l)->cap ? (void)((l)->at = list_grow((a), (l)->at, &(l)->cap,  \
                                                     sizeof *(l)->at))         \
                        : (void)0,                                             \
     (l)->at[(l)->n++] = (v))
void *list_grow(Arena *a, void *at, int *cap, size_t size);

/* A growing string in an arena; .at is always NUL-terminated once touched. */
typedef struct Str {
    Arena *arena;
    char *at;
    size_t n, cap;
} Str;
Str str_new(Arena *a);
void str_printf(Str *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void str_add(Str *s, const char *bytes, size_t n);
void str_json(Str *s, const char *text); /* "text", in JSON or TOML */
/* "'a', 'b' or 'c'": each word between `before` and `after`, `last` in front of
 * the last one. */
void str_words(Str *s, int n, const char *const *word, const char *before,
               const char *last, const char *after);
/* "[2, 3]"; of none nothing. And where an element of a tensor of those sizes is
 * by its number. */
void str_sizes(Str *s, int n, const int64_t *at);
void str_element(Str *s, int rank, const int64_t *size, int64_t number);
/* What is left in f, of which up to limit + 1 bytes, so that more shows; never
 * NULL. */
char *read_stream(Arena *a, FILE *f, size_t limit, size_t *n);
/* The number with the fewest digits, but at least so many, that read back as v,
 * or as the same f32. */
char *real_digits(Arena *a, double v, bool f32, int least);

/* map.c */

/* A hash table: what was put under a hash. It knows no keys, the user compares;
 * zeroed it is empty. To find, and then to add what is new:
 *
 *     for (size_t seen = 0; (x = map_next(&m, hash, &seen));)
 *         if (x is the one)
 *             return x;
 *     map_put(arena, &m, hash, x = …);
 *
 * Numbers from 0 up are put and found in the same way; no more is -1. */
typedef struct MapSlot MapSlot;
typedef struct Map {
    MapSlot *slot;
    size_t cap, n; /* cap: 0 or a power of two */
    uint32_t epoch;
} Map;
void map_put(Arena *a, Map *m, uint64_t hash, void *what);
void *map_next(const Map *m, uint64_t hash, size_t *seen);
void map_put_int(Arena *a, Map *m, uint64_t hash, int i);
int map_next_int(const Map *m, uint64_t hash, size_t *seen);
void map_clear(Map *m); /* costs nothing, however large the map */
/* One in which each address stands for something: what it does, NULL (of ints
 * -1) where that was never set. A map is used in one of the two ways. */
void map_set(Arena *a, Map *m, const void *key, void *what);
void *map_of(const Map *m, const void *key);
void map_set_int(Arena *a, Map *m, const void *key, int i);
int map_of_int(const Map *m, const void *key);

/* Hashes, from h on (start with HASH_SEED): of n bytes (FNV-1a), of a number,
 * of an address. The last differ from run to run: they find, and order
 * nothing. */
#define HASH_SEED UINT64_C(14695981039346656037)
uint64_t hash_bytes(uint64_t h, const void *p, size_t n);
uint64_t hash_mix(uint64_t h, uint64_t v);
uint64_t hash_pointer(uint64_t h, const void *p);

/* heap.c */

/* Numbers, of which the smallest is taken first; zeroed it is empty. */
typedef LIST(int) Heap;
void heap_push(Arena *a, Heap *h, int v);
int heap_pop(Heap *h); /* of one that is not empty */

/* intern.c */

/* One pointer for each distinct string, for the life of the table: compare
 * names with ==. */
typedef struct Intern Intern;
Intern *intern_new(Arena *a);
const char *intern(Intern *t, const char *s);
const char *intern_n(Intern *t, const char *s, size_t n);

/* diag.c: sources and what is wrong with them */

/* Byte offsets into all loaded sources laid end to end; beg == end == 0 is
 * "nowhere". */
typedef struct Span {
    uint32_t beg, end;
} Span;

typedef struct Source {
    const char *path; /* as the user wrote it; "<std>/nn.nn" when embedded */
    const char *text; /* NUL-terminated */
    uint32_t len, base;
} Source;

typedef struct Diags Diags;

Diags *diags_new(Arena *a);
/* Register a text; spans of it start at the result's base. */
const Source *diags_source(Diags *d, const char *path, const char *text,
                           size_t len);
const Source *diags_source_of(const Diags *d, Span s);
/* Each in the order in which they came; NULL behind the last. */
const Source *diags_source_at(const Diags *d, int i);
/* "y[t - 1]": what stands there, shortened, in one line. */
const char *source_text(Arena *a, const Source *s, Span at);
/* 1-based line and column (in characters) of s.beg. */
void diags_position(const Diags *d, Span s, int *line, int *column);
/* "m.nn:2:7", or without the column; NULL: nowhere. */
const char *diags_place(const Diags *d, Arena *a, Span s, bool column);

/* Record an error; kind is its short stable name ("shape-mismatch"). An error
 * at the same place with the same text is recorded once. */
void diag(Diags *d, Span at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Add to the last error: a text under a place (the first place's own text is
 * given with its own span), a line "= text", a second place with a message. */
void diag_label(Diags *d, Span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void diag_detail(Diags *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void diag_note(Diags *d, Span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

int diags_errors(const Diags *d);
/* The same sources without the errors. */
Diags *diags_fork(Arena *a, const Diags *d);
/* The first error's text, or NULL. */
const char *diags_first(const Diags *d);
/* All that is recorded, in the order of sources and places, at most 20 errors
 * and then how many more. */
void diags_print(const Diags *d, FILE *to, bool colour);

/* write.c: all of the n bytes; false, errno saying why. */
bool write_all(int fd, const char *bytes, size_t n);

/* The name among n nearest to `name` (edit distance at most a third of its
 * length; of several, the one with the longer common start), or NULL: for "did
 * you mean". */
const char *nearest_name(const char *name, const char *const *among, int n);

#endif
