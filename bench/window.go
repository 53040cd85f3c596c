package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
	"github.com/bytering/bytering/internal/pattern"
)

// windows measures package async: many operations in flight over one ring.
func windows(cfg config) []suite {
	return []suite{
		windowLatency(),
		windowHTTP("window-20ms", "over HTTP, 64 KiB a round trip of 20 ms on each connection", pace{64 << 10, 20 * time.Millisecond}),
		windowHTTP("window-50ms", "over HTTP, 64 KiB a round trip of 50 ms on each connection", pace{64 << 10, 50 * time.Millisecond}),
		windowHTTP("window-5mb", "over HTTP, 5 MB/s on each connection", pace{64 << 10, 64 << 10 * time.Second / 5e6}),
		windowHTTP("window-fast", "over HTTP, from a fast server on the loopback", pace{}),
		windowFiles(cfg, "window-from-file", true, false),
		windowFiles(cfg, "window-to-file", false, true),
		windowFiles(cfg, "window-file", true, true),
	}
}

// An object is what is moved: a pattern repeated up to a size.
type object int64

var period = sync.OnceValue(func() []byte { return pattern.Bytes(0, 1<<20+4321) })

// next returns the bytes at off, at most n.
func (o object) next(off int64, n int) []byte {
	b := period()[off%int64(len(period())):]
	return b[:min(int64(len(b)), int64(n), max(0, int64(o)-off))]
}

func (o object) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) && off < int64(o) {
		m := copy(b[n:], o.next(off, len(b)-n))
		n, off = n+m, off+int64(m)
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

// check reads r to its end and compares all bytes.
func (o object) check(r io.Reader) error {
	b := make([]byte, 256<<10)
	for off := int64(0); ; {
		n, err := r.Read(b)
		for got := b[:n]; len(got) > 0; {
			want := o.next(off, len(got))
			if len(want) == 0 || !bytes.Equal(got[:len(want)], want) {
				return fmt.Errorf("the bytes differ, or there are too many, after byte %d", off)
			}
			off, got = off+int64(len(want)), got[len(want):]
		}
		if err == io.EOF && off == int64(o) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w after %d of %d bytes", err, off, int64(o))
		}
	}
}

// megabytes is the throughput of slow contenders.
func megabytes() metric {
	m := throughput()
	m.name = "MB/s"
	m.value = func(x float64, size int) float64 { return float64(size) / x * 1e3 }
	return m
}

// peak is the most memory that the processes of a trial had.
func peak() metric {
	return metric{name: "peak memory, MiB", of: figureOf(0)}
}

// windowLatency measures what depth gains if an operation has a latency and no
// other cost.
func windowLatency() suite {
	const latency = 20 * time.Millisecond
	s := suite{
		name:    "window",
		title:   "A source with a latency of 20 ms for each read, through Fill",
		op:      "block",
		sizes:   []int{256 << 10},
		ops:     func(cfg config, size int) int { return min(128, max(1, cfg.bytes/size)) },
		metrics: []metric{megabytes()},
		legend:  []string{"The column is Block. Every byte is compared as it comes out of the ring. With HTTP the latency is that of each answer, and the object is opened before the clock runs."},
	}
	for _, depth := range []int{16, 1} {
		s.contenders = append(s.contenders, contender{fmt.Sprintf("io.ReaderAt, depth %d", depth), true, false, func(cfg config, size int) (trial, error) {
			return &filled{depth: depth, size: size, source: func(o object) (io.ReaderAt, func(), error) {
				return slowReaderAt{o, latency}, func() {}, nil
			}}, nil
		}})
	}
	for _, depth := range []int{16, 1} {
		s.contenders = append(s.contenders, contender{fmt.Sprintf("httprange, depth %d", depth), true, false, func(cfg config, size int) (trial, error) {
			return &filled{depth: depth, size: size, source: func(o object) (io.ReaderAt, func(), error) {
				srv := o.serve(pace{1 << 30, latency})
				f, err := httprange.Open(context.Background(), srv.URL, httprange.First(1), httprange.Depth(depth))
				if err != nil {
					srv.Close()
					return nil, nil, err
				}
				return f, func() { f.Close(); srv.Close() }, nil
			}}, nil
		}})
	}
	return s
}

type slowReaderAt struct {
	object
	latency time.Duration
}

func (s slowReaderAt) ReadAt(b []byte, off int64) (int, error) {
	time.Sleep(s.latency)
	return s.object.ReadAt(b, off)
}

// A filled is a trial of Fill in this process. It reports its own time, because the
// harness would also time the opening of the source.
type filled struct {
	depth, size int
	source      func(object) (io.ReaderAt, func(), error)
	took        time.Duration
}

func (f *filled) run(n int) error {
	o := object(n * f.size)
	src, end, err := f.source(o)
	if err != nil {
		return err
	}
	defer end()
	p, c, err := bytering.New((f.depth + 1) * f.size)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := async.Fill(context.Background(), p, src, async.Depth(f.depth), async.Block(f.size), async.Length(int64(o)))
		p.CloseWithError(err)
		failed <- err
	}()
	err = o.check(c)
	c.CloseWithError(err)
	f.took = time.Since(began)
	return errors.Join(<-failed, err)
}

func (f *filled) report(s *sample, n int) { s.perOp = float64(f.took) / float64(n) }
func (f *filled) finish() error           { return nil }

// A pace is the speed of a connection, which sends a number of bytes at once after
// each wait. The zero pace is unlimited.
type pace struct {
	bytes int
	wait  time.Duration
}

