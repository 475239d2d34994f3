/* unread.c: equations that define what no formula reads: what calls that are
 * shown whole are made of. */
#include "show/builder.h"

typedef struct Names {
    Arena *arena;
    Intern *names;
    Map read;
} Names;

static void read_form(Names *n, const Form *f)
{
    if (f->kind == FORM_name && f->name)
        map_set_int(n->arena, &n->read, intern(n->names, f->name), 1);
    for (int i = 0; i < f->narg; i++)
        read_form(n, f->arg[i]);
}

static void read_equations(Names *n, const Equations *all);

static void read_equation(Names *n, const Equation *e)
{
    const Recurrence *r = e->loop;

    if (e->right)
        read_form(n, e->right);
    for (int i = 0; i < e->nindex; i++)
        read_form(n, e->bound[i]);
    if (!r)
        return;
    read_form(n, r->trips);
    if (r->until)
        read_form(n, r->until);
    read_equations(n, r->start);
    read_equations(n, r->step);
}

static void read_equations(Names *n, const Equations *all)
{
    for (int i = 0; i < all->list.n; i++)
        read_equation(n, &all->list.at[i]);
}

/* What a value is called that nothing but its name tells; or NULL. */
static const char *own_name(const Equation *e)
{
    const Form *f = e->left;

    if (e->loop)
        return NULL;
    if (f->kind == FORM_at)
        f = f->arg[0];
    return f->kind == FORM_name ? f->name : NULL;
}

void drop_unread(Builder *b, Equations *all, int nresult,
                 const ShowResult *result)
{
    Names n = {.arena = b->m.arena, .names = b->names};
    int kept = all->list.n;

    for (int i = 0; i < nresult; i++)
        read_form(&n, result[i].left);
    for (int i = all->list.n - 1; i >= 0; i--) {
        Equation e = all->list.at[i];
        const char *name = own_name(&e);

        if (name && map_of_int(&n.read, intern(n.names, name)) < 0) {
            builder_release(b, name);
            continue;
        }
        read_equation(&n, &e);
        all->list.at[--kept] = e;
    }
    all->list.n -= kept;
    for (int i = 0; i < all->list.n; i++)
        all->list.at[i] = all->list.at[i + kept];
    all->right = (Map){0}; /* places have changed */
    builder_number_again(b);
}
