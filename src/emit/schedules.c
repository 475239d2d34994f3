/* schedules.c: --dump=schedule, and settings that are asked for in its words.
 */
#include <string.h>

#include "emit/levels.h"
#include "emit/step.h"

/* A kernel of the module as schedules name it, or a part of one. */
typedef void EachScheduled(void *u, const char *name, const Kernel *k,
                           MapUse use);

static void each_step(const Emit *e, const Schedule *s, const char *name,
                      EachScheduled *f, void *u)
{
    if (!s)
        return;
    bool *here = NEWN(e->arena, bool, s->kernel.n + 1);
    step_here(s, here);
    for (int k = 0; k < s->kernel.n; k++)
        if (here[k])
            f(u, arena_printf(e->arena, "%s %d", name, k), s->kernel.at[k],
              (MapUse){.step = true});
}

static void each_scheduled(const Emit *e, EachScheduled *f, void *u)
{
    for (int i = 0; i < units_count(e->units); i++) {
        const Kernel *k = units_at(e->units, i)->kernel;
        const char *name = arena_printf(e->arena, "kernel %d", i);
        f(u, name, k, (MapUse){0});
        if (!k->loop)
            continue;
        each_step(e, k->loop->body, arena_printf(e->arena, "%s step", name), f,
                  u);
        each_step(e, k->loop->check, arena_printf(e->arena, "%s until", name),
                  f, u);
    }
}

/* Settings. */

typedef struct Asking {
    Emit *e;
    SettingsList list;
    bool *found;
} Asking;

static void ask_one(Asking *q, const char *name, const Kernel *k)
{
    for (int i = 0; k && i < q->list.n; i++)
        if (strcmp(q->list.at[i].kernel, name) == 0) {
            map_set(q->e->arena, &q->e->chooser.asked, k, &q->list.at[i]);
            q->found[i] = true;
        }
}

static void ask_kernel(void *u, const char *name, const Kernel *k, MapUse use)
{
    Asking *q = u;
    Arena *a = q->e->arena;
    (void)use;
    ask_one(q, name, k);
    ask_one(q, arena_printf(a, "%s less", name), k->few);
    ask_one(q, arena_printf(a, "%s epilogue", name), k->epilogue);
}

bool schedules_ask(Emit *e, const char **error)
{
    Asking q = {.e = e};
    if (!e->asked)
        return true;
    if (!asked_read(e->arena, e->asked, &q.list, error))
        return false;
    q.found = NEWN(e->arena, bool, q.list.n + 1);
    each_scheduled(e, ask_kernel, &q);
    for (int i = 0; i < q.list.n; i++)
        if (!q.found[i]) {
            *error = arena_printf(e->arena, "%d: there is no '%s'",
                                  q.list.at[i].line, q.list.at[i].kernel);
            return false;
        }
    return true;
}

/* Forms. */

typedef struct Forming {
    const Emit *e;
    SettingsList list;
    LIST(NestForm) form;
} Forming;

static void form_one(Forming *q, const char *name, const Kernel *k)
{
    for (int i = 0; i < q->list.n; i++) {
        NestForm form = {.nest = k->form.nest};
        if (k->kind == KERNEL_map && strcmp(q->list.at[i].kernel, name) == 0 &&
            form_asked(&q->list.at[i], &form))
            list_push(q->e->arena, &q->form, form);
    }
}

/* Of all kernels, be they equal; step: what those begin with that are made in
 * place, or NULL. */
static void form_all(Forming *q, const Schedule *s, const char *step)
{
    Arena *a = q->e->arena;
    bool *here = NEWN(a, bool, s->kernel.n + 1);
    if (step)
        step_here(s, here);
    for (int i = 0; i < s->kernel.n; i++) {
        const Kernel *k = s->kernel.at[i];
        const char *name =
            here[i] ? arena_printf(a, "%s %d", step, i)
                    : arena_printf(a, "kernel %d", unit_use(q->e, k)->unit);
        form_one(q, name, k);
        if (k->loop)
            form_all(q, k->loop->body, arena_printf(a, "%s step", name));
        if (k->loop && k->loop->check)
            form_all(q, k->loop->check, arena_printf(a, "%s until", name));
    }
}

