/* test_index.c: an index that is put together has the value of its parts at
 * every place, and what is told of it holds there. */
#include "graph/ops/ops.h"
#include "kernel/sched.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>

enum {
    NVAR = 2,
    NLOOP = 3,
    NREAD = 2,
    MOST = 3,
    MADE = 12,
    ROUNDS = CASES(3000)
};

/* What an index is made of, beside the index. */
typedef enum Way { VAR, READ, SIZE, ADD, SCALE, DIV, MOD } Way;

typedef struct Made Made;
struct Made {
    Way way;
    int number; /* of a loop, of an instruction that is read */
    const Dim *by;
    const Made *a, *b;
    const Index *index;
};

/* Where values are compared: sizes, loops and what instructions computed. */
typedef struct Place {
    int64_t size[NVAR], i[NLOOP], read[NREAD];
} Place;

static Arena *arena;
static Graph *g;
static const Dim *var[NVAR], *extent[NLOOP];
static IndexTable *table;
static const Made *pool[MADE];
static int npool;

static int below(int n) { return rand() % n; }

static const Dim *num(int64_t v) { return dim_const(g, v); }

static int64_t size_at(const Dim *d, const Place *at)
{
    int64_t v = 0;
    ck_assert(dim_eval(d, NVAR, var, at->size, &v));
    return v;
}

/* Random indices */

static const Dim *some_extent(void)
{
    switch (below(4)) {
    case 0:
        return var[below(NVAR)];
    case 1:
        return dim_add(g, var[below(NVAR)], num(below(2)));
    default:
        return num(1 + below(4));
    }
}

/* What may divide: sizes, their products, loops' extents, and one more. */
static const Dim *some_size(void)
{
    const Dim *d = below(2) ? extent[below(NLOOP)] : some_extent();
    if (below(3) == 0)
        d = dim_mul(g, d, below(2) ? extent[below(NLOOP)] : some_extent());
    if (below(8) == 0)
        d = dim_add(g, d, num(1));
    return d;
}

static const Dim *some_factor(void)
{
    int k = below(8);
    return k == 0 ? num(-1) : k == 1 ? num(0) : some_size();
}

static const Made *keep(Made m)
{
    Made *to = NEW(arena, Made);
    switch (m.way) {
    case VAR:
        m.index = index_var(table, m.number);
        break;
    case READ:
        m.index = index_value(table, m.number);
        break;
    case SIZE:
        m.index = index_dim(table, m.by);
        break;
    case ADD:
        m.index = index_add(table, m.a->index, m.b->index);
        break;
    case SCALE:
        m.index = index_scale(table, m.a->index, m.by);
        break;
    case DIV:
        m.index = index_div(table, m.a->index, m.by);
        break;
    case MOD:
        m.index = index_mod(table, m.a->index, m.by);
        break;
    }
    *to = m;
    return to;
}

static const Made *leaf(void)
{
    int k = below(10);
    if (k == 0)
        return keep((Made){.way = READ, .number = below(NREAD)});
    if (k == 1)
        return keep((Made){.way = SIZE,
                           .by = below(2) ? some_size() : num(below(5) - 2)});
    return keep((Made){.way = VAR, .number = below(NLOOP)});
}

/* The loops as the digits of one number, in any order, now and then not quite:
 * one is left out, or counted by another step. */
static const Made *digits(void)
{
    const Dim *step = num(1);
    const Made *sum = NULL;
    int first = below(NLOOP), count = 1 + below(NLOOP);
    for (int i = 0; i < count; i++) {
        int v = (first + i) % NLOOP;
        const Made *m = keep((Made){.way = VAR, .number = v});
        m = keep((Made){.way = SCALE, .a = m, .by = step});
        sum = sum ? keep((Made){.way = ADD, .a = sum, .b = m}) : m;
        step = dim_mul(g, step, below(12) ? extent[v] : some_factor());
    }
    return sum;
}

static const Made *some(void) { return pool[below(npool)]; }

