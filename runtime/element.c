/* element.c: numbers as elements of a dtype, and back: for every number of
 * every batch, so that it is compiled with -O3 (see the Makefile). */
#include "nn_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool nncc_is_real(int dtype) { return dtype == NN_F32 || dtype == NN_F64; }

void nncc_load_numbers(int dtype, const void *from, int64_t at, int64_t n,
                       double *to)
{
    switch ((enum nn_dtype)dtype) {
    case NN_BOOL:
    case NN_U8:
        for (int64_t i = 0; i < n; i++)
            to[i] = ((const uint8_t *)from)[at + i];
        break;
    case NN_I32:
        for (int64_t i = 0; i < n; i++)
            to[i] = ((const int32_t *)from)[at + i];
        break;
    case NN_KEY:
    case NN_I64:
        for (int64_t i = 0; i < n; i++)
            to[i] = (double)((const int64_t *)from)[at + i];
        break;
    case NN_F32:
        for (int64_t i = 0; i < n; i++)
            to[i] = (double)((const float *)from)[at + i];
        break;
    case NN_F64:
        memcpy(to, (const double *)from + at, (size_t)n * sizeof *to);
        break;
    }
}

void nncc_store_numbers(int dtype, void *to, int64_t at, int64_t n,
                        const double *v)
{
    switch ((enum nn_dtype)dtype) {
    case NN_BOOL:
        for (int64_t i = 0; i < n; i++)
            ((uint8_t *)to)[at + i] = v[i] != 0;
        break;
    case NN_U8:
        for (int64_t i = 0; i < n; i++)
            ((uint8_t *)to)[at + i] = (uint8_t)v[i];
        break;
    case NN_I32:
        for (int64_t i = 0; i < n; i++)
            ((int32_t *)to)[at + i] = (int32_t)v[i];
        break;
    case NN_I64:
        for (int64_t i = 0; i < n; i++)
            ((int64_t *)to)[at + i] = (int64_t)v[i];
        break;
    case NN_F32:
        for (int64_t i = 0; i < n; i++)
            ((float *)to)[at + i] = (float)v[i];
        break;
    case NN_F64:
        memcpy((double *)to + at, v, (size_t)n * sizeof *v);
        break;
    case NN_KEY:
        for (int64_t i = 0; i < n; i++)
            ((uint64_t *)to)[at + i] = (uint64_t)v[i];
        break;
    }
}

enum { AHEAD = 4 }; /* rows */

/* Rows lie anywhere: what will be read is asked for. */
static void fetch(const char *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch(from + i);
}

/* A factor in two parts, the first of which gives exact products with bytes: so
 * the sum of both products is rounded as if there were one. */
typedef struct Factor {
    float high, low;
} Factor;

static Factor in_parts(double factor)
{
    Factor f = {.high = (float)factor};
    uint32_t bits;

    memcpy(&bits, &f.high, sizeof bits);
    bits &= ~UINT32_C(0xff);
    memcpy(&f.high, &bits, sizeof bits);
    f.low = (float)(factor - f.high);
    return f;
}

static inline float times(uint8_t v, Factor f)
{
    return v * f.high + v * f.low;
}

/* Are all products the same numbers as by way of doubles? Low parts are rounded
 * too, which may turn a sum that is close to half way. */
static bool is_exact(Factor f, double factor)
{
    int others = 0;

    for (int v = 0; v <= UINT8_MAX; v++)
        others += times((uint8_t)v, f) != (float)(v * factor);
    return others == 0;
}

static void scale_bytes(const uint8_t *restrict from, int64_t n, Factor f,
                        float *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = times(from[i], f);
}

bool nncc_convert_rows(const nncc_rows *r, const int64_t *row, int64_t n,
                       int dtype, void *to)
{
    size_t size = nncc_dtype_bytes(r->dtype), bytes = size * (size_t)r->m;
    bool same = r->dtype == dtype && r->factor == 1;
    Factor f = in_parts(r->factor);

    if (!same &&
        (r->dtype != NN_U8 || dtype != NN_F32 || !is_exact(f, r->factor)))
        return false;
    for (int64_t i = 0; i < n; i++) {
        const char *from = (const char *)r->at;
        if (i + AHEAD < n)
            fetch(from + (size_t)(row[i + AHEAD] * r->step) * size, bytes);
        from += (size_t)(row[i] * r->step) * size;
        if (same)
            memcpy((char *)to + (size_t)i * bytes, from, bytes);
        else
            scale_bytes((const uint8_t *)from, r->m, f, (float *)to + i * r->m);
    }
    return true;
}

void nncc_scale_numbers(double *v, int64_t n, double factor)
{
    for (int64_t i = 0; i < n; i++)
        v[i] *= factor;
}

int64_t nncc_find_unheld(int dtype, const double *v, int64_t n)
{
    int64_t i = 0;

    if (dtype == NN_F32) /* most there is to look at */
        while (i < n && fabs(v[i]) <= FLT_MAX)
            i++;
    while (i < n && nncc_holds(dtype, v[i]))
        i++;
    return i;
}

bool nncc_holds(int dtype, double v)
{
    switch ((enum nn_dtype)dtype) {
    case NN_BOOL:
        return v == 0 || v == 1;
    case NN_U8:
        return v >= 0 && v <= UINT8_MAX && v == floor(v);
    case NN_I32:
        return v >= INT32_MIN && v <= INT32_MAX && v == floor(v);
    case NN_I64:
        return fabs(v) <= 9007199254740992.0 && v == floor(v);
    case NN_F32:
        return fabs(v) <= FLT_MAX;
    case NN_F64:
        return isfinite(v);
    case NN_KEY:
        return false;
    }
    return false;
}
