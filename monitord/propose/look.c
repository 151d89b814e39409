/* The prober as a child for one batch of jobs; see look.h. Called by draft.c. */
#include "look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/config/run.h"
#include "lib/json.h"

/* A prober answers each job by its deadline and ends with its input; so much later it is killed. */
enum { ENDING_MS = 7000, OUTPUT_MAX = 32 << 20, LINE_MAX = 512 << 10 };

static bool add_job(struct buf *in, size_t i, const struct look *l, int64_t timeout_ms)
{
	char id[24];
	snprintf(id, sizeof id, "%zu", i);
	cJSON *job = cJSON_CreateObject();
	json_add_int(job, "v", 1);
	cJSON_AddStringToObject(job, "run", id);
	cJSON_AddStringToObject(job, "check", l->probe);
	cJSON_AddStringToObject(job, "probe", l->probe);
	cJSON_AddItemToObject(job, "options", cJSON_Duplicate(l->options, true));
	cJSON_AddStringToObject(job, "state", "");
	json_add_int(job, "timeout_ms", timeout_ms);
	bool ok = json_line(job, in);
	cJSON_Delete(job);
	return ok;
}

/* One line of the prober's; true: it is an answer. */
static bool take(struct look *v, size_t n, const char *line, size_t len)
{
	char *end;
	cJSON *o = json_parse(line, len, LINE_MAX, NULL);
	const char *id = json_str(o, "done", "");
	unsigned long i = strtoul(id, &end, 10);
	if (*id && !*end && i < n && !v[i].result) {
		v[i].result = o;
		return true;
	}
	cJSON_Delete(o);
	return false;
}

bool look_run(const char *prober, struct look *v, size_t n, int64_t timeout_ms, char *why, size_t size)
{
	struct buf in, out;
	size_t got = 0;
	bool ok = n <= LOOKS_MAX;
	buf_init(&in, OUTPUT_MAX);
	buf_init(&out, OUTPUT_MAX);
	snprintf(why, size, "the prober did not answer");
	for (size_t i = 0; i < n && ok; i++)
		ok = add_job(&in, i, &v[i], timeout_ms);
	/* what it said until it failed counts */
	if (ok && n)
		config_run(prober, "--place=all", &in, (int)timeout_ms + ENDING_MS, &out, why, size);
	const char *line = buf_str(&out);
	for (size_t len; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		got += take(v, n, line, len);
	}
	buf_fini(&in);
	buf_fini(&out);
	return got > 0 || n == 0;
}

const char *look_state(const cJSON *result)
{
	return json_str(result, "state", "UNKNOWN");
}

const char *look_text(const cJSON *result)
{
	return json_str(result, "text", "nothing was said within the time");
}

const char *look_layer(const cJSON *result)
{
	return json_str(result, "layer", "");
}

bool look_ok(const cJSON *result)
{
	return strcmp(look_state(result), "OK") == 0;
}

double look_number(const cJSON *result, const char *label, double dflt)
{
	const cJSON *p;
	cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(result, "perf"))
	{
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(p, "value");
		if (strcmp(json_str(p, "label", ""), label) == 0 && cJSON_IsNumber(value))
			return value->valuedouble;
	}
	return dflt;
}

const char *look_fact(const cJSON *result, const char *name)
{
	return json_str(cJSON_GetObjectItemCaseSensitive(result, "facts"), name, "");
}

const char *look_option(const cJSON *options, const char *name)
{
	return json_str(options, name, "");
}
