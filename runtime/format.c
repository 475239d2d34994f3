/* format.c: numbers as they lie in files. */
#include "nn_internal.h"

#include <string.h>

int nncc_format_dtype(nncc_format f)
{
    switch (f.kind) {
    case 'b':
        return f.bytes == 1 ? NN_BOOL : -1;
    case 'u':
        return f.bytes == 1 ? NN_U8 : f.bytes == 2 ? NN_I32 : NN_I64;
    case 'i':
        return f.bytes == 8 ? NN_I64 : NN_I32;
    case 'g':
        return NN_F32;
    case 'f':
        return f.bytes == 2 || f.bytes == 4 ? NN_F32
               : f.bytes == 8               ? NN_F64
                                            : -1;
    }
    return -1;
}

/* Element i, its bytes as one number. */
static uint64_t raw(nncc_format f, const unsigned char *from, int64_t i)
{
    const unsigned char *p = from + i * f.bytes;
    uint64_t v = 0;

    for (int k = 0; k < f.bytes; k++)
        v = v << 8 | p[f.big ? k : f.bytes - 1 - k];
    return v;
}

static int64_t signed_of(nncc_format f, uint64_t v)
{
    uint64_t sign = UINT64_C(1) << (8 * f.bytes - 1);

    if (f.kind == 'i' && f.bytes < 8)
        v = (v ^ sign) - sign;
    return (int64_t)v;
}

/* IEEE 754 binary16. */
static float half_number(uint16_t half)
{
    uint32_t h = half, v;
    uint32_t sign = (h & 0x8000) << 16, e = h >> 10 & 31, m = h & 1023;
    float f = (float)m * 0x1p-24f; /* where e is 0 */

    memcpy(&v, &f, sizeof v);
    if (e != 0)
        v = (e == 31 ? 255 : e + 112) << 23 | m << 13;
    v |= sign;
    memcpy(&f, &v, sizeof f);
    return f;
}

/* A real of at most 4 bytes, which as one number are v. */
static float single_of(nncc_format f, uint32_t v)
{
    float to;

    if (f.kind == 'f' && f.bytes == 2)
        return half_number((uint16_t)v);
    if (f.kind == 'g')
        v <<= 16;
    memcpy(&to, &v, sizeof to);
    return to;
}

/* An element whose bytes as one number are v. */
static double number_of(nncc_format f, uint64_t v)
{
    double wide;

    if (f.kind == 'b')
        return v != 0;
    if (f.kind != 'f' && f.kind != 'g')
        return (double)signed_of(f, v);
    memcpy(&wide, &v, sizeof wide);
    return f.bytes == 8 ? wide : (double)single_of(f, (uint32_t)v);
}

void nncc_format_numbers(nncc_format f, const unsigned char *from, int64_t n,
                         double *to)
{
    if (f.kind == 'u' && f.bytes == 1) {
        for (int64_t i = 0; i < n; i++)
            to[i] = from[i];
        return;
    }
    for (int64_t i = 0; i < n; i++)
        to[i] = number_of(f, raw(f, from, i));
}

/* The same bytes there as here. */
static bool is_native(nncc_format f, int dtype)
{
    return f.kind != 'b' && (!f.big || f.bytes == 1) &&
           (size_t)f.bytes == nncc_dtype_bytes(dtype);
}

void nncc_format_copy(nncc_format f, const unsigned char *from, int64_t n,
                      const nncc_tensor *to)
{
    if (is_native(f, to->dtype)) {
        memcpy(to->data, from, (size_t)n * (size_t)f.bytes);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t v = raw(f, from, i);
        if (to->dtype == NN_BOOL)
            ((uint8_t *)to->data)[i] = v != 0;
        else if (to->dtype == NN_F32)
            ((float *)to->data)[i] = single_of(f, (uint32_t)v);
        else if (to->dtype == NN_I32)
            ((int32_t *)to->data)[i] = (int32_t)signed_of(f, v);
        else if (to->dtype == NN_F64)
            memcpy((double *)to->data + i, &v, sizeof v);
        else
            ((int64_t *)to->data)[i] = signed_of(f, v);
    }
}
