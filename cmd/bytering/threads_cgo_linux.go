//go:build cgo && !netgo

// This file is C because package net links the C library where cgo is on, as in a
// plain go build. All threads are then made by it, each with 8 MiB of addresses
// for its stack and 64 MiB for its heap, which a limit such as ulimit -v counts.
// No code of C runs in them but what makes another one.

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
