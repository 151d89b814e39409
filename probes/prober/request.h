/*
 * One line that the prober is told, as a structure: a job with its options parsed
 * by the probe's own table, the answer to a store, or a cancel. Pure: bytes in,
 * structure out, so that it can be fuzzed without a prober around it.
 */
#ifndef PROBES_PROBER_REQUEST_H
#define PROBES_PROBER_REQUEST_H

#include "probes/probe.h"

struct cJSON;

enum {
	/* A state of 64 KiB may take six bytes for each of its own once it is escaped. */
	REQUEST_LINE_MAX = 512 * 1024,
	REQUEST_ID_MAX = 128,
	REQUEST_CHECK_MAX = 128
};

enum request_kind { REQUEST_RUN, REQUEST_STORED, REQUEST_CANCEL, REQUEST_BEAT };

struct request {
	enum request_kind kind;
	char id[REQUEST_ID_MAX];       /* "" when the line named none: then nothing can be answered */
	bool ok;		       /* REQUEST_STORED */
	int64_t beat;		       /* REQUEST_BEAT: its number, from 1 */
	char check[REQUEST_CHECK_MAX]; /* from here on REQUEST_RUN */
	const struct probe *probe;
	void *conf;
	char *state;
	size_t state_len;
	int64_t timeout_ms;
};

enum place_filter { PLACES_NET = 1, PLACES_LOCAL = 2, PLACES_ALL = 3 };

/* False with a reason in why; the kind and the id are then set as far as they were understood, and
 * request_fini is not needed. */
bool request_parse(struct request *q, const char *line, size_t len, unsigned places, char *why, size_t size);
void request_fini(struct request *q);
/* Does the probe run here? */
bool request_place_ok(const struct probe *p, unsigned places);
/* Parses and checks the options of a job; NULL when there is any complaint. Free with request_conf_free. */
void *request_conf(const struct probe *p, const struct cJSON *options, struct complaints *c);
void request_conf_free(const struct probe *p, void *conf);

#endif
