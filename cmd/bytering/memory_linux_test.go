package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// memoryGroup makes a control group that may have so many bytes of memory.
func memoryGroup(t *testing.T, bytes int) (group string) {
	t.Helper()
	for _, kind := range []struct{ root, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
		{"/sys/fs/cgroup", "memory.max"},
	} {
		group, err := os.MkdirTemp(kind.root, "bytering-test")
		if err != nil {
			continue
		}
		t.Cleanup(func() {
			for range 100 { // what has ended may still be counted
				if os.Remove(group) == nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
		if os.WriteFile(filepath.Join(group, kind.limit), fmt.Append(nil, bytes), 0o600) == nil {
			return group
		}
	}
	t.Skip("no control group of memory can be made here")
	return ""
}

// inGroup prepares the command in a control group.
func inGroup(t *testing.T, group string, args ...string) *process {
	t.Helper()
	p := prepare(t)
	p.Path = "/bin/sh"
	p.Args = append([]string{"sh", "-c", fmt.Sprintf(`echo $$ >%s/cgroup.procs && exec "$0" "$@"`, group), binary}, args...)
	return p
}

// TestMemoryGroup: a ring that a control group would kill for is refused before a
// byte is moved, and one that fits may fill up.
func TestMemoryGroup(t *testing.T) {
	t.Parallel()
	group := memoryGroup(t, 100<<20)
	// In a group below that, whose own limit is wider.
	inner := filepath.Join(group, "inner")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(inner) })
	for _, dir := range []string{group, inner} {
		for _, ring := range []string{"200M", "81M", "81%"} {
			to := filepath.Join(t.TempDir(), "sink")
			p := inGroup(t, dir, "-i", "/dev/zero", "-o", to, "-m", ring)
			p.start()
			contains(t, p.end(exitRefused, 1), "-m, --memory "+ring+": more than 80% of the memory that the control group has, which is 100 MiB")
			if info, err := os.Stat(to); err == nil {
				t.Errorf("%s: an output of %d bytes is there", ring, info.Size())
			}
		}
	}
	for ring, want := range map[string]int{"60M": 60 << 20, "60%": 60 << 20} {
		p := inGroup(t, group, "-q", "-m", ring)
		r, w := modePipe(t, false)
		in, feed := modePipe(t, false)
		p.Stdin, p.Stdout = in, w
		p.start()
		in.Close()
		w.Close()
		fed := make(chan error, 1)
		n := int64(want + 4<<20)
		go func() {
			_, err := feed.ReadFrom(random(n))
			feed.Close()
			fed <- err
		}()
		settle()
		if got, want := sum(t, r), sum(t, random(n)); got != want {
			t.Errorf("%s: %s, want %s", ring, got, want)
		}
		if err := <-fed; err != nil {
			t.Error(err)
		}
		p.end(exitDone, 0)
	}
}

// TestShareOfMemory: a percentage is of the memory that there is.
func TestShareOfMemory(t *testing.T) {
	limit, _ := memoryLimit()
	for share, want := range map[float64]float64{50: 0.5, 2: 0.02, 0.5: 0.005} {
		s := &stream{config: config{share: share, block: size{largestBlock, ""}}}
		if err := s.fitMemory(); err != nil {
			t.Fatal(err)
		}
		if got := float64(s.memory.bytes) / float64(limit); got < want*0.999 || got > want*1.001 {
			t.Errorf("%v%% of %d is %d", share, limit, s.memory.bytes)
		}
	}
}
