package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	_ "github.com/bytering/bytering/cmd/bytering/internal/poller"
	"golang.org/x/sys/unix"
)

// What the process needs, in addition to the ring and to what Go's runtime has
// when main begins. The runtime ends the process if it can't get a thread or
// memory, so these are checked first. Package poller checks for descriptors.
const (
	// moreThreads, in addition to one for each processor, are always enough. On
	// one processor fewThreads in all are enough, even if every end and the
	// terminal block: more than 9 were never seen.
	moreThreads = 12
	fewThreads  = 12
	// The heap grows by 4 MiB, and the runtime's own tables by less. Now and
	// then the runtime reserves 64 MiB of addresses for that, without memory.
	spareMemory    = 6 << 20
	spareAddresses = 64 << 20
)

// enough returns an error if the system's limits leave too little to start. If
// they leave few threads, it limits the process to those.
func enough() error {
	if err := enoughMemory(); err != nil {
		return err
	}
	many := runtime.GOMAXPROCS(0) + moreThreads
	left, limit := threadsLeft(many)
	if left >= many {
		return nil
	}
	runtime.GOMAXPROCS(1)
	if own := threads("self"); own+left < fewThreads {
		return fail(exitRefused, "not enough threads: it takes %d, has %d, and %s leaves %d more", fewThreads, own, limit, left)
	}
	return nil
}

// enoughThreads returns an error if the process can't have that many more threads.
// Each operation at depth that blocks has one.
func enoughThreads(more int) error {
	if left, limit := threadsLeft(more); left < more {
		return fail(exitRefused, "not enough threads: --depth takes up to %d more, and %s leaves %d", more, limit, left)
	}
	return nil
}

// enoughMemory returns an error if the system refuses memory that the runtime
// may need later.
func enoughMemory() error {
	addresses, err := unix.Mmap(-1, 0, spareAddresses, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil {
		defer unix.Munmap(addresses)
		var memory []byte
		if memory, err = unix.Mmap(-1, 0, spareMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE); err == nil {
			unix.Munmap(memory)
			return nil
		}
	}
	return fail(exitRefused, "not enough memory: %d MiB more are needed, of them %d of addresses alone: %w",
		(spareMemory+spareAddresses)>>20, spareAddresses>>20, err)
}

// threadsLeft returns how many more threads the known limits allow the process,
// at most many, and which limit is the narrowest.
func threadsLeft(many int) (left int, limit string) {
	left = many
	narrow := func(max, used int, by string) {
		if n := max - used; n < left {
			left, limit = n, fmt.Sprintf("%s of %d", by, max)
		}
	}
	own, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(own)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		root := "/sys/fs/cgroup"
		switch part[1] {
		case "":
		case "pids":
			root = "/sys/fs/cgroup/pids"
		default:
			continue
		}
		for dir := filepath.Join(root, part[2]); strings.HasPrefix(dir, root); dir = filepath.Dir(dir) {
			max, ok1 := number(filepath.Join(dir, "pids.max"))
			used, ok2 := number(filepath.Join(dir, "pids.current"))
			if ok1 && ok2 {
				narrow(max, used, "the control group's pids.max")
			}
		}
	}
	// Root is exempt from RLIMIT_NPROC.
	var user unix.Rlimit
	if os.Getuid() != 0 && unix.Getrlimit(unix.RLIMIT_NPROC, &user) == nil && user.Cur < searched {
		narrow(int(user.Cur), threadsOf(os.Getuid()), "RLIMIT_NPROC")
	}
	return left, limit
}

// searched is the largest limit on a user's threads for which they are counted.
// Counting visits all processes.
const searched = 4096

// threadsOf returns how many threads of a user can be seen.
func threadsOf(uid int) (n int) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range processes {
		if info, err := os.Stat(dir); err == nil && int(info.Sys().(*syscall.Stat_t).Uid) == uid {
			n += threads(filepath.Base(dir))
		}
	}
	return n
}

// threads returns how many threads a process has.
func threads(pid string) int {
	tasks, _ := os.ReadDir("/proc/" + pid + "/task")
	return len(tasks)
}

// number reads a file that contains a number. It returns false for anything
// else, such as "max".
func number(name string) (int, bool) {
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return n, err == nil
}
