/*
 * The options of the SMS line: one table parses, describes and documents them. For notify_sms.c.
 */
#ifndef NOTIFIERS_SMS_CONF_H
#define NOTIFIERS_SMS_CONF_H

#include "lib/config/opts.h"
#include "modem.h"

extern const struct opt sms_opts[];
/* What a table cannot say. */
void sms_check_conf(const void *conf, struct complaints *c);

#endif
