/*
 * Parser of mountinfo; see mounts.h. Called by the disk probe with what it read.
 */
#include "mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool one_of(const char *s, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(s, *names) == 0)
			return true;
	return false;
}

/* Is word one of the comma-separated options? */
static bool has_option(const char *options, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = options; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

static bool is_dummy(const char *type)
{
	static const char *const names[] = {
		"autofs",    "proc",	   "sysfs",	  "devpts",   "cgroup",	   "cgroup2",  "debugfs",
		"tracefs",   "mqueue",	   "securityfs",  "pstore",   "bpf",	   "configfs", "fusectl",
		"hugetlbfs", "rpc_pipefs", "binfmt_misc", "efivarfs", "selinuxfs", "nsfs",     "none",
		"subfs",     "kernfs",	   "ignore",	  "devfs",    NULL
	};
	return one_of(type, names);
}

static bool is_remote(const char *type, const char *source)
{
	static const char *const names[] = { "nfs",	   "nfs4",	 "cifs",	   "smb3", "smbfs",
					     "ncpfs",	   "afs",	 "coda",	   "ceph", "9p",
					     "auristorfs", "fuse.sshfs", "fuse.glusterfs", NULL };
	/* as df and check_disk tell: host:/path or //host/share */
	return one_of(type, names) || strchr(source, ':') || strncmp(source, "//", 2) == 0;
}

static bool is_image(const char *type)
{
	static const char *const names[] = { "squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs", NULL };
	return one_of(type, names);
}

/* Octal escapes (\040 for a blank) in place. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

/* 36 35 98:0 /root /dir rw,noatime master:1 - ext3 /dev/root rw,errors=continue */
static bool parse_line(char *line, struct mount *m)
{
	char *word[6], *tail[3], *save = NULL, *w;
	int n = 0;

	memset(m, 0, sizeof *m);
	for (w = strtok_r(line, " ", &save); w && n < 6; w = n < 6 ? strtok_r(NULL, " ", &save) : w)
		word[n++] = w;
	while (w && strcmp(w, "-") != 0)
		w = strtok_r(NULL, " ", &save); /* optional fields, as many as there are */
	if (n < 6 || !w)
		return false;
	for (int i = 0; i < 3; i++)
		if (!(tail[i] = strtok_r(NULL, " ", &save)))
			return false;
	if (sscanf(word[2], "%9u:%9u", &m->dev_major, &m->dev_minor) != 2)
		return false;
	unescape(word[4]);
	unescape(tail[1]);
	if (word[4][0] != '/')
		return false;
	m->mount_ro = has_option(word[5], "ro");
	m->broken = has_option(tail[2], "emergency_ro") || has_option(tail[2], "shutdown");
	m->super_ro = has_option(tail[2], "ro") || m->broken;
	m->dummy = is_dummy(tail[0]);
	m->remote = is_remote(tail[0], tail[1]);
	m->image = is_image(tail[0]);
	m->dir = strdup(word[4]);
	m->type = strdup(tail[0]);
	m->source = strdup(tail[1]);
	return true;
}

static void mount_fini(struct mount *m)
{
	free(m->dir);
	free(m->type);
	free(m->source);
}

static bool mount_complete(const struct mount *m)
{
	return m->dir && m->type && m->source;
}

static void add(struct mounts *m, struct mount *one)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].dir, one->dir) == 0) {
			mount_fini(&m->v[i]);
			m->v[i] = *one;
			return;
		}
	if (m->n < MOUNTS_MAX && (m->n & (m->n - 1)) == 0) {
		struct mount *bigger = realloc(m->v, (m->n ? m->n * 2 : 1) * sizeof *bigger);
		if (bigger)
			m->v = bigger;
		else
			goto drop;
	}
	if (m->n < MOUNTS_MAX) {
		m->v[m->n++] = *one;
		return;
	}
drop:
	mount_fini(one);
	m->dropped++;
}

void mounts_parse(struct mounts *m, const char *text)
{
	char *copy = strdup(text), *save = NULL;
	struct mount one;

	memset(m, 0, sizeof *m);
	for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!parse_line(line, &one)) {
			m->dropped++;
		} else if (!mount_complete(&one)) {
			mount_fini(&one);
			m->dropped++;
		} else {
			add(m, &one);
		}
	}
	free(copy);
}

void mounts_add_root(struct mounts *m, unsigned dev_major, unsigned dev_minor)
{
	struct mount root = {.dev_major = dev_major, .dev_minor = dev_minor};

	if (mounts_exact(m, "/"))
		return;
	root.dir = strdup("/");
	root.type = strdup("-");
	root.source = strdup("-");
	if (mount_complete(&root)) {
		add(m, &root);
	} else {
		mount_fini(&root);
		m->dropped++;
	}
}

void mounts_fini(struct mounts *m)
{
	for (size_t i = 0; i < m->n; i++)
		mount_fini(&m->v[i]);
	free(m->v);
	memset(m, 0, sizeof *m);
}

const struct mount *mounts_holding(const struct mounts *m, const char *path)
{
	const struct mount *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < m->n; i++) {
		size_t n = strlen(m->v[i].dir);
		bool root = n == 1;
		if (n < longest || strncmp(path, m->v[i].dir, n) != 0)
			continue;
		if (root || path[n] == '/' || path[n] == '\0') {
			best = &m->v[i];
			longest = n;
		}
	}
	return best;
}

const struct mount *mounts_exact(const struct mounts *m, const char *path_or_source)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].dir, path_or_source) == 0)
			return &m->v[i];
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].source, path_or_source) == 0)
			return &m->v[i];
	return NULL;
}
