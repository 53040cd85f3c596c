//go:build linux

// This file is unsafe because rt_sigaction takes an address as a number, and
// package signal can't set a signal to the system's default: Go's own default
// for SIGQUIT is to print all stacks. What keeps it safe: the conversion stands
// in the call, and the kernel reads no more than the size of the set tells it to,
// which the zeros cover on every machine.

package main

import (
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// raise ends the process with the signal, so that its parent, such as a shell
// with a loop, sees that. It dumps no core. It returns if the signal does not
// end the process, such as the first process of a container.
func raise(sig syscall.Signal) {
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	var zero [64]byte // SIG_DFL, without flags
	set := uintptr(8)
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		set = 16
	}
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&zero)), 0, set, 0, 0)
	syscall.Kill(syscall.Getpid(), sig)
	time.Sleep(100 * time.Millisecond) // another thread may take the signal
}
