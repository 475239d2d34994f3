/* access.c: where map kernels read and write. */
#include "emit/emit_internal.h"

/* Puts the builder where code of a level belongs: outside deeper loops. */
static Place go_to_level(MapCode *m, int level)
{
    if (level < m->depth)
        return code_go(m->e, m->enter[level]);
    return code_place(m->e);
}

/* The divisor, 1 where it is not positive: then nothing is computed with it,
 * but its code may run. */
static LLVMValueRef divisor(MapCode *m, const Dim *by)
{
    Emit *e = m->e;
    LLVMValueRef v = dim_code(e, &m->dims, by);
    if (LLVMIsAConstantInt(v))
        return v;
    LLVMValueRef one = code_i64(e, 1);
    LLVMValueRef positive = LLVMBuildICmp(e->builder, LLVMIntSGE, v, one, "");
    return LLVMBuildSelect(e->builder, positive, v, one, "");
}

/* floor(v / by) or what is left; by > 0. Scalars or vectors of i64. */
static LLVMValueRef div_or_mod(Emit *e, AtomKind kind, LLVMValueRef v,
                               LLVMValueRef by)
{
    LLVMBuilderRef b = e->builder;
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(v));
    LLVMValueRef one = code_splat(e, code_i64(e, 1), type_width(LLVMTypeOf(v)));
    LLVMValueRef below = LLVMBuildSub(b, v, LLVMBuildSub(b, by, one, ""), "");
    LLVMValueRef negative = LLVMBuildICmp(b, LLVMIntSLT, v, zero, "");
    LLVMValueRef q =
        LLVMBuildSDiv(b, LLVMBuildSelect(b, negative, below, v, ""), by, "");
    if (kind == IX_div)
        return q;
    return LLVMBuildSub(b, v, LLVMBuildMul(b, q, by, ""), "");
}

static LLVMValueRef scalar_index(MapCode *m, const Index *ix, bool lane_too);
static LLVMValueRef vector_index(MapCode *m, const Index *ix);

/* An integer value as i64. */
static LLVMValueRef as_i64(MapCode *m, Val *v)
{
    Emit *e = m->e;
    LLVMTypeRef t = type_lanes(e->i64, type_width(LLVMTypeOf(v->v)));
    bool is_signed = v->t != DT_u8 && v->t != DT_bool;
    return LLVMBuildIntCast2(e->builder, v->v, t, is_signed, "");
}

static LLVMValueRef scalar_atom(MapCode *m, const Atom *a)
{
    LLVMValueRef by, of;
    switch (a->kind) {
    case IX_var:
        return m->var[a->var];
    case IX_value:
        return as_i64(m, m->val[a->value]);
    case IX_div:
    case IX_mod:
        by = divisor(m, a->by);
        of = scalar_index(m, a->of, true);
        return div_or_mod(m->e, a->kind, of, by);
    }
    die("no such atom: %d", (int)a->kind);
}

static LLVMValueRef add_scaled(Emit *e, LLVMValueRef sum, LLVMValueRef coef,
                               LLVMValueRef v)
{
    LLVMBuilderRef b = e->builder;
    bool one = LLVMIsAConstantInt(coef) && LLVMConstIntGetSExtValue(coef) == 1;
    if (!one)
        v = LLVMBuildMul(b, v, code_splat(e, coef, type_width(LLVMTypeOf(v))),
                         "");
    if (LLVMIsNull(sum))
        return v;
    return LLVMBuildAdd(b, sum, v, "");
}

/* Base and the atoms alike in all lanes, plus lane 0's share of the lane
 * variable itself if lane_too. Each part is computed as far out as it can. */
static LLVMValueRef scalar_index(MapCode *m, const Index *ix, bool lane_too)
{
    Emit *e = m->e;
    LLVMValueRef sum = dim_code(e, &m->dims, ix->base);
    int top = index_level(m->plan->level, ix);
    for (int level = 0; level <= top; level++) {
        for (int i = 0; i < ix->n; i++) {
            const Atom *a = &ix->atom[i];
            bool varies = m->width > 1 && atom_varies(&m->st->across, a);
            if (atom_level(m->plan->level, a) != level ||
                (varies && !(lane_too && a->kind == IX_var)))
                continue;
            Place back = go_to_level(m, level);
            LLVMValueRef coef = dim_code(e, &m->dims, ix->coef[i]);
            sum = add_scaled(e, sum, coef, scalar_atom(m, a));
            code_back(e, back);
        }
    }
    return sum;
}

