/*
 * Looks a parameter up in the text of Postfix' main.cf, as postconf(5) describes it:
 * comments, continued lines, the last definition holds, $name ${name} $(name) refer to
 * others. Pure; no program is run. What only a running Postfix knows
 * (conditionals such as ${name?value}) is said to be beyond us, not guessed.
 */
#ifndef PROBES_QUEUE_POSTFIX_CONF_H
#define PROBES_QUEUE_POSTFIX_CONF_H

#include <stdbool.h>
#include <stddef.h>

enum postfix_conf_found { POSTFIX_CONF_FOUND, POSTFIX_CONF_ABSENT, POSTFIX_CONF_BEYOND };

/* dir: the configuration directory itself, the value of $config_directory. The value goes to out (may be
 * empty); BEYOND: a reason goes there instead. */
enum postfix_conf_found postfix_conf_get(const char *text, const char *dir, const char *name, char *out,
					 size_t size);

#endif
