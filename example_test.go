package bytering_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/bytering/bytering"
)

func ExampleNew() {
	p, c, err := bytering.New(64 << 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	p.WriteString("hello")
	p.Close()
	b, err := io.ReadAll(c)
	fmt.Printf("%s, %v\n", b, err)
	// Output: hello, <nil>
}

func ExampleNew_refused() {
	_, _, err := bytering.New(0)
	fmt.Println(errors.Is(err, bytering.ErrInvalidCapacity))
	fmt.Println(err)
	// Output:
	// true
	// bytering: invalid capacity: 0 bytes, not within 1 to 1<<61
}

func ExampleAlign() {
	// Direct I/O wants memory that begins at a multiple of the device's block.
	p, _, err := bytering.New(64<<10, bytering.Align(4096))
	fmt.Println(p.Cap(), err)
	_, _, err = bytering.New(64<<10, bytering.Align(1000))
	fmt.Println(err)
	// Output:
	// 65536 <nil>
	// bytering: invalid alignment: 1000 is not a power of two
}

func ExampleNewBroadcast() {
	p, cs, _ := bytering.NewBroadcast(16, 2)
	p.WriteString("to everybody")
	p.Close()
	for i, c := range cs {
		b, _ := io.ReadAll(c)
		fmt.Printf("%d: %s\n", i, b)
	}
	// Output:
	// 0: to everybody
	// 1: to everybody
}

// One goroutine writes what the other one reads. The ring is smaller than the
// text, so they wait for each other.
func ExampleProducer() {
	p, c, _ := bytering.New(8)
	go func() {
		_, err := p.ReadFrom(strings.NewReader("all work and no play"))
		p.CloseWithError(err) // CloseWithError(nil) is Close
	}()
	n, err := c.WriteTo(os.Stdout)
	fmt.Printf("\n%d bytes, %v\n", n, err)
	// Output:
	// all work and no play
	// 20 bytes, <nil>
}

func ExampleConsumer() {
	p, c, _ := bytering.New(8)
	go func() {
		defer p.Close()
		for i := range 3 {
			fmt.Fprintf(p, "line %d\n", i)
		}
	}()
	b := make([]byte, 7)
	for {
		if _, err := io.ReadFull(c, b); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s", b)
	}
	// Output:
	// line 0
	// line 1
	// line 2
	// EOF
}

func ExampleProducer_IOSlices() {
	p, c, _ := bytering.New(8)
	p.WriteString("abcdef")
	c.Discard(5)
	n, err := p.IOSlices(func(bufs [][]byte, n int) (int, error) {
		fmt.Printf("%d bytes in %d slices\n", n, len(bufs))
		n = 0
		for _, b := range bufs { // a real program calls readv here
			n += copy(b, "ghijkl"[n:])
		}
		return n, nil
	})
	fmt.Println(n, err, c.Len())
	// Output:
	// 7 bytes in 2 slices
	// 6 <nil> 7
}

func ExampleConsumer_IOSlices() {
	p, c, _ := bytering.New(8)
	p.WriteString("abcdef")
	c.Discard(5)
	p.WriteString("ghijkl")
	n, err := c.IOSlices(func(bufs [][]byte, n int) (int, error) {
		fmt.Printf("%d bytes: %q\n", n, bufs) // a real program calls writev here
		return 4, nil                         // a short write
	})
	fmt.Println(n, err, c.Len())
	// Output:
	// 7 bytes: ["fgh" "ijkl"]
	// 4 <nil> 3
}

// Slices and Commit are IOSlices in two steps, for input that completes later.
func ExampleProducer_Slices() {
	p, c, _ := bytering.New(8)
	a, _ := p.Slices()
	n := copy(a, "async")
	fmt.Println("before:", c.Len())
	err := p.Commit(n)
	fmt.Println("after:", c.Len(), err)
	// Output:
	// before: 0
	// after: 5 <nil>
}

func ExampleConsumer_Slices() {
	p, c, _ := bytering.New(8)
	p.WriteString("async")
	a, _ := c.Slices()
	fmt.Printf("%s, %d free\n", a, p.Free())
	err := c.Discard(len(a))
	fmt.Printf("%d free, %v\n", p.Free(), err)
	// Output:
	// async, 3 free
	// 8 free, <nil>
}

// After its Close a producer can find out whether the last bytes were taken.
func ExampleProducer_WaitEmpty() {
	p, c, _ := bytering.New(64)
	go io.Copy(io.Discard, c)
	p.WriteString("the last words")
	p.Close()
	err := p.WaitEmpty(context.Background())
	fmt.Println(c.Len(), err)
	// Output: 0 <nil>
}

// A half waits for as long as its context allows.
func ExampleConsumer_Wait() {
	p, c, _ := bytering.New(64)
	p.WriteString("head")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("the user has left"))
	fmt.Println(c.Wait(ctx, 4)) // 4 bytes are there already
	fmt.Println(c.Wait(ctx, 5))

	p.Close()
	fmt.Println(c.Wait(context.Background(), 5), c.Len())
	fmt.Println(c.Wait(context.Background(), 65))
	// Output:
	// <nil>
	// the user has left
	// unexpected EOF 4
	// bytering: number of bytes out of range: 65 in a ring of 64
}

