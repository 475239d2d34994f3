/* pieces.c: kernels cut into pieces for threads. */
#include "choose/choose.h"

/* Not with 32 bits: there a division of sizes is a call of a library. */
bool has_pieces(const Hardware *h) { return !h->small && h->wide_sizes; }

/* Pieces begin where full vectors do, or tiles. */
static int grain_of(const Kernel *k)
{
    if (k->kind == KERNEL_map)
        return k->rank == 1 && k->lanes ? PIECE_LANES : 1;
    return k->kind == KERNEL_contract && !k->contract->nbatch ? PIECE_ROWS : 1;
}

PieceSchedule piece_schedule(const Hardware *h, const Kernel *k)
{
    int rooms = k->contract ? k->contract->rooms : 0;
    PieceSchedule p = {1, grain_of(k), piece_work};
    if (k->parallel && has_pieces(h))
        p.most = rooms ? rooms : MOST_PIECES;
    return p;
}
