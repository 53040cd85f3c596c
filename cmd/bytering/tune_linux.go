package main

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// tune makes a pipe hold more, because what a pipe costs is mostly the waking
// of both ends, a fixed price for each time that it runs full or empty. A user
// who has used up the system's limit may not, which is no failure.
//
// A standard pipe is opened again, without blocking, so that a call that waits
// can be interrupted and its bytes be counted. To set O_NONBLOCK on the
// one that was inherited would set it for all who share it. Where that can't be,
// as for another user's pipe, the inherited one does; also where it is the
// pipe's wrong end, so that nothing is allowed that it did not allow.
func (e *end) tune(flag int) {
	e.fifo(func(fd int) {
		if n, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0); err == nil && n < largestBlock {
			unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, largestBlock)
		}
		how, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if e.std == nil || err != nil || how&unix.O_ACCMODE != flag && how&unix.O_ACCMODE != unix.O_RDWR {
			return
		}
		if f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), flag|syscall.O_NONBLOCK, 0); err == nil {
			e.file = f
		}
	})
}

// fifo calls f if the end is a pipe.
func (e *end) fifo(f func(fd int)) {
	raw, err := e.file.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		var st unix.Stat_t
		if unix.Fstat(int(fd), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO {
			f(int(fd))
		}
	})
}
