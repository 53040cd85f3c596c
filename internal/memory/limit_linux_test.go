package memory

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// limited runs the test again in a process of its own, with a limit and without
// root's exemption from it. It returns true in that process.
func limited(t *testing.T, resource int, limit uint64) bool {
	if os.Getenv("LIMITED") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "LIMITED=1", "LIMITED_FILE="+tempFile(t).Name())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if !strings.Contains(string(out), "--- PASS") {
			t.Skipf("%s", out)
		}
		return false
	}
	l := syscall.Rlimit{Cur: limit, Max: limit}
	if err := syscall.Setrlimit(resource, &l); err != nil {
		t.Skip(err)
	}
	return true
}

func TestLockBeyondTheLimit(t *testing.T) {
	if !limited(t, rlimitMemlock(), uint64(2*page)) {
		return
	}
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			t.Skip(err)
		}
	}
	for _, o := range []Options{{Lock: true}, {Lock: true, Mirror: true}, {Lock: true, HugePages: true}} {
		m, err := New(2*page+1, o)
		asked := 3 * page
		if o.HugePages {
			asked = HugePage
		}
		want := fmt.Sprintf("bytering: memory cannot be locked: %d bytes, RLIMIT_MEMLOCK is %d: ", asked, 2*page)
		if !errors.Is(err, ErrLock) || m != nil || !strings.HasPrefix(fmt.Sprint(err), want) || strings.Count(err.Error(), "bytering: ") != 1 {
			t.Errorf("%+v: %v, want one prefix, %q", o, err, want)
		}
	}
	// The two mappings of mirrored memory count as one, and freeing them makes room
	// again.
	for range 3 {
		m, err := New(2*page, Options{Lock: true, Mirror: true})
		if err != nil {
			t.Fatal(err)
		}
		m.Free()
	}
}

// The signal for files beyond the limit would end the process.
func TestFileBeyondTheLimit(t *testing.T) {
	if !limited(t, syscall.RLIMIT_FSIZE, uint64(2*page)) {
		return
	}
	f, err := os.OpenFile(os.Getenv("LIMITED_FILE"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("cannot have %d bytes, RLIMIT_FSIZE is %d: ", 2*page+1, 2*page)
	if _, err := New(2*page+1, Options{File: f}); !errors.Is(err, ErrFile) || !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	m, err := New(2*page, Options{File: f, Mirror: true})
	if err != nil {
		t.Fatal(err)
	}
	m.Free()
	// Anonymous memory is not a file.
	if m, err = New(4*page, Options{Mirror: true}); err != nil {
		t.Fatal(err)
	}
	m.Free()
}
