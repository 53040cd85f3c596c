package main

import (
	"fmt"
	"os"
	"time"

	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// refresh is how often the bar is drawn: calm, and no cost to the transfer.
const refresh = 150 * time.Millisecond

// showProgress draws a bar on stderr if that is a terminal that the data don't
// go to as well, and returns what ends it. The bar looks at counters; the
// transfer knows nothing of it.
func showProgress(stderr *os.File, s *stream) (stop func()) {
	if !isTerminal(stderr) || isTerminal(s.sink.file) {
		return func() {}
	}
	begin := time.Now()
	style := mpb.NopStyle()
	if s.source.size > 0 {
		style = mpb.BarStyle()
	}
	progress := mpb.New(mpb.WithConsoleWriter(screen{cupwriter.New(stderr, false)}),
		mpb.WithRefreshRate(refresh), mpb.WithWidth(40))
	bar := progress.New(0, style,
		mpb.PrependDecorators(decor.Any(func(st decor.Statistics) string {
			return steady(float64(st.Current))
		})),
		mpb.AppendDecorators(decor.Any(func(st decor.Statistics) string {
			return status(st.Current, s.source.size, time.Since(begin), s.c.Len(), s.c.Cap())
		})))
	show := func() {
		n := s.written()
		if s.source.size > 0 {
			// Given here, because a total that New gets ends the bar when it
			// is reached, also in a file that grows.
			bar.SetTotal(max(n, s.source.size), false)
		}
		bar.SetCurrent(n)
	}

	ended, drawn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drawn)
		ticker := time.NewTicker(refresh / 2)
		defer ticker.Stop()
		for {
			show()
			select {
			case <-ticker.C:
			case <-ended:
				show()
				bar.Abort(false)
				return
			}
		}
	}()
	return func() {
		close(ended)
		<-drawn
		progress.Wait()
	}
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

// A screen is a terminal. One that does not know its size gets a usual one,
// since mpb draws nothing on it otherwise.
type screen struct{ *cupwriter.Writer }

func (s screen) GetTermSize() (width, height int, err error) {
	width, height, err = s.Writer.GetTermSize()
	if err == nil && (width == 0 || height == 0) {
		width, height = 80, 24
	}
	return width, height, err
}

// Flush lets the next frame start at the left, because the cursor is elsewhere
// after a ^C or whatever else was typed. What that put on the screen goes.
func (s screen) Flush(lines int) error {
	err := s.Writer.Flush(lines)
	s.WriteString("\r")
	return err
}

// isTerminal leaves O_NONBLOCK alone, which File.Fd would clear.
func isTerminal(f *os.File) (yes bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	err = raw.Control(func(fd uintptr) { yes = term.IsTerminal(int(fd)) })
	return yes && err == nil
}
