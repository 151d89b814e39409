/* Probers of other hosts; see remote.h. Called by prober.c and prober_watch.c. */
#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/contract/coproc.h"
#include "lib/json.h"
#include "lib/log.h"
#include "prober_internal.h"

/* --- the command line ------------------------------------------------------------------------------------
 */

enum { ARGS_MAX = 64 };

struct args {
	char *v[ARGS_MAX + 1];
	size_t n;
	bool full;
};

static void add(struct args *a, const char *text)
{
	char *copy = a->n < ARGS_MAX ? strdup(text) : NULL;
	if (copy)
		a->v[a->n++] = copy;
	else
		a->full = true;
}

static void option(struct args *a, const char *key, const char *value)
{
	char text[700];
	snprintf(text, sizeof text, "%s=%s", key, value);
	add(a, "-o");
	add(a, text);
}

static void seconds(struct args *a, const char *key, int64_t ms)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)(ms < 1000 ? 1 : (ms + 999) / 1000));
	option(a, key, text);
}

/* "credential:NAME" is a file that the service manager gave us. */
static const char *file_of(const char *path, char *out, size_t size)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	if (strncmp(path, "credential:", 11) != 0)
		return path;
	snprintf(out, size, "%s/%s", dir ? dir : "/nonexistent", path + 11);
	return out;
}

/* What holds for the host and for the one in between. Nothing of a person's or the system's own configuration
 * counts. */
static void common(struct args *a, const struct conf_remote *r)
{
	static const char *const fixed[][2] = {{"BatchMode", "yes"},
					       {"StrictHostKeyChecking", "yes"},
					       {"PreferredAuthentications", "publickey"},
					       {"IdentitiesOnly", "yes"},
					       {"IdentityAgent", "none"},
					       {"ForwardAgent", "no"},
					       {"ForwardX11", "no"},
					       {"PermitLocalCommand", "no"},
					       {"UpdateHostKeys", "no"},
					       {"ControlMaster", "no"},
					       {"ControlPath", "none"},
					       {"GlobalKnownHostsFile", "none"},
					       {"CanonicalizeHostname", "no"},
					       {"LogLevel", "INFO"},
					       {"ServerAliveCountMax", "3"}};
	char path[512];
	add(a, r->ssh);
	add(a, "-F");
	add(a, "none");
	add(a, "-T");
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		option(a, fixed[i][0], fixed[i][1]);
	option(a, "UserKnownHostsFile", file_of(r->known_hosts, path, sizeof path));
	seconds(a, "ConnectTimeout", r->connect_ms);
	seconds(a, "ServerAliveInterval", r->limit_ms / 3);
	add(a, "-i");
	add(a, file_of(r->identity, path, sizeof path));
}

/* "user@[2001:db8::1]:2222" into its parts. */
static void split_jump(const char *jump, char *user, char *host, char *port, size_t size)
{
	const char *at = strrchr(jump, '@'), *from = at ? at + 1 : jump;
	const char *colon = strrchr(from, ':'), *bracket = strchr(from, ']');
	if (colon && (bracket ? colon < bracket : strchr(from, ':') != colon))
		colon = NULL; /* of the address */
	snprintf(user, size, "%.*s", at ? (int)(at - jump) : 0, jump);
	size_t n = colon ? (size_t)(colon - from) : strlen(from);
	if (*from == '[' && n > 1)
		from++, n -= from[n - 2] == ']' ? 2 : 1;
	snprintf(host, size, "%.*s", (int)n, from);
	snprintf(port, size, "%s", colon ? colon + 1 : "22");
}

/* ssh's own -J would forget all of our options for the host in between. Its command goes through a shell of
 * ssh's making: the loader let no character through that means anything to one. */
static bool add_jump(struct args *a, const struct conf_remote *r)
{
	struct args j = {.n = 0};
	struct buf command;
	char user[256], host[256], port[256];
	split_jump(r->jump, user, host, port, sizeof user);
	common(&j, r);
	add(&j, "-p");
	add(&j, port);
	if (*user) {
		add(&j, "-l");
		add(&j, user);
	}
	add(&j, "-W");
	add(&j, "[%h]:%p");
	add(&j, "--");
	add(&j, host);
	buf_init(&command, 4096);
	buf_puts(&command, "ProxyCommand=");
	for (size_t i = 0; i < j.n; i++)
		buf_printf(&command, strchr(j.v[i], '[') ? "%s'%s'" : "%s%s", i ? " " : "", j.v[i]);
	bool ok = !command.full && !j.full;
	add(a, "-o");
	add(a, buf_str(&command));
	buf_fini(&command);
	for (size_t i = 0; i < j.n; i++)
		free(j.v[i]);
	return ok && *host && *host != '-';
}

char **remote_argv(const struct conf_remote *r, char *why, size_t size)
{
	struct args a = {.n = 0};
	char port[16];
	common(&a, r);
	bool ok = !r->jump[0] || add_jump(&a, r);
	snprintf(port, sizeof port, "%d", r->port);
	add(&a, "-p");
	add(&a, port);
	if (r->user[0]) {
		add(&a, "-l");
		add(&a, r->user);
	}
	add(&a, "--");
	add(&a, r->host);
	add(&a, r->command);
	char **v = calloc(a.n + 1, sizeof *v);
	if (v)
		memcpy(v, a.v, a.n * sizeof *v);
	if (v && ok && !a.full)
		return v;
	snprintf(why, size, "%s", ok ? "out of memory" : "its jump host cannot be used");
	for (size_t i = 0; !v && i < a.n; i++)
		free(a.v[i]);
	remote_argv_free(v);
	return NULL;
}

