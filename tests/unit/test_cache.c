/* test_cache.c: code that was made before. */
#include "cache/cache.h"
#include "folder.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Arena *arena;
static Cache cache;

static void setup(void)
{
    arena = arena_new();
    cache = (Cache){arena_printf(arena, "%s/kept", folder), hash_new()};
    ck_assert_int_eq(mkdir(cache.folder, 0700), 0);
}

static void teardown(void)
{
    cache_shrink(&cache, arena, 0);
    ck_assert_int_eq(rmdir(cache.folder), 0); /* nothing else is left there */
    arena_free(arena);
}

static HashSum hash_of(const void *bytes, size_t n)
{
    Hash h = hash_new();
    hash_add(&h, bytes, n);
    return hash_sum(&h);
}

/* As an implementation says that agrees with SipHash's published values. */
START_TEST(hashes)
{
    static const struct {
        size_t n;
        uint64_t word[2];
    } of[] = {
        {0, {0x7de0a38047d74950, 0xf4f2ced447ab0242}},
        {15, {0x12250f9c7a53b89f, 0x5e95c04902ea8483}},
        {64, {0x46c70a6c6791f8b9, 0xe21954f7fe6c6611}},
    };
    unsigned char bytes[64];
    for (int i = 0; i < 64; i++)
        bytes[i] = (unsigned char)i;
    for (int i = 0; i < 3; i++) {
        HashSum s = hash_of(bytes, of[i].n);
        ck_assert_uint_eq(s.word[0], of[i].word[0]);
        ck_assert_uint_eq(s.word[1], of[i].word[1]);
    }
}
END_TEST

/* In whatever pieces; texts do not run into each other. */
START_TEST(hashes_of_pieces)
{
    const char text[] = "the quick brown fox jumps over the lazy dog";
    HashSum all = hash_of(text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        Hash h = hash_new();
        hash_add(&h, text, cut);
        hash_add(&h, text + cut, sizeof text - cut);
        HashSum s = hash_sum(&h);
        ck_assert_mem_eq(&s, &all, sizeof s);
    }
    Hash a = hash_new(), b = hash_new();
    hash_text(&a, "ab");
    hash_text(&a, "c");
    hash_text(&b, "a");
    hash_text(&b, "bc");
    HashSum x = hash_sum(&a), y = hash_sum(&b);
    ck_assert(memcmp(&x, &y, sizeof x) != 0);
}
END_TEST

static HashSum key_of(int i) { return hash_of(&i, sizeof i); }

static const char *file_of(HashSum key)
{
    return arena_printf(arena, "%s/%016llx%016llx", cache.folder,
                        (unsigned long long)key.word[0],
                        (unsigned long long)key.word[1]);
}

/* Is that what is there? */
static bool has(int i, const char *text)
{
    size_t n;
    char *got = cache_get(&cache, arena, key_of(i), &n);
    return got && n == strlen(text) && memcmp(got, text, n) == 0;
}

static bool has_none(int i)
{
    size_t n;
    return !cache_get(&cache, arena, key_of(i), &n);
}

static void put(int i, const char *text)
{
    cache_put(&cache, arena, key_of(i), text, strlen(text));
}

START_TEST(what_was_put_is_there)
{
    ck_assert(has_none(1));
    put(1, "one");
    put(2, "");
    ck_assert(has(1, "one"));
    ck_assert(has(2, ""));
    put(1, "uno");
    ck_assert(has(1, "uno"));
    ck_assert(has_none(3));
}
END_TEST

/* Each byte of a file, changed or left out, and one too many. */
START_TEST(damage_is_not_there)
{
    put(1, "one");
    const char *path = file_of(key_of(1));
    size_t n;
    FILE *f = fopen(path, "rb");
    char *was = read_stream(arena, f, 1 << 20, &n);
    fclose(f);
    for (size_t i = 0; i <= 2 * n; i++) {
        char *bad = arena_copy(arena, was, n + 1);
        if (i < n)
            bad[i] ^= 1;
        f = fopen(path, "wb");
        size_t size = i < n ? n : i == 2 * n ? n + 1 : i - n;
        ck_assert_uint_eq(fwrite(bad, 1, size, f), size);
        fclose(f);
        ck_assert_msg(has_none(1), "change %zu of %zu", i, n);
    }
    put(1, "one");
    ck_assert(has(1, "one"));
}
END_TEST