/* (x / n) n + x % n, now and then of another x or n. */
static const Made *rejoined(void)
{
    const Dim *by = some_size(), *other = below(8) ? by : some_size();
    const Made *x = some(), *y = below(8) ? x : some(), *q, *r;
    q = keep((Made){.way = DIV, .a = x, .by = by});
    q = keep((Made){.way = SCALE, .a = q, .by = below(8) ? by : some_factor()});
    r = keep((Made){.way = MOD, .a = y, .by = other});
    if (below(4) == 0)
        r = keep((Made){.way = DIV, .a = y, .by = other});
    return below(2) ? keep((Made){.way = ADD, .a = q, .b = r})
                    : keep((Made){.way = ADD, .a = r, .b = q});
}

static const Made *next_made(void)
{
    switch (below(8)) {
    case 0:
        return digits();
    case 1:
        return keep((Made){.way = SCALE, .a = some(), .by = some_factor()});
    case 2:
    case 3:
        return keep((Made){.way = DIV, .a = some(), .by = some_size()});
    case 4:
        return keep((Made){.way = MOD, .a = some(), .by = some_size()});
    case 5:
        return rejoined();
    default:
        return keep((Made){.way = ADD, .a = some(), .b = some()});
    }
}

static void make_pool(void)
{
    for (int i = 0; i < NLOOP; i++)
        extent[i] = some_extent();
    index_extents(table, NLOOP, extent);
    for (npool = 0; npool < MADE; npool++)
        pool[npool] = npool == 0 ? digits() : npool < 4 ? leaf() : next_made();
}

/* Their values */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* False: something is divided by what is not positive, and has no value. */
static bool made_at(const Made *m, const Place *at, int64_t *v)
{
    int64_t x = 0, y = 0;
    if ((m->a && !made_at(m->a, at, &x)) || (m->b && !made_at(m->b, at, &y)))
        return false;
    if (m->by)
        y = size_at(m->by, at);
    switch (m->way) {
    case VAR:
        *v = at->i[m->number];
        return true;
    case READ:
        *v = at->read[m->number];
        return true;
    case SIZE:
        *v = y;
        return true;
    case ADD:
        *v = x + y;
        return true;
    case SCALE:
        *v = x * y;
        return true;
    case DIV:
    case MOD:
        if (y > 0)
            *v = m->way == DIV ? floor_div(x, y) : x - y * floor_div(x, y);
        return y > 0;
    }
    return false;
}

static int64_t index_at(const Index *x, const Place *at)
{
    int64_t sum = size_at(x->base, at);
    for (int k = 0; k < x->n; k++) {
        const Atom *a = &x->atom[k];
        int64_t v = 0, of = a->of ? index_at(a->of, at) : 0;
        int64_t by = a->by ? size_at(a->by, at) : 0;
        switch (a->kind) {
        case IX_var:
            v = at->i[a->var];
            break;
        case IX_value:
            v = at->read[a->value];
            break;
        case IX_div:
            v = by > 0 ? floor_div(of, by) : 0;
            break;
        case IX_mod:
            v = by > 0 ? of - by * floor_div(of, by) : 0;
            break;
        }
        sum += size_at(x->coef[k], at) * v;
    }
    return sum;
}

/* The next place, in order; false after the last. */
static bool next_place(Place *at)
{
    for (int i = 0; i < NREAD; i++)
        at->read[i] = (at->read[i] + 4 + i) % 9 - 2; /* any numbers */
    for (int i = 0; i < NLOOP; i++) {
        if (++at->i[i] < size_at(extent[i], at))
            return true;
        at->i[i] = 0;
    }
    for (int i = 0; i < NVAR; i++) {
        if (++at->size[i] <= MOST)
            return true;
        at->size[i] = 1;
    }
    return false;
}

static Place first_place(void)
{
    Place at = {{1, 1}, {0}, {0}};
    return at;
}

static const char *text(const Made *m)
{
    static const char *const sign[] = {
        [ADD] = "+", [SCALE] = "*", [DIV] = "/", [MOD] = "%"};
    switch (m->way) {
    case VAR:
        return arena_printf(arena, "i%d < %s", m->number,
                            dim_text(g, extent[m->number]));
    case READ:
        return arena_printf(arena, "r%d", m->number);
    case SIZE:
        return dim_text(g, m->by);
    case ADD:
    case SCALE:
    case DIV:
    case MOD:
        break;
    }
    return arena_printf(arena, "(%s %s %s)", text(m->a), sign[m->way],
                        m->b ? text(m->b) : dim_text(g, m->by));
}

