/*
 * JSON lines with limits, over cJSON: the only file that parses foreign JSON. A
 * text deeper than 64, longer than the limit or with trailing bytes is refused.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "clock.h"

enum { JSON_LINE_MAX = 65536 };

/* Parses exactly one value in len bytes. NULL and a reason (static text) in *why (may be NULL). */
cJSON *json_parse(const char *text, size_t len, size_t max, const char **why);
/* Compact text and a newline added to out. False when it does not fit. */
bool json_line(const cJSON *v, struct buf *out);
/* One value added to out, for who writes a line without a tree. False when it does not fit. */
bool json_put_string(struct buf *out, const char *s);
/* What parses to the same value again, give or take the last bit, as with cJSON; what is not finite becomes null. */
bool json_put_number(struct buf *out, double d);
/* Typed look-ups in an object; the default (or NULL/false) when absent or of another type. */
const char *json_str(const cJSON *obj, const char *key, const char *dflt);
int64_t json_int(const cJSON *obj, const char *key, int64_t dflt);
bool json_bool(const cJSON *obj, const char *key, bool dflt);
/* Stamps: {"wall_ms":..,"boot_ms":..,"boot_id":".."} */
void json_add_stamp(cJSON *obj, const char *key, const struct stamp *s);
bool json_get_stamp(const cJSON *obj, const char *key, struct stamp *s);
/* int64 as a JSON number (exact to 2^53) */
void json_add_int(cJSON *obj, const char *key, int64_t v);

#endif