// serve starts a server of the object, with ranges and a validator.
func (o object) serve(p pace) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", `"one"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(&paced{ResponseWriter: w, pace: p}, r, "", time.Time{}, io.NewSectionReader(o, 0, int64(o)))
	}))
}

// A paced sends at the pace. It has no ReadFrom, so that Write sees all bytes.
type paced struct {
	http.ResponseWriter
	pace
	left int // before the next wait
}

func (p *paced) Write(b []byte) (done int, err error) {
	for err == nil && done < len(b) {
		part := b[done:]
		if p.wait > 0 {
			if p.left == 0 {
				http.NewResponseController(p.ResponseWriter).Flush()
				time.Sleep(p.wait)
				p.left = p.bytes
			}
			part = part[:min(len(part), p.left)]
		}
		var n int
		n, err = p.ResponseWriter.Write(part)
		done += n
		p.left -= n
	}
	return done, err
}

// windowHTTP measures a download in order into a pipe.
func windowHTTP(name, title string, p pace) suite {
	s := suite{
		name:    name,
		title:   "A download in order into a pipe, " + title,
		op:      "block",
		sizes:   []int{256 << 10},
		ops:     func(cfg config, size int) int { return max(1, min(cfg.bytes, 256<<20)/size) },
		metrics: []metric{megabytes(), peak()},
		each:    true,
		legend: []string{
			"The column is SIZE. A trial is at most 256 MiB, or -bytes, of which every byte is compared as it comes out of the pipe.",
			"The memory is that of all processes; what curl × 16 holds back is on disk. The ring has 4 MiB, or at depth n room for n + 1 blocks if that is more.",
		},
	}
	add := func(name string, ours bool, argv func(w *workshop, url string, o object, size int) ([]string, error)) {
		s.contenders = append(s.contenders, contender{name, ours, false, func(cfg config, size int) (trial, error) {
			return &download{shop: cfg.shop, pace: p, size: size, argv: argv}, nil
		}})
	}
	for _, depth := range []int{16, 4, 1} {
		add(strings.Join(deepLine(depth, "SIZE", false, "URL", "-"), " "), true, func(w *workshop, url string, _ object, size int) ([]string, error) {
			return w.built(deepLine(depth, strconv.Itoa(size), false, url, "-"))
		})
	}
	if _, err := exec.LookPath("curl"); err != nil {
		s.legend = append(s.legend, "curl is not installed here.")
		return s
	}
	add("curl", false, func(_ *workshop, url string, _ object, _ int) ([]string, error) {
		return []string{"curl", "-sSf", url}, nil
	})
	add("curl × 16 with ranges into files, then cat", false, func(w *workshop, url string, o object, _ int) ([]string, error) {
		part, err := w.path("part")
		if err != nil {
			return nil, err
		}
		const script = `
			for i in $(seq 10 25); do
				from=$(( (i - 10) * $3 )) to=$(( (i - 9) * $3 - 1 ))
				[ $from -ge $4 ] || curl -sSf -r $from-$to -o $1.$i $2 & all="$all $!"
			done
			for one in $all; do wait $one || exit 1; done
			cat $1.*; rm $1.*`
		return []string{"sh", "-c", script, "sh", part, url, strconv.FormatInt((int64(o)+15)/16, 10), strconv.FormatInt(int64(o), 10)}, nil
	})
	return s
}

// deepLine returns the command line that moves from to to at a depth. An end of "-"
// is a pipe. block is a number, or SIZE where the line is shown.
func deepLine(depth int, block string, direct bool, from, to string) []string {
	line := []string{"bytering", "-q", "--depth", strconv.Itoa(depth), "--block", block}
	if direct {
		line = append(line, "--direct")
	}
	if from != "-" {
		line = append(line, "-i", from)
	}
	if to != "-" {
		line = append(line, "-o", to)
	}
	return line
}

// built returns the command line with the path of the command built here.
func (w *workshop) built(line []string) ([]string, error) {
	path, err := w.command()
	return append([]string{path}, line[1:]...), err
}

// A download is a trial of a process that writes what a server has to a pipe.
type download struct {
	shop *workshop
	pace pace
	size int
	argv func(w *workshop, url string, o object, size int) ([]string, error)
	peak float64
	took time.Duration
}

func (d *download) run(n int) error {
	o := object(n * d.size)
	srv := o.serve(d.pace)
	defer srv.Close()
	argv, err := d.argv(d.shop, srv.URL, o, d.size)
	if err != nil {
		return err
	}
	began := time.Now()
	d.peak, err = runProcess(argv, nil, o)
	d.took = time.Since(began)
	return err
}

func (d *download) report(s *sample, n int) {
	s.perOp, s.figures = float64(d.took)/float64(n), []float64{d.peak}
}

func (d *download) finish() error { return nil }

// runProcess runs a command with in as its standard input. If out is not 0, it is the
// object that must come out of standard output. runProcess returns the peak of the
// command's memory.
func runProcess(argv []string, in *os.File, out object) (peak float64, err error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	var said strings.Builder
	cmd.Stderr = &said
	if in != nil {
		cmd.Stdin = in
	}
	var r io.ReadCloser
	if out > 0 {
		if r, err = cmd.StdoutPipe(); err != nil {
			return 0, err
		}
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan struct{})
	most := watchPeak(cmd.Process.Pid, done)
	if r != nil {
		if err = out.check(r); err != nil {
			cmd.Process.Kill()
		}
	}
	if ended := cmd.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("%s: %w: %s", argv[0], ended, strings.TrimSpace(said.String())))
	}
	close(done)
	return <-most, err
}
