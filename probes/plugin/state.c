/*
 * The state files of stand-alone plugins. Called by main.c. Every failure
 * has a reason for people that names the file.
 */
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"

/* FNV-1a, 64 bits: a name for a file, nothing that must resist an attacker. */
static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(1099511628211);
	return h;
}

static uint64_t hash_text(uint64_t h, const char *s)
{
	return s ? hash_bytes(h, s, strlen(s) + 1) : hash_bytes(h, "\xff", 1);
}

static uint64_t hash_option(uint64_t h, const struct opt *o, const void *conf)
{
	const void *field = (const char *)conf + o->offset;
	const struct opt_list *list = field;
	const struct range *range = field;

	switch (o->type) {
	case OPT_STRING:
	case OPT_PATH:
	case OPT_SECRET:
		return hash_text(h, *(char *const *)field);
	case OPT_BOOL:
		return hash_bytes(h, field, sizeof(bool));
	case OPT_ENUM:
		return hash_bytes(h, field, sizeof(int));
	case OPT_INT:
	case OPT_NUMBER:
	case OPT_DURATION:
	case OPT_SIZE:
		return hash_bytes(h, field, 8);
	case OPT_RANGE:
		/* member by member: padding has no defined content */
		h = hash_bytes(h, &range->set, sizeof range->set);
		h = hash_bytes(h, &range->inside, sizeof range->inside);
		h = hash_bytes(h, &range->start, sizeof range->start);
		return hash_bytes(h, &range->end, sizeof range->end);
	case OPT_LIST:
		for (size_t i = 0; i < list->n; i++)
			h = hash_text(h, list->v[i]);
		return hash_bytes(h, &list->n, sizeof list->n);
	}
	return h;
}

char *plugin_state_path(const char *dir, const struct probe *probe, const void *conf)
{
	uint64_t h = UINT64_C(14695981039346656037);
	char *path;

	for (const struct opt *o = probe->opts; o->name; o++) {
		h = hash_text(h, o->name);
		h = hash_option(h, o, conf);
	}
	return asprintf(&path, "%s/check_%s-%016" PRIx64 ".state", dir, probe->name, h) < 0 ? NULL : path;
}

bool plugin_state_load(const char *path, struct buf *out, char *why, size_t size)
{
	if (file_read(path, out) || errno == ENOENT)
		return true;
	snprintf(why, size, "cannot read the state %s: %s", path, strerror(errno));
	return false;
}

bool plugin_state_save(const char *path, const char *state, size_t len, char *why, size_t size)
{
	if (file_write_atomic(path, state, len, 0600))
		return true;
	if (errno == ENOENT) {
		char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
		bool made = dir && file_mkdirs(dir, 0700);
		free(dir);
		if (made && file_write_atomic(path, state, len, 0600))
			return true;
	}
	snprintf(why, size, "cannot write the state %s: %s", path, strerror(errno));
	return false;
}
