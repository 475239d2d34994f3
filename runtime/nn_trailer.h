/* nn_trailer.h: what nncc puts behind a shared library that it has linked, and
 * libnn looks for: 8 bytes of magic, then the CRC-32 of all that is before,
 * lowest byte first. */
#ifndef NN_TRAILER_H
#define NN_TRAILER_H

#define NN_TRAILER_MAGIC "nncc\r\n\x1a\n"
enum { NN_TRAILER = 12 };

#endif
