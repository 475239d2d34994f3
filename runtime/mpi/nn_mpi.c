/* nn_mpi.c: what nncc_train's ranks tell each other, by MPI. */
#include "mpi/nn_mpi.h"

#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static MPI_Comm all; /* a communicator of our own */
static int begun, lost;
static double most_wait = 600; /* seconds for an answer */

/* So many bytes as one element, whose count is an int. */
static int bytes_type(size_t bytes, MPI_Datatype *type)
{
    size_t unit = bytes % 64 == 0 && bytes > INT_MAX ? 64 : 1;
    MPI_Datatype piece;

    if (bytes / unit > INT_MAX ||
        MPI_Type_contiguous((int)unit, MPI_BYTE, &piece) != MPI_SUCCESS)
        return 1;
    int bad = MPI_Type_contiguous((int)(bytes / unit), piece, type) ||
              MPI_Type_commit(type);
    MPI_Type_free(&piece);
    return bad;
}

/* MPIs wait by asking again and again; who waits long lets others work, and for
 * a machine that is gone not for ever. Not 0: it is time to give up. */
static int pause_for(int asked, double began)
{
    const struct timespec moment = {0, 50000};

    if (asked > 10000)
        nanosleep(&moment, NULL);
    else if (asked > 100)
        sched_yield();
    return asked > 10000 && MPI_Wtime() - began > most_wait;
}

static int wait_for(int bad, MPI_Request *request, MPI_Datatype *type)
{
    double began = MPI_Wtime();
    int done = 0;

    for (int i = 0; !bad && !done; i += i < INT_MAX) {
        bad = MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS;
        if (!bad && !done)
            bad = pause_for(i, began);
    }
    MPI_Type_free(type);
    lost |= bad;
    return bad;
}

static int gather(void *context, const void *from, size_t bytes, void *to)
{
    MPI_Datatype type;
    MPI_Request request;

    (void)context;
    if (bytes_type(bytes, &type))
        return lost = 1;
    int bad = MPI_Iallgather(from, 1, type, to, 1, type, all, &request);
    return wait_for(bad, &request, &type);
}

static int exchange(void *context, const void *from, size_t bytes, void *to)
{
    MPI_Datatype type;
    MPI_Request request;

    (void)context;
    if (bytes_type(bytes, &type))
        return lost = 1;
    int bad = MPI_Ialltoall(from, 1, type, to, 1, type, all, &request);
    return wait_for(bad, &request, &type);
}

static int broadcast(void *context, void *at, size_t bytes)
{
    MPI_Datatype type;
    MPI_Request request;

    (void)context;
    if (bytes_type(bytes, &type))
        return lost = 1;
    int bad = MPI_Ibcast(at, 1, type, 0, all, &request);
    return wait_for(bad, &request, &type);
}

int nncc_mpi_begin(nncc_ranks *to)
{
    int running = 0, level = MPI_THREAD_SINGLE, rank = 0, count = 0;
    const char *wait = getenv("NNCC_RANKS_WAIT");

    if (wait && atof(wait) > 0)
        most_wait = atof(wait);

    if (MPI_Initialized(&running) != MPI_SUCCESS)
        return 1;
    if (running)
        MPI_Query_thread(&level);
    else if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level) !=
             MPI_SUCCESS)
        return 1;
    begun = !running;
    if (MPI_Comm_dup(MPI_COMM_WORLD, &all) != MPI_SUCCESS ||
        MPI_Comm_rank(all, &rank) != MPI_SUCCESS ||
        MPI_Comm_size(all, &count) != MPI_SUCCESS)
        return 1;
    MPI_Comm_set_errhandler(all, MPI_ERRORS_RETURN);
    *to = (nncc_ranks){.rank = rank,
                       .count = count,
                       .any_thread = level >= MPI_THREAD_SERIALIZED,
                       .gather = gather,
                       .exchange = exchange,
                       .broadcast = broadcast};
    return 0;
}

/* MPI may wait in the end, too, for what is gone: a signal ends that. */
void nncc_mpi_end(void)
{
    if (begun || lost)
        alarm(lost ? 5 : most_wait < 1 ? 1 : (unsigned)most_wait);
    if (lost)
        MPI_Abort(all, 1);
    MPI_Comm_free(&all);
    if (begun)
        MPI_Finalize();
    alarm(0);
}