/* Another's file is not what its name says. */
START_TEST(renamed)
{
    put(1, "one");
    ck_assert_int_eq(rename(file_of(key_of(1)), file_of(key_of(2))), 0);
    ck_assert(has_none(2));
}
END_TEST

static void used(int i, int64_t when)
{
    struct timespec at[2] = {{when, 0}, {when, 0}};
    ck_assert_int_eq(utimensat(AT_FDCWD, file_of(key_of(i)), at, 0), 0);
}

/* The one that was read lately stays. */
START_TEST(shrinks)
{
    enum { N = 8, EACH = 1000 };
    char *text = NEWN(arena, char, EACH + 1);
    memset(text, 'x', EACH);
    for (int i = 0; i < N; i++) {
        put(i, text);
        used(i, 1000 + i);
    }
    ck_assert(has(0, text));
    cache_shrink(&cache, arena, N * (EACH + 100));
    ck_assert(has(1, text));
    used(1, 1001);
    cache_shrink(&cache, arena, 4 * (EACH + 100));
    for (int i = 0; i < N; i++)
        ck_assert_msg(has(i, text) == (i == 0 || i >= 6), "%d", i);
}
END_TEST

START_TEST(others_files_stay)
{
    const char *path = arena_printf(arena, "%s/notes", cache.folder);
    fclose(fopen(path, "w"));
    fclose(fopen(arena_printf(arena, "%s/new-abcdef", cache.folder), "w"));
    put(1, "one");
    cache_shrink(&cache, arena, 0);
    ck_assert(has_none(1));
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(without_a_folder)
{
    Cache none = {NULL, hash_new()};
    size_t n;
    cache_put(&none, arena, key_of(1), "one", 3);
    cache_shrink(&none, arena, 0);
    ck_assert_ptr_null(cache_get(&none, arena, key_of(1), &n));
}
END_TEST

static const char *folder_for(const char *nncc, const char *xdg,
                              const char *home)
{
    const char *name[] = {"NNCC_CACHE", "XDG_CACHE_HOME", "HOME"};
    const char *value[] = {nncc, xdg, home};
    for (int i = 0; i < 3; i++)
        if (value[i])
            setenv(name[i], value[i], 1);
        else
            unsetenv(name[i]);
    return cache_open(arena).folder;
}

START_TEST(where_it_is)
{
    const char *own = arena_printf(arena, "%s/a/b", cache.folder);
    const char *used = arena_printf(arena, "%s/nncc", cache.folder);
    const char *deep = arena_printf(arena, "%s/x/y/z", cache.folder);
    ck_assert_ptr_null(folder_for("off", own, own));
    ck_assert_ptr_null(folder_for("", own, own));
    ck_assert_ptr_null(folder_for(NULL, NULL, NULL));
    ck_assert_ptr_null(folder_for(NULL, "here", "there"));
    ck_assert_ptr_null(folder_for(deep, NULL, NULL));
    ck_assert_ptr_null(folder_for("/dev/null", NULL, NULL));
    ck_assert_str_eq(folder_for(own, NULL, NULL), own);
    ck_assert_str_eq(folder_for(NULL, cache.folder, own), used);
    ck_assert_str_eq(folder_for(NULL, NULL, cache.folder),
                     arena_printf(arena, "%s/.cache/nncc", cache.folder));
    ck_assert_int_eq(rmdir(own), 0);
    ck_assert_int_eq(rmdir(arena_printf(arena, "%s/a", cache.folder)), 0);
    ck_assert_int_eq(rmdir(used), 0);
    ck_assert_int_eq(rmdir(folder_for(NULL, NULL, cache.folder)), 0);
    ck_assert_int_eq(rmdir(arena_printf(arena, "%s/.cache", cache.folder)), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cache");
    TCase *t = tcase_create("cache");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, hashes);
    tcase_add_test(t, hashes_of_pieces);
    tcase_add_test(t, what_was_put_is_there);
    tcase_add_test(t, damage_is_not_there);
    tcase_add_test(t, renamed);
    tcase_add_test(t, shrinks);
    tcase_add_test(t, others_files_stay);
    tcase_add_test(t, without_a_folder);
    tcase_add_test(t, where_it_is);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    folder_make();
    return folder_run(suite());
}
