/*
 * What the files of this room share: store.c writes through its thread, document.c makes what is written beside the
 * incidents, load.c reads all of it back. Nobody else includes it.
 */
#ifndef PAGERD_STORE_INTERNAL_H
#define PAGERD_STORE_INTERNAL_H

#include <pthread.h>

#include "lib/buf.h"
#include "store.h"

/* One write on its way to the disk: the mailbox between caller and thread. */
struct job {
	char *path;
	struct buf data;
	int error; /* errno; 0: durable */
};

struct store {
	char *state, *run;	    /* as given; run: NULL when there is none */
	char *dir, *bad_dir, *twin; /* twin: NULL when there is none */
	char *notes, *notes_twin;
	int lock;
	pthread_t thread;
	bool threaded;
	pthread_mutex_t mutex;
	pthread_cond_t wake, done;
	struct job *job; /* given to the thread; NULL: it is idle */
	bool finished;	 /* its answer stands in job->error */
	bool abandoned;	 /* nobody waits for it any more */
	bool quit;
};

void store_job_free(struct job *j);
/* 0: durable; else errno, ETIMEDOUT when the disk gave no answer within STORE_ANSWER_MS. The job is the thread's then. */
int store_write_through(struct store *s, struct job *j);
/* DIR/NAME.json, to be freed; NULL without a directory. */
char *store_document_path(const char *dir, const char *name);

#endif
