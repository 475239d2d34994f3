/* frame.c: the calls under way, from the outside in. */
#include "check/scope.h"

/* One of them, or the definition of something, which is no part of the call
 * that asks for it. */
typedef struct Frame {
    const FnInfo *info; /* or NULL */
    Span span;
    bool define;
    const Value *const *arg; /* of a call */
    bool custom; /* it has a derivative of its own, which is being evaluated */
    Span user;   /* the user's call of the library that it is part of */
} Frame;

typedef LIST(Frame) Frames;

static Frames *own(Check *c) { return check_own(c, OWN_frame, sizeof(Frames)); }

/* Part of the same call of the library as what is around it. */
static void push(Check *c, Frame f)
{
    Frames *all = own(c);

    if (all->n > 0 && !f.user.end)
        f.user = all->at[all->n - 1].user;
    list_push(c->arena, all, f);
}

void frame_define(Check *c, const FnInfo *info, Span at)
{
    push(c, (Frame){.info = info, .span = at, .define = true});
}

void frame_call(Check *c, const FnInfo *info, const Arguments *a, bool library,
                bool custom)
{
    push(c, (Frame){.info = info,
                    .span = a->at,
                    .arg = a->value,
                    .custom = custom,
                    .user = library ? a->at : (Span){0, 0}});
}

void frame_library(Check *c, Span at) { push(c, (Frame){.user = at}); }

void frame_leave(Check *c) { own(c)->n--; }

int frame_depth(Check *c) { return own(c)->n; }

Span frame_user_span(Check *c, Span at)
{
    const Frames *all = own(c);

    return all->n > 0 && all->at[all->n - 1].user.end ? all->at[all->n - 1].user
                                                      : at;
}

static bool calls(const Frame *frame, const FnInfo *f, const Value *const *arg)
{
    if (frame->info != f || frame->define)
        return false;
    for (int i = 0; i < f->item->nparam; i++)
        if (arg[i] && arg[i]->kind == V_fn &&
            !fn_same_text(arg[i]->fn, frame->arg[i]->fn))
            return false;
    return true;
}

Under frame_under_way(Check *c, const FnInfo *f, const Value *const *arg)
{
    const Frames *all = own(c);
    Under u = {.last = -1};

    for (int k = all->n - 1; k >= 0 && u.calls < f->active; k--) {
        if (!calls(&all->at[k], f, arg))
            continue;
        u.calls++;
        u.custom |= all->at[k].custom;
        u.last = u.last < 0 ? k : u.last;
    }
    return u;
}

static bool is_call(const Frame *f) { return !f->define && f->span.end > 0; }

/* A function checked on its own is where its errors belong; in a real
 * expansion the reader needs to know who called: the last two calls, and the
 * first. */
void frame_notes(Check *c)
{
    enum { CALL_NOTES = 3 };
    const Frames *all = own(c);
    int from = all->n, total = 0, shown = 0;

    while (from > 0 && !all->at[from - 1].define)
        total += is_call(&all->at[--from]);
    for (int i = all->n - 1; i >= from; i--) {
        const Frame *f = &all->at[i];

        if (!is_call(f))
            continue;
        shown++;
        if (shown < CALL_NOTES || shown == total)
            diag_note(c->diags, f->span, "in the call of '%s' here",
                      f->info->name);
    }
}
