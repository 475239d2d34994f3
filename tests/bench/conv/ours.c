/* ours.c: a step of conv.nn's training, for peer.py to call. */
#include <stdlib.h>

#include "conv.h"

static conv_Net net;
static conv_train_state state;
static void *work;

/* The parameters, one after another. */
float *ours_begin(void)
{
    work = aligned_alloc(64, CONV_STEP_WORKSPACE + CONV_INIT_WORKSPACE + 64);
    return work && conv_init(1, &net, &state, work, NULL) == 0
               ? &net.conv1.W[0][0][0][0]
               : NULL;
}

int ours_step(const float *x, const int32_t *y, float *loss)
{
    return conv_step(&net, &state, x, y, CONV_STEP_LR, CONV_STEP_WEIGHT_DECAY,
                     loss, work, NULL);
}
