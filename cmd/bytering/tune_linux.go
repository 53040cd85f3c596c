package main

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// tune makes a pipe hold more, because what a pipe costs is mostly the waking
// of both ends, a fixed price for each time that it runs full or empty. A user
// who has used up the system's limit may not, which is no failure. One who has
// little left keeps that for other pipes.
//
// A standard pipe is opened again, without blocking, so that a call that waits
// can be interrupted and its bytes be counted. To set O_NONBLOCK on the
// one that was inherited would set it for all who share it. Where that can't be,
// as for another user's pipe, the inherited one does; also where it is the
// pipe's wrong end, so that nothing is allowed that it did not allow.
func (e *end) tune(flag int) {
	e.fifo(func(fd int) {
		if n, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0); err == nil && n < pipeShare() {
			unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, pipeShare())
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

// All the pipes of a user without privileges may together hold so much. Who is
// above it gets new ones of two pages, in all programs.
const (
	pipeLimit = "/proc/sys/fs/pipe-user-pages-soft"
	// plenty is how much has to be left so that a pipe is made as large as it can
	// be, or a quarter of the limit if that is less. With a quarter of that left it
	// gets the smaller share.
	plenty       = 16 << 20
	smallerShare = 256 << 10
)

// pipeShare returns how large a pipe may be made.
var pipeShare = sync.OnceValue(func() int {
	most := plenty
	if pages, ok := number(pipeLimit); ok && pages > 0 {
		most = min(most, pages*os.Getpagesize()/4)
	}
	switch left := pipesLeft(most); {
	case left >= most:
		return largestBlock
	case left >= most/4:
		return smallerShare
	}
	return 0
})

// pipesLeft returns how much of the limit the user has left, up to most. The
// system tells it to who makes pipes, which take no memory while they are empty.
func pipesLeft(most int) (left int) {
	var fds []int
	defer func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}()
	for ; left < most; left += largestBlock {
		var p [2]int
		if unix.Pipe2(p[:], unix.O_CLOEXEC) != nil {
			return most // without descriptors it can't be told
		}
		fds = append(fds, p[:]...)
		if n, err := unix.FcntlInt(uintptr(p[0]), unix.F_SETPIPE_SZ, largestBlock); err != nil || n < largestBlock {
			return left
		}
	}
	return left
}
