//go:build !interleave

package bytering

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// What the system does not let a process lock is an error that says how much
// it does. A ring that is within the limit is made, and gives its part of it
// back when it is closed.
func TestLockBeyondTheLimit(t *testing.T) {
	const limited = "BYTERING_TEST_LIMITED"
	if os.Getenv(limited) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLockBeyondTheLimit$", "-test.v")
		cmd.Env = append(os.Environ(), limited+"=1")
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ENOEXEC) {
			t.Skip("an emulated program starts no other:", err)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if strings.Contains(string(out), "--- SKIP") {
			t.Skipf("%s", out)
		}
		return
	}
	memlock := 8 // RLIMIT_MEMLOCK, which package syscall does not have
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		memlock = 9
	}
	page := os.Getpagesize()
	limit := 2 * page
	if err := syscall.Setrlimit(memlock, &syscall.Rlimit{Cur: uint64(limit), Max: uint64(limit)}); err != nil {
		t.Skip(err)
	}
	// Root is exempt.
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			t.Skip(err)
		}
	}
	p, c, err := New(limit+1, Lock())
	says := fmt.Sprintf("bytering: memory cannot be locked: %d bytes, RLIMIT_MEMLOCK is %d: ", limit+page, limit)
	if !errors.Is(err, ErrLock) || !strings.HasPrefix(fmt.Sprint(err), says) || p != nil || c != nil {
		t.Errorf("New: %v, want %q", err, says)
	}
	q, cs, err := NewBroadcast(limit+1, 2, Lock(), Mirror())
	if !errors.Is(err, ErrLock) || !strings.HasPrefix(fmt.Sprint(err), says) || q != nil || cs != nil {
		t.Errorf("NewBroadcast: %v, want %q", err, says)
	}
	for range 3 {
		p, c := pair(t, limit, Lock())
		fill(t, p, limit)
		if _, _, err := New(page, Lock()); !errors.Is(err, ErrLock) {
			t.Errorf("New beside a ring that uses the limit up: %v", err)
		}
		closeAll(p, []*Consumer{c})
	}
}
