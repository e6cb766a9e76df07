// libbpf reads ELF files by libelf. That of elfutils 0.192, which Debian 13 has, calls these two in its static library,
// and no package has them; earlier ones do without, and later ones bring their own.

#include <elfutils/version.h>

#if _ELFUTILS_VERSION == 192
#include <stddef.h>

// Pieces of a file that elf_getdata_rawchunk gave out. libbpf does not call it: a program that did would not link, since
// eu_tsearch is missing as well. So a tree stays empty, and the lock behind its root is never taken.
struct search_tree {
    void *root;
};

void eu_search_tree_init(struct search_tree *tree)
{
    tree->root = NULL;
}

void eu_search_tree_fini(struct search_tree *tree, void (*release)(void *))
{
    (void)tree;
    (void)release;
}
#endif
