/* heap.c: numbers, of which the smallest is taken first. */
#include "base/base.h"

void heap_push(Arena *a, Heap *h, int v)
{
    list_push(a, h, v);
    int i = h->n - 1;
    for (; i && h->at[(i - 1) / 2] > v; i = (i - 1) / 2)
        h->at[i] = h->at[(i - 1) / 2];
    h->at[i] = v;
}

int heap_pop(Heap *h)
{
    int top = h->at[0], v = h->at[--h->n], i = 0;
    for (;;) {
        int c = 2 * i + 1;
        if (c + 1 < h->n && h->at[c + 1] < h->at[c])
            c++;
        if (c >= h->n || h->at[c] >= v)
            break;
        h->at[i] = h->at[c];
        i = c;
    }
    h->at[i] = v;
    return top;
}