LLVMValueRef index_first(MapCode *m, const Index *ix)
{
    return scalar_index(m, ix, true);
}

static LLVMValueRef vector_atom(MapCode *m, const Atom *a)
{
    Emit *e = m->e;
    LLVMValueRef by, of;
    switch (a->kind) {
    case IX_var:
        return code_iota(e, e->i64, m->width);
    case IX_value:
        return as_i64(m, m->val[a->value]);
    case IX_div:
    case IX_mod:
        by = code_splat(e, divisor(m, a->by), m->width);
        of = vector_index(m, a->of);
        return div_or_mod(e, a->kind, of, by);
    }
    die("no such atom: %d", (int)a->kind);
}

static LLVMValueRef vector_index(MapCode *m, const Index *ix)
{
    Emit *e = m->e;
    LLVMValueRef sum = code_splat(e, scalar_index(m, ix, true), m->width);
    for (int i = 0; i < ix->n; i++)
        if (atom_varies(&m->st->across, &ix->atom[i])) {
            LLVMValueRef atom = vector_atom(m, &ix->atom[i]);
            sum = add_scaled(e, sum, dim_code(e, &m->dims, ix->coef[i]), atom);
        }
    return sum;
}

/* One access. */
typedef enum AccessKind {
    AC_scalar, /* one element */
    AC_plain,  /* lanes side by side */
    AC_each,   /* an address for every lane */
} AccessKind;

typedef struct Access {
    AccessKind kind;
    LLVMTypeRef type; /* of an element in memory */
    int align;
    LLVMValueRef at;   /* an address, or one for every lane */
    LLVMValueRef mask; /* lanes (or the scalar) that count; NULL: all */
    bool spare;        /* `at` may be the spare */
} Access;

/* The spare, made when first asked for. */
static LLVMValueRef spare(MapCode *m)
{
    Emit *e = m->e;
    LLVMTypeRef t = type_lanes(e->i64, SPARE / 8);
    if (!m->spare) {
        m->spare = code_slot(e, t, 64);
        Place back = code_go(e, m->dims.before);
        code_store(e, LLVMConstNull(t), m->spare, 64);
        code_back(e, back);
    }
    return m->spare;
}

static void add_mask(MapCode *m, Access *a, LLVMValueRef mask)
{
    int width = a->kind == AC_scalar ? 1 : m->width;
    if (type_width(LLVMTypeOf(mask)) < width)
        mask = code_splat(m->e, mask, width);
    a->mask = a->mask ? LLVMBuildAnd(m->e->builder, a->mask, mask, "") : mask;
}

/* 0 <= index < the buffer's elements: for indices that the data decide. */
static LLVMValueRef in_bounds(MapCode *m, const Buffer *b, LLVMValueRef index)
{
    LLVMValueRef n = dim_code(m->e, &m->dims, b->elements);
    n = code_splat(m->e, n, type_width(LLVMTypeOf(index)));
    return LLVMBuildICmp(m->e->builder, LLVMIntULT, index, n, "");
}

static LLVMValueRef buffer_address(MapCode *m, const Buffer *b)
{
    Emit *e = m->e;
    if (m->buffer)
        return m->buffer[b->id];
    return code_buffer(e, LLVMGetParam(code_here(e), 0), m->number[b->id]);
}

/* each: the lanes' values or predicates differ, so a scalar will not do. */
static Access make_access(MapCode *m, const Buffer *b, const Index *ix,
                          int pred, bool each)
{
    Emit *e = m->e;
    Access a = {.type = type_in_memory(e, b->dtype),
                .align = dtype_size(b->dtype)};
    bool varies = m->width > 1 && index_varies(&m->st->across, ix);
    each = each || (pred >= 0 && m->width > 1 && m->st->across.varies[pred]);
    if (varies && index_is_plain(&m->st->across, ix))
        a.kind = AC_plain;
    else if (varies || (each && m->width > 1))
        a.kind = AC_each;
    LLVMValueRef index =
        a.kind == AC_each ? vector_index(m, ix) : scalar_index(m, ix, true);
    if (a.kind != AC_scalar && m->active)
        add_mask(m, &a, m->active);
    if (pred >= 0)
        add_mask(m, &a, m->val[pred]->v);
    if (index_reads(ix) && a.kind != AC_plain)
        add_mask(m, &a, in_bounds(m, b, index));
    a.at = code_at(e, a.type, buffer_address(m, b), index);
    return a;
}

