/*
 * Counting a Postfix queue by its directory entries. Called by the queue probe; costs little more
 * than the bare system calls, whatever the queue's size.
 */
#include "postfix_spool.h"

#include <stdio.h>
#include <string.h>

#include "postfix_file.h"
#include "walk.h"

struct walk {
	enum postfix_queue q;
	struct queue_scan *scan;
	struct queue_instance *in;
	char path[QUEUE_PATH_MAX]; /* of the directory at hand */
	bool *sub;		   /* the hash directories in it */
	char oldest[64];	   /* the oldest long id so far, not yet decoded; stem 0: none */
	size_t stem;
};

static const char *const names[PQ_N] = {"maildrop", "incoming", "active", "deferred", "hold", "corrupt"};

const char *postfix_queue_name(enum postfix_queue q)
{
	return names[q];
}

static void message(struct walk *w, const char *name, size_t stem)
{
	if (stem) {
		w->in->count[w->q].named++;
		if (!w->stem || stem < w->stem || (stem == w->stem && memcmp(name, w->oldest, stem) < 0)) {
			w->stem = stem;
			memcpy(w->oldest, name, strlen(name) + 1); /* an id has at most 60 characters */
		}
	}
	queue_found(w->scan, w->in, w->q, w->path, name, 0);
}

static void entry(void *arg, const char *name, unsigned char type)
{
	struct walk *w = arg;
	size_t stem;

	if (queue_may_be_file(type) && postfix_id_ok(name, &stem))
		message(w, name, stem);
	else if (queue_may_be_dir(type) && !name[1] && (unsigned char)name[0] < 128)
		w->sub[(unsigned char)name[0]] = true; /* a directory of the hash: one character */
}

static void walk(struct walk *w, int depth)
{
	bool sub[128] = {false};
	size_t len = strlen(w->path);

	w->sub = sub;
	if (queue_walk(w->scan, w->in, w->path, entry, w) != WALK_ALL || depth == POSTFIX_HASH_DEPTH)
		return;
	for (int ch = 0; ch < 128 && !w->scan->late; ch++) {
		if (!sub[ch])
			continue;
		snprintf(w->path + len, sizeof(w->path) - len, "/%c", ch);
		walk(w, depth + 1);
		w->path[len] = '\0';
	}
}

void postfix_spool_count(struct queue_scan *scan, struct queue_instance *in, enum postfix_queue q)
{
	struct walk w = {.q = q, .scan = scan, .in = in};

	snprintf(w.path, sizeof(w.path), "%s", names[q]);
	walk(&w, 0);
	in->count[q].oldest_ms = w.stem ? postfix_id_time_ms(w.oldest) : 0;
}
