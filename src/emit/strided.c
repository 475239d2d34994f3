/* strided.c: loads and stores whose lanes lie a few elements apart, as in an
 * array of many small vectors.
 *
 * What several instructions read, each of another element of the same row, is
 * loaded together, in pieces without gaps, and sorted in registers. Where any
 * two vectors make a third in one instruction the pieces are whole vectors, one
 * after the other; elsewhere 16 bytes of each row, which are transposed. Stores
 * are the same the other way round. Nothing is touched that lies before the
 * first element or behind the last. */
#include "emit/emit_internal.h"

enum { ROWS_BYTES = 4096 };

/* Instructions that access one row each: element `first + at[i]` of it. */
typedef struct Group {
    int step; /* rows lie so far apart */
    DType type;
    int n, at[MOST_STEP], instr[MOST_STEP];
    int low, last;      /* the least at in a row; the largest, from there */
    LLVMValueRef first; /* address of element 0 of the first row */
    LLVMValueRef sure;  /* i1: it is there; NULL: always */
} Group;

static bool same_terms(const Index *a, const Index *b)
{
    if (a->n != b->n)
        return false;
    for (int i = 0; i < a->n; i++)
        if (a->coef[i] != b->coef[i] || a->atom[i].kind != b->atom[i].kind ||
            a->atom[i].var != b->atom[i].var ||
            a->atom[i].value != b->atom[i].value ||
            a->atom[i].of != b->atom[i].of || a->atom[i].by != b->atom[i].by)
            return false;
    return true;
}

/* Which row ix is in, and where in it: its base is `rest`, which the dimensions
 * decide, and row · step + at. */
typedef struct Row {
    const Dim *rest;
    int64_t row;
    int at;
} Row;

static Row row_of(const MapCode *m, const Index *ix, int step)
{
    Graph *g = m->e->graph;
    int64_t base = 0, *zero = NEWN(m->e->arena, int64_t, m->dims.n + 1);
    dim_eval(ix->base, m->dims.n, m->dims.var, zero, &base);
    Row r = {.rest = dim_sub(g, ix->base, dim_const(g, base))};
    r.at = (int)(base % step);
    r.at += r.at < 0 ? step : 0;
    r.row = (base - r.at) / step;
    return r;
}

static int per_piece(DType t) { return 16 / dtype_size(t); }

static bool is_possible(const MapCode *m, const Buffer *b, const Index *ix)
{
    int size = dtype_size(b->dtype);
    if (m->width == 1 || (m->active && !m->left) || m->st->across.lane < 0 ||
        size < 4 || !m->buffer || (m->in_register && m->in_register[b->id]))
        return false;
    int step = index_step(&m->st->across, ix);
    return step && m->width % per_piece(b->dtype) == 0 &&
           step * m->width * size <= ROWS_BYTES;
}

/* Puts i in if it is of the row that the leader is of. */
static void add_member(const MapCode *m, Group *g, const Index *leader,
                       const Index *ix, int i)
{
    if (!same_terms(leader, ix))
        return;
    Row r = row_of(m, leader, g->step), own = row_of(m, ix, g->step);
    if (own.rest != r.rest || own.row != r.row)
        return;
    for (int k = 0; k < g->n; k++)
        if (g->at[k] == own.at)
            return;
    g->at[g->n] = own.at;
    g->instr[g->n++] = i;
}

static LLVMTypeRef element(const MapCode *m, const Group *g)
{
    return type_in_memory(m->e, g->type);
}

/* `at` are from the least of them then. */
static void finish_group(MapCode *m, Group *g, const Buffer *b,
                         const Index *leader)
{
    int low = g->at[0], own = row_of(m, leader, g->step).at;
    for (int k = 0; k < g->n; k++)
        low = g->at[k] < low ? g->at[k] : low;
    for (int k = 0; k < g->n; k++) {
        g->at[k] -= low;
        g->last = g->at[k] > g->last ? g->at[k] : g->last;
    }
    LLVMValueRef right = index_first(m, leader);
    g->first = code_at(m->e, element(m, g), m->buffer[b->id], right);
    g->first =
        code_at(m->e, element(m, g), g->first, code_i64(m->e, low - own));
    g->low = low;
}

