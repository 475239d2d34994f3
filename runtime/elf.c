/* elf.c: is a file a whole module for this machine? Asked before it is loaded:
 * the loader would read beyond the end of one that is cut short, and run what
 * comes first in one that has nothing to do with nncc. */
#include "nn_internal.h"
#include "nn_trailer.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#if UINTPTR_MAX > UINT32_MAX
typedef Elf64_Ehdr Header;
typedef Elf64_Shdr Section;
typedef Elf64_Sym Symbol;
#else
typedef Elf32_Ehdr Header;
typedef Elf32_Shdr Section;
typedef Elf32_Sym Symbol;
#endif

/* The header of the program or library that this is in: put there by the
 * linker. It tells what machine we are for. */
extern const Header __ehdr_start __attribute__((weak, visibility("hidden")));

typedef struct File {
    const char *path;
    nncc_bytes b;
    Header header;
} File;

static int no_module(const File *f, const char *why)
{
    return nncc_fail(NN_ERR_MODULE, "%s: %s", f->path, why);
}

/* Do `count` things of `size` bytes at `offset` lie within the file? */
static bool within(const File *f, uint64_t offset, uint64_t count, size_t size)
{
    return offset <= f->b.n && count <= (f->b.n - offset) / size;
}

static int check_sum(const File *f)
{
    const unsigned char *end = f->b.at + f->b.n - NN_TRAILER;
    uint32_t sum = 0;

    if (f->b.n < NN_TRAILER || memcmp(end, NN_TRAILER_MAGIC, 8) != 0)
        return NN_OK;
    for (int i = 0; i < 4; i++)
        sum |= (uint32_t)end[8 + i] << 8 * i;
    if (sum != crc32_z(0, f->b.at, f->b.n - NN_TRAILER))
        return no_module(f, "is damaged: its checksum does not fit");
    return NN_OK;
}

static int check_header(File *f)
{
    Header *h = &f->header;

    if (f->b.n == 0)
        return no_module(f, "is empty; expected a shared library");
    if (f->b.n < SELFMAG || memcmp(f->b.at, ELFMAG, SELFMAG) != 0)
        return no_module(f, "is no ELF file; expected a shared library "
                            "compiled by nncc");
    if (f->b.n < sizeof *h)
        return no_module(f, "is cut short within the ELF header");
    memcpy(h, f->b.at, sizeof *h);
    if (&__ehdr_start &&
        (h->e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
         h->e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA] ||
         h->e_machine != __ehdr_start.e_machine))
        return no_module(f, "is an ELF file for another kind of machine");
    if (h->e_type != ET_DYN)
        return no_module(f, "is an ELF file but no shared library");
    return NN_OK;
}

static Section section(const File *f, size_t i)
{
    Section s = {0};

    if (i < f->header.e_shnum)
        memcpy(&s, f->b.at + f->header.e_shoff + i * sizeof s, sizeof s);
    return s;
}

/* Linkers write the sections and then their table, which is the end of the
 * file: with the table, all that the segments load is there. */
static int check_sections(const File *f)
{
    const Header *h = &f->header;

    if (h->e_shentsize != sizeof(Section) ||
        !within(f, h->e_shoff, h->e_shnum, sizeof(Section)))
        return no_module(f, "is cut short: its section headers are missing");
    for (size_t i = 0; i < h->e_shnum; i++) {
        Section s = section(f, i);
        if (s.sh_type != SHT_NOBITS && !within(f, s.sh_offset, s.sh_size, 1))
            return no_module(f, "is cut short: a section lies beyond its end");
    }
    return NN_OK;
}

/* Is it the name of a function NAME_module? Its length without the ending. */
static size_t module_length(const char *name)
{
    static const char suffix[] = "_module";
    size_t n = strlen(name), tail = sizeof suffix - 1;

    return n > tail && strcmp(name + n - tail, suffix) == 0 ? n - tail : 0;
}

/* Is the path .../NAME.so or .../libNAME.so...? */
static bool is_of_file(const char *path, const char *name, size_t n)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

    if (strncmp(base, "lib", 3) == 0 && strncmp(base + 3, name, n) == 0 &&
        base[3 + n] == '.')
        return true;
    return strncmp(base, name, n) == 0 && base[n] == '.';
}

/* Of several modules, the one that is called as the file. */
static const char *find_module(const File *f, int *count)
{
    const char *found = NULL;
    size_t i = 0, n;
    Symbol s;

    while (i < f->header.e_shnum && section(f, i).sh_type != SHT_DYNSYM)
        i++;
    Section symbols = section(f, i), names = section(f, symbols.sh_link);
    const char *text = (const char *)f->b.at + names.sh_offset;
    if (names.sh_size == 0 || text[names.sh_size - 1])
        return NULL;
    for (i = 0; i < symbols.sh_size / sizeof s; i++) {
        memcpy(&s, f->b.at + symbols.sh_offset + i * sizeof s, sizeof s);
        if (s.st_shndx == SHN_UNDEF || s.st_name >= names.sh_size ||
            (n = module_length(text + s.st_name)) == 0)
            continue;
        found = text + s.st_name;
        ++*count;
        if (is_of_file(f->path, found, n)) {
            *count = 1;
            break;
        }
    }
    return found;
}

/* Some function something_module may have nothing to do with nncc: it is called
 * only if the file holds a descriptor's magic. */
static bool has_magic(const File *f)
{
    static const uint32_t magic = NN_ABI_MAGIC;

    for (size_t i = 0; i + sizeof magic <= f->b.n; i += sizeof magic)
        if (memcmp(f->b.at + i, &magic, sizeof magic) == 0)
            return true;
    return false;
}

static int read_symbol(File *f, char **symbol)
{
    int count = 0, status = check_header(f);

    if (!status)
        status = check_sections(f);
    if (!status)
        status = check_sum(f);
    if (status)
        return status;
    const char *name = find_module(f, &count);
    if (!name)
        return no_module(f, "is a shared library but no module: it exports no "
                            "function NAME_module");
    if (!has_magic(f))
        return no_module(f, "is a shared library but no module: it holds no "
                            "descriptor of nncc");
    if (count > 1)
        return no_module(f, "exports several modules, none of them named as "
                            "the file");
    *symbol = nncc_strdup(name);
    return *symbol ? NN_OK : NN_ERR_MEMORY;
}

int nncc_elf_read(const char *path, char **symbol)
{
    File f = {.path = path};
    struct stat st;

    if (stat(path, &st) != 0)
        return nncc_fail(NN_ERR_FILE, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return nncc_fail(NN_ERR_FILE, "%s: is no regular file", path);
    int status = nncc_read_all(path, (uint64_t)1 << 30, &f.b);
    if (!status)
        status = read_symbol(&f, symbol);
    free(f.b.at);
    return status;
}