/* Tests */

static void setup(void)
{
    arena = arena_new();
    g = graph_new(arena, DT_f32);
    for (int i = 0; i < NVAR; i++)
        var[i] = dim_var(g, i ? "m" : "n");
    table = index_table(arena, g);
    srand(11);
}

static void teardown(void) { arena_free(arena); }

START_TEST(has_the_value_of_its_parts)
{
    for (int k = 0; k < ROUNDS; k++) {
        make_pool();
        Place at = first_place();
        do {
            for (int i = 0; i < npool; i++) {
                int64_t v, got = index_at(pool[i]->index, &at);
                if (made_at(pool[i], &at, &v))
                    ck_assert_msg(v == got, "%s is %d, not %d", text(pool[i]),
                                  (int)v, (int)got);
            }
        } while (next_place(&at));
    }
}
END_TEST

/* Does m have a part of this kind. */
static bool has(const Made *m, Way way, int number)
{
    return m && ((m->way == way && m->number == number) ||
                 has(m->a, way, number) || has(m->b, way, number));
}

static bool has_quotient(const Made *m)
{
    return m && (m->way == DIV || m->way == MOD || has_quotient(m->a) ||
                 has_quotient(m->b));
}

/* How far x moves with loop v where it is what is told: index_coef, and not at
 * all where there is none. */
static void check_steps(const Made *m, int v, const Place *at)
{
    const Index *x = m->index;
    const Dim *coef = index_coef(x, v);
    Place next = *at;
    next.i[v]++;
    if (index_nested(x, v) || next.i[v] >= size_at(extent[v], at))
        return;
    ck_assert_msg(index_at(x, &next) - index_at(x, at) ==
                      (coef ? size_at(coef, at) : 0),
                  "%s: how i%d counts", text(m), v);
}

static void check_told(const Made *m, const Place *at)
{
    const Index *x = m->index;
    Place other = *at;
    int64_t v = index_at(x, at);
    for (int i = 0; i < NLOOP; i++) {
        ck_assert_msg(!index_is_var(x, i) || v == at->i[i], "%s is i%d",
                      text(m), i);
        check_steps(m, i, at);
    }
    for (int i = 0; i < NREAD; i++)
        other.read[i] += 1 + i;
    ck_assert_msg(index_reads(x) || v == index_at(x, &other), "%s reads",
                  text(m));
}

START_TEST(is_what_is_told)
{
    for (int k = 0; k < ROUNDS / 3; k++) {
        make_pool();
        for (int i = 0; i < npool; i++) {
            const Made *m = pool[i];
            ck_assert(has(m, READ, 0) || has(m, READ, 1) ||
                      !index_reads(m->index));
            for (int v = 0; v < NLOOP; v++)
                ck_assert((has(m, VAR, v) && has_quotient(m)) ||
                          !index_nested(m->index, v));
            Place at = first_place();
            do
                check_told(m, &at);
            while (next_place(&at));
        }
    }
    for (int v = 0; v < NLOOP; v++)
        ck_assert(index_is_var(index_var(table, v), v));
}
END_TEST

/* Loops that become others, instructions that get other numbers. */
START_TEST(is_renamed)
{
    const int turned[NREAD] = {1, 0};
    for (int k = 0; k < ROUNDS / 3; k++) {
        const Index *to[NLOOP];
        make_pool();
        const Made *m = pool[npool - 1];
        for (int i = 0; i < NLOOP; i++)
            to[i] = below(3)   ? index_var(table, i)
                    : below(2) ? index_int(table, 0)
                               : index_var(table, below(NLOOP));
        index_extents(table, 0, NULL);
        const Index *renamed = index_rename(table, m->index, NLOOP, to);
        const Index *renumbered = index_renumber(table, m->index, turned);
        Place at = first_place();
        do {
            Place there = at, exchanged = at;
            bool inside = true;
            for (int i = 0; i < NLOOP; i++) {
                there.i[i] = index_at(to[i], &at);
                inside = inside && there.i[i] < size_at(extent[i], &at);
            }
            for (int i = 0; i < NREAD; i++)
                exchanged.read[i] = at.read[turned[i]];
            int64_t v;
            ck_assert_msg(!inside || !made_at(m, &there, &v) ||
                              index_at(renamed, &at) == v,
                          "%s, renamed", text(m));
            ck_assert_msg(!made_at(m, &exchanged, &v) ||
                              index_at(renumbered, &at) == v,
                          "%s, renumbered", text(m));
        } while (next_place(&at));
    }
}
END_TEST