const ModuleInput *emit_formed(Arena *a, const ModuleInput *in,
                               const TargetOptions *o)
{
    Emit e = {.arena = a};
    Forming q = {.e = &e};
    const char *ignored;
    if (!o->schedule || !asked_read(a, o->schedule, &q.list, &ignored))
        return in;
    e.units = units_new(a, interface_of(a, in));
    for (int i = 0; i < in->nschedule; i++)
        form_all(&q, in->schedule[i], NULL);
    if (!q.form.n)
        return in;
    Schedule **s = NEWN(a, Schedule *, in->nschedule + 1);
    for (int i = 0; i < in->nschedule; i++)
        s[i] = schedule_formed(a, in->module->graph, in->schedule[i]->function,
                               q.form.at, q.form.n);
    const ModuleInput formed = {in->module, s, in->nschedule};
    return arena_copy(a, &formed, sizeof formed);
}

/* Text. */

typedef struct Printing {
    const Emit *e;
    Str *to;
    const char *problem; /* the first one, or NULL */
} Printing;

/* Those that are functions of their own. */
static void put_numbers(const Emit *e, const Schedule *s, const bool *here,
                        Str *to)
{
    for (int k = 0; k < s->kernel.n; k++)
        if (!here || !here[k])
            str_printf(to, " %d", unit_use(e, s->kernel.at[k])->unit);
    str_printf(to, "\n");
}

static void put_step(const Emit *e, const Schedule *s, Str *to)
{
    bool *here = NEWN(e->arena, bool, s->kernel.n + 1);
    step_here(s, here);
    str_printf(to, "  # a step:");
    put_numbers(e, s, here, to);
}

static void put_kernel(void *u, const char *name, const Kernel *k, MapUse use)
{
    Printing *p = u;
    const char *problem = schedule_print(&p->e->chooser, k, use, name, p->to);
    p->problem = p->problem ? p->problem : problem;
    if (k->loop)
        put_step(p->e, k->loop->body, p->to);
}

/* NULL where all settings are legal. */
static const char *put_module(const Emit *e, const Interface *interface,
                              Str *to)
{
    Printing p = {e, to, NULL};
    str_printf(to, "# %s: ", e->machine.cpu);
    hardware_text(&e->machine.has, to);
    str_printf(to, "\n");
    for (int i = 0; i < interface->nfunction; i++) {
        const Schedule *s = interface->function[i].schedule;
        str_printf(to, "# %s:", s->function->name);
        put_numbers(e, s, NULL, to);
    }
    each_scheduled(e, put_kernel, &p);
    return p.problem;
}

static bool put_level(Arena *a, const ModuleInput *in,
                      const Interface *interface, const TargetOptions *o,
                      Str *to, const char **error)
{
    TargetOptions plain = *o;
    Emit e;
    plain.schedule = NULL;
    if (!emit_open(&e, a, in->module, &plain, error))
        return false;
    units_use(&e, units_new(a, interface), NULL);
    e.asked = o->schedule;
    const char *problem = NULL;
    if (schedules_ask(&e, &problem))
        problem = put_module(&e, interface, to);
    if (problem)
        *error = arena_printf(a, "%s:%s", o->schedule_name, problem);
    emit_close(&e);
    return !problem;
}

bool emit_schedules(Arena *a, const ModuleInput *in, const TargetOptions *o,
                    Str *to, const char **error)
{
    Levels levels;
    if (!levels_parse(a, o, &levels, error))
        return false;
    const Interface *interface = interface_of(a, in);
    for (int i = 0; i < levels.n; i++)
        if (!put_level(a, in, interface, with_cpu(a, o, levels.name[i]), to,
                       error))
            return false;
    return true;
}

bool schedules_legal(Arena *a, const ModuleInput *in, const TargetOptions *o,
                     const char **error)
{
    Str unused = str_new(a);
    return !o->schedule || emit_schedules(a, in, o, &unused, error);
}
