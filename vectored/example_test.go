package vectored_test

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"

	"github.com/bytering/bytering/vectored"
)

// A message consists of two bytes that give the length of its body, and the body.
// One Readv gets both if both are there, each in its own slice. As with any read,
// what has not come yet is left for further calls.
func ExampleNewReader() {
	conn, peer, err := os.Pipe() // or a connection, or a file
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	peer.WriteString("\x00\x0dhello, reader")
	peer.Close()

	r, err := vectored.NewReader(conn)
	if err != nil {
		log.Fatal(err)
	}
	header, body := make([]byte, 2), make([]byte, 1024)
	n, err := r.Readv([][]byte{header, body})
	if err != nil {
		log.Fatal(err)
	}
	if n < len(header) {
		if _, err := vectored.ReadFull(r, header[n:]); err != nil {
			log.Fatal(err)
		}
		n = len(header)
	}
	length := int(binary.BigEndian.Uint16(header))
	if there := n - len(header); there < length {
		if _, err := vectored.ReadFull(r, body[there:length]); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%d bytes: %s\n", length, body[:length])
	// Output: 13 bytes: hello, reader
}

// Three slices are written with one call if the system takes them at once, and read
// in the same way.
func ExampleWriteAll() {
	in, out, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	w, err := vectored.NewWriter(out)
	if err != nil {
		log.Fatal(err)
	}
	r, err := vectored.NewReader(in)
	if err != nil {
		log.Fatal(err)
	}

	n, err := vectored.WriteAll(w, []byte("status "), []byte("204"), []byte("\r\n"))
	fmt.Println(n, err)

	word, code, end := make([]byte, 7), make([]byte, 3), make([]byte, 2)
	n, err = vectored.ReadFull(r, word, code, end)
	fmt.Println(n, err)
	fmt.Printf("%q %q %q\n", word, code, end)
	// Output:
	// 12 <nil>
	// 12 <nil>
	// "status " "204" "\r\n"
}

// If the stream ends inside a message, ReadFull returns io.ErrUnexpectedEOF with
// the number of bytes that came.
func ExampleReadFull() {
	in, out, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	out.WriteString("headbo")
	out.Close()
	r, err := vectored.NewReader(in)
	if err != nil {
		log.Fatal(err)
	}

	head, body := make([]byte, 4), make([]byte, 4)
	n, err := vectored.ReadFull(r, head, body)
	fmt.Printf("%d bytes, %q and %q: %v\n", n, head, body[:n-4], err)
	// Output: 6 bytes, "head" and "bo": unexpected EOF
}

// A Writer may take less than it was given. Nothing is lost: the count says what
// was written, and the rest goes into the next call.
func ExampleWriter() {
	in, out, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	w, err := vectored.NewWriter(out)
	if err != nil {
		log.Fatal(err)
	}

	queue := [][]byte{[]byte("one "), []byte("two "), []byte("three")}
	for len(queue) > 0 {
		n, err := w.Writev(queue)
		if err != nil {
			log.Fatal(err)
		}
		for len(queue) > 0 && n >= len(queue[0]) {
			n -= len(queue[0])
			queue = queue[1:] // the memory of the slice can be used again
		}
		if n > 0 {
			queue[0] = queue[0][n:]
		}
	}

	b := make([]byte, 13)
	in.Read(b)
	fmt.Printf("%s\n", b)
	// Output: one two three
}

// A record of a file is read and written in place, header and value with one call,
// while other goroutines use other records.
func ExampleFile() {
	f, err := os.CreateTemp("", "records")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	file, err := vectored.NewFile(f)
	if err != nil {
		log.Fatal(err)
	}

	// Both calls may do less than they were asked to, as they do here on all systems
	// but Linux.
	const record = 4096
	key, value := []byte("key "), []byte("value")
	for off := int64(record); len(key)+len(value) > 0; {
		n, err := file.Pwritev([][]byte{key, value}, off)
		if err != nil {
			log.Fatal(err)
		}
		off += int64(n)
		k := min(n, len(key))
		key, value = key[k:], value[n-k:]
	}

	key, value = make([]byte, 4), make([]byte, 5)
	k, v := key, value
	for off := int64(record); len(k)+len(v) > 0; {
		n, err := file.Preadv([][]byte{k, v}, off)
		if err != nil {
			log.Fatal(err)
		}
		off += int64(n)
		m := min(n, len(k))
		k, v = k[m:], v[n-m:]
	}
	fmt.Printf("%q %q\n", key, value)
	// Output: "key " "value"
}
