package vectored_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"sync/atomic"

	"github.com/bytering/bytering/vectored"
)

// A countingConn counts the bytes that pass through a connection. It embeds the
// interface and not the type, so that nothing finds the descriptor and bypasses the
// counting. It has Readv, Writev and CloseWrite, so that it offers what the
// connection does: without CloseWrite, a relay could not tell the peer that the
// stream to it has ended.
type countingConn struct {
	net.Conn
	tcp     *net.TCPConn
	r       vectored.Reader
	w       vectored.Writer
	in, out atomic.Int64
}

func newCountingConn(c *net.TCPConn) (*countingConn, error) {
	r, err := vectored.NewReader(c)
	if err != nil {
		return nil, err
	}
	w, err := vectored.NewWriter(c)
	if err != nil {
		return nil, err
	}
	return &countingConn{Conn: c, tcp: c, r: r, w: w}, nil
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.in.Add(int64(n))
	return n, err
}

func (c *countingConn) Readv(bufs [][]byte) (int, error) {
	n, err := c.r.Readv(bufs)
	c.in.Add(int64(n))
	return n, err
}

func (c *countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.out.Add(int64(n))
	return n, err
}

func (c *countingConn) Writev(bufs [][]byte) (int, error) {
	n, err := c.w.Writev(bufs)
	c.out.Add(int64(n))
	return n, err
}

func (c *countingConn) CloseWrite() error { return c.tcp.CloseWrite() }

// This connection also counts what is read and written with several slices.
func ExampleReader() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer dialed.Close()
	peer, err := l.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer peer.Close()

	conn, err := newCountingConn(dialed.(*net.TCPConn))
	if err != nil {
		log.Fatal(err)
	}
	readv, writev := vectored.Supported(conn)
	fmt.Println("found:", readv, writev)

	vectored.WriteAll(conn, []byte("to "), []byte("you"))
	fmt.Fprint(conn, "!")
	fmt.Fprint(peer, "and back")
	and, back := make([]byte, 3), make([]byte, 5)
	vectored.ReadFull(conn, and, back)
	fmt.Printf("%q %q, %d bytes in and %d out\n", and, back, conn.in.Load(), conn.out.Load())

	conn.CloseWrite()
	got, err := io.ReadAll(peer) // until the half-close
	fmt.Printf("%q %v\n", got, err)
	// Output:
	// found: true true
	// "and" " back", 8 bytes in and 7 out
	// "to you!" <nil>
}
