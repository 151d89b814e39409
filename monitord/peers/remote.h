/*
 * What a remote place has that a prober of this host has not: an ssh to start it, heartbeats, and bounds on
 * what it may say. doc/remote.md. The lines themselves are prober.c's.
 */
#ifndef MONITORD_PEERS_REMOTE_H
#define MONITORD_PEERS_REMOTE_H

#include <stdbool.h>

#include "lib/config/config.h"

struct cJSON;
struct worker;

/* Lines of complaint that are logged, a connection; lines that mean nothing, within a second: more end it.
 * Stores of one run: more are refused. */
enum { REMOTE_COMPLAINTS_MAX = 20, REMOTE_STRAYS_MAX = 200, REMOTE_STORES_MAX = 16 };
/* A connection that lasted so long was a good one; one that retires earlier is not simply replaced. */
enum { REMOTE_STEADY_MS = 60000 };

/* The command line that leads to r's prober; malloced strings in a malloced list. NULL: no memory, or (why)
 * it cannot be made. */
char **remote_argv(const struct conf_remote *r, char *why, size_t size);
void remote_argv_free(char **argv);

/* A line of its standard error: ssh's words, or what it passes on from there. */
void remote_complained(struct worker *w, const char *line);
/* Its hello came. False, and why: it cannot be spoken to. */
bool remote_hello(struct worker *w, const struct cJSON *v, char *why, size_t size);
/* A beat was answered. */
void remote_beat_came(struct worker *w, const struct cJSON *v);
/* A line that nobody asked for. */
void remote_stray(struct worker *w);
/* Every second: asks whether it lives, ends a connection that does not answer. */
void remote_tick(struct worker *w, int64_t now_ms);
#endif
