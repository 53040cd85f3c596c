package vectored

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestRegularFile(t *testing.T) {
	f, _ := create(t, "")
	r, w := must2(NewReader(f))(t), must2(NewWriter(f))(t)
	b := [][]byte{make([]byte, 4), nil, make([]byte, 5)}
	n, err := r.Readv(b)
	want(t, "Readv of an empty file", n, err, 0, io.EOF)
	n, err = w.Writev([][]byte{[]byte("abc"), {}, []byte("defg")})
	want(t, "Writev", n, err, 7, nil)
	n, err = w.Writev([][]byte{[]byte("h")}) // at the file's own offset
	want(t, "Writev", n, err, 1, nil)
	n, err = r.Readv(b)
	want(t, "Readv at the end", n, err, 0, io.EOF)

	must2(f.Seek(1, io.SeekStart))(t)
	n, err = r.Readv(b)
	want(t, "Readv over the end", n, err, 7, nil)
	if got := string(b[0]) + string(b[2][:3]); got != "bcdefgh" {
		t.Errorf("read %q", got)
	}
	must2(f.Seek(1000, io.SeekStart))(t)
	n, err = r.Readv(b)
	want(t, "Readv beyond the end", n, err, 0, io.EOF)

	f.Close()
	n, err = r.Readv(b)
	wantClosed(t, "Readv of a closed file", f, n, err)
	n, err = w.Writev(b)
	wantClosed(t, "Writev of a closed file", f, n, err)
}

func TestWritevAppends(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	must(t, f, err)
	defer f.Close()
	w := must2(NewWriter(f))(t)
	for _, s := range []string{"abc", "def"} {
		must2(f.Seek(0, io.SeekStart))(t)
		n, err := w.Writev([][]byte{[]byte(s[:1]), []byte(s[1:])})
		want(t, "Writev", n, err, 3, nil)
	}
	if got := must2(os.ReadFile(name))(t); string(got) != "abcdef" {
		t.Errorf("the file is %q", got)
	}
}
