/* The control socket, both sides; see control.h. */
#include "control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"

/* A client that does not read what it asked for (UNREAD_MAX), or asks on and on before it is answered (OWED_MAX), is not
 * listened to until it has caught up. */
enum { CLIENTS_MAX = 32, ANSWER_MAX = 16 << 20, UNREAD_MAX = 1 << 20, OWED_MAX = 64, IDLE_S = 60 };

/* A client outlives its connection while an answer is owed: then stream is NULL. */
struct control_client {
	struct control *control;
	struct bufferevent *stream;
	int owed;
	bool subscribed;
	bool closing;
	bool held;       /* it must catch up first: nothing is read from it */
	int64_t last_ms; /* of its last whole request, or when it came */
};

struct control {
	struct event_base *base;
	struct loop_fd *listener;
	int fd;
	char *path;
	control_handler *handler;
	void *arg;
	struct control_client *clients[CLIENTS_MAX];
};

static void client_close(struct control_client *k)
{
	if (k->stream)
		bufferevent_free(k->stream);
	k->stream = NULL;
	k->subscribed = false;
	if (k->owed)
		return;
	if (k->control)
		for (int i = 0; i < CLIENTS_MAX; i++)
			if (k->control->clients[i] == k)
				k->control->clients[i] = NULL;
	free(k);
}

static void client_write(struct control_client *k, const cJSON *v)
{
	struct buf line;
	buf_init(&line, ANSWER_MAX);
	if (!json_line(v, &line)) {
		buf_reset(&line);
		buf_puts(&line, "{\"ok\":false,\"error\":\"the answer is larger than 16 MiB\"}\n");
	}
	bufferevent_write(k->stream, line.data, line.len);
	buf_fini(&line);
}

static bool is_behind(const struct control_client *k)
{
	return k->owed >= OWED_MAX || evbuffer_get_length(bufferevent_get_output(k->stream)) > UNREAD_MAX;
}

/* It has caught up: what it said meanwhile is read, in the next turn of the loop. */
static void go_on(struct control_client *k)
{
	if (!k->held || is_behind(k))
		return;
	k->held = false;
	bufferevent_enable(k->stream, EV_READ);
	bufferevent_trigger(k->stream, EV_READ, BEV_TRIG_DEFER_CALLBACKS | BEV_TRIG_IGNORE_WATERMARKS);
}

void control_reply(struct control_client *k, cJSON *answer)
{
	k->owed--;
	if (k->stream) {
		client_write(k, answer);
		go_on(k);
	} else {
		client_close(k);
	}
	cJSON_Delete(answer);
}

void control_error(struct control_client *k, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	cJSON *answer = cJSON_CreateObject();
	cJSON_AddBoolToObject(answer, "ok", false);
	cJSON_AddStringToObject(answer, "error", text);
	control_reply(k, answer);
}

void control_subscribe(struct control_client *k)
{
	k->subscribed = true;
	if (k->stream)
		bufferevent_set_timeouts(k->stream, NULL, NULL);
}

void control_publish(struct control *c, const cJSON *v)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct control_client *k = c->clients[i];
		if (!k || !k->subscribed || !k->stream)
			continue;
		if (evbuffer_get_length(bufferevent_get_output(k->stream)) > UNREAD_MAX)
			client_close(k);
		else
			client_write(k, v);
	}
}

/* One request; false when the client is gone. */
static bool take_request(struct control_client *k, const char *text, size_t len)
{
	const char *why = NULL;
	cJSON *request = json_parse(text, len, JSON_LINE_MAX, &why);
	k->last_ms = clock_boot_ms();
	k->owed += 2; /* one is ours: it keeps the client alive through the handler */
	if (!cJSON_IsObject(request))
		control_error(k, "not a request: %s", why ? why : "not an object");
	else if (json_int(request, "v", 1) != 1)
		control_error(k, "only version 1 is spoken here");
	else
		k->control->handler(k->control->arg, k, request);
	cJSON_Delete(request);
	k->owed--;
	if (k->stream)
		return true;
	client_close(k);
	return false;
}

