/* ba_peer.h: bundle adjustment by hand. */
void ba_peer(const double *cams, const double *X, const double *w,
             const double *feat, const int *obs, int p, double *to);
