/* Events from outside; see drop.h. Called by page.c and notify.c. */
#include "drop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/contract/spool.h"
#include "lib/file.h"
#include "lib/log.h"
#include "monitord/ctl/paths.h"

enum { DROP_MS = 20000, CONTACTS_MAX = 64 };

/* --- the parts of an event ------------------------------------------------------------------------------ */

uint64_t door_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t door_key(const char *key)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, folded to 48 bits */
	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	h = (h ^ h >> 48) & ((1ull << 48) - 1);
	return h ? h : 1;
}

bool door_name(char *field, size_t size, const char *text, const char *what, const char *program)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f)
			continue;
		fprintf(stderr, "%s: %s: holds a control character\n", program, what);
		return false;
	}
	if (n >= size) {
		fprintf(stderr, "%s: %s \"%.40s...\": longer than %zu bytes\n", program, what, text,
			size - 1);
		return false;
	}
	struct result clean; /* the one place that knows what UTF-8 is valid */
	result_init(&clean);
	result_set(&clean, NAG_OK, "%s", text);
	snprintf(field, size, "%s", buf_str(&clean.text));
	result_fini(&clean);
	return true;
}

static void add_lines(struct result *r, const char *text)
{
	while (*text && r->more.len < RESULT_LONG_MAX) {
		size_t n = strcspn(text, "\n");
		result_more(r, "%.*s", (int)(n < RESULT_LONG_MAX ? n : RESULT_LONG_MAX), text);
		text += n + (text[n] == '\n');
	}
}

bool door_text(struct event *e, const char *text, const char *more)
{
	struct result r;
	text += strspn(text, " \t\r\n");
	size_t n = strcspn(text, "\n");
	result_init(&r);
	result_set(&r, NAG_OK, "%.*s", (int)(n < INT16_MAX ? n : INT16_MAX), text);
	add_lines(&r, text + n + (text[n] == '\n'));
	if (more)
		add_lines(&r, more);
	bool ok = r.text.len > 0;
	e->text = ok ? strdup(buf_str(&r.text)) : NULL;
	e->more = r.more.len ? strdup(buf_str(&r.more)) : NULL;
	result_fini(&r);
	return ok && e->text;
}

bool door_state(const char *name, enum nag_state *s)
{
	static const struct {
		const char *name;
		enum nag_state s;
	} names[] = {{"OK", NAG_OK},	       {"UP", NAG_OK},
		     {"WARNING", NAG_WARNING}, {"CRITICAL", NAG_CRITICAL},
		     {"DOWN", NAG_CRITICAL},   {"UNREACHABLE", NAG_UNKNOWN},
		     {"UNKNOWN", NAG_UNKNOWN}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcasecmp(name, names[i].name) != 0)
			continue;
		*s = names[i].s;
		return true;
	}
	return false;
}

bool door_contact(struct event *e, const char *name)
{
	char **v = e->ncontacts < CONTACTS_MAX ? realloc(e->contacts, (e->ncontacts + 1) * sizeof *v) : NULL;
	if (!v)
		return false;
	e->contacts = v;
	v[e->ncontacts] = strdup(name);
	e->ncontacts += v[e->ncontacts] != NULL;
	return true;
}

/* --- into the spool ---------------------------------------------------------------------------------------
 */

static char *path_or(const char *given, const char *config, const char *key, const char *dflt)
{
	return given ? strdup(given) : ctl_path(config ? config : MONITORD_CONF, key, dflt);
}

static bool may_write(const char *spool, const char *room)
{
	char *path = file_join(spool, room);
	bool ok = path && access(path, W_OK | X_OK) == 0;
	int e = errno;
	free(path);
	errno = e;
	return ok;
}

static bool is_denied(const char *spool, const char *room)
{
	return !may_write(spool, room) && errno == EACCES;
}

static enum door_exit complain(const char *program, const char *spool, const char *why)
{
	if (is_denied(spool, "tmp/.") || is_denied(spool, "new/.")) {
		fprintf(stderr,
			"%s: not queued: this user may not write into %s (its group may, usually "
			"monitord-drop)\n",
			program, spool);
		return DOOR_RIGHTS;
	}
	fprintf(stderr, "%s: not queued: %s\n", program, why);
	return DOOR_SPOOL;
}

/* Where the one event went. The spool may hang, so nobody waits for ever; what neither side takes is known at
 * once. */
static int wait_fate(struct spool_writer *w, struct spool_fate *fate)
{
	int64_t until = clock_boot_ms() + DROP_MS, left;
	while (!spool_writer_fate(w, fate)) {
		struct pollfd p = {.fd = spool_writer_fd(w), .events = POLLIN};
		left = until - clock_boot_ms();
		if (left > 0) {
			poll(&p, 1, (int)left);
			continue;
		}
		fate->where = -1;
		snprintf(fate->why, sizeof fate->why, "neither the spool nor its twin answered in time");
		break;
	}
	return fate->where;
}

static void note(const struct door_place *place, const char *program, const char *spool, const char *twin,
		 const struct spool_fate *fate, int where)
{
	if (place->quiet)
		return;
	if (where == 1)
		fprintf(stderr, "%s: queued in the twin %s: %s\n", program, twin, fate->why);
	if (!spool_is_read(spool))
		fprintf(stderr, "%s: queued, but pagerd does not run: nobody is paged before it does\n",
			program);
}

/* The twin serves only where the spool is there and fails: a writer that finds no spool must not make one. */
static enum door_exit drop(const struct event *e, const struct door_place *place, const char *spool,
			   const char *twin, const char *program)
{
	char why[300];
	struct spool_fate fate = {.where = -1};
	if (!may_write(spool, "tmp/.") && !may_write(twin, "tmp/.")) {
		snprintf(why, sizeof why, access(spool, F_OK) == 0 ? "the spool %.200s cannot be written" : "there is no spool %.200s",
			 spool);
		return complain(program, spool, why);
	}
	log_init(program, LOG_L_ERR);
	struct spool_writer *w = spool_writer_new(spool, twin, why, sizeof why);
	if (!w)
		return complain(program, spool, why);
	spool_write(w, e);
	int where = wait_fate(w, &fate);
	if (where >= 0)
		note(place, program, spool, twin, &fate, where);
	spool_writer_free(w);
	return where >= 0 ? DOOR_QUEUED : complain(program, spool, fate.why + (fate.why[0] == '!'));
}

enum door_exit door_drop(const struct event *e, const struct door_place *place, const char *program)
{
	char *spool = path_or(place->spool, place->config, "spool", "/var/spool/monitord");
	char *twin = path_or(place->twin, place->config, "spool_twin", "/run/monitord/spool");
	enum door_exit rc = DOOR_MEMORY;
	if (spool && twin)
		rc = drop(e, place, spool, twin, program);
	else
		fprintf(stderr, "%s: not queued: out of memory\n", program);
	free(spool);
	free(twin);
	return rc;
}
