package main

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// tune enlarges a pipe. The cost of a pipe is mostly that of waking its ends
// each time that it runs full or empty, which is the same for any size. It is
// not an error if the user has used up the system's limit. If little of the
// limit is left, tune leaves it to other pipes.
//
// A standard pipe is opened again in non-blocking mode, so that a blocked call
// can be interrupted and its bytes be counted. Setting O_NONBLOCK on the
// inherited descriptor would set it for all processes that share it. If the pipe
// can't be opened again, as another user's pipe can't, the inherited descriptor
// is used. It is also used if it is the wrong end of the pipe, so that the
// command can do nothing that the descriptor does not allow.
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

// The pipes of a user without privileges may together hold this much. A user
// above the limit gets new pipes of two pages, in all programs.
const (
	pipeLimit = "/proc/sys/fs/pipe-user-pages-soft"
	// plenty, or a quarter of the limit if that is less, is how much must be left
	// so that a pipe gets the largest size. With a quarter of that left it gets the
	// smaller size.
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

// pipesLeft returns how much of the limit the user has left, up to most. It
// finds out by making pipes, which take no memory while they are empty.
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
			return most // without descriptors it can't be found out
		}
		fds = append(fds, p[:]...)
		if n, err := unix.FcntlInt(uintptr(p[0]), unix.F_SETPIPE_SZ, largestBlock); err != nil || n < largestBlock {
			return left
		}
	}
	return left
}
