/*
 * rate: who sends how much mail, in seconds: the early brake for a mail bomb. Reads what the policy service
 * counted (monitord-policy), by client address, account and local user; alerts on a rate that is too high, or
 * too high for that origin. What is usual is kept in the state.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"
#include "probes/rate/counts.h"
#include "probes/rate/fromlog.h"
#include "probes/rate/habit.h"

enum { READ_MS = 5000, COUNTS_MAX = 262144 };

struct rate_conf {
	char *socket, *log;
	bool journal;
	struct opt_list allow;
	struct range warn[POLICY_KINDS], crit[POLICY_KINDS], rcpt_warning, rcpt_critical, total_warning,
	    total_critical;
	double usual_warning, usual_critical, floor;
	int64_t learning_ms, window_ms;
};

#define AT(f) .offset = offsetof(struct rate_conf, f)
#define LIMIT(n, f, d, what)                                                                                 \
	{                                                                                                    \
		.name = n, .type = OPT_RANGE, AT(f), .dflt = d, .help = what                                 \
	}

static const struct opt rate_opts[] = {
    {.name = "socket",
     .type = OPT_PATH,
     AT(socket),
     .dflt = "/run/monitord-policy/counts.sock",
     .help = "where monitord-policy tells its counts"},
    {.name = "log",
     .type = OPT_PATH,
     AT(log),
     .help = "a mail log to count arrivals in, instead of the policy service"},
    {.name = "journal",
     .type = OPT_BOOL,
     AT(journal),
     .help = "the systemd journal's entries of the facility mail, instead of the policy service"},
    LIMIT("client_warning", warn[POLICY_CLIENT], "600",
	  "WARNING when the messages a minute of one client address are outside"),
    LIMIT("client_critical", crit[POLICY_CLIENT], "3000",
	  "CRITICAL when the messages a minute of one client address are outside"),
    LIMIT("sasl_warning", warn[POLICY_SASL], "60",
	  "WARNING when the messages a minute of one account are outside"),
    LIMIT("sasl_critical", crit[POLICY_SASL], "300",
	  "CRITICAL when the messages a minute of one account are outside"),
    LIMIT("uid_warning", warn[POLICY_UID], "60",
	  "WARNING when the messages a minute of one local user are outside"),
    LIMIT("uid_critical", crit[POLICY_UID], "300",
	  "CRITICAL when the messages a minute of one local user are outside"),
    LIMIT("recipients_warning", rcpt_warning, NULL,
	  "WARNING when the recipients a minute of any one origin are outside"),
    LIMIT("recipients_critical", rcpt_critical, NULL,
	  "CRITICAL when the recipients a minute of any one origin are outside"),
    LIMIT("total_warning", total_warning, NULL,
	  "WARNING when all messages of the last minute are outside (1: finds silence too)"),
    LIMIT("total_critical", total_critical, NULL,
	  "CRITICAL when all messages of the last minute are outside"),
    {.name = "usual_warning",
     .type = OPT_NUMBER,
     AT(usual_warning),
     .dflt = "10",
     .min = 0,
     .max = 1e6,
     .help = "WARNING when an origin sends so many times what is usual for it; 0: never"},
    {.name = "usual_critical",
     .type = OPT_NUMBER,
     AT(usual_critical),
     .dflt = "0",
     .min = 0,
     .max = 1e6,
     .help = "CRITICAL when an origin sends so many times what is usual for it; 0: never"},
    {.name = "usual_floor",
     .type = OPT_NUMBER,
     AT(floor),
     .dflt = "60",
     .min = 0,
     .max = 1e6,
     .help = "up to so many messages a minute are always usual"},
    {.name = "learning",
     .type = OPT_DURATION,
     AT(learning_ms),
     .dflt = "1d",
     .min = 0,
     .max = 30 * 86400e3,
     .help = "what is usual is not judged so long after the first run"},
    {.name = "usual_window",
     .type = OPT_DURATION,
     AT(window_ms),
     .dflt = "1d",
     .min = 60e3,
     .max = 30 * 86400e3,
     .help = "over how long what is usual is told"},
    {.name = "allow",
     .type = OPT_LIST,
     AT(allow),
     .unit = "ADDRESS|ADDRESS/BITS|ACCOUNT",
     .help = "counted and not judged: the newsletter host, the list server"},
    {0},
};

struct rate_run {
	struct probe_run *run;
	const struct rate_conf *conf;
	struct rate_counts counts;
	struct habits usual;
	struct rate_log log;
	bool from_log;
	double weight;
	bool judge_usual;
	enum nag_state worst;
	struct buf wrong;
};

static bool fail(struct probe_run *run, const char *layer, const char *what)
{
	const struct rate_conf *c = run->conf;

	result_fail(run->result, NAG_UNKNOWN, layer, "the policy service at %s %s", c->socket, what);
	run->result->measured = false;
	return false;
}

/* All that comes until the end; false: said. */
static bool slurp(struct probe_run *run, int fd, int64_t until, struct buf *out)
{
	char data[16384];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - clock_boot_ms();
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return fail(run, "timeout", "does not answer");
		ssize_t n = recv(fd, data, sizeof data, MSG_DONTWAIT);
		if (n == 0)
			return true;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(run, "answer", strerror(errno));
		if (n > 0 && !buf_add(out, data, (size_t)n))
			return fail(run, "answer", "says more than a policy service would");
	}
}

