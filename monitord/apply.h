/*
 * Configurations that come into force, and the checks that come and go with them. A check that stays
 * keeps all it knows; one that goes has its problem taken back before it is forgotten; one that comes brings
 * what an earlier life of it left on disk.
 */
#ifndef MONITORD_APPLY_H
#define MONITORD_APPLY_H

#include "super.h"

/* Takes conf into force, and over. False (and nothing happened) when memory is out. */
bool apply_config(struct super *s, struct config *conf);
/* Records on disk of checks that the configuration does not know: buried like those that a reload removes.
 * Once, at the start. */
void apply_bury_orphans(struct super *s);
/* Forgets the buried ones whose last event has arrived. Every second. */
void apply_bury_finally(struct super *s);

#endif
