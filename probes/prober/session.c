/*
 * The prober's connections: contract 1, spoken. Called by serve.c for input and by
 * the runner's threads for output. A line that cannot be understood is answered if it
 * named a job, and logged.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "runner.h"

/* Pipes and sockets only: a terminal's or a file's flags are shared with whoever else has it open. */
static void make_nonblocking(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

struct session *session_new(int in, int out, int wake, unsigned places, struct runner *runner)
{
	struct session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->in = in;
	s->out = out;
	s->wake = wake;
	s->places = places;
	s->runner = runner;
	s->heard_ms = clock_boot_ms();
	buf_init(&s->line, REQUEST_LINE_MAX);
	buf_init(&s->outbox, SESSION_OUTBOX_MAX);
	pthread_mutex_init(&s->lock, NULL);
	make_nonblocking(in);
	make_nonblocking(out);
	return s;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	if (s->in > 2)
		close(s->in);
	if (s->out > 2 && s->out != s->in)
		close(s->out);
	buf_fini(&s->line);
	buf_fini(&s->outbox);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void wake(struct session *s)
{
	uint64_t one = 1;
	ssize_t n = write(s->wake, &one, sizeof one);

	(void)n; /* full means that it is awake already */
}

/* --- output ----------------------------------------------------------------------------------------- */

/* Bytes taken; marks the session dead when the other side is gone. */
static size_t try_write(struct session *s, const char *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(s->out, p + done, len - done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else {
			if (n < 0 && errno != EAGAIN)
				atomic_store(&s->dead, true);
			break;
		}
	}
	return done;
}

static void send_bytes(struct session *s, const char *p, size_t len)
{
	bool look = false;

	pthread_mutex_lock(&s->lock);
	if (!atomic_load(&s->dead)) {
		size_t done = s->outbox.len == 0 ? try_write(s, p, len) : 0;
		if (done < len && !buf_add(&s->outbox, p + done, len - done)) {
			log_err("the other side leaves more than 8 MiB unread: cut off");
			atomic_store(&s->dead, true);
		}
		look = done < len;
	}
	pthread_mutex_unlock(&s->lock);
	if (look)
		wake(s);
}

/* Takes ownership of v. False when it would be longer than a line may be. */
static bool send_json(struct session *s, cJSON *v)
{
	struct buf line;

	buf_init(&line, REQUEST_LINE_MAX);
	bool ok = v && json_line(v, &line);
	if (ok)
		send_bytes(s, line.data, line.len);
	buf_fini(&line);
	cJSON_Delete(v);
	return ok;
}

void session_flush(struct session *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->outbox.len > 0 && !atomic_load(&s->dead))
		buf_drop(&s->outbox, try_write(s, s->outbox.data, s->outbox.len));
	if (s->outbox.len == 0 && s->outbox.cap > 64 * 1024)
		buf_fini(&s->outbox), buf_init(&s->outbox, SESSION_OUTBOX_MAX);
	pthread_mutex_unlock(&s->lock);
}

bool session_has_output(struct session *s)
{
	pthread_mutex_lock(&s->lock);
	bool has = s->outbox.len > 0;
	pthread_mutex_unlock(&s->lock);
	return has;
}

void session_hello(struct session *s, size_t threads)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddNumberToObject(o, "v", 1);
	cJSON_AddStringToObject(o, "hello", "prober");
	cJSON_AddStringToObject(o, "place",
				s->places == PLACES_NET	    ? "net"
				: s->places == PLACES_LOCAL ? "local"
							    : "all");
	cJSON_AddStringToObject(o, "version", MONITORD_VERSION);
	json_add_int(o, "pid", getpid());
	json_add_int(o, "threads", (int64_t)threads);
	send_json(s, o);
}

static double round3(double ms)
{
	return (double)(int64_t)(ms * 1000 + 0.5) / 1000;
}

static bool put_string(struct buf *line, const char *name, const char *value)
{
	return buf_puts(line, name) && json_put_string(line, value);
}

static bool put_ms(struct buf *line, const char *name, double ms)
{
	return buf_puts(line, name) && json_put_number(line, round3(ms));
}

/* Written without a tree: this is what the prober says most. */
static bool write_done(struct buf *line, const struct runner_done *d, bool with_state)
{
	return put_string(line, "{\"done\":", d->id) && buf_puts(line, ",") && result_write(d->result, line) &&
	       (!with_state || put_string(line, ",\"state_blob\":", d->state)) &&
	       put_ms(line, ",\"run_ms\":", d->run_ms) && put_ms(line, ",\"cpu_ms\":", d->cpu_ms) &&
	       buf_puts(line, "}\n");
}

static void on_done(void *session, const struct runner_done *d)
{
	struct session *s = session;
	bool with_state = d->state_len > 0;
	struct buf line;

	buf_init(&line, REQUEST_LINE_MAX);
	for (int attempt = 0; attempt < 2; attempt++, with_state = false) {
		buf_reset(&line);
		if (write_done(&line, d, with_state)) {
			send_bytes(s, line.data, line.len);
			break;
		}
		log_err("job %s: the new state does not fit into a line and is lost", d->id);
	}
	buf_fini(&line);
}

static bool on_store(void *session, const char *id, const char *state, size_t len)
{
	struct session *s = session;

	if (atomic_load(&s->dead) || len != strlen(state))
		return false;
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "store", id);
	cJSON_AddStringToObject(o, "state", state);
	return send_json(s, o);
}

