/*
 * Where the daemons' sockets are, from the `paths` section of a configuration: all that
 * the asking programs (monitorctl, monitord-run) read of it. What else is wrong
 * with the file is the daemons' business.
 */
#ifndef MONITORD_CTL_PATHS_H
#define MONITORD_CTL_PATHS_H

/* The directory that paths.KEY names, or dflt when the file cannot be read or does not say. Owned by the
 * caller. */
char *ctl_path(const char *config, const char *key, const char *dflt);
/* "RUN/monitord.sock" and "RUN/pagerd.sock". Owned by the caller. */
char *ctl_monitord_socket(const char *config);
char *ctl_pagerd_socket(const char *config);

#endif