static LLVMValueRef place(const MapCode *m, const Group *g, int at)
{
    return code_at(m->e, element(m, g), g->first, code_i64(m->e, at));
}

/* Whole vectors. */

/* Are those better: by the instructions, of which the permutations that take
 * two vectors, as machines with masks have them, take two turns each. */
static bool takes_vectors(const MapCode *m, const Group *g)
{
    int w = m->width, q = per_piece(g->type);
    int vectors = g->step + 2 * g->n * (g->step - 1);
    int pieces = (g->n + q - 1) / q * (2 * w - w / q + q * q / 2);
    return m->e->machine.has.masks && vectors < pieces;
}

/* Lane l is lane at[l] of vector of[l] of v. */
static LLVMValueRef pick(MapCode *m, LLVMValueRef const *v, int nv,
                         const int *of, const int *at)
{
    LLVMValueRef sum = NULL;
    int from[64], w = m->width;
    bool done[64] = {false};
    for (int r = 0; r < nv; r++) {
        bool any = false;
        for (int l = 0; l < w; l++)
            any = any || of[l] == r;
        if (!any)
            continue;
        for (int l = 0; l < w; l++) {
            from[l] = of[l] == r ? (sum ? w : 0) + at[l] : done[l] ? l : -1;
            done[l] = done[l] || of[l] == r;
        }
        sum = sum ? code_shuffle(m->e, sum, v[r], from, w)
                  : code_shuffle(m->e, v[r], NULL, from, w);
    }
    return sum;
}

static void load_vectors(MapCode *m, const Group *g, LLVMValueRef *to)
{
    int w = m->width, total = g->step * (w - 1) + g->last + 1, nv = 0;
    int start[MOST_STEP], of[64], at[64];
    LLVMValueRef v[MOST_STEP];
    LLVMTypeRef t = type_lanes(element(m, g), w);
    for (int i = 0; i < total; i += w) {
        start[nv] = i + w <= total ? i : total - w;
        v[nv] = code_load(m->e, t, place(m, g, start[nv]), dtype_size(g->type));
        nv++;
    }
    for (int k = 0; k < g->n; k++) {
        for (int l = 0; l < w; l++) {
            int x = g->step * l + g->at[k];
            of[l] = x / w;
            at[l] = x - start[of[l]];
        }
        to[k] = pick(m, v, nv, of, at);
    }
}

static void store_vectors(MapCode *m, const Group *g, LLVMValueRef const *v)
{
    int w = m->width, of[64], at[64];
    for (int r = 0; r < g->step; r++) {
        for (int l = 0; l < w; l++) {
            int x = r * w + l;
            of[l] = x % g->step;
            at[l] = x / g->step;
        }
        LLVMValueRef right = place(m, g, r * w);
        code_store(m->e, pick(m, v, g->step, of, at), right,
                   dtype_size(g->type));
    }
}

/* Pieces of rows. */

/* Rows l, l + q, l + 2q … of each of x[0 … q-1] side by side: piece p of x[k]
 * is row pq + k. Transposed within the pieces: element j of all rows. */
static void transpose(MapCode *m, LLVMValueRef *x, int q)
{
    int w = m->width, low[64], high[64];
    LLVMValueRef t[4];
    for (int p = 0; p < w; p += q)
        for (int i = 0; i < q; i++) {
            low[p + i] = p + i / 2 + (i % 2 ? w : 0);
            high[p + i] = low[p + i] + q / 2;
        }
    for (int k = 0; k < q; k += 2) {
        t[k] = code_shuffle(m->e, x[k], x[k + 1], low, w);
        t[k + 1] = code_shuffle(m->e, x[k], x[k + 1], high, w);
    }
    if (q == 2) {
        x[0] = t[0];
        x[1] = t[1];
        return;
    }
    for (int p = 0; p < w; p += q)
        for (int i = 0; i < q; i++) {
            low[p + i] = p + i % 2 + (i / 2 ? w : 0);
            high[p + i] = low[p + i] + 2;
        }
    for (int k = 0; k < 2; k++) {
        x[2 * k] = code_shuffle(m->e, t[k], t[k + 2], low, w);
        x[2 * k + 1] = code_shuffle(m->e, t[k], t[k + 2], high, w);
    }
}

/* q elements of a row from `at` on; those behind the last of all rows are not
 * asked for. */
