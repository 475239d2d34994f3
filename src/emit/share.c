/* share.c: a module's functions shared out among its parts: who builds which
 * kernel, and which of the functions that several kernels call; the others are
 * declared. Where there is one part it builds everything. */
#include <stdlib.h>
#include <string.h>

#include "emit/levels.h"
#include "emit/parallel.h"
#include "emit/prebuilt.h"

struct Sharing {
    const Units *units;
    int share;
    const char *suffix;
    int *of_unit, *of_epilogue;
    Helpers helper;
};

static bool is_here(const Emit *e, const int *of, int unit)
{
    return of[unit] == e->sharing->share;
}

bool helper_add(Emit *e, Helpers *h, Helper helper)
{
    for (int i = 0; i < h->n; i++)
        if (strcmp(h->at[i].name, helper.name) == 0)
            return false;
    list_push(e->arena, h, helper);
    return true;
}

bool share_has_unit(const Emit *e, int unit)
{
    return !e->sharing || is_here(e, e->sharing->of_unit, unit);
}

/* The share that has it; -1: each that calls it. */
static int share_of_helper(const Sharing *s, const char *name)
{
    for (int i = 0; s && i < s->helper.n; i++)
        if (strcmp(s->helper.at[i].name, name) == 0)
            return s->helper.at[i].share;
    return -1;
}

/* One of what is made here, or, seen from other parts, declared. */
static LLVMValueRef share_named(Emit *e, const char *name, bool seen, bool here,
                                LLVMTypeRef type, bool *build)
{
    LLVMValueRef fn = LLVMGetNamedFunction(e->module, name);
    *build = !fn && here;
    if (fn)
        return fn;
    fn = code_function(e, name, type);
    if (seen) {
        LLVMSetLinkage(fn, LLVMExternalLinkage);
        LLVMSetVisibility(fn, LLVMHiddenVisibility);
    }
    return fn;
}

static const char *suffixed(Emit *e, const char *name)
{
    return e->sharing ? arena_printf(e->arena, "%s%s", name, e->sharing->suffix)
                      : name;
}

LLVMValueRef share_unit(Emit *e, const char *name, int unit, LLVMTypeRef type,
                        bool *build)
{
    return share_named(e, suffixed(e, name), e->sharing,
                       share_has_unit(e, unit), type, build);
}

LLVMValueRef share_epilogue(Emit *e, const char *name, int unit,
                            LLVMTypeRef type, bool *build)
{
    bool here = !e->sharing || is_here(e, e->sharing->of_epilogue, unit);
    return share_named(e, suffixed(e, name), e->sharing, here, type, build);
}

LLVMValueRef helper_function(Emit *e, Helper h)
{
    const char *prebuilt = prebuilt_of(e, h.name);
    LLVMTypeRef type = h.type(e, h.of);
    int share = share_of_helper(e->sharing, h.name);
    bool build;
    LLVMValueRef fn = prebuilt
                          ? share_named(e, prebuilt, true, false, type, &build)
                          : share_named(e, suffixed(e, h.name), share >= 0,
                                        share < 0 || share == e->sharing->share,
                                        type, &build);
    if (!build)
        return fn;
    Place back = code_begin(e, fn);
    h.build(e, h.of, fn);
    code_back(e, back);
    return fn;
}

/* Sharing out. */

typedef struct Load {
    int weight, number;
    uint64_t costly;
    int *share;
} Load;

/* What a share has so far. */
typedef struct Sum {
    int64_t weight;
    uint64_t costly;
} Sum;

