/*
 * The control socket: a Unix stream socket of JSON lines, one request
 * {"v":1,"do":"NAME",...} gives one answer {"ok":true,...} or {"ok":false,"error":"..."}.
 * Requests are at most 64 KiB, answers at most 16 MiB, 32 connections, idle ones closed after 60 s.
 * Nothing is read from a client that is owed 64 answers or has more than 1 MiB unread. When all places are taken, the
 * connection that has asked nothing for longest makes room for a new one.
 */
#ifndef LIB_CONTRACT_CONTROL_H
#define LIB_CONTRACT_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct event_base;
struct control;
struct control_client;

/* Answers by control_reply, now or later (client stays valid until control_reply or gone() says otherwise). */
typedef void control_handler(void *arg, struct control_client *client, const struct cJSON *request);
/* path is replaced if a dead socket is there; mode 0660. NULL with a reason. */
struct control *control_new(struct event_base *base, const char *path, control_handler *handler, void *arg,
			    char *why, size_t size);
void control_free(struct control *c);
/* Sends the answer and takes ownership of it. A client that went away meanwhile is silently skipped. */
void control_reply(struct control_client *client, struct cJSON *answer);
/* {"ok":false,"error":...} */
void control_error(struct control_client *client, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* From now on control_publish reaches this client too. */
void control_subscribe(struct control_client *client);
/* One line to all subscribers; those with more than 1 MiB unread are dropped. Does not take ownership. */
void control_publish(struct control *c, const struct cJSON *v);

/* --- the asking side, blocking, for monitorctl --- */
/* Sends one request, waits for one answer (owned by the caller). NULL and a reason for people in why. */
struct cJSON *control_ask(const char *path, const struct cJSON *request, int timeout_ms, char *why, size_t size);

#endif
