/*
 * The pager: what all modules of pagerd share, and the turn that moves everything on.
 *
 * One turn: take what the spool has, note what time did (answers overdue, repeats due), give each
 * idle line its next page, write down what changed, and only then let go of the spool's
 * files. Nothing leaves before its attempt record is written; no event is let go of before its
 * incident is written. Whatever happens calls pager_soon(), which asks for a turn.
 */
#ifndef PAGERD_PAGER_H
#define PAGERD_PAGER_H

#include "../lib/config.h"
#include "incident.h"
#include "store.h"

struct control;
struct deadman;
struct event_base;
struct intake;
struct lines;
struct loop_timer;
struct needs;
struct snapshot;
struct tests;

enum {
	PAGER_INCIDENTS_MAX = 20000, /* more events stay in the spool, and that is said */
	PAGER_CLOSED_KEPT = 200,
	PAGER_VIEWS_MAX = 256, /* routes looked at for one page; contacts of one event */
	PAGER_SAVE_MS = 200,   /* writing in one turn before pages get another look */
	PAGER_STORE_RETRY_MS = 5000
};

struct pager {
	struct event_base *base;
	struct config *conf;
	char *conf_path; /* as given */
	char *libexec;
	int64_t deadline_ms; /* that a notifier has for one page */
	struct stamp started, reload_at;
	char config_error[1024];
	struct store *store;
	bool store_trouble;
	int64_t store_retry;   /* when the disk is tried again */
	struct incident **inc; /* oldest first */
	size_t ninc;
	bool full; /* it was said that there is no room */
	uint64_t last_change;	    /* of our own events */
	struct contact_view *views; /* all contacts */
	size_t nviews;
	struct intake *intake;
	struct lines *lines;
	struct needs *needs;
	struct deadman *deadman;
	struct control *control;
	struct snapshot *snapshot;
	struct tests *tests;
	struct loop_timer *turn;
	int64_t turn_at; /* when the next turn is asked for; 0: not */
	bool write_owed; /* a page was handed over before all else was written */
	bool changed;	 /* the snapshot is behind */
	bool stopping;
};

/* Asks for a turn, as soon as the loop comes round (ms 0) or at the latest in ms. */
void pager_soon(struct pager *p, int64_t ms);
bool pager_start(struct pager *p, char *why, size_t size);
void pager_fini(struct pager *p);
/* One turn, now. */
void pager_turn(struct pager *p);

/* The incident an event belongs to; made when make is true and there is room. */
struct incident *pager_incident(struct pager *p, const char *check, uint64_t opened, bool make);
/* The newest problem of a check that lasts; NULL when there is none. */
struct incident *pager_open_incident(const struct pager *p, const char *check);
/* By id, or by the name of the check; open ones first. */
struct incident *pager_find(const struct pager *p, const char *id_or_check);
void pager_drop(struct pager *p, struct incident *i);
/* Brings contacts and pages of an incident up to date after a change. */
void pager_settle(struct pager *p, struct incident *i, const struct stamp *now);
/* Rebuilds what depends on the configuration. */
void pager_use_conf(struct pager *p);

/* pagerd's own concerns, paged to the default contacts: self.NAME. While a problem of the same name lasts,
 * the same text again does nothing. self_over ends it, and does nothing when there is none. */
void pager_self_problem(struct pager *p, const char *check, enum nag_state state, const char *text);
void pager_self_over(struct pager *p, const char *check, const char *text);
/* A change number for an event of our own, above all before it. */
uint64_t pager_next_change(struct pager *p);
void pager_self_notice(struct pager *p, const char *check, uint64_t change, const char *text);

/* From lines.c: what became of a page. id: as pager_page_id made it. */
void pager_outcome(struct pager *p, const char *line, const char *id, enum outcome o, const char *detail);
/* From lines.c: the line's notifier is gone, or is good again. */
void pager_line_down(struct pager *p, const char *line);
void pager_line_back(struct pager *p, const char *line);
/* The age of the oldest page that no route has tried yet; its check in *check. 0: none. */
int64_t pager_overdue_ms(const struct pager *p, const char **check);

#endif
