package pump

import (
	"bytes"
	"io"
	"testing"
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
