/*
 * The simulated modem's control socket: lines from a few clients, an answer to each.
 */
#ifndef DRIVERS_SIM_SIMCONTROL_H
#define DRIVERS_SIM_SIMCONTROL_H

#include <stddef.h>

#include "lib/buf.h"

enum { SIMCONTROL_MAX = 8, SIMCONTROL_LINE_MAX = 1024 };

struct simclient {
	int fd; /* -1: free */
	char line[SIMCONTROL_LINE_MAX];
	size_t len;
};

struct simcontrol {
	int listener; /* -1: none */
	struct simclient v[SIMCONTROL_MAX];
};

typedef void simcontrol_answer(void *arg, const char *line, struct buf *out);

void simcontrol_init(struct simcontrol *p);
/* A socket at path; -1 with errno set. */
int simcontrol_listen(const char *path);
void simcontrol_accept(struct simcontrol *p);
/* What came from a client; it may have gone then. */
void simcontrol_read(struct simclient *c, simcontrol_answer *say, void *arg);

#endif
