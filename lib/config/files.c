/*
 * The files of a configuration: monitord.yaml and the .yaml files of conf.d beside it, read whole, and
 * their digest. Called by config_load.
 */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"

enum { FILE_BYTES_MAX = 4 << 20 };

void conf_files_free(struct conf_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->n; i++) {
		free(files->v[i].path);
		free(files->v[i].name);
		buf_fini(&files->v[i].bytes);
		tree_free(files->v[i].root);
	}
	free(files->v);
	complaints_fini(&files->warnings);
	free(files);
}

struct conf_file *conf_files_add(struct conf_files *files, const char *path, const char *name)
{
	struct conf_file *v = realloc(files->v, (files->n + 1) * sizeof(*v));
	if (!v)
		return NULL;
	files->v = v;
	v += files->n;
	*v = (struct conf_file){.path = strdup(path), .name = strdup(name)};
	buf_init(&v->bytes, FILE_BYTES_MAX);
	if (!v->path || !v->name) {
		free(v->path);
		free(v->name);
		return NULL;
	}
	files->n++;
	return v;
}

static void read_file(struct conf_files *files, const char *path, const char *name, struct complaints *c)
{
	struct mark at = {path, 0, 0};
	struct conf_file *f = conf_files_add(files, path, name);
	if (!f) {
		complaint_add(c, &at, NULL, NULL, "out of memory");
		files->broken = true;
	} else if (!file_read(path, &f->bytes)) {
		if (errno == EFBIG)
			complaint_add(c, &at, NULL, NULL, "larger than 4 MiB");
		else
			complaint_add(c, &at, NULL, NULL, "cannot be read: %s", strerror(errno));
		f->unread = true;
	}
}

/* Hidden files and an editor's leftovers (x.yaml~, .#x.yaml) are not meant. */
static int is_ours(const struct dirent *e)
{
	size_t len = strlen(e->d_name);
	return e->d_name[0] != '.' && len > 4 &&
	       ((len > 5 && strcmp(e->d_name + len - 5, ".yaml") == 0) ||
		strcmp(e->d_name + len - 4, ".yml") == 0);
}

/* Not alphasort: its order depends on the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_entry(struct conf_files *files, const char *dir, const char *entry, struct complaints *c)
{
	char *path = file_join(dir, entry), *name = file_join("conf.d", entry);
	struct mark at = {path, 0, 0};
	size_t len = strlen(entry);
	if (!path || !name) {
		complaint_add(c, NULL, NULL, NULL, "out of memory");
		files->broken = true;
	} else if (strcmp(entry + len - 4, ".yml") == 0) {
		complaint_add(&files->warnings, &at, NULL, NULL,
			      "is not read: only names that end in .yaml are");
	} else if (files->n == CONF_FILES_MAX) {
		complaint_add(c, &at, NULL, NULL, "is one file too many; at most %d are taken",
			      CONF_FILES_MAX);
		files->broken = true;
	} else {
		read_file(files, path, name, c);
	}
	free(path);
	free(name);
}

static void read_directory(struct conf_files *files, const char *dir, struct complaints *c)
{
	struct dirent **v = NULL;
	struct mark at = {dir, 0, 0};
	int n = scandir(dir, &v, is_ours, by_bytes);
	if (n < 0 && errno != ENOENT) {
		complaint_add(c, &at, NULL, NULL, "cannot be read: %s", strerror(errno));
		files->broken = true;
	}
	for (int i = 0; i < n; i++) {
		read_entry(files, dir, v[i]->d_name, c);
		free(v[i]);
	}
	free(v);
}

static void limit_total(struct conf_files *files, struct complaints *c)
{
	size_t total = 0;
	for (size_t i = 0; i < files->n; i++) {
		total += files->v[i].bytes.len;
		if (total > CONF_BYTES_MAX && !files->v[i].unread) {
			struct mark at = {files->v[i].path, 0, 0};
			complaint_add(c, &at, NULL, NULL,
				      "is not read: all files together are larger than 16 MiB");
			files->v[i].unread = true;
		}
	}
}

struct conf_files *conf_files_read(const char *main_file, struct complaints *c)
{
	struct conf_files *files = calloc(1, sizeof(*files));
	const char *slash = strrchr(main_file, '/');
	char *dir = NULL;
	if (files) {
		read_file(files, main_file, slash ? slash + 1 : main_file, c);
		if (asprintf(&dir, "%.*sconf.d", slash ? (int)(slash - main_file + 1) : 0, main_file) < 0)
			dir = NULL;
	}
	if (!dir) {
		complaint_add(c, NULL, NULL, NULL, "out of memory");
		conf_files_free(files);
		return NULL;
	}
	read_directory(files, dir, c);
	limit_total(files, c);
	free(dir);
	return files;
}

/* FNV-1a, 64 bits: tells two configurations apart; it defends against nobody. */
static uint64_t fnv(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

void conf_files_digest(const struct conf_files *files, char *out, size_t size)
{
	uint64_t h = 0xcbf29ce484222325ULL;
	for (size_t i = 0; i < files->n; i++) {
		const struct conf_file *f = &files->v[i];
		const char *slash = strrchr(f->name, '/');
		const char *name = slash ? slash + 1 : f->name;
		uint64_t len = f->bytes.len;
		h = fnv(h, name, strlen(name) + 1);
		h = fnv(h, &len, sizeof(len));
		h = fnv(h, buf_str(&f->bytes), f->bytes.len);
	}
	snprintf(out, size, "%016llx", (unsigned long long)h);
}
