package pump

import (
	"bytes"
	"io"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestMessagesNeedNoOtherGoroutine checks that the source's goroutine writes what the
// sink takes at once, whether the source polls or not. Between two connections a few
// messages may come without a wait.
func TestMessagesNeedNoOtherGoroutine(t *testing.T) {
	for _, name := range []string{"a connection", "a plain reader"} {
		client, end := tcp(t)
		dst, server := tcp(t)
		var src io.Reader = end
		if name == "a plain reader" {
			src = readerFunc(end.Read)
		}
		sizes := []int{1, 20, 511, 77}[:maxForwards] // another reader has room for 511
		over, f, pool := feeding(t, dst, src)
		for i, size := range sizes {
			message := stream(size)
			client.Write(message)
			got := make([]byte, len(message))
			if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, message) {
				t.Fatalf("%s: message %d: other bytes, error %v", name, i, err)
			}
		}
		client.Close()
		<-over
		if in, out := f.in.stats(), f.out.stats(); out.Bytes != in.Bytes || out.Calls != int64(len(sizes)) {
			t.Errorf("%s: the sink has %+v of %d bytes", name, out, in.Bytes)
		}
		if pool.lent != 0 || pool.kept != smallestRing {
			t.Errorf("%s: %d bytes of rings are lent, %d kept", name, pool.lent, pool.kept)
		}
	}
}

// TestTriesObeyMaxCall checks that what is more than one call may be offered is left to
// the sink's goroutine. A read of a pipe is offered more than that.
func TestTriesObeyMaxCall(t *testing.T) {
	var got bytes.Buffer
	tries := 0
	write := func(bufs [][]byte) (int, error) {
		b := bytes.Join(bufs, nil)
		if len(b) > 7 {
			t.Errorf("a call is offered %d bytes", len(b))
		}
		return got.Write(b)
	}
	sink := trier{func(bufs [][]byte) (int, error) { tries++; return write(bufs) }, write}
	src, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	pw.Write(stream(500))
	pw.Close()
	if _, err := Copy(t.Context(), sink, src, MaxCall(7), WithPool(new(Pool)), ofRelay); err != nil || tries != 1 {
		t.Errorf("%d tries, error %v", tries, err)
	}
	arrived(t, got.Bytes(), 500)
}

// TestTryFindsABrokenConnection checks that the error of a connection, which the system
// reports once, is not lost.
func TestTryFindsABrokenConnection(t *testing.T) {
	client, src := tcp(t)
	dst, server := tcp(t)
	server.SetLinger(0)
	server.Close() // resets the connection
	done := start(t.Context(), dst, src, WithPool(new(Pool)), ofRelay)
	for {
		client.Write([]byte{1}) // the reset may come after a few of these
		select {
		case r := <-done:
			failed(t, r.err, Sink, syscall.ECONNRESET)
			return
		case <-time.After(time.Millisecond):
		}
	}
}
