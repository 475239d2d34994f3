/* archive.h: members of a zip file in memory: PKWARE's APPNOTE 6.3, of its
 * methods 0 (as it is) and 8 (deflated), with 64-bit sizes; not encrypted, in
 * one part.
 */
#ifndef NNCC_ARCHIVE_H
#define NNCC_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An archive that is read, in the order of its directory. */
typedef struct nncc_zip {
    const unsigned char *at, *next; /* of it; of the directory's next entry */
    uint64_t n, directory;          /* bytes; where the directory begins */
    uint64_t count;                 /* members that are left */
} nncc_zip;

typedef struct nncc_member {
    char *name; /* to be freed */
    uint64_t size, packed, offset;
    uint32_t crc;
    unsigned method;
    bool encrypted;
} nncc_member;

/* What is wrong, or NULL; the bytes are to stay. */
const char *nncc_zip_open(nncc_zip *z, const unsigned char *at, size_t n);
/* The next member, of which there is one: its entry in the directory. */
const char *nncc_zip_next(nncc_zip *z, nncc_member *m);
/* Its bytes, to `to`, which has room for m->size. */
const char *nncc_zip_unpack(const nncc_zip *z, const nncc_member *m,
                            unsigned char *to);

/* An archive that is made: its members, as they are, then the directory. */
typedef struct nncc_zipped {
    unsigned char *at;
    size_t n, cap;
} nncc_zipped;
typedef struct nncc_zipping {
    nncc_zipped file, directory;
    uint64_t count;
    bool failed; /* out of memory */
} nncc_zipping;

void nncc_zip_add(nncc_zipping *z, const char *name, const void *bytes,
                  size_t n);
/* The whole archive is then file; directory is freed. */
void nncc_zip_end(nncc_zipping *z);

#endif
