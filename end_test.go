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

	"github.com/bytering/bytering/internal/seam"
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

// WaitSoft waits for all that it wants, unless a consumer waits for more than it
// has, and takes what there is at the end of its patience.
func TestWaitSoft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 8)
		p.Write([]byte("abcdef"))
		var err error
		ended := false
		wait := func() {
			ended = false
			go func() { err = p.WaitSoft(t.Context(), 5); ended = true }()
			synctest.Wait()
		}
		wait()
		c.Read(make([]byte, 2))
		if synctest.Wait(); ended {
			t.Fatalf("with 4 bytes free: %v", err)
		}
		c.Read(make([]byte, 1))
		if synctest.Wait(); !ended || err != nil {
			t.Fatalf("with 5 bytes free: %t, %v", ended, err)
		}
		p.Write([]byte("ghij"))
		wait()
		go c.Peek(8)
		if synctest.Wait(); !ended || err != nil || p.Free() != 1 {
			t.Fatalf("with a byte free that a consumer waits for: %t, %v", ended, err)
		}
		wait() // it waits already
		if !ended || err != nil {
			t.Fatalf("the second time: %t, %v", ended, err)
		}
		p.SetWriteDeadline(time.Now())
		if wait(); !ended || err != os.ErrDeadlineExceeded {
			t.Errorf("after the deadline: %t, %v", ended, err)
		}
		p.SetWriteDeadline(time.Time{})
		p.Close()
		if wait(); !ended || err != io.ErrClosedPipe {
			t.Errorf("after Close: %t, %v", ended, err)
		}
	})
	// A token that an earlier wait has left behind is not for this one.
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 8)
		p.Write([]byte("abcdefg"))
		seam.Post(p.ring.producer.target.token)
		ended := false
		go func() { p.WaitSoft(t.Context(), 5); ended = true }()
		if synctest.Wait(); ended {
			t.Error("it took a token that was left behind")
		}
		c.Close()
	})
	p, _ := pair(t, 8)
	for _, n := range []int{-1, 9} {
		if err := p.WaitSoft(t.Context(), n); !errors.Is(err, ErrRange) {
			t.Errorf("WaitSoft of %d: %v", n, err)
		}
	}
	p.Write(make([]byte, 8))
	if err := p.WaitSoft(t.Context(), 0); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	if err := p.WaitSoft(ctx, 1); err != errTest {
		t.Error(err)
	}
}
