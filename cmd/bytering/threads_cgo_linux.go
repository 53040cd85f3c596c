//go:build cgo && !netgo

// This file is C because package net links the C library if cgo is on, as in a
// plain go build. The C library then makes all threads, each with 8 MiB of
// addresses for its stack and 64 MiB for its heap, which a limit such as ulimit
// -v counts. The only C code that runs in these threads is the one that makes
// another thread.

package main

/*
#define _GNU_SOURCE
#include <pthread.h>
#include <malloc.h>

__attribute__((constructor)) static void small_threads(void) {
	pthread_attr_t attr;
	if (pthread_attr_init(&attr) == 0) {
		if (pthread_attr_setstacksize(&attr, 256 << 10) == 0)
			pthread_setattr_default_np(&attr);
		pthread_attr_destroy(&attr);
	}
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 1);
#endif
}
*/
import "C"
