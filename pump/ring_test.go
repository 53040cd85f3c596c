package pump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/internal/pattern"
)

// TestRing checks that bytes that are in the ring already come first, and that both
// halves are closed in the end, however the copy ends.
func TestRing(t *testing.T) {
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	for name, tc := range map[string]struct {
		ctx     context.Context
		src     io.Reader
		arrives int
		err     error
	}{
		"all of it":               {t.Context(), bytes.NewReader(stream(900)[4:]), 900, nil},
		"a source that fails":     {t.Context(), readerFunc(func([]byte) (int, error) { return 0, errTest }), 4, errTest},
		"a context that is over":  {ended, bytes.NewReader(stream(900)[4:]), 0, errTest},
		"an option that can't be": {t.Context(), bytes.NewReader(nil), 0, ErrInvalidMaxCall},
	} {
		p, c, err := bytering.New(100)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write(stream(4)); err != nil {
			t.Fatal(err)
		}
		opts := []Option{Ring(p, c)}
		if tc.err == ErrInvalidMaxCall {
			opts = append(opts, MaxCall(0))
		}
		var got bytes.Buffer
		_, err = Copy(tc.ctx, &got, tc.src, opts...)
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
		arrived(t, got.Bytes(), int64(tc.arrives))
		if open := tc.err == ErrInvalidMaxCall; (p.Err() == nil) != open || (c.Err() == nil) != open {
			t.Errorf("%s: Err of the halves is %v and %v", name, p.Err(), c.Err())
		}
	}
}