static LLVMValueRef load_piece(MapCode *m, const Group *g, int row, int at)
{
    int q = per_piece(g->type), from[4];
    int start = g->step * row + at;
    int most = g->step * (m->width - 1) + g->last + 1 - q;
    int shift = start > most ? start - most : 0;
    LLVMTypeRef t = type_lanes(element(m, g), q);
    LLVMValueRef v =
        code_load(m->e, t, place(m, g, start - shift), dtype_size(g->type));
    for (int i = 0; i < q; i++)
        from[i] = i + shift < q ? i + shift : -1;
    return shift ? code_shuffle(m->e, v, NULL, from, q) : v;
}

/* Pieces n at a time to one vector. */
static LLVMValueRef side_by_side(MapCode *m, LLVMValueRef *v, int n)
{
    for (; n > 1; n /= 2)
        for (int i = 0; i < n / 2; i++)
            v[i] = code_both(m->e, v[2 * i], v[2 * i + 1]);
    return v[0];
}

/* Elements at … at + q - 1 of all rows. */
static void load_transposed(MapCode *m, const Group *g, int at, LLVMValueRef *x)
{
    int q = per_piece(g->type), parts = m->width / q;
    LLVMValueRef v[64] = {NULL};
    for (int k = 0; k < q; k++) {
        for (int p = 0; p < parts; p++)
            v[p] = load_piece(m, g, p * q + k, at);
        x[k] = side_by_side(m, v, parts);
    }
    transpose(m, x, q);
}

static void load_pieces(MapCode *m, const Group *g, LLVMValueRef *to)
{
    int q = per_piece(g->type);
    for (int k = 0; k < g->n; k++)
        to[k] = NULL;
    for (int at = 0; at <= g->last; at++) {
        LLVMValueRef x[4];
        bool any = false;
        for (int k = 0; k < g->n; k++)
            any = any || (g->at[k] == at && !to[k]);
        if (!any)
            continue;
        int start =
            at + q <= g->last + 1 || g->last + 1 < q ? at : g->last + 1 - q;
        load_transposed(m, g, start, x);
        for (int k = 0; k < g->n; k++)
            if (!to[k] && g->at[k] >= start && g->at[k] < start + q)
                to[k] = x[g->at[k] - start];
    }
}

/* Elements at … at + n - 1 of each row, which are v[0 … n-1]. */
static void store_transposed(MapCode *m, const Group *g, int at, int n,
                             LLVMValueRef const *v)
{
    static const int all[] = {0, 1, 2, 3};
    int q = per_piece(g->type), align = dtype_size(g->type);
    LLVMValueRef x[4];
    for (int k = 0; k < q; k++)
        x[k] = k < n ? v[k] : LLVMGetPoison(LLVMTypeOf(v[0]));
    if (n > 1)
        transpose(m, x, q);
    for (int row = 0; row < m->width; row++) {
        LLVMValueRef to = place(m, g, g->step * row + at), piece;
        if (n == 1) {
            code_store(m->e, code_lanes(m->e, v[0], row, 1), to, align);
            continue;
        }
        piece = code_lanes(m->e, x[row % q], row / q * q, q);
        code_store(m->e,
                   n < q ? code_shuffle(m->e, piece, NULL, all, n) : piece, to,
                   align);
    }
}

/* v: by element of the row; NULL where there is none. */
static void store_pieces(MapCode *m, const Group *g, LLVMValueRef const *v)
{
    int q = per_piece(g->type);
    for (int at = 0; at <= g->last;) {
        int n = 0;
        while (at + n <= g->last && v[at + n] && n < q)
            n++;
        if (n == 0) {
            at++;
            continue;
        }
        bool back = n < q && at + n >= q;
        for (int k = 1; back && k < q; k++)
            back = v[at + n - 1 - k];
        int start = back ? at + n - q : at;
        store_transposed(m, g, start, back ? q : n, v + start);
        at += n;
    }
}

/* A vector that is not full has its rows in a slot on the stack: what they are
 * is copied there before, and back after it was changed. */

static LLVMValueRef slot(MapCode *m)
{
    if (!m->rows)
        m->rows = code_slot(m->e, LLVMArrayType(m->e->i8, ROWS_BYTES), 64);
    return m->rows;
}

