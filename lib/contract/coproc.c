/*
 * A child (or a socket's other end) that speaks JSON lines; see coproc.h. Everything read from it is
 * gossip: a line too long or not JSON ends it.
 */
#include "coproc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { OUT_MAX = 4 << 20, ERR_LINE_MAX = 1024, DELAY_MIN_MS = 1000, DELAY_MAX_MS = 60000, LAST_WORDS_MS = 50, LAST_READS = 128 };

struct coproc {
	struct event_base *base;
	char *name;
	char **argv, **env; /* NULL when connected by socket */
	char *path;
	size_t max_line;
	struct coproc_calls calls;
	void *arg;
	pid_t pid; /* -1: none */
	struct bufferevent *in, *out, *err; /* out may be the same as in (socket) */
	struct loop_timer *timer; /* the next start, or the grace before a kill */
	struct loop_timer *reaper;
	int pidfd; /* readable when the child has exited, even if a grandchild keeps its pipes open; -1: none */
	struct loop_fd *exit;
	int64_t delay_ms;
	int64_t steady_ms, since_ms; /* far: up for so long is well; up since */
	bool up, good, stopping, in_call, free_me;
};

static void start(void *arg);
static void ended(struct coproc *c, const char *why);

static void close_streams(struct coproc *c)
{
	if (c->out && c->out != c->in)
		bufferevent_free(c->out);
	if (c->in)
		bufferevent_free(c->in);
	if (c->err)
		bufferevent_free(c->err);
	c->in = c->out = c->err = NULL;
	loop_fd_free(c->exit);
	c->exit = NULL;
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
}

static void really_free(struct coproc *c)
{
	loop_timer_free(c->timer);
	loop_timer_free(c->reaper);
	close_streams(c);
	child_list_free(c->argv);
	child_list_free(c->env);
	free(c->path);
	free(c->name);
	free(c);
}

/* Runs a call back; true when the coproc was freed by it. */
#define CALL(c, f, ...)                                   \
	do {                                              \
		(c)->in_call = true;                      \
		if ((c)->calls.f)                         \
			(c)->calls.f((c)->arg, __VA_ARGS__); \
		(c)->in_call = false;                     \
	} while (0)

/* A line that came; false when the connection is over (or c is gone). */
static bool take_line(struct coproc *c, const char *text, size_t len)
{
	const char *why = NULL;
	cJSON *v = json_parse(text, len, c->max_line, &why);
	if (!cJSON_IsObject(v)) {
		char reason[256];
		snprintf(reason, sizeof reason, "spoke nonsense (%s): %.80s", why ? why : "not an object", text);
		cJSON_Delete(v);
		ended(c, reason);
		return false;
	}
	c->good = true;
	if (!c->steady_ms)
		c->delay_ms = DELAY_MIN_MS;
	CALL(c, line, c, v);
	cJSON_Delete(v);
	if (c->free_me) {
		really_free(c);
		return false;
	}
	return c->in != NULL;
}

static void on_read(struct bufferevent *b, void *arg)
{
	struct coproc *c = arg;
	struct evbuffer *input = bufferevent_get_input(b);
	size_t len;
	char *line;
	while ((line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF))) {
		bool go_on = take_line(c, line, len);
		free(line);
		if (!go_on)
			return;
	}
	if (evbuffer_get_length(input) > c->max_line)
		ended(c, "spoke nonsense (a line longer than allowed)");
}

static void complain(struct coproc *c, char *line, size_t len)
{
	if (len > ERR_LINE_MAX)
		line[ERR_LINE_MAX] = '\0';
	if (c->calls.complained)
		c->calls.complained(c->arg, c, line);
	else
		log_info("%s: %s", c->name, line);
}

static void on_err(struct bufferevent *b, void *arg)
{
	struct coproc *c = arg;
	struct evbuffer *input = bufferevent_get_input(b);
	size_t len;
	char *line;
	while ((line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF))) {
		complain(c, line, len);
		free(line);
	}
	while (evbuffer_get_length(input) > ERR_LINE_MAX) {
		char text[ERR_LINE_MAX + 1];
		int n = evbuffer_remove(input, text, ERR_LINE_MAX);
		text[n > 0 ? n : 0] = '\0';
		complain(c, text, 0);
	}
}

/* What a child wrote just before its end says why it ended. */
struct last_words {
	int fd;	    /* its complaints, to be read to their end; -1: nobody listens */
	size_t len; /* of a line whose beginning was read */
	bool cut;   /* the beginning of the text is not that of a line */
	char text[2 * ERR_LINE_MAX + 1];
};

