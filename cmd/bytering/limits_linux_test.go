package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// three is a program that shows where Go's runtime itself can start. Whatever
// imports a hash has 32 MiB of addresses more, which the standard library's random
// numbers may want.
const three = `package main
import ( _ "crypto/sha256"; _ "net/http"; "os" )
func main() { os.Stdout.WriteString("hi\n") }
`

func buildThree(t *testing.T, cgo string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "three.go"), []byte(three), 0o600); err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "three")
	build := exec.Command("go", "build", "-o", exe, filepath.Join(dir, "three.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return exe
}

// limited runs a program with arguments behind a shell's limit, and returns what
// it said and how it ended.
func limited(t *testing.T, limit string, argv ...string) (code int, said string) {
	t.Helper()
	p := prepare(t)
	p.Path, p.Args = "/bin/sh", append([]string{"sh", "-c", limit + ` && exec "$0" "$@"`}, argv...)
	p.Stdin, p.Stdout = strings.NewReader("hi\n"), &bytes.Buffer{}
	p.start()
	code, said = p.over()
	toFile := slices.Contains(argv, "-o")
	if got := p.Stdout.(*bytes.Buffer).String(); code == exitDone && got != "hi\n" && !toFile {
		t.Errorf("%s: %q came through", limit, got)
	}
	return code, said
}

// A tally is how a test's runs behind limits went.
type tally struct {
	t       *testing.T
	command string // instead of the usual binary, or ""
	works   int    // of the command
}

// try checks that the command works behind a limit, or is refused in one line. It
// reports whether it worked. If the runtime dies before main, or beside it, it
// starts the command anew.
func (y *tally) try(limit string, args ...string) bool {
	y.t.Helper()
	if y.command == "" {
		y.command = binary
	}
	var code int
	var said string
	for range 5 { // Chance decides anew where the heap begins.
		code, said = limited(y.t, limit, append([]string{y.command, "-q"}, args...)...)
		if !(code == 2 && !strings.Contains(said, "main.main") || strings.Contains(said, "fatal error: out of memory")) {
			break
		}
	}
	switch {
	case code == exitDone && said == "":
		y.works++
		return true
	case code == exitRefused && strings.HasPrefix(said, "bytering: ") && strings.Count(said, "\n") == 1:
	default:
		y.t.Errorf("%s: exit code %d; %q", limit, code, said)
	}
	return false
}

// starts reports whether the runtime can start, also where chance has a part.
func starts(t *testing.T, limit, exe string) bool {
	t.Helper()
	for range 4 {
		if code, _ := limited(t, limit, exe); code != 0 {
			return false
		}
	}
	return true
}

// TestAddressSpace goes from where the runtime can't start to where all works.
// Chance decides where in its arena the heap begins. So behind limits less than
// 64 MiB above that, about one start in a hundred of any Go program fails before
// its main.
func TestAddressSpace(t *testing.T) {
	t.Parallel()
	t.Run("static", func(t *testing.T) { testAddressSpace(t, buildThree(t, "0"), binary) })
	t.Run("cgo", func(t *testing.T) {
		plain := filepath.Join(t.TempDir(), "bytering")
		build := exec.Command("go", "build", "-o", plain, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
		if out, err := build.CombinedOutput(); err != nil {
			t.Skipf("%v: %s", err, out)
		}
		testAddressSpace(t, buildThree(t, "1"), plain)
	})
}

func testAddressSpace(t *testing.T, exe, command string) {
	y := tally{t: t, command: command}
	floor := 600_000
	for ; !starts(t, fmt.Sprint("ulimit -v ", floor), exe); floor += 4_000 {
		if floor > 1_000_000 {
			t.Skip("this system's Go has another floor")
		}
	}
	for kib := floor + 4_000; kib < floor+140_000; kib += 12_000 {
		y.try(fmt.Sprint("ulimit -v ", kib))
	}
	if y.works == 0 {
		t.Error("it worked behind no limit")
	}
	if !y.try("ulimit -v 5800000", "-m", "4G") {
		t.Error("a ring of 4 GiB is refused, for which there is room")
	}
	if y.try("ulimit -v 5200000", "-m", "4G") {
		t.Error("a ring of 4 GiB works, for which there is no room")
	}
	if !y.try("ulimit -d 95000") {
		t.Error("95 MB of data are not enough")
	}
	y.try("ulimit -d 85000")
}

func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	y := tally{t: t}
	for n := 4; n < 12; n++ { // of which a shell and the runtime take some
		y.try(fmt.Sprint("ulimit -n ", n))
		y.try(fmt.Sprint("ulimit -n ", n), "-i", randomFile(t, 3), "-o", filepath.Join(t.TempDir(), "sink"))
	}
	if y.works < 8 {
		t.Errorf("it worked %d times only", y.works)
	}
}

// threadGroup returns the limits of a control group to so many threads.
func threadGroup(t *testing.T) (limit func(n int) string) {
	t.Helper()
	group, err := os.MkdirTemp("/sys/fs/cgroup/pids", "bytering-test")
	if err != nil {
		if group, err = os.MkdirTemp("/sys/fs/cgroup", "bytering-test"); err != nil {
			t.Skip(err)
		}
	}
	t.Cleanup(func() { os.Remove(group) })
	if _, err := os.Stat(filepath.Join(group, "pids.max")); err != nil {
		t.Skip(err)
	}
	return func(n int) string {
		return fmt.Sprintf("echo %d >%[2]s/pids.max && echo $$ >%[2]s/cgroup.procs", n, group)
	}
}

// TestFewThreads: by a user's limit, and by a control group's where the test may
// make one. On a busy machine Go's runtime takes one or two threads more, and then
// any program may fail before its main, so the limits begin with as many above what
// three lines of Go start with.
func TestFewThreads(t *testing.T) {
	t.Parallel()
	exe := buildThree(t, "0")
	try := func(t *testing.T, exe, command string, limit func(n int) string) {
		y := tally{t: t, command: command}
		n := 3
		for n < 17 && !starts(t, limit(n), exe) {
			n++
		}
		for n += 2; n < 17; n++ {
			y.try(limit(n))
		}
		if y.works < 3 {
			t.Errorf("it worked with %d of the limits only", y.works)
		}
	}
	t.Run("pids.max", func(t *testing.T) {
		try(t, exe, binary, threadGroup(t))
	})
	t.Run("RLIMIT_NPROC", func(t *testing.T) {
		setpriv, err := exec.LookPath("setpriv")
		if err != nil || os.Getuid() != 0 {
			t.Skip("only root, with setpriv, can become another user")
		}
		dir, err := os.MkdirTemp("/tmp", "bytering-test") // where others may look
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		var moved [2]string
		for i, from := range []string{exe, binary} {
			b, err := os.ReadFile(from)
			moved[i] = filepath.Join(dir, filepath.Base(from))
			if err == nil {
				err = os.WriteFile(moved[i], b, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		try(t, moved[0], moved[1], func(n int) string {
			// A user of its own, whom no other process belongs to.
			return fmt.Sprintf(`exec %s --reuid 54321 --clear-groups prlimit --nproc=%d "$0" "$@"`, setpriv, n)
		})
	})
}

// TestStatic: the command that is released needs no library of the system.
func TestStatic(t *testing.T) {
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libs, err := f.ImportedLibraries()
	if err != nil || len(libs) > 0 {
		t.Errorf("it needs %v, %v", libs, err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it needs a loader")
		}
	}
}
