/*
 * What one run of a check found: a state, one line of text, more lines, and
 * performance data (Nagios plugin guidelines). Filled by probes, judged by
 * monitord, printed by the stand-alone plugins. Pure: no I/O, no clock.
 */
#ifndef LIB_CONTRACT_RESULT_H
#define LIB_CONTRACT_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/config/units.h"

struct cJSON;

enum nag_state { NAG_OK = 0, NAG_WARNING = 1, NAG_CRITICAL = 2, NAG_UNKNOWN = 3 };

enum {
	RESULT_TEXT_MAX = 1024, /* bytes of line 1 */
	RESULT_LONG_MAX = 6144, /* bytes of the lines after it */
	RESULT_PERF_MAX = 64,
	PERF_LABEL_MAX = 128, /* a mount point is a label */
	FACT_NAME_MAX = 40,
	FACT_TEXT_MAX = 200,
	RESULT_FACTS_MAX = 4096, /* bytes of all facts as JSON */
	RESULT_FACTS_TEXT_MAX = 8192
};

struct perf {
	char label[PERF_LABEL_MAX];
	double value; /* NaN prints as U */
	char uom[4];  /* "", "s", "ms", "us", "%", "B", "KB", "MB", "GB", "TB", "c" */
	struct range warn, crit;
	bool has_min, has_max;
	double min, max;
};

struct result {
	enum nag_state state;
	/* False when the check could not be run at all (plugin missing, prober died): not the same as a
	 * plugin that said UNKNOWN. */
	bool measured;
	/* Where it broke, for machines: "resolve" "refused" "timeout" "tls" "answer" ...; "" when nothing broke. */
	char layer[24];
	struct buf text; /* line 1, one line, no '|' */
	struct buf more; /* further lines, each ending in \n, no '|' */
	struct perf perf[RESULT_PERF_MAX];
	size_t nperf;
	size_t perf_dropped;
	/* Named numbers and texts for the diagnosis, never for people: members of a JSON object without its braces. What does
	 * not fit is left out whole. */
	struct buf facts;
};

void result_init(struct result *r); /* UNKNOWN, measured, empty */
void result_fini(struct result *r);
/* Sets state and replaces the text. Newlines, control bytes and '|' are made harmless; invalid UTF-8 becomes '?'. */
void result_set(struct result *r, enum nag_state s, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As result_set, and names the layer. */
void result_fail(struct result *r, enum nag_state s, const char *layer, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Adds one further line (made harmless the same way, newline appended). */
void result_more(struct result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds a performance value; returns it for min/max to be set, or NULL when full (counted in perf_dropped).
 * warn and crit may be NULL. '=' and '\'' in the label are replaced by '_'. */
struct perf *result_perf(struct result *r, const char *label, double value, const char *uom,
			 const struct range *warn, const struct range *crit);
/* Adds a fact: a name of lower case letters, digits and '_', once per result (said twice: both stand there, the last counts).
 * A value that is no number (NaN, infinite) is left out. The text is made harmless, and cut at FACT_TEXT_MAX bytes. */
void result_fact(struct result *r, const char *name, double value);
void result_fact_text(struct result *r, const char *name, const char *text);
/* All facts, from the text of a JSON object of numbers and strings, in place of those there are. False: it is none, or longer
 * than RESULT_FACTS_TEXT_MAX; then nothing changed. What is no number and no string is left out. */
bool result_facts_text(struct result *r, const char *text, size_t len);
/* The worse of two for an alert: CRITICAL > WARNING > UNKNOWN > OK. */
enum nag_state nag_worse(enum nag_state a, enum nag_state b);
/* CRITICAL if crit alerts on v, else WARNING if warn alerts, else OK. Either may be NULL. */
enum nag_state nag_judge(double v, const struct range *warn, const struct range *crit);
const char *nag_name(enum nag_state s); /* "OK" "WARNING" "CRITICAL" "UNKNOWN" */
bool nag_from_name(const char *name, enum nag_state *s);
/* What a plugin's line says besides the state: the text behind a leading "STATE - ", "STATE: ", "NAME STATE - " or
 * "NAME STATE: ", for who has shown the state already. Else, and when nothing would be left, text itself. */
const char *result_words(const char *text, const char *state);

/* Plugin output: "NAME STATE: text | perfdata\nmore\n"; name in capitals, may be NULL (then no prefix). */
void result_print(const struct result *r, const char *name, struct buf *out);
void result_perfdata(const struct result *r, struct buf *out);

/* The JSON members of doc/contracts.md, section "result". write: as text, without braces; write_perf: only the
 * array "perf"; false when it does not fit. to: adds them to obj. from: false and why on any mismatch. */
bool result_write(const struct result *r, struct buf *out);
bool result_write_perf(const struct result *r, struct buf *out);
void result_to_json(const struct result *r, struct cJSON *obj);
bool result_from_json(struct result *r, const struct cJSON *obj, const char **why);

#endif