static void last_words_begin(struct coproc *c, struct last_words *w)
{
	w->fd = -1;
	w->len = 0;
	w->cut = false;
	if (!c->err || !c->calls.complained)
		return;
	on_err(c->err, c);
	int n = evbuffer_remove(bufferevent_get_input(c->err), w->text, ERR_LINE_MAX);
	w->len = n > 0 ? (size_t)n : 0;
	w->fd = fcntl(bufferevent_getfd(c->err), F_DUPFD_CLOEXEC, 3);
}

/* Of a long complaint only the end is kept. No more is read than a pipe holds. */
static void last_words_read(struct last_words *w)
{
	ssize_t n;
	for (int i = 0; i < LAST_READS && (n = read(w->fd, w->text + w->len, ERR_LINE_MAX)) > 0; i++) {
		w->len += (size_t)n;
		if (w->len <= ERR_LINE_MAX)
			continue;
		memmove(w->text, w->text + w->len - ERR_LINE_MAX, ERR_LINE_MAX);
		w->len = ERR_LINE_MAX;
		w->cut = true;
	}
	w->text[w->len] = '\0';
	close(w->fd);
}

static void last_words_say(struct coproc *c, struct last_words *w)
{
	char *line = w->text, *end;
	if (w->fd < 0)
		return;
	last_words_read(w);
	if (w->cut && (end = strchr(line, '\n')) && end[1])
		line = end + 1;
	for (; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		complain(c, line, 0);
	}
}

static void on_event(struct bufferevent *b, short what, void *arg)
{
	struct coproc *c = arg;
	if (b == c->err) {
		bufferevent_disable(b, EV_READ);
		return;
	}
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		ended(c, NULL);
}

static struct bufferevent *stream(struct coproc *c, int fd, short mode, bufferevent_data_cb read)
{
	int flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	struct bufferevent *b = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!b) {
		close(fd);
		return NULL;
	}
	bufferevent_setcb(b, read, NULL, on_event, c);
	bufferevent_setwatermark(b, EV_READ, 0, c->max_line + 4096);
	bufferevent_disable(b, EV_READ | EV_WRITE);
	bufferevent_enable(b, mode);
	return b;
}

/* Up to a quarter of the delay, either way. */
static int64_t by_chance(const struct coproc *c)
{
	uint32_t r = 0;
	if (!c->steady_ms || getrandom(&r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r)
		return 0;
	return (int64_t)(r % (uint32_t)(c->delay_ms / 2)) - c->delay_ms / 4;
}

static void restart_later(struct coproc *c)
{
	if (c->stopping)
		return;
	if (c->steady_ms && c->since_ms && clock_boot_ms() - c->since_ms >= c->steady_ms)
		c->delay_ms = DELAY_MIN_MS;
	loop_timer_in(c->timer, c->delay_ms + by_chance(c));
	c->delay_ms = c->delay_ms * 2 > DELAY_MAX_MS ? DELAY_MAX_MS : c->delay_ms * 2;
}

/* The last act of a child: its group is killed, it is reaped, down() is told. */
static void ended(struct coproc *c, const char *why)
{
	char text[256];
	int status = 0;
	bool was_up = c->up;
	struct last_words words;
	last_words_begin(c, &words);
	close_streams(c);
	loop_timer_off(c->timer);
	loop_timer_off(c->reaper);
	c->up = false;
	if (c->pid > 0) {
		/* the end of its output usually comes just before its exit: give the status a moment, then insist */
		pid_t got = 0;
		for (int i = 0; i < 50 && !why && (got = waitpid(c->pid, &status, WNOHANG)) == 0; i++)
			usleep(1000);
		kill(-c->pid, SIGKILL);
		if (!why && got == 0 && c->steady_ms)
			why = "the connection ended";
		if (got == 0)
			got = child_reap_killed(c->pid, &status);
		if (!why)
			why = got == c->pid ? child_end_text(status, text, sizeof text) : "ended";
		c->pid = -1;
	}
	last_words_say(c, &words);
	if (!why)
		why = "the connection ended";
	if (was_up)
		CALL(c, down, c, why);
	if (c->free_me)
		really_free(c);
	else
		restart_later(c);
}

/* The child exited: what it said last is read first, then it is over. */
static void child_exited(void *arg)
{
	struct coproc *c = arg;
	loop_fd_free(c->exit);
	c->exit = NULL;
	loop_timer_in(c->reaper, LAST_WORDS_MS);
}

static bool start_child(struct coproc *c)
{
	int ends[3];
	c->pid = child_start(c->argv, c->env, ends);
	if (c->pid < 0)
		return false;
	c->out = stream(c, ends[0], EV_WRITE, NULL);
	c->in = stream(c, ends[1], EV_READ, on_read);
	c->err = stream(c, ends[2], EV_READ, on_err);
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd >= 0)
		c->exit = loop_fd_new(c->base, c->pidfd, child_exited, c);
	return c->in && c->out && c->err;
}

