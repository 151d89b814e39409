/* JSON with limits; see json.h. */
#include "json.h"

#include <math.h>
#include <string.h>

enum { JSON_DEPTH_MAX = 64 };

/* cJSON recurses per level (and its own limit is 1000): count the depth before it does. */
static bool too_deep(const char *text, size_t len)
{
	int depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

static cJSON *refuse(const char **why, const char *reason)
{
	if (why)
		*why = reason;
	return NULL;
}

cJSON *json_parse(const char *text, size_t len, size_t max, const char **why)
{
	if (len > max)
		return refuse(why, "longer than allowed");
	if (memchr(text, '\0', len))
		return refuse(why, "holds a NUL byte");
	if (too_deep(text, len))
		return refuse(why, "nested too deeply");
	const char *end = NULL;
	cJSON *v = cJSON_ParseWithLengthOpts(text, len, &end, false);
	if (!v)
		return refuse(why, "not JSON");
	while (end < text + len && strchr(" \t\r\n", *end))
		end++;
	if (end != text + len) {
		cJSON_Delete(v);
		return refuse(why, "bytes after the JSON value");
	}
	return v;
}

bool json_line(const cJSON *v, struct buf *out)
{
	char *text = cJSON_PrintUnformatted(v);
	if (!text)
		return false;
	size_t before = out->len;
	bool ok = buf_puts(out, text) && buf_puts(out, "\n");
	if (!ok && out->data) {
		out->len = before;
		out->data[before] = '\0';
	}
	cJSON_free(text);
	return ok;
}

const char *json_str(const cJSON *obj, const char *key, const char *dflt)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);
	return cJSON_IsString(v) ? v->valuestring : dflt;
}

int64_t json_int(const cJSON *obj, const char *key, int64_t dflt)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);
	if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble) || fabs(v->valuedouble) > 9007199254740992.0)
		return dflt;
	return (int64_t)v->valuedouble;
}

bool json_bool(const cJSON *obj, const char *key, bool dflt)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(obj, key);
	return cJSON_IsBool(v) ? cJSON_IsTrue(v) : dflt;
}

void json_add_int(cJSON *obj, const char *key, int64_t v)
{
	cJSON_AddNumberToObject(obj, key, (double)v);
}

void json_add_stamp(cJSON *obj, const char *key, const struct stamp *s)
{
	cJSON *o = cJSON_AddObjectToObject(obj, key);
	if (!o)
		return;
	json_add_int(o, "wall_ms", s->wall_ms);
	json_add_int(o, "boot_ms", s->boot_ms);
	cJSON_AddStringToObject(o, "boot_id", s->boot_id);
}

bool json_get_stamp(const cJSON *obj, const char *key, struct stamp *s)
{
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(obj, key);
	if (!cJSON_IsObject(o) || !cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(o, "wall_ms")))
		return false;
	*s = (struct stamp){ .wall_ms = json_int(o, "wall_ms", 0), .boot_ms = json_int(o, "boot_ms", 0) };
	const char *id = json_str(o, "boot_id", "");
	size_t n = strlen(id);
	if (n >= sizeof s->boot_id)
		n = 0;
	memcpy(s->boot_id, id, n);
	s->boot_id[n] = '\0';
	return true;
}
