package main

import (
	"fmt"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// refresh is how often the bar is drawn.
const refresh = 150 * time.Millisecond

// showProgress draws a bar on stderr if that is a terminal, and returns what
// ends it. The bar looks at the ring's cursors; the transfer knows nothing of it.
func showProgress(stderr *os.File, s *stream) (stop func()) {
	if !term.IsTerminal(int(stderr.Fd())) {
		return func() {}
	}
	progress := mpb.New(mpb.WithOutput(stderr), mpb.WithRefreshRate(refresh), mpb.WithWidth(40))
	fill := decor.Any(func(decor.Statistics) string {
		return fmt.Sprintf(" ring %3d %%", s.c.Len()*100/s.c.Cap())
	})
	moved := decor.Any(func(st decor.Statistics) string { return bytesText(float64(st.Current)) }, decor.WCSyncWidth)
	speed := decor.AverageSpeed(decor.SizeB1024(0), " % .1f")
	style, total, after := mpb.NopStyle(), int64(0), []decor.Decorator{speed, fill}
	if s.source.size > 0 {
		style, total = mpb.BarStyle(), s.source.size
		after = append(after, decor.Name(" left "), decor.AverageETA(decor.ET_STYLE_GO))
	}
	bar := progress.New(total, style, mpb.PrependDecorators(moved), mpb.AppendDecorators(after...))

	ended, drawn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drawn)
		ticker := time.NewTicker(refresh / 2)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				bar.SetCurrent(int64(s.c.Position()))
			case <-ended:
				bar.SetCurrent(int64(s.c.Position()))
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
