/* hardware.h: what machines have, in numbers: all that is chosen by the machine
 * follows from these and from blocks.h. */
#ifndef NNCC_HARDWARE_H
#define NNCC_HARDWARE_H

#include "base/base.h"

/* Of data: what a core has for itself, of what cores share its part. 0: there
 * is none, or it is not known. */
typedef struct Caches {
    int l1, l2, l3; /* KiB */
} Caches;

typedef struct Hardware {
    int vector_bytes;   /* 0: none; 16, 32 or 64 */
    int registers;      /* of vectors: 16 or 32 */
    bool fma, wide_fma; /* fused multiply-add of f32, of f64 */
    bool masks;         /* masked loads and stores are cheap */
    bool wide_sizes;    /* size_t has 64 bits */
    bool small;         /* the least code rather than the fastest */
    Caches cache;
} Hardware;

/* How many elements of so many bytes are a vector; 1 where there are none. */
int hardware_lanes(const Hardware *h, int bytes);
/* A part of a vector is loaded and stored by one instruction. */
bool hardware_masks(const Hardware *h);
/* Its numbers for people. */
void hardware_text(const Hardware *h, Str *to);

/* What CPUs of an architecture have that are known by name. */
typedef struct Level {
    const char *name;
    const char *features; /* by which others are seen to have it, */
    const char *rest;     /* and what else code for it may use */
    int vector_bytes, registers;
    bool fma, masks, rounding;
} Level;
typedef struct CpuRow {
    const char *name;
    int level;
    Caches cache;
} CpuRow;
/* Levels of x86-64, from the lowest, and its CPUs; the last has no name. */
enum { X86_LEVELS = 4 };
extern const Level x86_level[X86_LEVELS];
extern const CpuRow x86_cpu[];
/* The row of that name, or NULL. */
const CpuRow *cpu_row(const CpuRow *all, const char *name);

#endif