static bool start_socket(struct coproc *c)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (strlen(c->path) >= sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(a.sun_path, c->path, strlen(c->path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		int e = errno;
		close(fd);
		errno = e;
		return false;
	}
	c->in = c->out = stream(c, fd, EV_READ | EV_WRITE, on_read);
	return c->in != NULL;
}

static void start(void *arg)
{
	struct coproc *c = arg;
	if (c->up) { /* the grace of coproc_stop is over */
		ended(c, "did not finish in time, killed");
		return;
	}
	bool ok = c->argv ? start_child(c) : start_socket(c);
	if (!ok) {
		char why[256];
		snprintf(why, sizeof why, "cannot %s %s: %s", c->argv ? "run" : "connect to",
			 c->argv ? c->argv[0] : c->path, strerror(errno));
		c->up = true; /* so that ended() tells */
		ended(c, why);
		return;
	}
	c->up = true;
	c->since_ms = clock_boot_ms();
	c->good = false;
	CALL(c, up, c);
	if (c->free_me) {
		if (c->pid > 0) {
			kill(-c->pid, SIGKILL);
			child_reap_killed(c->pid, NULL);
		}
		really_free(c);
	}
}

/* The child was killed, or exited while something it started keeps its pipes open. */
static void reap(void *arg)
{
	struct coproc *c = arg;
	if (c->up)
		ended(c, NULL);
}

static struct coproc *make(struct event_base *base, const char *name, size_t max_line, const struct coproc_calls *calls,
			   void *arg)
{
	struct coproc *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	*c = (struct coproc){ .base = base, .name = strdup(name), .max_line = max_line, .calls = *calls, .arg = arg,
			      .pid = -1,    .pidfd = -1, .delay_ms = DELAY_MIN_MS };
	c->timer = loop_timer_new(base, start, c);
	c->reaper = loop_timer_new(base, reap, c);
	if (!c->name || !c->timer || !c->reaper) {
		really_free(c);
		return NULL;
	}
	return c;
}

struct coproc *coproc_new(struct event_base *base, const char *name, char *const *argv, char *const *env, size_t max_line,
			  const struct coproc_calls *calls, void *arg)
{
	struct coproc *c = make(base, name, max_line, calls, arg);
	if (!c)
		return NULL;
	c->argv = child_list(argv);
	c->env = env ? child_list(env) : child_env();
	loop_timer_in(c->timer, 0);
	return c;
}

struct coproc *coproc_connect(struct event_base *base, const char *name, const char *path, size_t max_line,
			      const struct coproc_calls *calls, void *arg)
{
	struct coproc *c = make(base, name, max_line, calls, arg);
	if (!c)
		return NULL;
	c->path = strdup(path);
	loop_timer_in(c->timer, 0);
	return c;
}

bool coproc_send(struct coproc *c, const cJSON *v)
{
	if (!c->up || !c->out)
		return false;
	struct evbuffer *output = bufferevent_get_output(c->out);
	if (evbuffer_get_length(output) > OUT_MAX)
		return false;
	struct buf line;
	buf_init(&line, c->max_line);
	bool ok = json_line(v, &line) && bufferevent_write(c->out, line.data, line.len) == 0;
	buf_fini(&line);
	return ok;
}

void coproc_is_far(struct coproc *c, int64_t steady_ms)
{
	c->steady_ms = steady_ms;
}

bool coproc_is_up(const struct coproc *c)
{
	return c->up;
}

pid_t coproc_pid(const struct coproc *c)
{
	return c->pid;
}

static void out_drained(struct bufferevent *b, void *arg)
{
	struct coproc *c = arg;
	if (c->stopping && c->out == b && c->out != c->in && evbuffer_get_length(bufferevent_get_output(b)) == 0) {
		bufferevent_free(c->out);
		c->out = NULL;
	}
}

void coproc_stop(struct coproc *c, int64_t grace_ms)
{
	c->stopping = true;
	if (!c->up) {
		loop_timer_off(c->timer);
		return;
	}
	if (c->out && c->out == c->in) {
		shutdown(bufferevent_getfd(c->out), SHUT_WR);
	} else if (c->out) {
		bufferevent_setcb(c->out, NULL, out_drained, on_event, c);
		out_drained(c->out, c);
	}
	loop_timer_in(c->timer, grace_ms);
}

void coproc_kill(struct coproc *c)
{
	if (c->pid > 0)
		kill(-c->pid, SIGKILL);
	if (c->up)
		loop_timer_in(c->reaper, 0);
}

void coproc_free(struct coproc *c)
{
	if (!c)
		return;
	c->stopping = true;
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		child_reap_killed(c->pid, NULL);
		c->pid = -1;
	}
	if (c->in_call) {
		close_streams(c);
		c->up = false;
		c->free_me = true;
		return;
	}
	really_free(c);
}