// Peek returns a header in one piece, wherever it lies.
func ExampleConsumer_Peek() {
	p, c, _ := bytering.New(8)
	p.WriteString("......")
	c.Discard(6)
	p.WriteString("\x00\x03abc")
	h, err := c.Peek(2)
	n := int(h[0])<<8 | int(h[1])
	body, err2 := c.Peek(2 + n)
	fmt.Printf("%d: %s %v %v\n", n, body[2:], err, err2)
	c.Discard(2 + n)
	// Output: 3: abc <nil> <nil>
}

// A deadline ends a call. Bytes that come later can still be read.
func ExampleConsumer_SetReadDeadline() {
	p, c, _ := bytering.New(64)
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	b := make([]byte, 8)
	n, err := c.Read(b)
	fmt.Println(n, errors.Is(err, os.ErrDeadlineExceeded))

	c.SetReadDeadline(time.Time{}) // no deadline
	p.WriteString("late")
	n, err = c.Read(b)
	fmt.Printf("%s %v\n", b[:n], err)
	// Output:
	// 0 true
	// late <nil>
}

func ExampleProducer_SetWriteDeadline() {
	p, c, _ := bytering.New(4)
	p.SetWriteDeadline(time.Now().Add(time.Millisecond))
	n, err := p.WriteString("too much")
	fmt.Println(n, err, c.Len())
	// Output: 4 i/o timeout 4
}

// A loop that waits for a ring and for something else calls Ready anew each time.
func ExampleConsumer_Ready() {
	p, c, _ := bytering.New(64)
	quit := make(chan struct{})
	go func() {
		p.WriteString("hello")
		p.WaitEmpty(context.Background())
		close(quit)
	}()
	b := make([]byte, 8)
	for {
		select {
		case <-c.Ready():
			n, err := c.TryRead(b)
			fmt.Printf("%s %v\n", b[:n], err)
		case <-quit:
			fmt.Println("quit")
			return
		}
	}
	// Output:
	// hello <nil>
	// quit
}

// A producer waits for two rings and writes to the one that has room first.
func ExampleProducer_Ready() {
	p1, c1, _ := bytering.New(4)
	p2, c2, _ := bytering.New(4)
	p1.WriteString("full")
	select {
	case <-p1.Ready():
		p1.TryWrite([]byte("one"))
	case <-p2.Ready():
		p2.TryWrite([]byte("two"))
	}
	fmt.Println(c1.Len(), c2.Len())
	// Output: 4 3
}

// An event loop serves many rings. Each function sends the number of its ring.
func ExampleConsumer_Notify() {
	events := make(chan int, 2) // room for every ring, because the functions must not block
	var cs []*bytering.Consumer
	for i := range 2 {
		p, c, _ := bytering.New(16)
		cs = append(cs, c)
		go func() { fmt.Fprintf(p, "from %d", i); p.Close() }()
	}
	for i, c := range cs {
		if !c.Notify(6, func() { events <- i }) {
			events <- i // the bytes are there already
		}
	}
	var got [2]string
	for range cs {
		i := <-events
		b, err := cs[i].Peek(6)
		got[i] = fmt.Sprintf("%s, %v", b, err)
	}
	fmt.Println(got)
	// Output: [from 0, <nil> from 1, <nil>]
}

