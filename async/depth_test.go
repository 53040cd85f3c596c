package async_test

import (
	"bytes"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bytering/bytering/async"
)

// Depth operations in flight need a capacity of (Depth + 1) × Block. With a smaller
// ring the depth is lower, and Stats reports it.
func TestDepthAndCapacity(t *testing.T) {
	const block = 100
	for _, tc := range []struct{ capacity, depth, want int }{
		{17 * block, 16, 16},
		{17*block - 1, 16, 15},
		{18*block - 1, 16, 16},
		{100 * block, 16, 16},
		{5 * block, 4, 4},
		{4 * block, 4, 3},
		{2 * block, 4, 1},
		{block, 4, 1},
		{block / 2, 4, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			now, most := 0, 0
			move := func(b []byte, _ int64) (int, error) {
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				return len(b), nil
			}
			_, s, err := fill(t, tc.capacity, readerAt(move), async.Block(block), async.Depth(tc.depth), async.Length(40*block))
			if err != nil || s.Depth != tc.want || most != tc.want {
				t.Errorf("Fill, %+v: stats %+v, %d reads at once, error %v", tc, s, most, err)
			}
			most = 0
			s, err = drain(t, tc.capacity, data(40*block), nil, writerAt(move), async.Block(block), async.Depth(tc.depth))
			if err != nil || s.Depth != tc.want || most != tc.want {
				t.Errorf("Drain, %+v: stats %+v, %d writes at once, error %v", tc, s, most, err)
			}
		})
	}
}

// A depth of 1 starts no goroutine: the operations run on the caller's.
func TestDepthOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := pair(t, 1000)
		before, most := runtime.NumGoroutine(), 0
		count := func(b []byte, _ int64) (int, error) {
			most = max(most, runtime.NumGoroutine())
			return len(b), nil
		}
		if s, err := async.Fill(t.Context(), p, readerAt(count), async.Block(100), async.Depth(1), async.Length(1000)); err != nil || s.Safe != 1000 {
			t.Errorf("%+v, %v", s, err)
		}
		p.Close()
		if s, err := async.Drain(t.Context(), c, writerAt(count), async.Block(100), async.Depth(1)); err != nil || s.Safe != 1000 {
			t.Errorf("%+v, %v", s, err)
		}
		if most > before {
			t.Errorf("there are %d goroutines, want the %d from before", most, before)
		}
	})
}

// A block that wraps takes two operations on a heap ring. No other block does.
func TestWrappingBlock(t *testing.T) {
	want := data(500)
	p, c := pair(t, 500)
	p.Write(make([]byte, 430))
	c.Discard(430)
	type op struct{ off, n int64 }
	var reads, writes []op
	s, err := async.Fill(t.Context(), p, readerAt(func(b []byte, off int64) (int, error) {
		reads = append(reads, op{off, int64(len(b))})
		return bytes.NewReader(want).ReadAt(b, off)
	}), async.Block(100), async.Depth(1), async.Length(500))
	if err != nil || s.Safe != 500 {
		t.Errorf("%+v, %v", s, err)
	}
	p.Close()
	var f file
	s, err = async.Drain(t.Context(), c, writerAt(func(b []byte, off int64) (int, error) {
		writes = append(writes, op{off, int64(len(b))})
		return f.WriteAt(b, off)
	}), async.Block(100), async.Depth(1))
	if err != nil || s.Safe != 500 {
		t.Errorf("%+v, %v", s, err)
	}
	ops := []op{{0, 70}, {70, 30}, {100, 100}, {200, 100}, {300, 100}, {400, 100}}
	if !slices.Equal(reads, ops) || !slices.Equal(writes, ops) {
		t.Errorf("reads %v, writes %v, want %v", reads, writes, ops)
	}
	same(t, "written", f.b, want)
}