static void clear_slot(MapCode *m, const Group *g)
{
    Emit *e = m->e;
    LLVMTypeRef t = type_lanes(element(m, g), m->width);
    Loop l = loop_begin(e, code_i64(e, 0), code_i64(e, g->step), code_i64(e, 1),
                        0, NULL);
    code_store(e, LLVMConstNull(t), code_at(e, t, slot(m), l.i),
               dtype_size(g->type));
    loop_end(e, &l, NULL);
}

/* How many rows count. */
static LLVMValueRef rows_there(MapCode *m, const Group *g)
{
    LLVMValueRef n = m->active ? m->left : code_i64(m->e, m->width);
    return g->sure ? LLVMBuildSelect(m->e->builder, g->sure, n,
                                     code_i64(m->e, 0), "")
                   : n;
}

static void copy_rows(MapCode *m, const Group *g, LLVMValueRef to,
                      LLVMValueRef from)
{
    Emit *e = m->e;
    int align = dtype_size(g->type), gap = g->step - 1 - g->last;
    LLVMValueRef n =
        LLVMBuildMul(e->builder, rows_there(m, g), code_i64(e, g->step), "");
    n = LLVMBuildSub(e->builder, n, code_i64(e, gap), "");
    Loop l = loop_begin(e, code_i64(e, 0), n, code_i64(e, 1), 0, NULL);
    LLVMValueRef right = code_at(e, element(m, g), from, l.i);
    LLVMValueRef v = code_load(e, element(m, g), right, align);
    code_store(e, v, code_at(e, element(m, g), to, l.i), align);
    loop_end(e, &l, NULL);
}

/* Begins code for rows that are not all there; NULL: they never are. */
static LLVMBasicBlockRef open_part(MapCode *m, const Group *g,
                                   LLVMBasicBlockRef *from)
{
    Emit *e = m->e;
    LLVMValueRef all = g->sure;
    *from = LLVMGetInsertBlock(e->builder);
    if (m->active && !m->may_be_full)
        return NULL;
    LLVMBasicBlockRef part = code_block(e, "part"), on = code_block(e, "");
    if (m->active)
        all = LLVMBuildICmp(e->builder, LLVMIntSGE, m->left,
                            code_i64(e, m->width), "");
    if (m->active && g->sure)
        all = LLVMBuildAnd(e->builder, all, g->sure, "");
    code_seldom(e, LLVMBuildCondBr(e->builder, all, on, part), 1);
    LLVMPositionBuilderAtEnd(e->builder, part);
    return on;
}

static LLVMBasicBlockRef close_part(MapCode *m, LLVMBasicBlockRef on)
{
    LLVMBasicBlockRef part = LLVMGetInsertBlock(m->e->builder);
    if (!on)
        return part;
    LLVMBuildBr(m->e->builder, on);
    LLVMMoveBasicBlockAfter(on, part);
    LLVMPositionBuilderAtEnd(m->e->builder, on);
    return part;
}

/* The group where its rows are all there; as they are, and those that do not
 * count 0, if it is asked for. */
static Group whole_rows(MapCode *m, const Group *g, bool clear, bool copy)
{
    Group in = *g;
    LLVMBasicBlockRef from;
    if (!m->active && !g->sure)
        return in;
    LLVMBasicBlockRef on = open_part(m, g, &from);
    if (clear)
        clear_slot(m, g);
    if (copy)
        copy_rows(m, g, slot(m), g->first);
    LLVMBasicBlockRef part = close_part(m, on);
    in.first = on ? code_phi(m->e, g->first, from, slot(m), part) : slot(m);
    return in;
}

static void put_back(MapCode *m, const Group *g)
{
    LLVMBasicBlockRef from;
    if (!m->active)
        return;
    LLVMBasicBlockRef on = open_part(m, g, &from);
    copy_rows(m, g, g->first, slot(m));
    close_part(m, on);
}

/* Loads. */

static bool is_like(const MapCode *m, int leader, int i)
{
    const Instr *a = &m->k->instr[leader], *b = &m->k->instr[i];
    return b->kind == I_load && b->buffer == a->buffer && b->pred == a->pred &&
           m->plan->level[i] == m->plan->level[leader] && !m->ready[i];
}

