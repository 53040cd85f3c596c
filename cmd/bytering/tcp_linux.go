package main

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// setUserTimeout makes the connection fail if sent bytes are not acknowledged for
// that long, or can't be sent because the other host has no room.
func setUserTimeout(conn *net.TCPConn, d time.Duration) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	if outer := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(max(1, d.Milliseconds())))
	}); outer != nil {
		return outer
	}
	return os.NewSyscallError("setsockopt", err)
}

// deliver ends the stream to the other host and returns once that host has all
// of it. A close alone would not report bytes that are lost after it.
func deliver(ctx context.Context, f *os.File) error {
	err := control(f, func(fd uintptr) error { return unix.Shutdown(int(fd), unix.SHUT_WR) })
	if err == unix.ENOTCONN {
		err = syscall.ECONNRESET
	}
	for wait := time.Millisecond; err == nil; wait = min(2*wait, 100*time.Millisecond) {
		left := 0
		err = control(f, func(fd uintptr) (err error) {
			if left, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err != nil {
				return err
			}
			code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
			if err == nil && code != 0 {
				err = syscall.Errno(code)
			}
			return err
		})
		if err != nil || left == 0 {
			break
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	return err
}
