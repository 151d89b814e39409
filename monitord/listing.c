/* What a configuration expands to; see listing.h. */
#include "listing.h"

#include <string.h>

#include "lib/config/units.h"

/* As many columns as the text takes on a terminal: continuation bytes of UTF-8 take none. */
static int width(const char *text)
{
	int n = 0;
	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void column(const char *text, int wide, FILE *out)
{
	fprintf(out, "%s%*s", text, wide - width(text) + 2, "");
}

static void wider(int *wide, const char *text)
{
	if (width(text) > *wide)
		*wide = width(text);
}

void listing_print(const struct config *conf, FILE *out)
{
	int name = 0, probe = 0, host = 1, on = 4;
	for (size_t i = 0; i < conf->nchecks; i++) {
		wider(&name, conf->checks[i].name);
		wider(&probe, conf->checks[i].probe);
		wider(&host, conf->checks[i].host);
		if (config_remote(conf, &conf->checks[i]))
			wider(&on, config_remote(conf, &conf->checks[i])->name);
	}
	for (size_t i = 0; i < conf->nchecks; i++) {
		const struct conf_check *k = &conf->checks[i];
		char interval[32];
		column(k->name, name, out);
		column(k->probe, probe, out);
		column(k->host[0] ? k->host : "-", host, out);
		if (conf->nremotes)
			column(config_remote(conf, k) ? config_remote(conf, k)->name : "here", on, out);
		column(units_duration_text(k->interval_ms, interval, sizeof interval), 5, out);
		fprintf(out, "%s:%d\n", k->at.file, k->at.line);
	}
}
