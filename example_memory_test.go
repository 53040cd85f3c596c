//go:build !interleave

package bytering_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/bytering/bytering"
)

// Frames, each after its length, are looked at where they lie. On mirrored
// memory none is ever copied; without it Peek joins those that the wrap cuts in
// two, which are few where the ring is larger than a frame.
func ExampleMirror() {
	p, c, err := bytering.New(16<<10, bytering.Mirror())
	if errors.Is(err, errors.ErrUnsupported) {
		p, c, err = bytering.New(16 << 10)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { c.Close(); c.Discard(0) }() // which gives back what Peek has lent
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
		frame, err := c.Peek(size) // in place of head, which is not valid now
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

// A ring larger than memory lies in a file.
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
		p, c, err = bytering.New(1 << 20) // no mapped memory here
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
		fmt.Println("nobody knows")
	} else if n < p.Cap() {
		fmt.Printf("%d of %d bytes in huge pages\n", n, p.Cap())
	}
}
