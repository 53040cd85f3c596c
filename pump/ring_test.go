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