static void on_read(struct bufferevent *b, void *arg)
{
	struct control_client *k = arg;
	struct evbuffer *input = bufferevent_get_input(b);
	size_t len;
	char *line;
	while (!is_behind(k) && (line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF))) {
		bool stays = take_request(k, line, len);
		free(line);
		if (!stays)
			return;
	}
	if (is_behind(k)) {
		k->held = true;
		bufferevent_disable(b, EV_READ);
		return;
	}
	if (evbuffer_get_length(input) <= JSON_LINE_MAX)
		return;
	k->owed++;
	k->closing = true;
	bufferevent_disable(b, EV_READ);
	control_error(k, "a request longer than 64 KiB");
}

static void on_written(struct bufferevent *b, void *arg)
{
	struct control_client *k = arg;
	(void)b;
	if (k->closing && !k->owed)
		client_close(k);
	else
		go_on(k);
}

static void on_event(struct bufferevent *b, short what, void *arg)
{
	struct control_client *k = arg;
	bool eof = what & BEV_EVENT_EOF;
	/* a client may close its writing side (nc) and still wait for the answer */
	if (eof && (k->owed || evbuffer_get_length(bufferevent_get_output(b)))) {
		k->closing = true;
		return;
	}
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) {
		/* silent because it waits for us; one that takes nothing for so long is not waited for */
		if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING) && k->owed) {
			bufferevent_enable(b, EV_READ);
			return;
		}
		client_close(k);
	}
}

/* A free place; when there is none, that of the one that has asked nothing for longest and waits for nothing.
 * CLIENTS_MAX: all are busy. */
static int place(struct control *c)
{
	struct control_client *idle = NULL;
	int slot = 0, of_idle = CLIENTS_MAX;
	for (; slot < CLIENTS_MAX && c->clients[slot]; slot++) {
		struct control_client *k = c->clients[slot];
		bool busy = !k->stream || k->owed || k->subscribed || evbuffer_get_length(bufferevent_get_output(k->stream));
		if (busy || (idle && idle->last_ms <= k->last_ms))
			continue;
		idle = k;
		of_idle = slot;
	}
	if (slot < CLIENTS_MAX)
		return slot;
	if (idle)
		client_close(idle);
	return of_idle;
}

static void on_accept(void *arg)
{
	struct control *c = arg;
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	int slot = place(c);
	struct control_client *k = slot < CLIENTS_MAX ? calloc(1, sizeof *k) : NULL;
	if (!k) {
		static const char busy[] = "{\"ok\":false,\"error\":\"too many connections\"}\n";
		ssize_t done = send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL);
		(void)done;
		close(fd);
		return;
	}
	k->control = c;
	k->last_ms = clock_boot_ms();
	k->stream = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!k->stream) {
		close(fd);
		free(k);
		return;
	}
	struct timeval idle = { .tv_sec = IDLE_S };
	c->clients[slot] = k;
	bufferevent_setcb(k->stream, on_read, on_written, on_event, k);
	bufferevent_setwatermark(k->stream, EV_READ, 0, JSON_LINE_MAX * 2);
	bufferevent_set_timeouts(k->stream, &idle, &idle);
	bufferevent_enable(k->stream, EV_READ | EV_WRITE);
}

static bool address_of(const char *path, struct sockaddr_un *a, char *why, size_t size)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof a->sun_path) {
		snprintf(why, size, "%s: longer than the %zu characters a socket's path may have", path,
			 sizeof a->sun_path - 1);
		return false;
	}
	memcpy(a->sun_path, path, strlen(path));
	return true;
}

