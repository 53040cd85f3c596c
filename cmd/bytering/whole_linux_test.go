package main

import (
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const huge = 1_000_000_000

func quickSum() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

// TestHugePipe moves 10⁹ bytes from a pipe to a pipe.
func TestHugePipe(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 10⁹ bytes")
	}
	in, feed := modePipe(t, false)
	r, w := modePipe(t, false)
	p := prepare(t)
	p.Stdin, p.Stdout = in, w
	p.start()
	in.Close()
	w.Close()
	want := quickSum()
	fed := make(chan error, 1)
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(want, feed)},
			io.LimitReader(flow(), huge), make([]byte, 1<<20))
		feed.Close()
		fed <- err
	}()
	got := quickSum()
	n, err := io.CopyBuffer(got, struct{ io.Reader }{r}, make([]byte, 1<<20))
	if err := <-fed; err != nil {
		t.Error(err)
	}
	if n != huge || got.Sum32() != want.Sum32() || err != nil {
		t.Errorf("%d bytes of sum %x, %v; want %d of %x", n, got.Sum32(), err, huge, want.Sum32())
	}
	contains(t, p.end(exitDone, 1), "bytering: 1000000000 bytes")
}

// TestHugeFile reads 10⁹ bytes from a file with holes.
func TestHugeFile(t *testing.T) {
	if testing.Short() {
		t.Skip("moves 10⁹ bytes")
	}
	from := filepath.Join(t.TempDir(), "source")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(huge); err != nil {
		t.Skip(err)
	}
	for i := range int64(200) {
		if _, err := f.WriteAt(fmt.Appendf(nil, "mark %d", i), i*i*25_000); err != nil {
			t.Fatal(err)
		}
	}
	want := quickSum()
	if _, err := io.CopyBuffer(want, struct{ io.Reader }{f}, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	r, w := modePipe(t, false)
	p := prepare(t, "-i", from)
	p.Stdout = w
	p.start()
	w.Close()
	got := quickSum()
	n, err := io.CopyBuffer(got, struct{ io.Reader }{r}, make([]byte, 1<<20))
	if n != huge || got.Sum32() != want.Sum32() || err != nil {
		t.Errorf("%d bytes of sum %x, %v; want %d of %x", n, got.Sum32(), err, huge, want.Sum32())
	}
	contains(t, p.end(exitDone, 1), "bytering: 1000000000 bytes")
}

// TestChangingFile: a file that grows while it is read is read to its new end,
// and one that shrinks to where that is then.
func TestChangingFile(t *testing.T) {
	for _, size := range []int64{24 << 20, 7<<20 + 1} {
		from := randomFile(t, 16<<20)
		r, w := modePipe(t, false)
		p := prepare(t, "-i", from, "-m", "2M")
		p.Stdout = w
		p.start()
		w.Close()
		await(t, r) // it can't be farther than its ring and the pipe are large
		if err := os.Truncate(from, size); err != nil {
			t.Fatal(err)
		}
		if got, want := sum(t, r), sumFile(t, from); got != want {
			t.Errorf("%s arrived, and the file has %s", got, want)
		}
		contains(t, p.end(exitDone, 1), fmt.Sprintf("bytering: %d bytes", size))
	}
}

// TestFullDisk: a disk that gets full has what the message says, and that is
// the beginning of the source.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1M"); err != nil {
		t.Skipf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	from := randomFile(t, 5<<20)
	for _, taken := range []int64{0, 1000_001, 1 << 20} {
		fill, to := filepath.Join(dir, "fill"), filepath.Join(dir, "sink")
		if err := os.WriteFile(fill, make([]byte, taken), 0o600); err != nil {
			t.Fatal(err)
		}
		p := prepare(t, "-i", from, "-o", to, "-s", "100000")
		p.start()
		said := p.end(exitSink, 1)
		contains(t, said, "write "+to+": no space left on device; ")
		info, err := os.Stat(to)
		if err != nil {
			t.Fatal(err)
		}
		if n, exact := parseSafe(t, said); !exact || n != info.Size() || n > 1<<20-taken {
			t.Errorf("%q, and the file has %d bytes", said, info.Size())
		}
		f, err := os.Open(from)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sumFile(t, to), sum(t, io.LimitReader(f, info.Size())); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		f.Close()
		os.Remove(to)
		os.Remove(fill)
	}
}

// TestSmallStreams: nothing and one byte, over pipes.
func TestSmallStreams(t *testing.T) {
	for _, n := range []int64{0, 1} {
		p := prepare(t)
		in, feed := modePipe(t, false)
		r, w := modePipe(t, false)
		p.Stdin, p.Stdout = in, w
		p.start()
		in.Close()
		w.Close()
		if _, err := io.Copy(feed, random(n)); err != nil {
			t.Fatal(err)
		}
		feed.Close()
		if got, want := sum(t, r), sum(t, random(n)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		contains(t, p.end(exitDone, 1), fmt.Sprintf("bytering: %d bytes", n))
	}
}