func TestInvalidRing(t *testing.T) {
	p, c, err := bytering.New(100)
	if err != nil {
		t.Fatal(err)
	}
	ring := func(end func(*bytering.Producer, *bytering.Consumer)) Option {
		p, c, err := bytering.New(100)
		if err != nil {
			t.Fatal(err)
		}
		p.Write(stream(4))
		end(p, c)
		return Ring(p, c)
	}
	p2, cs, err := bytering.NewBroadcast(100, 2)
	if err != nil {
		t.Fatal(err)
	}
	cs[0].Close()
	for name, tc := range map[string]struct {
		opts []Option
		says string
		is   error
	}{
		"nothing":     {[]Option{Ring(nil, nil)}, "a half is nil", ErrInvalidRing},
		"no consumer": {[]Option{Ring(p, nil)}, "a half is nil", ErrInvalidRing},
		"no producer": {[]Option{Ring(nil, c)}, "a half is nil", ErrInvalidRing},
		"made by new": {[]Option{Ring(new(bytering.Producer), new(bytering.Consumer))}, "two rings", ErrInvalidRing},
		"two rings":   {[]Option{Ring(p2, c)}, "two rings", ErrInvalidRing},
		"a capacity":  {[]Option{Capacity(7), Ring(p, c)}, "a Capacity of 7 bytes", ErrInvalidRing},
		"and after":   {[]Option{Ring(p, c), Capacity(-1)}, "a Capacity of -1 bytes", ErrInvalidRing},
		"closed": {[]Option{ring(func(p *bytering.Producer, c *bytering.Consumer) { p.Close(); c.Close() })},
			"closed, says its producer: io: read/write on closed pipe", io.ErrClosedPipe},
		"producer closed": {[]Option{ring(func(p *bytering.Producer, _ *bytering.Consumer) { p.Close() })},
			"closed, says its producer", io.ErrClosedPipe},
		"consumer closed": {[]Option{ring(func(_ *bytering.Producer, c *bytering.Consumer) { c.CloseWithError(errTest) })},
			"closed, says its producer", errTest},
		"one of two closed": {[]Option{Ring(p2, cs[0])}, "closed, says its consumer", io.ErrClosedPipe},
	} {
		read := readerFunc(func([]byte) (int, error) {
			t.Errorf("%s: the source was read", name)
			return 0, io.EOF
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // ends a copy whose ring would do nothing
		_, err := Copy(ctx, io.Discard, read, tc.opts...)
		cancel()
		if !errors.Is(err, ErrInvalidRing) || !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p2.Err() != nil || cs[1].Err() != nil {
		t.Errorf("Err of a refused ring's halves is %v and %v", p2.Err(), cs[1].Err())
	}
	a, b := net.Pipe()
	if _, _, err := Relay(t.Context(), a, b, Ring(p, c)); !errors.Is(err, ErrInvalidRing) {
		t.Errorf("Relay with one ring: %v", err)
	}
	if p.Err() != nil || c.Err() != nil {
		t.Errorf("Err of a refused ring's halves is %v and %v", p.Err(), c.Err())
	}
}

// TestRoundUp checks that sizes that no ring can have stay as they are.
func TestRoundUp(t *testing.T) {
	for _, tc := range []struct{ n, m, want int }{
		{1, 64, 64}, {63, 64, 64}, {64, 64, 64}, {65, 64, 128}, {7, 1, 7},
		{0, 64, 0}, {-1, 64, -1}, {math.MaxInt, 64, math.MaxInt}, {math.MaxInt - 63, 64, math.MaxInt - 63},
		{math.MaxInt - 64, 64, math.MaxInt - 63},
	} {
		if got := RoundUp(tc.n, tc.m); got != tc.want {
			t.Errorf("%d to multiples of %d: %d, want %d", tc.n, tc.m, got, tc.want)
		}
	}
}

// TestReadsOfRoom checks that a full ring is not refilled in small pieces: while the
// sink is slow, each read but the last has a quarter of the ring at least.
func TestReadsOfRoom(t *testing.T) {
	const size, total = 64 << 10, 1 << 20
	p, c, err := bytering.New(size)
	if err != nil {
		t.Fatal(err)
	}
	at, least := 0, size
	read := readvFunc(func(bufs [][]byte) (n int, err error) {
		offered := 0
		for _, b := range bufs {
			offered += len(b)
			b = b[:min(len(b), total-at-n)]
			pattern.Fill(b, uint64(at+n))
			n += len(b)
		}
		if n == 0 {
			return 0, io.EOF
		}
		at, least = at+n, min(least, offered)
		return n, nil
	})
	var got bytes.Buffer
	slow := writevFunc(func(bufs [][]byte) (int, error) {
		for c.Len() < size && p.Position() < total {
			time.Sleep(100 * time.Microsecond)
		}
		return got.Write(bytes.Join(bufs, nil))
	})
	if _, err := Copy(t.Context(), slow, read, Ring(p, c)); err != nil {
		t.Fatal(err)
	}
	arrived(t, got.Bytes(), total)
	if least < size/4 {
		t.Errorf("a read was offered %d bytes of a ring of %d", least, size)
	}
}

// TestRoomIsShared checks that the source does not wait for a quarter of the ring
// while another consumer waits for a byte more than it has.
func TestRoomIsShared(t *testing.T) {
	const size, total = 64, 300
	p, cs, err := bytering.NewBroadcast(size, 2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		defer cs[1].Close()
		for {
			if err := cs[1].Wait(ctx, size); err != nil {
				ended <- err
				return
			}
			cs[1].Discard(1)
		}
	}()
	var got bytes.Buffer
	_, err = Copy(ctx, &got, bytes.NewReader(stream(total)), Ring(p, cs[0]))
	if err != nil {
		t.Error(err)
	}
	if err := <-ended; err != io.ErrUnexpectedEOF {
		t.Errorf("the other consumer: %v", err)
	}
	arrived(t, got.Bytes(), total)
}

// TestEmptyReadsIntoARing checks that a source may return nothing now and then, but
// not for ever.
func TestEmptyReadsIntoARing(t *testing.T) {
	p, c, err := bytering.New(64)
	if err != nil {
		t.Fatal(err)
	}
	calls, total := 0, 3
	rarely := readerFunc(func(b []byte) (int, error) {
		calls++
		if calls > total*maxEmptyReads || calls%maxEmptyReads > 0 {
			return 0, nil
		}
		return copy(b[:1], stream(total)[calls/maxEmptyReads-1:]), nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var got bytes.Buffer
	_, err = Copy(ctx, &got, rarely, Ring(p, c))
	failed(t, err, Source, io.ErrNoProgress)
	arrived(t, got.Bytes(), int64(total))
}
