//go:build !linux

package main

import "os"

// tune does nothing: the size of a pipe can't be set here.
func (e *end) tune(int) {}

// watch does nothing. Here only the next write shows that the reader is gone.
func watch(_, _ *os.File, _ func()) {}

// enough, enoughMemory and enoughThreads return nil, because the limits are not
// known here.
func enough() error           { return nil }
func enoughMemory() error     { return nil }
func enoughThreads(int) error { return nil }