static int heavier_first(const void *a, const void *b)
{
    const Load *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static void add_helpers(Emit *e, const Units *u, Helpers *h)
{
    for (int i = 0; i < units_count(u); i++) {
        const Kernel *k = units_at(u, i)->kernel;
        if (runs_in_pieces(e, k))
            helper_add(e, h, run_helper());
        if (k->kind == KERNEL_contract)
            contract_helpers(e, k, h);
        if (k->kind == KERNEL_routine)
            routine_helpers(e, op_table[k->routine->op]->name,
                            k->routine->out->dtype, h);
    }
}

/* Those that are not in the store. */
static Helpers to_make(Emit *e, const Helpers *h)
{
    Helpers own = {0};
    for (int i = 0; i < h->n; i++)
        if (!prebuilt_of(e, h->at[i].name))
            list_push(e->arena, &own, h->at[i]);
    return own;
}

int64_t weight_around(const Interface *interface)
{
    enum { FUNCTION = 20, KERNEL = 7, LEAF = 2 };
    int64_t n = 0;
    for (int i = 0; i < interface->nfunction; i++)
        n += FUNCTION +
             (int64_t)KERNEL * interface->function[i].schedule->kernel.n +
             LEAF * interface->function[i].nleaf;
    return n;
}

/* What a share would weigh with one more load: a costly operator may call a
 * function, which each part that does so has a copy of. */
static int64_t weight_with(const Sum *s, const Load *load)
{
    enum { FUNCTION = 100 };
    int64_t w = s->weight + load->weight;
    for (uint64_t more = load->costly & ~s->costly; more; more &= more - 1)
        w += FUNCTION;
    return w;
}

/* The heaviest first, each to who has least then. */
static void deal(Load *load, int n, Sum *sum, int nshare)
{
    qsort(load, (size_t)n, sizeof *load, heavier_first);
    for (int i = 0; i < n; i++) {
        int best = 0;
        for (int k = 1; k < nshare; k++)
            if (weight_with(&sum[k], &load[i]) <
                weight_with(&sum[best], &load[i]))
                best = k;
        *load[i].share = best;
        sum[best].weight = weight_with(&sum[best], &load[i]);
        sum[best].costly |= load[i].costly;
    }
}

/* Does it hardly do more than call, once in a call of a function? */
static bool only_calls(const Unit *u)
{
    KernelKind kind = u->kernel->kind;
    return !u->often && (kind == KERNEL_contract || kind == KERNEL_routine);
}

const Sharing *share_out(Emit *e, const Units *u, int share, int nshare,
                         int around, int64_t more, const char *suffix)
{
    Sharing *s = NEW(e->arena, Sharing);
    *s = (Sharing){.units = u, .share = share, .suffix = suffix};
    Helpers all = {0};
    add_helpers(e, u, &all);
    s->helper = to_make(e, &all);
    int nunit = units_count(u), n = nunit + s->helper.n;
    s->of_unit = NEWN(e->arena, int, nunit + 1);
    s->of_epilogue = NEWN(e->arena, int, nunit + 1);
    Load *load = NEWN(e->arena, Load, n + 1);
    for (int i = 0; i < nunit; i++)
        load[i] = (Load){units_at(u, i)->weight, i, units_at(u, i)->costly,
                         &s->of_epilogue[i]};
    for (int i = nunit; i < n; i++) {
        Helper *h = &s->helper.at[i - nunit];
        load[i] = (Load){h->weight, i, 0, &h->share};
    }
    Sum *sum = NEWN(e->arena, Sum, nshare);
    sum[0].weight = more;
    deal(load, n, sum, nshare);
    for (int i = 0; i < nunit; i++)
        s->of_unit[i] = around == nshare && only_calls(units_at(u, i))
                            ? around
                            : s->of_epilogue[i];
    return s;
}

const Sharing *share_each(Emit *e, const Helpers *h, int share,
                          const char *suffix)
{
    Sharing *s = NEW(e->arena, Sharing);
    *s = (Sharing){.share = share, .suffix = suffix};
    for (int i = 0; i < h->n; i++) {
        list_push(e->arena, &s->helper, h->at[i]);
        s->helper.at[i].share = i;
    }
    return s;
}

void emit_share(Emit *e)
{
    const Sharing *s = e->sharing;
    for (int i = 0; i < units_count(s->units); i++) {
        const Kernel *k = units_at(s->units, i)->kernel;
        if (is_here(e, s->of_unit, i))
            emit_kernel(e, k);
        else if (k->epilogue && is_here(e, s->of_epilogue, i))
            emit_epilogue(e, k);
    }
    for (int i = 0; i < s->helper.n; i++)
        if (s->helper.at[i].share == s->share)
            helper_function(e, s->helper.at[i]);
}