static void on_retire(void *session, const char *why)
{
	struct session *s = session;
	cJSON *o = cJSON_CreateObject();

	cJSON_AddBoolToObject(o, "retire", true);
	cJSON_AddStringToObject(o, "why", why);
	send_json(s, o);
	atomic_store(&s->retired, true);
	session_tell_release(s); /* it is held here: the release wakes, or one after it */
}

static void on_hold(void *session)
{
	struct session *s = session;
	atomic_fetch_add(&s->held, 1);
}

static void on_released(void *session)
{
	struct session *s = session;
	/* after the decrement the session may be freed by the serving thread: nothing of it may be used */
	int fd = s->wake;
	bool last = atomic_fetch_sub(&s->held, 1) == (SESSION_ENDING | 1);
	uint64_t one = 1;
	ssize_t n = last ? write(fd, &one, sizeof one) : 0;

	(void)n;
}

/* From a signal handler: no lock, no memory. A line that another thread was in the middle of is broken by it; the connection ends
 * anyway. */
static void on_crashed(void *session, const char *id, int signal)
{
	const struct session *s = session;
	char line[64] = "{\"culprit\":\"";
	size_t n = strlen(line), len = strlen(id);
	if (len > 24 || strspn(id, "abcdefghijklmnopqrstuvwxyz-0123456789") != len)
		return;
	memcpy(line + n, id, len);
	n += len;
	memcpy(line + n, "\",\"signal\":", 11);
	n += 11;
	line[n++] = (char)('0' + signal / 10 % 10);
	line[n++] = (char)('0' + signal % 10);
	line[n++] = '}';
	line[n++] = '\n';
	ssize_t written = write(s->out, line, n);
	(void)written;
}

const struct runner_calls session_calls = {
	.done = on_done, .crashed = on_crashed, .store = on_store, .retire = on_retire, .hold = on_hold, .released = on_released,
};

/* --- input ------------------------------------------------------------------------------------------ */

static void refuse(struct session *s, const char *id, const char *why)
{
	struct result r;

	result_init(&r);
	result_fail(&r, NAG_UNKNOWN, "job", "the prober cannot run this: %s", why);
	r.measured = false;
	on_done(s, &(struct runner_done){ .id = id, .result = &r, .state = "" });
	result_fini(&r);
}

static bool is_left_out(const struct session *s, const char *probe)
{
	for (size_t i = 0; s->without && i < s->without->n; i++)
		if (strcmp(s->without->v[i], probe) == 0)
			return true;
	return false;
}

static void answer_beat(struct session *s, int64_t number)
{
	cJSON *o = cJSON_CreateObject();
	json_add_int(o, "beat", number);
	send_json(s, o);
}

static void take_line(struct session *s, const char *line, size_t len)
{
	struct request q;
	char why[512];

	if (len == 0)
		return;
	if (!request_parse(&q, line, len, s->places, why, sizeof why)) {
		log_err("%s%s%s", q.id, *q.id ? ": " : "a line that is no job: ", why);
		if (*q.id)
			refuse(s, q.id, why);
	} else if (q.kind == REQUEST_RUN && is_left_out(s, q.probe->name)) {
		refuse(s, q.id, "this host does not allow that probe (--without)");
		request_fini(&q);
	} else if (q.kind == REQUEST_RUN) {
		runner_submit(s->runner, s, &q);
	} else if (q.kind == REQUEST_STORED) {
		runner_stored(s->runner, s, q.id, q.ok);
	} else if (q.kind == REQUEST_BEAT) {
		answer_beat(s, q.beat);
	} else {
		runner_cancel(s->runner, s, q.id);
	}
}

/* Splits what came into lines; the rest waits in s->line. */
static void take_bytes(struct session *s, const char *p, size_t n)
{
	while (n > 0) {
		const char *end = memchr(p, '\n', n);
		size_t len = end ? (size_t)(end - p) : n;
		if (s->skipping) {
			s->skipping = !end;
		} else if (end && s->line.len == 0) {
			take_line(s, p, len);
		} else if (!buf_add(&s->line, p, len)) {
			log_err("a line of more than %d bytes: left out", REQUEST_LINE_MAX);
			s->skipping = !end;
			buf_reset(&s->line);
		} else if (end) {
			take_line(s, s->line.data, s->line.len);
			buf_reset(&s->line);
		}
		p += len + (end != NULL);
		n -= len + (end != NULL);
	}
}

void session_read(struct session *s)
{
	char chunk[16384];
	ssize_t n = read(s->in, chunk, sizeof chunk);

	if (n > 0) {
		s->heard_ms = clock_boot_ms();
		take_bytes(s, chunk, (size_t)n);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (s->line.len > 0)
		log_err("the input ended within a line");
	s->eof = true;
	session_tell_release(s);
	runner_no_answers(s->runner, s);
}

void session_tell_release(struct session *s)
{
	atomic_fetch_or(&s->held, SESSION_ENDING);
}

bool session_is_held(struct session *s)
{
	return (atomic_load(&s->held) & ~SESSION_ENDING) > 0;
}

bool session_over(struct session *s)
{
	if (atomic_load(&s->dead) && !s->forgotten) {
		s->forgotten = true;
		s->eof = true;
		session_tell_release(s);
		runner_forget(s->runner, s);
	}
	return s->eof && !session_is_held(s) && (atomic_load(&s->dead) || !session_has_output(s));
}
