/* blocks.h: sizes that code for all machines shares, as the workspace's layout
 * and the order of sums follow from them. */
#ifndef NNCC_BLOCKS_H
#define NNCC_BLOCKS_H

/* What most machines with caches have at least (see hardware.c), in bytes. */
enum { COMMON_L1 = 32 << 10, COMMON_L2 = 256 << 10, COMMON_L3 = 2 << 20 };
enum { CACHE_LINE = 64, PAGE = 4096, MOST_BYTES = 8 /* of an element */ };

/* Rows that tiles of any machine come out even with: they have 4, 6 or 8. */
enum { PIECE_ROWS = 24 };

/* Of a product a[m,k] · b[k,n]: so much of k is added up in registers, as half
 * of the first cache has of a panel of b, a line wide: the other half is for a
 * and the result. */
enum { K_BLOCK = COMMON_L1 / 2 / CACHE_LINE };
/* For so many rows at a time: what they read of a is three quarters of the
 * second cache. */
enum {
    LONG_ROWS =
        COMMON_L2 / 4 * 3 / (K_BLOCK * MOST_BYTES) / PIECE_ROWS * PIECE_ROWS
};
/* There is room for so many columns packed: a core's part of the third cache,
 * of f32. They come in units of what the widest panel has. */
enum { PACK_COLUMNS = COMMON_L3 / (K_BLOCK * 4), PACK_UNIT = 64 };
/* Of a longer k the sums have their rounding errors kept: by then the error of
 * adding blocks is that of adding up one of them. */
enum { LONG_K = 16 * K_BLOCK };

/* A factor that can be read as it is is packed where its contiguous parts are
 * at least so far apart: fewer than four of them, of f32, are in a page. So
 * many of them have to be added up that a page is not met again at once (of a,
 * whose tiles are narrow, more: each needs only a few lines of a page), and the
 * other factor must have rows or columns to use them for more than once. */
enum {
    PACK_STRIDE = PAGE / 4 / 4 + 1,
    PACK_DEPTH = 16,
    PACK_A_DEPTH = K_BLOCK / 2,
    PACK_FROM = LONG_ROWS + 1
};

/* A kernel's first loop may be run in pieces, so many at most, each of that
 * many instructions at least: some 25 µs, of which telling a thread takes a
 * few. So many products of matrices count as one instruction, being vectors of
 * two at a time. What is packed has room for fewer pieces. They begin at
 * multiples of a line's elements, of any size, where iterations are lanes, or
 * of PIECE_ROWS. */
enum { MOST_PIECES = 64, MOST_ROOMS = 8, PIECE_LANES = CACHE_LINE };
enum { WORK_PIECE = 1 << 18, WORK_PRODUCTS = 4 };

#endif
