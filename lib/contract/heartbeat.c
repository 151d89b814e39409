/* Heartbeats over SOCK_SEQPACKET; see heartbeat.h. */
#include "heartbeat.h"

#include <errno.h>
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

enum { BEAT_MAX = 1024, PEERS_MAX = 4 };

size_t beat_encode(const struct beat *b, char *out, size_t size)
{
	cJSON *o = cJSON_CreateObject();
	struct buf line;
	buf_init(&line, size - 1);
	json_add_int(o, "v", 1);
	cJSON_AddStringToObject(o, "from", b->from);
	json_add_int(o, "pid", b->pid);
	cJSON_AddStringToObject(o, "digest", b->digest);
	json_add_int(o, "overdue_ms", b->overdue_ms);
	cJSON_AddStringToObject(o, "overdue", b->overdue);
	json_add_int(o, "back_ms", b->back_ms);
	bool ok = json_line(o, &line);
	if (ok)
		memcpy(out, line.data, line.len + 1);
	size_t n = ok ? line.len : 0;
	buf_fini(&line);
	cJSON_Delete(o);
	return n;
}

static void copy_name(char *out, size_t size, const char *s)
{
	snprintf(out, size, "%s", s);
}

bool beat_decode(struct beat *b, const char *bytes, size_t len, const char **why)
{
	cJSON *o = json_parse(bytes, len, BEAT_MAX, why);
	if (!o)
		return false;
	const char *reason = NULL;
	*b = (struct beat){ 0 };
	copy_name(b->from, sizeof b->from, json_str(o, "from", ""));
	copy_name(b->digest, sizeof b->digest, json_str(o, "digest", ""));
	copy_name(b->overdue, sizeof b->overdue, json_str(o, "overdue", ""));
	b->pid = json_int(o, "pid", 0);
	b->overdue_ms = json_int(o, "overdue_ms", 0);
	b->back_ms = json_int(o, "back_ms", 0);
	if (json_int(o, "v", 0) != 1)
		reason = "only version 1 is known";
	else if (strcmp(b->from, "monitord") != 0 && strcmp(b->from, "pagerd") != 0)
		reason = "\"from\" must be monitord or pagerd";
	else if (b->overdue_ms < 0 || b->back_ms < 0)
		reason = "a negative time";
	cJSON_Delete(o);
	if (reason && why)
		*why = reason;
	return reason == NULL;
}

enum beat_verdict beat_judge(const struct beat_watch *w, int64_t now, int64_t limit_ms)
{
	int64_t silent = now - w->last_boot_ms;
	if (w->ever && w->last.back_ms > 0)
		return silent <= w->last.back_ms ? BEAT_PLANNED : BEAT_SILENT;
	if (silent > limit_ms)
		return BEAT_SILENT;
	if (w->ever && w->last.overdue_ms > limit_ms)
		return BEAT_WEDGED;
	return BEAT_ALIVE;
}

struct heartbeat {
	struct event_base *base;
	bool listening;
	struct sockaddr_un address;
	int listen_fd;
	struct loop_fd *listen_ev;
	int peers[PEERS_MAX]; /* -1: none */
	int64_t heard[PEERS_MAX]; /* when it last sent a beat, or connected */
	struct loop_fd *peer_ev[PEERS_MAX];
	struct peer_arg {
		struct heartbeat *h;
		int i;
	} peer_arg[PEERS_MAX];
	struct loop_timer *timer;
	int64_t interval_ms, due;
	void (*fill)(void *arg, struct beat *b);
	void *arg;
	struct beat_watch watch;
};

static void peer_drop(struct heartbeat *h, int i)
{
	loop_fd_free(h->peer_ev[i]);
	close(h->peers[i]);
	h->peers[i] = -1;
	h->peer_ev[i] = NULL;
}

static void on_peer(void *arg)
{
	struct peer_arg *p = arg;
	struct heartbeat *h = p->h;
	char bytes[BEAT_MAX + 1];
	ssize_t n = recv(h->peers[p->i], bytes, sizeof bytes, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		peer_drop(h, p->i);
		return;
	}
	struct beat b;
	const char *why = "it is not from the other side";
	if (!beat_decode(&b, bytes, (size_t)n, &why) || strcmp(b.from, h->listening ? "monitord" : "pagerd") != 0) {
		log_warn("heartbeat: a datagram that is none: %s", why);
		peer_drop(h, p->i);
		return;
	}
	h->heard[p->i] = clock_boot_ms();
	if (h->watch.ever && h->watch.last.pid != b.pid && h->watch.last.back_ms == 0)
		h->watch.crashes++;
	h->watch.last = b;
	h->watch.ever = true;
	h->watch.last_boot_ms = clock_boot_ms();
}

