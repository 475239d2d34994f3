/* point.c: see point.h. */
#include "point.h"

#include <math.h>
#include <string.h>

#include "program.h"

typedef enum Draw { DRAW_plain, DRAW_edges, DRAW_wild } Draw;

static double draw_real(Rng *r, Draw how)
{
    static const double edge[] = {0, 0,   -0.0,     1,   -1,
                                  1, 0.5, INFINITY, NAN, -INFINITY};

    if (how != DRAW_plain && rng_below(r, 3) == 0)
        return edge[rng_below(r, how == DRAW_wild ? 10 : 7)];
    return (double)(rng_below(r, 40001) - 20000) / 10000;
}

static void draw_reals(Rng *r, Draw how, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = i > 0 && how != DRAW_plain && rng_below(r, 4) == 0
                    ? to[i - 1]
                    : draw_real(r, how);
}

static void draw_direction(Rng *r, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (double)(rng_below(r, 1801) - 900) / 1000 + 0.0625;
}

Point point_draw(int number)
{
    static const int64_t size[] = {2, 3, 1, 0, 2, 4};
    Rng r = {(uint64_t)number};
    Draw how = number % 3 == 0   ? DRAW_plain
               : number % 5 == 4 ? DRAW_wild
                                 : DRAW_edges;
    Point p = {.at.n = size[number % 6]};
    p.edges = how != DRAW_plain || p.at.n == 0;
    int64_t n = p.along.n = p.at.n;

    draw_reals(&r, how, 1, p.at.x);
    draw_reals(&r, how, 1, p.at.y);
    draw_reals(&r, how, n, p.at.v);
    draw_reals(&r, how, n, p.at.w);
    p.at.k[0] = rng_below(&r, 5) - 1;
    p.at.c[0] = rng_below(&r, 2);
    for (int64_t i = 0; i < n; i++)
        p.at.p[i] = rng_below(&r, (int)n + 2) - 1;
    draw_direction(&r, 1, p.along.x);
    draw_direction(&r, 1, p.along.y);
    draw_direction(&r, n, p.along.v);
    draw_direction(&r, n, p.along.w);
    draw_direction(&r, n, p.weight);
    return p;
}

const double *place_number(const Place *p, char name)
{
    switch (name) {
    case 'x':
        return p->x;
    case 'y':
        return p->y;
    case 'v':
        return p->v;
    case 'w':
        return p->w;
    case 'k':
        return p->k;
    case 'p':
        return p->p;
    }
    return p->c;
}

const char *point_text(Arena *a, const Point *p)
{
    static const char names[] = "xyvwkpc";
    Str s = str_new(a);

    for (const char *c = names; *c; c++) {
        bool vector = strchr("vwp", *c) != NULL;
        int64_t n = vector ? p->at.n : 1;
        str_printf(&s, " %c=%s", *c, vector ? "'[" : "");
        for (int64_t i = 0; i < n; i++) {
            double v = place_number(&p->at, *c)[i];
            str_printf(&s,
                       *c == 'c'     ? (v != 0 ? "true" : "false")
                       : isfinite(v) ? "%s%.17g"
                                     : "%s\"%g\"",
                       i ? ", " : "", v);
        }
        str_printf(&s, "%s", vector ? "]'" : "");
    }
    return s.at;
}

Place point_moved(const Point *p, double t)
{
    Place at = p->at;

    at.x[0] += t * p->along.x[0];
    at.y[0] += t * p->along.y[0];
    for (int64_t i = 0; i < at.n; i++) {
        at.v[i] += t * p->along.v[i];
        at.w[i] += t * p->along.w[i];
    }
    return at;
}