static bool ask(struct probe_run *run, struct buf *out)
{
	const struct rate_conf *c = run->conf;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int64_t until = clock_boot_ms() + READ_MS;

	if (strlen(c->socket) >= sizeof sa.sun_path)
		return fail(run, "config", "has a path that is too long");
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", c->socket);
	probe_at_name(run, "connect", c->socket);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
		char why[120];
		snprintf(why, sizeof why, "cannot be reached: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return fail(run, "refused", why);
	}
	bool ok = slurp(run, fd, until < run->deadline ? until : run->deadline, out);
	close(fd);
	return ok;
}

static void wrong(struct rate_run *r, enum nag_state s, const char *text)
{
	r->worst = nag_worse(r->worst, s);
	if (s != NAG_OK)
		buf_printf(&r->wrong, "%s%s", r->wrong.len ? "; " : "", text);
}

static enum nag_state judge_usual(const struct rate_run *r, double rate, double usual)
{
	const struct rate_conf *c = r->conf;

	if (!r->judge_usual || rate <= c->floor)
		return NAG_OK;
	if (c->usual_critical > 0 && rate > usual * c->usual_critical)
		return NAG_CRITICAL;
	return c->usual_warning > 0 && rate > usual * c->usual_warning ? NAG_WARNING : NAG_OK;
}

static void judge_one(struct rate_run *r, int kind, const struct rate_origin *o)
{
	const struct rate_conf *c = r->conf;
	char name[HABIT_NAME_MAX], text[400];
	double rate = rate_per_minute(o);

	snprintf(name, sizeof name, "%s %s", policy_kinds[kind], o->name);
	double usual = habit_of(&r->usual, name),
	       most = usual * (c->usual_warning > 0 ? c->usual_warning : 10);
	most = most > c->floor ? most : c->floor;
	habit_learn(&r->usual, name, rate < most ? rate : most, r->weight);
	if (rate_listed(&c->allow, o->name))
		return;
	snprintf(text, sizeof text, "%s sends %.0f messages a minute", name, rate);
	enum nag_state s = nag_judge(rate, &c->warn[kind], &c->crit[kind]);
	enum nag_state u = judge_usual(r, rate, usual);
	if (u != NAG_OK && nag_worse(s, u) == u)
		snprintf(text, sizeof text, "%s sends %.0f messages a minute, usual are %.2g", name, rate,
			 usual);
	wrong(r, nag_worse(s, u), text);
	snprintf(text, sizeof text, "%s sends to %.0f recipients a minute", name, o->r60);
	wrong(r, nag_judge(o->r60, &c->rcpt_warning, &c->rcpt_critical), text);
}

/* The busiest that is not allowed for: what a diagnosis wants to hear of. */
static void facts(struct rate_run *r, int kind)
{
	struct result *res = r->run->result;
	const struct rate_origin *top = NULL;
	char name[FACT_NAME_MAX];

	for (size_t i = 0; i < r->counts.n[kind]; i++)
		if (!rate_listed(&r->conf->allow, r->counts.v[kind][i].name) &&
		    (!top || rate_per_minute(&r->counts.v[kind][i]) > rate_per_minute(top)))
			top = &r->counts.v[kind][i];
	if (!top)
		return;
	snprintf(name, sizeof name, "top_%s", policy_kinds[kind]);
	result_fact_text(res, name, top->name);
	snprintf(name, sizeof name, "top_%s_per_min", policy_kinds[kind]);
	result_fact(res, name, rate_per_minute(top));
	result_perf(res, name, rate_per_minute(top), "", &r->conf->warn[kind], &r->conf->crit[kind]);
	snprintf(name, sizeof name, "top_%s_share", policy_kinds[kind]);
	if (r->counts.s60 > 0)
		result_fact(res, name, top->s60 / r->counts.s60);
	if (kind == POLICY_SASL)
		result_fact(res, "top_sasl_clients", top->peers);
	if (r->from_log)
		result_more(res, "%s: %s %.0f a minute", policy_kinds[kind], top->name, rate_per_minute(top));
	else
		result_more(res, "%s: %s %.0f a minute (%.0f recipients)", policy_kinds[kind], top->name,
			    rate_per_minute(top), top->r60);
}

static const char *over(const struct rate_run *r)
{
	return r->from_log ? "a minute" : "in the last minute";
}

