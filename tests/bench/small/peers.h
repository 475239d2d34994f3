/* peers.h: the same by hand, the elements of a small axis in variables. */
void peer_dets(const float *a, int n, float *to);
void peer_invs(const float *a, int n, float *to);
void peer_squares_grad(const float *a, int n, float *to);
void peer_lorenz(const float *s, float h, int n, float *to);
float peer_energy(const float *x, const float *m, int n);
void peer_energy_grad(const float *x, const float *m, int n, float *to);
