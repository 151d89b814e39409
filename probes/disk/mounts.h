/*
 * The mounted file systems, from the text of /proc/self/mountinfo (proc(5)). Pure. The last
 * field there holds the superblock's options: the truth about read-only, whatever a
 * sandbox's own mount flags pretend.
 */
#ifndef PROBES_DISK_MOUNTS_H
#define PROBES_DISK_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

enum { MOUNTS_MAX = 4096 };

struct mount {
	char *dir, *type, *source;
	unsigned dev_major, dev_minor;
	bool mount_ro; /* this mount's own flag: a sandbox may have set it */
	bool super_ro; /* the file system itself takes no writes */
	bool broken;   /* it stopped taking writes after an error and says so (emergency_ro, shutdown) */
	bool dummy;    /* proc, sysfs ...: nothing that could be full */
	bool remote;   /* may hang for reasons elsewhere */
	bool image;    /* squashfs, iso9660 ...: full and read-only by nature */
};

struct mounts {
	struct mount *v;
	size_t n;
	size_t dropped; /* beyond MOUNTS_MAX, or lines that made no sense */
};

/* Where two are mounted at one directory, only the later (the visible) one is kept. */
void mounts_parse(struct mounts *m, const char *text);
/* In a chroot the mount that "/" is on is not in the list: puts it in, as df does (source "-"), unless one is there. */
void mounts_add_root(struct mounts *m, unsigned dev_major, unsigned dev_minor);
void mounts_fini(struct mounts *m);
/* The mount that holds an absolute path without "." or "..": the longest directory in front of it; NULL when
 * none. */
const struct mount *mounts_holding(const struct mounts *m, const char *path);
/* The mount with that very directory or, failing that, that very source; NULL when none. */
const struct mount *mounts_exact(const struct mounts *m, const char *path_or_source);

#endif
