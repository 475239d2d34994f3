/* replay.c: what evaluating a body found out, kept for evaluating it again.
 *
 * A body is evaluated again where the bound of an index came to be known after
 * it was needed, or the type of a literal that a loop starts from. What is
 * inside then finds the same as before and is told so at once; else a body
 * nested n deep would be evaluated 2^n times. */
#include "check/check_internal.h"

enum {
    MAX_AHEAD = 256
}; /* calls that were made before need not be made again */

/* The calls under way: the same text may be reached by several. */
static uint64_t path_of(const Check *c)
{
    uint64_t h = HASH_SEED;

    for (int i = 0; i < c->frame.n; i++) {
        const Frame *f = &c->frame.at[i];

        h = hash_bytes(h, &f->info, sizeof f->info);
        h = hash_bytes(h, &f->span.beg, sizeof f->span.beg);
        h = hash_bytes(h, &f->define, sizeof f->define);
    }
    return h;
}

void attempt_begin(Check *c, const Expr *e, Attempt *a)
{
    Finding f = {.of = e, .path = path_of(c)};

    a->known = (Finding){.of = NULL};
    a->own = c->found.n;
    for (int k = c->replay; k < c->replay_end && k < c->replay + MAX_AHEAD; k++)
        if (c->found.at[k].of == e && c->found.at[k].path == f.path) {
            a->known = c->found.at[k];
            c->replay = k + 1;
            break;
        }
    list_push(c->arena, &c->found, f);
    c->attempts++;
}

void attempt_found(Check *c, const Attempt *a, int nindex, const Index *index,
                   int ninit, const Value *const *init)
{
    Finding *f = &c->found.at[a->own];

    f->index = arena_copy(c->arena, index, sizeof *index * (size_t)nindex);
    if (ninit > 0)
        f->init = arena_copy(c->arena, init, sizeof *init * (size_t)ninit);
}

void attempt_end(Check *c)
{
    if (--c->attempts == 0)
        c->found.n = c->replay = c->replay_end = 0;
}

void replay_begin(Check *c, Attempt *a)
{
    a->replay = c->replay;
    a->replay_end = c->replay_end;
    c->replay = a->own + 1;
    c->replay_end = c->found.n;
}

void replay_end(Check *c, const Attempt *a)
{
    c->found.n = c->replay_end;
    c->replay = a->replay;
    c->replay_end = a->replay_end;
}

void open_begin(Check *c, Attempt *a)
{
    a->replay = c->replay;
    a->replay_end = c->replay_end;
    c->replay = c->replay_end = 0;
    c->open++;
}

void open_end(Check *c, const Attempt *a)
{
    c->found.n = a->own + 1;
    c->replay = a->replay;
    c->replay_end = a->replay_end;
    c->open--;
}