/* A masked access to one element goes to the spare where it must not be done.
 */
static void bound_scalar(MapCode *m, Access *a)
{
    if (a->kind != AC_scalar || !a->mask)
        return;
    a->at = LLVMBuildSelect(m->e->builder, a->mask, a->at, spare(m), "");
    a->spare = true;
}

/* A plain access through data is all in bounds, or it goes to the spare. */
static void bound_plain(MapCode *m, const Buffer *b, const Index *ix, Access *a)
{
    if (a->kind != AC_plain || !index_reads(ix))
        return;
    Emit *e = m->e;
    LLVMValueRef first = scalar_index(m, ix, true);
    if (m->active) {
        LLVMValueRef iota = code_iota(e, e->i64, m->width);
        LLVMValueRef lane =
            LLVMBuildAdd(e->builder, code_splat(e, first, m->width), iota, "");
        add_mask(m, a, in_bounds(m, b, lane));
        return;
    }
    LLVMValueRef last =
        LLVMBuildAdd(e->builder, first, code_i64(e, m->width - 1), "");
    LLVMValueRef right = in_bounds(m, b, last);
    LLVMValueRef ok =
        LLVMBuildAnd(e->builder, in_bounds(m, b, first), right, "");
    a->at = LLVMBuildSelect(e->builder, ok, a->at, spare(m), "");
    a->spare = true;
}

static Val *from_memory(MapCode *m, LLVMValueRef v, DType t)
{
    if (t == DT_bool)
        v = LLVMBuildICmp(m->e->builder, LLVMIntNE, v,
                          LLVMConstNull(LLVMTypeOf(v)), "");
    return val_new(m->e, v, t);
}

static LLVMValueRef to_memory(MapCode *m, Val *v)
{
    if (v->t != DT_bool)
        return v->v;
    int width = type_width(LLVMTypeOf(v->v));
    return LLVMBuildZExt(m->e->builder, v->v, type_lanes(m->e->i8, width), "");
}

static LLVMValueRef load(MapCode *m, const Access *a)
{
    LLVMTypeRef type = type_lanes(a->type, m->width);
    switch (a->kind) {
    case AC_scalar:
        return code_load(m->e, a->type, a->at, a->align);
    case AC_plain:
        return a->mask ? code_masked_load(m->e, type, a->at, a->align, a->mask)
                       : code_load(m->e, type, a->at, a->align);
    case AC_each:
        return code_gather(m->e, type, a->at, a->align, a->mask);
    }
    die("no such access: %d", (int)a->kind);
}

static void store(MapCode *m, const Access *a, LLVMValueRef v)
{
    switch (a->kind) {
    case AC_scalar:
        code_store(m->e, v, a->at, a->align);
        return;
    case AC_plain:
        if (a->mask)
            code_masked_store(m->e, v, a->at, a->align, a->mask);
        else
            code_store(m->e, v, a->at, a->align);
        return;
    case AC_each:
        code_scatter(m->e, v, a->at, a->align, a->mask);
        return;
    }
}

/* Where the value of a buffer that is in a register is kept, or NULL. */
static LLVMValueRef *register_of(MapCode *m, const Buffer *b)
{
    LLVMValueRef *r = m->in_register ? &m->in_register[b->id] : NULL;
    return r && *r ? r : NULL;
}

Val *map_load(MapCode *m, const Instr *i)
{
    const LLVMValueRef *r = register_of(m, i->buffer);
    if (r)
        return from_memory(m, *r, i->buffer->dtype);
    Access a = make_access(m, i->buffer, i->at, i->pred, false);
    bound_scalar(m, &a);
    bound_plain(m, i->buffer, i->at, &a);
    return from_memory(m, load(m, &a), i->buffer->dtype);
}

