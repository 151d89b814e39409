/*
 * What the reset helper may do: the devices and commands of its allow-list, and how often. Pure but for the
 * reading of a file by its caller.
 */
#ifndef DRIVERS_RESET_ALLOW_H
#define DRIVERS_RESET_ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESET_RULES_MAX = 64, RESET_ARGS_MAX = 16, RESET_NAME_MAX = 63, RESET_LINE_MAX = 128 };

struct reset_rule {
	bool power;			/* else a USB device */
	char name[RESET_NAME_MAX + 1];	/* "1-1.2"; the power command's name */
	char *argv[RESET_ARGS_MAX + 1]; /* power: absolute program and its arguments */
	size_t argc;
	int64_t last_ms; /* when it was done; 0: never */
};

struct reset_allow {
	struct reset_rule v[RESET_RULES_MAX];
	size_t n;
	int64_t every_ms; /* the least time between two resets of one thing */
};

/* Lines: "usb NAME", "power NAME /program [argument...]", "every SECONDS"; # begins a comment. Words are
 * split at blanks; a word in double quotes may hold them. False: why names the line. */
bool reset_allow_read(struct reset_allow *a, const char *text, char *why, size_t size);
void reset_allow_free(struct reset_allow *a);
/* What was done under the old rules counts for the new. */
void reset_allow_keep_times(struct reset_allow *a, const struct reset_allow *old);
/* Whether anything was done so lately that it may not be done again yet. */
bool reset_allow_recent(const struct reset_allow *a, int64_t now);
/* The rule that a request ("usb 1-1.2", "power gsm1") may use now; NULL: why not. */
struct reset_rule *reset_allow_find(struct reset_allow *a, const char *request, int64_t now, char *why,
				    size_t size);

#endif
