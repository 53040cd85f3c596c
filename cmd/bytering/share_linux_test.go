package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// asUser in the environment makes this program a user who has that many pipelines
// and says how large the pipes of the first and of the last are, and one that is
// made then.
const asUser = "BYTERING_TEST_AS_USER"

func init() {
	if n, err := strconv.Atoi(os.Getenv(asUser)); err == nil {
		os.Exit(pipelines(n))
	}
}

func pipelines(n int) int {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	size := func(f *os.File) (n int) {
		check(control(f, func(fd uintptr) (err error) { n, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); return err }))
		return n
	}
	var sizes []int
	for range n {
		in, feed, err := os.Pipe()
		check(err)
		r, w, err := os.Pipe()
		check(err)
		cmd := exec.Command("/proc/self/fd/4", "-q")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = in, w, os.Stderr
		cmd.ExtraFiles = []*os.File{os.NewFile(3, "test"), os.NewFile(4, "command")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		check(cmd.Start())
		// What comes through has passed pipes that are as large as they get.
		_, err = feed.WriteString("hi")
		check(err)
		_, err = r.Read(make([]byte, 2))
		check(err)
		sizes = append(sizes, size(feed), size(r))
	}
	r, _, err := os.Pipe()
	check(err)
	fmt.Println(sizes[0], sizes[1], sizes[len(sizes)-2], sizes[len(sizes)-1], size(r))
	return 0
}

// TestPipeShare: while little is left of what the pipes of a user may hold, none
// is made as large as it can be, and other programs of that user still get whole
// ones.
func TestPipeShare(t *testing.T) {
	if pages, ok := number(pipeLimit); !ok || pages*os.Getpagesize() != 64<<20 {
		t.Skipf("pipes may hold %d pages", pages)
	}
	if os.Getuid() != 0 {
		t.Skip("only root can become a user who has no pipes yet")
	}
	for n, want := range map[int]string{
		2:  "1048576 1048576 1048576 1048576 65536\n",
		60: "1048576 1048576 65536 65536 65536\n",
	} {
		p := prepare(t)
		p.Env = append(os.Environ(), fmt.Sprintf("%s=%d", asUser, n))
		p.Path, p.Dir = "/proc/self/fd/3", "/"
		for _, name := range []string{os.Args[0], binary} {
			if err := os.Chmod(name, 0o755); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			p.ExtraFiles = append(p.ExtraFiles, f)
		}
		p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(60_000 + n), Gid: 65534}}
		var out bytes.Buffer
		p.Stdout = &out
		p.start()
		p.end(exitDone, 0)
		if got := out.String(); got != want {
			t.Errorf("%d pipelines: %s, want %s", n, got, want)
		}
	}
}
