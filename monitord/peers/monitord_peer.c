/*
 * monitord-peer: the socket and the key between this ops host and the other one. A child of monitord, which
 * decides what is said and what is made of what was heard (opspeer.c); JSON lines on stdin and stdout
 * (doc/contracts.md). Every byte from the network stops here unless it was made with the shared key and is
 * new (datagram.h). Ends with its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datagram.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"

enum { REPLY_GAP_MS = 100, COUNTS_GAP_MS = 1000, TAKE_AT_ONCE = 64 };

struct peer {
	int fd; /* -1: not configured yet, or it cannot be had */
	struct sockaddr_storage to;
	socklen_t to_len;
	struct datagram_side side;
	uint64_t seen[DATAGRAM_VERDICTS];
	bool counts_changed;
	int64_t counts_ms, reply_ms;
	char trouble[200];
	struct buf in;
};

/* --- to monitord --- */

/* Takes v. */
static void tell(cJSON *v)
{
	struct buf line;
	buf_init(&line, 4 * DATAGRAM_MAX);
	if (json_line(v, &line) && !file_write_all(STDOUT_FILENO, line.data, line.len))
		exit(1); /* nobody reads any more */
	buf_fini(&line);
	cJSON_Delete(v);
}

/* Said once, and when it is over. */
static void trouble(struct peer *p, const char *what, const char *why)
{
	char text[sizeof p->trouble];
	snprintf(text, sizeof text, "%.100s%s%.90s", what, *why ? ": " : "", why);
	if (strcmp(text, p->trouble) == 0)
		return;
	memcpy(p->trouble, text, sizeof text);
	cJSON *v = cJSON_CreateObject();
	cJSON_AddStringToObject(v, "trouble", text);
	tell(v);
}

static void tell_counts(struct peer *p, int64_t now)
{
	cJSON *v = cJSON_CreateObject(), *o = cJSON_AddObjectToObject(v, "counts");
	for (int k = 0; k < DATAGRAM_VERDICTS; k++)
		json_add_int(o, datagram_verdict_name((enum datagram_verdict)k), (int64_t)p->seen[k]);
	tell(v);
	p->counts_changed = false;
	p->counts_ms = now;
}

/* --- the network --- */

/* "192.0.2.1:7410", "[2001:db8::1]:7410"; never a name, which somebody else would resolve. */
static bool literal(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM},
			*found;
	bool bracket = n > 2 && text[0] == '[' && text[n - 1] == ']';
	if (n == 0 || n >= sizeof host)
		return false;
	snprintf(host, sizeof host, "%.*s", (int)(bracket ? n - 2 : n), text + bracket);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return false;
	memcpy(out, found->ai_addr, found->ai_addrlen);
	*len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static void send_out(struct peer *p, const cJSON *say)
{
	char bytes[DATAGRAM_MAX + 1];
	size_t n = p->fd >= 0 ? datagram_seal(&p->side, say, bytes, sizeof bytes) : 0;
	if (n == 0)
		return;
	if (sendto(p->fd, bytes, n, 0, (struct sockaddr *)&p->to, p->to_len) == (ssize_t)n)
		trouble(p, "", "");
	else if (errno != ECONNREFUSED && errno != EAGAIN)
		trouble(p, "cannot send to the other ops host", strerror(errno));
}

/* Who is to prove itself needs our challenge; not more often than that, whoever asks. */
static void reply(struct peer *p)
{
	int64_t now = clock_boot_ms();
	if (now - p->reply_ms < REPLY_GAP_MS)
		return;
	p->reply_ms = now;
	send_out(p, NULL);
}

static void take_datagram(struct peer *p, const char *bytes, size_t len)
{
	cJSON *say;
	bool proven;
	enum datagram_verdict v = datagram_open(&p->side, bytes, len, &say, &proven);
	p->seen[v]++;
	p->counts_changed |= v != DATAGRAM_FRESH;
	if (v == DATAGRAM_UNPROVEN || proven)
		reply(p);
	if (!say)
		return;
	cJSON *heard = cJSON_CreateObject();
	cJSON_AddItemToObject(heard, "heard", say);
	tell(heard);
}

static void on_socket(struct peer *p)
{
	char bytes[DATAGRAM_MAX + 1];
	for (int i = 0; i < TAKE_AT_ONCE; i++) {
		ssize_t n = recv(p->fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (n < 0 && errno != ECONNREFUSED)
			return;
		if (n >= 0)
			take_datagram(p, bytes, (size_t)n);
	}
}

static void configure(struct peer *p, const cJSON *o)
{
	struct sockaddr_storage here;
	socklen_t here_len;
	char why[160] = "";
	char *key = file_secret(json_str(o, "key", ""), why, sizeof why);
	if (!key) {
		trouble(p, "the shared key cannot be read", why);
		return;
	}
	bool ok = datagram_init(&p->side, json_str(o, "name", ""), json_str(o, "other", ""), key, nonce_hex,
				why, sizeof why);
	memset(key, 0, strlen(key));
	free(key);
	if (!ok) {
		trouble(p, why, "");
		return;
	}
	if (!literal(json_str(o, "listen", ""), &here, &here_len) ||
	    !literal(json_str(o, "address", ""), &p->to, &p->to_len)) {
		trouble(p, "not a literal address and port", "");
		return;
	}
	int fd = socket(here.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&here, here_len) == 0) {
		p->fd = fd;
		return;
	}
	snprintf(why, sizeof why, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	trouble(p, "cannot listen", why);
	exit(1); /* started again with growing pauses */
}

/* --- from monitord --- */

static void take_line(struct peer *p, const char *line, size_t len)
{
	cJSON *o = json_parse(line, len, 4 * DATAGRAM_MAX, NULL);
	const cJSON *say = cJSON_GetObjectItemCaseSensitive(o, "say");
	const cJSON *conf = cJSON_GetObjectItemCaseSensitive(o, "configure");
	if (cJSON_IsObject(conf) && p->fd < 0)
		configure(p, conf);
	else if (cJSON_IsObject(say))
		send_out(p, say);
	cJSON_Delete(o);
}

/* False: its end. */
static bool on_stdin(struct peer *p)
{
	char bytes[16384];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0 || !buf_add(&p->in, bytes, (size_t)n))
		return false;
	char *end;
	while (p->in.len && (end = memchr(p->in.data, '\n', p->in.len))) {
		size_t len = (size_t)(end - p->in.data);
		take_line(p, p->in.data, len);
		buf_drop(&p->in, len + 1);
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct peer p = {.fd = -1};
	(void)argv;
	if (argc > 1) {
		fputs("usage: monitord-peer\nA child of monitord: JSON lines on stdin and stdout "
		      "(doc/contracts.md).\n",
		      stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	buf_init(&p.in, 64 * DATAGRAM_MAX);
	cJSON *hello = cJSON_CreateObject();
	json_add_int(hello, "v", 1);
	cJSON_AddStringToObject(hello, "hello", "peer");
	tell(hello);
	for (;;) {
		struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
					{.fd = p.fd, .events = POLLIN}};
		if (poll(fds, 2, p.counts_changed ? COUNTS_GAP_MS : -1) < 0 && errno != EINTR)
			return 1;
		if (fds[1].revents)
			on_socket(&p);
		if (fds[0].revents && !on_stdin(&p))
			break;
		int64_t now = clock_boot_ms();
		if (p.counts_changed && now - p.counts_ms >= COUNTS_GAP_MS)
			tell_counts(&p, now);
	}
	buf_fini(&p.in);
	return 0;
}
