/*
 * Runs one of our own programs with one option: text in, text out. For the configuration loader and
 * monitorctl.
 */
#ifndef LIB_CONFIG_RUN_H
#define LIB_CONFIG_RUN_H

#include "lib/buf.h"

/* Fork and exec, no shell, a process group of its own, at most timeout_ms, output at most out->max. False and
 * a reason in why. Safe in a process with threads. */
bool config_run(const char *path, const char *option, const struct buf *input, int timeout_ms,
		struct buf *out, char *why, size_t size);

#endif
