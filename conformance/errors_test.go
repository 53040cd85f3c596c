package conformance

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"math"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bytering/bytering"
	"github.com/bytering/bytering/async"
	"github.com/bytering/bytering/async/httprange"
	"github.com/bytering/bytering/memconn"
	"github.com/bytering/bytering/pump"
	"github.com/bytering/bytering/vectored"
)

// sentinels are the exported errors of each package.
var sentinels = map[string]map[string]error{
	"vectored": {
		"ErrUnsupported": vectored.ErrUnsupported,
		"ErrTruncated":   vectored.ErrTruncated,
		// The root package has this error too. Each package puts its own name before
		// it.
		"ErrInvalidCount": nil,
	},
	"pump": {
		"ErrInvalidMaxCall": pump.ErrInvalidMaxCall,
		"ErrInvalidRing":    pump.ErrInvalidRing,
	},
	"memconn": {},
	"async": {
		"ErrInvalidOption": async.ErrInvalidOption,
		"ErrStalled":       async.ErrStalled,
		"ErrReleased":      async.ErrReleased,
	},
	"async/httprange": {
		"ErrNoRange":      httprange.ErrNoRange,
		"ErrChanged":      httprange.ErrChanged,
		"ErrInvalidRange": httprange.ErrInvalidRange,
		"ErrRedirect":     httprange.ErrRedirect,
		"ErrInvalidURL":   httprange.ErrInvalidURL,
	},
}

func TestSentinelsBeginWithTheirPackage(t *testing.T) {
	for pkg, errs := range sentinels {
		if declared, listed := exportedErrors(t, pkg), slices.Sorted(maps.Keys(errs)); !slices.Equal(declared, listed) {
			t.Errorf("package %s declares %v, but the list has %v", pkg, declared, listed)
		}
		for name, err := range errs {
			if err != nil && !strings.HasPrefix(err.Error(), path.Base(pkg)+": ") {
				t.Errorf("%s.%s is %q", pkg, name, err)
			}
		}
	}
}

// exportedErrors returns the sorted names of the package's variables that start
// with Err.
func exportedErrors(t *testing.T, pkg string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("package %s: %d files, %v", pkg, len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			vars, ok := d.(*ast.GenDecl)
			if !ok || vars.Tok != token.VAR {
				continue
			}
			for _, spec := range vars.Specs {
				for _, id := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(id.Name, "Err") {
						names = append(names, id.Name)
					}
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// A miscounts reads and writes more than it is offered.
type miscounts struct{}

func (miscounts) Read(b []byte) (int, error)        { return len(b) + 1, nil }
func (miscounts) Write(b []byte) (int, error)       { return len(b) + 1, nil }
func (miscounts) Readv(bufs [][]byte) (int, error)  { return math.MaxInt, nil }
func (miscounts) Writev(bufs [][]byte) (int, error) { return -1, nil }

// An error starts with the name of the package that was called. Errors in the style
// of packages net, os and io start as theirs do.
func TestErrorsBeginWithTheirPackage(t *testing.T) {
	errTest := errors.New("test error")
	ended, cancel := context.WithCancelCause(context.Background())
	cancel(errTest)
	p, c, err := bytering.New(8)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	open, _, err := bytering.New(8)
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	name := filepath.Join(t.TempDir(), "f")
	end, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	file, err := vectored.NewFile(end)
	if err != nil {
		t.Fatal(err)
	}
	a, b := memconn.Pipe(memconn.Name("a"))
	a.Close()
	b.Close()
	l := memconn.Listen(memconn.Name("l"))

	one := make([]byte, 1)
	copied := func(ctx context.Context, dst io.Writer, src io.Reader, opts ...pump.Option) error {
		_, err := pump.Copy(ctx, dst, src, opts...)
		return err
	}
	second := func(_ any, err error) error { return err }
	for begins, errs := range map[string][]error{
		"vectored: ": {
			second(vectored.NewReader(nil)),
			second(vectored.NewWriter(udp.(*net.UDPConn))),
			second(vectored.NewFile(nil)),
			second(vectored.ReadFull(nil, one)),
			second(vectored.WriteAll(nil, one)),
			second(vectored.ReadFull(miscounts{}, one)),
			second(vectored.WriteAll(miscounts{}, one)),
		},
		"pwritev " + name + ": ": {
			second(file.Pwritev([][]byte{one}, 0)),
			second(file.Pwritev([][]byte{one}, -1)),
		},
		"async: ": {
			second(async.Fill(ended, open, strings.NewReader("x"), async.Depth(0))),
			second(async.Fill(t.Context(), open, strings.NewReader("x"), async.Length(2))),
			second(async.DrainParts(ended, c, nil)),
		},
		"httprange: ": {second(httprange.Open(ended, "ftp://x")), second(httprange.Open(ended, "http://127.0.0.1:1"))},
		"pump: ": {
			copied(ended, miscounts{}, miscounts{}),
			copied(t.Context(), miscounts{}, miscounts{}),
			copied(t.Context(), miscounts{}, strings.NewReader("x")),
			copied(t.Context(), miscounts{}, iotest.ErrReader(errTest)),
			copied(t.Context(), miscounts{}, miscounts{}, pump.MaxCall(0)),
			copied(t.Context(), miscounts{}, miscounts{}, pump.Ring(p, c)),
			copied(t.Context(), miscounts{}, miscounts{}, pump.Ring(nil, nil)),
		},
		// Package pump returns the error of bytering.New as it is.
		"bytering: ":   {copied(t.Context(), miscounts{}, miscounts{}, pump.Capacity(0))},
		"read mem a:":  {second(a.Read(one))},
		"write mem a:": {second(a.Write(one))},
		"set mem a:":   {a.SetDeadline(time.Time{})},
		"close mem a:": {a.CloseWrite(), a.CloseRead()},
		"dial mem l: ": {second(l.Dial(ended))},
	} {
		for _, err := range errs {
			if err == nil || !strings.HasPrefix(err.Error(), begins) {
				t.Errorf("%v does not start with %q", err, begins)
			} else if n := strings.Count(err.Error(), begins); n > 1 {
				t.Errorf("%v contains %q %d times", err, begins, n)
			}
		}
	}
}