/* What digits are made of is found again: no quotient is left. */
START_TEST(digits_are_found)
{
    for (int k = 0; k < ROUNDS; k++) {
        const Dim *all = num(1);
        const Index *x = index_int(table, 0), *digit[NLOOP];
        make_pool();
        for (int i = 0; i < NLOOP; i++) {
            digit[i] = dim_is(extent[i], 1) ? index_int(table, 0)
                                            : index_var(table, i);
            x = index_add(table, index_scale(table, x, extent[i]), digit[i]);
            all = dim_mul(g, all, extent[i]);
        }
        ck_assert_ptr_eq(index_mod(table, x, all), x);
        ck_assert_ptr_eq(index_div(table, x, all), index_int(table, 0));
        for (int i = NLOOP - 1; i >= 0; i--) {
            ck_assert_msg(index_mod(table, x, extent[i]) == digit[i],
                          "i%d of %s, %s, %s", i, dim_text(g, extent[0]),
                          dim_text(g, extent[1]), dim_text(g, extent[2]));
            x = index_div(table, x, extent[i]);
        }
    }
}
END_TEST

/* base + c i0 + d i1 over so many, divided by a number, exhaustively. */
typedef struct Line {
    const Index *x;
    int64_t base, coef[2];
} Line;

static Line line_of(int64_t base, int64_t c, int64_t d)
{
    Line l = {index_int(table, base), base, {c, d}};
    for (int v = 0; v < 2; v++)
        l.x =
            index_add(table, l.x,
                      index_scale(table, index_var(table, v), num(l.coef[v])));
    return l;
}

static int64_t line_at(const Line *l, const Place *at)
{
    return l->base + l->coef[0] * at->i[0] + l->coef[1] * at->i[1];
}

/* Of two lines, (x / by) by + y % with, and x alone. */
static void ck_quotients(const Line *x, const Line *y, int64_t by, int64_t with,
                         const Place *at)
{
    const Index *div = index_div(table, x->x, num(by));
    const Index *mod = index_mod(table, y->x, num(with));
    const Index *sum = index_add(table, index_scale(table, div, num(by)), mod);
    int64_t q = floor_div(line_at(x, at), by), v = line_at(y, at);
    int64_t r = v - with * floor_div(v, with);
    ck_assert_int_eq(index_at(div, at), q);
    ck_assert_int_eq(index_at(mod, at), r);
    ck_assert_int_eq(index_at(sum, at), by * q + r);
}

START_TEST(quotients_of_lines)
{
    enum { LINES = 5 * 5 * 4 };
    const Dim *size[2] = {num(2 + _i / 2), num(2 + _i % 2)};
    Line line[LINES];
    index_extents(table, 2, size);
    for (int k = 0; k < LINES; k++)
        line[k] = line_of(k % 5 - 2, k / 5 % 5 - 2, k / 25);
    for (int k = 0; k < LINES; k++)
        for (int m = 0; m < 9; m++) {
            const Line *y = m % 2 ? &line[k] : &line[(k + 7 * m) % LINES];
            for (int p = 0; p < 6; p++) {
                Place at = {
                    .i = {p % 2 ? 1 + _i / 2 : 0, p / 2 % (2 + _i % 2)}};
                ck_quotients(&line[k], y, 2 + m % 3, 2 + m / 3, &at);
            }
        }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("index");
    TCase *t = tcase_create("index");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, has_the_value_of_its_parts);
    tcase_add_test(t, is_what_is_told);
    tcase_add_test(t, is_renamed);
    tcase_add_test(t, digits_are_found);
    tcase_add_loop_test(t, quotients_of_lines, 0, 4);
    suite_add_tcase(s, t);
    return s;
}

int main(void) { return run_suite(suite()); }
