package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// loopDevice makes a block device of a file of so many bytes.
func loopDevice(t *testing.T, n int64) (device string) {
	t.Helper()
	back := randomFile(t, n)
	out, err := exec.Command("losetup", "-f", "--show", back).CombinedOutput()
	if err != nil {
		t.Skipf("losetup: %v: %s", err, out)
	}
	device = strings.TrimSpace(string(out))
	t.Cleanup(func() { exec.Command("losetup", "-d", device).Run() })
	return device
}

// TestBlockDevice: it has a size, and as an output it needs -f.
func TestBlockDevice(t *testing.T) {
	const n = 8 << 20
	device := loopDevice(t, n)
	f, err := os.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := deviceSize(f); got != n {
		t.Errorf("%d bytes, want %d", got, n)
	}
	for _, stdin := range []bool{false, true} {
		term := newTerminal(t, 80)
		term.watch()
		p := prepare(t, "-o", os.DevNull)
		if stdin {
			p.Stdin = f
		} else {
			p.Args = append(p.Args, "-i", device)
		}
		p.on(term.slave)
		p.start()
		p.end(exitDone, 0)
		eventually(t, "the summary", func() bool { return strings.HasSuffix(term.String(), "/s\r\n") })
		contains(t, term.String(), "=>]", "100%")
	}

	from := randomFile(t, 1<<20+512)
	p := prepare(t, "-q", "-i", from, "-o", device)
	p.start()
	contains(t, p.end(exitRefused, 1), "open "+device+": is a block device (-f overwrites it)")
	// As mbuffer it needs none.
	for as, args := range map[string]string{"bytering": "-q -f", "mbuffer": "-q"} {
		from := randomFile(t, 1<<20+512)
		p := runAs(t, as, append(strings.Fields(args), "-i", from, "-o", device)...)
		p.start()
		p.end(exitDone, 0)
		if out, err := exec.Command("cmp", "-n", fmt.Sprint(1<<20+512), from, device).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", as, err, out)
		}
	}
	// The same device at both ends.
	p = prepare(t, "-q", "-f", "-i", device, "-o", device)
	p.start()
	contains(t, p.end(exitRefused, 1), device+" is both input and output")
}

// TestMountedDevice: one that is mounted is not written to, whatever is forced.
func TestMountedDevice(t *testing.T) {
	device := loopDevice(t, 8<<20)
	if out, err := exec.Command("mkfs.ext4", "-q", device).CombinedOutput(); err != nil {
		t.Skipf("mkfs: %v: %s", err, out)
	}
	at := t.TempDir()
	if out, err := exec.Command("mount", device, at).CombinedOutput(); err != nil {
		t.Skipf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", at).Run() })
	p := prepare(t, "-f", "-i", randomFile(t, 4096), "-o", device)
	p.start()
	contains(t, p.end(exitRefused, 1), "open "+device+": device or resource busy")
	exec.Command("umount", at).Run()
	if out, err := exec.Command("fsck.ext4", "-n", device).CombinedOutput(); err != nil {
		t.Errorf("the file system is damaged: %v: %s", err, out)
	}
}

// TestWholeBlocks: each write but the last has a whole block, however the bytes
// come in.
func TestWholeBlocks(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip(err)
	}
	const n, block = 1<<20 + 5000, 64 << 10
	for _, args := range []string{"-m 200000", "-m 1M -R 1G", "-m 64K -o /dev/null"} {
		to := filepath.Join(t.TempDir(), "sink")
		trace := filepath.Join(t.TempDir(), "trace")
		p := prepare(t)
		p.Path, p.Args = strace, append([]string{"strace", "-f", "-qq", "-o", trace, "-e", "trace=write,writev", "-P", to, binary, "-q", "--obs", "64K", "-o", to}, strings.Fields(args)...)
		in, feed := modePipe(t, false)
		p.Stdin = in
		p.start()
		in.Close()
		go func() {
			defer feed.Close()
			r := random(n)
			for i := 0; ; i++ {
				b := make([]byte, 1+i*997%9000)
				m, err := r.Read(b)
				if feed.Write(b[:m]); err != nil {
					return
				}
			}
		}()
		p.end(exitDone, 0)
		if got, want := sumFile(t, to), sum(t, random(n)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		writes := regexp.MustCompile(`writev?\(.*= (\d+)\n`).FindAllStringSubmatch(string(text), -1)
		if len(writes) != n/block+1 || strings.Contains(string(text), "}, {") {
			t.Errorf("%s: %d writes, want %d:\n%s", args, len(writes), n/block+1, text)
		}
		for i, w := range writes {
			if want := fmt.Sprint(block); w[1] != want && i < len(writes)-1 {
				t.Errorf("%s: write %d has %s bytes", args, i, w[1])
			}
		}
	}
	p := prepare(t, "--obs", "64K", "-m", "32K")
	p.start()
	contains(t, p.end(exitRefused, 1), "-m, --memory 32K: holds no whole block of 65536 bytes")
}
