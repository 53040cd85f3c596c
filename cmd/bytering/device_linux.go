package main

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// deviceSize returns how many bytes a block device has, or -1.
func deviceSize(f *os.File) int64 {
	const sector = 512 // whatever the device's own are
	sectors := -1
	if err := control(f, func(fd uintptr) (err error) {
		sectors, err = unix.IoctlGetInt(int(fd), unix.BLKGETSIZE)
		return err
	}); err != nil {
		return -1
	}
	return int64(sectors) * sector
}

// isTape reports whether a file is a tape. The number of its driver shows that.
func isTape(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return false
	}
	major := unix.Major(uint64(st.Rdev))
	return major == scsiTape || major == onStreamTape
}

// The drivers of tapes, as Linux numbers them.
const (
	scsiTape     = 9
	onStreamTape = 206
)

// exclusive makes the open of a block device fail if the device is mounted.
const exclusive = os.O_EXCL
