package conformance

import (
	"context"
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/bytering/bytering/memconn"
)

// Package nettest checks every net.Conn. Here it runs over rings that hold
// everything, and over rings in which hardly more than one of its messages fits: it
// writes 8 bytes before it reads the echo.
func TestMemconnIsANetConn(t *testing.T) {
	for name, opts := range map[string][]memconn.Option{
		"default":    nil,
		"1000 bytes": {memconn.Buffer(1000)},
		"9 bytes":    {memconn.Buffer(9)},
	} {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
				a, b := memconn.Pipe(opts...)
				return a, b, func() { a.Close(); b.Close() }, nil
			})
		})
	}
	t.Run("listener", func(t *testing.T) {
		nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
			l := memconn.Listen()
			a, err := l.Dial(context.Background())
			if err != nil {
				return nil, nil, nil, err
			}
			b, err := l.Accept()
			return a, b, func() { l.Close(); a.Close(); b.Close() }, err
		})
	})
}
