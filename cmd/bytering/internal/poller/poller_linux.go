// Package poller makes the runtime set up its poller while there are descriptors for
// it. The runtime ends a process that it can't give them, and once the ends are open
// there may be none left.
//
// That has to be done before other packages are initialised, some of which have the
// runtime set it up. Packages are initialised in the order of their paths where
// imports leave a choice, so this one imports little.
package poller

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// descriptors is how many the poller has.
const descriptors = 2

func init() {
	var fds [descriptors]int
	for i := range fds {
		fd, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, 0, syscall.F_DUPFD_CLOEXEC, 0)
		if errno != 0 {
			refuse(errno)
		}
		fds[i] = int(fd)
	}
	for _, fd := range fds {
		syscall.Close(fd)
	}
	time.AfterFunc(0, func() {}) // a timer needs the poller
}

// refuse ends the process as the command ends one that can't begin.
func refuse(errno syscall.Errno) {
	name := os.Args[0][strings.LastIndexByte(os.Args[0], '/')+1:]
	if name != "mbuffer" && name != "pv" {
		name = "bytering"
	}
	os.Stderr.WriteString(name + ": not enough file descriptors: " + strconv.Itoa(descriptors) + " more are needed: " + errno.Error() + "\n")
	os.Exit(1)
}
