/* Files that survive crashes whole, and bounded reads; see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool file_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = fsync(fd) == 0;
	int e = errno;
	close(fd);
	errno = e;
	return ok;
}

static bool sync_dir_of(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n >= sizeof dir) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(dir, path, n);
	dir[n] = '\0';
	return file_sync_dir(slash ? (n ? dir : "/") : ".");
}

static bool replace(const char *path, const void *data, size_t len, mode_t mode, bool sync)
{
	char tmp[PATH_MAX];
	/* the thread is part of the name: two threads may write the same file */
	int n = snprintf(tmp, sizeof tmp, "%s.tmp%d", path, (int)gettid());
	if (n < 0 || (size_t)n >= sizeof tmp) {
		errno = ENAMETOOLONG;
		return false;
	}
	unlink(tmp);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return false;
	bool ok = file_write_all(fd, data, len) && (!sync || fsync(fd) == 0);
	int e = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		e = errno;
	}
	if (ok && rename(tmp, path) != 0) {
		ok = false;
		e = errno;
	}
	if (!ok) {
		unlink(tmp);
		errno = e;
		return false;
	}
	return !sync || sync_dir_of(path);
}

bool file_write_atomic(const char *path, const void *data, size_t len, mode_t mode)
{
	return replace(path, data, len, mode, true);
}

bool file_write_volatile(const char *path, const void *data, size_t len, mode_t mode)
{
	return replace(path, data, len, mode, false);
}

bool file_read(const char *path, struct buf *out)
{
	/* O_NONBLOCK: a FIFO put in the place of a file must not block */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	struct stat st;
	bool ok = fstat(fd, &st) == 0;
	int e = errno;
	if (ok && !S_ISREG(st.st_mode)) {
		ok = false;
		e = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	}
	buf_reset(out);
	char chunk[8192];
	while (ok) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			break;
		if (n < 0) {
			ok = false;
			e = errno;
		} else if (!buf_add(out, chunk, (size_t)n)) {
			ok = false;
			e = EFBIG;
		}
	}
	close(fd);
	errno = e;
	return ok;
}

bool file_mkdirs(const char *path, mode_t mode)
{
	char p[PATH_MAX];
	if (snprintf(p, sizeof p, "%s", path) >= (int)sizeof p) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (char *s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (mkdir(p, mode) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return false;
		*s = '/';
	}
	if (mkdir(p, mode) == 0)
		return true;
	struct stat st;
	if (errno == EEXIST && stat(p, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	if (errno == EEXIST)
		errno = ENOTDIR;
	return false;
}

char *file_join(const char *dir, const char *name)
{
	char *s;
	return asprintf(&s, "%s/%s", dir, name) < 0 ? NULL : s;
}

/* "credential:NAME" -> $CREDENTIALS_DIRECTORY/NAME */
static char *secret_path(const char *path, char *why, size_t size)
{
	static const char prefix[] = "credential:";
	if (strncmp(path, prefix, sizeof prefix - 1) != 0)
		return strdup(path);
	const char *dir = getenv("CREDENTIALS_DIRECTORY"), *name = path + sizeof prefix - 1;
	if (!dir) {
		snprintf(why, size, "%s: no credentials were handed over ($CREDENTIALS_DIRECTORY is not set)", path);
		return NULL;
	}
	if (!*name || strchr(name, '/')) {
		snprintf(why, size, "%s: not a credential's name", path);
		return NULL;
	}
	return file_join(dir, name);
}

char *file_secret(const char *path, char *why, size_t size)
{
	char *real = secret_path(path, why, size), *out = NULL;
	if (!real)
		return NULL;
	struct buf b;
	struct stat st;
	buf_init(&b, 4096);
	if (stat(real, &st) != 0 || !file_read(real, &b)) {
		snprintf(why, size, "%s: %s", path, errno == EFBIG ? "larger than 4 KiB" : strerror(errno));
	} else if (st.st_mode & 007) {
		snprintf(why, size, "%s: readable by everybody (mode %04o); use chmod o-rwx", path, (unsigned)st.st_mode & 07777);
	} else {
		while (b.len && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == '\r'))
			b.data[--b.len] = '\0';
		if (b.len == 0)
			snprintf(why, size, "%s: empty", path);
		else if (memchr(b.data, '\0', b.len))
			snprintf(why, size, "%s: holds a NUL byte", path);
		else
			out = strdup(b.data);
	}
	if (b.data)
		explicit_bzero(b.data, b.cap);
	buf_fini(&b);
	free(real);
	return out;
}

void file_secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

bool file_secret_there(const char *path, char *why, size_t size)
{
	char *secret = path ? file_secret(path, why, size) : NULL;
	bool there = !path || secret;

	file_secret_free(secret);
	return there;
}

char *file_self_dir(void)
{
	char p[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", p, sizeof p - 1);
	if (n <= 0)
		return NULL;
	p[n] = '\0';
	char *slash = strrchr(p, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return strdup(*p ? p : "/");
}

char *file_libexec(const char *given)
{
	if (given)
		return strdup(given);
	char *dir = file_self_dir();
	if (dir) {
		char *prober = file_join(dir, "prober");
		bool here = prober && access(prober, X_OK) == 0;
		free(prober);
		if (here)
			return dir;
	}
	free(dir);
	return strdup(MONITORD_LIBEXEC);
}
