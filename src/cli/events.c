/* events.c: scalars as an event file, which TensorBoard shows. Each record of
 * it is the length, the length's check sum, the message and its check sum, all
 * little-endian. */

#include "cli/record.h"
#include "event.pb-c.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

uint32_t crc32c(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc ^= at[i];
        for (int k = 0; k < 8; k++) /* Castagnoli's polynomial, reflected */
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    return ~crc;
}

/* Check sums of data that has check sums in it are turned and shifted. */
static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}

static void put_number(FILE *to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(v >> 8 * i & 255), to);
}

static void put_record(FILE *to, const uint8_t *message, size_t n)
{
    unsigned char length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)n >> 8 * i);
    fwrite(length, 1, sizeof length, to);
    put_number(to, masked(crc32c(length, sizeof length)), 4);
    fwrite(message, 1, n, to);
    put_number(to, masked(crc32c(message, n)), 4);
    fflush(to);
}

static void put_event(const EventFile *e, Nncc__Event *event)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    event->has_wall_time = 1;
    event->wall_time = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    size_t n = nncc__event__get_packed_size(event);
    uint8_t *message = malloc(n + 1);
    if (message) {
        nncc__event__pack(event, message);
        put_record(e->to, message, n);
    }
    free(message);
}

/* events.out.tfevents.SECONDS.HOST.PROCESS: the second part is what TensorBoard
 * looks for, the rest makes it another file each time. */
static const char *new_path(Arena *a, const char *folder)
{
    char host[256] = "";

    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        strcpy(host, "localhost");
    return arena_printf(a, "%s/events.out.tfevents.%lld.%s.%ld", folder,
                        (long long)time(NULL), host, (long)getpid());
}

bool events_open(Arena *a, const char *folder, EventFile *to)
{
    Nncc__Event first = NNCC__EVENT__INIT;
    char *version = arena_printf(a, "brain.Event:2");

    *to = (EventFile){.arena = a, .path = new_path(a, folder)};
    if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        to->to = fopen(to->path, "wb");
    if (!to->to) {
        cli_fail("cannot write %s: %s", to->path, file_error(a, errno));
        return false;
    }
    first.file_version = version;
    put_event(to, &first);
    return true;
}

void events_put(const EventFile *e, const Record *r)
{
    Nncc__Event event = NNCC__EVENT__INIT;
    Nncc__Summary all = NNCC__SUMMARY__INIT;

    if (!e->to)
        return;
    Nncc__Summary__Value *value = calloc((size_t)r->n + 1, sizeof *value);
    Nncc__Summary__Value **at = calloc((size_t)r->n + 1, sizeof *at);
    for (int i = 0; i < r->n && value && at; i++) {
        Nncc__Summary__Value *v = &value[all.n_value];
        if (!isfinite(r->at[i].value))
            continue;
        nncc__summary__value__init(v);
        v->tag = r->at[i].name;
        v->has_simple_value = 1;
        v->simple_value = (float)r->at[i].value;
        at[all.n_value++] = v;
    }
    all.value = at;
    event.has_step = 1;
    event.step = r->step;
    event.summary = &all;
    put_event(e, &event);
    free(at);
    free(value);
}

bool events_close(EventFile *e)
{
    if (stream_close(&e->to))
        return true;
    cli_fail("cannot write all of %s", e->path);
    return false;
}
