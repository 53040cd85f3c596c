//go:build !interleave

package memconn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/bytering/bytering/memconn"
)

func ExamplePipe() {
	a, b := memconn.Pipe()
	fmt.Fprint(a, "hello") // the buffer has room for it
	a.Close()
	got, err := io.ReadAll(b)
	fmt.Printf("%s, %v\n", got, err)
	// Output: hello, <nil>
}

func ExampleConn() {
	a, b := memconn.Pipe()
	go func() {
		question, _ := io.ReadAll(b) // until a's half-close
		fmt.Fprintf(b, "%q was the question", question)
		b.Close()
	}()
	io.WriteString(a, "why?")
	a.CloseWrite()
	io.Copy(os.Stdout, a)
	// Output: "why?" was the question
}

func ExampleConn_SetReadDeadline() {
	a, b := memconn.Pipe()
	a.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := a.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded), err.(net.Error).Timeout())

	b.Close()
	_, err = a.Write([]byte("x"))
	fmt.Println(err)
	// Output:
	// true true
	// io: read/write on closed pipe
}

// A web server and its client talk without a port.
func ExampleListener() {
	l := memconn.Listen()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "you want %s", r.URL.Path)
	})}
	go srv.Serve(l)
	defer srv.Close()

	client := &http.Client{Transport: &http.Transport{DialContext: l.DialContext}}
	resp, err := client.Get("http://anywhere/milk")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%s: %s, %v\n", resp.Status, body, err)
	// Output: 200 OK: you want /milk, <nil>
}

// gRPC takes the listener's other dial function:
//
//	grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithContextDialer(l.DialAddr), ...)
func ExampleListener_DialAddr() {
	l := memconn.Listen()
	var dialer func(context.Context, string) (net.Conn, error) = l.DialAddr // the type that gRPC wants
	client, err := dialer(context.Background(), "mem")
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := l.Accept()
	fmt.Fprint(client, "PRI * HTTP/2.0")
	client.Close()
	got, _ := io.ReadAll(server)
	fmt.Printf("%s, %v\n", got, err)
	// Output: PRI * HTTP/2.0, <nil>
}

func ExampleListener_Close() {
	l := memconn.Listen()
	go l.Close()
	_, err := l.Accept()
	fmt.Println(errors.Is(err, net.ErrClosed))
	// Output: true
}

// With a backlog of 0, Dial waits for Accept.
func ExampleBacklog() {
	l := memconn.Listen(memconn.Backlog(0), memconn.Name("shop"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := l.Dial(ctx)
	fmt.Println(err)
	// Output: dial mem shop: context deadline exceeded
}

func ExampleBuffer() {
	a, _ := memconn.Pipe(memconn.Buffer(10))
	fmt.Fprint(a, "0123456789") // the buffer has room for this and no more
	a.SetWriteDeadline(time.Now())
	_, err := fmt.Fprint(a, "x")
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	// Output: true
}

func ExampleAddr() {
	l := memconn.Listen(memconn.Name("shop"))
	client, _ := l.Dial(context.Background())
	fmt.Println(client.RemoteAddr().Network(), client.RemoteAddr())
	fmt.Println(client.RemoteAddr() == memconn.Addr("shop"))
	// Output:
	// mem shop
	// true
}

// An option is a function, so options can be kept and passed on.
func ExampleOption() {
	small := []memconn.Option{memconn.Buffer(4 << 10), memconn.Name("test")}
	a, b := memconn.Pipe(small...)
	n, err := fmt.Fprint(a, "in small")
	fmt.Println(n, err)
	b.Close()
	// Output: 8 <nil>
}
