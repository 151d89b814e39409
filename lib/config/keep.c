/*
 * The last good copy. Each daemon keeps one in its own state directory and runs it when it is
 * started on a configuration that does not load.
 *
 *   DIR/last-good/DIGEST.XXXXXX/monitord.yaml     the files as they were read
 *   DIR/last-good/DIGEST.XXXXXX/conf.d/NAME.yaml
 *   DIR/last-good/DIGEST.XXXXXX/lists/NAME        its lists of hosts from elsewhere
 *   DIR/last-good/current -> DIGEST.XXXXXX/monitord.yaml
 *
 * The link is replaced by a rename once everything it will point to is on the disk, so a crash at any point
 * leaves the old copy or the new one in force. What a crash leaves behind is removed by the next keep.
 */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

enum { DIGEST_LEN = 16, SUFFIX_LEN = 7 };

static bool fail(char *why, size_t size, const char *path)
{
	snprintf(why, size, "%s: %s", path, strerror(errno));
	return false;
}

static bool sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	int saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return ok;
}

static const char *base(const char *name)
{
	const char *slash = strrchr(name, '/');
	return slash ? slash + 1 : name;
}

/* "DIGEST.XXXXXX": a directory of ours, and of nobody else. */
static bool is_copy(const char *name)
{
	return strlen(name) == DIGEST_LEN + SUFFIX_LEN && strspn(name, "0123456789abcdef") >= DIGEST_LEN &&
	       name[DIGEST_LEN] == '.';
}

char *config_kept(const char *dir)
{
	char link[PATH_MAX], target[512], *path = NULL;
	ssize_t n;
	if (snprintf(link, sizeof(link), "%s/last-good/current", dir) >= (int)sizeof(link))
		return NULL;
	n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0)
		return NULL;
	target[n] = '\0';
	if (strstr(target, "..") || target[0] == '/' || asprintf(&path, "%s/last-good/%s", dir, target) < 0)
		return NULL;
	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* --- is it there already? --- */

static bool same_file(const char *root, const struct conf_file *f)
{
	char *path = file_join(root, f->name);
	struct buf b;
	buf_init(&b, f->bytes.max);
	bool same = path && file_read(path, &b) && b.len == f->bytes.len &&
		    memcmp(buf_str(&b), buf_str(&f->bytes), b.len) == 0;
	buf_fini(&b);
	free(path);
	return same;
}

/* True when the copy in force holds just these files; its directory's name then goes to name. */
static bool same_as_kept(const struct config *conf, const struct conf_files *files, const char *dir,
			 char *name, size_t size)
{
	char *kept = config_kept(dir), *slash = kept ? strrchr(kept, '/') : NULL;
	bool same = false;
	if (slash && strcmp(slash + 1, files->v[0].name) == 0) {
		*slash = '\0';
		same = strncmp(base(kept), conf->digest, DIGEST_LEN) == 0;
		for (size_t i = 0; same && i < files->n; i++)
			same = same_file(kept, &files->v[i]);
		snprintf(name, size, "%.*s", DIGEST_LEN + SUFFIX_LEN, base(kept));
	}
	free(kept);
	return same;
}

/* --- writing --- */

static bool write_file(const char *copy, const struct conf_file *f, char *why, size_t size)
{
	char *path = file_join(copy, f->name);
	bool ok = path && file_write_atomic(path, buf_str(&f->bytes), f->bytes.len, 0600);
	if (!ok)
		fail(why, size, path ? path : copy);
	free(path);
	return ok;
}

static bool write_copy(const struct conf_files *files, const char *copy, char *why, size_t size)
{
	char *sub = file_join(copy, "conf.d"), *lists = file_join(copy, "lists");
	bool ok = sub && lists && (mkdir(sub, 0700) == 0 || errno == EEXIST) && (mkdir(lists, 0700) == 0 || errno == EEXIST);
	if (!ok)
		fail(why, size, sub ? sub : copy);
	for (size_t i = 0; ok && i < files->n; i++)
		ok = write_file(copy, &files->v[i], why, size);
	if (ok && !(sync_dir(sub) && sync_dir(lists) && sync_dir(copy)))
		ok = fail(why, size, copy);
	free(sub);
	free(lists);
	return ok;
}

static bool switch_link(const char *dir, const char *copy, const char *main_name, char *why, size_t size)
{
	char *link = file_join(dir, "current"), *fresh = file_join(dir, "current.new"),
	     *target = file_join(base(copy), main_name);
	bool ok = link && fresh && target;
	if (ok)
		unlink(fresh);
	ok = ok && symlink(target, fresh) == 0 && rename(fresh, link) == 0;
	if (!ok)
		fail(why, size, link ? link : dir);
	free(link);
	free(fresh);
	free(target);
	return ok;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	remove(path);
	return 0;
}

static void remove_others(const char *dir, const char *keep)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		if (!is_copy(e->d_name) || strcmp(e->d_name, keep) == 0)
			continue;
		char *path = file_join(dir, e->d_name);
		if (path)
			nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
		free(path);
	}
	if (d)
		closedir(d);
}

/* Makes a new copy and puts it in force; name: of its directory. Not yet sure to outlive a crash. */
static bool put_in_force(const struct config *conf, const char *dir, const char *root, char *name,
			 size_t name_size, char *why, size_t size)
{
	const struct conf_files *files = conf->trees;
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%s/%s.XXXXXX", root, conf->digest) >= (int)sizeof(copy)) {
		snprintf(why, size, "%s: the name is too long", dir);
		return false;
	}
	if (!file_mkdirs(root, 0700) || !mkdtemp(copy))
		return fail(why, size, root);
	snprintf(name, name_size, "%.*s", DIGEST_LEN + SUFFIX_LEN, base(copy));
	if (write_copy(files, copy, why, size) && (sync_dir(root) || fail(why, size, root)) &&
	    (sync_dir(dir) || fail(why, size, dir)) && switch_link(root, copy, files->v[0].name, why, size))
		return true;
	nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return false;
}

bool config_keep(const struct config *conf, const char *dir, char *why, size_t size)
{
	char *root = file_join(dir, "last-good"), name[64];
	bool ok = false;

	if (!root)
		snprintf(why, size, "out of memory");
	else
		ok = same_as_kept(conf, conf->trees, dir, name, sizeof(name)) ||
		     put_in_force(conf, dir, root, name, sizeof(name), why, size);
	/* before that is on the disk, a crash may bring the old link back: what it points to must be there */
	if (ok && !sync_dir(root))
		ok = fail(why, size, root);
	if (ok)
		remove_others(root, name);
	free(root);
	return ok;
}

char *config_path_in_text(const char *file, const char *key)
{
	struct buf b;
	char *out = NULL;
	buf_init(&b, 4 << 20);
	const char *at = file_read(file, &b) ? strstr(buf_str(&b), key) : NULL;
	if (at) {
		at += strlen(key);
		at += strspn(at, " \t\"':");
		size_t n = strcspn(at, "\"'#\r\n,}");
		while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
			n--;
		if (n && at[0] == '/')
			out = strndup(at, n);
	}
	buf_fini(&b);
	return out;
}
