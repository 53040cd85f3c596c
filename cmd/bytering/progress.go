package main

import (
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const (
	// refresh is how often the line is drawn: calm, and no cost to the transfer.
	refresh = 150 * time.Millisecond
	// For pv, and on a terminal that can't erase, it is a second.
	slowRefresh = time.Second
)

// A bar is the line that shows the progress of the transfer. On a terminal it is
// drawn over itself, and a newline follows only the last drawing. So lines that
// other programs write meanwhile stay. The bar only reads counters; the transfer
// does not depend on it.
type bar struct {
	display
	as     program
	stderr *os.File
	s      *stream
	gauge  *gauge
	dumb   bool // the terminal knows no escape sequences
	drawn  int  // columns of the last line
}

// showProgress draws the line on stderr if there is one, and prints the status
// for each signal from asked. It returns a function that ends both.
func showProgress(stderr *os.File, s *stream, asked <-chan os.Signal) (stop func()) {
	b := &bar{display: s.show, as: s.as, stderr: stderr, s: s, gauge: newGauge(s.source.size, time.Now())}
	b.dumb = os.Getenv("TERM") == "dumb"
	if b.interval == 0 {
		b.interval = refresh
		if b.parts() || b.dumb || b.numeric {
			b.interval = slowRefresh
		}
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		b.run(ended, asked)
	}()
	return func() {
		close(ended)
		<-done
	}
}

// shows reports whether there is a line: if stderr is a terminal to which no
// data go, or if a flag asks for the line.
func (b *bar) shows() bool {
	switch {
	case b.quiet:
		return false
	case b.numeric || b.force:
		return true
	}
	return isTerminal(b.stderr) && !b.s.onTerminal()
}

// parts reports whether flags have selected the parts of the line.
func (d *display) parts() bool {
	return d.bar || d.timer || d.eta || d.arrival || d.rate || d.average || d.bytes || d.fill
}

func (b *bar) run(ended <-chan struct{}, asked <-chan os.Signal) {
	shows := b.shows()
	ticker := time.NewTicker(b.interval)
	defer ticker.Stop()
	if !shows {
		ticker.Stop()
	}
	for {
		select {
		case <-ticker.C:
			b.draw(b.look(), false)
		case <-asked:
			b.status(b.look(), shows)
		case <-ended:
			if shows {
				b.draw(b.look(), true)
			}
			return
		}
	}
}

// look returns the progress to show now.
func (b *bar) look() progress {
	filled := 0
	for _, k := range b.s.sinks {
		filled = max(filled, k.c.Len()) // what the slowest has before it
	}
	st := b.gauge.look(time.Now(), b.s.written(), float64(filled)/float64(b.s.p.Cap()), b.interval)
	st.block, st.blockAge = b.s.waits()
	return st
}

// draw draws the line if the process may draw on the terminal.
func (b *bar) draw(st progress, last bool) {
	st.done = last
	onTerminal := isTerminal(b.stderr)
	switch {
	case b.wait && st.n == 0 && !last, st.elapsed < b.delay:
	case b.numeric:
		b.write(b.numbers(st) + "\n")
	case onTerminal && !mayDraw(b.stderr):
	default:
		end := ""
		if last {
			end = "\n"
		}
		line := b.line(st, b.columns(onTerminal))
		b.write("\r" + line + b.erase(line) + end)
	}
}

// line returns the line for that many columns. It leaves the last column free,
// because a terminal begins a new line after it.
func (b *bar) line(st progress, columns int) string {
	// A blank at the end separates the line from what other programs write.
	most := columns - 1 - len(" ")
	line := ownLine(label(b.name, columns/4), st, most)
	if b.parts() {
		line = b.pvLine(st, most)
	}
	return fit(line+" ", columns-1)
}

// erase returns the text that erases the rest of the line that was drawn
// before.
func (b *bar) erase(line string) string {
	if !b.dumb && isTerminal(b.stderr) {
		return "\x1b[K"
	}
	n := wide(line)
	blanks := strings.Repeat(" ", max(0, b.drawn-n))
	b.drawn = n
	return blanks
}

// status prints the progress once, on a line of its own.
func (b *bar) status(st progress, shows bool) {
	line := b.as.String() + ": " + strings.Join(strings.Fields(ownLine(label(b.name, 80), st, 200)), " ") + "\n"
	if shows && !b.numeric {
		line = "\r" + strings.TrimSuffix(line, "\n") + b.erase(line) + "\n"
	}
	b.write(line)
}

func (b *bar) write(text string) { io.WriteString(newPatient(b.stderr), text) }

// columns returns how wide the line may be.
func (b *bar) columns(onTerminal bool) int {
	width := b.display.width
	switch {
	case !onTerminal && width == 0:
		return usualColumns
	case !onTerminal:
		return width + 1
	case width == 0:
		return columns(b.stderr)
	}
	return min(columns(b.stderr), width+1)
}

// usualColumns is the width of a terminal that does not report one.
const usualColumns = 80

// columns returns how wide the terminal is.
func columns(f *os.File) (width int) {
	control(f, func(fd uintptr) (err error) {
		width, _, err = term.GetSize(int(fd))
		return err
	})
	if width == 0 {
		return usualColumns
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

// control calls do with the descriptor of f. Unlike File.Fd it does not clear
// O_NONBLOCK.
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
