package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const (
	// refresh is how often the bar is drawn: calm, and no cost to the transfer.
	refresh = 150 * time.Millisecond
	// barWidth is how wide the bar itself is at most.
	barWidth = 40
)

// A bar is the line on a terminal that shows how far the transfer is. It is
// drawn over itself without a newline, which comes after the last drawing. So
// the lines that others write meanwhile stay. The bar looks at counters; the
// transfer knows nothing of it.
type bar struct {
	stderr *os.File
	s      *stream
	begin  time.Time
}

// showProgress draws a bar on stderr if that is a terminal that the data don't
// go to as well, and returns what ends it.
func showProgress(stderr *os.File, s *stream) (stop func()) {
	if !isTerminal(stderr) || s.onTerminal() || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	b := &bar{stderr: stderr, s: s, begin: time.Now()}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		b.run(ended)
	}()
	return func() {
		close(ended)
		<-done
	}
}

func (b *bar) run(ended <-chan struct{}) {
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.draw("")
		case <-ended:
			b.draw("\n")
			return
		}
	}
}

// draw draws the bar, and end behind it, where the terminal is the process's to
// draw on.
func (b *bar) draw(end string) {
	if !mayDraw(b.stderr) {
		return
	}
	line := b.s.line(columns(b.stderr), time.Since(b.begin))
	io.WriteString(newPatient(b.stderr), "\r"+line+"\x1b[K"+end)
}

// line is the bar in the given number of columns, of which it leaves the last one
// free: a terminal that has filled it is about to begin a new line.
func (s *stream) line(columns int, elapsed time.Duration) string {
	n := s.written()
	before, after := steady(float64(n)), status(n, s.source.size, elapsed, s.filled(), s.p.Cap())
	// A blank at the end keeps what others write apart from the bar.
	room := columns - 1 - len(before) - len(after) - len(" [] ")
	line := before + after + " "
	if width := min(barWidth, room); s.source.size > 0 && width > 1 {
		line = before + " [" + fill(n, s.source.size, width) + "]" + after + " "
	}
	return line[:min(len(line), columns-1)]
}

// fill is the inside of the bar, filled as far as n is of size.
func fill(n, size int64, width int) string {
	done := int(float64(width) * min(1, float64(n)/float64(size)))
	text := strings.Repeat("=", done)
	if done < width {
		text += ">" + strings.Repeat(" ", width-done-1)
	}
	return text
}

// status is what stands behind the bar: the rate, how full the ring is, and
// the time left where the size of the source is known.
func status(n, size int64, elapsed time.Duration, filled, capacity int) string {
	rate := float64(n) / max(elapsed.Seconds(), 1e-9)
	text := fmt.Sprintf(" %s/s  ring %3d%%", steady(rate), int64(filled)*100/int64(capacity))
	if size <= n || rate == 0 {
		return text
	}
	left := time.Duration(min(float64(size-n)/rate, 1e6*3600) * float64(time.Second))
	return text + fmt.Sprintf("  %v left", left.Round(time.Second))
}

// steady is bytesText in a width of its own, so that what follows stays in its
// place.
func steady(n float64) string { return fmt.Sprintf("%9s", bytesText(n)) }

// columns returns how wide the terminal is. One that does not know gets a usual
// width.
func columns(f *os.File) (width int) {
	control(f, func(fd uintptr) (err error) {
		width, _, err = term.GetSize(int(fd))
		return err
	})
	if width == 0 {
		return 80
	}
	return width
}

func isTerminal(f *os.File) (yes bool) {
	control(f, func(fd uintptr) error {
		yes = term.IsTerminal(int(fd))
		return nil
	})
	return yes
}

// control calls do with the descriptor of f. It leaves O_NONBLOCK alone, which
// File.Fd would clear.
func control(f *os.File, do func(fd uintptr) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if outer := raw.Control(func(fd uintptr) { err = do(fd) }); outer != nil {
		return outer
	}
	return err
}
