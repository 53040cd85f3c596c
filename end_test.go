//go:build !interleave

package bytering

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// WaitEnd waits for the end alone: neither space nor data ends it, whatever the
// policy and the number of consumers.
func TestWaitEnd(t *testing.T) {
	var cancel context.CancelCauseFunc
	for _, tc := range []struct {
		name string
		end  func(p *Producer, cs []*Consumer)
		want error
	}{
		{"the consumers close", func(_ *Producer, cs []*Consumer) {
			for _, c := range cs {
				c.Close()
			}
		}, io.ErrClosedPipe},
		{"a consumer's error", func(_ *Producer, cs []*Consumer) {
			for _, c := range cs {
				c.CloseWithError(errTest)
			}
		}, errTest},
		{"the producer closes", func(p *Producer, _ []*Consumer) { p.Close() }, io.ErrClosedPipe},
		{"the deadline", func(p *Producer, _ []*Consumer) { p.SetWriteDeadline(time.Now()) }, os.ErrDeadlineExceeded},
		{"the context", func(*Producer, []*Consumer) { cancel(errTest) }, errTest},
	} {
		for _, consumers := range []int{0, 2} {
			for _, opts := range [][]Option{nil, {Spin(time.Microsecond)}} {
				for _, begin := range []uint64{0, 1<<63 - 4, 1<<63 - 1} {
					synctest.Test(t, func(t *testing.T) {
						var ctx context.Context
						ctx, cancel = context.WithCancelCause(t.Context())
						defer cancel(nil)
						p, cs := some(t, 4, consumers, append(opts, startAt(begin))...)
						p.Write([]byte("abc"))
						var got error
						ended := false
						go func() { got = p.WaitEnd(ctx); ended = true }()
						for _, c := range cs {
							synctest.Wait()
							c.Read(make([]byte, 2))
							c.Read(make([]byte, 2))
							go c.Read(make([]byte, 1)) // parks, and would take what is free
						}
						synctest.Wait()
						if ended {
							t.Fatalf("%s: it ended before with %v", tc.name, got)
						}
						tc.end(p, cs)
						synctest.Wait()
						if !ended || !errors.Is(got, tc.want) {
							t.Errorf("%s: ended %t, %v", tc.name, ended, got)
						}
						closeAll(p, cs)
					})
				}
			}
		}
	}
	p, c := pair(t, 4)
	c.Close()
	if err := p.WaitEnd(t.Context()); err != io.ErrClosedPipe {
		t.Errorf("after the end: %v", err)
	}
}
