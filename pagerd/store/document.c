/* Documents and notes beside the incidents; see store.h. Written through the thread of store.c. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "record.h"

char *store_document_path(const char *dir, const char *name)
{
	char file[64];
	snprintf(file, sizeof file, "%s.json", name);
	return dir ? file_join(dir, file) : NULL;
}

static struct job *document_job(const char *dir, const char *name, const cJSON *v)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return NULL;
	j->path = store_document_path(dir, name);
	buf_init(&j->data, RECORD_MAX);
	if (j->path && json_line(v, &j->data))
		return j;
	store_job_free(j);
	return NULL;
}

enum store_where store_put(struct store *s, const char *name, uint64_t rev, cJSON *v, char *why, size_t size)
{
	json_add_int(v, "rev", (int64_t)rev);
	struct job *j = document_job(s->state, name, v);
	int error = j ? store_write_through(s, j) : ENOMEM;
	struct job *twin = error ? document_job(s->run, name, v) : NULL;
	bool aside = twin && file_write_volatile(twin->path, twin->data.data, twin->data.len, 0640);
	store_job_free(twin);
	cJSON_Delete(v);
	if (!error)
		return STORE_DISK;
	snprintf(why, size, "%s/%s.json: %s", s->state, name,
		 error == ETIMEDOUT ? "the disk gives no answer" : strerror(error));
	return aside ? STORE_TWIN : STORE_NOWHERE;
}

static cJSON *read_document(const char *dir, const char *name)
{
	struct buf b;
	const char *why = NULL;
	char *path = store_document_path(dir, name);
	buf_init(&b, RECORD_MAX);
	bool there = path && file_read(path, &b);
	cJSON *v = there ? json_parse(buf_str(&b), b.len, RECORD_MAX, &why) : NULL;
	if (there && !cJSON_IsObject(v)) {
		log_err("%s cannot be read (%s); it is begun anew", path, why ? why : "not an object");
		cJSON_Delete(v);
		v = NULL;
	}
	buf_fini(&b);
	free(path);
	return v;
}

cJSON *store_get(struct store *s, const char *name, uint64_t *rev)
{
	cJSON *v = read_document(s->state, name), *twin = read_document(s->run, name);
	if (twin && (!v || json_int(twin, "rev", 0) > json_int(v, "rev", 0))) {
		cJSON *older = v;
		v = twin;
		twin = older;
	}
	cJSON_Delete(twin);
	*rev = v ? (uint64_t)json_int(v, "rev", 0) : 0;
	return v;
}

/* --- notes ----------------------------------------------------------------------------------------- */

static bool note_twin(struct store *s, const char *name, const cJSON *v)
{
	struct job *j = s->notes_twin ? document_job(s->notes_twin, name, v) : NULL;
	bool ok = j && file_write_volatile(j->path, j->data.data, j->data.len, 0640);
	store_job_free(j);
	return ok;
}

enum store_where store_note(struct store *s, const char *name, const cJSON *v, bool aside, char *why, size_t size)
{
	if (aside && note_twin(s, name, v))
		return STORE_TWIN;
	struct job *j = document_job(s->notes, name, v);
	int error = j ? store_write_through(s, j) : ENOMEM;
	if (error == 0)
		return STORE_DISK;
	snprintf(why, size, "%s: %s", s->notes,
		 error == ETIMEDOUT ? "the disk gives no answer" : strerror(error));
	return note_twin(s, name, v) ? STORE_TWIN : STORE_NOWHERE;
}

void store_note_forget(struct store *s, const char *name)
{
	const char *const dirs[] = {s->notes, s->notes_twin};
	for (size_t k = 0; k < 2; k++) {
		char *path = dirs[k] ? store_document_path(dirs[k], name) : NULL;
		if (path)
			unlink(path);
		free(path);
	}
}
