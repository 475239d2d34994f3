/* ba_peer.c: blocks of the Jacobian of bundle adjustment, one observation after
 * another: values and derivatives by hand, forward in three numbers each. */
#include "ba_peer.h"

#include <math.h>

/* The derivative of a rotated vector by what turns it, R (3 x 3) by the angle
 * vector r, of x; and R itself. */
typedef struct Turn {
    double y[3], by_r[3][3], by_x[3][3];
} Turn;

static inline void turn(Turn *t, const double *restrict r,
                        const double *restrict x)
{
    double square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
    double c[3] = {r[1] * x[2] - r[2] * x[1], r[2] * x[0] - r[0] * x[2],
                   r[0] * x[1] - r[1] * x[0]};
    double along = r[0] * x[0] + r[1] * x[1] + r[2] * x[2];

    if (square == 0) {
        for (int i = 0; i < 3; i++) {
            t->y[i] = x[i] + c[i];
            for (int j = 0; j < 3; j++)
                t->by_x[i][j] = i == j;
        }
        t->by_r[0][0] = t->by_r[1][1] = t->by_r[2][2] = 0;
        t->by_r[0][1] = x[2], t->by_r[0][2] = -x[1];
        t->by_r[1][0] = -x[2], t->by_r[1][2] = x[0];
        t->by_r[2][0] = x[1], t->by_r[2][1] = -x[0];
        return;
    }
    double angle = sqrt(square), over = 1 / angle, over2 = over * over;
    double co = cos(angle), si = sin(angle) * over, ve = (1 - co) * over2;
    /* by the angle, over the angle */
    double dco = -si, dsi = (co - si) * over2, dve = (si - 2 * ve) * over2;
    double skew[3][3] = {{0, -r[2], r[1]}, {r[2], 0, -r[0]}, {-r[1], r[0], 0}};
    double turned[3][3] = {
        {0, x[2], -x[1]}, {-x[2], 0, x[0]}, {x[1], -x[0], 0}};

    for (int i = 0; i < 3; i++) {
        double along_r = dco * x[i] + dsi * c[i] + dve * along * r[i];

        t->y[i] = co * x[i] + si * c[i] + ve * along * r[i];
        for (int j = 0; j < 3; j++) {
            t->by_x[i][j] =
                (i == j ? co : 0) + si * skew[i][j] + ve * r[i] * r[j];
            t->by_r[i][j] = along_r * r[j] + si * turned[i][j] +
                            ve * (x[j] * r[i] + (i == j ? along : 0));
        }
    }
}

static inline void block(const double *restrict cam, const double *restrict X,
                         double w, const double *restrict feat,
                         double *restrict to)
{
    Turn t;
    double x[3] = {X[0] - cam[3], X[1] - cam[4], X[2] - cam[5]};

    turn(&t, cam, x);
    double z = 1 / t.y[2], u[2] = {t.y[0] * z, t.y[1] * z};
    double square = u[0] * u[0] + u[1] * u[1];
    double radial = 1 + cam[9] * square + cam[10] * square * square;
    double slope = 2 * (cam[9] + 2 * cam[10] * square);

    for (int i = 0; i < 2; i++, to += 15) {
        /* by u, then by y, times the weight */
        double s = w * cam[6], du[2], dy[3];

        du[0] = s * (slope * u[0] * u[i] + (i == 0 ? radial : 0));
        du[1] = s * (slope * u[1] * u[i] + (i == 1 ? radial : 0));
        dy[0] = du[0] * z;
        dy[1] = du[1] * z;
        dy[2] = -(du[0] * u[0] + du[1] * u[1]) * z;
        for (int j = 0; j < 3; j++) {
            double by_x = 0, by_r = 0;

            for (int k = 0; k < 3; k++) {
                by_x += dy[k] * t.by_x[k][j];
                by_r += dy[k] * t.by_r[k][j];
            }
            to[j] = by_r;
            to[3 + j] = -by_x;
            to[11 + j] = by_x;
        }
        to[6] = w * radial * u[i];
        to[7] = i == 0 ? w : 0;
        to[8] = i == 1 ? w : 0;
        to[9] = s * u[i] * square;
        to[10] = s * u[i] * square * square;
        to[14] = cam[6] * radial * u[i] + cam[7 + i] - feat[i];
    }
}

void ba_peer(const double *cams, const double *X, const double *w,
             const double *feat, const int *obs, int p, double *to)
{
    for (int i = 0; i < p; i++)
        block(cams + 11 * obs[2 * i], X + 3 * obs[2 * i + 1], w[i],
              feat + 2 * i, to + 30 * i);
    for (int i = 0; i < p; i++)
        to[30 * p + i] = -2 * w[i];
}
