/* ranks.c: one training by the processes that mpirun has started. What they
 * need of MPI is in a library, one for each MPI that nncc was built with, which
 * is loaded only then. */

#include "cli/ranks.h"
#include "cli/course.h"
#include "mpi/nn_mpi.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PATH = 4096 };

/* How to know that, and of which MPI. */
typedef struct Launcher {
    const char *count;   /* variable of the environment: how many there are, */
    const char *there;   /* if this one is there, too, or NULL */
    const char *library; /* of the MPI that sets it */
} Launcher;

static const Launcher launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", NULL, "openmpi"},
    {"PMI_SIZE", NULL, "mpich"},
    {"SLURM_NTASKS", "PMIX_RANK", "openmpi"},
};

/* How many processes there are, above 1, and who started them; or 1. */
static int launched(const Launcher **by)
{
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const Launcher *l = &launchers[i];
        const char *text = getenv(l->count);
        int count = text && (!l->there || getenv(l->there)) ? atoi(text) : 1;
        *by = l;
        if (count > 1)
            return count;
    }
    return 1;
}

/* Beside nncc, or where it is installed. */
static void *open_library(const Args *a, const char *name, const char **path)
{
    char self[MOST_PATH];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    static const char *const folder[] = {"", "../lib/nncc/"};

    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    int length = slash ? (int)(slash - self) + 1 : 0;
    for (int i = 0; i < 2; i++) {
        *path = arena_printf(a->arena, "%.*s%slibnncc_%s.so", length, self,
                             folder[i], name);
        if (access(*path, F_OK) == 0)
            return dlopen(*path, RTLD_NOW | RTLD_GLOBAL);
    }
    *path = NULL;
    return NULL;
}

static int find_functions(Ranks *r)
{
    int (*begin)(nncc_ranks *) = NULL;

    /* What C has no conversion for, as POSIX says to do it. */
    *(void **)&begin = dlsym(r->library, "nncc_mpi_begin");
    *(void **)&r->end = dlsym(r->library, "nncc_mpi_end");
    if (begin && r->end && begin(&r->of) == 0)
        return 0;
    r->end = NULL;
    return 1;
}

static int load(const Args *a, const Launcher *l, int count, Ranks *r)
{
    const char *path;

    r->library = open_library(a, l->library, &path);
    if (!path)
        return cli_fail("one of %d processes (%s), but nncc was built without "
                        "the MPI that has started them",
                        count, l->count);
    if (!r->library)
        return cli_fail("%s", dlerror());
    if (find_functions(r))
        return cli_fail("%s: MPI does not start", path);
    return r->of.count == count
               ? EXIT_SUCCESS
               : cli_fail("%s: its MPI knows of %d process%s, not of %d (%s): "
                          "is it the one that has started them?",
                          path, r->of.count, r->of.count == 1 ? "" : "es",
                          count, l->count);
}

/* Options of what only one process is to do; a log is each training's own. */
static void drop_options(Args *a)
{
    int n = 0;

    for (int i = 0; i < a->given.n; i++) {
        const char *name = a->given.at[i].name;
        bool own = grid_asked(a) &&
                   (!strcmp(name, "log") || !strcmp(name, "log-steps"));
        if (own || !option_has(a->command, name, OPTION_first))
            a->given.at[n++] = a->given.at[i];
    }
    a->given.n = n;
}

/* Standard output is not heard, standard error later. */
static int be_still(Args *a, Ranks *r)
{
    FILE *kept = tmpfile();
    int nothing = open("/dev/null", O_WRONLY);

    drop_options(a);
    r->real = dup(STDERR_FILENO);
    r->kept = kept ? dup(fileno(kept)) : -1;
    if (kept)
        fclose(kept);
    bool good = r->kept >= 0 && nothing >= 0 && r->real >= 0 &&
                dup2(nothing, STDOUT_FILENO) >= 0 &&
                dup2(r->kept, STDERR_FILENO) >= 0;
    if (nothing >= 0)
        close(nothing);
    return good ? EXIT_SUCCESS
                : cli_fail("cannot keep messages: %s",
                           file_error(a->arena, errno));
}

int ranks_begin(Args *a, Ranks *r)
{
    const Launcher *l;
    int count = launched(&l);

    *r = (Ranks){.kept = -1};
    if (count == 1)
        return EXIT_SUCCESS;
    /* Of trainings side by side one takes longer than another: who is done
     * waits. */
    if (grid_asked(a))
        setenv("NNCC_RANKS_WAIT", "1e9", 0);
    int status = load(a, l, count, r);
    return status || r->of.rank == 0 ? status : be_still(a, r);
}

bool ranks_first(const Ranks *r) { return r->of.rank == 0; }

/* Messages are heard from now on, and those that were kept, too. */
static void be_heard(Ranks *r, bool tell)
{
    char chunk[1024];
    ssize_t n;

    fflush(stderr);
    dup2(r->real, STDERR_FILENO);
    lseek(r->kept, 0, SEEK_SET);
    while (tell && (n = read(r->kept, chunk, sizeof chunk)) > 0)
        fprintf(stderr, "%.*s", (int)n, chunk);
    close(r->kept);
    close(r->real);
    r->kept = -1;
}

int ranks_agree(Ranks *r, int status)
{
    if (!r->library)
        return status;
    int *all = calloc((size_t)r->of.count, sizeof *all), worst = status;
    if (!all || r->of.gather(r->of.context, &status, sizeof status, all) != 0)
        worst = cli_fail("the other processes do not answer");
    else
        for (int i = 0; i < r->of.count; i++)
            worst = all[i] > worst ? all[i] : worst;
    if (r->kept >= 0)
        be_heard(r, !all || (status && !all[0]));
    free(all);
    return worst;
}

void ranks_end(Ranks *r)
{
    if (r->kept >= 0)
        be_heard(r, false);
    if (r->library && r->end)
        r->end();
    r->library = NULL; /* what MPI leaves running keeps it loaded */
}
