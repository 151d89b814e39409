/*
 * Whether a list of hosts changed on the disk since the configuration in force was read. Of both daemons; the
 * owner looks every few seconds and reloads when told to.
 */
#ifndef LIB_CONFIG_LISTWATCH_H
#define LIB_CONFIG_LISTWATCH_H

#include <stdbool.h>

struct config;
struct listwatch;

struct listwatch *listwatch_new(void);
void listwatch_free(struct listwatch *w);
/* A configuration came into force. */
void listwatch_use(struct listwatch *w, const struct config *conf);
/* The list that changed and then stayed as it is for two looks, so that a file being written is left alone;
 * NULL: none. Each change is told once, whatever becomes of it. */
const char *listwatch_look(struct listwatch *w);

#endif
