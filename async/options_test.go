package async_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

func TestInvalidOptions(t *testing.T) {
	p, c := pair(t, 100)
	for _, o := range []async.Option{async.Depth(0), async.Block(0), async.Offset(-1), async.Length(-1), async.Stall(-1)} {
		_, err1 := async.Fill(t.Context(), p, bytes.NewReader(nil), o)
		_, err2 := async.Drain(t.Context(), c, new(file), o)
		_, err3 := async.DrainParts(t.Context(), c, nil, o)
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, async.ErrInvalidOption) || !strings.HasPrefix(err.Error(), "async: ") {
				t.Errorf("%v", err)
			}
		}
	}
	if _, err := async.DrainParts(t.Context(), c, nil, async.Block(100)); !errors.Is(err, async.ErrInvalidOption) {
		t.Errorf("a part as large as the ring: %v", err)
	}
}

// In the long run no allocation is made per block.
func TestAllocs(t *testing.T) {
	const block = 64
	for _, depth := range []int{1, 4} {
		run := func(blocks int64) func() {
			return func() {
				p, c, _ := bytering.New(8 * block)
				go func() {
					async.Fill(context.Background(), p, readerAt(func(b []byte, off int64) (int, error) { return len(b), nil }),
						async.Block(block), async.Depth(depth), async.Length(blocks*block), async.Stall(time.Hour))
					p.Close()
				}()
				s, err := async.Drain(context.Background(), c, writerAt(func(b []byte, off int64) (int, error) { return len(b), nil }),
					async.Block(block), async.Depth(depth), async.Stall(time.Hour))
				if err != nil || s.Safe != blocks*block {
					t.Errorf("%v, %+v", err, s)
				}
			}
		}
		few, many := testing.AllocsPerRun(5, run(500)), testing.AllocsPerRun(5, run(2500))
		if many > few+50 { // the runtime allocates some itself for goroutines that park
			t.Errorf("depth %d: %v allocations for 500 blocks, %v for 2500", depth, few, many)
		}
	}
}
