package conformance

import (
	"context"
	"io"
	"runtime"
	"testing"
	"time"
	"weak"

	"go.uber.org/goleak"

	"github.com/bytering/bytering/memconn"
)

// Every call that waits in a connection returns when either end is closed.
func TestMemconnCloseLeavesNoGoroutine(t *testing.T) {
	for i := range 50 {
		a, b := memconn.Pipe(memconn.Buffer(8))
		for range 3 {
			for _, c := range []io.ReadWriter{a, b} {
				go c.Read(make([]byte, 1))
				go c.Write(make([]byte, 100))
			}
		}
		if i%2 == 0 {
			time.Sleep(time.Millisecond)
		}
		a.Close()
		goleak.VerifyNone(t)
		b.Close()
	}
}

// A connection that is dropped is garbage, even if it is open and has a deadline.
func TestDroppedConnIsGarbage(t *testing.T) {
	l := memconn.Listen()
	defer l.Close()
	var seen []weak.Pointer[memconn.Conn]
	for range 10 {
		a, err := l.Dial(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		a.SetDeadline(time.Now().Add(time.Hour))
		go a.Read(make([]byte, 1)) // sets the timer, and returns
		time.Sleep(time.Millisecond)
		io.WriteString(b, "left behind")
		seen = append(seen, weak.Make(a.(*memconn.Conn)), weak.Make(b.(*memconn.Conn)))
	}
	goleak.VerifyNone(t)
	for range 10 {
		runtime.GC()
	}
	for i, p := range seen {
		if p.Value() != nil {
			t.Errorf("end %d was not collected", i)
		}
	}
}
