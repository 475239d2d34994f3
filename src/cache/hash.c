/* hash.c: SipHash-2-4 with 128 bits, by Aumasson and Bernstein; its key is 0.
 */
#include <string.h>

#include "cache/cache.h"

static uint64_t turned(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t *v, int n)
{
    for (int i = 0; i < n; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = turned(v[1], 13) ^ v[0];
        v[3] = turned(v[3], 16) ^ v[2];
        v[0] = turned(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = turned(v[1], 17) ^ v[2];
        v[3] = turned(v[3], 21) ^ v[0];
        v[2] = turned(v[2], 32);
    }
}

static void take(uint64_t *v, uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

/* n <= 8 bytes, the first one lowest. */
static uint64_t word_of(const unsigned char *bytes, size_t n)
{
    uint64_t w = 0;
    for (size_t i = 0; i < n; i++)
        w |= (uint64_t)bytes[i] << 8 * i;
    return w;
}

Hash hash_new(void)
{
    return (Hash){
        .v = {UINT64_C(0x736f6d6570736575), UINT64_C(0x646f72616e646f6d) ^ 0xee,
              UINT64_C(0x6c7967656e657261), UINT64_C(0x7465646279746573)}};
}

static void add_byte(Hash *h, unsigned char byte)
{
    h->tail |= (uint64_t)byte << 8 * (h->n % 8);
    if (++h->n % 8)
        return;
    take(h->v, h->tail);
    h->tail = 0;
}

void hash_add(Hash *h, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    for (; n > 0 && h->n % 8; n--)
        add_byte(h, *at++);
    for (; n >= 8; n -= 8, at += 8, h->n += 8)
        take(h->v, word_of(at, 8));
    for (; n > 0; n--)
        add_byte(h, *at++);
}

void hash_text(Hash *h, const char *text)
{
    hash_add(h, text, strlen(text) + 1);
}

HashSum hash_sum(const Hash *h)
{
    uint64_t v[4];
    HashSum s;
    memcpy(v, h->v, sizeof v);
    take(v, h->tail | h->n << 56);
    v[2] ^= 0xee;
    rounds(v, 4);
    s.word[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    rounds(v, 4);
    s.word[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
    return s;
}
