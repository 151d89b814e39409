/*
 * Runs a foreign Nagios plugin; see plugin.h. The program itself is started and cleaned up by a guard process
 * (guard.h).
 */
#include "plugin.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard.h"
#include "lib/clock.h"
#include "lib/contract/plugin_out.h"
#include "nursery.h"

enum {
	OUT_MAX = 64 * 1024,
	ERR_MAX = 4096,
	FLOOD_MAX = 64 * 1024 * 1024, /* a program that writes that much has gone mad: killed */
	LOOK_MS = 250,		      /* how soon a cancel is seen */
	REAP_MS = 4500, /* how long the guard may need to kill everything; below RUNNER_STUCK_MS */
	ENV_MAX = 300
};

/* --- environment ------------------------------------------------------------------------------------- */

static bool is_configured(const struct opt_list *given, const char *assignment)
{
	size_t n = strcspn(assignment, "=") + 1;

	for (size_t i = 0; given && i < given->n; i++)
		if (strncmp(given->v[i], assignment, n) == 0)
			return true;
	return false;
}

/* tz: room for "TZ=...". */
static void build_env(const struct opt_list *given, char **env, char *tz, size_t size)
{
	char *path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *lang = "LANG=C";
	const char *zone = getenv("TZ");
	size_t n = 0;

	if (!is_configured(given, path))
		env[n++] = path;
	if (!is_configured(given, lang))
		env[n++] = lang;
	if (zone && !is_configured(given, "TZ=") && (size_t)snprintf(tz, size, "TZ=%s", zone) < size)
		env[n++] = tz;
	for (size_t i = 0; given && i < given->n; i++)
		env[n++] = given->v[i];
	env[n] = NULL;
}

/* --- the run ----------------------------------------------------------------------------------------- */

enum end { END_SAID, END_TIMEOUT, END_CANCELLED, END_FLOOD, END_LOST };

struct exec_run {
	struct probe_run *run;
	struct nursery_child child;
	struct buf out, err;
	size_t total; /* bytes read of both */
	size_t out_total;
	bool out_open, err_open, began, said;
	struct guard_message not_started, last;
};

/* Reads what is there into b; the rest beyond its maximum is counted and thrown away. False at the end. */
static bool drain(struct exec_run *x, int fd, struct buf *b, size_t *total)
{
	char chunk[16384];
	ssize_t n = read(fd, chunk, sizeof chunk);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	x->total += (size_t)n;
	if (total)
		*total += (size_t)n;
	buf_add_cut(b, chunk, (size_t)n);
	return true;
}

/* False when the guard is gone. */
static bool hear(struct exec_run *x)
{
	struct guard_message m;
	ssize_t n = recv(x->child.control, &m, sizeof m, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n != (ssize_t)sizeof m)
		return false;
	if (m.kind == GUARD_BEGAN) {
		x->began = true;
	} else if (m.kind == GUARD_NOT_STARTED) {
		x->not_started = m;
		x->not_started.step[sizeof m.step - 1] = '\0';
	} else {
		x->last = m;
		x->said = true;
	}
	return true;
}

/* One round of waiting, at most ms. False when the guard is gone without a word. */
static bool turn(struct exec_run *x, int64_t ms)
{
	struct pollfd p[3] = { { .fd = x->child.control, .events = POLLIN },
			       { .fd = x->out_open ? x->child.out : -1, .events = POLLIN },
			       { .fd = x->err_open ? x->child.err : -1, .events = POLLIN } };

	if (poll(p, 3, (int)ms) <= 0)
		return true;
	if (p[1].revents)
		x->out_open = drain(x, x->child.out, &x->out, &x->out_total);
	if (p[2].revents)
		x->err_open = drain(x, x->child.err, &x->err, NULL);
	return !p[0].revents || hear(x);
}

static bool over(const struct exec_run *x)
{
	return x->said || x->not_started.step[0];
}

static enum end follow(struct exec_run *x)
{
	while (!over(x)) {
		int64_t left = x->run->deadline - clock_boot_ms();
		if (left <= 0)
			return END_TIMEOUT;
		if (atomic_load(&x->run->cancelled))
			return END_CANCELLED;
		if (x->total > FLOOD_MAX)
			return END_FLOOD;
		if (!turn(x, left < LOOK_MS ? left : LOOK_MS))
			return over(x) ? END_SAID : END_LOST;
	}
	/* all writers are dead, so the ends of the pipes are near; unless one is blocked in the kernel */
	for (int i = 0; i < 20000 && (x->out_open || x->err_open); i++) {
		struct pollfd p[2] = { { .fd = x->out_open ? x->child.out : -1, .events = POLLIN },
				       { .fd = x->err_open ? x->child.err : -1, .events = POLLIN } };
		if (poll(p, 2, x->last.left ? 0 : 200) <= 0)
			break;
		if (p[0].revents)
			x->out_open = drain(x, x->child.out, &x->out, &x->out_total);
		if (p[1].revents)
			x->err_open = drain(x, x->child.err, &x->err, NULL);
	}
	return END_SAID;
}

/* Tells the guard to kill everything and waits until it did. */
static void stop(struct exec_run *x)
{
	int64_t until = clock_boot_ms() + REAP_MS, left;

	probe_at(x->run, "killing the plugin");
	send(x->child.control, "", 1, MSG_NOSIGNAL);
	while (!x->said && (left = until - clock_boot_ms()) > 0)
		if (!turn(x, left < LOOK_MS ? left : LOOK_MS))
			return;
}

