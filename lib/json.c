/* JSON with limits; see json.h. */
#include "json.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* --- printing: what cJSON prints, at a fraction of its cost; a prober prints thousands of numbers a second --- */

static bool put_escaped(struct buf *out, unsigned char c)
{
	static const char letters[] = "b\bf\fn\nr\rt\t\"\"\\\\";
	char text[8] = "\\";

	for (size_t i = 0; i + 1 < sizeof letters; i += 2) {
		if (letters[i + 1] == (char)c) {
			text[1] = letters[i];
			return buf_add(out, text, 2);
		}
	}
	snprintf(text, sizeof text, "\\u%04x", c);
	return buf_puts(out, text);
}

bool json_put_string(struct buf *out, const char *s)
{
	bool ok = buf_add(out, "\"", 1);
	while (ok && *s) {
		size_t n = 0;
		while ((unsigned char)s[n] >= 0x20 && s[n] != '"' && s[n] != '\\')
			n++;
		ok = buf_add(out, s, n);
		s += n;
		if (ok && *s)
			ok = put_escaped(out, (unsigned char)*s++);
	}
	return ok && buf_add(out, "\"", 1);
}

/* Six decimals at most, trailing zeros left out. */
static bool put_millionths(struct buf *out, int64_t millionths)
{
	char text[32], *p = text + sizeof text;
	uint64_t v = millionths < 0 ? -(uint64_t)millionths : (uint64_t)millionths;
	bool shown = false;
	for (int i = 0; i < 6; i++, v /= 10) {
		shown = shown || v % 10;
		if (shown)
			*--p = (char)('0' + v % 10);
	}
	if (shown)
		*--p = '.';
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	if (millionths < 0)
		*--p = '-';
	return buf_add(out, p, (size_t)(text + sizeof text - p));
}

bool json_put_number(struct buf *out, double d)
{
	char text[32];
	if (!isfinite(d))
		return buf_puts(out, "null");
	double millionths = fabs(d) < 9e9 ? nearbyint(d * 1e6) : NAN;
	if (fabs(millionths / 1e6 - d) <= fabs(d) * DBL_EPSILON)
		return put_millionths(out, (int64_t)millionths);
	if (fabs(d) < 1e15 && d == trunc(d)) {
		snprintf(text, sizeof text, "%" PRId64, (int64_t)d);
		return buf_puts(out, text);
	}
	snprintf(text, sizeof text, "%.15g", d);
	if (strtod(text, NULL) != d)
		snprintf(text, sizeof text, "%.17g", d);
	return buf_puts(out, text);
}

static bool put_value(struct buf *out, const cJSON *v);

static bool put_members(struct buf *out, const cJSON *v, bool names)
{
	bool ok = buf_add(out, names ? "{" : "[", 1);
	for (const cJSON *m = v->child; m && ok; m = m->next) {
		if (names)
			ok = json_put_string(out, m->string ? m->string : "") && buf_add(out, ":", 1);
		ok = ok && put_value(out, m) && (!m->next || buf_add(out, ",", 1));
	}
	return ok && buf_add(out, names ? "}" : "]", 1);
}

static bool put_value(struct buf *out, const cJSON *v)
{
	if (cJSON_IsString(v))
		return json_put_string(out, v->valuestring ? v->valuestring : "");
	if (cJSON_IsNumber(v))
		return json_put_number(out, v->valuedouble);
	if (cJSON_IsObject(v) || cJSON_IsArray(v))
		return put_members(out, v, cJSON_IsObject(v));
	if (cJSON_IsRaw(v))
		return buf_puts(out, v->valuestring ? v->valuestring : "null");
	return buf_puts(out, cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : "null");
}

bool json_line(const cJSON *v, struct buf *out)
{
	size_t before = out->len;
	if (!v)
		return false;
	bool ok = put_value(out, v) && buf_add(out, "\n", 1);
	if (!ok && out->data) {
		out->len = before;
		out->data[before] = '\0';
	}
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
