package async_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
)

// A source that takes a while for each read is read at several offsets at once. The
// bytes come out in order.
func ExampleFill() {
	text := strings.NewReader("Each read of this source takes a while.\n")
	slow := readerAt(func(b []byte, off int64) (int, error) {
		time.Sleep(time.Millisecond)
		return text.ReadAt(b, off)
	})

	p, c, err := bytering.New(17 * 8)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		_, err := async.Fill(context.Background(), p, slow, async.Depth(16), async.Block(8))
		p.CloseWithError(err) // CloseWithError(nil) is Close
	}()
	_, err = c.WriteTo(os.Stdout)
	c.CloseWithError(err) // ends Fill if standard output failed
	// Output: Each read of this source takes a while.
}

// A store takes the parts of an upload, each up to 8 bytes, and is sometimes busy.
type store struct {
	busy  atomic.Int32
	parts [4]string
}

func (s *store) WritePart(ctx context.Context, part *async.Part) error {
	body := part.Open() // for this attempt
	defer body.Close()
	if s.busy.Add(1)%2 == 1 {
		return errors.New("busy")
	}
	b, err := io.ReadAll(body)
	s.parts[part.Index] = string(b)
	return err
}

// A part that fails is tried again, from the ring's memory, while others are
// written.
func ExampleDrainParts() {
	p, c, err := bytering.New(4 * 8)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		fmt.Fprint(p, "written in parts, read as one.")
		p.Close()
	}()
	s := new(store)
	again := func(err error, attempt int) (time.Duration, bool) { return time.Millisecond, attempt < 10 }
	stats, err := async.DrainParts(context.Background(), c, s, async.Depth(3), async.Block(8), async.Retry(again))
	c.CloseWithError(err)
	fmt.Printf("%q: %d bytes, %v\n", s.parts, stats.Safe, err)
	// Output: ["written " "in parts" ", read a" "s one."]: 30 bytes, <nil>
}

// A Meter shows how far a call has come and what it waits for.
func ExampleMeter() {
	p, c, err := bytering.New(1 << 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	var m async.Meter
	go func() {
		p.Write(make([]byte, 1<<20))
		p.Close()
	}()
	async.Drain(context.Background(), c, new(file), async.WithMeter(&m), async.Depth(2))
	s := m.Stats()
	fmt.Println(s.Safe, "bytes are safe,", s.InFlight, "of", s.Depth, "writes in flight")
	// Output: 1048576 bytes are safe, 0 of 2 writes in flight
}