/* --- what it means ----------------------------------------------------------------------------------- */

static void not_measured(struct result *r, const char *layer, const char *text)
{
	result_fail(r, NAG_UNKNOWN, layer, "%s", text);
	r->measured = false;
}

/* The first line a program wrote, of output or else of complaints; "" when none. */
static void first_words(const struct exec_run *x, char *out, size_t size)
{
	const struct buf *b = x->out.len > 0 ? &x->out : &x->err;
	const char *p = buf_str(b);

	p += strspn(p, " \t\r\n");
	snprintf(out, size, "%.*s", (int)strcspn(p, "\r\n"), p);
}

static void tell_not_started(struct exec_run *x, struct result *r, const char *program)
{
	const struct guard_message *m = &x->not_started;
	char text[512], where[40] = "";

	if (strcmp(m->step, "exec") != 0)
		snprintf(where, sizeof where, "%.15s: ", m->step);
	snprintf(text, sizeof text, "could not run: %s: %s%s", program, where, strerror(m->value));
	not_measured(r, "exec", text);
}

static void tell_exit(struct exec_run *x, struct result *r)
{
	char said[300], text[512];
	int code = x->last.value;

	if (x->last.kind == GUARD_EXITED && code <= NAG_UNKNOWN) {
		const struct buf *b = x->out.len > 0 ? &x->out : &x->err;
		r->state = (enum nag_state)code;
		plugin_out_parse(buf_str(b), b->len, r);
		if (r->text.len == 0)
			result_set(r, r->state, "the plugin said %s and nothing else", nag_name(r->state));
		else if (code == NAG_UNKNOWN && !strstr(buf_str(&r->text), "UNKNOWN")) {
			snprintf(text, sizeof text, "the plugin said UNKNOWN: %.450s", buf_str(&r->text));
			result_set(r, r->state, "%s", text);
		}
		return;
	}
	first_words(x, said, sizeof said);
	if (x->last.kind == GUARD_SIGNALLED)
		snprintf(text, sizeof text, "could not run: killed by signal %d (%s)%s%s", code,
			 strsignal(code), *said ? ": " : "", said);
	else
		snprintf(text, sizeof text, "could not run: exit %d%s%s%s", code,
			 code == 127   ? " (a command was not found)"
			 : code == 126 ? " (a command may not be executed)"
				       : "",
			 *said ? ": " : "", said);
	not_measured(r, "exec", text);
}

static void tell_end(struct exec_run *x, enum end end, const char *program, int64_t began)
{
	struct result *r = x->run->result;
	char text[512], said[300];

	switch (end) {
	case END_SAID:
		if (x->not_started.step[0])
			tell_not_started(x, r, program);
		else
			tell_exit(x, r);
		break;
	case END_TIMEOUT:
		snprintf(text, sizeof text, "plugin timed out after %.3g s and was killed: %.300s",
			 (double)(x->run->deadline - began) / 1e3, program);
		not_measured(r, "timeout", text);
		first_words(x, said, sizeof said);
		if (*said)
			result_more(r, "until then it had said: %s", said);
		break;
	case END_CANCELLED:
		not_measured(r, "cancelled", "nobody wanted the result any more; the plugin was killed");
		break;
	case END_FLOOD:
		not_measured(r, "exec", "could not run: the plugin wrote more than 64 MiB and was killed");
		break;
	case END_LOST:
		not_measured(r, "exec", "could not run: the process that guards the plugin was killed");
		break;
	}
	if (x->out_total > OUT_MAX)
		result_more(r, "(of %zu bytes of output only the first %d were kept)", x->out_total, OUT_MAX);
	if (x->said && x->last.left)
		result_more(
			r, "(something the plugin started is blocked in the kernel and could not be killed)");
}

/* Runs it; false: it could not even be asked for, which r says. */
static bool run_it(struct exec_run *x, char *const *argv, char *const *env, const char *directory, enum end *end)
{
	char why[256] = "";
	/* a nursery that dies with a request still unread takes it along: nothing ran, so it is asked for once more */
	for (int tries = 0;; tries++) {
		probe_at_name(x->run, "starting", argv[0]);
		if (!nursery_spawn(argv, env, directory, &x->child, why, sizeof why)) {
			char text[512];
			snprintf(text, sizeof text, "could not run: %s", why);
			not_measured(x->run->result, "exec", text);
			return false;
		}
		probe_at_name(x->run, "waiting for", argv[0]);
		x->out_open = x->err_open = true;
		*end = follow(x);
		if (*end != END_LOST || x->began || tries == 1)
			return true;
		nursery_child_close(&x->child);
	}
}

void plugin_run(struct probe_run *run, char *const *argv, const struct opt_list *given, const char *directory)
{
	char *env[ENV_MAX], tz[256];
	int64_t began = clock_boot_ms();
	struct exec_run x = { .run = run };
	enum end end = END_LOST;

	build_env(given, env, tz, sizeof tz);
	buf_init(&x.out, OUT_MAX);
	buf_init(&x.err, ERR_MAX);
	if (run_it(&x, argv, env, directory, &end)) {
		if (end != END_SAID && end != END_LOST)
			stop(&x);
		tell_end(&x, end, argv[0], began);
		run->child_cpu_ms = x.last.cpu_ms;
		nursery_child_close(&x.child);
	}
	buf_fini(&x.out);
	buf_fini(&x.err);
}
