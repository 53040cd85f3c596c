package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// leaving is how long a stream may take to end after its reader has left. A
// reader that knows the length of the stream, and leaves with the last byte, is
// not an error.
const leaving = 100 * time.Millisecond

// watch calls gone a little after the last reader of sink has left, if sink is a
// pipe or a socket. A socket that is also the source is not watched, because
// whatever ends the one ends the other.
//
// An epoll descriptor waits for errors of the sink alone, and Go's poller waits
// for that descriptor. So it takes no thread, and the sink's mode stays.
func watch(sink, source *os.File, gone func()) {
	out, err := sink.Stat()
	if err != nil || out.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return
	}
	if in, err := source.Stat(); err == nil && os.SameFile(in, out) {
		return
	}
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return
	}
	err = control(sink, func(fd uintptr) error {
		return unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, int(fd), &unix.EpollEvent{})
	})
	if err != nil || unix.SetNonblock(ep, true) != nil {
		unix.Close(ep)
		return
	}
	raw, err := os.NewFile(uintptr(ep), "epoll").SyscallConn()
	if err != nil {
		return
	}
	go func() {
		var events [1]unix.EpollEvent
		n := 0
		raw.Read(func(fd uintptr) bool {
			n, _ = unix.EpollWait(int(fd), events[:], 0)
			return n > 0
		})
		if n > 0 {
			time.Sleep(leaving)
			gone()
		}
	}()
}
