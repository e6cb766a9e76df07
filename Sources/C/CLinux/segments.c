// Segments of System V shared memory (shmat(2)) that end with the last process that has attached them.
#include "CLinux.h"

#include <errno.h>
#include <sys/shm.h>

static int ends_with_its_users(const struct shmid_ds *segment)
{
    // Removed already, and in use (include/linux/shm.h; glibc declares it for the kernel alone).
    enum { shm_dest = 01000 };
    return segment->shm_nattch > 0 && segment->shm_perm.mode & shm_dest;
}

int zp_attach_segments(void **addresses, size_t capacity, int all)
{
    struct shm_info usage;
    size_t count = 0;
    int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&usage);
    if (last < 0)
        return -errno;
    for (int index = 0; index <= last; index++) {
        struct shmid_ds segment;
        int id = shmctl(index, SHM_STAT, &segment);
        if (id < 0 || !(all ? segment.shm_nattch > 0 : ends_with_its_users(&segment)))
            continue;
        if (count == capacity)
            return -E2BIG;
        void *address = shmat(id, NULL, SHM_RDONLY);
        if (address == (void *)-1)
            return -errno;
        addresses[count++] = address;
    }
    return (int)count;
}

int zp_detach_segment(void *address) { return shmdt(address) < 0 ? -errno : 0; }
