/* loops.h: the same gradient as plain C loops. */
#ifndef LOOPS_H
#define LOOPS_H

#include <stdint.h>

enum { N_IN = 784, N_HID = 128, N_OUT = 10 };

/* W1 [N_IN][N_HID], b1, W2 [N_HID][N_OUT], b2; d_… alike. work holds
 * b * (2 * N_HID + N_OUT) floats. Returns the loss. */
float loops_loss_grad(const float *W1, const float *b1, const float *W2,
                      const float *b2, const float *x, const int32_t *y, int b,
                      float *d_W1, float *d_b1, float *d_W2, float *d_b2,
                      float *work);

#endif
