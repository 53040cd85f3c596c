//go:build !linux

package main

import "os"

// tune has nothing to do where a pipe's size can't be chosen.
func (e *end) tune(int) {}

// watch does nothing: here the next write shows that its reader is gone.
func watch(_, _ *os.File, _ func()) {}

// enough and its kin don't know here what the system would give.
func enough() error           { return nil }
func enoughMemory() error     { return nil }
func enoughThreads(int) error { return nil }
