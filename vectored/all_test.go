package vectored

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"github.com/bytering/bytering/internal/netwrite"
)

// setAll makes allWriters write with f until the test ends.
func setAll(t *testing.T, f func(io.Writer, *[][]byte) (int64, error)) {
	before := netwrite.All
	t.Cleanup(func() { netwrite.All = before })
	netwrite.All = f
}

// Where there is no writev, several slices go through net.Buffers. It must neither
// cut the caller's slices nor keep them.
func TestAllSlicesACall(t *testing.T) {
	calls := 0
	setAll(t, func(w io.Writer, bufs *[][]byte) (int64, error) {
		calls++
		return (*net.Buffers)(bufs).WriteTo(w)
	})
	conn, peer, raw := dialled(t)
	w := &allWriter{oneWriter: oneWriter{conn, raw}}

	big := make([]byte, 3*maxAll)
	bufs := [][]byte{nil, []byte("head"), {}, []byte("body")}
	for range 2 {
		n, err := w.Writev(bufs)
		want(t, "Writev", n, err, 8, nil)
		if string(bufs[1]) != "head" || string(bufs[3]) != "body" {
			t.Fatalf("the caller's slices are now %q", bufs)
		}
	}
	for _, b := range w.bufs[:cap(w.bufs)] {
		if b != nil {
			t.Errorf("the writer keeps %q", b)
		}
	}
	got := make([]byte, 16)
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != "headbodyheadbody" {
		t.Errorf("got %q, %v", got, err)
	}
	n, err := w.Writev([][]byte{nil, {}})
	want(t, "Writev of nothing", n, err, 0, nil)
	if calls != 2 {
		t.Errorf("%d calls were made", calls)
	}

	go io.Copy(io.Discard, peer)
	n, err = w.Writev([][]byte{big[:1], big, big})
	want(t, "Writev of much", n, err, maxAll, nil)
	calls = 0
	much := [][]byte{big[:1], nil, big}
	n, err = WriteAll(w, much...)
	want(t, "WriteAll of much", n, err, len(big)+1, nil)
	if calls != 1 || len(much[0]) != 1 || len(much[2]) != len(big) {
		t.Errorf("%d calls were made, so that other writes could come between, or the caller's slices were cut", calls)
	}
	conn.Close()
	closed := os.ErrClosed
	if !isClosed(raw) { // the system does not report it
		closed = net.ErrClosed
	}
	n, err = w.Writev(bufs)
	want(t, "Writev after Close", n, err, 0, closed)
}

func TestAllCounts(t *testing.T) {
	for _, tc := range []struct {
		n    int64
		err  error
		want int
		is   error
	}{{3, errTest, 3, errTest}, {-1, nil, 0, ErrInvalidCount}, {9, nil, 0, ErrInvalidCount}} {
		setAll(t, func(io.Writer, *[][]byte) (int64, error) { return tc.n, tc.err })
		for what, write := range map[string]func(w *allWriter, bufs ...[]byte) (int, error){
			"Writev":   func(w *allWriter, bufs ...[]byte) (int, error) { return w.Writev(bufs) },
			"WriteAll": func(w *allWriter, bufs ...[]byte) (int, error) { return WriteAll(w, bufs...) },
		} {
			n, err := write(new(allWriter), []byte("head"), []byte("body"))
			if n != tc.want || !errors.Is(err, tc.is) {
				t.Errorf("%s = %d, %v; want %d, %v", what, n, err, tc.want, tc.is)
			}
		}
	}
}
