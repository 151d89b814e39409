/*
 * What the commands of monitorctl share: the command line, asking a daemon and saying
 * what it refused, and the name that was meant when one is not known.
 */
#ifndef MONITORD_CTL_ASK_H
#define MONITORD_CTL_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct cJSON;

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_SILENT };
enum { ANSWER_MAX = 16 << 20, ASK_MS = 10000, SLOW_MS = 180000 };

struct ctl {
	char *monitord, *pagerd; /* sockets */
	const char *config; /* the file, as given or the usual one */
	bool json;
	const char *contact, *state, *text, *kind; /* of preview */
	const char *comment, *by, *line, *to, *until, *from, *duration, *length, *at, *group;
	bool flexible, cancel;
	const char *outbound, *selector, *dnsbl, *resolver, *ports, *ca_file, *timeout, *out; /* of propose */
	bool no_local;
	long limit;	  /* 0: not given */
	const char *name; /* the command's argument, or NULL */
	struct ctl_style style;
};

/* {"v":1,"do":WHAT}; add_text leaves out what is NULL. */
struct cJSON *ctl_request(const char *what);
void ctl_add_text(struct cJSON *o, const char *key, const char *value);
/* Asks and frees the request. NULL when nobody answered, which is said. A refusal is said too and leaves *rc
 * at EXIT_REFUSED; the answer is printed when JSON is wanted. */
struct cJSON *ctl_ask(const struct ctl *ctl, const char *socket, struct cJSON *request, int ms, int *rc);
/* Asks without a word: NULL and why. */
struct cJSON *ctl_status(const char *socket, char *why, size_t size);
void ctl_print_json(const struct cJSON *v);
/* The check in monitord's snapshot, or NULL. */
const struct cJSON *ctl_find_check(const struct cJSON *snapshot, const char *name);
/* The name that was meant: nearly the same letters, or the first one that holds what was written; or NULL. */
const char *ctl_nearest(const char *written, const char *const *names, size_t n);
/* Says which check was meant, when one comes near. snapshot: monitord's, or NULL to ask for it. */
void ctl_suggest_check(const struct ctl *ctl, const struct cJSON *snapshot);

#endif