/* A socket nobody listens on is a left-over; one that answers is another daemon's. */
static bool take_over(const struct sockaddr_un *a, char *why, size_t size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0;
	if (fd >= 0)
		close(fd);
	if (alive) {
		snprintf(why, size, "%s: another process listens there", a->sun_path);
		return false;
	}
	struct stat st;
	if (lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(a->sun_path);
	return true;
}

struct control *control_new(struct event_base *base, const char *path, control_handler *handler, void *arg, char *why,
			    size_t size)
{
	struct sockaddr_un a;
	if (!address_of(path, &a, why, size) || !take_over(&a, why, size))
		return NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old = umask(0117);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 16) == 0;
	umask(old);
	struct control *c = ok ? calloc(1, sizeof *c) : NULL;
	if (!c) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	*c = (struct control){ .base = base, .fd = fd, .path = strdup(path), .handler = handler, .arg = arg };
	c->listener = loop_fd_new(base, fd, on_accept, c);
	return c;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct control_client *k = c->clients[i];
		if (!k)
			continue;
		if (k->stream) {
			/* the last answers; a bufferevent keeps its output frozen against others */
			evbuffer_unfreeze(bufferevent_get_output(k->stream), 1);
			evbuffer_write(bufferevent_get_output(k->stream), bufferevent_getfd(k->stream));
		}
		c->clients[i] = NULL;
		k->control = NULL;
		client_close(k);
	}
	loop_fd_free(c->listener);
	close(c->fd);
	unlink(c->path);
	free(c->path);
	free(c);
}

/* --- the asking side --- */

static bool wait_fd(int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	for (;;) {
		int64_t left = until - clock_boot_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n < 0 && errno == EINTR)
			continue;
		return n > 0;
	}
}

static bool send_all(int fd, const char *p, size_t n, int64_t until)
{
	while (n) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k < 0 && errno == EAGAIN && wait_fd(fd, POLLOUT, until))
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static cJSON *read_answer(int fd, int64_t until, const char *path, char *why, size_t size)
{
	struct buf b;
	char chunk[16384];
	const char *reason = "no answer in time";
	cJSON *answer = NULL;
	buf_init(&b, ANSWER_MAX);
	while (wait_fd(fd, POLLIN, until)) {
		ssize_t n = recv(fd, chunk, sizeof chunk, 0);
		if (n <= 0) {
			reason = "closed the connection";
			break;
		}
		if (!buf_add(&b, chunk, (size_t)n)) {
			reason = "the answer is too long";
			break;
		}
		char *end = memchr(b.data + b.len - n, '\n', (size_t)n);
		if (end) {
			answer = json_parse(b.data, (size_t)(end - b.data), ANSWER_MAX, &reason);
			break;
		}
	}
	if (!answer)
		snprintf(why, size, "%s: %s", path, reason);
	buf_fini(&b);
	return answer;
}

/* A wedged daemon's full backlog answers EAGAIN at once: it is tried again until the time is up. */
static bool connect_until(int fd, const struct sockaddr_un *a, int64_t until)
{
	while (connect(fd, (const struct sockaddr *)a, sizeof *a) != 0) {
		if (errno != EINTR && (errno != EAGAIN || clock_boot_ms() >= until))
			return false;
		usleep(20000);
	}
	return true;
}

cJSON *control_ask(const char *path, const cJSON *request, int timeout_ms, char *why, size_t size)
{
	struct sockaddr_un a;
	int64_t until = clock_boot_ms() + timeout_ms;
	if (!address_of(path, &a, why, size))
		return NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !connect_until(fd, &a, until)) {
		const char *hint = errno == ENOENT || errno == ECONNREFUSED ? " (is it running?)" :
				   errno == EACCES			    ? " (use sudo, or be in the group that owns it)" :
									      "";
		snprintf(why, size, "%s: %s%s", path, errno == EAGAIN ? "does not answer" : strerror(errno), hint);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	struct buf line;
	cJSON *answer = NULL;
	buf_init(&line, JSON_LINE_MAX);
	if (!json_line(request, &line))
		snprintf(why, size, "%s: the request is longer than 64 KiB", path);
	else if (!send_all(fd, line.data, line.len, until))
		snprintf(why, size, "%s: %s", path, errno == EPIPE || errno == ECONNRESET ? "closed the connection" :
											    "takes no request");
	else
		answer = read_answer(fd, until, path, why, size);
	buf_fini(&line);
	close(fd);
	return answer;
}
