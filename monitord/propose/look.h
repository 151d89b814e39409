/*
 * Has the prober look at things: many checks at the same time, each with the options that would stand in a
 * configuration, and what each found. All foreign bytes stay in that child; here only its JSON is read.
 */
#ifndef MONITORD_PROPOSE_LOOK_H
#define MONITORD_PROPOSE_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

enum { LOOKS_MAX = 400 };

struct look {
	const char *probe;
	const struct cJSON *options; /* as in doc/contracts.md, a job's */
	struct cJSON *result;	     /* out: members of a result; NULL: no answer. The caller's to free */
};

/* prober: the path of the program. At most LOOKS_MAX. Each has timeout_ms. False: the prober said nothing at
 * all; why says it. */
bool look_run(const char *prober, struct look *v, size_t n, int64_t timeout_ms, char *why, size_t size);

/* Of a result, NULL included: "OK" ..., what was said, where it broke; a number among the performance data
 * (or dflt); a text among the facts. */
const char *look_state(const struct cJSON *result);
const char *look_text(const struct cJSON *result);
const char *look_layer(const struct cJSON *result);
double look_number(const struct cJSON *result, const char *label, double dflt);
const char *look_fact(const struct cJSON *result, const char *name);
bool look_ok(const struct cJSON *result);
/* Of a job's options: a text, or "". */
const char *look_option(const struct cJSON *options, const char *name);

#endif
