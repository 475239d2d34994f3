/* point.h: the arguments that a random program is judged at. */
#ifndef NNCC_FUZZ_POINT_H
#define NNCC_FUZZ_POINT_H

#include "base/base.h"

enum { MAX_N = 4 };

/* Numbers by name, and a direction for each that is real. */
typedef struct Place {
    int64_t n;
    double x[1], y[1], v[MAX_N], w[MAX_N], k[1], p[MAX_N], c[1];
} Place;

typedef struct Point {
    bool edges; /* some numbers are no random ones */
    Place at, along;
    double weight[MAX_N];
} Point;

/* The same for the same number; of three, one has no edges. */
Point point_draw(int number);
/* Of the argument, or the direction, of that name. */
const double *place_number(const Place *p, char name);
/* t times the direction further. */
Place point_moved(const Point *p, double t);
/* As arguments of `nncc run`. */
const char *point_text(Arena *a, const Point *p);

#endif
