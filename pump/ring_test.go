package pump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/bytering/bytering"
)

// TestRing: what lies in the ring comes first, and its halves are closed in the
// end, however that comes.
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
		opts := []Option{Capacity(-1), Ring(p, c)} // the capacity is that of the ring
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
			t.Errorf("%s: the halves say %v and %v", name, p.Err(), c.Err())
		}
	}
}

func TestInvalidRing(t *testing.T) {
	p, c, err := bytering.New(100)
	if err != nil {
		t.Fatal(err)
	}
	for _, opt := range []Option{Ring(nil, nil), Ring(p, nil), Ring(nil, c)} {
		if _, err := Copy(t.Context(), io.Discard, bytes.NewReader(nil), opt); !errors.Is(err, ErrInvalidRing) {
			t.Errorf("Copy with half a ring: %v", err)
		}
	}
	a, b := net.Pipe()
	if _, _, err := Relay(t.Context(), a, b, Ring(p, c)); !errors.Is(err, ErrInvalidRing) {
		t.Errorf("Relay with one ring: %v", err)
	}
	if p.Err() != nil || c.Err() != nil {
		t.Errorf("a refused ring says %v and %v", p.Err(), c.Err())
	}
}