Val *map_index(MapCode *m, const Instr *i)
{
    bool varies = m->width > 1 && index_varies(&m->st->across, i->at);
    LLVMValueRef v =
        varies ? vector_index(m, i->at) : scalar_index(m, i->at, true);
    return low_convert(&m->lower, i->dtype, val_new(m->e, v, DT_i64));
}

/* What a store left in the spare must not be read as a value. */
static void clear_spare(MapCode *m, const Access *a)
{
    LLVMTypeRef t = type_lanes(a->type, a->kind == AC_plain ? m->width : 1);
    if (a->spare)
        code_store(m->e, LLVMConstNull(t), spare(m), a->align);
}

void map_store(MapCode *m, const Output *o)
{
    Val *v = m->val[o->value];
    LLVMValueRef *r = register_of(m, o->buffer);
    if (r) {
        *r = to_memory(m, v);
        return;
    }
    if (strided_store(m, o))
        return;
    bool each = m->width > 1 && m->st->across.varies[o->value];
    Access a = make_access(m, o->buffer, o->at, o->pred, each);
    bound_scalar(m, &a);
    bound_plain(m, o->buffer, o->at, &a);
    if (a.kind != AC_scalar)
        v = map_widen(m, v);
    store(m, &a, to_memory(m, v));
    clear_spare(m, &a);
}

static LLVMValueRef sum_of(MapCode *m, DType t, LLVMValueRef a, LLVMValueRef b)
{
    if (dtype_is_real(t))
        return LLVMBuildFAdd(m->e->builder, a, b, "");
    if (t == DT_bool)
        return LLVMBuildOr(m->e->builder, a, b, "");
    return LLVMBuildAdd(m->e->builder, a, b, "");
}

/* v in active lanes, zero in others, all added: the lower half to the upper,
 * and so on. */
static LLVMValueRef sum_lanes(MapCode *m, DType t, LLVMValueRef v,
                              LLVMValueRef mask)
{
    if (mask)
        v = LLVMBuildSelect(m->e->builder, mask, v,
                            LLVMConstNull(LLVMTypeOf(v)), "");
    for (int w = m->width / 2; w > 0; w /= 2) {
        LLVMValueRef upper = code_lanes(m->e, v, w, w);
        v = sum_of(m, t, code_lanes(m->e, v, 0, w), upper);
    }
    return v;
}

/* *high += v, its rounding error being in *low. */
static void add_exactly(MapCode *m, const Access *high, const Access *low,
                        LLVMValueRef v)
{
    Total t = {load(m, high), load(m, low)};
    t = total_add(m->e, t, v);
    store(m, high, t.high);
    store(m, low, t.low);
}

/* memory += v */
static void add_at(MapCode *m, DType t, const Access *high, const Access *low,
                   LLVMValueRef v)
{
    Emit *e = m->e;
    if (!low || !m->keeps) {
        store(m, high, sum_of(m, t, load(m, high), v));
        return;
    }
    LLVMBasicBlockRef exact = code_block(e, "exact"), plain = code_block(e, ""),
                      on = code_block(e, "");
    LLVMBuildCondBr(e->builder, m->keeps, exact, plain);
    LLVMPositionBuilderAtEnd(e->builder, exact);
    add_exactly(m, high, low, v);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, plain);
    store(m, high, sum_of(m, t, load(m, high), v));
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

/* Slots with the addresses of the lanes. */
static LLVMValueRef places_of(MapCode *m, const Access *a)
{
    Emit *e = m->e;
    LLVMValueRef at = a->at;
    LLVMValueRef places = code_slot(e, LLVMTypeOf(at), 64);
    if (a->mask)
        at = LLVMBuildSelect(e->builder, a->mask, at,
                             code_splat(e, spare(m), m->width), "");
    code_store(e, at, places, 64);
    return places;
}

static Access lane_access(MapCode *m, const Access *a, LLVMValueRef places,
                          LLVMValueRef i)
{
    Emit *e = m->e;
    LLVMValueRef p = code_load(e, e->ptr, code_at(e, e->ptr, places, i), 8);
    return (Access){.type = a->type, .align = a->align, .at = p};
}

