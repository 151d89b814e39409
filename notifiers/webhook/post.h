/*
 * One HTTP request, over libcurl: no proxy but a given one, no redirects, no name looked up, an answer of at
 * most 64 KiB, all within a deadline. Called by notify_webhook.c. HTTP's own bytes are parsed by libcurl.
 */
#ifndef NOTIFIERS_WEBHOOK_POST_H
#define NOTIFIERS_WEBHOOK_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/contract/line.h"

struct webhook_server {
	const char *url, *method;
	const char
	    *address; /* where to connect whatever the URL's host is called; NULL: that host is an address */
	const char *ca_file; /* NULL: the system's */
	const char *pin;     /* "sha256//BASE64" of the public key; NULL: any that is trusted */
	const char *proxy;   /* NULL: none, whatever the environment says */
	int64_t connect_ms;
};

struct webhook_answer {
	enum outcome outcome;
	int status;	       /* 0: no answer */
	int64_t retry_after_s; /* as asked for; 0: it was not */
	char detail[400];
};

bool webhook_global_init(void);
/* True for http and https with a host; *literal: it is an address. False and why. */
bool webhook_url_ok(const char *url, bool *literal, bool *secure, char *why, size_t size);
/* headers: whole lines without line ends. SENT: 2xx. RETRY: 408, 425, 429, 5xx, or the request did not leave.
 * REFUSED: redirects and other 4xx. DOUBTFUL: it left, and no answer came. */
void webhook_post(const struct webhook_server *sv, const char *const *headers, size_t nheaders,
		  const char *body, size_t len, int64_t deadline, struct webhook_answer *a);
/* Connects and shakes hands, sends nothing. */
bool webhook_try(const struct webhook_server *sv, int64_t deadline, char *why, size_t size);

#endif
