/* lanes.c: which loops and values an index follows. */
#include "choose/choose.h"

bool atom_varies(const Across *x, const Atom *a)
{
    switch (a->kind) {
    case IX_var:
        return a->var == x->lane;
    case IX_value:
        return x->varies[a->value];
    case IX_div:
    case IX_mod:
        return index_varies(x, a->of);
    }
    die("no such atom: %d", (int)a->kind);
}

bool index_varies(const Across *x, const Index *ix)
{
    for (int i = 0; i < ix->n; i++)
        if (atom_varies(x, &ix->atom[i]))
            return true;
    return false;
}

bool index_is_plain(const Across *x, const Index *ix)
{
    int nlane = 0;
    for (int i = 0; i < ix->n; i++) {
        const Atom *a = &ix->atom[i];
        if (!atom_varies(x, a))
            continue;
        if (a->kind != IX_var || !dim_is(ix->coef[i], 1))
            return false;
        nlane++;
    }
    return nlane <= 1;
}

int index_step(const Across *x, const Index *ix)
{
    int64_t step;
    const Dim *by = index_coef(ix, x->lane);
    if (!by || !dim_const_value(by, &step) || index_nested(ix, x->lane))
        return 0;
    for (int i = 0; i < ix->n; i++) {
        const Atom *a = &ix->atom[i];
        if ((a->of && index_reads(a->of)) ||
            (a->kind == IX_value && x->varies && x->varies[a->value]))
            return 0;
    }
    return step >= 2 && step <= MOST_STEP ? (int)step : 0;
}

int atom_level(const int *level, const Atom *a)
{
    switch (a->kind) {
    case IX_var:
        return a->var + 1;
    case IX_value:
        return level[a->value];
    case IX_div:
    case IX_mod:
        return index_level(level, a->of);
    }
    die("no such atom: %d", (int)a->kind);
}

int index_level(const int *level, const Index *ix)
{
    int deepest = 0;
    for (int i = 0; i < ix->n; i++) {
        int own = atom_level(level, &ix->atom[i]);
        deepest = own > deepest ? own : deepest;
    }
    return deepest;
}
