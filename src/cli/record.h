/* record.h: the numbers of a training, and where they are written. */
#ifndef NNCC_RECORD_H
#define NNCC_RECORD_H

#include "cli/norms.h"

/* NaN: not known this time. */
typedef struct Scalar {
    char *name;
    double value;
} Scalar;

/* The numbers at one time, as many and of the same names at all times. */
typedef struct Record {
    int64_t epoch, step;
    double seconds;
    Scalar *at;
    int n, cap;
} Record;

typedef LIST(Record) Records;

/* log.c: a line for each record, of CSV or JSON. */

typedef struct LogFile {
    const char *path;
    FILE *to; /* NULL: none */
    bool csv;
    bool on; /* something may be there, and nothing was added to it yet */
} LogFile;
/* on: at the end of what is there. False after a message. */
bool log_open(Arena *a, const char *path, bool on, const Record *names,
              LogFile *to);
void log_put(LogFile *l, const Record *r);
bool log_close(LogFile *l);
/* ", \"name\": 1.5"; null where it is no number. */
void json_number(const char *name, double v, FILE *to);
/* One as a line of JSON. */
void record_json(const Record *r, FILE *to);

/* events.c: as an event file of TensorBoard's. */

typedef struct EventFile {
    Arena *arena;
    const char *path;
    FILE *to; /* NULL: none */
} EventFile;
/* A new file in folder, which is made where there is none. False after a
 * message. */
bool events_open(Arena *a, const char *folder, EventFile *to);
void events_put(const EventFile *e, const Record *r);
bool events_close(EventFile *e);
/* The check sum of its records: CRC-32C. */
uint32_t crc32c(const void *bytes, size_t n);

/* record.c: all that the options ask for. */

typedef struct Recorder {
    const Args *args;
    const nncc_model *model;
    const char *held;
    Record now;
    int items, rate, batch_loss; /* which of its numbers; items: the first */
    bool keeps;                  /* something is made of them in the end */
    Records kept;                /* every so many: */
    int64_t every, told;
    int64_t steps; /* also every so many; 0: only at the end of epochs */
    FILE *json;    /* what standard output was; or NULL */
    bool has_norms;
    Norms norms;
    int first_norm; /* of the record's numbers */
    LogFile log;
    EventFile events;
} Recorder;
/* What the command line says; a status to exit with. Of a Recorder that is
 * zeroed. */
int recorder_options(const Args *a, Recorder *r);
/* Before anything is printed: with --json what goes to standard output goes to
 * stderr instead. False after a message, as recorder_begin. */
bool recorder_json(const Args *a, Recorder *r);
/* held: the word for rows that are looked at meanwhile, "test". */
bool recorder_begin(const Args *a, nncc_model *m, const char *held,
                    Recorder *r);
void recorder_tell(Recorder *r, const nncc_progress *now);
/* What came out, where JSON is wanted. */
void recorder_result(Recorder *r, const nncc_train_result *result);
/* False after a message: something could not be written. */
bool recorder_end(Recorder *r);

#endif
