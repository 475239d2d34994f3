/* lower_sim.h: lower.h carried out on single values in plain C, so that the
 * rows' machine code runs without a machine. */
#ifndef LOWER_SIM_H
#define LOWER_SIM_H

#include "graph/op.h"

typedef union SimValue {
    bool b;
    int64_t i; /* u8, i32, i64, key */
    float f;
    double d;
} SimValue;

/* What the row's lower makes of x for one element; n has the argument dtypes
 * and the result's. */
SimValue sim_lower(const Node *n, const SimValue *x);
/* Whether low_muladd rounds once, from now on. */
void sim_fused(bool fused);
/* Whether the machine has f64, from now on. If not, using it is an error. */
void sim_f64(bool has);
/* Operations carried out by the last sim_lower. */
int sim_count(void);
/* How much code the last sim_lower was: operations, without constants; a call
 * of what is shared counts as WEIGHT_CALL. */
enum { WEIGHT_CALL = 5 };
int sim_weight(void);

/* A real number, or an integer's or bool's value, as a value of dtype t. */
SimValue sim_value(DType t, double v);
double sim_number(DType t, SimValue v);

#endif
