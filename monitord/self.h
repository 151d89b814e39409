/*
 * The built-in checks: what monitord knows about itself. They go through the same judge and events as
 * all others.
 *   self         own link and default gateway (ownlink.h)
 *   self.config  the configuration in force is not the newest one
 *   self.spool   events or records do not reach their disk
 *   self.prober  a prober is down or dies again and again
 *   self.remote.NAME  the connection to a remote's prober
 *   self.pagerd  pagerd is gone, or runs another configuration (pagerwatch.h)
 */
#ifndef MONITORD_SELF_H
#define MONITORD_SELF_H

#include "super.h"

enum { SELF_EVERY_MS = 5000, SELF_AGAIN_MS = 200 };

/* All of them, when their time has come. Every second. */
void self_tick(struct super *s, int64_t now_ms);
/* Own link, now; at most every SELF_AGAIN_MS. */
void self_look(struct super *s, int64_t now_ms);
/* self.prober, before anything is judged that a prober's end explains. */
void self_prober(struct super *s, int64_t now_ms);
/* self.remote.NAME of each remote, the same. */
void self_remotes(struct super *s, int64_t now_ms);
/* self.config, whenever s->config_error changed. */
void self_config(struct super *s);

#endif
