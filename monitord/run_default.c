/* What `make run` watches when nobody configured anything; see run_default.h. */
#include "run_default.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool listens_on_25(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(25) };
	struct timeval limit = { .tv_sec = 2 };
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	bool ok = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
	close(fd);
	return ok;
}

static bool is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void add_paths(const struct run_default *d, struct buf *y)
{
	buf_printf(y, "# made by monitord-run: this host, watched with defaults\n");
	buf_printf(y, "paths:\n  spool: %s/spool\n  spool_twin: %s/twin\n", d->dir, d->dir);
	buf_printf(y, "  monitord_state: %s/monitord\n  pagerd_state: %s/pagerd\n", d->dir, d->dir);
	buf_printf(y, "  monitord_run: %s/run\n  pagerd_run: %s/pagerd-run\n", d->dir, d->dir);
	buf_puts(y, "defaults:\n  interval: 10s\n  retry_interval: 5s\n  max_check_attempts: 3\n  contacts: [you]\n");
}

static void add_pager(const struct run_default *d, struct buf *y, struct buf *said)
{
	const char *number = d->phone ? d->phone : "+10000000000";
	buf_puts(y, "lines:\n  modem:\n    notifier: sms\n");
	if (d->device) {
		buf_printf(y, "    device: %s\n", d->device);
		buf_printf(said, "  pages go to %s through the modem at %s\n", number, d->device);
	} else {
		buf_printf(y, "    device: simulated\n    phone_file: %s/phone\n", d->dir);
		buf_printf(said, "  pages go to %s through the built-in simulated modem\n"
				 "  (a real one: make run DEVICE=/dev/serial/by-id/... PHONE=+81...)\n", number);
	}
	buf_printf(y, "contacts:\n  you:\n    repeat: 30m\n    routes:\n      - {line: modem, to: \"%s\"}\n", number);
}

void run_default_config(const struct run_default *d, struct buf *y, struct buf *said)
{
	add_paths(d, y);
	buf_puts(y, "checks:\n");
	buf_puts(y, "  load:\n    probe: load\n    percpu: yes\n    warning: 4,3,2\n    critical: 8,6,4\n");
	buf_puts(said, "  load             of this host, per CPU\n");
	buf_puts(y, "  disk:\n    probe: disk\n    path: [/var/spool, /var/log]\n    warning: 10%\n    critical: 5%\n"
		    "    iwarning: 10%\n    icritical: 5%\n");
	buf_puts(said, "  disk             space and inodes below /var/spool and /var/log\n");
	if (is_dir("/var/spool/postfix/active") || is_dir("/var/spool/postfix/deferred")) {
		buf_puts(y, "  queue:\n    probe: queue\n");
		buf_puts(said, "  queue            of the installed Postfix\n");
	} else {
		buf_puts(said, "  (no queue: no Postfix spool at /var/spool/postfix)\n");
	}
	if (listens_on_25()) {
		buf_puts(y, "  smtp:\n    probe: smtp\n    host: 127.0.0.1\n    port: 25\n");
		buf_puts(said, "  smtp             the greeting of 127.0.0.1:25\n");
	} else {
		buf_puts(said, "  (no smtp: nothing listens at 127.0.0.1:25)\n");
	}
	add_pager(d, y, said);
}