func ExampleProducer_Notify() {
	p, c, _ := bytering.New(4)
	p.WriteString("full")
	armed := p.Notify(2, func() { fmt.Println("there is room for two") })
	fmt.Println(armed)
	c.Discard(1)
	c.Discard(1)
	fmt.Println(p.Notify(2, func() {}), p.Disarm())
	// Output:
	// true
	// there is room for two
	// false false
}

// In a pool of rings, the memory of a ring serves one stream after the other.
func ExampleReset() {
	p, c, _ := bytering.New(64)
	for _, text := range []string{"one stream", "another one"} {
		p.WriteString(text)
		p.Close()
		b, err := io.ReadAll(c)
		fmt.Printf("%s, %v\n", b, err)
		c.Close()
		if err := bytering.Reset(p, c); err != nil {
			fmt.Println(err) // a pool makes a new ring instead
		}
	}
	fmt.Println(bytering.Reset(p, c))
	// Output:
	// one stream, <nil>
	// another one, <nil>
	// bytering: invalid reset: no Close of the producer
}

func ExampleProducer_CloseWithError() {
	p, c, _ := bytering.New(64)
	p.WriteString("what there was")
	p.CloseWithError(errors.New("the disk is gone"))
	b, err := io.ReadAll(c)
	fmt.Printf("%s: %v\n", b, err)
	// Output: what there was: the disk is gone
}

func ExampleConsumer_CloseWithError() {
	p, c, _ := bytering.New(4)
	go func() {
		io.ReadFull(c, make([]byte, 6))
		c.CloseWithError(errors.New("that is enough"))
	}()
	_, err := p.WriteString("more than enough of it")
	fmt.Println(err)
	// Output: that is enough
}

// Frames, each preceded by its length, are read where they lie. On mirrored memory
// no frame is ever copied. Without it Peek joins those that the wrap cuts in two,
// which are few if the ring is much larger than a frame.
func ExampleMirror() {
	p, c, err := bytering.New(16<<10, bytering.Mirror())
	if errors.Is(err, errors.ErrUnsupported) {
		p, c, err = bytering.New(16 << 10)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { c.Close(); c.Discard(0) }() // Discard(0) gives back what Peek has lent
	go func() {
		defer p.Close()
		for i := range 5000 {
			text := fmt.Sprint("frame ", i)
			p.Write(binary.BigEndian.AppendUint16(nil, uint16(len(text))))
			p.WriteString(text)
		}
	}()

	frames, last := 0, ""
	for {
		head, err := c.Peek(2)
		if err == io.EOF && len(head) == 0 {
			break
		} else if err != nil {
			fmt.Println("in a length:", err)
			return
		}
		size := 2 + int(binary.BigEndian.Uint16(head))
		frame, err := c.Peek(size) // head is no longer valid after this call
		if err != nil {
			fmt.Println("in a frame:", err)
			return
		}
		frames++
		last = string(frame[2:])
		c.Discard(size)
	}
	fmt.Println(frames, last)
	// Output: 5000 frame 4999
}

// A ring that is larger than memory lies in a file.
func ExampleFile() {
	f, err := os.CreateTemp("", "ring")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	p, c, err := bytering.New(1<<20, bytering.File(f))
	if errors.Is(err, errors.ErrUnsupported) {
		p, c, err = bytering.New(1 << 20) // this system has no mapped memory
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	p.WriteString("by way of a file")
	p.Close()
	b, err := io.ReadAll(c)
	fmt.Printf("%s, %v\n", b, err)
	// Output: by way of a file, <nil>
}

func ExampleProducer_HugePages() {
	p, c, err := bytering.New(64<<20, bytering.HugePages(), bytering.Prefault())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	defer p.Close()
	if n, ok := p.HugePages(); !ok {
		fmt.Println("not known")
	} else if n < p.Cap() {
		fmt.Printf("%d of %d bytes in huge pages\n", n, p.Cap())
	}
}
