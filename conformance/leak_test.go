package conformance

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bytering/bytering"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The library starts no goroutine of its own, and a close wakes the goroutines of
// its callers. None is left parked in a half, whatever call it was parked in.
func TestCloseLeavesNoGoroutine(t *testing.T) {
	errTest := errors.New("test error")
	producers := map[string]func(p *bytering.Producer) error{
		"Write":    func(p *bytering.Producer) error { _, err := p.Write(make([]byte, 100)); return err },
		"ReadFrom": func(p *bytering.Producer) error { _, err := p.ReadFrom(strings.NewReader("more")); return err },
		"Wait":     func(p *bytering.Producer) error { return p.Wait(context.Background(), 1) },
	}
	consumers := map[string]func(c *bytering.Consumer) error{
		"Read":    func(c *bytering.Consumer) error { _, err := io.ReadFull(c, make([]byte, 100)); return err },
		"Peek":    func(c *bytering.Consumer) error { _, err := c.Peek(c.Cap()); return err },
		"WriteTo": func(c *bytering.Consumer) error { _, err := c.WriteTo(io.Discard); return err },
		"Wait":    func(c *bytering.Consumer) error { return c.Wait(context.Background(), c.Cap()) },
	}
	for _, own := range []bool{true, false} {
		for name, run := range producers {
			p, cs, err := bytering.NewBroadcast(8, 2)
			if err != nil {
				t.Fatal(err)
			}
			p.TryWrite(make([]byte, p.Cap()))
			done := make(chan error)
			go func() { done <- run(p) }()
			if own {
				p.CloseWithError(errTest)
			} else {
				cs[0].CloseWithError(errTest)
				cs[1].CloseWithError(errTest)
			}
			if err := <-done; err == nil {
				t.Errorf("%s returns from a closed ring without an error", name)
			}
			goleak.VerifyNone(t)
		}
		for name, run := range consumers {
			p, c, err := bytering.New(8)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() { done <- run(c) }()
			if own {
				c.CloseWithError(errTest)
			} else {
				p.CloseWithError(errTest)
			}
			if err := <-done; err == nil {
				t.Errorf("%s returns from a closed ring without an error", name)
			}
			goleak.VerifyNone(t)
		}
	}
}

// A deadline ends parked calls, and leaves neither a timer nor a goroutine.
func TestDeadlineLeavesNoGoroutine(t *testing.T) {
	p, c, err := bytering.New(8)
	if err != nil {
		t.Fatal(err)
	}
	p.TryWrite(make([]byte, p.Cap()))
	done := make(chan error)
	for range 10 {
		p.SetWriteDeadline(time.Now().Add(time.Millisecond))
		go func() { done <- p.WriteByte(0) }()
		if err := <-done; err != os.ErrDeadlineExceeded {
			t.Errorf("Write: %v", err)
		}
		c.SetReadDeadline(time.Now().Add(time.Hour))
		go func() { done <- c.Wait(context.Background(), c.Cap()) }()
		if err := <-done; err != nil {
			t.Errorf("Wait: %v", err)
		}
		c.Discard(1)
		go func() { done <- c.Wait(context.Background(), c.Cap()) }()
		c.SetReadDeadline(time.Now())
		if err := <-done; err != os.ErrDeadlineExceeded {
			t.Errorf("Wait: %v", err)
		}
		p.TryWrite(make([]byte, 1))
	}
	goleak.VerifyNone(t)
}

// A ring that is dropped without a close leaves nothing behind either.
func TestDroppedRingLeavesNoGoroutine(t *testing.T) {
	for range 100 {
		p, c, err := bytering.New(64)
		if err != nil {
			t.Fatal(err)
		}
		p.WriteString("left behind")
		c.Read(make([]byte, 4))
	}
	goleak.VerifyNone(t)
}
