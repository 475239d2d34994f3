/* cut.c: what would be too much code for one nest becomes several.
 *
 * It is cut where few values are alive, for each of them gets a buffer. The
 * order is the one that instructions will have. */
#include "kernel/sched.h"

/* What an item does that no earlier one did: what it weighs, itself and what it
 * loads, and how many values it needs that inner loops share. */
typedef struct Load {
    int weight, held;
} Load;

/* What is no item. */
enum { IN_MEMORY = -1, IN_CODE = -2 };

typedef struct Cut {
    Sched *s;
    Arena *a;
    const Node *root;
    int *item; /* by node: 1 + its number; 0: not seen, or as above */
    LIST(Node *) stack, seen, node; /* node: by item */
    FlowArgs first, arg;
    LIST(bool) joins;  /* by item, see Flow */
    LIST(Load) load;   /* by item */
    Load next;         /* of the next one */
    int *order, *last; /* last: by item, where in the order it is read last */
} Cut;

static bool is_computed(const Cut *c, const Node *n)
{
    return n == c->root ||
           (!note_of(c->s, n)->mat && op_table[n->op]->cls != OPC_leaf);
}

/* The item that n is or looks at; -1: none. */
static int item_of(const Cut *c, const Node *n)
{
    int i = c->item[number_of(c->s, n)];
    return i > 0 ? i - 1 : -1;
}

static void add_item(Cut *c, Node *n)
{
    int from = c->arg.n, values = 0;
    for (int i = 0; i < n->narg; i++) {
        values += c->item[number_of(c->s, n->arg[i])] != IN_CODE;
        int of = item_of(c, n->arg[i]), k = from;
        while (k < c->arg.n && c->arg.at[k] != of)
            k++;
        if (of >= 0 && k == c->arg.n)
            list_push(c->a, &c->arg, of);
    }
    c->next.weight += op_weight(n->op);
    list_push(c->a, &c->load, c->next);
    c->next = (Load){0};
    list_push(c->a, &c->joins, values > 1);
    list_push(c->a, &c->node, n);
    list_push(c->a, &c->first, c->arg.n);
    c->item[number_of(c->s, n)] = c->node.n;
}

static void finish_node(Cut *c, Node *n)
{
    int *item = &c->item[number_of(c->s, n)];
    if (*item)
        return;
    list_push(c->a, &c->seen, n);
    if (!is_computed(c, n)) {
        bool code = is_code(n);
        *item = code ? IN_CODE : IN_MEMORY;
        c->next.weight += !code;
    } else if (is_view(n)) {
        *item = c->item[number_of(c->s, n->arg[0])];
        c->next.held += node_repeats(n) && *item != IN_CODE;
    } else
        add_item(c, n);
}

/* The arguments that are to come, the first one on top. */
static bool push_args(Cut *c, const Node *n)
{
    int before = c->stack.n, order[MAX_INPUTS];
    if (!is_computed(c, n))
        return false;
    by_registers(c->s, n, order);
    for (int i = 0; i < n->narg; i++) {
        Node *a = n->arg[order[i]];
        if (!c->item[number_of(c->s, a)])
            list_push(c->a, &c->stack, a);
    }
    return c->stack.n > before;
}

static void collect(Cut *c, Node *top)
{
    list_push(c->a, &c->stack, top);
    while (c->stack.n) {
        Node *n = c->stack.at[c->stack.n - 1];
        if (c->item[number_of(c->s, n)] || !push_args(c, n)) {
            c->stack.n--;
            finish_node(c, n);
        }
    }
}

static void find_order(Cut *c)
{
    int n = c->node.n;
    Flow f = {.n = n, .first = c->first.at, .arg = c->arg.at};
    f.joins = c->joins.at;
    f.level = NEWN(c->a, int, n + 1);
    c->order = NEWN(c->a, int, n + 1);
    c->last = NEWN(c->a, int, n + 1);
    arrange_flow(c->a, &f, c->order);
    for (int at = 0; at < n; at++) {
        int i = c->order[at];
        for (int k = c->first.at[i]; k < c->first.at[i + 1]; k++)
            c->last[c->arg.at[k]] = at;
    }
}

/* LLVM allocates registers in more than linear time, most of all where there
 * are too few: an instruction among many values that are alive weighs more.
 * One more nest, from place `from` of the order: where it is to end. */
static int find_end(const Cut *c, int from)
{
    int weight = 0, alive = 0, held = 0, best = -1, least = 0;
    for (int at = from; at < c->node.n; at++) {
        int i = c->order[at];
        held += c->load.at[i].held;
        weight += c->load.at[i].weight * (1 + (alive + held) / FEW_VALUES);
        for (int k = c->first.at[i]; k < c->first.at[i + 1]; k++)
            alive -= c->last[c->arg.at[k]] == at &&
                     !note_of(c->s, c->node.at[c->arg.at[k]])->mat;
        alive += c->last[i] > at;
        if (weight > NEST_WEIGHT && best >= 0)
            return best;
        if (weight > NEST_WEIGHT / 2 && (best < 0 || alive <= least)) {
            best = at;
            least = alive;
        }
    }
    return c->node.n;
}

static bool cut_items(Cut *c)
{
    bool any = false;
    for (int from = 0, end; (end = find_end(c, from)) < c->node.n;
         from = end + 1)
        for (int at = from; at <= end; at++) {
            Node *n = c->node.at[c->order[at]];
            if (c->last[c->order[at]] > end && n->op != OP_index_check)
                any = note_of(c->s, n)->mat = true;
        }
    return any;
}

bool cut(Sched *s, Node *root, int *item)
{
    Cut c = {.s = s, .a = s->scratch, .root = root, .item = item};
    list_push(c.a, &c.first, 0);
    collect(&c, root);
    find_order(&c);
    bool any = cut_items(&c);
    for (int i = 0; i < c.seen.n; i++)
        item[number_of(s, c.seen.at[i])] = 0;
    return any;
}
