/* See rotated.h. */
#include "rotated.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool log_rotated_suffix(const char *s, bool *gz)
{
	size_t n = strlen(s);

	*gz = n > 3 && strcmp(s + n - 3, ".gz") == 0;
	if (*gz)
		n -= 3;
	if (n < 2 || (s[0] != '.' && s[0] != '-'))
		return false;
	if (n == 4 && memcmp(s, ".old", 4) == 0)
		return true;
	return strspn(s, "0123456789.-_T:") >= n && strcspn(s, "0123456789") < n;
}

static int by_age(const void *a, const void *b)
{
	const struct log_rotated *x = a, *y = b;

	return x->mtime_ns < y->mtime_ns ? -1 : x->mtime_ns > y->mtime_ns;
}

/* Full: the oldest gives way. */
static struct log_rotated *room(struct log_rotated *out, size_t *n, int64_t mtime_ns)
{
	size_t oldest = 0;

	if (*n < LOG_ROTATED_MAX)
		return &out[(*n)++];
	for (size_t i = 1; i < *n; i++) {
		if (out[i].mtime_ns < out[oldest].mtime_ns)
			oldest = i;
	}
	return out[oldest].mtime_ns < mtime_ns ? &out[oldest] : NULL;
}

static void take(int dirfd, const char *name, bool gz, struct log_rotated *out, size_t *n)
{
	struct log_rotated *r;
	struct stat st;
	int64_t at;

	if (strlen(name) >= LOG_NAME_MAX || fstatat(dirfd, name, &st, 0) != 0 || !S_ISREG(st.st_mode))
		return;
	at = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	r = room(out, n, at);
	if (!r)
		return;
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->gz = gz;
	r->mtime_ns = at;
	r->dev = st.st_dev;
	r->ino = st.st_ino;
}

/* While gzip works, and a moment after, a file is there twice: the plain one counts. */
static bool twice(int dirfd, const char *name)
{
	char plain[LOG_NAME_MAX];
	struct stat st;

	snprintf(plain, sizeof(plain), "%.*s", (int)(strlen(name) - 3), name);
	return fstatat(dirfd, plain, &st, 0) == 0;
}

size_t log_rotated_list(int dirfd, const char *base, struct log_rotated *out)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n = 0, blen = strlen(base);
	struct dirent *e;
	bool gz;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, base, blen) != 0 || !log_rotated_suffix(e->d_name + blen, &gz))
			continue;
		if (!gz || !twice(dirfd, e->d_name))
			take(dirfd, e->d_name, gz, out, &n);
	}
	closedir(d);
	qsort(out, n, sizeof(*out), by_age);
	return n;
}
