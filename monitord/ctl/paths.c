/* Sockets from a configuration; see paths.h. Called by monitorctl and monitord-run. */
#include "paths.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/config/complaint.h"
#include "lib/file.h"
#include "lib/config/tree.h"

enum { CONFIG_MAX = 4 << 20 };

char *ctl_path(const char *config, const char *key, const char *dflt)
{
	struct buf b;
	struct complaints c;
	buf_init(&b, CONFIG_MAX);
	complaints_init(&c);
	struct node *root = file_read(config, &b) ? tree_parse(config, buf_str(&b), b.len, &c) : NULL;
	struct node *paths = root ? tree_get(root, "paths") : NULL, *v = paths ? tree_get(paths, key) : NULL;
	char *out = strdup(v && v->kind == NODE_SCALAR ? v->scalar : dflt);
	if (root)
		tree_free(root);
	complaints_fini(&c);
	buf_fini(&b);
	return out;
}

static char *socket_in(char *dir, const char *name)
{
	char *path = dir ? file_join(dir, name) : NULL;
	free(dir);
	return path;
}

char *ctl_monitord_socket(const char *config)
{
	return socket_in(ctl_path(config, "monitord_run", "/run/monitord"), "monitord.sock");
}

char *ctl_pagerd_socket(const char *config)
{
	return socket_in(ctl_path(config, "pagerd_run", "/run/monitord-pagerd"), "pagerd.sock");
}
