/* unit.c: which kernels a module has: equal ones are one unit, a function of
 * their own, wherever they are called. Made before there is any code, and then
 * only read. */

#include "emit/levels.h"
#include "emit/step.h"

struct Units {
    Arena *arena;
    Graph *graph;
    LIST(Unit) unit;
    Map use; /* Use, by its kernel */
    /* While they are collected: by the text of the key. */
    Arena *scratch;
    Intern *texts;
    Map known; /* the unit of a text */
};

/* Uses. */

const Use *unit_use(const Emit *e, const Kernel *k)
{
    const Use *use = map_of(&e->units->use, k);
    if (!use)
        die("a kernel that was not collected");
    return use;
}

int units_count(const Units *u) { return u->unit.n; }

const Unit *units_at(const Units *u, int i) { return &u->unit.at[i]; }

/* How much code a kernel is, in instructions of ours. */

static void weigh_map(Unit *u, const Kernel *k)
{
    enum { MAP = 10 };
    u->weight += MAP;
    for (int i = 0; i < k->ninstr; i++) {
        const Instr *x = &k->instr[i];
        u->weight += instr_weight(x);
        if (x->kind == I_op && op_table[x->op]->flags & OP_COSTLY)
            u->costly |= UINT64_C(1) << x->op % 64;
    }
    for (int t = 0; t < k->nstage; t++)
        u->weight += k->stage[t].noutput;
}

/* Kernels. */

static void collect(Units *u, const Kernel *k, bool often);

/* The kernels that a step calls; those made in place are the loop's. */
static void collect_step(Units *u, Unit *loop, const Schedule *s)
{
    enum { CALL = 2 };
    if (!s)
        return;
    bool *here = NEWN(u->scratch, bool, s->kernel.n + 1);
    step_here(s, here);
    for (int i = 0; i < s->kernel.n; i++)
        if (here[i]) {
            weigh_map(loop, s->kernel.at[i]);
        } else {
            loop->weight += CALL;
            collect(u, s->kernel.at[i], true);
        }
}

static void collect_parts(Units *u, Unit *unit)
{
    enum { CONTRACT = 20, SORT = 60, LOOP = 40 };
    const Kernel *k = unit->kernel;
    switch (k->kind) {
    case KERNEL_map:
        weigh_map(unit, k);
        if (k->few)
            weigh_map(unit, k->few);
        break;
    case KERNEL_contract:
        unit->weight += CONTRACT;
        if (k->epilogue)
            weigh_map(unit, k->epilogue);
        break;
    case KERNEL_sort:
        unit->weight += SORT;
        break;
    case KERNEL_routine:
        unit->weight += CONTRACT;
        break;
    case KERNEL_loop:
        unit->weight += LOOP;
        collect_step(u, unit, k->loop->body);
        collect_step(u, unit, k->loop->check);
        break;
    }
}

static void collect(Units *u, const Kernel *k, bool often)
{
    KernelKey key = kernel_key(u->scratch, u->graph, k);
    const char *text = intern_n(u->texts, key.text, key.ntext);
    Use *use = NEW(u->arena, Use);
    *use = (Use){.kernel = k, .key = key, .unit = map_of_int(&u->known, text)};
    use->key.text = NULL;
    use->key.buffer = arena_copy(u->arena, key.buffer,
                                 sizeof *key.buffer * (size_t)key.nbuffer);
    use->key.var =
        arena_copy(u->arena, key.var, sizeof *key.var * (size_t)key.nvar);
    if (use->unit < 0) {
        Unit unit = {.kernel = k};
        collect_parts(u, &unit);
        unit.number = use->unit = u->unit.n;
        map_set_int(u->scratch, &u->known, text, unit.number);
        list_push(u->arena, &u->unit, unit);
    }
    u->unit.at[use->unit].often |= often;
    map_set(u->arena, &u->use, k, use);
}

Units *units_new(Arena *a, const Interface *interface)
{
    Units *u = NEW(a, Units);
    u->arena = a;
    u->graph = interface->module->graph;
    u->scratch = arena_new();
    u->texts = intern_new(u->scratch);
    for (int i = 0; i < interface->nfunction; i++) {
        const Schedule *s = interface->function[i].schedule;
        for (int k = 0; k < s->kernel.n; k++)
            collect(u, s->kernel.at[k], false);
    }
    arena_free(u->scratch);
    u->scratch = NULL;
    u->texts = NULL;
    u->known = (Map){0};
    return u;
}

void units_use(Emit *e, const Units *u, const Sharing *s)
{
    e->units = u;
    e->sharing = s;
    e->kernel = NEWN(e->arena, LLVMValueRef, u->unit.n + 1);
    const char *error = NULL;
    if (!schedules_ask(e, &error))
        die("settings that were not checked: %s", error);
}
