/* Notifications of Nagios and Icinga 2; see macros.h. Called by notify.c and its fuzz target. */
#include "macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drop.h"

enum { NOTICE_US = 10000000 }; /* one command runs per contact: a notice within that time is the same one */

enum deed { NOTHING, PROBLEM, HUSH, RECOVERY, CLOSE, ACK, NOTICE };

static const struct rule {
	const char *type;
	enum deed trouble, fine;
	const char *before; /* what is wrong */
} rules[] = {
    {"PROBLEM", PROBLEM, RECOVERY, ""},
    {"RECOVERY", RECOVERY, RECOVERY, ""},
    {"ACKNOWLEDGEMENT", ACK, NOTHING, ""},
    {"DOWNTIMESTART", HUSH, NOTHING, ""},
    {"DOWNTIMEEND", PROBLEM, CLOSE, ""},
    {"DOWNTIMECANCELLED", PROBLEM, CLOSE, ""},
    {"DOWNTIMEREMOVED", PROBLEM, CLOSE, ""},
    {"FLAPPINGSTART", NOTICE, NOTICE, "flapping: "},
    {"FLAPPINGSTOP", PROBLEM, RECOVERY, "flapping no more: "},
    {"FLAPPINGEND", PROBLEM, RECOVERY, "flapping no more: "},
    {"FLAPPINGDISABLED", PROBLEM, RECOVERY, ""},
    {"CUSTOM", NOTICE, NOTICE, ""},
};
enum { RULES = sizeof rules / sizeof rules[0] };

/* A macro's value; "" when it was not replaced. */
static const char *value(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	bool macro = n > 2 && s[0] == '$' && s[n - 1] == '$' && strchr(s + 1, '$') == s + n - 1;
	return s && !macro ? s : "";
}

static const struct rule *find_rule(const char *type)
{
	/* Icinga says "Problem" in some places */
	for (int i = 0; i < RULES; i++)
		if (strcasecmp(type, rules[i].type) == 0)
			return &rules[i];
	return NULL;
}

/* A name as long as there is room for; what is cut is told apart by a hash. Control characters become blanks.
 */
static void set_name(char *out, size_t size, const char *name)
{
	char whole[1024];
	snprintf(whole, sizeof whole, "%s", name);
	for (char *s = whole; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
	struct result clean; /* invalid UTF-8 becomes '?' */
	result_init(&clean);
	result_set(&clean, NAG_OK, "%s", whole);
	const char *good = buf_str(&clean.text);
	size_t n = strlen(good), keep = size - 20;
	if (n < size) {
		memcpy(out, good, n + 1);
	} else {
		while (keep > 0 && ((unsigned char)good[keep] & 0xc0) == 0x80)
			keep--;
		snprintf(out, size, "%.*s~%012llx", (int)keep, good, (unsigned long long)door_key(name));
	}
	result_fini(&clean);
}

static void set_names(struct event *e, const struct notification *n)
{
	const char *service = value(n->service);
	char check[1024];
	snprintf(check, sizeof check, "%s/%s", value(n->host), *service ? service : "host");
	set_name(e->check, sizeof e->check, check);
	set_name(e->host, sizeof e->host, value(n->host));
}

/* Whole seconds or a whole number, at most 2^40; 0: none. */
static uint64_t number(const char *s)
{
	uint64_t v = 0;
	for (s = value(s); *s >= '0' && *s <= '9' && v < 1ull << 40; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	return v < 1ull << 40 ? v : 0;
}

static void set_numbers(struct event *e, const struct notification *n, enum deed deed, uint64_t now)
{
	uint64_t since = number(n->since);
	e->change = deed == NOTICE ? now - now % NOTICE_US : now;
	e->opened = deed == NOTICE ? e->change : deed == RECOVERY || deed == CLOSE ? 0 : number(n->problem);
	if (e->opened > e->change)
		e->opened = 0; /* no number: whichever is open */
	e->at = e->since = clock_stamp();
	if (since > 0 && (deed == PROBLEM || deed == HUSH))
		e->since = (struct stamp){.wall_ms = (int64_t)since * 1000};
}

static bool set_text(struct event *e, const struct notification *n, const struct rule *r, enum deed deed)
{
	const char *output = value(n->output), *comment = value(n->comment), *author = value(n->author);
	char *text = NULL;
	int len;
	if (deed == ACK)
		len = asprintf(&text, "%s", *comment ? comment : "acknowledged");
	else if (deed == NOTICE && *comment)
		len =
		    asprintf(&text, "%s%s%s%s; %s", r->before, author, *author ? ": " : "", comment, output);
	else
		len = asprintf(&text, "%s%s", r->before, *output ? output : "(no output)");
	bool ok = len >= 0 && door_text(e, text, value(n->long_output));
	free(len >= 0 ? text : NULL);
	return ok;
}

static void set_kind(struct event *e, const struct notification *n, enum deed deed)
{
	const char *comment = value(n->comment);
	static const enum event_kind kinds[] = {
	    [PROBLEM] = EVENT_PROBLEM, [HUSH] = EVENT_PROBLEM, [RECOVERY] = EVENT_RECOVERY,
	    [CLOSE] = EVENT_RECOVERY,  [ACK] = EVENT_ACK,      [NOTICE] = EVENT_NOTICE};
	e->kind = kinds[deed];
	e->suppressed = deed == HUSH || deed == CLOSE;
	if (e->suppressed)
		snprintf(e->why_suppressed, sizeof e->why_suppressed, "in downtime there%s%.100s",
			 *comment ? ": " : "", comment);
	if (deed == ACK)
		set_name(e->by, sizeof e->by, *value(n->author) ? value(n->author) : "somebody");
	if (deed == RECOVERY || deed == CLOSE)
		e->state = NAG_OK;
}

static enum macros_result refuse(char *why, size_t size, const char *fmt, const char *what)
{
	snprintf(why, size, fmt, what);
	return MACROS_BAD;
}

enum macros_result macros_event(const struct notification *n, uint64_t now, struct event *e, char *why,
				size_t size)
{
	const struct rule *r = find_rule(value(n->type));
	if (!*value(n->type))
		return refuse(why, size, "%s is missing (--type, of Nagios $NOTIFICATIONTYPE$)", "the notification's type");
	if (!r)
		return refuse(why, size, "notification type \"%.40s\": not known", value(n->type));
	if (!*value(n->host))
		return refuse(why, size, "%s is missing", "the host's name");
	if (!door_state(value(n->state), &e->state))
		return refuse(
		    why, size,
		    "state \"%.40s\": must be OK, WARNING, CRITICAL, UNKNOWN, UP, DOWN or UNREACHABLE",
		    value(n->state));
	enum deed deed = e->state == NAG_OK ? r->fine : r->trouble;
	if (deed == NOTHING) {
		snprintf(why, size, "%s of what is fine: nothing to say", r->type);
		return MACROS_NOTHING;
	}
	set_kind(e, n, deed);
	set_names(e, n);
	set_numbers(e, n, deed, now);
	return set_text(e, n, r, deed) ? MACROS_EVENT : refuse(why, size, "%s", "out of memory");
}
