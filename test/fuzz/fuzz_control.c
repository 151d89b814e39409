/* Bytes on the control socket, through the real server: lines, half lines, floods, an early end. */
#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/contract/control.h"
#include "lib/json.h"
#include "lib/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_base *base;
static char path[64];
static struct control_client *owed; /* one answer given late, as a check's is */

static void on_request(void *arg, struct control_client *client, const cJSON *request)
{
	(void)arg;
	const char *what = json_str(request, "do", "");
	if (strcmp(what, "later") == 0 && !owed) {
		owed = client;
		return;
	}
	if (strcmp(what, "subscribe") == 0)
		control_subscribe(client);
	if (strcmp(what, "bad") == 0)
		control_error(client, "%s", what);
	else
		control_reply(client, cJSON_CreateObject());
}

static void turn(int n)
{
	while (n--)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct control *control;
	char why[200];
	if (!base) {
		base = loop_new();
		snprintf(path, sizeof path, "/tmp/fuzz-control.%d", (int)getpid());
		control = control_new(base, path, on_request, NULL, why, sizeof why);
		if (!control)
			abort();
	}
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	memcpy(a.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		abort();
	turn(1);
	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
		turn(2);
		if (n <= 0)
			break;
		data += n;
		size -= (size_t)n;
	}
	cJSON *news = cJSON_CreateObject();
	control_publish(control, news);
	cJSON_Delete(news);
	shutdown(fd, SHUT_WR);
	turn(2);
	if (owed)
		control_reply(owed, cJSON_CreateObject());
	owed = NULL;
	turn(2);
	close(fd);
	turn(2);
	return 0;
}
