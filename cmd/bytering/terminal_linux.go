package main

import "golang.org/x/sys/unix"

// echoes reports whether a terminal shows what is typed.
func echoes(fd int) bool {
	state, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil && state.Lflag&unix.ECHO != 0
}
