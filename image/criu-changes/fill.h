/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Memory is read from the images by preadv into mappings that have no pages yet: for each page an exception, a page of zeros, and
 * a copy. A userfaultfd puts in pages that are copies already (UFFDIO_COPY), many at once, in about half of the time. It does so
 * for private anonymous memory; all else, and all where the kernel has none for everybody (before 5.11), is read as ever.
 */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

enum { filler_untried = -2, no_filler = -1 };

static int filler = filler_untried;
/* Of the images, at once: so much more is resident for a moment. */
#define MOST_FILLED (2UL << 20)

static int open_filler(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = sys_userfaultfd(O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd >= 0 && sys_ioctl(fd, UFFDIO_API, (unsigned long)&api)) {
		sys_close(fd);
		fd = no_filler;
	}
	return fd < 0 ? no_filler : fd;
}

/* Mappings that were registered are as if they had never been, merged with their neighbours. */
static void close_filler(void)
{
	if (filler >= 0)
		sys_close(filler);
	filler = no_filler;
}

static bool register_mapping(VmaEntry *vma)
{
	struct uffdio_register mapping = {
		.range = { .start = vma->start, .len = vma_entry_len(vma) },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	return vma_entry_is(vma, VMA_ANON_PRIVATE) && !(vma->flags & (MAP_LOCKED | MAP_HUGETLB)) &&
	       !sys_ioctl(filler, UFFDIO_REGISTER, (unsigned long)&mapping);
}

/* Puts all of it in, or nothing that counts. */
static bool fill(unsigned long to, unsigned long from, unsigned long length)
{
	struct uffdio_copy copy = { .dst = to, .src = from, .len = length, .mode = UFFDIO_COPY_MODE_DONTWAKE };

	return !sys_ioctl(filler, UFFDIO_COPY, (unsigned long)&copy);
}

/* The next piece of what is to be read: within one mapping, as both are sorted, and what is contiguous may be of several. */
static bool fill_piece(struct task_restore_args *args, struct iovec *piece, unsigned long from)
{
	static int at = -1;
	static bool is_registered;
	unsigned long to = (unsigned long)piece->iov_base;

	while (at < 0 || args->vmas[at].end <= to)
		is_registered = args->vmas[++at].end > to && register_mapping(&args->vmas[at]);
	piece->iov_len = min_t(unsigned long, piece->iov_len, args->vmas[at].end - to);
	if (is_registered && fill(to, from, piece->iov_len))
		return true;
	/* Into what stays registered nothing can be read. */
	if (is_registered)
		close_filler();
	is_registered = false;
	return false;
}

/* As preadv, and preadv where it is not the filler's: less than all may be read. */
static ssize_t fill_or_read(struct task_restore_args *args, int fd, struct iovec *iovs, int nr, off_t off, size_t most)
{
	unsigned long images, length = 0, done = 0, inside = 0;
	ssize_t result = 0;
	int i;

	/* A server that brings memory later has a userfaultfd of its own. */
	if (filler == filler_untried)
		filler = args->uffd > -1 || most ? no_filler : open_filler();
	for (i = 0; i < nr && length < MOST_FILLED; i++)
		length += iovs[i].iov_len;
	length = min(length, MOST_FILLED);
	images = filler < 0 ? -ENOSYS : sys_mmap(NULL, length, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, off);
	if (IS_ERR_VALUE(images)) {
		close_filler();
		return preadv_limited(fd, iovs, nr, off, most);
	}
	while (filler >= 0 && done < length) {
		struct iovec piece = { iovs->iov_base + inside, min_t(unsigned long, iovs->iov_len - inside, length - done) };

		if (!fill_piece(args, &piece, images + done)) {
			result = sys_preadv(fd, &piece, 1, off + done);
			if (result <= 0)
				break;
			piece.iov_len = result;
		}
		done += piece.iov_len;
		inside += piece.iov_len;
		if (inside == iovs->iov_len) {
			inside = 0;
			iovs++;
		}
	}
	sys_munmap((void *)images, length);
	return done ?: result;
}
