/* schedules.c: --dump=schedule. */
#include "emit/levels.h"
#include "emit/step.h"

static void put_numbers(const Emit *e, const Schedule *s, const bool *here,
                        Str *to)
{
    for (int k = 0; k < s->kernel.n; k++)
        if (!here || !here[k])
            str_printf(to, " %d", unit_use(e, s->kernel.at[k])->unit);
    str_printf(to, "\n");
}

/* The kernels of a loop's step: those that it calls, then those amid its code.
 */
static void put_step(const Emit *e, const Schedule *s, const char *name,
                     Str *to)
{
    if (!s)
        return;
    bool *here = NEWN(e->arena, bool, s->kernel.n + 1);
    step_here(s, here);
    str_printf(to, "  # %s:", name);
    put_numbers(e, s, here, to);
    for (int k = 0; k < s->kernel.n; k++)
        if (here[k])
            schedule_print(e->arena, &e->machine.has, s->kernel.at[k],
                           (MapUse){.step = true},
                           arena_printf(e->arena, "%s %d", name, k), to);
}

static void put_unit(const Emit *e, int i, Str *to)
{
    const Kernel *k = units_at(e->units, i)->kernel;
    const char *name = arena_printf(e->arena, "kernel %d", i);
    schedule_print(e->arena, &e->machine.has, k, (MapUse){0}, name, to);
    if (!k->loop)
        return;
    put_step(e, k->loop->body, arena_printf(e->arena, "%s step", name), to);
    put_step(e, k->loop->check, arena_printf(e->arena, "%s until", name), to);
}

static void put_module(const Emit *e, const Interface *interface, Str *to)
{
    str_printf(to, "# %s: ", e->machine.cpu);
    hardware_text(&e->machine.has, to);
    str_printf(to, "\n");
    for (int i = 0; i < interface->nfunction; i++) {
        const Schedule *s = interface->function[i].schedule;
        str_printf(to, "# %s:", s->function->name);
        put_numbers(e, s, NULL, to);
    }
    for (int i = 0; i < units_count(e->units); i++)
        put_unit(e, i, to);
}

bool emit_schedules(Arena *a, const ModuleInput *in, const TargetOptions *o,
                    Str *to, const char **error)
{
    Levels levels;
    Emit e;
    if (!levels_parse(a, o, &levels, error))
        return false;
    Interface *interface = interface_of(a, in);
    for (int i = 0; i < levels.n; i++) {
        const char *cpu = levels.name[i];
        if (!emit_open(&e, a, in->module, with_cpu(a, o, cpu), error))
            return false;
        units_use(&e, units_new(a, interface), NULL);
        put_module(&e, interface, to);
        emit_close(&e);
    }
    return true;
}