/* A free place; when there is none, that of the one not heard for longest: who only connects must keep nobody out. */
static int place(struct heartbeat *h)
{
	int oldest = 0;
	for (int i = 0; i < PEERS_MAX; i++) {
		if (h->peers[i] < 0)
			return i;
		if (h->heard[i] < h->heard[oldest])
			oldest = i;
	}
	peer_drop(h, oldest);
	return oldest;
}

static void peer_add(struct heartbeat *h, int fd)
{
	int i = place(h);
	h->peer_arg[i] = (struct peer_arg){ h, i };
	h->peers[i] = fd;
	h->heard[i] = clock_boot_ms();
	h->peer_ev[i] = loop_fd_new(h->base, fd, on_peer, &h->peer_arg[i]);
}

static void on_accept(void *arg)
{
	struct heartbeat *h = arg;
	int fd = accept4(h->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	peer_add(h, fd);
	heartbeat_now(h);
}

static void try_connect(struct heartbeat *h)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&h->address, sizeof h->address) != 0) {
		close(fd);
		return;
	}
	peer_add(h, fd);
	heartbeat_now(h);
}

void heartbeat_now(struct heartbeat *h)
{
	struct beat b = { 0 };
	char text[BEAT_MAX];
	h->fill(h->arg, &b);
	size_t n = beat_encode(&b, text, sizeof text);
	h->due = clock_boot_ms() + h->interval_ms;
	for (int i = 0; i < PEERS_MAX; i++) {
		if (h->peers[i] < 0)
			continue;
		/* a wedged peer's full queue is no reason to wait; a closed one is noticed by on_peer */
		ssize_t done = send(h->peers[i], text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)done;
	}
}

static void on_timer(void *arg)
{
	struct heartbeat *h = arg;
	if (!h->listening && h->peers[0] < 0)
		try_connect(h);
	if (clock_boot_ms() >= h->due)
		heartbeat_now(h);
	int64_t left = h->due - clock_boot_ms();
	loop_timer_in(h->timer, left < 1000 && left > 0 ? left : 1000 < h->interval_ms ? 1000 : h->interval_ms);
}

static struct heartbeat *make(struct event_base *base, const char *path, int64_t interval_ms,
			      void (*fill)(void *arg, struct beat *b), void *arg)
{
	struct heartbeat *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	*h = (struct heartbeat){ .base = base, .listen_fd = -1, .interval_ms = interval_ms, .fill = fill, .arg = arg };
	h->watch.last_boot_ms = clock_boot_ms();
	h->address.sun_family = AF_UNIX;
	strncpy(h->address.sun_path, path, sizeof h->address.sun_path - 1);
	for (int i = 0; i < PEERS_MAX; i++)
		h->peers[i] = -1;
	h->timer = loop_timer_new(base, on_timer, h);
	loop_timer_in(h->timer, 0);
	return h;
}

struct heartbeat *heartbeat_listen(struct event_base *base, const char *path, int64_t interval_ms,
				   void (*fill)(void *arg, struct beat *b), void *arg, char *why, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof a.sun_path) {
		snprintf(why, size, "%s: longer than the %zu characters a socket's path may have", path,
			 sizeof a.sun_path - 1);
		return NULL;
	}
	memcpy(a.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	mode_t old = umask(0117);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, PEERS_MAX) == 0;
	umask(old);
	struct heartbeat *h = ok ? make(base, path, interval_ms, fill, arg) : NULL;
	if (!h) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	h->listening = true;
	h->listen_fd = fd;
	h->listen_ev = loop_fd_new(base, fd, on_accept, h);
	return h;
}

struct heartbeat *heartbeat_connect(struct event_base *base, const char *path, int64_t interval_ms,
				    void (*fill)(void *arg, struct beat *b), void *arg)
{
	return make(base, path, interval_ms, fill, arg);
}

const struct beat_watch *heartbeat_watch(const struct heartbeat *h)
{
	return &h->watch;
}

void heartbeat_forgive(struct heartbeat *h, int64_t ms)
{
	int64_t now = clock_boot_ms();
	h->watch.last_boot_ms = h->watch.last_boot_ms + ms < now ? h->watch.last_boot_ms + ms : now;
}

void heartbeat_free(struct heartbeat *h)
{
	if (!h)
		return;
	for (int i = 0; i < PEERS_MAX; i++)
		if (h->peers[i] >= 0)
			peer_drop(h, i);
	loop_fd_free(h->listen_ev);
	if (h->listen_fd >= 0) {
		close(h->listen_fd);
		unlink(h->address.sun_path);
	}
	loop_timer_free(h->timer);
	free(h);
}
