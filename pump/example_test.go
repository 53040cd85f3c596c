package pump_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing/iotest"

	"github.com/bytering/bytering/pump"
)

func ExampleCopy() {
	src := strings.NewReader("read and written at the same time\n")
	stats, err := pump.Copy(context.Background(), os.Stdout, src)
	fmt.Println(stats.Sink.Bytes, err)
	// Output:
	// read and written at the same time
	// 34 <nil>
}

// A context ends a copy that waits for a connection.
func ExampleCopy_context() {
	conn, peer := net.Pipe() // the peer sends nothing
	defer peer.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	go cancel(errors.New("enough"))
	_, err := pump.Copy(ctx, io.Discard, conn)
	fmt.Println(err)
	// Output: pump: stopped: enough; 0 bytes written
}

// A proxy relays between a client that asks and a server that answers once it has
// seen the end of the question.
func ExampleRelay() {
	client, a := dial()
	b, server := dial()
	go func() {
		question, _ := io.ReadAll(server)
		fmt.Fprintf(server, "%s? Yes.", question)
		server.Close()
	}()
	go func() {
		io.WriteString(client, "Half-closed")
		client.CloseWrite()
	}()
	toB, toA, err := pump.Relay(context.Background(), a, b)
	a.Close()
	b.Close()
	answer, _ := io.ReadAll(client)
	client.Close()
	fmt.Println(string(answer))
	fmt.Println(toB.Sink.Bytes, toA.Sink.Bytes, err)
	// Output:
	// Half-closed? Yes.
	// 11 17 <nil>
}

// dial returns both ends of a connection.
func dial() (a, b *net.TCPConn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	x, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	y, err := l.Accept()
	if err != nil {
		panic(err)
	}
	return x.(*net.TCPConn), y.(*net.TCPConn)
}

// A Meter can be read while the copy runs, for example by a progress bar. Here the
// sink reads it.
func ExampleMeter() {
	var meter pump.Meter
	src := strings.NewReader("abcdefgh")
	bar := progress{&meter}
	stats, err := pump.Copy(context.Background(), bar, src, pump.MaxCall(4), pump.WithMeter(&meter))
	fmt.Println(meter.Stats() == stats, err)
	// Output:
	// 0 bytes, and 4 more are on their way
	// 4 bytes, and 4 more are on their way
	// true <nil>
}

type progress struct{ meter *pump.Meter }

func (p progress) Write(b []byte) (int, error) {
	fmt.Printf("%d bytes, and %d more are on their way\n", p.meter.Stats().Sink.Bytes, len(b))
	return len(b), nil
}

// An Error reports which side failed, where, and how many bytes of the stream are
// safe.
func ExampleError() {
	src := io.MultiReader(strings.NewReader("half of it"), iotest.ErrReader(errors.New("disk is gone")))
	var dst bytes.Buffer
	_, err := pump.Copy(context.Background(), &dst, src)
	if e, ok := errors.AsType[*pump.Error](err); ok {
		fmt.Println("go on with the", e.Side, "at", e.Offset)
		fmt.Println(e.Written, "bytes are safe:", dst.String())
	}
	fmt.Println(err)
	// Output:
	// go on with the source at 10
	// 10 bytes are safe: half of it
	// pump: source failed at byte 10: disk is gone; 10 bytes written
}

func ExampleMaxCall() {
	_, err := pump.Copy(context.Background(), chunks{}, strings.NewReader("abcdefgh"), pump.MaxCall(3))
	fmt.Println(err)
	// Output:
	// abc
	// def
	// gh
	// <nil>
}

type chunks struct{}

func (chunks) Write(b []byte) (int, error) {
	fmt.Printf("%s\n", b)
	return len(b), nil
}

func ExampleCapacity() {
	_, err := pump.Copy(context.Background(), io.Discard, strings.NewReader("x"), pump.Capacity(0))
	fmt.Println(err)
	// Output: bytering: invalid capacity: 0 bytes, not within 1 to 1<<61
}
