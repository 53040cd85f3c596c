//go:build !interleave

package bytering

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// The standard library's readers of structure read too far, byte by byte, with
// ReadByte where there is one, or with reads of any length: none of it may
// lose a byte, at a wrap or at the end.
func TestStructuresOverAConsumer(t *testing.T) {
	var lines []string
	for i := range 200 {
		lines = append(lines, strings.Repeat(string(rune('a'+i%26)), i%37))
	}
	type record struct {
		A uint8
		B uint16
		C int64
	}
	var records []record
	for i := range 100 {
		records = append(records, record{uint8(i), uint16(i * 600), int64(-i) << 40})
	}
	values := []any{"text", 1.5, true, nil, []any{1.0, "two"}, map[string]any{"k": strings.Repeat("v", 100)}}

	text := func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
		return err
	}
	tests := map[string]struct {
		write func(io.Writer) error
		read  func(*Consumer) (any, error) // until the end
		want  any
	}{
		"bufio.Scanner": {text, func(c *Consumer) (any, error) {
			var got []string
			s := bufio.NewScanner(c)
			for s.Scan() {
				got = append(got, s.Text())
			}
			return got, s.Err()
		}, lines},
		"bufio.Reader": {text, func(c *Consumer) (any, error) {
			var got []string
			r := bufio.NewReaderSize(c, 16)
			for {
				line, err := r.ReadString('\n')
				if err == io.EOF && line == "" {
					return got, nil
				} else if err != nil {
					return got, err
				}
				got = append(got, strings.TrimSuffix(line, "\n"))
			}
		}, lines},
		"bufio.ReadWriter": {func(w io.Writer) error {
			b := bufio.NewWriterSize(w, 100)
			return errors.Join(text(b), b.Flush())
		}, func(c *Consumer) (any, error) {
			var got strings.Builder
			_, err := bufio.NewReaderSize(c, 32).WriteTo(&got)
			return strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n"), err
		}, lines},
		"encoding/binary": {func(w io.Writer) error {
			return binary.Write(w, binary.BigEndian, records)
		}, func(c *Consumer) (any, error) {
			var got []record
			for {
				var r record
				err := binary.Read(c, binary.BigEndian, &r)
				if err == io.EOF {
					return got, nil
				} else if err != nil {
					return got, err
				}
				got = append(got, r)
			}
		}, records},
		"varints, by ReadByte": {func(w io.Writer) error {
			var b []byte
			for _, r := range records {
				b = binary.AppendVarint(b, r.C)
			}
			_, err := w.Write(b)
			return err
		}, func(c *Consumer) (any, error) {
			var got []record
			for i := 0; ; i++ {
				v, err := binary.ReadVarint(c)
				if err == io.EOF {
					return got, nil
				} else if err != nil {
					return got, err
				}
				got = append(got, record{uint8(i), uint16(i * 600), v})
			}
		}, records},
		"json.Decoder": {func(w io.Writer) error {
			e := json.NewEncoder(w)
			for _, v := range values {
				if err := e.Encode(v); err != nil {
					return err
				}
			}
			return nil
		}, func(c *Consumer) (any, error) {
			var got []any
			d := json.NewDecoder(c)
			for {
				var v any
				if err := d.Decode(&v); err == io.EOF {
					return got, nil
				} else if err != nil {
					return got, err
				}
				got = append(got, v)
			}
		}, values},
	}
	for name, test := range tests {
		for _, capacity := range []int{1, 13, 64, 64 << 10} {
			t.Run(fmt.Sprint(name, "/", capacity), func(t *testing.T) {
				p, c := pair(t, capacity)
				written := make(chan error, 1)
				go func() {
					err := test.write(p)
					p.Close()
					written <- err
				}()
				got, err := test.read(c)
				c.Close()
				if err := errors.Join(err, <-written); err != nil {
					t.Error(err)
				}
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("read %v, want %v", got, test.want)
				}
			})
		}
	}
}

// What ends inside a structure is said by each reader in its own words, and
// the producer's error comes through all of them.
func TestStructuresThatEndEarly(t *testing.T) {
	tests := map[string]struct {
		text string
		read func(*Consumer) error
		end  error // of a plain Close
	}{
		"bufio.Scanner": {"no end of line", func(c *Consumer) error {
			s := bufio.NewScanner(c)
			if !s.Scan() || s.Text() != "no end of line" {
				return fmt.Errorf("scanned %q", s.Text())
			}
			s.Scan()
			return s.Err()
		}, nil},
		"bufio.Reader": {"no end of line", func(c *Consumer) error {
			line, err := bufio.NewReader(c).ReadBytes('\n')
			if !bytes.Equal(line, []byte("no end of line")) {
				return fmt.Errorf("read %q", line)
			}
			return err
		}, io.EOF},
		"encoding/binary": {"abc", func(c *Consumer) error {
			var v uint32
			return binary.Read(c, binary.LittleEndian, &v)
		}, io.ErrUnexpectedEOF},
		"binary.ReadUvarint": {"\x80\x80", func(c *Consumer) error {
			_, err := binary.ReadUvarint(c)
			return err
		}, io.ErrUnexpectedEOF},
		"json.Decoder": {`{"half":`, func(c *Consumer) error {
			var v any
			return json.NewDecoder(c).Decode(&v)
		}, io.ErrUnexpectedEOF},
	}
	for name, test := range tests {
		for end, want := range map[error]error{nil: test.end, errTest: errTest} {
			t.Run(fmt.Sprintf("%s/%v", name, end), func(t *testing.T) {
				p, c := pair(t, 64)
				p.WriteString(test.text)
				p.CloseWithError(end)
				if err := test.read(c); err != want {
					t.Errorf("%v, want %v", err, want)
				}
			})
		}
	}
}
