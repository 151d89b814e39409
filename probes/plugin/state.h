/*
 * What a stand-alone plugin remembers between runs: one file per check under
 * --state-dir, named after the plugin and a hash of its options, so that two command
 * definitions never share one. Written atomically.
 */
#ifndef PROBES_PLUGIN_STATE_H
#define PROBES_PLUGIN_STATE_H

#include "probes/probe.h"

/* DIR/check_NAME-HASH.state, malloced; NULL when memory is out. The hash is over the values of the probe's
 * own options, however they were written. */
char *plugin_state_path(const char *dir, const struct probe *probe, const void *conf);
/* An absent file is an empty state. False with a reason when there is one that cannot be read. */
bool plugin_state_load(const char *path, struct buf *out, char *why, size_t size);
/* Makes the directory (0700) when it is not there. */
bool plugin_state_save(const char *path, const char *state, size_t len, char *why, size_t size);

#endif
