/*
 * What pagerd must remember, on disk: one JSON file per incident under
 * STATE/incidents/, written atomically and fsynced. When the disk does not take it
 * (ENOSPC, EIO, no answer for 2 s) a twin under RUN/incidents/ does, and the page goes
 * out all the same. doc/paging.md lists every on-disk state and its repair.
 */
#ifndef PAGERD_STORE_STORE_H
#define PAGERD_STORE_STORE_H

#include "pagerd/rules/incident.h"

enum { STORE_ANSWER_MS = 2000, STORE_BAD_KEPT = 100 };

enum store_where { STORE_DISK, STORE_TWIN, STORE_NOWHERE };

struct cJSON;
struct store;

/* Makes the directories and takes the lock that keeps a second pagerd away. NULL and a reason. The run
 * directory may fail (then there is no twin). */
struct store *store_open(const char *state_dir, const char *run_dir, char *why, size_t size);
void store_close(struct store *s);
/* Calls found for each incident (the newer of disk and twin), which then belongs to the callee. What cannot
 * be read moves to bad/ and is told. */
void store_load(struct store *s, void (*found)(void *arg, struct incident *i),
		void (*bad)(void *arg, const char *path, const char *why), void *arg);
/* Durable when it returns STORE_DISK; otherwise i->owed is set, and why says what is wrong with the disk.
 * Clears i->dirty. */
enum store_where store_save(struct store *s, struct incident *i, char *why, size_t size);
/* Only the twin, while the disk is known not to take it. Sets i->owed. False: there is none, or it failed
 * too. */
bool store_save_aside(struct store *s, struct incident *i);
void store_forget(struct store *s, const struct incident *i);

/* A document of its own beside the incidents (STATE/NAME.json, twin RUN/NAME.json), as durable as they are. Takes
 * v over. rev must grow from write to write. */
enum store_where store_put(struct store *s, const char *name, uint64_t rev, struct cJSON *v, char *why, size_t size);
/* The newer of the two copies and its rev; owned by the caller. NULL: there is none that can be read. */
struct cJSON *store_get(struct store *s, const char *name, uint64_t *rev);

/* Notes: what belongs to several incidents at once (a digest that is on its way). digests/NAME.json beside incidents/, as
 * durable as they are. aside: only the twin, while the disk is known not to take it. */
enum store_where store_note(struct store *s, const char *name, const struct cJSON *v, bool aside, char *why,
			    size_t size);
void store_note_forget(struct store *s, const char *name);
/* The disk's first, then the twin's; to be called after store_load. */
void store_notes_load(struct store *s, void (*found)(void *arg, const char *name, const struct cJSON *v),
		      void (*bad)(void *arg, const char *path, const char *why), void *arg);

#endif
