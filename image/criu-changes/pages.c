/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * A process shares pages with its parent since a fork. CRIU compares each page of the parent with that of the images, and reads it
 * by a call of its own; here the images are mapped, and it is seen in place.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include "types.h"
#include "common/compiler.h"
#include "cr_options.h"
#include "image.h"
#include "kept.h"
#include "page.h"
#include "pagemap.h"

/* At once: so much more is resident for a moment. */
#define MOST_SEEN (2L << 20)

/* As pr->read_pages for one page, which is then in the buffer or elsewhere. */
int see_page(struct page_read *pr, unsigned long address, void *buffer, const void **page)
{
	static char *seen;
	static off_t from, length;
	/* A child has what its parent saw. */
	static u32 images;

	*page = buffer;
	if (!kept_is_on() || pr->parent || opts.auto_dedup)
		return pr->read_pages(pr, address, 1, buffer, 0);
	if (!seen || images != pr->pages_img_id || pr->pi_off < from || pr->pi_off >= from + length) {
		int fd = img_raw_fd(pr->pi);

		if (seen)
			munmap(seen, length);
		images = pr->pages_img_id;
		from = pr->pi_off;
		length = min(img_raw_size(pr->pi) - from, MOST_SEEN);
		seen = mmap(NULL, length, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, from);
		if (seen == MAP_FAILED) {
			seen = NULL;
			return pr->read_pages(pr, address, 1, buffer, 0);
		}
	}
	*page = seen + (pr->pi_off - from);
	pr->skip_pages(pr, PAGE_SIZE);
	return 1;
}