static const char *in_all(const struct rate_run *r, char *text, size_t size)
{
	const struct log_tail *t = &r->log.tail;

	if (!r->from_log)
		snprintf(text, size, "%.0f messages to %.0f recipients in the last minute", r->counts.s60,
			 r->counts.r60);
	else if (r->log.first)
		snprintf(text, size, "counting begins at the end of %s", log_from_name(&r->log.from));
	else
		snprintf(text, size, "%.0f messages a minute%s", r->counts.s60,
			 t->absent ? "; there is no log now"
			 : t->lost ? "; part of the log is gone unread"
			 : t->late ? "; not read to its end in time"
				   : "");
	return text;
}

static void judge(struct rate_run *r)
{
	struct result *res = r->run->result;
	char text[400];
	double total = r->counts.s60;

	for (int k = 0; k < POLICY_KINDS && !r->log.first; k++)
		for (size_t i = 0; i < r->counts.n[k]; i++)
			judge_one(r, k, &r->counts.v[k][i]);
	snprintf(text, sizeof text, "%.0f messages in all %s", total, over(r));
	if (!r->log.first)
		wrong(r, nag_judge(total, &r->conf->total_warning, &r->conf->total_critical), text);
	result_set(res, r->worst, "%s%s%s", buf_str(&r->wrong), r->wrong.len ? "; " : "",
		   in_all(r, text, sizeof text));
	result_perf(res, "messages", total, "", &r->conf->total_warning, &r->conf->total_critical);
	result_fact(res, "received_per_min", total);
	if (!r->from_log) {
		result_perf(res, "recipients", r->counts.r60, "", NULL, NULL);
		result_fact(res, "recipients_per_min", r->counts.r60);
	}
	for (int k = 0; k < POLICY_KINDS; k++)
		facts(r, k);
}

static void with_counts(struct rate_run *r)
{
	struct stamp now = clock_stamp();

	habit_load(&r->usual, r->run->state, r->run->state_len);
	if (!r->usual.known)
		r->usual.since = now;
	r->judge_usual = r->usual.known && clock_age_ms(&r->usual.since, &now) >= r->conf->learning_ms;
	r->weight = r->usual.known ? habit_weight(clock_age_ms(&r->usual.at, &now), r->conf->window_ms) : 0;
	buf_init(&r->wrong, RESULT_TEXT_MAX - 100);
	judge(r);
	buf_fini(&r->wrong);
	habit_end(&r->usual, r->weight);
	r->usual.at = now;
	habit_save(&r->usual, &r->run->newstate);
	if (r->from_log)
		log_state_save(&r->log.state, &r->run->newstate, log_from_name(&r->log.from));
}

static void count_service(struct rate_run *r)
{
	struct buf line;

	buf_init(&line, COUNTS_MAX);
	if (ask(r->run, &line)) {
		if (rate_parse(buf_str(&line), line.len, &r->counts))
			with_counts(r);
		else
			fail(r->run, "answer", "says what no policy service would");
	}
	buf_fini(&line);
}

/* The state's second line is the place in the log. */
static void count_log(struct rate_run *r)
{
	static const struct opt_list none;
	struct probe_run *run = r->run;
	const char *line = run->state_len ? memchr(run->state, '\n', run->state_len) : NULL;
	int64_t deadline = clock_boot_ms() + READ_MS;
	char why[400];

	r->from_log = true;
	r->log.from = (struct log_from){
	    .path = r->conf->log, .journal = r->conf->journal, .units = &none, .identifiers = &none};
	if (line)
		log_state_load(&r->log.state, line + 1, run->state_len - (size_t)(line + 1 - run->state),
			       log_from_name(&r->log.from));
	if (deadline > run->deadline - 500)
		deadline = run->deadline - 500;
	probe_at_name(run, "read", log_from_name(&r->log.from));
	if (rate_from_log(&r->log, deadline, &r->counts, why, sizeof why)) {
		with_counts(r);
		return;
	}
	result_fail(run->result, NAG_UNKNOWN, "read", "%s", why);
	run->result->measured = false;
}

static void rate_run(struct probe_run *run)
{
	struct rate_run *r = calloc(1, sizeof *r);

	if (!r) {
		result_fail(run->result, NAG_UNKNOWN, "memory", "out of memory");
		run->result->measured = false;
		return;
	}
	r->run = run;
	r->conf = run->conf;
	if (r->conf->log || r->conf->journal)
		count_log(r);
	else
		count_service(r);
	free(r);
}

const struct probe probe_rate = {
    .name = "rate",
    .help = "who sends how much mail, in seconds: client addresses, accounts, local users, as the policy "
	    "service counts them",
    .place = PROBE_LOCAL,
    .opts = rate_opts,
    .conf_size = sizeof(struct rate_conf),
    .run = rate_run,
};
