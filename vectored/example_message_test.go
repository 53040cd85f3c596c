package vectored_test

import (
	"errors"
	"fmt"
	"log"
	"net"

	"github.com/bytering/bytering/vectored"
)

// One Readv returns one datagram, here with its header in a slice of its own. A
// datagram that does not fit is an error.
func ExampleBoundaryOf() {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	peer, err := net.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer peer.Close()
	peer.Write([]byte("no. 1 hello"))
	peer.Write([]byte("no. 2 too long for the body"))
	peer.Write([]byte("no. 3 bye"))

	r, err := vectored.NewReader(conn)
	if err != nil {
		log.Fatal(err)
	}
	b := vectored.BoundaryOf(conn)
	fmt.Println(b == vectored.Message, b.Room())
	header, body := make([]byte, 5), make([]byte, 10)
	for range 3 {
		n, err := r.Readv([][]byte{header, body})
		if errors.Is(err, vectored.ErrTruncated) {
			fmt.Println("one was too long")
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q %q\n", header, body[:n-len(header)])
	}
	// Output:
	// true 65536
	// "no. 1" " hello"
	// one was too long
	// "no. 3" " bye"
}
