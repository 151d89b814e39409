/*
 * The memory of what was dialled, on the disk; see redial.h. One JSON object, replaced as a whole and synced
 * before the modem dials. Called by notifiers/dial.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/json.h"
#include "redial.h"

enum { FILE_MAX = 1 << 19 };

char *redial_path(const char *dir, const char *line)
{
	char name[160];
	size_t n = (size_t)snprintf(name, sizeof(name), "redial-%.120s.json", line);

	for (size_t i = 0; i < n && name[i] != '\0'; i++)
		if (name[i] == '/')
			name[i] = '_';
	return file_join(dir, name);
}

static bool read_number(struct redial_number *x, const cJSON *v)
{
	const cJSON *dial;

	memset(x, 0, sizeof(*x));
	snprintf(x->number, sizeof(x->number), "%s", json_str(v, "number", ""));
	x->rest_ms = json_int(v, "rest_ms", 0);
	if (x->rest_ms < 0 || (x->rest_ms > 0 && !json_get_stamp(v, "rest_from", &x->rest_from)))
		return false;
	cJSON_ArrayForEach(dial, cJSON_GetObjectItemCaseSensitive(v, "dialled"))
	{
		if (x->n == REDIAL_DIALS_MAX || !json_get_stamp(dial, "at", &x->dial[x->n]))
			return false;
		x->n++;
	}
	return true;
}

bool redial_parse(struct redial *r, const char *text, size_t len)
{
	cJSON *root = json_parse(text, len, FILE_MAX, NULL);
	const cJSON *v, *numbers = cJSON_GetObjectItemCaseSensitive(root, "numbers");
	bool ok = json_int(root, "v", 0) == 1 && cJSON_IsArray(numbers);

	memset(r, 0, sizeof(*r));
	cJSON_ArrayForEach(v, numbers)
	{
		ok = ok && r->n < REDIAL_NUMBERS_MAX && read_number(&r->v[r->n], v);
		r->n += ok;
	}
	cJSON_Delete(root);
	if (!ok)
		memset(r, 0, sizeof(*r));
	return ok;
}

void redial_load(struct redial *r, const char *path, const struct redial_rules *rules,
		 const struct stamp *now, char *why, size_t size)
{
	struct buf b;

	why[0] = '\0';
	memset(r, 0, sizeof(*r));
	buf_init(&b, FILE_MAX);
	if (!file_read(path, &b)) {
		if (errno != ENOENT)
			snprintf(why, size, "%.200s cannot be read (%s)", path, strerror(errno));
	} else if (!redial_parse(r, buf_str(&b), b.len)) {
		snprintf(why, size, "%.200s is damaged", path);
	}
	buf_fini(&b);
	if (why[0] != '\0' && rules->window_ms > 0) {
		r->all.rest_from = *now;
		r->all.rest_ms = rules->window_ms;
	}
}

static cJSON *number_json(const struct redial_number *x)
{
	cJSON *v = cJSON_CreateObject(), *dialled = cJSON_AddArrayToObject(v, "dialled");

	cJSON_AddStringToObject(v, "number", x->number);
	if (x->rest_ms > 0) {
		json_add_int(v, "rest_ms", x->rest_ms);
		json_add_stamp(v, "rest_from", &x->rest_from);
	}
	for (size_t i = 0; i < x->n; i++) {
		cJSON *d = cJSON_CreateObject();

		json_add_stamp(d, "at", &x->dial[i]);
		cJSON_AddItemToArray(dialled, d);
	}
	return v;
}

bool redial_keep(const struct redial *r, const char *path, char *why, size_t size)
{
	cJSON *root = cJSON_CreateObject(), *numbers;
	struct buf b;
	bool ok;

	json_add_int(root, "v", 1);
	numbers = cJSON_AddArrayToObject(root, "numbers");
	for (size_t i = 0; i < r->n; i++)
		cJSON_AddItemToArray(numbers, number_json(&r->v[i]));
	buf_init(&b, FILE_MAX);
	errno = ENOMEM;
	ok = json_line(root, &b) && file_write_atomic(path, buf_str(&b), b.len, 0640);
	if (!ok)
		snprintf(why, size, "%.200s: %s", path, strerror(errno));
	buf_fini(&b);
	cJSON_Delete(root);
	return ok;
}
