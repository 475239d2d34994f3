/* libzip.h: libzip, loaded where a .npz file is met: it needs a library of
 * cryptography itself, for which every program that has libnn would wait as it
 * starts. */
#ifndef NNCC_LIBZIP_H
#define NNCC_LIBZIP_H

#include <zip.h>

#define NNCC_LIBZIP(F)                                                         \
    F(close)                                                                   \
    F(discard)                                                                 \
    F(error_fini)                                                              \
    F(error_init)                                                              \
    F(error_strerror)                                                          \
    F(fclose)                                                                  \
    F(file_add)                                                                \
    F(file_set_dostime)                                                        \
    F(fopen_index)                                                             \
    F(fread)                                                                   \
    F(get_num_entries)                                                         \
    F(open_from_source)                                                        \
    F(set_file_compression)                                                    \
    F(source_buffer)                                                           \
    F(source_buffer_create)                                                    \
    F(source_close)                                                            \
    F(source_filep_create)                                                     \
    F(source_free)                                                             \
    F(source_keep)                                                             \
    F(source_open)                                                             \
    F(source_read)                                                             \
    F(source_stat)                                                             \
    F(stat_index)                                                              \
    F(strerror)

/* Its functions, without the zip_ of their names. */
typedef struct nncc_libzip {
    void *library;
#define F(name) __typeof__(zip_##name) *name;
    NNCC_LIBZIP(F)
#undef F
} nncc_libzip;

/* NN_ERR_FILE where it is not there; else nncc_libzip_close. path: the file
 * that needs it, for the message. */
int nncc_libzip_open(nncc_libzip *z, const char *path);
void nncc_libzip_close(nncc_libzip *z);

#endif
