/* cache.h: machine code that was made before, by a hash of what it was made
 * from: files in a folder of the user's. Nothing here fails: what cannot be
 * read or written, or is not as it was written, is not there. Several processes
 * and threads may use one folder. */
#ifndef NNCC_CACHE_H
#define NNCC_CACHE_H

#include "base/base.h"

/* hash.c: SipHash-2-4, of 128 bits, of all bytes that are added. */
typedef struct Hash {
    uint64_t v[4];
    uint64_t tail; /* the last n % 8 bytes */
    uint64_t n;
} Hash;
typedef struct HashSum {
    uint64_t word[2];
} HashSum;
Hash hash_new(void);
void hash_add(Hash *h, const void *bytes, size_t n);
void hash_text(Hash *h, const char *text); /* and where it ends */
HashSum hash_sum(const Hash *h);

/* cache.c */

typedef struct Cache {
    const char *folder; /* NULL: there is none */
    Hash hash;          /* what every key begins with */
} Cache;
/* $NNCC_CACHE, unless that is "off" or empty; $XDG_CACHE_HOME/nncc;
 * ~/.cache/nncc. Keys are of this very program. */
Cache cache_open(Arena *a);
/* What was put there, in a; or NULL. */
char *cache_get(const Cache *c, Arena *a, HashSum key, size_t *n);
/* Sometimes the oldest are removed then, so that all stay below CACHE_BYTES. */
void cache_put(const Cache *c, Arena *a, HashSum key, const char *bytes,
               size_t n);
#define CACHE_BYTES (INT64_C(256) << 20)
/* Removes what was used least lately until at most so many bytes are left. */
void cache_shrink(const Cache *c, Arena *a, int64_t most);

#endif