/* Lane after lane, as lanes may meet in one place. */
static void add_each(MapCode *m, DType t, const Access *high, const Access *low,
                     LLVMValueRef v)
{
    Emit *e = m->e;
    LLVMValueRef values = code_slot(e, LLVMTypeOf(v), 64);
    LLVMValueRef to = places_of(m, high), rest = low ? places_of(m, low) : NULL;
    int width = m->width;
    code_store(e, v, values, 64);
    Loop l = loop_begin(e, code_i64(e, 0), code_i64(e, width), code_i64(e, 1),
                        0, NULL);
    m->width = 1;
    Access h = lane_access(m, high, to, l.i), r = {0};
    if (low)
        r = lane_access(m, low, rest, l.i);
    LLVMValueRef x =
        code_load(e, h.type, code_at(e, h.type, values, l.i), h.align);
    add_at(m, t, &h, low ? &r : NULL, x);
    m->width = width;
    loop_end(e, &l, NULL);
    code_store(e, LLVMConstNull(h.type), spare(m), h.align);
}

/* To one place, if it is one: it is as a rule. */
static void add_if(MapCode *m, DType t, const Access *high, const Access *low,
                   LLVMValueRef v)
{
    Emit *e = m->e;
    LLVMBasicBlockRef add = code_block(e, "add"), on = code_block(e, "");
    code_seldom(e, LLVMBuildCondBr(e->builder, high->mask, add, on), 1);
    LLVMPositionBuilderAtEnd(e->builder, add);
    add_at(m, t, high, low, v);
    LLVMBuildBr(e->builder, on);
    LLVMMoveBasicBlockAfter(on, LLVMGetInsertBlock(e->builder));
    LLVMPositionBuilderAtEnd(e->builder, on);
}

static Access add_access(MapCode *m, const Output *o, const Buffer *b)
{
    bool each = m->width > 1 && o->pred >= 0 && m->st->across.varies[o->pred];
    Access a = make_access(m, b, o->at, o->pred, each);
    bound_plain(m, b, o->at, &a);
    return a;
}

void map_add(MapCode *m, const Output *o)
{
    DType t = o->buffer->dtype;
    Access high = add_access(m, o, o->buffer), low = {0};
    if (o->low)
        low = add_access(m, o, o->low);
    LLVMValueRef x = to_memory(m, map_widen(m, m->val[o->value]));
    const Access *rest = o->low ? &low : NULL;
    if (high.kind == AC_each) {
        add_each(m, t, &high, rest, x);
        return;
    }
    if (high.kind == AC_scalar && m->width > 1)
        x = sum_lanes(m, t, x, m->active);
    if (high.kind == AC_scalar && high.mask)
        add_if(m, t, &high, rest, x);
    else
        add_at(m, t, &high, rest, x);
    clear_spare(m, &high);
}

/* Of the sums that a stage keeps in memory, the errors are 0 so far. */
static void clear_low(MapCode *m, const Buffer *low)
{
    Emit *e = m->e;
    LLVMTypeRef t = type_in_memory(e, low->dtype);
    LLVMBasicBlockRef clear = code_block(e, "clear"), on = code_block(e, "");
    LLVMBuildCondBr(e->builder, m->keeps, clear, on);
    LLVMPositionBuilderAtEnd(e->builder, clear);
    LLVMValueRef n = dim_code(e, &m->dims, low->elements);
    Loop l = loop_begin(e, code_i64(e, 0), n, code_i64(e, 1), 0, NULL);
    code_store(e, LLVMConstNull(t), code_at(e, t, buffer_address(m, low), l.i),
               dtype_size(low->dtype));
    loop_end(e, &l, NULL);
    LLVMBuildBr(e->builder, on);
    LLVMPositionBuilderAtEnd(e->builder, on);
}

void map_keep_errors(MapCode *m, const Stage *s)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    const Buffer *low = NULL;
    m->keeps = NULL;
    for (int i = 0; i < s->noutput; i++)
        low = s->output[i].low ? s->output[i].low : low;
    if (!low)
        return;
    LLVMValueRef each = dim_code(e, &m->dims, low->elements);
    LLVMValueRef few = LLVMBuildMul(b, each, code_i64(e, FEW_ADDS), "");
    LLVMValueRef values = code_i64(e, 1);
    for (int i = 0; i < s->rank; i++)
        values =
            LLVMBuildMul(b, values, dim_code(e, &m->dims, s->extent[i]), "");
    m->keeps = LLVMBuildICmp(b, LLVMIntSGT, values, few, "");
    clear_low(m, low);
}
