/* What `make run` watches when nobody configured anything; see default.h. */
#include "default.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"

#define POSTFIX "/var/spool/postfix"
#define BY_ID "/dev/serial/by-id"

static bool listens_on_25(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(25)};
	struct timeval limit = {.tv_sec = 2};
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

/* DIR/name as a YAML value: whatever the directory's name holds. */
static void add_path(struct buf *y, const char *key, const char *dir, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s%s%s", dir, *name ? "/" : "", name);
	cJSON *v = cJSON_CreateString(path);
	char *quoted = cJSON_PrintUnformatted(v); /* JSON's quoting is YAML's, too */
	buf_printf(y, "%s: %s\n", key, quoted ? quoted : "");
	cJSON_free(quoted);
	cJSON_Delete(v);
}

static void add_paths(const struct run_default *d, struct buf *y)
{
	static const char *const rooms[][2] = {
	    {"spool", "spool"},		{"spool_twin", "twin"},	 {"monitord_state", "monitord"},
	    {"pagerd_state", "pagerd"}, {"monitord_run", "run"}, {"pagerd_run", "pagerd-run"}};
	buf_puts(y, "# made by monitord-run: this host, watched with defaults\npaths:\n");
	for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
		buf_puts(y, "  ");
		add_path(y, rooms[i][0], d->dir, rooms[i][1]);
	}
	buf_puts(
	    y,
	    "defaults:\n  interval: 10s\n  retry_interval: 5s\n  max_check_attempts: 3\n  contacts: [you]\n");
}

/* --- the modem --- */

/* " (there are: ...)": the names that outlive a reboot. */
static void list_modems(char *out, size_t size)
{
	size_t used = 0;
	DIR *d = opendir(BY_ID);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s" BY_ID "/%s",
						 used ? ", " : "; there are: ", e->d_name);
	if (d)
		closedir(d);
	if (!used)
		snprintf(out, size, "; " BY_ID " holds none");
}

static bool is_number(const char *phone)
{
	const char *digits = phone + (*phone == '+');
	return strlen(digits) >= 3 && strspn(digits, "0123456789") == strlen(digits);
}

bool run_default_modem(const struct run_default *d, char *why, size_t size)
{
	char modems[300] = "";
	if (d->phone && !is_number(d->phone)) {
		snprintf(why, size, "PHONE=%.64s: a number is digits, with + before the country code",
			 d->phone);
		return false;
	}
	if (!d->device)
		return true;
	list_modems(modems, sizeof modems);
	if (!d->phone)
		snprintf(why, size, "DEVICE is given, PHONE is not: whom to page? (PHONE=+81...)");
	else if (access(d->device, F_OK) != 0)
		snprintf(why, size, "DEVICE=%.200s: %s%s", d->device, strerror(errno), modems);
	else if (access(d->device, R_OK | W_OK) != 0)
		snprintf(why, size,
			 "DEVICE=%.200s: %s (use sudo, or be in the device's group, mostly dialout)",
			 d->device, strerror(errno));
	else
		return true;
	return false;
}

static void add_pager(const struct run_default *d, struct buf *y, struct buf *said)
{
	const char *number = d->phone ? d->phone : "+10000000000";
	buf_puts(y, "lines:\n  modem:\n    notifier: sms\n");
	if (d->device) {
		buf_puts(y, "    ");
		add_path(y, "device", d->device, "");
		buf_printf(said, "  pages go to %s through the modem at %s\n", number, d->device);
	} else {
		buf_puts(y, "    device: simulated\n    ");
		add_path(y, "phone_file", d->dir, "phone");
		buf_printf(said,
			   "  pages go to %s through the built-in simulated modem\n"
			   "  (a real one: make run DEVICE=/dev/serial/by-id/... PHONE=+81...)\n",
			   number);
	}
	buf_puts(y, "contacts:\n  you:\n    repeat: 30m\n    routes:\n      - line: modem\n        ");
	add_path(y, "to", number, "");
}

/* --- the checks --- */

static void add_host(struct buf *y, struct buf *said)
{
	buf_puts(
	    y,
	    "checks:\n  load:\n    probe: load\n    percpu: yes\n    warning: 4,3,2\n    critical: 8,6,4\n");
	buf_puts(said, "  load   of each processor\n");
	buf_puts(
	    y,
	    "  disk:\n    probe: disk\n    path: [/var/spool, /var/log]\n    warning: 10%\n    critical: 5%\n"
	    "    iwarning: 10%\n    icritical: 5%\n");
	buf_puts(said, "  disk   space and inodes of /var/spool and /var/log\n");
}

static void add_queue(struct buf *y, struct buf *said)
{
	static const char *const queues[] = {"maildrop", "incoming", "active", "deferred"};
	bool there = false;
	for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
		char path[64];
		snprintf(path, sizeof path, POSTFIX "/%s", queues[i]);
		there |= is_dir(path);
		if (is_dir(path) && access(path, R_OK | X_OK) != 0) {
			buf_printf(
			    said,
			    "  (no queue: only root and postfix may read %s; sudo make run watches it)\n",
			    path);
			return;
		}
	}
	if (!there) {
		buf_puts(said, "  (no queue: there is no Postfix at " POSTFIX ")\n");
		return;
	}
	buf_puts(y, "  queue:\n    probe: queue\n");
	buf_puts(said, "  queue  of the installed Postfix\n");
}

static void add_smtp(struct buf *y, struct buf *said)
{
	if (!listens_on_25()) {
		buf_puts(said, "  (no smtp: nothing listens at 127.0.0.1:25)\n");
		return;
	}
	buf_puts(y, "  smtp:\n    probe: smtp\n    host: 127.0.0.1\n    port: 25\n");
	buf_puts(said, "  smtp   the greeting of 127.0.0.1:25\n");
}

void run_default_config(const struct run_default *d, struct buf *y, struct buf *said)
{
	add_paths(d, y);
	add_host(y, said);
	add_queue(y, said);
	add_smtp(y, said);
	buf_puts(said, "  every 10 s; a problem is confirmed by the third result in a row, then pages\n");
	add_pager(d, y, said);
}