/* Of an index that the data decide, or under a condition. */
static LLVMValueRef is_sure(MapCode *m, const Group *g, const Instr *in)
{
    Emit *e = m->e;
    LLVMBuilderRef b = e->builder;
    LLVMValueRef sure = in->pred >= 0 ? m->val[in->pred]->v : NULL;
    if (!index_reads(in->at))
        return sure;
    int own = row_of(m, in->at, g->step).at;
    LLVMValueRef n = dim_code(e, &m->dims, in->buffer->elements);
    LLVMValueRef rows = m->active ? m->left : code_i64(e, m->width);
    LLVMValueRef first = index_first(m, in->at);
    first = LLVMBuildAdd(b, first, code_i64(e, g->low - own), "");
    LLVMValueRef last = LLVMBuildSub(b, rows, code_i64(e, 1), "");
    last = LLVMBuildMul(b, last, code_i64(e, g->step), "");
    last = LLVMBuildAdd(b, last, code_i64(e, g->last), "");
    last = LLVMBuildAdd(b, first, last, "");
    LLVMValueRef right = LLVMBuildICmp(b, LLVMIntULT, last, n, "");
    LLVMValueRef inside =
        LLVMBuildAnd(b, LLVMBuildICmp(b, LLVMIntULT, first, n, ""), right, "");
    return sure ? LLVMBuildAnd(b, sure, inside, "") : inside;
}

/* One element of each row, where that is one instruction. */
static bool is_better_alone(const MapCode *m, const Group *g)
{
    bool part = m->active && !m->may_be_full;
    return part || (m->e->machine.has.masks && !takes_vectors(m, g));
}

bool strided_load(MapCode *m, int leader)
{
    const Instr *in = &m->k->instr[leader];
    const Stage *s = m->stage;
    LLVMValueRef v[MOST_STEP];
    if ((in->pred >= 0 && m->st->across.varies[in->pred]) ||
        !is_possible(m, in->buffer, in->at))
        return false;
    Group g = {.step = index_step(&m->st->across, in->at),
               .type = in->buffer->dtype};
    for (int i = leader; i < s->first + s->ninstr; i++)
        if (is_like(m, leader, i))
            add_member(m, &g, in->at, m->k->instr[i].at, i);
    if (g.n == 1 && is_better_alone(m, &g))
        return false;
    finish_group(m, &g, in->buffer, in->at);
    g.sure = is_sure(m, &g, in);
    Group all = whole_rows(m, &g, true, true);
    if (takes_vectors(m, &g))
        load_vectors(m, &all, v);
    else
        load_pieces(m, &all, v);
    for (int k = 0; k < g.n; k++) {
        m->val[g.instr[k]] = val_new(m->e, v[k], g.type);
        m->ready[g.instr[k]] = g.instr[k] != leader;
    }
    return true;
}

/* Stores. */

/* Of all outputs of the stage that store to o's rows; the last one's number. */
static int find_stores(MapCode *m, const Output *o, Group *g)
{
    const Stage *s = m->stage;
    int last = -1;
    *g = (Group){.step = index_step(&m->st->across, o->at),
                 .type = o->buffer->dtype};
    for (int i = 0; i < s->noutput; i++) {
        const Output *x = &s->output[i];
        int n = g->n;
        if (x->kind == OUT_store && x->buffer == o->buffer && x->pred < 0)
            add_member(m, g, o->at, x->at, i);
        last = g->n > n ? i : last;
    }
    return last;
}

bool strided_store(MapCode *m, const Output *o)
{
    LLVMValueRef v[MOST_STEP] = {NULL};
    Group g;
    if (o->pred >= 0 || index_reads(o->at) || !is_possible(m, o->buffer, o->at))
        return false;
    if (find_stores(m, o, &g) != (int)(o - m->stage->output))
        return true;
    finish_group(m, &g, o->buffer, o->at);
    for (int k = 0; k < g.n; k++) {
        const Output *x = &m->stage->output[g.instr[k]];
        v[g.at[k]] = map_widen(m, m->val[x->value])->v;
    }
    Group all = whole_rows(m, &g, false, g.n < g.step);
    if (g.n == g.step && takes_vectors(m, &g))
        store_vectors(m, &all, v);
    else
        store_pieces(m, &all, v);
    put_back(m, &g);
    return true;
}