void remote_argv_free(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}

/* --- what it says ----------------------------------------------------------------------------------------
 */

/* Printable, one line. */
static void keep(char *out, size_t size, const char *line)
{
	size_t n = 0;
	for (; *line && n + 1 < size; line++)
		if ((unsigned char)*line >= ' ' && *line != 0x7f)
			out[n++] = (unsigned char)*line < 0x80 ? *line : '?';
	out[n] = '\0';
}

void remote_complained(struct worker *w, const char *line)
{
	char text[sizeof w->said];
	keep(text, sizeof text, line);
	if (!text[strspn(text, " @")])
		return;
	memcpy(w->said, text, sizeof text);
	if (w->nsaid < REMOTE_COMPLAINTS_MAX)
		log_info("%s: %s", w->place->label, text);
	else if (w->nsaid == REMOTE_COMPLAINTS_MAX)
		log_info("%s: says more, which is left out", w->place->label);
	w->nsaid += w->nsaid <= REMOTE_COMPLAINTS_MAX;
}

bool remote_hello(struct worker *w, const cJSON *v, char *why, size_t size)
{
	struct place *p = w->place;
	int64_t version = json_int(v, "v", 0);
	keep(p->version, sizeof p->version, json_str(v, "version", "of an unknown version"));
	if (strcmp(json_str(v, "hello", ""), "prober") != 0)
		snprintf(why, size, "its first line is no hello of a prober");
	else if (version != 1)
		snprintf(why, size, "prober %s there speaks version %lld of the contract, %s here version 1",
			 p->version, (long long)version, MONITORD_VERSION);
	else {
		if (strcmp(p->version, MONITORD_VERSION) != 0)
			log_warn("%s: prober %s there, %s here", p->label, p->version, MONITORD_VERSION);
		w->hello_ms = w->beat_heard_ms = w->beat_sent_ms = clock_boot_ms();
		w->said[0] = '\0'; /* what was complained of on the way is no reason for what comes */
		return true;
	}
	return false;
}

void remote_beat_came(struct worker *w, const cJSON *v)
{
	if (json_int(v, "beat", 0) == w->beat && w->beat_heard_ms < w->beat_sent_ms)
		w->beat_heard_ms = clock_boot_ms();
	else
		remote_stray(w);
}

static void give_up(struct worker *w, const char *why)
{
	if (w->given_up[0])
		return;
	log_err("%s: %s: the connection is ended", w->place->label, why);
	snprintf(w->given_up, sizeof w->given_up, "%s", why);
	w->hello = false;
	coproc_kill(w->co);
}

void remote_stray(struct worker *w)
{
	if (++w->strays > REMOTE_STRAYS_MAX)
		give_up(w, "floods us with what nobody asked for");
}

void remote_tick(struct worker *w, int64_t now_ms)
{
	const struct conf_remote *r = &w->place->remote;
	char why[100], span[32];
	w->strays = 0;
	if (!w->up_ms || w->given_up[0])
		return;
	if (!w->hello) {
		if (now_ms - w->up_ms > (r->jump[0] ? 2 : 1) * r->connect_ms + r->limit_ms)
			give_up(w, "no prober said hello");
		return;
	}
	if (w->beat_heard_ms < w->beat_sent_ms && now_ms - w->beat_sent_ms > r->limit_ms) {
		snprintf(why, sizeof why, "does not answer for %s",
			 clock_span(now_ms - w->beat_sent_ms, span, sizeof span));
		give_up(w, why);
	} else if (w->beat_heard_ms >= w->beat_sent_ms && now_ms - w->beat_sent_ms >= r->beat_ms) {
		cJSON *v = cJSON_CreateObject();
		json_add_int(v, "beat", ++w->beat);
		w->beat_sent_ms = now_ms;
		coproc_send(w->co, v);
		cJSON_Delete(v);
	}
}

/* --- what is said of it ----------------------------------------------------------------------------------
 */

bool place_judge_remote(const struct place *p, int64_t now_ms, enum nag_state *state, char *text, size_t size)
{
	const struct conf_remote *r = &p->remote;
	const char *why = p->why[0] ? p->why : "no connection yet";
	bool same = strcmp(p->version, MONITORD_VERSION) == 0;
	*state = NAG_OK;
	if (!p->down_since_ms && p->now->beat_heard_ms <= p->now->hello_ms)
		return false; /* it said hello; whether it stays is not known before it answered once */
	if (p->down_since_ms && now_ms - p->down_since_ms >= r->delay_ms) {
		*state = NAG_CRITICAL;
		snprintf(text, size, "%s (%s) is not reached: %.300s", p->label, r->host, why);
	} else if (p->deaths[DEATHS - 1] && now_ms - p->deaths[DEATHS - 1] < DEATHS_WITHIN_MS) {
		*state = NAG_WARNING;
		snprintf(text, size, "%s (%s) was lost %d times within %d min; the last time it %.300s",
			 p->label, r->host, DEATHS, DEATHS_WITHIN_MS / 60000, why);
	} else if (p->down_since_ms) {
		return false;
	} else {
		snprintf(text, size, "%s (%s): prober %s runs there%s%s%s", p->label, r->host, p->version,
			 same ? "" : ", another version than this (", same ? "" : MONITORD_VERSION,
			 same ? "" : ")");
	}
	return true;
}
