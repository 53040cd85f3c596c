//go:build !linux

package main

// allowFiles leaves the limit as it is: if it is too low, a connection fails.
func allowFiles(int) error { return nil }
