package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
)

// Messages at standard input arrive whole, whatever ring is asked for, also one
// that has no room for a message, and a block that would cut one.
func TestMessages(t *testing.T) {
	var sockets [2]int
	seqpacket := func() ([2]int, error) {
		return syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	}
	packets := func() (fds [2]int, err error) {
		err = syscall.Pipe2(sockets[:], syscall.O_DIRECT|syscall.O_CLOEXEC)
		return [2]int{sockets[0], sockets[1]}, err
	}
	for name, link := range map[string]struct {
		open    func() ([2]int, error)
		largest int
	}{"SEQPACKET": {seqpacket, 60_000}, "packet pipe": {packets, 4096}} {
		for _, args := range [][]string{nil, {"-m", "16K"}, {"-m", "1K"}, {"-s", "512"}} {
			t.Run(name, func(t *testing.T) {
				fds, err := link.open()
				if err != nil {
					t.Skip(err)
				}
				in, out := os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name)
				var sent, got bytes.Buffer
				p := prepare(t, append(args, "-q")...)
				p.Stdin, p.Stdout = in, &got
				p.start()
				in.Close()
				sizes := []int{1316, 1, 100, link.largest, 4000}
				one := make([]byte, link.largest)
				src := rand.NewChaCha8([32]byte{})
				for i := range 2000 {
					msg := one[:sizes[i%len(sizes)]]
					io.ReadFull(src, msg)
					sent.Write(msg)
					if _, err := out.Write(msg); err != nil {
						t.Fatal(err)
					}
				}
				out.Close()
				p.end(0, 0)
				if !bytes.Equal(got.Bytes(), sent.Bytes()) {
					t.Errorf("%d bytes of %d, or others", got.Len(), sent.Len())
				}
			})
		}
	}
}

// The kernel's log, of which a read with little room fails.
func TestKernelLog(t *testing.T) {
	f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skip(err)
	}
	f.Close()
	p := prepare(t, "-q", "-m", "4K", "-i", "/dev/kmsg")
	r, w := pipe(t)
	p.Stdout = w
	p.start()
	w.Close()
	if _, err := io.ReadFull(r, make([]byte, 2000)); err != nil {
		t.Errorf("the log: %v", err)
	}
	r.Close()
	p.await()
}
