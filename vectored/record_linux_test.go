package vectored

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/bytering/bytering/internal/pattern"
)

// A read returns one packet and silently drops what does not fit. So the slices
// must have the room that the Boundary says.
func TestPackets(t *testing.T) {
	src, dst := packetPipe(t)
	r := must2(NewReader(src))(t)
	for _, size := range []int{1, 2, 3, 1316, 4095, 4096} {
		for slices := 1; slices <= 3; slices++ {
			for _, room := range []int{size, BoundaryOf(src).Room()} {
				packet := pattern.Bytes(uint64(size), size)
				must2(dst.Write(packet))(t)
				must2(dst.Write([]byte("apart")))(t)
				bufs := inSlices(room, slices)
				n, err := r.Readv(bufs)
				want(t, "Readv", n, err, size, nil)
				if !bytes.Equal(bytes.Join(bufs, nil)[:size], packet) {
					t.Errorf("a packet of %d bytes, read into %d slices of %d bytes, is not the one that was sent", size, slices, room)
				}
				n, err = r.Readv(inSlices(room+9, slices))
				want(t, "Readv of the next", n, err, 5, nil)
			}
		}
	}
	// A longer write is cut into packets that fit.
	must2(dst.Write(make([]byte, 3*os.Getpagesize())))(t)
	for range 3 {
		n, err := r.Readv(inSlices(MaxMessage, 2))
		want(t, "Readv of a long write", n, err, BoundaryOf(src).Room(), nil)
	}
}

func TestRecords(t *testing.T) {
	room := [][]byte{make([]byte, Record.Room())}
	t.Run("eventfd", func(t *testing.T) {
		f := eventfd(t)
		r := must2(NewReader(f))(t)
		const event = 0x0101010101010101 // the same in either byte order, which some emulators confuse
		must2(f.Write(binary.NativeEndian.AppendUint64(nil, event)))(t)
		n, err := r.Readv(room)
		want(t, "Readv", n, err, 8, nil)
		if got := binary.NativeEndian.Uint64(room[0]); got != event {
			t.Errorf("the event is %#x", got)
		}
		must2(f.Write(binary.NativeEndian.AppendUint64(nil, event)))(t)
		n, err = r.Readv([][]byte{make([]byte, 7)})
		want(t, "Readv without room for a record", n, err, 0, syscall.EINVAL)
	})
	t.Run("inotify", func(t *testing.T) {
		f, dir := inotify(t), t.TempDir()
		r := must2(NewReader(f))(t)
		must2(syscall.InotifyAddWatch(int(descriptor(t, f)), dir, syscall.IN_CREATE))(t)
		must(t, 0, os.WriteFile(filepath.Join(dir, "name"), nil, 0o600))
		n, err := r.Readv(inSlices(64, 3))
		want(t, "Readv of slices without room for a record", n, err, 0, syscall.EINVAL)
		n, err = r.Readv(room)
		want(t, "Readv", n, err, 32, nil)
		if !bytes.HasPrefix(room[0][16:], []byte("name\x00")) {
			t.Errorf("the event is %q", room[0][:n])
		}
	})
	t.Run("/dev/kmsg", func(t *testing.T) {
		r := must2(NewReader(device(t, "/dev/kmsg")))(t)
		n, err := r.Readv(room)
		if errors.Is(err, syscall.EPERM) {
			t.Skip(err)
		}
		for errors.Is(err, syscall.EPIPE) { // the record was overwritten meanwhile
			n, err = r.Readv(room)
		}
		must(t, n, err)
		if b := room[0][:n]; !bytes.Contains(b, []byte(";")) || !bytes.HasSuffix(b, []byte("\n")) {
			t.Errorf("the record is %q", b)
		}
	})
}
