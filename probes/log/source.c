/* See source.h. zlib's inflate is the only way to what was written yesterday, when the probe was down and
 * logrotate was not. */
#include "source.h"
#include "print.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

bool log_source_open(struct log_source *s, int dirfd, const char *name, bool gz)
{
	memset(s, 0, sizeof(*s));
	s->fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s->fd < 0)
		return false;
	if (fstat(s->fd, &s->st) != 0 || !S_ISREG(s->st.st_mode)) {
		close(s->fd);
		errno = EINVAL;
		return false;
	}
	posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* the kernel reads further ahead while we count */
	if (gz && !(s->gz = gzdopen(s->fd, "rb"))) {
		close(s->fd);
		errno = ENOMEM;
		return false;
	}
	return true;
}

void log_source_close(struct log_source *s)
{
	if (s->gz)
		gzclose_r(s->gz);
	else
		close(s->fd);
}

ssize_t log_source_read(struct log_source *s, void *out, size_t size)
{
	ssize_t n;

	if (s->gz) {
		n = gzread(s->gz, out, (unsigned)size);
		if (n < 0)
			errno = EIO;
	} else {
		do
			n = read(s->fd, out, size);
		while (n < 0 && errno == EINTR);
	}
	if (n > 0)
		s->at += (uint64_t)n;
	return n;
}

static bool jump(struct log_source *s, uint64_t to)
{
	if (s->gz)
		s->at = gzseek(s->gz, (z_off_t)to, SEEK_SET) == (z_off_t)to ? to : 0;
	else
		s->at = lseek(s->fd, (off_t)to, SEEK_SET) == (off_t)to ? to : 0;
	return s->at == to;
}

bool log_source_seek(struct log_source *s, const struct log_place *place)
{
	char bytes[LOG_PRINT_BYTES];
	size_t got = 0;
	ssize_t n = 1;

	if (place->covered > sizeof(bytes) || place->covered > place->offset ||
	    (!s->gz && (uint64_t)s->st.st_size < place->offset))
		return false;
	if (!jump(s, place->offset - place->covered))
		return false;
	while (got < place->covered && (n = log_source_read(s, bytes + got, place->covered - got)) > 0)
		got += (size_t)n;
	return got == place->covered && log_print(bytes, got) == place->print;
}
