/*
 * What a notifier is: one program per kind of line, resident, one process per line. Adding
 * one: a file notifiers/notify_NAME.c that defines `const struct notifier notifier_NAME`, its tests, its
 * example. The build makes build/notify_NAME from it and notifiers/notifier.c, which owns stdin/stdout.
 */
#ifndef NOTIFIERS_NOTIFIER_H
#define NOTIFIERS_NOTIFIER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/line.h"
#include "lib/config/opts.h"
#include "preview.h"

struct notifier_run {
	const void *conf; /* the notifier's own structure, filled from its table */
	const char *line; /* the line's name */
	void *own;        /* the notifier's own state */
};

struct notifier {
	const char *name; /* "sms" */
	const char *help;
	const struct opt *opts;
	size_t conf_size;
	bool follows; /* whoever is paged on this line must hear that the incident was acknowledged or is over (a siren) */
	bool blind; /* "sent" tells only that the line was used: nobody may have got it (tones, a siren) */
	void (*check_conf)(const void *conf, struct complaints *c); /* may be NULL */
	/* Whether "to" is an address this line can use; the reason in why. May be NULL: any non-empty text. */
	bool (*check_address)(const char *to, char *why, size_t size);
	bool (*start)(struct notifier_run *run, char *why, size_t size); /* false: says why and exits 1 */
	/* Sends one page, blocking, at most until p->deadline_ms; detail is text for people. */
	enum outcome (*send)(struct notifier_run *run, const struct page *p, char *detail, size_t size);
	/* Between pages: the descriptor to wait on (-1: none) and, in *wait_ms, when to call idle at the latest. May be NULL. */
	int (*fd)(struct notifier_run *run, int *wait_ms);
	/* Called when fd is readable or the time is up: late answers, received messages, health. May be NULL. */
	void (*idle)(struct notifier_run *run);
	/* About once a second while the parent lives: ok, all is well with it and what it watches over; else why not.
	 * May be NULL: the parent is then not asked for it. */
	void (*beat)(struct notifier_run *run, bool ok, const char *why);
	/* The message of that id (struct received) is safe with the parent: it may be forgotten. May be NULL. */
	void (*taken)(struct notifier_run *run, const char *id);
	void (*stop)(struct notifier_run *run); /* may be NULL */
	/* What the page would look like here; touches no line. May be NULL: its text, as long as it is. */
	void (*preview)(const void *conf, const struct page *p, struct preview *out);
};

/* What a notifier says by itself; each writes one JSON line to stdout. */
void notifier_health(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with values that a probe can judge: a flat object, taken over; NULL: none. At most 4 KiB. */
struct cJSON;
void notifier_health_values(bool ok, const char *text, struct cJSON *values);
void notifier_received(const struct received *r);
void notifier_report(const char *id, bool delivered, const char *detail);
void notifier_late(const char *id, enum outcome o, const char *detail);
/* With the options it has, this line cannot know that anybody got what it sent. */
void notifier_confirms_nothing(void);
/* Anything else to say: goes to stderr, and so to the parent's log. Use lib/log.h. */

int notifier_main(const struct notifier *n, int argc, char **argv);

/* The page as one text of at most max characters for small screens: state, check, what is wrong, since when, incident id.
 * Shortens "what is wrong", never the rest. Pure. max counts what count() counts: characters of the target's alphabet
 * for the text (NULL: bytes). */
char *page_text(const struct page *p, size_t max, size_t (*count)(const char *utf8));

#endif
